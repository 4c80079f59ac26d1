//! Receipts on their way: waiting until they are due, or handed to a session and not yet answered. They belong to the
//! peer and not to a session, so whoever binds next gets them. This module must not know the wire.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use channel::Timestamp;
use parking_lot::Mutex;

use super::PeerConfig;
use super::spool::{self, Spool};

/// An address as the wire has it, 20 bytes at most: it lies in its letter, because letters are many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Number {
    bytes: [u8; 20],
    length: u8,
}

impl From<&[u8]> for Number {
    fn from(address: &[u8]) -> Self {
        let mut bytes = [0; 20];
        let length = address.len().min(bytes.len());
        bytes[..length].copy_from_slice(&address[..length]);
        let length = u8::try_from(length).unwrap_or(0);
        Self { bytes, length }
    }
}

impl From<&str> for Number {
    fn from(address: &str) -> Self {
        address.as_bytes().into()
    }
}

impl Number {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// A receipt that must be answered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Letter {
    /// Milliseconds on the peer's clock; first, so that letters sort by it.
    pub due: u64,
    pub id: u64,
    pub stat: &'static str,
    pub error: u16,
    pub source: Number,
    pub dest: Number,
}

/// Letters by when they are due. Where each is due after the one before, as with one delay for all, they stand in line
/// and nothing is sorted.
#[derive(Default)]
struct Waiting {
    line: VecDeque<Letter>,
    others: BinaryHeap<Reverse<Letter>>,
}

impl Waiting {
    fn put(&mut self, letter: Letter) {
        if self.line.back().is_none_or(|last| *last <= letter) {
            self.line.push_back(letter);
        } else {
            self.others.push(Reverse(letter));
        }
    }

    /// When the next one is due.
    fn next(&self) -> Option<u64> {
        let (first, other) = (self.line.front(), self.others.peek());
        let dues = first.into_iter().chain(other.map(|o| &o.0)).map(|l| l.due);
        dues.min()
    }

    fn take(&mut self) -> Option<Letter> {
        match (self.line.front(), self.others.peek()) {
            (Some(first), Some(other)) if other.0 < *first => self.others.pop().map(|o| o.0),
            (Some(_), _) => self.line.pop_front(),
            (None, _) => self.others.pop().map(|o| o.0),
        }
    }
}

pub(super) struct Post {
    next: AtomicU64,
    waiting: Mutex<Waiting>,
    outstanding: AtomicUsize,
    spool: Option<Mutex<Spool>>,
    attempts: Mutex<HashMap<Box<str>, u32>>,
    /// When the next segment may come, for the rate.
    allowed: Mutex<Duration>,
}

impl Post {
    pub fn open(config: &PeerConfig, now: Timestamp) -> std::io::Result<Self> {
        let (spool, letters, highest, attempts) = match &config.spool {
            Some(path) => {
                let (spool, found) = Spool::open(path)?;
                let spool = Some(Mutex::new(spool));
                (spool, found.letters, found.highest, found.attempts)
            }
            None => (None, Vec::new(), 0, HashMap::new()),
        };
        // A million ids for each millisecond of the start: no two runs share one.
        let begin = u64::try_from(now.0).unwrap_or(0) << 20;
        Ok(Self {
            next: AtomicU64::new(begin.max(highest + 1)),
            outstanding: AtomicUsize::new(letters.len()),
            waiting: Mutex::new(Waiting {
                line: VecDeque::new(),
                others: letters.into_iter().map(Reverse).collect(),
            }),
            spool,
            attempts: Mutex::new(attempts),
            allowed: Mutex::new(Duration::ZERO),
        })
    }

    pub fn id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Keeps the receipts of what one read brought; on disk first, and only then may the answers be written.
    pub fn keep(&self, letters: &mut Vec<Letter>) {
        if letters.is_empty() {
            return;
        }
        if let Some(spool) = &self.spool {
            let mut lines = String::with_capacity(letters.len() * 64);
            for letter in letters.iter() {
                spool::taken(letter, &mut lines);
            }
            spool.lock().write(&lines);
        }
        self.outstanding.fetch_add(letters.len(), Ordering::Relaxed);
        let mut waiting = self.waiting.lock();
        letters.drain(..).for_each(|letter| waiting.put(letter));
    }

    /// Receipts that were answered are done.
    pub fn done(&self, ids: &[u64]) {
        if ids.is_empty() {
            return;
        }
        if let Some(spool) = &self.spool {
            let mut lines = String::with_capacity(ids.len() * 24);
            for id in ids {
                spool::done(*id, &mut lines);
            }
            spool.lock().write(&lines);
        }
        self.outstanding.fetch_sub(ids.len(), Ordering::Relaxed);
    }

    /// Handed to a session and not answered: they go again.
    pub fn back(&self, letters: impl Iterator<Item = Letter>) {
        let mut waiting = self.waiting.lock();
        letters.for_each(|letter| waiting.put(letter));
    }

    /// Takes what is due, at most `most`; and says when the next one is, if any.
    pub fn due(&self, now: u64, most: usize, into: &mut Vec<Letter>) -> Option<u64> {
        let mut waiting = self.waiting.lock();
        while into.len() < most && waiting.next().is_some_and(|due| due <= now) {
            into.extend(waiting.take());
        }
        waiting.next()
    }

    /// The how-many-th message to this address; only the first part of a text counts.
    pub fn attempt(&self, dest: &str, counts: bool) -> u32 {
        let mut attempts = self.attempts.lock();
        let seen = match attempts.get_mut(dest) {
            Some(seen) => seen,
            None => attempts.entry(dest.into()).or_default(),
        };
        let more = u32::from(counts || *seen == 0);
        *seen += more;
        if let Some(spool) = self.spool.as_ref().filter(|_| more > 0) {
            let mut line = String::new();
            spool::counted(dest, more, &mut line);
            spool.lock().write(&line);
        }
        *seen
    }

    /// Whether one more segment fits the rate, with a burst of a tenth of a second.
    pub fn permits(&self, rate: u32, now: Duration) -> bool {
        let mut allowed = self.allowed.lock();
        if *allowed > now + Duration::from_millis(100) {
            return false;
        }
        *allowed = (*allowed).max(now) + Duration::from_secs(1) / rate.max(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_when_they_are_due_and_in_order() {
        let post = Post::open(&PeerConfig::default(), Timestamp(1)).unwrap();
        let letter = |id, due| Letter {
            due,
            id,
            stat: "DELIVRD",
            error: 0,
            source: Number::default(),
            dest: Number::default(),
        };
        post.keep(&mut vec![letter(1, 30), letter(2, 10), letter(3, 20)]);
        let mut out = Vec::new();
        assert_eq!(post.due(20, 9, &mut out), Some(30));
        assert_eq!(out.iter().map(|l| l.id).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(post.outstanding(), 3, "handed is not answered");
        post.done(&[2]);
        post.back(out.drain(1..));
        assert_eq!(
            (post.due(40, 1, &mut Vec::new()), post.outstanding()),
            (Some(30), 2)
        );
    }

    #[test]
    fn the_rate_lets_through_what_it_says() {
        let post = Post::open(&PeerConfig::default(), Timestamp(1)).unwrap();
        let passed = (0..10_000u64)
            .filter(|n| post.permits(100, Duration::from_micros(n * 100)))
            .count();
        assert!((100..=112).contains(&passed), "{passed} in a second");
    }
}
