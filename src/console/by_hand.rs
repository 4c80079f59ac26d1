//! 人工发布: what people are to give by hand, outlet by outlet: by when, what was entered, who is late, and a form by which an
//! officer takes down what somebody has telephoned (代报). The one page by which officers enter anything. This module must
//! not judge an entry: its channel does.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use channel::Timestamp;
use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};
use serde::{Deserialize, Serialize};

use super::layout::{self, Frame};
use super::session::Place as From;
use super::tracking::head;
use super::view::{Amiss, View};
use super::words::moment;
use super::{Desk, Handle};
use crate::dispatch::by_hand::{Item, Line, Place, Unserved, may_read};
use crate::trust::Scope;

/// A page shows no more; the API has all.
const SHOWN: usize = 200;

const AWAY: Amiss =
    Amiss::Away("暂时读不出人工发布的记录。 The entries cannot be read now; try again.");
const NO_ITEM: Amiss = Amiss::Missing("没有这一条，或不在您的辖区。 No such item, or not yours.");

const OUTCOMES: [(&str, &str, &str); 3] = [
    ("played", "已播", "played"),
    ("relayed", "已转", "passed on"),
    ("cannot", "做不到", "cannot"),
];

const MEANS: [(&str, &str, &str); 5] = [
    ("phone", "电话", "telephone"),
    ("radio", "电台", "radio"),
    ("in-person", "当面", "in person"),
    ("message", "消息", "message"),
    ("other", "其他", "other"),
];

/// What was typed, and what is wrong with it.
struct Wrong {
    delivery: u32,
    typed: Typed,
    problem: String,
}

#[derive(Default, Deserialize, Serialize)]
pub struct Typed {
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    means: String,
    #[serde(default)]
    note: String,
}

pub async fn page(State(desk): State<Handle>, view: View) -> Result<Response, Amiss> {
    shown(&desk, &view, None).await
}

async fn shown(desk: &Desk, view: &View, wrong: Option<Wrong>) -> Result<Response, Amiss> {
    let by_hand = &desk.console.by_hand;
    let mut places = by_hand.places(&view.alert, |region| view.caller.covers(region));
    let left_out = places.len().saturating_sub(SHOWN);
    places.truncate(SHOWN);
    let items = by_hand.items(&places, &view.caller).await;
    let mut items = items.map_err(|_| AWAY)?;
    // Who is still waited for comes first, the longest overdue of them before the others.
    items.sort_by(|a, b| (!a.waits(), &a.due).cmp(&(!b.waits(), &b.due)));
    let (title, now) = (desk.title(&view.alert).await, desk.console.clock.now());
    let frame = Frame {
        title: &title,
        bureau: &desk.name_of(&view.caller),
        as_of: now,
        live: None,
    };
    let overdue = items.iter().filter(|item| item.overdue_since.is_some());
    let (overdue, waiting) = (overdue.count(), items.iter().filter(|i| i.waits()).count());
    let id = view.alert.stream;
    let body = html! {
        main.tracking {
            (head(desk, view, &title))
            p { a href=(format!("/console/alerts/{id}")) { "← 发布跟踪 Tracking" } }
            h2 { "人工发布 " small { "By hand" } }
            p.facts #by-hand data-waiting=(waiting) data-overdue=(overdue) {
                (items.len()) " 处 outlets · 待办 waiting " strong { (waiting) } " · 逾期未播 overdue " strong { (overdue) }
                @if left_out > 0 { " · 另有 and " (left_out) " 处未列出 not listed: GET /v1/alerts/" (id) "/by-hand" }
            }
            @if items.is_empty() { p.hint { "没有人工发布的任务。 Nothing is given by hand." } }
            @for item in &items {
                (section(desk, view, item, wrong.as_ref().filter(|wrong| wrong.delivery == item.delivery)))
            }
        }
    };
    let status = if wrong.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    Ok((status, layout::page(&frame, &body)).into_response())
}

fn section(desk: &Desk, view: &View, item: &Item, wrong: Option<&Wrong>) -> Markup {
    let place = item.region.map(|region| view.registry.full_name(region));
    let base = format!(
        "/console/alerts/{}/by-hand/{}",
        view.alert.stream, item.delivery
    );
    let may_enter = view.caller.may(Scope::Report) && !item.sealed;
    html! {
        section.delivery.hand id=(format!("hand-{}", item.delivery)) data-standing=(item.standing) {
            h3 {
                (item.outlet.zh) " " (item.outlet.name) " " small { (item.outlet.en) " · " (item.channel) }
                " " span.answer.(item.standing) { (item.standing_zh) }
                @if item.drill { " " span.drill { "演练 DRILL" } }
            }
            p.facts {
                @if let Some(place) = place { (place) " · " }
                @if item.whom.is_empty() { "责任人不明 nobody is known" } @else { "责任人 " (item.whom) }
                " · 限 due " strong { (moment(&item.due)) }
                @if let Some(since) = &item.overdue_since { " · 自 " (moment(since)) " 起逾期未播 overdue since" }
                @if item.withdrawn { " · 已撤回，勿播 called off" }
            }
            @if !item.prompts.is_empty() {
                p.note.prompted { "催办 called: " @for prompt in &item.prompts {
                    (moment(&prompt.at))
                    @if prompt.text.is_none() { "（责任人没有可用的联系方式 no way to them）" }
                    " "
                } }
            }
            details { summary { "播发内容 " small { "text" } } p.given { (item.text) } }
            @if let Some(short) = &item.short { (scanned(short)) }
            @if !item.entries.is_empty() { (entries(&base, item, may_read(&view.caller))) }
            @if may_enter { (form(desk.console.clock.now(), &base, wrong)) }
            @if item.sealed { p.note { "已归档：以上是当时的填报，不再收录。 Filed: this is what was entered, and nothing more is taken." } }
        }
    }
}

fn entries(base: &str, item: &Item, may_read: bool) -> Markup {
    html! {
        div.wide { table.hand-entries {
            thead { tr { th { "填报 entry" } th { "经办人 by" } th { "完成 done" } th { "录入 entered" } th { "标记 marks" } th { "备注 note" } } }
            tbody { @for (no, entry) in item.entries.iter().enumerate() { tr {
                th { @match &entry.outcome {
                    Some(outcome) => (words(&OUTCOMES, outcome)),
                    None => "已按规定删除 erased",
                } }
                td { (entry.name.as_deref().unwrap_or(if may_read { "" } else { "—" })) }
                td { @if let Some(done) = &entry.done { (moment(done)) } }
                td { (moment(&entry.entered)) }
                td { (marks(entry)) }
                td.more {
                    (entry.note.as_deref().unwrap_or_default())
                    @if let Some(mime) = entry.attachment.as_ref().filter(|_| may_read) {
                        " " a href=(format!("{base}/attachments/{no}")) { "附件 " (mime) }
                        " " (entry.attachment_bytes.unwrap_or_default().div_ceil(1024)) " KiB"
                    }
                }
            } } }
        } }
    }
}

/// The link as a telephone reads it off the screen, dark on light whatever the page's colours are.
pub(super) fn scanned(link: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(link, EcLevel::M) else {
        return html! { p.note { (link) } };
    };
    let width = code.width();
    let dark = code.to_colors().into_iter().enumerate();
    let dark = dark.filter(|(_, color)| *color == Color::Dark);
    let path = dark.fold(String::new(), |mut path, (at, _)| {
        let _ = write!(path, "M{} {}h1v1h-1z", at % width, at / width);
        path
    });
    // As much light around it as readers ask for.
    let (begin, side) = ("-4 -4", width + 8);
    html! {
        details.scanned { summary { "链接与二维码 " small { "link, and as a code" } }
            p.note { (link) }
            svg width="180" height="180" viewBox={ (begin) " " (side) " " (side) } role="img" aria-label=(link) {
                rect x="-4" y="-4" width=(side) height=(side) fill="#fff" {}
                path d=(path) fill="#000" {}
            }
        }
    }
}

fn marks(entry: &Line) -> Markup {
    html! {
        @if let Some(by) = &entry.reported_by {
            span.reported { "代报 reported for others · " (by)
                @if let Some(means) = &entry.means { " · " (words(&MEANS, means)) } }
        }
        @if entry.late { " 逾期 late" }
        @if entry.backfilled { " 补录 late entry" }
    }
}

fn words(of: &[(&str, &str, &str)], code: &str) -> String {
    let found = of.iter().find(|(own, ..)| *own == code);
    found.map_or_else(|| code.to_owned(), |(_, zh, en)| format!("{zh} {en}"))
}

fn form(now: Timestamp, base: &str, wrong: Option<&Wrong>) -> Markup {
    let fresh = Typed::default();
    let typed = wrong.map_or(&fresh, |wrong| &wrong.typed);
    let done = if typed.done.is_empty() {
        field(now)
    } else {
        typed.done.clone()
    };
    html! {
        details open[wrong.is_some()] {
            summary.report-for { "代报 " small { "take down what somebody has told you" } }
            @if let Some(wrong) = wrong { p.problem role="alert" { (wrong.problem) } }
            form.report method="post" action=(base) {
                fieldset { @for (code, zh, en) in OUTCOMES {
                    label { input type="radio" name="outcome" value=(code) required checked[typed.outcome == code];
                        " " (zh) " " small { (en) } }
                } }
                label { "经办人姓名 " small { "who did it" }
                    input name="name" required maxlength="20" autocomplete="off" value=(typed.name); }
                label { "完成时间（北京时间） " small { "done at; more than 10 min ago is marked 补录" }
                    input type="datetime-local" name="done" required value=(done); }
                label { "报告方式 " small { "by which means" }
                    select name="means" required { @for (code, zh, en) in MEANS {
                        option value=(code) selected[typed.means == code] { (zh) " " (en) }
                    } } }
                label { "备注 " small { "note, if any" } input name="note" maxlength="200" value=(typed.note); }
                button type="submit" { "代报提交 " small { "enter" } }
            }
        }
    }
}

/// As a field for a date and a time wants it, in Beijing.
fn field(at: Timestamp) -> String {
    let local = at.plus(layout::BEIJING);
    let (year, month, day, hour, minute, _) = local.civil();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
}

fn place(desk: &Desk, view: &View, params: &HashMap<String, String>) -> Result<Place, Amiss> {
    let wanted = params.get("delivery").and_then(|n| n.parse::<u32>().ok());
    let by_hand = &desk.console.by_hand;
    let places = by_hand.places(&view.alert, |region| view.caller.covers(region));
    let found = places
        .into_iter()
        .find(|place| Some(place.key.delivery) == wanted);
    found.ok_or(NO_ITEM)
}

pub async fn enter(
    State(desk): State<Handle>,
    view: View,
    Path(params): Path<HashMap<String, String>>,
    Form(typed): Form<Typed>,
) -> Result<Response, Amiss> {
    if !view.caller.may(Scope::Report) {
        return Err(Amiss::Barred(
            "该单位没有代报权限（report）。 This bureau may not report for others; have the scope added.",
        ));
    }
    let place = place(&desk, &view, &params)?;
    let body = serde_json::to_vec(&typed).map_or_else(|_| Bytes::new(), Bytes::from);
    let delivery = place.key.delivery;
    match desk.console.by_hand.enter(&place, &view.caller, body).await {
        Ok(()) => {
            let back = format!(
                "/console/alerts/{}/by-hand#hand-{delivery}",
                view.alert.stream
            );
            Ok(Redirect::to(&back).into_response())
        }
        Err(Unserved::Refused {
            chinese, english, ..
        }) => {
            let problem = format!("{chinese} {english}");
            let wrong = Wrong {
                delivery,
                typed,
                problem,
            };
            shown(&desk, &view, Some(wrong)).await
        }
        Err(Unserved::Missing) => Err(NO_ITEM),
        Err(Unserved::Away) => Err(Amiss::Away(
            "系统暂时无法保存，没有收录，请稍后再提交。 It could not be kept and nothing was entered; send it again in a moment.",
        )),
    }
}

/// It leaves the house as a file, so that it did is in the journal first.
pub async fn attachment(
    State(desk): State<Handle>,
    view: View,
    from: From,
    Path(params): Path<HashMap<String, String>>,
) -> Result<Response, Amiss> {
    if !may_read(&view.caller) {
        return Err(NO_ITEM);
    }
    let place = place(&desk, &view, &params)?;
    let no = params.get("no").and_then(|no| no.parse().ok());
    let no = no.ok_or(NO_ITEM)?;
    let (entry, alert) = (&desk.console.entry, view.alert.stream);
    let noted = entry.export(&view.caller, alert, &from.0).await;
    noted.map_err(|_| AWAY)?;
    let reply = desk.console.by_hand.attachment(&place, &view.caller, no);
    let reply = reply.await.map_err(|unserved| match unserved {
        Unserved::Away => AWAY,
        _ => NO_ITEM,
    })?;
    let kind = reply
        .headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map_or_else(|| "application/octet-stream".to_owned(), |(_, v)| v.clone());
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
    ];
    Ok((headers, reply.body).into_response())
}
