//! Who comes in at the officers' pages: a token is proved, whoever shows wrong ones waits, and what officers look at that
//! leaves the house is in the journal. This module must not know HTTP, and the journal holds no address: places are
//! told apart by a hash whose key is thrown away at every start.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use channel::Clock;
use parking_lot::Mutex;
use ring::hmac;
use ring::rand::SystemRandom;

use super::{Bureaus, Caller, Scope};
use crate::ledger::event::{Look, Looked};
use crate::ledger::{Event, Proposal, Refused, Writer};
use crate::model::{EndpointId, StreamId};

/// From so many wrong tokens on a place waits after each.
const PATIENCE: u32 = 5;
/// How long it waits. Nobody guesses 256 bits: this keeps the journal small, and a typing officer loses a minute at most.
pub const WAIT: Duration = Duration::from_mins(1);
/// After so long without a wrong token it is forgotten.
const FORGET: Duration = Duration::from_mins(10);
/// How many places are kept; the one that was wrong longest ago goes.
const MOST: usize = 4096;
/// How many refusals a minute are told to the journal, whatever their number.
const TOLD: u32 = 60;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoEntry {
    /// Nobody's token.
    Wrong,
    /// Too many wrong ones from this place: it waits for so long.
    Locked(Duration),
    /// Somebody's, who may not read.
    NoScope,
}

#[derive(Clone, Copy)]
struct Place {
    wrong: u32,
    last: Duration,
}

#[derive(Default)]
struct Places {
    by_hash: HashMap<u64, Place>,
    /// The minute that is counted, and how many refusals were told in it.
    minute: (Duration, u32),
}

pub struct Entry {
    bureaus: Arc<Bureaus>,
    writer: Writer,
    clock: Arc<dyn Clock>,
    key: hmac::Key,
    places: Mutex<Places>,
}

impl Entry {
    /// # Panics
    /// When the machine gives no random bytes.
    pub fn new(bureaus: Arc<Bureaus>, writer: Writer, clock: Arc<dyn Clock>) -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Self {
            bureaus,
            writer,
            clock,
            key: key.expect("the machine gives random bytes"),
            places: Mutex::default(),
        }
    }

    /// `from` is where the caller stands, as well as it is known.
    pub fn sign_in(&self, token: &str, from: &str) -> Result<Caller, NoEntry> {
        let (place, tick) = (self.place(from), self.clock.tick());
        if let Some(wait) = self.places.lock().wait(place, tick) {
            return Err(NoEntry::Locked(wait));
        }
        let Some(caller) = self.bureaus.prove(token) else {
            return Err(self.wrong(place, tick));
        };
        if !caller.may(Scope::Read) {
            return Err(NoEntry::NoScope);
        }
        self.places.lock().by_hash.remove(&place);
        self.note(Look::SignedIn, Some(&caller), None, place);
        Ok(caller)
    }

    pub fn sign_out(&self, caller: &Caller, from: &str) {
        let place = self.place(from);
        self.note(Look::SignedOut, Some(caller), None, place);
    }

    /// A list of an alert's doors leaves the house: not before that is in the journal.
    pub async fn export(
        &self,
        caller: &Caller,
        alert: StreamId,
        from: &str,
    ) -> Result<(), Refused> {
        let place = self.place(from);
        self.propose(Look::Exported, Some(caller), Some(alert), place)
            .await
    }

    /// Somebody's name and number are shown: not before that is in the journal.
    pub async fn unmask(&self, caller: &Caller, of: EndpointId, from: &str) -> Result<(), Refused> {
        let place = self.place(from);
        self.propose(Look::Unmasked, Some(caller), Some(of.into()), place)
            .await
    }

    fn wrong(&self, place: u64, tick: Duration) -> NoEntry {
        let mut places = self.places.lock();
        let wrong = places.wrong(place, tick);
        let told = places.may_tell(tick);
        drop(places);
        if wrong == PATIENCE {
            tracing::warn!(
                place = format!("{place:016x}"),
                "a place waits after wrong tokens for the console"
            );
        }
        if told {
            let locked = wrong >= PATIENCE;
            let what = if locked { Look::Locked } else { Look::Refused };
            self.note(what, None, None, place);
        }
        NoEntry::Wrong
    }

    /// Nobody waits for it; a lost one says nothing that matters.
    fn note(&self, what: Look, caller: Option<&Caller>, alert: Option<StreamId>, place: u64) {
        drop(self.propose(what, caller, alert, place));
    }

    fn propose(
        &self,
        what: Look,
        caller: Option<&Caller>,
        subject: Option<StreamId>,
        from: u64,
    ) -> impl Future<Output = Result<(), Refused>> + Send + use<> {
        let looked = Looked {
            officer: caller.map(|caller| caller.id.clone()),
            what,
            subject,
            from,
        };
        let done = self.writer.propose(Proposal::of(0, Event::Looked(looked)));
        async move { done.await.map(drop) }
    }

    fn place(&self, from: &str) -> u64 {
        let tag = hmac::sign(&self.key, from.as_bytes());
        let first = tag.as_ref().first_chunk().expect("32 bytes");
        u64::from_le_bytes(*first)
    }
}

impl Places {
    /// How long this place still waits.
    fn wait(&self, place: u64, tick: Duration) -> Option<Duration> {
        let held = self.by_hash.get(&place)?;
        let until = held.last + WAIT;
        (held.wrong >= PATIENCE && tick < until).then(|| until.saturating_sub(tick))
    }

    /// Another wrong token from here; gives how many there were.
    fn wrong(&mut self, place: u64, tick: Duration) -> u32 {
        let fresh = |held: &Place| tick.saturating_sub(held.last) < FORGET;
        self.by_hash.retain(|_, held| fresh(held));
        if self.by_hash.len() >= MOST && !self.by_hash.contains_key(&place) {
            let oldest = self.by_hash.iter().min_by_key(|(_, held)| held.last);
            let oldest = oldest.map(|(place, _)| *place);
            oldest.and_then(|place| self.by_hash.remove(&place));
        }
        let empty = Place {
            wrong: 0,
            last: tick,
        };
        let held = self.by_hash.entry(place).or_insert(empty);
        held.wrong = held.wrong.saturating_add(1);
        held.last = tick;
        held.wrong
    }

    fn may_tell(&mut self, tick: Duration) -> bool {
        if tick.saturating_sub(self.minute.0) >= Duration::from_mins(1) {
            self.minute = (tick, 0);
        }
        self.minute.1 += 1;
        self.minute.1 <= TOLD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_place_waits_a_minute_after_each_wrong_token_from_the_fifth_on() {
        let mut places = Places::default();
        for nth in 1..PATIENCE {
            assert_eq!(places.wrong(7, SECOND * nth), nth);
            assert_eq!(places.wait(7, SECOND * nth), None);
        }
        places.wrong(7, SECOND * 10);
        assert_eq!(places.wait(7, SECOND * 10), Some(WAIT));
        assert_eq!(
            places.wait(8, SECOND * 10),
            None,
            "another place is another"
        );
        assert_eq!(places.wait(7, SECOND * 10 + WAIT), None);
        places.wrong(7, SECOND * 80);
        assert_eq!(places.wait(7, SECOND * 81), Some(Duration::from_secs(59)));
        assert_eq!(places.wrong(7, SECOND * 80 + FORGET), 1, "it was forgotten");
    }

    #[test]
    fn a_flood_of_wrong_tokens_fills_neither_memory_nor_journal() {
        let mut places = Places::default();
        for place in 0..2 * MOST as u64 {
            places.wrong(place, Duration::from_millis(place));
        }
        assert_eq!(places.by_hash.len(), MOST);
        assert!(!places.by_hash.contains_key(&0), "the oldest has gone");
        let told = (0..1_000).filter(|_| places.may_tell(SECOND)).count();
        assert_eq!(told, TOLD as usize);
        assert!(places.may_tell(SECOND + Duration::from_mins(1)));
    }
}
