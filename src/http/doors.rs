//! Doors: the households of a region by their answer, and what was sent to one of them. Only doors inside the caller's
//! regions. This module must not show an address.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Gate;
use super::caller::{Params, View};
use super::figures::Stamp;
use super::format::{Format, file};
use super::openapi::{OfDoor, OfPart};
use super::page::{self, PageParams, cut, within};
use super::problem::{BAD_PARAMETER, Problem, UNKNOWN_HOUSEHOLD};
use crate::coverage::{self, DeliveryLine, HouseholdLine, Page, Wanted, csv};
use crate::live::beside;
use crate::model::{HouseholdId, RegionCode, shape};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    under: Option<RegionCode>,
    /// Only this local group of its village.
    #[param(maximum = 255)]
    group: Option<u8>,
    /// Only doors with this answer; all but `all` and `away` are at home.
    #[param(schema_with = Wanted::shape)]
    answer: Option<String>,
    /// Begins behind this household.
    #[param(value_type = Option<u32>, maximum = 4_294_967_295_u32)]
    after: Option<HouseholdId>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Serialize, ToSchema)]
struct DoorList {
    #[serde(flatten)]
    stamp: Stamp,
    under: Vec<RegionCode>,
    households: Vec<HouseholdLine>,
    /// Ask again with `after` set to this for the next page.
    #[schema(value_type = Option<u32>)]
    next: Option<HouseholdId>,
}

const MOST: usize = 5_000;
const USUAL: usize = 200;

/// Doors by their answer
///
/// By village, group and id. A file is whole: `limit` and `after` are refused with it.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/households", tag = "coverage", params(View, ListParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of doors", content(
        (DoorList = "application/json"), (String = "text/csv; charset=utf-8"),
    )), OfPart),
)]
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
        return whole(&gate, &view, &under, wanted, &params).await;
    }
    let limit = within(params.limit, USUAL, MOST)?;
    // One more than asked for tells whether there is a next page.
    let page = Page {
        group: params.group,
        wanted,
        after: params.after,
        limit: limit + 1,
    };
    let mut households = listed(&gate, &view, &under, page).await;
    let more = households.len() > limit;
    households.truncate(limit);
    let next = if more {
        households.last().map(|line| line.id)
    } else {
        None
    };
    Ok(Json(DoorList {
        stamp: Stamp::of(&gate, &view),
        under,
        households,
        next,
    })
    .into_response())
}

async fn listed(gate: &Gate, view: &View, under: &[RegionCode], page: Page) -> Vec<HouseholdLine> {
    let (alert, registry, under) = (view.alert.clone(), view.registry.clone(), under.to_vec());
    let ledger = gate.ledger.clone();
    beside(move || {
        let mut lines = coverage::households(&alert, &registry, &under, page);
        coverage::doubt(&mut lines, &registry, &ledger);
        lines
    })
    .await
}

/// All of them as a file, which has no pages.
async fn whole(
    gate: &Gate,
    view: &View,
    under: &[RegionCode],
    wanted: Wanted,
    params: &ListParams,
) -> Result<Response, Problem> {
    page::whole(PageParams {
        after: params.after.map(u64::from),
        limit: params.limit,
    })?;
    let page = Page {
        group: params.group,
        wanted,
        after: None,
        limit: usize::MAX,
    };
    let lines = listed(gate, view, under, page).await;
    let stream = view.alert.stream;
    let name = match coverage::common(under) {
        Some(top) => format!("households-{stream}-{top}.csv"),
        None => format!("households-{stream}.csv"),
    };
    Ok(file(&name, csv::doors(&lines)))
}

#[derive(Serialize, ToSchema)]
struct Door {
    #[serde(flatten)]
    stamp: Stamp,
    #[schema(value_type = u32)]
    household: HouseholdId,
    village: RegionCode,
    deliveries: Vec<DeliveryLine>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

/// What was sent to one door
#[utoipa::path(
    get, path = "/v1/alerts/{id}/households/{household}/deliveries", tag = "coverage",
    params(View, ("household" = u32, Path, description = "The household's id", example = 1), PageParams), security(("token" = ["read"])),
    responses((status = 200, description = "To its people, then by the speakers it can hear", body = Door), OfDoor),
)]
pub async fn deliveries(
    State(gate): State<Arc<Gate>>,
    view: View,
    Path((_, household)): Path<(String, String)>,
    Params(page): Params<PageParams>,
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
    let (deliveries, next) = cut(deliveries, page, |line| line.number.into())?;
    Ok(Json(Door {
        stamp: Stamp::of(&gate, &view),
        household,
        village,
        deliveries,
        next,
    }))
}
