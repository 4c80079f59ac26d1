//! The last of the four reads: the events of one delivery, from its alert's stream in the store. This module must not
//! interpret them: the state that they make is the ledger's fold.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Gate;
use super::caller::{Params, View};
use super::openapi::{OfCourse, OfDelivery};
use super::page::{PageParams, cut};
use super::problem::{DAMAGED, Problem, UNKNOWN_DELIVERY};
use crate::coverage::{course, story};
use crate::model::{DeliveryNo, RegionCode, StreamId, shape};

#[derive(Serialize, ToSchema)]
struct History {
    #[schema(value_type = u64)]
    alert: StreamId,
    #[schema(value_type = u32)]
    delivery: DeliveryNo,
    region: RegionCode,
    channel: String,
    events: Vec<Line>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = JournalEvent)]
struct Line {
    /// Counts from 0; an event that is here stays where it is.
    no: u64,
    /// The record in the journal that holds it.
    seq: u64,
    #[schema(schema_with = shape::moment)]
    at: String,
    event: &'static str,
    event_zh: &'static str,
    /// What else it says, by event.
    #[serde(flatten)]
    #[schema(ignore)]
    more: Value,
}

impl Line {
    fn of(no: u64, line: story::Line) -> Self {
        Self {
            no,
            seq: line.seq,
            at: line.at.to_string(),
            event: line.event,
            event_zh: line.event_zh,
            more: line.more,
        }
    }
}

/// What happened to one delivery
///
/// From the journal, in order.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/deliveries/{number}/events", tag = "coverage",
    params(View, ("number" = u32, Path, description = "The delivery's number", example = 0), PageParams), security(("token" = ["read"])),
    responses((status = 200, description = "Its events", body = History), OfDelivery),
)]
pub async fn events(
    State(gate): State<Arc<Gate>>,
    view: View,
    Path((_, number)): Path<(String, String)>,
    Params(page): Params<PageParams>,
) -> Result<impl IntoResponse, Problem> {
    let stream = view.alert.stream;
    let found = number
        .parse()
        .ok()
        .and_then(|n| Some((n, view.alert.find(n)?)));
    let Some((number, (block, at))) = found else {
        let id: String = number.chars().take(32).collect();
        let detail = format!(
            "alert {stream} has no delivery {id}; the deliveries of a household give its numbers"
        );
        return Err(Problem::new(&UNKNOWN_DELIVERY, detail));
    };
    if !view.caller.covers(block.region) {
        return Err(Problem::outside(
            &format!("delivery {number} of alert {stream} belongs to"),
            &[block.region],
        ));
    }
    let records = gate.store.stream(stream).await?;
    let alert = view.alert.clone();
    // A county's stream has megabytes: it is read beside the connections, not among them.
    let read = tokio::task::spawn_blocking(move || story::of(&records, &alert, &[number])).await;
    let read = read.map_err(|_| {
        Problem::new(
            &DAMAGED,
            format!("alert {stream}: its stream could not be read"),
        )
    })?;
    let stories = read.map_err(|bad| Problem::damaged(stream, &bad.to_string()))?;
    let events = (0..).zip(stories.into_iter().flatten());
    let events = events.map(|(no, line)| Line::of(no, line)).collect();
    let (events, next) = cut(events, page, |line| line.no)?;
    let (region, channel) = (block.region, block.goes_by(at).into_owned());
    Ok(Json(History {
        alert: stream,
        delivery: number,
        region,
        channel,
        events,
        next,
    }))
}

#[derive(Serialize, ToSchema)]
#[schema(as = Course)]
struct Course {
    #[schema(value_type = u64)]
    alert: StreamId,
    events: Vec<Line>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

/// The course of an alert
///
/// Its events from the journal, in order and in counts; for who is responsible for all of its regions, or brought it.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/events", tag = "alerts", params(View, PageParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of its events", body = Course), OfCourse),
)]
pub async fn course(
    State(gate): State<Arc<Gate>>,
    view: View,
    Params(page): Params<PageParams>,
) -> Result<impl IntoResponse, Problem> {
    let (stream, meta) = (view.alert.stream, &view.alert.meta);
    let outside = meta.regions.iter().filter(|r| !view.caller.covers(**r));
    let outside: Vec<_> = outside.copied().collect();
    if !outside.is_empty() && meta.caller != view.caller.id {
        return Err(Problem::outside(&format!("alert {stream} names"), &outside));
    }
    let records = gate.store.stream(stream).await?;
    let read = tokio::task::spawn_blocking(move || course::of(&records)).await;
    let read = read.map_err(|_| Problem::damaged(stream, "its stream could not be read"))?;
    let events = read.map_err(|bad| Problem::damaged(stream, &bad.to_string()))?;
    let events = (0..).zip(events).map(|(no, line)| Line::of(no, line));
    let (events, next) = cut(events.collect(), page, |line| line.no)?;
    Ok(Json(Course {
        alert: stream,
        events,
        next,
    }))
}
