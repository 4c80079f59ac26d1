//! The live line of a page: the hub's frames as server-sent events. Whoever lost the line says which frame they saw last
//! and goes on from there. This module must not compute a frame.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::unfold;
use futures::{Stream, StreamExt as _};

use super::Handle;
use super::view::View;

pub async fn events(
    State(desk): State<Handle>,
    view: View,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let watcher = desk.console.hub.watch(view.alert.stream, view.home(), last);
    let frames = unfold(watcher, async |mut watcher| {
        let frame = watcher.next().await?;
        let text = String::from_utf8_lossy(&frame.json).into_owned();
        let event = Event::default()
            .id(frame.number.to_string())
            .event(if frame.whole { "whole" } else { "change" })
            .data(text);
        Some((Ok(event), watcher))
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    let stop = desk.stop.clone().cancelled_owned();
    Sse::new(frames.take_until(stop)).keep_alive(alive)
}
