//! The story of single deliveries: what each event of their alert's stream says about them, in order, named in two
//! languages. Pure over records that the store has read. This module must not interpret them: the state that they make is
//! the ledger's fold.

use channel::{Timestamp, Verdict};
use serde_json::{Value, json};

use super::words::{HELD, HELD_ZH, of_audience, of_bar, of_class, of_denied, of_said};
use crate::ledger::Alert;
use crate::ledger::event::{
    AnsweredRow, Barred, Block, Event, Next, Outcome, Prompted, ReceiptRow, Rerouted, SettledRow,
};
use crate::ledger::record::{self, BadRecord};
use crate::model::DeliveryNo;
use crate::store::Record;

/// One event of a delivery.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// The record in the journal that holds it.
    pub seq: u64,
    pub at: Timestamp,
    pub event: &'static str,
    pub event_zh: &'static str,
    /// What else it says.
    pub more: Value,
}

/// An event of a delivery: its name in two languages, and what it says.
type Told = (&'static str, &'static str, Value);

/// The stories of these deliveries, in their order. A county's stream has megabytes: it is read once for all of them.
pub fn of(
    records: &[Record],
    alert: &Alert,
    deliveries: &[DeliveryNo],
) -> Result<Vec<Vec<Line>>, BadRecord> {
    let variant = |number: DeliveryNo| {
        let found = alert.find(number);
        found.map(|(block, i)| block.variant(i))
    };
    let known: Vec<_> = deliveries.iter().map(|n| (*n, variant(*n))).collect();
    let mut stories = vec![Vec::new(); known.len()];
    for record in records {
        for event in record::unpack(record)? {
            for ((number, variant), story) in known.iter().zip(&mut stories) {
                let Some(variant) = variant else { continue };
                let told = said(&event, *number, *variant).into_iter();
                story.extend(told.map(|(event, event_zh, more)| Line {
                    seq: record.seq,
                    at: record.time,
                    event,
                    event_zh,
                    more,
                }));
            }
        }
    }
    Ok(stories)
}

/// What an event says about this delivery.
fn said(event: &Event, number: DeliveryNo, variant: u16) -> Vec<Told> {
    let named = |deliveries: &[DeliveryNo]| deliveries.contains(&number);
    match event {
        Event::Block(block) if holds(block, number) => vec![planned(block)],
        Event::Barred(Barred { why, runs })
            if runs.iter().any(|(lo, hi)| (*lo..*hi).contains(&number)) =>
        {
            vec![("barred", of_bar(*why), json!({ "code": why.code() }))]
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
        Event::Answered(said) => said
            .rows
            .iter()
            .filter(|row| row.delivery == number)
            .map(|row| answered(&said.channel, row))
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
        Event::Prompted(prompted) => {
            let own = prompted.rows.iter().filter(|row| row.item == number);
            own.map(|row| called(prompted, row.nth)).collect()
        }
        Event::Rerouted(moved) if moved.holds(number) => vec![rerouted(moved)],
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

fn planned(block: &Block) -> Told {
    let (audience, audience_zh) = of_audience(block.audience);
    let more = json!({ "step": block.step, "audience": audience, "audience_zh": audience_zh });
    ("planned", "待发", more)
}

fn rerouted(moved: &Rerouted) -> Told {
    let (why, why_zh, due) = (moved.why.name(), moved.why.zh(), moved.at.to_string());
    let more = json!({ "channel": moved.to, "why": why, "why_zh": why_zh, "due": due });
    ("rerouted", "改走其他账户", more)
}

/// Whoever is responsible for an outlet was called to it, by a delivery of its own, or could not be.
fn called(prompted: &Prompted, nth: u8) -> Told {
    let text = prompted
        .text
        .map(|(alert, delivery)| format!("{alert}/{delivery}"));
    let zh = if text.is_some() {
        "催办"
    } else {
        "无法催办"
    };
    ("prompted", zh, json!({ "nth": nth, "by_delivery": text }))
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
        Verdict::Progress if row.code == HELD => ("progress", HELD_ZH, more),
        Verdict::Progress => ("progress", "对方处理中", more),
        Verdict::Reached(evidence) => {
            more["evidence"] = json!(evidence);
            ("receipt", "回执", more)
        }
        Verdict::Refused(class) => {
            more["class"] = json!(class);
            ("denied", of_denied(class), more)
        }
    }
}

/// The text itself stands in the alert's list of replies, for whoever may read it.
fn answered(channel: &str, row: &AnsweredRow) -> Told {
    let (said, said_zh) = of_said(row.text.is_none());
    let more = json!({
        "channel": channel,
        "assumed": row.assumed,
        "seen": row.seen.to_string(),
        "far": row.far.map(|time| time.to_string()),
    });
    (said, said_zh, more)
}

fn put(more: &mut Value, name: &str, value: &str, time: Option<(&str, Timestamp)>) {
    more[name] = json!(value);
    if let Some((name, time)) = time {
        more[name] = json!(time.to_string());
    }
}
