//! Villages that nobody has been heard from yet (失联), on the page of an alert whose plan asks: whoever looks at it sends
//! somebody there. This module must not say what counts as being heard from.

use axum::extract::Query;
use axum::response::Html;
use maud::{Markup, html};

use super::layout::clock;
use super::overview::track;
use super::tracking::Under;
use super::view::{Amiss, View};
use crate::coverage::words::of_kind;
use crate::coverage::{self, VillageLine};
use crate::model::{RegionCode, StreamId};

/// So many rows stand before the table of regions.
const LISTED: usize = 40;

/// Nothing where the plan does not ask.
pub async fn section(view: &View, under: RegionCode) -> Markup {
    if view.alert.silence.due().is_empty() {
        return Markup::default();
    }
    let id = view.alert.stream;
    let standing = standing(view, &view.villages(under).await);
    html! {
        section.silence {
            h2 {
                "各村应答 " small { "Villages heard from" } " "
                a.csv href=(format!("/console/alerts/{id}/villages.csv?under={under}")) { "CSV" }
            }
            div data-from=(format!("/console/alerts/{id}/villages?under={under}")) { (standing) }
        }
    }
}

/// How they stand alone, for a page that is open.
pub async fn fragment(
    view: View,
    Query(Under { under }): Query<Under>,
) -> Result<Html<String>, Amiss> {
    let under = view.under(under)?;
    let lines = view.villages(under).await;
    Ok(Html(standing(&view, &lines).into_string()))
}

fn standing(view: &View, lines: &[VillageLine]) -> Markup {
    let figures = coverage::heard_figures(lines);
    let next = view.alert.silence.next().map(|(_, due)| due);
    let missing = lines.iter().filter(|line| line.state != "heard");
    html! {
        p #villages data-heard=(figures.heard) data-silent=(figures.silent) data-waiting=(figures.waiting) {
            "有应答 heard from " strong { (figures.heard) } " / " (figures.villages)
            @for (by, count) in &figures.by { " · " (of_kind(by)) " " (count) }
            " · 失联 silent " strong { (figures.silent) }
            " · 待应答 waiting " strong { (figures.waiting) }
            @if let Some(next) = next { " · 下次核查 next look " (clock(next)) }
        }
        @if figures.heard < figures.villages {
            div.wide { table.silent {
                thead { tr { th { "村 village" } th { "状态 state" } th { "失联自 silent since" } } }
                tbody {
                    @for line in missing.clone().take(LISTED) { (row(line, view.alert.stream)) }
                }
            } }
            @if missing.clone().count() > LISTED {
                p.note { "还有 " (missing.count() - LISTED) " 个村，见 CSV 或各乡镇。 More villages: see the CSV, or look town by town." }
            }
        }
    }
}

fn row(line: &VillageLine, id: StreamId) -> Markup {
    html! {
        tr data-village=(line.village) data-state=(line.state) {
            th { a href=(track(id, Some(line.village))) { (line.name) } }
            td {
                @if line.state == "silent" { strong { (line.state_zh) } } @else { (line.state_zh) } " " small { (line.state) }
                @if line.nobody_asked { br; small { "无人可联系" } br; small { "nobody to ask" } }
            }
            td { @if let Some(since) = line.silent { (clock(since.0)) } }
        }
    }
}
