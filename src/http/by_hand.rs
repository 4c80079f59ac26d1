//! Outlets that a person serves by hand, over the API: what stands at each of an alert's, who is late since when, what is
//! attached to an entry, and entries that a bureau takes down for somebody else (代报). This module must not judge an entry:
//! its channel does.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Params, Reporter, View};
use super::calls::response;
use super::figures::Stamp;
use super::openapi::{OfAttachment, OfPart, Reporting};
use super::page::{PageParams, cut};
use super::problem::{
    BAD_BODY, BAD_ENTRY, FILED, NO_SCOPE, Problem, STORE_AWAY, TOO_LARGE, UNKNOWN_DELIVERY,
};
use super::submit::broken;
use super::{Gate, House};
use crate::dispatch::by_hand::{Item, Place, Unserved, may_read};
use crate::model::{RegionCode, shape};

pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(enter))
        .routes(routes!(attachment))
}

#[derive(Serialize, ToSchema)]
struct ByHandList {
    #[serde(flatten)]
    stamp: Stamp,
    under: Vec<RegionCode>,
    items: Vec<Item>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    under: Option<RegionCode>,
    /// Begins behind this delivery: `next` of the page before.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
}

/// What people are to do by hand
///
/// Each outlet of the alert that is handed its text: who is to give it by when, what was entered, and since when it is
/// overdue. Entries stand beside each other, late and contradicting ones too. Who entered what is told to callers with the
/// scope `report` or `registry`.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/by-hand", operation_id = "by_hand", tag = "coverage", params(View, ListParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of items, by delivery", body = ByHandList), OfPart),
)]
async fn list(
    State(gate): State<Arc<Gate>>,
    view: View,
    Params(params): Params<ListParams>,
) -> Result<impl IntoResponse, Problem> {
    let under = view.scope(params.under)?;
    let covers = |region: RegionCode| under.iter().any(|own| own.covers(region));
    let places = gate.by_hand.places(&view.alert, covers);
    let page = PageParams {
        after: params.after,
        limit: params.limit,
    };
    let (places, next) = cut(places, page, |place| place.key.delivery.into())?;
    let items = gate.by_hand.items(&places, &view.caller).await;
    let items = items.map_err(|unserved| told(&view, unserved))?;
    Ok(Json(ByHandList {
        stamp: Stamp::of(&gate, &view),
        under,
        items,
        next,
    }))
}

/// What a bureau takes down for somebody else.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the API's document has its shape; the channel reads and judges it"
)]
struct ByHandReport {
    /// `played` (已播), `relayed` (已转) or `cannot` (做不到).
    outcome: String,
    /// Who did it: 1 to 20 characters.
    name: String,
    /// When, in Beijing time or with an offset.
    #[schema(example = "2026-07-14T22:55")]
    done: String,
    /// `phone`, `radio`, `in-person`, `message` or `other`.
    means: String,
    /// At most 200 characters.
    note: Option<String>,
    /// Base64: JPEG, PNG, WebP, PDF, MP3 or MP4.
    attachment: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ByHandTaken {
    delivery: u32,
    /// The bureau whose word it is now.
    by: String,
}

/// Take down what somebody else has done
///
/// 代报: answered when it is on disk, with the bureau as the one that took it down. It stands beside what the outlet itself
/// has entered.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/by-hand/{delivery}", operation_id = "report_by_hand", tag = "coverage",
    params(View, ("delivery" = u32, Path, description = "The item's delivery", example = 0)), security(("token" = ["report"])),
    request_body(content = ByHandReport, content_type = "application/json"),
    responses((status = 200, description = "It is entered", body = ByHandTaken), Reporting),
)]
async fn enter(
    State(gate): State<Arc<Gate>>,
    Reporter(view): Reporter,
    Path((_, delivery)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let body = body.map_err(|error| broken(&error))?;
    let place = place(&gate, &view, &delivery)?;
    let entered = gate.by_hand.enter(&place, &view.caller, body).await;
    entered.map_err(|unserved| told(&view, unserved))?;
    Ok(Json(ByHandTaken {
        delivery: place.key.delivery,
        by: view.caller.id,
    }))
}

/// What is attached to an entry
///
/// As it was posted, for callers with the scope `report` or `registry` beside `read`.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/by-hand/{delivery}/attachments/{no}", operation_id = "attachment_by_hand", tag = "coverage",
    params(
        View,
        ("delivery" = u32, Path, description = "The item's delivery", example = 0),
        ("no" = u32, Path, description = "The entry's place in the item, from 0", example = 0),
    ),
    security(("token" = ["read"])),
    responses((status = 200, description = "The picture, sound or paper", content_type = "application/octet-stream", body = String), OfAttachment),
)]
async fn attachment(
    State(gate): State<Arc<Gate>>,
    view: View,
    Path((_, delivery, no)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    if !may_read(&view.caller) {
        let detail = format!(
            "bureau {} has neither the scope `report` nor `registry`; have one added to see what people attached",
            view.caller.id
        );
        return Err(Problem::new(&NO_SCOPE, detail).with("scope", "report"));
    }
    let place = place(&gate, &view, &delivery)?;
    let no = no.parse().map_err(|_| told(&view, Unserved::Missing))?;
    let reply = gate.by_hand.attachment(&place, &view.caller, no).await;
    let reply = reply.map_err(|unserved| told(&view, unserved))?;
    Ok(response(reply))
}

fn place(gate: &Gate, view: &View, delivery: &str) -> Result<Place, Problem> {
    let number = delivery.parse::<u32>().ok();
    let places = gate
        .by_hand
        .places(&view.alert, |region| view.caller.covers(region));
    let found = places
        .into_iter()
        .find(|place| Some(place.key.delivery) == number);
    found.ok_or_else(|| told(view, Unserved::Missing))
}

fn told(view: &View, unserved: Unserved) -> Problem {
    let stream = view.alert.stream;
    match unserved {
        Unserved::Missing => Problem::new(
            &UNKNOWN_DELIVERY,
            format!(
                "alert {stream} has nothing like it that is done by hand in your regions; GET /v1/alerts/{stream}/by-hand lists what there is"
            ),
        ),
        Unserved::Away => Problem::new(
            &STORE_AWAY,
            format!("alert {stream}: the journal takes nothing now; say it again in a moment"),
        ),
        Unserved::Refused {
            status,
            code,
            english,
            ..
        } => {
            let kind = match status {
                400 => &BAD_BODY,
                409 | 410 => &FILED,
                413 => &TOO_LARGE,
                _ => &BAD_ENTRY,
            };
            Problem::new(kind, format!("alert {stream}: {code}: {english}"))
        }
    }
}
