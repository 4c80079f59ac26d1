//! The live line of a page: server-sent events of the officer's regions. Whoever lost the line says which frame they saw
//! last and goes on from there. It ends with the officer's session. This module must not compute a frame.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;

use super::Handle;
use super::view::View;
use crate::live;

pub async fn events(State(desk): State<Handle>, view: View, headers: HeaderMap) -> Response {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let alert = (&view.known, &view.alert);
    let (hub, ends) = (&desk.console.hub, &view.ends);
    let line = hub.line(alert, view.home(), last, &ends.stop).await;
    let over = tokio::time::sleep(ends.left);
    line.map_or_else(
        || StatusCode::NO_CONTENT.into_response(),
        |line| (live::HEADERS, Body::from_stream(line.take_until(over))).into_response(),
    )
}
