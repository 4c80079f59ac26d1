//! The live line of an alert, and of all alerts: server-sent events of the regions that are the caller's. Whoever lost the line says which
//! frame they saw last and goes on from there. This module must not compute a figure.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::House;
use super::caller::{Params, Reader, View};
use super::figures::Under;
use super::openapi::{Listing, OfPart};
use super::problem::Problem;
use crate::live;

/// Its figures as they change
///
/// Server-sent events: first the `whole`, then at most twice a second a `change`; `data` is `LiveFigures`.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/live", operation_id = "live", tag = "coverage",
    params(View, Under, ("Last-Event-ID" = Option<u64>, Header, description = "The last id that was seen")), security(("token" = ["read"])),
    responses(
        (status = 200, description = "The line", body = live::Figures, content_type = "text/event-stream"),
        (status = 204, description = "The alert is over and was told"),
        OfPart,
    ),
)]
pub async fn events(
    State(house): State<House>,
    view: View,
    Params(Under { under }): Params<Under>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let scope = match under {
        Some(_) => view.scope(under)?,
        None => view.home()?,
    };
    let last = seen(&headers);
    let alert = (&view.known, &view.alert);
    let line = house.gate.hub.line(alert, scope, last, &house.stop).await;
    Ok(line.map_or_else(
        || StatusCode::NO_CONTENT.into_response(),
        |line| (live::HEADERS, Body::from_stream(line)).into_response(),
    ))
}

fn seen(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id").and_then(|id| id.to_str().ok())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// All alerts as they change
///
/// Server-sent events: first the `whole`, every alert that is not sealed; then at most twice a second for each alert a
/// `change` with that one; `data` is `LiveAlerts`.
#[utoipa::path(
    get, path = "/v1/live", operation_id = "live_all", tag = "alerts",
    params(("Last-Event-ID" = Option<u64>, Header, description = "The last id that was seen")), security(("token" = ["read"])),
    responses((status = 200, description = "The line", body = live::Lines, content_type = "text/event-stream"), Listing),
)]
pub async fn all(
    State(house): State<House>,
    Reader(caller): Reader,
    Params(Nothing {}): Params<Nothing>,
    headers: HeaderMap,
) -> Response {
    let hub = &house.gate.hub;
    let line = hub.line_of_all(&caller, seen(&headers), &house.stop).await;
    (live::HEADERS, Body::from_stream(line)).into_response()
}
