//! What leaves the house: a range that a committed `Handed` names becomes messages and goes to the channel, behind the
//! second drill wall. This module must not choose what is sent, and it must not be called before the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channel::{Address, Channel, Failure, FailureClass, Key, Message, Outcomes, Variant};
use parking_lot::RwLock;
use tokio::sync::mpsc;

use super::queue::Taken;
use super::settle::{BatchOutcomes, Settlement, Word};
use crate::ledger::event::HandedRange;
use crate::ledger::{Event, Refused};
use crate::model::{State, StreamId};
use crate::plan;
use crate::registry::Registry;

/// The way out of one lane, shared by the ranges that are on their way.
pub struct Out {
    pub name: String,
    pub channel: Arc<dyn Channel>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    /// Handed, or about to be, and not durably settled.
    pub outstanding: Arc<AtomicUsize>,
    pub settle: mpsc::UnboundedSender<Settlement>,
    pub words: mpsc::UnboundedSender<Word>,
}

impl Out {
    /// What a committed `Handed` names goes out; its outcomes go to the settler.
    pub async fn send(&self, taken: Vec<Taken>, variants: Vec<Option<Arc<Variant>>>, serial: u64) {
        let registry = self.registry.read().clone();
        let mut outcomes = BatchOutcomes {
            places: Vec::with_capacity(taken.len()),
            give: self.settle.clone(),
        };
        let mut messages = Vec::with_capacity(taken.len());
        for ((n, one), variant) in (0_u64..).zip(taken).zip(variants) {
            // A withdrawal or an expiry was committed just before: what it closed is not sent.
            if one.block.state(one.index) != State::Handed {
                self.outstanding.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let expires = one
                .alert
                .variant(one.block.variant(one.index))
                .map_or(one.alert.at, |v| v.expires);
            let place = (one.block.clone(), one.index, one.attempt, expires);
            match message(&registry, &one, variant, serial + n, expires) {
                Ok(message) => {
                    outcomes.places.push(place);
                    messages.push(message);
                }
                Err(failure) => {
                    let single = BatchOutcomes {
                        places: vec![place],
                        give: self.settle.clone(),
                    };
                    single.settle(0, Err(failure));
                }
            }
        }
        self.channel.send_all(&messages, &outcomes).await;
    }
}

impl Out {
    /// Nothing of it was handed: the lane takes it again.
    pub fn give_back(&self, taken: Vec<Taken>, refused: &Refused) {
        tracing::warn!(channel = self.name, %refused, "nothing is sent while the journal takes nothing");
        self.outstanding.fetch_sub(taken.len(), Ordering::SeqCst);
        // A lane that has ended finds it again at the next start.
        let _ = self.words.send(Word::Back(taken));
    }
}

fn message(
    registry: &Registry,
    one: &Taken,
    variant: Option<Arc<Variant>>,
    serial: u64,
    expires: channel::Timestamp,
) -> Result<Message, Failure> {
    let never = |class, code, detail| Failure::new(class, code, detail);
    let variant = variant.ok_or_else(|| {
        never(
            FailureClass::Transient,
            "text:missing",
            "the text could not be read back from the store",
        )
    })?;
    if !plan::wall::lets_through(one.alert.meta.status, one.block.audience, variant.drill) {
        return Err(never(
            FailureClass::BadContent,
            "wall:drill",
            "a drill does not reach this audience",
        ));
    }
    let endpoint = registry
        .endpoint(one.block.endpoint(one.index))
        .ok_or_else(|| {
            never(
                FailureClass::BadAddress,
                "registry:gone",
                "the registry holds this endpoint no longer",
            )
        })?;
    Ok(Message {
        key: Key {
            alert: one.block.stream,
            delivery: one.block.number(one.index),
            generation: 0,
        },
        serial,
        variant,
        address: Address::new(endpoint.address),
        expires,
        repeat: one.block.flag(one.index, crate::ledger::IN_DOUBT),
    })
}

/// One event for each stream, with the deliveries as ranges.
pub fn handed(channel: &str, taken: &[Taken], first: u64) -> Vec<(StreamId, Event)> {
    let mut events: Vec<(StreamId, Event)> = Vec::new();
    for (serial, one) in (first..).zip(taken) {
        let (stream, number) = (one.block.stream, one.block.number(one.index));
        if events.last().is_none_or(|(last, _)| *last != stream) {
            events.push((
                stream,
                Event::Handed {
                    channel: channel.to_owned(),
                    ranges: Vec::new(),
                },
            ));
        }
        let Some((_, Event::Handed { ranges, .. })) = events.last_mut() else {
            continue;
        };
        match ranges.last_mut() {
            Some(range)
                if range.hi == number && range.attempt == one.attempt && range.why == one.why =>
            {
                range.hi += 1;
            }
            _ => ranges.push(HandedRange {
                lo: number,
                hi: number + 1,
                attempt: one.attempt,
                why: one.why,
                serial,
            }),
        }
    }
    events
}
