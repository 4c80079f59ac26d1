//! 发布跟踪: one alert from the county down: its channels, and a table county → town → village → group with every figure a
//! link. This module must not compute a figure: coverage does.

use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;

use super::bar::{SHARES, bar, legend, percent, reached};
use super::curve::picture;
use super::layout::{self, Frame, clock};
use super::overview::{badge, class, mark, track};
use super::platforms::platforms;
use super::silence;
use super::view::{Amiss, View};
use super::{Desk, Handle};
use crate::coverage::{self, ChannelLine, Row, Stale, StaleRow, Standing};
use crate::live::{VillageFigures, bundle};
use crate::model::{RegionCode, StreamId};

#[derive(Deserialize)]
pub struct Under {
    pub under: Option<RegionCode>,
}

pub async fn page(
    State(desk): State<Handle>,
    view: View,
    Query(Under { under }): Query<Under>,
) -> Result<Html<String>, Amiss> {
    let under = view.under(under)?;
    let id = view.alert.stream;
    let rollup = view.rollup(under).await;
    let now = desk.console.clock.now();
    let curve = coverage::curve(&view.alert, now);
    let title = desk.title(&view.alert).await;
    let live = format!("/console/alerts/{id}/live");
    let frame = Frame {
        title: &title,
        bureau: &desk.name_of(&view.caller),
        as_of: now,
        live: Some(&live),
    };
    let csv = format!("/console/alerts/{id}/coverage.csv?under={under}");
    let silent = silence::section(&view, under).await;
    let body = html! {
        main.tracking data-under=(under) {
            (head(&desk, &view, &title))
            div data-from="/console/platforms" { (platforms(&desk)) }
            (trail(&view, under))
            (tiles(&bundle(&rollup.total), under, id, rollup.total.away))
            section.curve-card {
                h2 { "触达曲线 " small { "Reach curve: deliveries of the whole alert, by minutes since release" }
                    " " a.csv href=(format!("/console/alerts/{id}/curve.csv")) { "CSV" } }
                div #curve data-from=(format!("/console/alerts/{id}/curve")) { (picture(&curve)) }
            }
            section {
                h2 { "通道 " small { "Channels, whole alert" } }
                (channels(&coverage::channels(&view.alert)))
                @if !desk.console.by_hand.places(&view.alert, |region| view.caller.covers(region)).is_empty() {
                    p { a #to-by-hand href=(format!("/console/alerts/{id}/by-hand")) { "人工发布与代报 → " small { "By hand, and reporting for others" } } }
                }
            }
            @if rollup.total.held > 0 {
                p.note #held { "静默暂缓 held for the morning " strong { (rollup.total.held) } " 户 households" }
            }
            (stale(&view, under))
            (silent)
            section {
                h2 { "分地区 " small { "By region" } " " a.csv href=(csv) { "CSV" } }
                (table(&rollup.rows, &rollup.total, id))
                (legend())
            }
        }
    };
    Ok(layout::page(&frame, &body))
}

pub fn head(desk: &Desk, view: &View, title: &str) -> Markup {
    let alert = &view.alert;
    let standing = Standing::of(&view.known, &desk.console.ledger, desk.console.clock.now());
    let bureau = desk.console.bureaus.name_of(&alert.meta.caller);
    html! {
        h1 { (badge(alert)) " " (title) }
        p.facts {
            (mark(alert))
            (class(alert))
            span.state #state { (standing.zh()) } " · "
            (bureau.unwrap_or(&alert.meta.caller)) " · 受理 accepted " (clock(alert.at))
            " · 有效至 until " (clock(alert.expires()))
            " · 预案 plan " (alert.meta.plan_name)
        }
        @match standing {
            Standing::Quarantined => p.problem role="alert" { "暂存待核：在有人作出决定之前不对外发布。 Held: nobody is told before a person has decided." }
            Standing::Damaged => p.problem role="alert" { "流水损坏：以下数字只到损坏之处，此后不明。 The stream is damaged: these figures end where it is, and what came later is unknown." }
            _ => {}
        }
    }
}

/// County › town › village, each a link.
pub fn trail(view: &View, under: RegionCode) -> Markup {
    let mut steps: Vec<RegionCode> = std::iter::successors(Some(under), |r| r.parent())
        .take_while(|region| view.caller.covers(*region))
        .collect();
    steps.reverse();
    let id = view.alert.stream;
    html! {
        nav.trail aria-label="地区 Regions" {
            @for step in steps {
                @let name = view.registry.full_name(step);
                @if step == under { strong { (name) } } @else { a href=(track(id, Some(step))) { (name) } " › " }
            }
        }
    }
}

fn tiles(figures: &VillageFigures, under: RegionCode, id: StreamId, away: u32) -> Markup {
    let doors =
        |answer: &str| format!("/console/alerts/{id}/households?under={under}&answer={answer}");
    let tile = |zh: &str, en: &str, key: &str, count: u32, answer: &str| {
        html! {
            a.tile href=(doors(answer)) data-tile=(key) {
                span.name { (zh) " " small { (en) } }
                strong { (count) }
                span.share { (percent(count, figures[0])) }
            }
        }
    };
    html! {
        section.tiles data-region=(under) {
            a.tile href=(doors("all")) data-tile="home" {
                span.name { "在家户 " small { "at home" } } strong { (figures[0]) }
                span.share { "外出 away " (away) "（另计 apart）" }
            }
            (tile("已触达", "reached", "reached", reached(figures), "reached"))
            (tile("发送中", "pending", "pending", figures[6], "pending"))
            (tile("情况不明", "unknown", "unknown", figures[5], "unknown"))
            (tile("未触达", "missed", "missed", figures[4], "missed"))
        }
        p.note { "百分比以在家户为分母；播出指能听到的喇叭已证实播出全文。 Percent of households at home; played: a speaker in hearing proved the whole message." }
    }
}

fn channels(lines: &[ChannelLine]) -> Markup {
    html! {
        div.wide { table.channels {
            thead { tr {
                th { "通道 channel" } th.n { "合计 all" } th.n { "待发 planned" } th.n { "发送中 in hand" } th.n { "待回执 awaiting" }
                th.n { "送达/播出 reached" } th.n { "失败 failed" } th.n { "过期未发 expired" } th.n { "撤回 withdrawn" } th.n { "可能重复 doubts" }
            } }
            tbody #channels {
                @for line in lines {
                    tr data-channel=(line.channel) {
                        th { (line.channel) " " small { (line.kind) } }
                        td.n { (line.total) }
                        td.n { (line.planned + line.due) }
                        td.n { (line.handed) }
                        td.n { (line.awaiting) }
                        td.n { (line.reached) }
                        td.n { (line.failed) }
                        td.n { (line.expired) }
                        td.n { (line.withdrawn) }
                        td.n { (line.doubts) }
                    }
                }
            }
        } }
    }
}

/// Who still holds what it corrects: on the page of the whole alert also where that no longer reaches.
pub fn holders(view: &View, under: RegionCode) -> Stale {
    let whole = coverage::common(&view.home()) == Some(under);
    let scope = if whole {
        view.caller.regions.clone()
    } else {
        vec![under]
    };
    let top = coverage::common(&scope).unwrap_or(under);
    coverage::stale(&view.alert, &view.registry, &scope, top)
}

/// Of a correction: who still holds what it corrects.
fn stale(view: &View, under: RegionCode) -> Markup {
    let stale = holders(view, under);
    let csv = format!(
        "/console/alerts/{}/stale.csv?under={under}",
        view.alert.stream
    );
    html! {
        @if !stale.total.channels.is_empty() {
            section.stale {
                h2 {
                    "仍持旧信息 " small { "Still hold the earlier text" } " "
                    strong #stale data-stale=(stale.total.households) { (stale.total.households) } " 户 "
                    a.csv href=(csv) { "CSV" }
                }
                div.wide { table.channels {
                    thead { tr {
                        th { "地区 region" } th.n { "户数 households" } th { "通道 channel" }
                        th.n { "持有旧信息 holders" } th.n { "未获更正 stale" } th.n { "静默暂缓 held" }
                    } }
                    tbody {
                        @for row in &stale.rows { (holding(row, &row.name)) }
                        (holding(&stale.total, "合计 total"))
                    }
                } }
            }
        }
    }
}

fn holding(row: &StaleRow, name: &str) -> Markup {
    html! {
        @for line in row.channels.iter().filter(|line| line.stale > 0) {
            tr {
                th { (name) } td.n { (row.households) } td { (line.channel) }
                td.n { (line.holders) } td.n { (line.stale) } td.n { (line.held) }
            }
        }
    }
}

fn table(rows: &[Row], total: &Row, id: StreamId) -> Markup {
    html! {
        div.wide { table.regions {
            thead { tr {
                th { "地区 region" } th.n { "户籍户" } th.n { "在家户" } th { "触达 by evidence" } th.n { "触达率" }
                @for share in &SHARES { th.n { (share.zh) } }
                th.n { "喇叭 speakers" } th.n { "责任人 officers" }
            } }
            tbody {
                @for row in rows { (line(row, id)) }
                (sum(total))
            }
        } }
    }
}

fn line(row: &Row, id: StreamId) -> Markup {
    let link = match row.group {
        Some(group) => format!(
            "/console/alerts/{id}/households?under={}&group={group}",
            row.region
        ),
        None => track(id, Some(row.region)),
    };
    // A group has no figures of its own in what is told live: the page is read anew.
    let live = row.group.is_none().then_some(row.region);
    html! {
        tr data-region=[live] { th { a href=(link) { (row.name) } } (cells(row)) }
    }
}

fn sum(total: &Row) -> Markup {
    html! { tr.total data-region=(total.region) { th { "合计 total" } (cells(total)) } }
}

fn cells(row: &Row) -> Markup {
    let figures = bundle(row);
    let speakers = &row.speakers;
    let officers = &row.officers;
    html! {
        td.n { (row.households) }
        td.n data-at="0" { (figures[0]) }
        td { (bar(&figures)) }
        td.n data-rate="" { (percent(reached(&figures), figures[0])) }
        @for share in &SHARES { td.n data-at=(share.at) { (figures[share.at]) } }
        td.n { @if speakers.total > 0 { (speakers.played) "/" (speakers.total) } @else { "–" } }
        td.n { @if officers.total > 0 { (officers.reached) "/" (officers.total) } @else { "–" } }
    }
}
