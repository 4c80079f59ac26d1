//! The frame of every page: head, navigation, the hatching that stands for *unknown*, and the two files that pages load.
//! This module must not show a figure.

use std::time::Duration;

use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect};
use channel::Timestamp;
use maud::{DOCTYPE, Markup, html};

const CSS: &str = include_str!("assets/console.css");
const JS: &str = include_str!("assets/console.js");

pub async fn home() -> Redirect {
    Redirect::temporary("/console")
}

pub async fn css() -> impl IntoResponse {
    let kind = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (kind, CSS)
}

pub async fn js() -> impl IntoResponse {
    let kind = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (kind, JS)
}

/// What a page says around its body.
pub struct Frame<'a> {
    pub title: &'a str,
    /// Who is signed in.
    pub bureau: &'a str,
    pub as_of: Timestamp,
    /// Where the page's live frames come from, and which rows they are for.
    pub live: Option<&'a str>,
}

pub fn page(frame: &Frame<'_>, body: &Markup) -> Html<String> {
    let header = html! {
        header.top {
            a.brand href="/console" { "Tocsin" span { "预警发布网关" } }
            nav {
                a href="/console" { "预警态势 " small { "Situation" } } " "
                a href="/console/horns" { "大喇叭 " small { "Loudspeakers" } } " "
                a href="/console/recordings" { "录音库 " small { "Recordings" } } " "
                a href="/console/earthquakes" { "地震预警 " small { "Earthquakes" } } " "
                a href="/console/satellites" { "卫星终端 " small { "Satellites" } }
            }
            p.as-of {
                "截至 " time #as-of datetime=(frame.as_of.to_string()) { (clock(frame.as_of)) }
                @if frame.live.is_some() { span #line.line { "连接中 connecting" } }
            }
            form method="post" action="/console/sign-out" {
                span { (frame.bureau) } " "
                button type="submit" { "退出 " small { "Sign out" } }
            }
        }
    };
    shell(frame.title, frame.live, &html! { (header) (body) })
}

/// A page for who is not signed in, or for what is not there.
pub fn bare(title: &str, body: &Markup) -> Html<String> {
    shell(title, None, body)
}

fn shell(title: &str, live: Option<&str>, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Tocsin" }
                link rel="stylesheet" href="/console/console.css";
                link rel="icon" href="data:,";
                script src="/console/console.js" defer {}
            }
            body data-live=[live] {
                svg.defs width="0" height="0" aria-hidden="true" {
                    defs {
                        pattern #hatch width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                            rect.hatch-ground width="6" height="6" {}
                            rect.hatch-line width="2.4" height="6" {}
                        }
                    }
                }
                (body)
            }
        }
    };
    Html(page.into_string())
}

/// As an officer's clock in Beijing shows it: 07-14 09:00:00.
pub fn clock(at: Timestamp) -> String {
    let (_, month, day, hour, minute, second) = at.plus(BEIJING).civil();
    format!("{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

pub const BEIJING: Duration = Duration::from_hours(8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn officers_read_beijing_time() {
        assert_eq!(clock(Timestamp::from_secs(1_784_061_005)), "07-15 04:30:05");
    }
}
