//! What one lane has to do, in its order: a cursor over each block, and what comes back at its time. The most urgent
//! rank first, what comes back ahead of what is new. The queue holds places, the ledger holds the truth: whatever is no
//! longer open when its turn comes is passed over. This module must not send or wait.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use channel::Timestamp;

use crate::ledger::event::Why;
use crate::ledger::{Alert, Block, IN_DOUBT, Ledger};
use crate::model::State;

/// One delivery whose turn has come.
pub struct Taken {
    pub alert: Arc<Alert>,
    pub block: Arc<Block>,
    pub index: usize,
    pub attempt: u8,
    pub why: Why,
}

/// A place in a block.
type Place = (Arc<Block>, usize);

#[derive(Default)]
pub struct Queue {
    channel: String,
    seen: usize,
    /// Rank, then the order in which blocks came: the next index of each.
    cursors: BTreeMap<(u64, u64), Place>,
    ready: BTreeMap<(u64, u64), Place>,
    later: BinaryHeap<Reverse<(Timestamp, u64)>>,
    places: BTreeMap<u64, Place>,
    next: u64,
}

impl Queue {
    pub fn new(channel: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            ..Self::default()
        }
    }

    /// Takes in the blocks that were written since the last look.
    pub fn follow(&mut self, ledger: &Ledger) {
        let fresh = ledger.blocks_since(self.seen);
        self.seen += fresh.len();
        for block in fresh {
            if block.channel != self.channel {
                continue;
            }
            let Some(alert) = ledger.alert(block.stream) else {
                continue;
            };
            // Only after a restart is anything of a block due already.
            if block.tally(State::Due) > 0 {
                for i in (0..block.len() as usize).filter(|i| block.state(*i) == State::Due) {
                    let at = alert
                        .at
                        .plus(std::time::Duration::from_millis(u64::from(block.due(i))));
                    self.put(block.clone(), i, at);
                }
            }
            self.next += 1;
            self.cursors.insert((block.rank, self.next), (block, 0));
        }
    }

    /// Comes back at `at`.
    pub fn put(&mut self, block: Arc<Block>, index: usize, at: Timestamp) {
        self.next += 1;
        self.later.push(Reverse((at, self.next)));
        self.places.insert(self.next, (block, index));
    }

    /// Whether anything may be left to do.
    pub fn has_work(&self) -> bool {
        !(self.cursors.is_empty() && self.ready.is_empty() && self.later.is_empty())
    }

    /// When the next one comes back; `None` when nothing waits.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.later.peek().map(|Reverse((at, _))| *at)
    }

    /// Up to `limit` deliveries of one rank whose turn has come.
    pub fn take(&mut self, ledger: &Ledger, limit: usize, now: Timestamp) -> Vec<Taken> {
        self.wake(now);
        let mut out = Vec::new();
        let mut known: Option<Arc<Alert>> = None;
        let mut rank = None;
        while out.len() < limit {
            let best = self.ready.first_key_value().map(|(key, _)| key.0);
            let fresh = self.cursors.first_key_value().map(|(key, _)| key.0);
            let top = best.into_iter().chain(fresh).min();
            if top.is_none() || rank.is_some_and(|rank| Some(rank) != top) {
                break;
            }
            rank = top;
            let from_ready = best == top;
            let place = if from_ready {
                self.pop_ready()
            } else {
                self.pop_cursor()
            };
            let Some((block, index)) = place else {
                continue;
            };
            if !is_open(&block, index, from_ready) {
                continue;
            }
            if known
                .as_ref()
                .is_none_or(|alert| alert.stream != block.stream)
            {
                known = ledger.alert(block.stream);
            }
            let Some(alert) = &known else { continue };
            // Its time is over: the tick closes it.
            if alert
                .expiry_of(block.variant(index))
                .is_none_or(|at| at <= now)
            {
                continue;
            }
            out.push(taken(alert.clone(), block, index));
        }
        out
    }

    /// What is due by now becomes ready.
    fn wake(&mut self, now: Timestamp) {
        while let Some(Reverse((at, n))) = self.later.peek().copied() {
            if at > now {
                break;
            }
            self.later.pop();
            if let Some(place) = self.places.remove(&n) {
                self.ready.insert((place.0.rank, n), place);
            }
        }
    }

    /// Nothing of it was handed after all.
    pub fn give_back(&mut self, taken: Vec<Taken>) {
        for one in taken {
            self.next += 1;
            self.ready
                .insert((one.block.rank, self.next), (one.block, one.index));
        }
    }

    fn pop_ready(&mut self) -> Option<Place> {
        self.ready.pop_first().map(|(_, place)| place)
    }

    fn pop_cursor(&mut self) -> Option<Place> {
        let mut first = self.cursors.first_entry()?;
        let (block, index) = first.get_mut();
        let place = (block.clone(), *index);
        *index += 1;
        if *index >= block.len() as usize {
            first.remove();
        }
        (place.1 < place.0.len() as usize).then_some(place)
    }
}

/// What was given back stands among the ready and is still planned.
fn is_open(block: &Block, index: usize, from_ready: bool) -> bool {
    match block.state(index) {
        State::Planned => true,
        State::Due => from_ready,
        _ => false,
    }
}

fn taken(alert: Arc<Alert>, block: Arc<Block>, index: usize) -> Taken {
    let attempt = block.attempts(index).saturating_add(1);
    let why = match attempt {
        _ if block.flag(index, IN_DOUBT) => Why::InDoubt,
        1 => Why::First,
        _ => Why::Retry,
    };
    Taken {
        alert,
        block,
        index,
        attempt,
        why,
    }
}
