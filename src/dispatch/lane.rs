//! A lane is one channel's way out: it takes due deliveries in rank order, takes permits, writes `Handed`, and only when
//! that is durable hands the batch to the channel. It slows when the far end says so and pauses while the channel is
//! down. This module must not decide what an outcome means, and it sends nothing that no committed `Handed` names.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use channel::{
    Address, Channel, Failure, FailureClass, Health, Key, Message, Outcomes, Stop, Variant,
};
use parking_lot::RwLock;
use tokio::sync::{Notify, mpsc};

use super::flow::Flow;
use super::inlet::Desk;
use super::queue::{Queue, Taken};
use super::settle::{BatchOutcomes, Settlement, Word};
use crate::coord::Pacer;
use crate::ledger::event::{HandedRange, LinkState};
use crate::ledger::{Event, Proposal};
use crate::model::{Rate, StreamId};
use crate::plan;
use crate::registry::Registry;
use crate::store::Store;

pub struct Lane {
    pub name: String,
    pub channel: Arc<dyn Channel>,
    pub desk: Arc<Desk>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub rate: Rate,
    pub serial: u64,
    pub outstanding: Arc<AtomicUsize>,
    pub room: Arc<Notify>,
    pub settle: mpsc::UnboundedSender<Settlement>,
}

/// What one lane keeps while it runs.
struct Run {
    queue: Queue,
    pacer: Pacer,
    flow: Flow,
    variants: HashMap<(StreamId, u16), Arc<Variant>>,
    serial: u64,
    /// Permits that one message took last.
    cost: u32,
    limits: Limits,
}

/// How much may be handed and not durably settled, and how much one range takes.
#[derive(Clone, Copy)]
struct Limits {
    cap: usize,
    range: usize,
}

/// Rates from which a far end counts as fast.
const FAST: u32 = 50_000;

impl Limits {
    fn of(rate: Rate, window: usize) -> Self {
        let fast = rate.per_second.get() >= FAST;
        let (cap, range) = if fast { (5_000, 1_000) } else { (1_000, 250) };
        Self {
            cap: cap.max(2 * window),
            range,
        }
    }
}

impl Lane {
    pub async fn run(self, mut words: mpsc::UnboundedReceiver<Word>, stop: Stop) {
        let mut run = Run {
            queue: Queue::new(&self.name),
            pacer: Pacer::new(self.rate),
            flow: Flow::default(),
            variants: HashMap::new(),
            serial: self.serial,
            cost: 1,
            limits: Limits::of(self.rate, self.channel.capability().window),
        };
        let mut position = self.desk.writer.position();
        while !stop.is_cancelled() {
            position.borrow_and_update();
            run.queue.follow(&self.desk.ledger);
            while let Ok(word) = words.try_recv() {
                self.hear(&mut run, word);
            }
            if self.may_send(&run) && self.hand(&mut run, &stop).await {
                continue;
            }
            let wait = self.wait(&run);
            tokio::select! {
                changed = position.changed() => if changed.is_err() { return },
                Some(word) = words.recv() => self.hear(&mut run, word),
                () = self.room.notified() => {},
                () = tokio::time::sleep(wait) => {},
                () = stop.cancelled() => return,
            }
        }
    }

    fn hear(&self, run: &mut Run, word: Word) {
        let tick = self.desk.clock.tick();
        match word {
            Word::Again(block, index, at) => run.queue.put(block, index, at),
            Word::Slower(wait) => run.flow.slower(tick, wait),
            Word::Down => run.flow.down(tick),
            Word::Fine => {
                if run.flow.probing() {
                    self.note_link(LinkState::Up);
                }
                run.flow.fine();
            }
        }
    }

    /// Whether the channel can take anything now.
    fn may_send(&self, run: &Run) -> bool {
        if run.flow.paused(self.desk.clock.tick())
            || self.outstanding.load(Ordering::SeqCst) >= run.limits.cap
        {
            return false;
        }
        self.channel.health() == Health::Up
    }

    /// The link's state changes in the journal, once.
    fn note_link(&self, state: LinkState) {
        let known = self.desk.ledger.links().get(&self.name).map(|(s, ..)| *s);
        if known.is_some_and(|s| s != state) {
            let event = Event::Link {
                channel: self.name.clone(),
                state,
                class: FailureClass::LinkDown,
                code: String::new(),
            };
            drop(self.desk.writer.propose(Proposal::of(0, event)));
        }
    }

    fn wait(&self, run: &Run) -> Duration {
        let idle = if self.channel.health() == Health::Up {
            Duration::from_secs(1)
        } else {
            Duration::from_millis(100)
        };
        let due = run
            .queue
            .next_due()
            .map(|at| at.since(self.desk.clock.now()));
        let pause = run.flow.pause_left(self.desk.clock.tick());
        let next = due.unwrap_or(idle).max(pause);
        next.clamp(Duration::from_millis(5), idle)
    }

    /// About a twentieth of a second of the rate: what is more urgent overtakes soon, and the far end sees no bursts.
    fn slice(&self, run: &Run) -> usize {
        let share = self.rate.per_second.get() / 20 / run.cost.max(1);
        let share = usize::try_from(share).unwrap_or(usize::MAX).max(1);
        let room = run
            .limits
            .cap
            .saturating_sub(self.outstanding.load(Ordering::SeqCst));
        run.flow.shrink(share.min(run.limits.range)).min(room)
    }

    /// Hands the next slice; false when nothing is due.
    async fn hand(&self, run: &mut Run, stop: &Stop) -> bool {
        if run.flow.probing() {
            self.note_link(LinkState::Probing);
        }
        let slice = self.slice(run);
        let taken = run
            .queue
            .take(&self.desk.ledger, slice, self.desk.clock.now());
        if taken.is_empty() {
            return false;
        }
        let mut messages = Vec::with_capacity(taken.len());
        let mut permits = 0;
        for one in &taken {
            let variant = self.variant(run, one).await;
            run.cost = variant.as_ref().map_or(1, |v| self.channel.cost(v));
            permits += run.cost;
            messages.push(variant);
        }
        tokio::select! {
            () = run.pacer.take(run.flow.stretch(permits)) => {},
            // Nothing was handed: the places are found again at the next start.
            () = stop.cancelled() => return false,
        }
        let first = run.serial + 1;
        run.serial += u64::try_from(taken.len()).unwrap_or(0);
        let events = handed(&self.name, &taken, first);
        self.outstanding.fetch_add(taken.len(), Ordering::SeqCst);
        let commit = self.desk.writer.propose(Proposal {
            events,
            ..Proposal::default()
        });
        match commit.await {
            Ok(_) => self.send(taken, messages, first),
            Err(refused) => {
                tracing::warn!(channel = self.name, %refused, "nothing is sent while the journal takes nothing");
                self.outstanding.fetch_sub(taken.len(), Ordering::SeqCst);
                run.queue.give_back(taken);
                run.flow
                    .pause(self.desk.clock.tick(), Duration::from_millis(500));
            }
        }
        true
    }

    async fn variant(&self, run: &mut Run, one: &Taken) -> Option<Arc<Variant>> {
        let place = (one.block.stream, one.block.variant(one.index));
        if let Some(variant) = run.variants.get(&place) {
            return Some(variant.clone());
        }
        let meta = one.alert.variant(place.1)?;
        let cap = self.store.document(one.alert.meta.document).await.ok()??;
        let text = self.store.document(meta.document).await.ok()??;
        let variant = Arc::new(plan::load(&text, &Bytes::from(cap))?);
        if run.variants.len() > 256 {
            run.variants.clear();
        }
        run.variants.insert(place, variant.clone());
        Some(variant)
    }

    /// What was handed goes out beside the lane; its outcomes go to the settler.
    fn send(&self, taken: Vec<Taken>, variants: Vec<Option<Arc<Variant>>>, serial: u64) {
        let registry = self.registry.read().clone();
        let mut outcomes = BatchOutcomes {
            places: Vec::with_capacity(taken.len()),
            give: self.settle.clone(),
        };
        let mut messages = Vec::with_capacity(taken.len());
        for ((n, one), variant) in (0_u64..).zip(taken).zip(variants) {
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
        let channel = self.channel.clone();
        tokio::spawn(async move { channel.send_all(&messages, &outcomes).await });
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
fn handed(channel: &str, taken: &[Taken], first: u64) -> Vec<(StreamId, Event)> {
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
