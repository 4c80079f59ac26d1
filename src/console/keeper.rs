//! The keeper's own page (喇叭管护员), behind a short signed link and without a login: what is entered for one loudspeaker,
//! buttons for what is wrong with it, and one for 修好. It works without script. This module must not show more than the
//! device, its village and words of the program, nor take any text.

use axum::Form;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::layout::clock;
use super::{Desk, Handle};
use crate::ledger::boxes::{Order, Trouble};
use crate::registry::Registry;
use crate::trust::{Opened, Shut};

const CSS: &str = include_str!("assets/keeper.css");

/// What a keeper can tell apart, and what it is called here.
const FAULTS: [(Trouble, &str, &str); 5] = [
    (Trouble::NoSound, "no-sound", "不响"),
    (Trouble::NoPower, "no-power", "没电"),
    (Trouble::Card, "card", "流量卡欠费或到期"),
    (Trouble::Damaged, "damaged", "损坏"),
    (Trouble::Other, "other", "其他"),
];
const ENGLISH: [&str; 5] = [
    "no sound",
    "no power",
    "SIM card",
    "damaged",
    "something else",
];
const FIXED: &str = "fixed";
/// A page shows no more, so that the buttons are at hand.
const SHOWN: usize = 5;

pub async fn css() -> impl IntoResponse {
    let kind = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (kind, CSS)
}

/// What is answered instead of the page.
struct Refused(StatusCode, &'static str, &'static str, &'static str);

const NOT_READ: Refused = Refused(
    StatusCode::UNPROCESSABLE_ENTITY,
    "bad-entry",
    "没有看懂，请返回后点一个按钮。",
    "That was not understood: go back and use one of the buttons.",
);
const NOT_KEPT: Refused = Refused(
    StatusCode::SERVICE_UNAVAILABLE,
    "not-kept",
    "系统暂时无法保存，没有收录，请稍后再点一次。",
    "It could not be kept and nothing was entered; try again in a moment.",
);

impl From<Shut> for Refused {
    fn from(shut: Shut) -> Self {
        let (status, chinese, english) = match shut {
            Shut::Forged => (
                StatusCode::NOT_FOUND,
                "链接不对，请重新点开短信里的链接，或向县预警中心要一个。",
                "This link is not ours: open it again from the message, or ask the warning centre for one.",
            ),
            Shut::Expired => (
                StatusCode::GONE,
                "链接已过期，请向县预警中心要一个新的。",
                "This link is over: ask the warning centre for a new one.",
            ),
            Shut::Changed => (
                StatusCode::GONE,
                "这只喇叭的管护员已变更，此链接不再有效。",
                "Somebody else looks after this loudspeaker now, or it is gone: the link is void.",
            ),
            Shut::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "这只喇叭一小时内填报过多，请稍后再报，急事请打电话。",
                "Too much was entered for this loudspeaker within an hour: wait, or telephone.",
            ),
        };
        Self(status, shut.name(), chinese, english)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, code, chinese, english) = self;
        let body = html! {
            main data-code=(code) { section {
                h1 { (chinese) }
                p lang="en" { small { (english) } }
            } }
        };
        (status, whole("无法打开 not opened", &body)).into_response()
    }
}

/// A link that holds, for whoever looks after its loudspeaker now.
fn opened(desk: &Desk, code: Result<Path<String>, PathRejection>) -> Result<Opened, Shut> {
    let console = &desk.console;
    let keepers = console.keepers.as_ref().ok_or(Shut::Forged)?;
    let Path(code) = code.map_err(|_| Shut::Forged)?;
    let found = keepers.open(&code, console.clock.now()).and_then(|opened| {
        let registry = console.registry.read().clone();
        let care = registry.speaker_called(&opened.device);
        let care = care.and_then(|endpoint| registry.care(endpoint.id));
        let is_whose =
            |care: &&crate::model::Care| keepers.is_whose(&opened, (&care.keeper, &care.phone));
        care.filter(is_whose).ok_or(Shut::Changed)?;
        Ok(opened)
    });
    found.inspect_err(|shut| keepers.count(*shut))
}

pub async fn page(
    State(desk): State<Handle>,
    code: Result<Path<String>, PathRejection>,
) -> Response {
    let opened = match opened(&desk, code) {
        Ok(opened) => opened,
        Err(shut) => return Refused::from(shut).into_response(),
    };
    let registry = desk.console.registry.read().clone();
    let mut orders = desk.console.ledger.boxes.repairs_of(&opened.device);
    // What is open first, the newest before the others.
    orders.sort_by_key(|order| {
        (
            order.mended.is_some(),
            std::cmp::Reverse(order.repair.number),
        )
    });
    whole("喇叭报修", &shown(&registry, &opened.device, &orders)).into_response()
}

#[derive(Deserialize)]
pub struct Said {
    word: String,
}

pub async fn say(
    State(desk): State<Handle>,
    code: Result<Path<String>, PathRejection>,
    said: Result<Form<Said>, FormRejection>,
) -> Response {
    match taken(&desk, code, said).await {
        Ok(()) => Redirect::to("?").into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn taken(
    desk: &Desk,
    code: Result<Path<String>, PathRejection>,
    said: Result<Form<Said>, FormRejection>,
) -> Result<(), Refused> {
    let Opened { device, .. } = opened(desk, code)?;
    let Form(Said { word }) = said.map_err(|_| NOT_READ)?;
    let fault = FAULTS.iter().find(|(_, name, _)| *name == word);
    if fault.is_none() && word != FIXED {
        return Err(NOT_READ);
    }
    if let Some(keepers) = &desk.console.keepers {
        let taken = keepers.takes(&device, desk.console.clock.tick());
        taken.inspect_err(|shut| keepers.count(*shut))?;
    }
    let house = &desk.console.house;
    let kept = match fault {
        Some((what, ..)) => house.keeper_enters(&device, *what).await,
        None => house.keeper_vouches(&device).await,
    };
    kept.map_err(|refused| {
        tracing::warn!(%device, %refused, "a keeper's word was not kept");
        NOT_KEPT
    })
}

fn shown(registry: &Registry, device: &str, orders: &[Order]) -> Markup {
    let village = registry.speaker_called(device).and_then(|e| e.village);
    let open = orders.iter().filter(|order| order.mended.is_none()).count();
    html! {
        main data-open=(open) {
            h1 { @if let Some(village) = village { (registry.full_name(village)) " " } "喇叭 " small { (device) } }
            section {
                h2 { "报修记录 " small { "what was entered" } }
                @if orders.is_empty() { p.note { "还没有。 Nothing yet." } }
                @for order in orders.iter().take(SHOWN) { (line(order)) }
            }
            form method="post" {
                h2 { "哪里坏了？ " small { "What is wrong?" } }
                @for ((_, name, zh), en) in FAULTS.iter().zip(ENGLISH) {
                    button name="word" value=(name) { (zh) " " small { (en) } }
                }
            }
            @if open > 0 { form method="post" {
                h2 { "修好了？ " small { "Does it work again?" } }
                button.fixed name="word" value=(FIXED) { "修好 " small { "repaired" } }
            } }
            p.note { "点一下即报给县预警中心，不用登录。请勿转发此链接。 "
                small { "One touch tells the warning centre. Do not pass this link on." } }
        }
    }
}

fn line(order: &Order) -> Markup {
    html! {
        div.entry data-open=(order.mended.is_none()) {
            p {
                strong { (order.repair.what.zh()) } " · " (order.repair.from.zh()) " · " (clock(order.at))
            }
            p.note { @match &order.mended {
                None => "未修复 open",
                Some((mended, at)) => { (mended.how.zh()) " " (clock(*at)) },
            }
            @if let Some(at) = order.vouched { " · 管护员称已修好 " (clock(at)) } }
        }
    }
}

/// A page of its own: who has a link is signed in nowhere, and the link is told to nobody.
fn whole(title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/k/keeper.css";
            }
            body { (body) }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    (headers, page.into_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_is_offered_the_faults_that_the_api_names() {
        for (what, name, _) in FAULTS {
            assert_eq!(serde_json::to_value(what).expect("a word"), name);
        }
        assert!(FAULTS.iter().any(|(what, ..)| *what == Trouble::Other));
    }
}
