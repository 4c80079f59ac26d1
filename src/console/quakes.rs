//! 地震预警: earthquakes of which a feed has warned, where and when the wave arrives, and which terminal has said what. Looked at
//! after the seconds, by whoever has to send somebody: this module must not compose, approve or lift anything.

mod picture;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use channel::Timestamp;
use maud::{Markup, html};

use super::Handle;
use super::layout::{self, Frame};
use super::session::Officer;
use super::view::Amiss;
use super::words::moment;
use crate::coverage::{
    Places, QuakeFigures, QuakeLine, QuakeTerminal, quake_line, quake_terminals,
};
use crate::ledger::quakes::{Quake, QuakeId, Status};
use crate::model::RegionCode;
use crate::trust::Caller;

/// Lines of a page: who said nothing comes first, so that nobody who matters is cut off.
const LINES: usize = 500;
/// The page is asked for again by itself for so long after the first report, in milliseconds.
const FRESH: i64 = 5 * 60 * 1000;

pub async fn page(State(desk): State<Handle>, Officer(caller, _): Officer) -> Response {
    let registry = desk.console.registry.read().clone();
    let earthquake = desk.console.relay.earthquake.as_ref();
    let places = Places::new(&registry, desk.console.relay.machines());
    let covers = |village: RegionCode| caller.covers(village);
    let all = desk.console.ledger.quakes.all();
    let lines = all
        .iter()
        .filter_map(|(id, quake)| quake_line((id, quake), &places, covers));
    let lines: Vec<_> = lines.collect();
    let body = html! {
        main {
            h1 { "地震预警 " small { "Earthquake early warning" } }
            p.hint {
                "由省级地震台网自动转发，本地不编发、不审批、不撤销。 "
                "Relayed from the seismic centre's own feed: nothing is composed, approved or lifted here."
            }
            @if earthquake.is_none() {
                p.hint { "未接入地震预警源，见 docs/earthquakes.md。 No feed is configured: docs/earthquakes.md." }
            }
            @if lines.is_empty() { p.hint { "没有收到过地震预警。 No warning has come." } }
            @for line in &lines { (card(line)) }
        }
    };
    shown(&desk, &caller, &body, all.first())
}

pub async fn one(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Path(id): Path<QuakeId>,
) -> Result<Response, Amiss> {
    let registry = desk.console.registry.read().clone();
    let places = Places::new(&registry, desk.console.relay.machines());
    let covers = |village: RegionCode| caller.covers(village);
    let quake = desk.console.ledger.quakes.get(&id);
    let line = quake
        .as_ref()
        .and_then(|quake| quake_line((&id, quake), &places, covers));
    let (Some(quake), Some(line)) = (quake, line) else {
        return Err(Amiss::Missing(
            "没有这次地震的记录。 No such earthquake is kept here.",
        ));
    };
    let mut told = quake_terminals(&quake, &places, covers);
    let speed = desk
        .console
        .relay
        .earthquake
        .as_ref()
        .map_or(3.5, |e| e.speed);
    let drawn = picture::picture(&desk.console.outline, &line, &told, speed);
    told.sort_by_key(|terminal| !terminal.said.is_empty());
    let more = told.len().saturating_sub(LINES);
    told.truncate(LINES);
    let body = html! {
        main {
            p { a href="/console/earthquakes" { "← 地震预警 Earthquakes" } }
            (card(&line))
            div.map-card.quake { (drawn) }
            div.wide { table.horns {
                thead { tr {
                    th { "终端 Terminal" } th { "位置 Place" } th { "警报 Alarm" } th { "烈度 Intensity" }
                    th { "横波到达 Arrival" } th { "终端回报 Said" } th { "响了 Sounded" }
                } }
                tbody { @for terminal in &told { (row(terminal)) } }
            } }
            @if more > 0 { p.hint { "另有 " (more) " 个终端未列出，见 API。 " (more) " more terminals: ask the API." } }
        }
    };
    Ok(shown(&desk, &caller, &body, Some(&(id, quake))))
}

/// While the ground may still shake the page asks for itself again.
fn shown(
    desk: &Handle,
    caller: &Caller,
    body: &Markup,
    newest: Option<&(QuakeId, Quake)>,
) -> Response {
    let now = desk.console.clock.now();
    let frame = Frame {
        title: "地震预警 Earthquake early warning",
        bureau: &desk.name_of(caller),
        as_of: now,
        live: None,
    };
    let page = layout::page(&frame, body);
    let came = newest.and_then(|(_, quake)| quake.reports.values().map(|(_, came)| *came).max());
    let fresh = came.is_some_and(|came: Timestamp| now.0 - came.0 < FRESH);
    if fresh {
        ([(header::REFRESH, "3")], page).into_response()
    } else {
        page.into_response()
    }
}

fn card(line: &QuakeLine) -> Markup {
    let address = format!("/console/earthquakes/{}/{}", line.feed, line.event);
    html! {
        section.delivery data-quake=(line.event) {
            h2 {
                @if line.status != Status::Actual { span.drill { (line.status_zh) " " (format!("{:?}", line.status)) } " " }
                a href=(address) { "M" (format!("{:.1}", line.magnitude)) " · " (moment(&line.origin)) }
                " " small { "第 " (line.report) " 报 report " (line.report) " · " (line.feed) " " (line.event) }
                @if line.called_off { " " strong { "已取消 called off" } }
            }
            p.facts {
                "震中 epicentre " (format!("{:.2}°N {:.2}°E", line.latitude, line.longitude))
                " · 深度 depth " (format!("{:.0}", line.depth_km)) " km"
            }
            (figures(&line.figures))
        }
    }
}

fn figures(figures: &QuakeFigures) -> Markup {
    let told = [
        ("红色", "red", figures.red),
        ("橙色", "orange", figures.orange),
        ("提示", "notice", figures.notice),
        ("自动处置", "machines", figures.machines),
    ];
    let said = [
        ("已收到", "taken", figures.taken),
        ("已鸣响", "sounded", figures.sounded),
        ("已停止", "stopped", figures.stopped),
        ("已处置", "acted", figures.acted),
        ("演练未动", "held", figures.held),
        ("无回报", "silent", figures.silent),
    ];
    let list = |of: &[(&str, &str, u32)]| {
        html! { @for (nth, (zh, en, count)) in of.iter().enumerate() {
            @if nth > 0 { " · " }
            span { (zh) " " (en) " " strong { (count) } }
        } }
    };
    html! {
        p { "告知终端 told " strong { (figures.terminals) } "： " (list(&told)) }
        p { (list(&said)) }
    }
}

fn row(terminal: &QuakeTerminal) -> Markup {
    html! {
        tr data-device=(terminal.device) {
            td { (terminal.device) }
            td { (terminal.place) }
            td data-label="警报" { (terminal.shown_zh) }
            td data-label="烈度" { (terminal.intensity) }
            td data-label="到达" { (moment(&terminal.arrival)) }
            td data-label="回报" {
                @if terminal.said.is_empty() { strong { "无 none" } }
                @for word in &terminal.said { (told(&word.word)) " " small { (moment(&word.at)) } " " }
            }
            td data-label="响了" { @if terminal.seconds > 0 { (terminal.seconds) " s" } }
        }
    }
}

/// A terminal's short word, for people.
fn told(word: &str) -> String {
    let zh = match word {
        "sounds" => "鸣响",
        "notice" => "提示",
        "acts" => "已处置",
        "acted" => "先前已处置",
        "held" => "演练未动",
        "ended" | "played" => "播完",
        "stopped" => "取消后停止",
        "not-begun" => "未开始",
        "newer" => "已有更新报",
        "late" | "expired" | "over" => "过时未响",
        _ => return word.to_owned(),
    };
    format!("{zh} {word}")
}
