//! The last of the four reads: the events of one delivery, from its alert's stream in the store. This module must not
//! interpret them: the state that they make is the ledger's fold.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::Value;

use super::Gate;
use super::caller::View;
use super::problem::{DAMAGED, Problem, UNKNOWN_DELIVERY};
use crate::coverage::story;
use crate::model::{DeliveryNo, RegionCode, StreamId};

#[derive(Serialize)]
struct History {
    alert: StreamId,
    delivery: DeliveryNo,
    region: RegionCode,
    channel: String,
    events: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    /// The record in the journal that holds it.
    seq: u64,
    at: String,
    event: &'static str,
    event_zh: &'static str,
    #[serde(flatten)]
    more: Value,
}

impl From<story::Line> for Line {
    fn from(line: story::Line) -> Self {
        Self {
            seq: line.seq,
            at: line.at.to_string(),
            event: line.event,
            event_zh: line.event_zh,
            more: line.more,
        }
    }
}

pub async fn events(
    State(gate): State<Arc<Gate>>,
    view: View,
    Path((_, number)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let stream = view.alert.stream;
    let found = number
        .parse()
        .ok()
        .and_then(|n| Some((n, view.alert.find(n)?.0)));
    let Some((number, block)) = found else {
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
    let events = stories.into_iter().flatten().map(Line::from).collect();
    let (region, channel) = (block.region, block.channel.clone());
    Ok(Json(History {
        alert: stream,
        delivery: number,
        region,
        channel,
        events,
    }))
}
