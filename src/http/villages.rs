//! Which villages an alert has been answered from and which are silent, for whoever sends somebody there. This module must not
//! say what counts as an answer: coverage does.

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
use super::problem::Problem;
use crate::coverage::{self, HeardFigures, VillageLine, csv};
use crate::live::beside;
use crate::model::{RegionCode, shape};

#[derive(Serialize, ToSchema)]
#[schema(as = AlertVillages)]
struct Villages {
    #[serde(flatten)]
    stamp: Stamp,
    under: Vec<RegionCode>,
    #[serde(flatten)]
    figures: HeardFigures,
    /// When silent villages are looked at, by the plan's `[[silent]]`.
    #[schema(schema_with = shape::moments)]
    looks: Vec<String>,
    /// The silent ones first, then those that nobody has been heard from yet.
    lines: Vec<VillageLine>,
}

/// Villages that somebody has been heard from, and silent ones
///
/// A village is heard from as soon as one of its officers or residents has answered, or one of its loudspeakers has proved that it
/// played. That a telephone has the text proves nobody.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/villages", tag = "coverage", params(View, Table), security(("token" = ["read"])),
    responses((status = 200, description = "One line a village", content(
        (Villages = "application/json"), (String = "text/csv; charset=utf-8"),
    )), OfPart),
)]
pub async fn villages(
    State(gate): State<Arc<Gate>>,
    view: View,
    headers: HeaderMap,
    Params(Table { under, format }): Params<Table>,
) -> Result<Response, Problem> {
    let under = view.scope(under)?;
    let (alert, registry, parts) = (view.alert.clone(), view.registry.clone(), under.clone());
    let lines = beside(move || coverage::village_lines(&alert, &registry, &parts)).await;
    if Format::of(format, &headers) == Format::Csv {
        let name = format!("villages-{}.csv", view.alert.stream);
        return Ok(file(&name, csv::villages(&lines)));
    }
    let looks = view.alert.silence.due();
    Ok(Json(Villages {
        stamp: Stamp::of(&gate, &view),
        under,
        figures: coverage::heard_figures(&lines),
        looks: looks.iter().map(ToString::to_string).collect(),
        lines,
    })
    .into_response())
}
