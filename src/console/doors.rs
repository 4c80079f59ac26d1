//! The last two steps down: the households of a region by their answer, and one household with everything that was sent to
//! it, attempt by attempt. This module must not show an address: endpoints are named by id.

use axum::extract::{Path, Query, State};
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{self, Frame, clock};
use super::tracking::{head, trail};
use super::view::{Amiss, View};
use super::{Desk, Handle, words};
use crate::coverage::{self, DeliveryLine, HouseholdLine, Page, Wanted, story};
use crate::model::{HouseholdId, RegionCode};

#[derive(Deserialize)]
pub struct ListParams {
    under: Option<RegionCode>,
    group: Option<u8>,
    answer: Option<String>,
    after: Option<HouseholdId>,
}

const PAGE: usize = 200;

const ANSWERS: [(&str, &str); 6] = [
    ("all", "全部 all"),
    ("missed", "未触达 missed"),
    ("unknown", "情况不明 unknown"),
    ("pending", "发送中 pending"),
    ("reached", "已触达 reached"),
    ("away", "全家外出 away"),
];

pub async fn list(
    State(desk): State<Handle>,
    view: View,
    Query(params): Query<ListParams>,
) -> Result<Html<String>, Amiss> {
    let under = view.under(params.under)?;
    let answer = params.answer.as_deref().unwrap_or("all");
    let Some(wanted) = Wanted::named(answer) else {
        return Err(Amiss::Missing("没有这种答案。 No such answer."));
    };
    let page = Page {
        group: params.group,
        wanted,
        after: params.after,
        limit: PAGE + 1,
    };
    let mut lines = view.doors(under, page).await;
    let more = lines.len() > PAGE;
    lines.truncate(PAGE);
    let next = more.then(|| lines.last().map(|line| line.id)).flatten();
    let id = view.alert.stream;
    let address = |answer: &str| {
        let group = params
            .group
            .map(|g| format!("&group={g}"))
            .unwrap_or_default();
        format!("/console/alerts/{id}/households?under={under}{group}&answer={answer}")
    };
    let group = params
        .group
        .map(|g| format!("&group={g}"))
        .unwrap_or_default();
    let csv = format!("/console/alerts/{id}/households.csv?under={under}{group}&answer={answer}");
    let title = desk.title(&view.alert).await;
    let body = html! {
        main.tracking {
            (head(&desk, &view, &title))
            (trail(&view, under))
            h2 { "户 " small { "Households" }
                @if let Some(group) = params.group { " " (coverage::words::of_group(group)) }
                " " a.csv href=(csv) { "CSV" } }
            nav.answers { @for (key, words) in ANSWERS {
                @if key == answer { strong { (words) } } @else { a href=(address(key)) { (words) } }
            } }
            (table(&view, &lines))
            @if let Some(next) = next {
                p { a rel="next" href=(format!("{}&after={next}", address(answer))) { "下一页 next →" } }
            }
        }
    };
    Ok(layout::page(&frame(&desk, &view, &title), &body))
}

fn frame<'a>(desk: &'a Desk, view: &View, title: &'a str) -> Frame<'a> {
    let name = desk.console.bureaus.name_of(&view.caller.id);
    Frame {
        title,
        bureau: name.unwrap_or_default(),
        as_of: desk.console.clock.now(),
        live: None,
    }
}

fn table(view: &View, lines: &[HouseholdLine]) -> Markup {
    let id = view.alert.stream;
    html! {
        @if lines.is_empty() { p.hint { "没有这样的户。 None." } } @else {
            div.wide { table.doors {
                thead { tr { th { "户 household" } th { "村 village" } th { "组 group" } th { "答案 answer" } th { "依据 by" } th { "试过 tried" } th { "标记 tags" } } }
                tbody { @for line in lines { tr {
                    th { a href=(format!("/console/alerts/{id}/households/{}", line.id)) {
                        @if line.name.is_empty() { "户 " (line.id) } @else { (line.name) } } }
                    td { (line.village_name) }
                    td { (coverage::words::of_group(line.group)) }
                    td { @if line.away { "全家外出" } @else { span.answer.(line.told.answer) { (line.told.answer_zh) } } }
                    td { @if !line.away { (line.told.by_zh.unwrap_or("")) } }
                    td { (line.tried.join(" ")) }
                    td { (line.tags.join(" ")) }
                } } }
            } }
        }
    }
}

pub async fn door(
    State(desk): State<Handle>,
    view: View,
    Path((_, household)): Path<(String, String)>,
) -> Result<Html<String>, Amiss> {
    let known = household
        .parse::<HouseholdId>()
        .ok()
        .and_then(|id| Some((id, coverage::village_of(&view.alert, id)?)))
        .filter(|(_, village)| view.caller.covers(*village));
    let Some((household, village)) = known else {
        return Err(Amiss::Missing(
            "没有这一户，或不在您的辖区。 No such household, or not yours.",
        ));
    };
    let lines = coverage::deliveries(&view.alert, &desk.console.ledger, &view.registry, household);
    let records = match desk.console.store.stream(view.alert.stream).await {
        Ok(records) => records,
        Err(error) => {
            tracing::warn!(%error, "a household's deliveries cannot be shown");
            return Err(Amiss::Away(
                "日志暂时不可读，请稍后再试。 The journal cannot be read now; try again.",
            ));
        }
    };
    let alert = view.alert.clone();
    let numbers: Vec<_> = lines.iter().map(|line| line.number).collect();
    let told = tokio::task::spawn_blocking(move || story::of(&records, &alert, &numbers)).await;
    let Ok(Ok(stories)) = told else {
        return Err(Amiss::Away(
            "这条预警的日志有损坏。 This alert's stream is damaged; see `tocsin journal dump`.",
        ));
    };
    let name = view
        .registry
        .household(household)
        .map(|h| h.name.to_owned());
    let title = desk.title(&view.alert).await;
    let body = html! {
        main.tracking {
            (head(&desk, &view, &title))
            (trail(&view, village))
            h2 { (name.unwrap_or_else(|| format!("户 {household}"))) " " small { "Household " (household) } }
            @if lines.is_empty() { p.hint { "没有可用的联系方式，应上门。 No endpoint: somebody has to go there." } }
            @for (line, story) in lines.iter().zip(&stories) { (delivery(line, story)) }
        }
    };
    Ok(layout::page(&frame(&desk, &view, &title), &body))
}

fn delivery(line: &DeliveryLine, story: &[story::Line]) -> Markup {
    html! {
        section.delivery {
            h3 {
                (line.channel) " " small { (line.kind) " · 端 endpoint " (line.endpoint) " · 第 " (line.number) " 条" }
                " " span.answer.(line.told.answer) { (line.told.answer_zh) } " " (line.told.by_zh.unwrap_or(""))
                @if line.in_doubt { " " em { "可能重复 possible duplicate" } }
                @if line.disputed { " " em { "回执矛盾 disputed" } }
            }
            div.wide { table.story {
                thead { tr { th { "时间 time" } th { "事件 event" } th { "" } } }
                tbody { @for event in story { tr {
                    td { (clock(event.at)) }
                    td { (event.event_zh) " " small { (event.event) } }
                    td.more { (words::of(&event.more, &line.channel)) }
                } } }
            } }
        }
    }
}
