//! The live line of an alert: the hub's frames as server-sent events, of the regions that are the caller's. Whoever lost
//! the line says which frame they saw last and goes on from there. This module must not compute a figure.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{once, unfold};
use futures::{Stream, StreamExt as _};

use super::caller::{Params, View};
use super::figures::Under;
use super::openapi::OfPart;
use super::problem::Problem;
use super::{Gate, House};
use crate::live::Figures;
use crate::model::RegionCode;

/// How often something is said at the least, so that nothing between takes the line for dead.
const ALIVE: Duration = Duration::from_secs(15);

/// Its figures as they change
///
/// Server-sent events: first the `whole`, then at most twice a second a `change`; `data` is `LiveFigures`.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/live", operation_id = "live", tag = "coverage",
    params(View, Under, ("Last-Event-ID" = Option<u64>, Header, description = "The last id that was seen")), security(("token" = ["read"])),
    responses(
        (status = 200, description = "The line", body = Figures, content_type = "text/event-stream"),
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
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if view.known.is_sealed() {
        return Ok(sealed(&house.gate, &view, &scope, last));
    }
    let watcher = house.gate.hub.watch(view.alert.stream, scope, last);
    let frames = unfold(watcher, async |mut watcher| {
        let frame = watcher.next().await?;
        Some((Ok(event(frame.number, frame.whole, &frame.json)), watcher))
    });
    Ok(line(frames.take_until(house.stop.cancelled_owned())))
}

/// What is over does not change: it is told once, and who comes back is told not to.
fn sealed(gate: &Gate, view: &View, scope: &[RegionCode], last: Option<u64>) -> Response {
    if last.is_some() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let now = gate.clock.now();
    let figures = Figures::of(&view.alert, &gate.ledger, &view.registry, scope, now);
    let json = serde_json::to_vec(&figures).expect("plain figures serialise");
    let whole = event(*gate.position.borrow() << 16, true, &json);
    line(once(async { Ok(whole) }))
}

fn event(number: u64, whole: bool, json: &[u8]) -> Event {
    Event::default()
        .id(number.to_string())
        .event(if whole { "whole" } else { "change" })
        .data(String::from_utf8_lossy(json))
}

fn line(frames: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that gathers bytes would hold the frames back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let alive = KeepAlive::new().interval(ALIVE);
    (headers, Sse::new(frames).keep_alive(alive)).into_response()
}
