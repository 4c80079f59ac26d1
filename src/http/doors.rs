//! Doors: the households of a region by their answer, and what was sent to one of them. Only doors inside the caller's
//! regions. This module must not show an address.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::Gate;
use super::caller::{Params, View};
use super::format::{Format, file};
use super::problem::{BAD_PARAMETER, Problem, UNKNOWN_HOUSEHOLD};
use crate::coverage::{self, DeliveryLine, HouseholdLine, Page, Wanted, csv};
use crate::model::{HouseholdId, RegionCode, StreamId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    under: Option<RegionCode>,
    group: Option<u8>,
    answer: Option<String>,
    after: Option<HouseholdId>,
    limit: Option<usize>,
    format: Option<Format>,
}

#[derive(Serialize)]
struct DoorList {
    alert: StreamId,
    as_of: String,
    under: Vec<RegionCode>,
    households: Vec<HouseholdLine>,
    /// Ask again with `after` set to this for the next page.
    next: Option<HouseholdId>,
}

const MOST: usize = 5_000;
const USUAL: usize = 200;

pub async fn households(
    State(gate): State<Arc<Gate>>,
    view: View,
    headers: HeaderMap,
    Params(params): Params<ListParams>,
) -> Result<Response, Problem> {
    let under = view.scope(params.under)?;
    let name = params.answer.as_deref().unwrap_or("all");
    let wanted = Wanted::named(name).ok_or_else(|| {
        let detail = "answer is one of all, reached, missed, unknown, pending, away";
        Problem::new(&BAD_PARAMETER, detail)
    })?;
    if Format::of(params.format, &headers) == Format::Csv {
        return whole(&view, &under, wanted, &params);
    }
    let limit = params.limit.unwrap_or(USUAL).clamp(1, MOST);
    // One more than asked for tells whether there is a next page.
    let page = Page {
        group: params.group,
        wanted,
        after: params.after,
        limit: limit + 1,
    };
    let mut households = coverage::households(&view.alert, &view.registry, &under, page);
    let more = households.len() > limit;
    households.truncate(limit);
    let next = if more {
        households.last().map(|line| line.id)
    } else {
        None
    };
    let (alert, as_of) = (view.alert.stream, gate.clock.now().to_string());
    Ok(Json(DoorList {
        alert,
        as_of,
        under,
        households,
        next,
    })
    .into_response())
}

/// All of them as a file, which has no pages.
fn whole(
    view: &View,
    under: &[RegionCode],
    wanted: Wanted,
    params: &ListParams,
) -> Result<Response, Problem> {
    if params.limit.is_some() || params.after.is_some() {
        let detail = "a CSV file is whole and has no pages; leave limit and after out";
        return Err(Problem::new(&BAD_PARAMETER, detail));
    }
    let page = Page {
        group: params.group,
        wanted,
        after: None,
        limit: usize::MAX,
    };
    let lines = coverage::households(&view.alert, &view.registry, under, page);
    let stream = view.alert.stream;
    let name = match coverage::common(under) {
        Some(top) => format!("households-{stream}-{top}.csv"),
        None => format!("households-{stream}.csv"),
    };
    Ok(file(&name, csv::doors(&lines)))
}

#[derive(Serialize)]
struct Door {
    alert: StreamId,
    as_of: String,
    household: HouseholdId,
    village: RegionCode,
    deliveries: Vec<DeliveryLine>,
}

pub async fn deliveries(
    State(gate): State<Arc<Gate>>,
    view: View,
    Path((_, household)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let stream = view.alert.stream;
    let known = household
        .parse()
        .ok()
        .and_then(|id| Some((id, coverage::village_of(&view.alert, id)?)));
    let (household, village) = known.filter(|(_, village)| view.caller.covers(*village)).ok_or_else(|| {
        let id: String = household.chars().take(32).collect();
        let detail = format!("household {id} is not among those of alert {stream} in your regions; GET /v1/alerts/{stream}/households lists them");
        Problem::new(&UNKNOWN_HOUSEHOLD, detail)
    })?;
    let deliveries = coverage::deliveries(&view.alert, &gate.ledger, &view.registry, household);
    Ok(Json(Door {
        alert: stream,
        as_of: gate.clock.now().to_string(),
        household,
        village,
        deliveries,
    }))
}
