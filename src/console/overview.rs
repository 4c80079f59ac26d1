//! 预警态势: which warnings run, how far each has reached, and one of them on the map, village by village, live. This module
//! must not compute a figure: coverage does.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::bar::{bar, legend, percent, reached};
use super::layout::{self, Frame, clock};
use super::map::{Spot, Town, map};
use super::platforms::platforms;
use super::purse::purses;
use super::session::Officer;
use super::{Desk, Handle};
use crate::coverage::words::{of_change, of_level};
use crate::coverage::{self, Standing};
use crate::ledger::{Alert, Known};
use crate::live::Figures;
use crate::model::{RegionCode, RegionLevel, StreamId};
use crate::registry::{Registry, names};
use crate::trust::Caller;

#[derive(Deserialize)]
pub struct Chosen {
    alert: Option<StreamId>,
}

/// How many warnings that are over are still shown.
const LATELY: usize = 8;

/// One line of the list.
struct Line {
    alert: Arc<Alert>,
    title: Arc<str>,
    standing: Standing,
    figures: Arc<Figures>,
}

pub async fn page(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Query(chosen): Query<Chosen>,
) -> Html<String> {
    let lines = lines(&desk, &caller).await;
    let held = held(&desk, &caller).await;
    let shown = chosen
        .alert
        .and_then(|id| lines.iter().find(|l| l.alert.stream == id))
        .or_else(|| lines.iter().find(|l| l.standing.runs()))
        .or_else(|| lines.first());
    let source = shown.map(|line| format!("/console/alerts/{}/live", line.alert.stream));
    let now = desk.console.clock.now();
    let frame = Frame {
        title: "预警态势 Situation",
        bureau: &desk.name_of(&caller),
        as_of: now,
        live: source.as_deref(),
    };
    let body = html! {
        main.overview data-alert=[shown.map(|line| line.alert.stream)] {
            section.map-card {
                @match shown {
                    Some(line) => {
                        h1 { (badge(&line.alert)) " " a href=(track(line.alert.stream, None)) { (line.title) } }
                        (situation(&desk, line))
                        (legend())
                    }
                    None => p.hint { "目前没有预警。 No warning so far." }
                }
            }
            section #list { (platforms(&desk)) (purses(&desk, &caller)) (list_of(&lines, &held, shown.map(|line| line.alert.stream))) }
        }
    };
    layout::page(&frame, &body)
}

/// The list alone, for a page that is open.
pub async fn list(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Query(chosen): Query<Chosen>,
) -> Response {
    let lines = lines(&desk, &caller).await;
    let held = held(&desk, &caller).await;
    let list = list_of(&lines, &held, chosen.alert);
    Html(html! { (platforms(&desk)) (purses(&desk, &caller)) (list) }.into_string()).into_response()
}

/// What runs, most severe first, then what is over, newest first. The figures are the hub's: however many pages are
/// open, they are counted once.
async fn lines(desk: &Desk, caller: &Caller) -> Vec<Line> {
    let (now, ledger) = (desk.console.clock.now(), &desk.console.ledger);
    let mut alerts: Vec<_> = ledger.alerts();
    alerts.retain(|alert| coverage::sees(caller, &alert.meta));
    let stand = |alert: &Arc<Alert>| Standing::of(&Known::Open(alert.clone()), ledger, now);
    alerts.retain(|alert| stand(alert) != Standing::Quarantined);
    let (mut shown, mut over): (Vec<_>, Vec<_>) = alerts
        .into_iter()
        .rev()
        .partition(|alert| stand(alert).runs());
    shown.sort_by_key(|alert| alert.meta.level);
    over.truncate(LATELY);
    shown.append(&mut over);
    let mut lines = Vec::with_capacity(shown.len());
    for alert in shown {
        let home = coverage::home(&alert, &caller.regions);
        let Some(figures) = desk.console.hub.figures(alert.stream, home).await else {
            // It was sealed at this moment.
            continue;
        };
        lines.push(Line {
            title: desk.title(&alert).await,
            standing: stand(&alert),
            alert,
            figures,
        });
    }
    lines
}

/// What nobody is told before a person has decided (暂存待核), oldest first.
async fn held(desk: &Desk, caller: &Caller) -> Vec<(Arc<Alert>, Arc<str>)> {
    let (now, ledger) = (desk.console.clock.now(), &desk.console.ledger);
    let mut held = Vec::new();
    for alert in ledger.alerts() {
        let standing = Standing::of(&Known::Open(alert.clone()), ledger, now);
        if standing == Standing::Quarantined && coverage::sees(caller, &alert.meta) {
            let title = desk.title(&alert).await;
            held.push((alert, title));
        }
    }
    held
}

fn list_of(lines: &[Line], held: &[(Arc<Alert>, Arc<str>)], shown: Option<StreamId>) -> Markup {
    let (run, over): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|l| l.standing.runs());
    html! {
        @if !held.is_empty() {
            h2 { "暂存待核 " small { "Held for a decision" } " " span.count { (held.len()) } }
            ul.held { @for (alert, title) in held { (waits(alert, title)) } }
        }
        h2 { "生效预警 " small { "Running" } " " span.count { (run.len()) } }
        @if run.is_empty() { p.hint { "没有生效中的预警。 Nothing runs." } }
        ul.alerts { @for line in run { (card(line, shown)) } }
        @if !over.is_empty() {
            h2 { "近期 " small { "Lately" } }
            ul.alerts { @for line in over { (card(line, shown)) } }
        }
    }
}

fn waits(alert: &Alert, title: &str) -> Markup {
    html! {
        li {
            a.title href=(track(alert.stream, None)) { (badge(alert)) " " (title) }
            p.facts {
                (mark(alert)) "受理 accepted " (clock(alert.at)) " · 有效至 until " (clock(alert.expires())) " · 尚未发布 nobody is told"
                @if alert.held().is_some() { " · 短信额度用完 budget spent" }
            }
        }
    }
}

fn card(line: &Line, shown: Option<StreamId>) -> Markup {
    let alert = &line.alert;
    let (figures, id) = (&line.figures.total(), alert.stream);
    html! {
        li.shown[shown == Some(id)] {
            a.title href=(track(id, None)) { (badge(alert)) " " (line.title) }
            p.facts {
                (mark(alert)) (class(alert)) span.state { (line.standing.zh()) } " · " (clock(alert.at)) " → " (clock(alert.expires()))
                " · " a href=(format!("/console?alert={id}")) { "在图上看 map" }
            }
            (bar(figures))
            p.figure {
                "已触达 reached " strong { (percent(reached(figures), figures[0])) } " "
                (reached(figures)) "/" (figures[0]) " 在家户 · 未触达 " (figures[4]) " · 情况不明 " (figures[5])
            }
        }
    }
}

/// The warning's level: the one thing that is red, orange, yellow or blue.
pub fn badge(alert: &Alert) -> Markup {
    let (key, zh) = of_level(alert.meta.level);
    html! { span.level.(key) { (zh) small { (key) } } }
}

/// A drill says so wherever it is named.
pub fn mark(alert: &Alert) -> Markup {
    html! {
        @match alert.meta.status {
            cap::Status::Actual => {}
            cap::Status::Exercise => { strong.drill { "演练 drill" } " " }
            _ => { strong.drill { "测试 test" } " " }
        }
    }
}

/// How an Update or Cancel stands to what it corrects.
pub fn class(alert: &Alert) -> Markup {
    html! {
        @if let Some(class) = alert.classes.whole() {
            @let (key, zh) = of_change(class);
            span.class data-class=(key) { (zh) } " · "
        }
    }
}

pub fn track(id: StreamId, under: Option<RegionCode>) -> String {
    match under {
        Some(under) => format!("/console/alerts/{id}?under={under}"),
        None => format!("/console/alerts/{id}"),
    }
}

fn situation(desk: &Desk, line: &Line) -> Markup {
    let registry = desk.console.registry.read().clone();
    let villages = line.figures.villages.iter();
    let spots: Vec<Spot> = villages
        .map(|(code, figures)| Spot {
            code: *code,
            name: registry.full_name(*code),
            point: registry.point(*code),
            figures: *figures,
        })
        .collect();
    let towns = towns(&registry, &spots);
    map(&desk.console.outline, &towns, &spots, |code| {
        track(line.alert.stream, Some(code))
    })
}

fn towns(registry: &Registry, villages: &[Spot]) -> Vec<Town> {
    let mut codes: Vec<RegionCode> = villages
        .iter()
        .map(|village| village.code.at(RegionLevel::Town))
        .collect();
    codes.dedup();
    let town = |code: RegionCode| {
        Some(Town {
            name: names::town(registry.region_name(code)?).to_owned(),
            point: registry.point(code)?,
        })
    };
    codes.into_iter().filter_map(town).collect()
}
