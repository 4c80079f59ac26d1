//! Who still holds what an alert corrects: asked of the correction. It speaks of people wherever they are told, also where
//! the correction itself no longer reaches. This module must not count: coverage does.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Gate;
use super::caller::{Params, View};
use super::figures::{Stamp, Table};
use super::format::{Format, file};
use super::openapi::OfPart;
use super::problem::{Problem, UNKNOWN_REGION};
use crate::coverage::{self, Stale, csv};
use crate::model::RegionCode;

#[derive(Serialize, ToSchema)]
#[schema(as = StaleHolders)]
struct Holders {
    #[serde(flatten)]
    stamp: Stamp,
    under: Vec<RegionCode>,
    #[serde(flatten)]
    figures: Stale,
}

/// Who still holds the earlier text
///
/// Of an Update or Cancel: endpoints by channel and households by village that have a text which it corrects and are not
/// proved to have got the correction. An alert that corrects nothing has none.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/stale", operation_id = "stale", tag = "coverage", params(View, Table), security(("token" = ["read"])),
    responses((status = 200, description = "One row per region in which they were told", content(
        (Holders = "application/json"), (String = "text/csv; charset=utf-8"),
    )), OfPart),
)]
pub async fn stale(
    State(gate): State<Arc<Gate>>,
    view: View,
    headers: HeaderMap,
    Params(Table { under, format }): Params<Table>,
) -> Result<Response, Problem> {
    let own = under.filter(|region| view.caller.covers(*region));
    let under = match (own, under) {
        (Some(region), _) => vec![region],
        (None, Some(_)) => view.scope(under)?,
        (None, None) => view.caller.regions.clone(),
    };
    let top = coverage::common(&under).or(under.first().copied());
    let Some(top) = top else {
        let detail = "your token has no region, so there is nobody to speak of";
        return Err(Problem::new(&UNKNOWN_REGION, detail));
    };
    let figures = coverage::stale(&view.alert, &view.registry, &under, top);
    if Format::of(format, &headers) == Format::Csv {
        let name = format!("stale-{}-{top}.csv", view.alert.stream);
        return Ok(file(&name, csv::stale(&figures)));
    }
    let stamp = Stamp::of(&gate, &view);
    Ok(Json(Holders {
        stamp,
        under,
        figures,
    })
    .into_response())
}
