//! What lies at a platform that belongs to others, above the warnings of every page that an officer watches: messages that its
//! people have not let go (待播控审核), with their duty desk's telephone, and warnings that it wanted played here. Said
//! nowhere where there is nothing. This module must not know a protocol.

use axum::extract::State;
use axum::response::Html;
use channel::{Address, Notice, Offered};
use maud::{Markup, html};

use super::layout::clock;
use super::session::Officer;
use super::{Desk, Handle};
use crate::coverage::words::of_level;

pub fn platforms(desk: &Desk) -> Markup {
    let channels = desk.console.channels.iter();
    let notices = channels.filter_map(|(name, channel)| Some((name, channel.notice()?)));
    html! { @for (name, notice) in notices { (told(name, &notice)) } }
}

/// Alone, for a page that is open.
pub async fn fragment(State(desk): State<Handle>, Officer(..): Officer) -> Html<String> {
    Html(platforms(&desk).into_string())
}

fn told(name: &str, notice: &Notice) -> Markup {
    let phone = notice.phone.as_ref().map(Address::expose);
    html! {
        @if notice.held > 0 {
            p.problem.platform role="alert" data-held=(notice.held) {
                "通道 " (name) "：待播控审核 " (notice.held) " 条，平台尚未放行，"
                @if let Some(since) = notice.since { "自 " (clock(since)) " 起" }
                "喇叭未响。请致电平台值班室"
                @if let Some(phone) = phone { " " a href=(format!("tel:{phone}")) { (phone) } }
                br;
                small { (notice.held) " held at the platform and not on the air: call its duty desk" }
            }
        }
        @for one in &notice.offered { (offered(name, one)) }
    }
}

fn offered(name: &str, one: &Offered) -> Markup {
    let (level, zh) = of_level(one.level);
    html! {
        p.problem.platform role="alert" data-offered=(one.name) {
            "通道 " (name) "：平台于 " (clock(one.since)) " 转来" (zh) "预警 " (one.event) "，有效至 " (clock(one.until))
            "。本网关不代播，请致电平台核实，由发布单位另行发布"
            br;
            small { "a " (level) " warning of the platform's, played by nobody here: have a bureau issue its own" }
        }
    }
}
