//! Which delivery a far end's reference speaks of. References live in memory as a keyed 64-bit hash, unique for each
//! account as long as their alert is open; an insert that meets another keeps its full text beside, and the newest holder
//! of a reused reference wins. What is sealed is forgotten, so memory follows what is open. A receipt that matches nothing lies in the inbox until its delivery settles. This module must not write: it is asked and told under one
//! lock, so that a receipt and the settlement it waits for never miss each other.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

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

/// A delivery, its part and its attempt in sixteen bytes: a million of them are held at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Packed {
    stream: StreamId,
    number: DeliveryNo,
    part: u8,
    attempt: u8,
}

impl Packed {
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
    inbox: HashMap<(String, String), Vec<(u64, InboxReceipt)>>,
    next: u64,
}

impl Correlator {
    /// From the inbox as the store holds it.
    pub fn restore(&mut self, rows: &[InboxRow]) {
        for row in rows {
            if let Ok(receipt) = postcard::from_bytes::<InboxReceipt>(&row.body) {
                let place = (receipt.channel.clone(), receipt.reference.clone());
                self.inbox.entry(place).or_default().push((row.id, receipt));
            }
            self.next = self.next.max(row.id);
        }
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
        (part, attempt): (u8, u8),
    ) -> Vec<Claimed> {
        let hash = self.hash(channel, reference);
        let target = Packed {
            stream: delivery.stream,
            number: delivery.number,
            part,
            attempt,
        };
        let free = self.hashed.get(&hash).is_none_or(|held| *held == target);
        let place = || (channel.to_owned(), reference.to_owned());
        if !free || (!self.full.is_empty() && self.full.contains_key(&place())) {
            let held = self.full.entry(place()).or_default();
            held.retain(|other| *other != target);
            held.push(target);
        } else {
            self.hashed.insert(hash, target);
        }
        if self.inbox.is_empty() {
            return Vec::new();
        }
        let found = target.found(MatchedBy::InboxOf(attempt));
        let waiting = self
            .inbox
            .remove(&(channel.to_owned(), reference.to_owned()))
            .unwrap_or_default();
        waiting
            .into_iter()
            .map(|(inbox, receipt)| Claimed {
                inbox,
                found,
                receipt,
            })
            .collect()
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
        let place = (receipt.channel.clone(), receipt.reference.clone());
        self.inbox
            .entry(place)
            .or_default()
            .push((self.next, receipt));
        row
    }

    /// Receipts that wait for their delivery; older than a minute they are orphans.
    pub fn waiting(&self) -> impl Iterator<Item = &InboxReceipt> {
        self.inbox.values().flatten().map(|(_, receipt)| receipt)
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
}
