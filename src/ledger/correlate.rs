//! Which delivery a far end's reference speaks of. References live in memory as a keyed 64-bit hash, unique for each
//! account as long as their alert is open; an insert that meets another keeps its full text beside, and the newest holder
//! of a reused reference wins. What is sealed is forgotten, so memory follows what is open. A receipt that matches nothing
//! waits here until its delivery settles, and its row lies in the store's inbox; one that waited for a day is let go here,
//! and its row stays. This module must not write: it is asked and told under one lock, so that a receipt and the settlement
//! it waits for never miss each other.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::time::Duration;

use channel::Timestamp;

use super::event::{InboxReceipt, MatchedBy};
use crate::model::{Delivery, DeliveryNo, StreamId};
use crate::store::InboxRow;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    pub delivery: Delivery,
    pub part: u8,
    /// With the attempt that the reference came from.
    pub by: MatchedBy,
}

/// An inbox receipt that found its delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    pub inbox: u64,
    pub found: Found,
    pub receipt: InboxReceipt,
}

/// How long a receipt waits for its delivery. After a minute it is shown as an orphan; after a day nothing settles any more
/// that it could have overtaken, and an alarm that never ends is no alarm.
const KEPT: Duration = Duration::from_hours(24);
/// So many wait at most, the youngest: a far end that makes up its receipts must not fill the memory.
const WAITING: usize = 100_000;

/// So many of the latest holders of one reference are known.
const HOLDERS: usize = 64;

/// A delivery, its part and its attempt in sixteen bytes: a million of them are held at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Packed {
    stream: StreamId,
    number: DeliveryNo,
    part: u8,
    attempt: u8,
}

impl Packed {
    const fn new(delivery: Delivery, (part, attempt): (u8, u8)) -> Self {
        Self {
            stream: delivery.stream,
            number: delivery.number,
            part,
            attempt,
        }
    }

    fn found(self, by: MatchedBy) -> Found {
        let (stream, number) = (self.stream, self.number);
        Found {
            delivery: Delivery { stream, number },
            part: self.part,
            by,
        }
    }
}

/// The keys are keyed hashes already: they are not hashed once more.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Default)]
pub struct Correlator {
    keys: RandomState,
    hashed: HashMap<u64, Packed, BuildHasherDefault<AsIs>>,
    /// References whose hash was taken already, in full, the newest holder last.
    full: HashMap<(String, String), Vec<Packed>>,
    /// What waits, by its number in the inbox: the oldest first.
    inbox: BTreeMap<u64, InboxReceipt>,
    places: HashMap<(String, String), Vec<u64>>,
    next: u64,
}

fn place_of(receipt: &InboxReceipt) -> (String, String) {
    (receipt.channel.clone(), receipt.reference.clone())
}

impl Correlator {
    /// From the inbox as the store holds it.
    pub fn restore(&mut self, rows: &[InboxRow]) {
        for row in rows {
            match postcard::from_bytes::<InboxReceipt>(&row.body) {
                Ok(receipt) => self.wait(row.id, receipt),
                Err(why) => {
                    tracing::warn!(inbox = row.id, %why, "a row of the inbox is not of this version; it stays there");
                }
            }
            self.next = self.next.max(row.id);
        }
    }

    fn wait(&mut self, id: u64, receipt: InboxReceipt) {
        self.places.entry(place_of(&receipt)).or_default().push(id);
        self.inbox.insert(id, receipt);
        while self.inbox.len() > WAITING {
            let oldest = self.inbox.first_key_value().map(|(id, _)| *id);
            oldest.and_then(|id| self.remove(id));
        }
    }

    fn remove(&mut self, id: u64) -> Option<InboxReceipt> {
        let receipt = self.inbox.remove(&id)?;
        let place = place_of(&receipt);
        if let Some(ids) = self.places.get_mut(&place) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.places.remove(&place);
            }
        }
        Some(receipt)
    }

    fn hash(&self, channel: &str, reference: &str) -> u64 {
        self.keys.hash_one((channel, reference))
    }

    pub fn lookup(&self, channel: &str, reference: &str) -> Option<Found> {
        if !self.full.is_empty() {
            let place = (channel.to_owned(), reference.to_owned());
            if let Some(target) = self.full.get(&place).and_then(|held| held.last()) {
                return Some(target.found(MatchedBy::ReferenceOf(target.attempt)));
            }
        }
        self.hashed
            .get(&self.hash(channel, reference))
            .map(|target| target.found(MatchedBy::ReferenceOf(target.attempt)))
    }

    /// An attempt settled with this reference; returns the receipts that came before it.
    pub fn settled(
        &mut self,
        channel: &str,
        reference: &str,
        delivery: Delivery,
        place: (u8, u8),
    ) -> Vec<Claimed> {
        let target = Packed::new(delivery, place);
        let hash = self.hash(channel, reference);
        let free = self.hashed.get(&hash).is_none_or(|held| *held == target);
        let place = || (channel.to_owned(), reference.to_owned());
        if !free || (!self.full.is_empty() && self.full.contains_key(&place())) {
            let held = self.full.entry(place()).or_default();
            held.retain(|other| *other != target);
            held.push(target);
            // A far end that gives everybody one reference must not cost more with each.
            if held.len() > HOLDERS {
                held.remove(0);
            }
        } else {
            self.hashed.insert(hash, target);
        }
        if self.inbox.is_empty() {
            return Vec::new();
        }
        let claimed = self.claims(channel, reference, target);
        for one in &claimed {
            self.remove(one.inbox);
        }
        claimed
    }

    /// A reference of an alert that was sealed and is back: its oldest holder. What waits for it goes on waiting, until its
    /// commit is durable and it is told to [`Self::drop_all`].
    pub fn learn(
        &mut self,
        channel: &str,
        reference: &str,
        delivery: Delivery,
        place: (u8, u8),
    ) -> Vec<Claimed> {
        let target = Packed::new(delivery, place);
        let hash = self.hash(channel, reference);
        match self.hashed.insert(hash, target) {
            // Whoever held it meanwhile is newer.
            Some(newer) if newer != target => {
                let place = (channel.to_owned(), reference.to_owned());
                let held = self.full.entry(place).or_default();
                if held.len() < HOLDERS {
                    held.insert(0, newer);
                }
            }
            _ => {}
        }
        self.claims(channel, reference, target)
    }

    fn claims(&self, channel: &str, reference: &str, target: Packed) -> Vec<Claimed> {
        let found = target.found(MatchedBy::InboxOf(target.attempt));
        let place = (channel.to_owned(), reference.to_owned());
        let waiting = self.places.get(&place).into_iter().flatten();
        let claim = |id: &u64| {
            Some(Claimed {
                inbox: *id,
                found,
                receipt: self.inbox.get(id)?.clone(),
            })
        };
        waiting.filter_map(claim).collect()
    }

    /// Its alert is sealed: nothing matches its references any longer, and their room is given back.
    pub fn forget(&mut self, stream: StreamId) {
        self.hashed.retain(|_, target| target.stream != stream);
        self.full.retain(|_, held| {
            held.retain(|target| target.stream != stream);
            !held.is_empty()
        });
        if self.hashed.capacity() / 4 > self.hashed.len() {
            self.hashed.shrink_to(self.hashed.len() * 2);
        }
    }

    /// Keeps a receipt that matches nothing yet; the row goes to the store.
    pub fn keep(&mut self, receipt: InboxReceipt) -> InboxRow {
        self.next += 1;
        let body = postcard::to_stdvec(&receipt).expect("a Vec takes every receipt");
        let row = InboxRow {
            id: self.next,
            seen: receipt.seen,
            body,
        };
        self.wait(row.id, receipt);
        row
    }

    /// These wait no longer: they are in the journal, or the store did not take them and the far end says them again.
    pub fn drop_all(&mut self, inbox: &[u64]) {
        for id in inbox {
            self.remove(*id);
        }
    }

    /// Lets go of what has waited for too long; the rows stay in the store. Gives how many there were.
    pub fn let_go(&mut self, now: Timestamp) -> usize {
        let before = now.minus(KEPT);
        let old: Vec<u64> = self
            .inbox
            .iter()
            .filter(|(_, receipt)| receipt.seen < before)
            .map(|(id, _)| *id)
            .collect();
        self.drop_all(&old);
        old.len()
    }

    /// Receipts that wait for their delivery; older than a minute they are orphans.
    pub fn waiting(&self) -> impl Iterator<Item = &InboxReceipt> {
        self.inbox.values()
    }
}

#[cfg(test)]
mod tests {
    use channel::{Evidence, Timestamp, Verdict};

    use super::*;

    fn delivery(number: u32) -> Delivery {
        Delivery { stream: 1, number }
    }

    fn receipt(reference: &str) -> InboxReceipt {
        InboxReceipt {
            channel: "a".into(),
            reference: reference.into(),
            key: None,
            verdict: Verdict::Reached(Evidence::Delivered),
            code: "DELIVRD".into(),
            far: None,
            seen: Timestamp(5),
        }
    }

    #[test]
    fn a_reference_belongs_to_its_channel() {
        let mut correlator = Correlator::default();
        assert_eq!(correlator.settled("a", "7", delivery(1), (0, 1)), []);
        assert_eq!(correlator.settled("b", "7", delivery(2), (0, 1)), []);
        assert_eq!(
            correlator.lookup("a", "7").map(|f| f.delivery),
            Some(delivery(1))
        );
        assert_eq!(
            correlator.lookup("b", "7").map(|f| f.delivery),
            Some(delivery(2))
        );
        assert_eq!(correlator.lookup("c", "7"), None);
    }

    #[test]
    fn the_newest_holder_of_a_reused_reference_wins() {
        let mut correlator = Correlator::default();
        correlator.settled("a", "7", delivery(1), (0, 1));
        correlator.settled("a", "7", delivery(2), (1, 1));
        let found = correlator.lookup("a", "7").expect("found");
        assert_eq!((found.delivery, found.part), (delivery(2), 1));
        correlator.settled("a", "7", delivery(1), (0, 1));
        let found = correlator.lookup("a", "7").expect("found");
        assert_eq!((found.delivery, found.part), (delivery(1), 0));
    }

    #[test]
    fn what_is_forgotten_matches_nothing_and_gives_its_room_back() {
        let mut correlator = Correlator::default();
        for number in 0..100_000_u32 {
            let stream = 1 + u64::from(number % 10 / 9);
            let delivery = Delivery { stream, number };
            correlator.settled("a", &number.to_string(), delivery, (0, 1));
        }
        let before = correlator.hashed.capacity();
        correlator.forget(1);
        assert_eq!(correlator.lookup("a", "10"), None);
        let found = correlator.lookup("a", "19").expect("still open");
        assert_eq!((found.delivery.stream, found.delivery.number), (2, 19));
        assert!(correlator.hashed.len() == 10_000 && correlator.hashed.capacity() <= before / 3);
        correlator.forget(2);
        assert!(correlator.hashed.is_empty() && correlator.hashed.capacity() < 16);
    }

    #[test]
    fn whoever_holds_a_reference_is_found_again_when_the_newer_are_forgotten() {
        let at = |stream| Delivery { stream, number: 1 };
        let holder = |c: &Correlator| c.lookup("a", "7").map(|f| f.delivery.stream);
        let mut correlator = Correlator::default();
        for stream in [1, 2, 3, 1] {
            correlator.settled("a", "7", at(stream), (0, 1));
            assert_eq!(holder(&correlator), Some(stream));
        }
        correlator.forget(1);
        assert_eq!(holder(&correlator), Some(3));
        correlator.forget(3);
        assert_eq!(holder(&correlator), Some(2));
        correlator.forget(2);
        assert_eq!(holder(&correlator), None);
        assert!(correlator.full.is_empty());
    }

    #[test]
    fn a_reference_knows_the_attempt_that_it_came_from() {
        let mut correlator = Correlator::default();
        correlator.settled("a", "7", delivery(1), (1, 2));
        let found = correlator.lookup("a", "7").expect("found");
        assert_eq!((found.part, found.by), (1, MatchedBy::ReferenceOf(2)));
        correlator.keep(receipt("8"));
        let claimed = correlator.settled("a", "8", delivery(1), (0, 3));
        assert_eq!(claimed[0].found.by, MatchedBy::InboxOf(3));
    }

    #[test]
    fn a_receipt_that_came_first_is_claimed_once_also_after_a_restart() {
        let mut correlator = Correlator::default();
        let row = correlator.keep(receipt("7"));
        let mut correlator = Correlator::default();
        correlator.restore(std::slice::from_ref(&row));
        assert_eq!(correlator.lookup("a", "7"), None);
        let claimed = correlator.settled("a", "7", delivery(1), (0, 1));
        assert_eq!(claimed.len(), 1);
        assert_eq!(
            (claimed[0].inbox, claimed[0].found.by),
            (row.id, MatchedBy::InboxOf(1))
        );
        assert_eq!(correlator.settled("a", "7", delivery(1), (0, 1)), []);
        assert_ne!(correlator.keep(receipt("8")).id, row.id);
    }

    #[test]
    fn an_orphan_is_shown_for_a_day_and_then_lies_in_the_store_alone() {
        let day = 24 * 3_600_000;
        let mut correlator = Correlator::default();
        let old = correlator.keep(receipt("7"));
        let mut young = receipt("8");
        young.seen = Timestamp(6);
        correlator.keep(young);
        assert_eq!(correlator.let_go(Timestamp(5 + day)), 0);
        assert_eq!(correlator.let_go(Timestamp(6 + day)), 1);
        let left: Vec<_> = correlator.waiting().map(|r| r.reference.as_str()).collect();
        assert_eq!(left, ["8"]);
        assert_eq!(correlator.settled("a", "7", delivery(1), (0, 1)), []);
        assert_eq!(correlator.settled("a", "8", delivery(2), (0, 1)).len(), 1);
        // A start reads it again and numbers on from it.
        let mut again = Correlator::default();
        again.restore(std::slice::from_ref(&old));
        assert_eq!(again.let_go(Timestamp(6 + day)), 1);
        assert!(again.keep(receipt("9")).id > old.id && again.places.len() == 1);
    }

    #[test]
    fn however_many_receipts_a_far_end_makes_up_so_many_wait_and_no_more() {
        let mut correlator = Correlator::default();
        for number in 0..WAITING + 3 {
            correlator.keep(receipt(&number.to_string()));
        }
        assert_eq!(correlator.waiting().count(), WAITING);
        assert_eq!(correlator.places.len(), WAITING);
        assert_eq!(correlator.settled("a", "2", delivery(1), (0, 1)), []);
        assert_eq!(correlator.settled("a", "3", delivery(2), (0, 1)).len(), 1);
    }

    #[test]
    fn an_alert_that_is_back_holds_its_references_behind_whoever_holds_them_now() {
        let at = |stream| Delivery { stream, number: 1 };
        let mut correlator = Correlator::default();
        correlator.settled("a", "7", at(2), (0, 1));
        let row = correlator.keep(receipt("8"));
        assert_eq!(correlator.learn("a", "7", at(1), (0, 1)), []);
        let waits = correlator.learn("a", "8", at(1), (0, 2));
        assert_eq!((waits.len(), waits[0].inbox), (1, row.id));
        assert_eq!(correlator.waiting().count(), 1, "until it is durable");
        correlator.drop_all(&[row.id]);
        assert_eq!(correlator.waiting().count(), 0);
        let holder = |c: &Correlator, of| c.lookup("a", of).map(|f| f.delivery.stream);
        assert_eq!(
            (holder(&correlator, "7"), holder(&correlator, "8")),
            (Some(2), Some(1))
        );
        correlator.forget(2);
        assert_eq!(holder(&correlator, "7"), Some(1));
    }

    #[test]
    fn a_far_end_that_gives_everybody_one_reference_is_known_by_its_latest_holders() {
        let mut correlator = Correlator::default();
        for number in 0..100_000 {
            correlator.settled("a", "0", delivery(number), (0, 1));
        }
        let place = ("a".to_owned(), "0".to_owned());
        assert_eq!(correlator.full[&place].len(), HOLDERS);
        let found = correlator.lookup("a", "0").expect("found");
        assert_eq!(found.delivery, delivery(99_999));
    }

    #[test]
    fn what_the_store_did_not_take_does_not_wait() {
        let mut correlator = Correlator::default();
        let (first, second) = (correlator.keep(receipt("7")), correlator.keep(receipt("7")));
        correlator.drop_all(&[first.id]);
        let claimed = correlator.settled("a", "7", delivery(1), (0, 1));
        assert_eq!(claimed.len(), 1);
        assert_eq!(claimed[0].inbox, second.id);
        assert!(correlator.inbox.is_empty() && correlator.places.is_empty());
    }
}
