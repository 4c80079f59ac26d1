//! What leaves the house: a range that a committed `Handed` names becomes messages and goes to the channel, behind the
//! second drill wall. This module must not choose what is sent, and it must not be called before the commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channel::{Address, Channel, Failure, FailureClass, Key, Message, Outcomes, Variant};
use parking_lot::RwLock;
use tokio::sync::mpsc;

use super::queue::Taken;
use super::settle::{BatchOutcomes, Place, Settlement, Word};
use super::suspect::GONE;
use crate::ledger::event::{Audience, HandedRange};
use crate::ledger::{Event, Refused};
use crate::model::{State, StreamId};
use crate::plan;
use crate::registry::Registry;

/// The way out of one lane, shared by the ranges that are on their way.
pub struct Out {
    pub name: String,
    pub channel: Arc<dyn Channel>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    /// Every channel, by its name: links are the channels' own.
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    /// Handed, or about to be, and not durably settled.
    pub outstanding: Arc<AtomicUsize>,
    pub settle: mpsc::UnboundedSender<Settlement>,
    pub words: mpsc::UnboundedSender<Word>,
}

impl Out {
    /// What a committed `Handed` names goes out; its outcomes go to the settler.
    pub async fn send(&self, taken: Vec<Taken>, variants: Vec<Option<Arc<Variant>>>, serial: u64) {
        let registry = self.registry.read().clone();
        let count = places(&taken);
        let mut sent = Vec::with_capacity(count);
        let mut messages = Vec::with_capacity(count);
        let mut serials = serial..;
        for (run, variant) in taken.iter().zip(variants) {
            for (at, serial) in run.places.iter().zip(serials.by_ref()) {
                // A withdrawal or an expiry was committed just before: what it closed is not sent.
                if run.block.state(at.index) != State::Handed {
                    self.outstanding.fetch_sub(1, Ordering::SeqCst);
                    continue;
                }
                let place = Place {
                    block: run.block.clone(),
                    index: at.index,
                    attempt: at.attempt,
                    expires: run.expires,
                };
                let message = message(&registry, run, at.index, variant.clone(), serial);
                match message.and_then(|message| self.personal(run, message)) {
                    Ok(message) => {
                        sent.push(place);
                        messages.push(message);
                    }
                    Err(failure) => self.outcomes(vec![place]).settle(0, Err(failure)),
                }
            }
        }
        let outcomes = self.outcomes(sent);
        self.channel.send_all(&messages, &outcomes).await;
    }

    /// A call to an outlet carries the link of what it calls to: the only part of a text that is somebody's own, so that it
    /// stands in no document.
    fn personal(&self, run: &Taken, message: Message) -> Result<Message, Failure> {
        if run.block.audience != Audience::Keepers {
            return Ok(message);
        }
        let (stream, number) = (run.block.stream, message.key.delivery);
        let item = run.alert.prompts.lead((stream, number));
        let found = item.and_then(|item| run.alert.find(item));
        let link = found.and_then(|(block, i)| {
            let key = Key {
                alert: stream,
                delivery: block.number(i),
                generation: 0,
            };
            let expires = run.alert.expiry_of(block.variant(i))?;
            self.channels.get(&block.channel)?.link(key, expires)
        });
        let link = link.ok_or_else(|| {
            let detail =
                "the channel of what it calls to makes no link any more; set its settings.base";
            Failure::new(FailureClass::BadContent, "link:none", detail)
        })?;
        let variant = &message.variant;
        let variant = variant.with_text(plan::with_link(&variant.text, &link));
        Ok(Message {
            variant: Arc::new(variant),
            ..message
        })
    }

    fn outcomes(&self, places: Vec<Place>) -> BatchOutcomes {
        BatchOutcomes {
            places: Arc::new(places),
            give: self.settle.clone(),
        }
    }
}

impl Out {
    /// Nothing of it was handed: the lane takes it again.
    pub fn give_back(&self, taken: Vec<Taken>, refused: &Refused) {
        tracing::warn!(channel = self.name, %refused, "nothing is sent while the journal takes nothing");
        self.outstanding.fetch_sub(places(&taken), Ordering::SeqCst);
        // A lane that has ended finds it again at the next start.
        let _ = self.words.send(Word::Back(taken));
    }
}

fn message(
    registry: &Registry,
    run: &Taken,
    index: usize,
    variant: Option<Arc<Variant>>,
    serial: u64,
) -> Result<Message, Failure> {
    let never = |class, code, detail| Failure::new(class, code, detail);
    let variant = variant.ok_or_else(|| {
        never(
            FailureClass::Transient,
            "text:missing",
            "the text could not be read back from the store",
        )
    })?;
    if !plan::wall::lets_through(run.alert.meta.status, run.block.audience, variant.drill) {
        return Err(never(
            FailureClass::BadContent,
            "wall:drill",
            "a drill does not reach this audience",
        ));
    }
    let endpoint = registry
        .endpoint(run.block.endpoint(index))
        .ok_or_else(|| {
            never(
                FailureClass::BadAddress,
                GONE,
                "the registry holds this endpoint no longer",
            )
        })?;
    Ok(Message {
        key: Key {
            alert: run.block.stream,
            delivery: run.block.number(index),
            generation: 0,
        },
        serial,
        variant,
        address: Address::new(endpoint.address),
        expires: run.expires,
        repeat: run.block.flag(index, crate::ledger::IN_DOUBT),
    })
}

/// One event for each stream, with the deliveries as ranges.
pub fn handed(channel: &str, taken: &[Taken], first: u64) -> Vec<(StreamId, Event)> {
    let mut streams: Vec<(StreamId, Vec<HandedRange>)> = Vec::new();
    let mut serials = first..;
    for run in taken {
        let stream = run.block.stream;
        // Alerts that take turns stand in one slice several times.
        let at = streams.iter().position(|(known, _)| *known == stream);
        let at = at.unwrap_or_else(|| {
            streams.push((stream, Vec::new()));
            streams.len() - 1
        });
        let ranges = &mut streams[at].1;
        for (place, serial) in run.places.iter().zip(serials.by_ref()) {
            let number = run.block.number(place.index);
            let same = |r: &&mut HandedRange| {
                (r.hi, r.attempt, r.why) == (number, place.attempt, place.why)
                    && r.serial + u64::from(r.hi - r.lo) == serial
            };
            if let Some(range) = ranges.last_mut().filter(same) {
                range.hi += 1;
            } else {
                ranges.push(HandedRange {
                    lo: number,
                    hi: number + 1,
                    attempt: place.attempt,
                    why: place.why,
                    serial,
                });
            }
        }
    }
    let event = |ranges| Event::Handed {
        channel: channel.to_owned(),
        ranges,
    };
    streams
        .into_iter()
        .map(|(stream, ranges)| (stream, event(ranges)))
        .collect()
}

/// How many deliveries these are.
pub fn places(taken: &[Taken]) -> usize {
    taken.iter().map(|run| run.places.len()).sum()
}
