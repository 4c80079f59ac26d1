//! The last of the four reads: the events of one delivery, from its alert's stream in the store. This module must not
//! interpret them: the state that they make is the ledger's fold.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use channel::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::Gate;
use super::caller::View;
use super::problem::{DAMAGED, Problem, UNKNOWN_DELIVERY};
use crate::coverage::words::{of_audience, of_class};
use crate::ledger::event::{Block, Event, Next, Outcome, ReceiptRow, SettledRow};
use crate::ledger::record;
use crate::model::{DeliveryNo, RegionCode, StreamId};
use crate::store::Record;
use channel::Verdict;

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

/// An event of a delivery: its name in two languages, and what it says.
type Told = (&'static str, &'static str, Value);

pub async fn events(
    State(gate): State<Arc<Gate>>,
    view: View,
    Path((_, number)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let stream = view.alert.stream;
    let found = number
        .parse()
        .ok()
        .and_then(|n| Some((n, view.alert.find(n)?)));
    let Some((number, (block, i))) = found else {
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
    let variant = block.variant(i);
    // A county's stream has megabytes: it is read beside the connections, not among them.
    let read = tokio::task::spawn_blocking(move || read(&records, number, variant)).await;
    let events = read.map_err(|_| {
        Problem::new(
            &DAMAGED,
            format!("alert {stream}: its stream could not be read"),
        )
    })??;
    let (region, channel) = (block.region, block.channel.clone());
    Ok(Json(History {
        alert: stream,
        delivery: number,
        region,
        channel,
        events,
    }))
}

fn read(records: &[Record], number: DeliveryNo, variant: u16) -> Result<Vec<Line>, Problem> {
    let mut lines = Vec::new();
    for record in records {
        let events = record::unpack(record)
            .map_err(|bad| Problem::damaged(record.stream, &bad.to_string()))?;
        for event in &events {
            let told = of(event, number, variant).into_iter();
            lines.extend(told.map(|(name, zh, more)| Line {
                seq: record.seq,
                at: record.time.to_string(),
                event: name,
                event_zh: zh,
                more,
            }));
        }
    }
    Ok(lines)
}

/// What an event says about this delivery.
fn of(event: &Event, number: DeliveryNo, variant: u16) -> Vec<Told> {
    let named = |deliveries: &[DeliveryNo]| deliveries.contains(&number);
    match event {
        Event::Block(block) if holds(block, number) => {
            let (audience, audience_zh) = of_audience(block.audience);
            let more =
                json!({ "step": block.step, "audience": audience, "audience_zh": audience_zh });
            vec![("planned", "待发", more)]
        }
        Event::Handed { channel, ranges } => {
            let own = ranges.iter().filter(|r| (r.lo..r.hi).contains(&number));
            let more = |r: &crate::ledger::event::HandedRange| json!({ "channel": channel, "attempt": r.attempt, "why": r.why, "serial": r.serial + u64::from(number - r.lo) });
            own.map(|range| ("handed", "交付通道", more(range)))
                .collect()
        }
        Event::Settled { channel, rows } => rows
            .iter()
            .filter(|row| row.delivery == number)
            .map(|row| settled(channel, row))
            .collect(),
        Event::Receipt { channel, rows } => rows
            .iter()
            .filter(|row| row.delivery == number)
            .map(|row| receipt(channel, row))
            .collect(),
        Event::Returned { deliveries, at } if named(deliveries) => {
            vec![("returned", "退回排队", json!({ "due": at.to_string() }))]
        }
        Event::InDoubt {
            deliveries, due, ..
        } if named(deliveries) => {
            vec![(
                "in-doubt",
                "结果不明（将重发）",
                json!({ "due": due.to_string() }),
            )]
        }
        Event::Overdue { deliveries } if named(deliveries) => {
            vec![("overdue", "无回执", json!({}))]
        }
        Event::Expired { variants } if variants.contains(&variant) => {
            vec![("text-expired", "到期", json!({}))]
        }
        Event::Withdrawn { by } => {
            vec![("alert-withdrawn", "预警被替代或解除", json!({ "by": by }))]
        }
        _ => Vec::new(),
    }
}

fn holds(block: &Block, number: DeliveryNo) -> bool {
    number
        .checked_sub(block.first)
        .is_some_and(|at| (at as usize) < block.endpoints.len())
}

fn settled(channel: &str, row: &SettledRow) -> Told {
    let mut more = json!({ "channel": channel, "attempt": row.attempt });
    match row.next {
        Next::Await { until } => put(&mut more, "next", "await", Some(("until", until))),
        Next::Due { at, .. } => put(&mut more, "next", "due", Some(("due", at))),
        Next::Done => put(&mut more, "next", "done", None),
        Next::Failed => put(&mut more, "next", "failed", None),
    }
    match &row.outcome {
        Outcome::Accepted { references } => {
            more["references"] = json!(references);
            ("accepted", "对方已受理", more)
        }
        Outcome::Refused { class, code } => {
            more["class"] = json!(class);
            more["code"] = json!(code);
            ("refused", of_class(*class), more)
        }
    }
}

fn receipt(channel: &str, row: &ReceiptRow) -> Told {
    let mut more = json!({
        "channel": channel,
        "part": row.part,
        "code": row.code,
        "by": row.by,
        "seen": row.seen.to_string(),
        "far": row.far.map(|time| time.to_string()),
    });
    match row.verdict {
        Verdict::Progress => ("progress", "对方处理中", more),
        Verdict::Reached(evidence) => {
            more["evidence"] = json!(evidence);
            ("receipt", "回执", more)
        }
        Verdict::Refused(class) => {
            more["class"] = json!(class);
            ("denied", of_class(class), more)
        }
    }
}

fn put(more: &mut Value, name: &str, value: &str, time: Option<(&str, Timestamp)>) {
    more[name] = json!(value);
    if let Some((name, time)) = time {
        more[name] = json!(time.to_string());
    }
}
