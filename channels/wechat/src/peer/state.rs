//! What the peer remembers: whom it sent what, what it sent before, and whose quota is used up. This module must not answer.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::Value;

/// What a peer has seen and done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCounters {
    pub tokens: usize,
    pub forced: usize,
    pub requests: usize,
    /// Messages that went out to somebody.
    pub sent: usize,
    /// The same again, within the far end's time for it: not sent.
    pub repeats: usize,
    /// Beyond a member's quota: not sent, and answered as taken.
    pub dropped: usize,
}

#[derive(Default)]
pub(super) struct State {
    pub counters: PeerCounters,
    pub token: u64,
    /// The token that is taken, if any is.
    pub good: Option<String>,
    /// Answers that are given before any other, one a request.
    pub codes: VecDeque<i64>,
    /// Members that do not exist, in lower case, and members without a licence.
    pub invalid: HashSet<String>,
    pub unlicensed: HashSet<String>,
    /// By the id that is sent once, or the whole request: when, and the answer's message id.
    pub once: HashMap<String, (Duration, u64)>,
    pub by_member: HashMap<String, VecDeque<Duration>>,
    pub messages: u64,
    pub last: Value,
    /// What each address got.
    pub got: BTreeMap<String, Vec<Value>>,
}

impl State {
    /// The message that this was sent as, if that is not too long ago.
    pub fn known(&mut self, what: &str, now: Duration, window: Duration) -> Option<u64> {
        let (at, message) = *self.once.get(what)?;
        let fresh = at + window > now;
        self.counters.repeats += usize::from(fresh);
        fresh.then_some(message)
    }

    /// Thirty a minute; the others are dropped.
    pub fn within_quota<'a>(&mut self, ids: &[&'a str], now: Duration) -> Vec<&'a str> {
        let mut fit = Vec::new();
        for id in ids {
            let times = self.by_member.entry(id.to_lowercase()).or_default();
            while times
                .front()
                .is_some_and(|at| *at + Duration::from_mins(1) <= now)
            {
                times.pop_front();
            }
            if times.len() < 30 {
                times.push_back(now);
                fit.push(*id);
            } else {
                self.counters.dropped += 1;
            }
        }
        fit
    }

    pub fn send(&mut self, once: &str, to: &[&str], body: &Value, now: Duration) -> u64 {
        self.messages += 1;
        // Larger than a number that a JSON reader of doubles keeps.
        let message = (1 << 60) + self.messages;
        self.once.insert(once.to_owned(), (now, message));
        self.counters.sent += to.len();
        for address in to {
            self.got
                .entry((*address).to_owned())
                .or_default()
                .push(body.clone());
        }
        message
    }
}
