//! 卫星终端: satellite phones and Beidou cards with what their last test (拨测) found. This module must not order a test and
//! must not show a number.

use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};

use super::Handle;
use super::layout::{self, Frame, clock};
use super::session::Officer;
use crate::coverage::{self, SatelliteLine};
use crate::model::EndpointKind;

pub async fn page(State(desk): State<Handle>, Officer(caller, _): Officer) -> Html<String> {
    let now = desk.console.clock.now();
    let registry = desk.console.registry.read().clone();
    let sees = |region| caller.covers(region);
    let lines = coverage::satellites(&desk.console.ledger, &registry, now, sees);
    let frame = Frame {
        title: "卫星终端 Satellite terminals",
        bureau: &desk.name_of(&caller),
        as_of: now,
        live: None,
    };
    let count = |standing: &str| lines.iter().filter(|l| l.standing == standing).count();
    let body = html! {
        main {
            h1 { "卫星终端 " small { "Satellite terminals" } " " span.count { (lines.len()) } }
            p.hint {
                "未经拨测证明开机的，一律假定关机。 Each is assumed off until its last test says otherwise. "
                "可用 on " (count("on")) " · 存疑 doubtful " (count("doubtful")) " · 假定关机 assumed off " (count("off"))
            }
            @if lines.is_empty() { p.hint { "台账中没有卫星终端。 The registry has none." } }
            @else {
                div.wide { table.horns {
                    thead { tr {
                        th { "责任人 Officer" } th { "地区 Region" } th { "类型 Kind" } th { "状态 Standing" }
                        th { "最近证实 Last proved" } th { "最近拨测 Last test" }
                    } }
                    tbody { @for line in &lines { (row(line)) } }
                } }
            }
        }
    };
    layout::page(&frame, &body)
}

fn row(line: &SatelliteLine) -> Markup {
    let kind = match line.kind {
        EndpointKind::Beidou => "北斗 Beidou",
        _ => "卫星电话 phone",
    };
    html! {
        tr data-endpoint=(line.endpoint) data-standing=(line.standing) {
            td { (line.name.as_deref().unwrap_or("住户 household")) }
            td { (line.region_name) }
            td data-label="类型" { (kind) }
            td data-label="状态" { (line.standing_zh) " " (line.standing) }
            td data-label="最近证实" { @match line.proved { Some(at) => (clock(at.0)), None => "从未 never" } }
            td data-label="最近拨测" {
                @match &line.test {
                    Some(test) => {
                        "第" (test.number) "号 " (clock(test.ordered.0)) " " (test.result_zh) " " (test.result)
                        @if !test.code.is_empty() { " " (test.code) }
                    }
                    None => "从未 never",
                }
            }
        }
    }
}
