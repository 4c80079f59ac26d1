//! One bound session as its users see it: slots of the window, bytes waiting to be written, and who waits for which
//! answer. Senders and the session task meet here under one short lock. This module must not do I/O.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use channel::{Failure, FailureClass};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use crate::group::{Group, Place};
use crate::pdu::{self, Body, MAX_SEQUENCE, Party, Pdu, Sm};
use crate::text::part_header;

/// What is counted over the life of a channel.
#[derive(Default)]
pub(crate) struct Counts {
    pub replies: AtomicU64,
    pub unreadable: AtomicU64,
    pub late: AtomicU64,
    pub overflow: AtomicU64,
}

impl Counts {
    pub fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

/// A request without its answer.
struct Waiting {
    /// `None` for the session's own `enquire_link`.
    whose: Option<(Arc<Group>, Place)>,
    /// The session's age when it was sent.
    born: u32,
    /// Where in the stream of all bytes ever written its last byte lies.
    end: u64,
}

/// Requests in the order of their sequence numbers, which is the order of their timeouts too.
#[derive(Default)]
struct Pending {
    first: u32,
    slots: VecDeque<Option<Waiting>>,
    open: usize,
}

impl Pending {
    fn push(&mut self, waiting: Waiting) -> u32 {
        let length = u32::try_from(self.slots.len()).unwrap_or(MAX_SEQUENCE);
        self.slots.push_back(Some(waiting));
        self.open += 1;
        wrap(self.first, length)
    }

    fn take(&mut self, sequence: u32) -> Option<Waiting> {
        if !(1..=MAX_SEQUENCE).contains(&sequence) {
            return None;
        }
        let offset = if sequence >= self.first {
            sequence - self.first
        } else {
            sequence + (MAX_SEQUENCE - self.first)
        };
        let found = self.slots.get_mut(offset as usize)?.take()?;
        self.open -= 1;
        while matches!(self.slots.front(), Some(None)) {
            self.drop_first();
        }
        Some(found)
    }

    fn drop_first(&mut self) -> Option<Waiting> {
        let first = self.slots.pop_front()?;
        self.first = wrap(self.first, 1);
        first
    }
}

const fn wrap(first: u32, offset: u32) -> u32 {
    // 1..=MAX, as a ring; done in 64 bits so that it cannot overflow.
    let moved = (first as u64 - 1 + offset as u64) % MAX_SEQUENCE as u64;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below MAX_SEQUENCE, which is a u32"
    )]
    {
        moved as u32 + 1
    }
}

/// How many ages an answer may take: the session counts its age in tenths of the answer timeout.
pub(crate) const AGES: u32 = 10;

struct Inner {
    out: Vec<u8>,
    /// Bytes ever put into `out`.
    appended: u64,
    pending: Pending,
    age: u32,
    /// New messages are taken.
    taking: bool,
    /// The socket is there.
    open: bool,
}

pub(crate) struct Live {
    pub slots: Semaphore,
    /// There are bytes to write.
    pub wake: Notify,
    /// Receipts that were handed on and are not answered.
    pub unanswered: AtomicUsize,
    inner: Mutex<Inner>,
}

/// What became of answers and timeouts that were counted together.
#[derive(Default)]
pub(crate) struct Freed(Vec<(Arc<Group>, Place, Result<String, Failure>)>);

impl Freed {
    fn settle(&mut self, waiting: Waiting, result: Result<String, Failure>) {
        if let Some((group, place)) = waiting.whose {
            self.0.push((group, place, result));
        }
    }

    /// Settles them, gives the slots back and wakes the senders, once for many answers.
    pub fn done(self, live: &Live) {
        let slots = self.0.len();
        let groups = self.settled();
        if slots > 0 {
            live.slots.add_permits(slots);
        }
        for group in groups {
            group.ready.notify_one();
        }
    }

    /// Tells each group what became of its own, and says which they are.
    fn settled(self) -> Vec<Arc<Group>> {
        let mut groups: Vec<Arc<Group>> = Vec::new();
        let mut rest = self.0.into_iter().peekable();
        while let Some((group, place, result)) = rest.next() {
            let mut settling = group.settling();
            settling.settle(place, result);
            while let Some((_, place, result)) =
                rest.next_if(|(other, ..)| Arc::ptr_eq(other, &group))
            {
                settling.settle(place, result);
            }
            drop(settling);
            groups.push(group);
        }
        groups
    }
}

/// One message of a run, with a slot for each of its parts.
pub(crate) struct Run<'a> {
    /// Its place in the batch.
    pub index: usize,
    pub dest: &'a str,
    /// Joins its parts.
    pub reference: u8,
}

impl Live {
    /// `next` is the first sequence number after the bind's own.
    pub fn new(window: usize, next: u32) -> Self {
        Self {
            slots: Semaphore::new(window),
            wake: Notify::new(),
            unanswered: AtomicUsize::new(0),
            inner: Mutex::new(Inner {
                out: Vec::with_capacity(64 * 1024),
                appended: 0,
                pending: Pending {
                    first: next,
                    ..Pending::default()
                },
                age: 0,
                taking: true,
                open: true,
            }),
        }
    }

    /// Puts messages into the stream, each with all its parts in order; `sm` and `parts` are what they have in common.
    /// The caller holds a slot for each part. False, and nothing is sent, when the session is over.
    pub fn submit(
        &self,
        group: &Arc<Group>,
        run: &[Run<'_>],
        sm: &Sm<'_>,
        parts: &[Vec<u8>],
    ) -> bool {
        let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let mut inner = self.inner.lock();
        if !inner.taking {
            return false;
        }
        for one in run {
            let dest = Party {
                address: one.dest.as_bytes(),
                ..sm.dest
            };
            for (part, text) in (0..total).zip(parts) {
                let header = part_header(one.reference, total, part + 1);
                let header: &[u8] = if total > 1 { &header } else { &[] };
                let body = Body::SubmitSm(Sm {
                    dest,
                    header,
                    text,
                    ..*sm
                });
                let index = one.index;
                inner.request(body, Some((group.clone(), Place { index, part, total })));
            }
        }
        true
    }

    pub fn enquire(&self) {
        self.inner.lock().request(Body::EnquireLink, None);
        self.wake.notify_one();
    }

    /// Answers and whatever else needs no answer of its own.
    pub fn put(&self, pdus: impl Iterator<Item = (u32, u32, Body<'static>)>) {
        let mut inner = self.inner.lock();
        if !inner.open {
            return;
        }
        for (sequence, status, body) in pdus {
            inner.append(&Pdu {
                status,
                sequence,
                body,
            });
        }
        drop(inner);
        self.wake.notify_one();
    }

    /// Gives the waiting bytes to the session task, in exchange for its empty buffer.
    pub fn swap(&self, buffer: &mut Vec<u8>) {
        buffer.clear();
        std::mem::swap(&mut self.inner.lock().out, buffer);
    }

    /// Says how many answers nobody waits for.
    pub fn answer(
        &self,
        answers: impl Iterator<Item = (u32, Result<String, Failure>)>,
        freed: &mut Freed,
    ) -> u64 {
        let mut late = 0;
        let mut inner = self.inner.lock();
        for (sequence, result) in answers {
            match inner.pending.take(sequence) {
                Some(waiting) => freed.settle(waiting, result),
                None => late += 1,
            }
        }
        late
    }

    /// One age passes. What waited its time is in doubt; true when an `enquire_link` is among it.
    pub fn grow(&self, freed: &mut Freed) -> bool {
        let mut inner = self.inner.lock();
        inner.age += 1;
        let mut dead = false;
        loop {
            match inner.pending.slots.front() {
                Some(Some(first)) if inner.age - first.born > AGES => inner.pending.open -= 1,
                Some(None) => {}
                _ => return dead,
            }
            if let Some(waiting) = inner.pending.drop_first() {
                dead |= waiting.whose.is_none();
                freed.settle(waiting, Err(silent()));
            }
        }
    }

    pub fn waiting(&self) -> usize {
        self.inner.lock().pending.open
    }

    /// No new message is taken; those under way go on.
    pub fn shut(&self) {
        self.inner.lock().taking = false;
        self.slots.close();
    }

    /// The socket is gone after `written` bytes. Whatever lay wholly within them may have arrived.
    pub fn close(&self, written: u64, code: &'static str) {
        self.shut();
        let mut freed = Freed::default();
        let mut inner = self.inner.lock();
        inner.open = false;
        while let Some(slot) = inner.pending.slots.pop_front() {
            let Some(waiting) = slot else { continue };
            let failure = if waiting.end <= written {
                lost(code)
            } else {
                unwritten(code)
            };
            freed.settle(waiting, Err(failure));
        }
        inner.pending.open = 0;
        drop(inner);
        for group in freed.settled() {
            group.ready.notify_one();
        }
    }
}

impl Inner {
    fn request(&mut self, body: Body<'_>, whose: Option<(Arc<Group>, Place)>) {
        let sequence = self.pending.push(Waiting {
            whose,
            born: self.age,
            end: 0,
        });
        self.append(&Pdu {
            status: 0,
            sequence,
            body,
        });
        if let Some(Some(last)) = self.pending.slots.back_mut() {
            last.end = self.appended;
        }
    }

    fn append(&mut self, pdu: &Pdu<'_>) {
        let before = self.out.len();
        pdu::encode(pdu, &mut self.out);
        self.appended += (self.out.len() - before) as u64;
    }
}

fn silent() -> Failure {
    Failure::new(
        FailureClass::InDoubt,
        "smpp:no-answer",
        "submit_sm was not answered in time; it may have been taken",
    )
}

fn lost(code: &'static str) -> Failure {
    Failure::new(
        FailureClass::InDoubt,
        code,
        "the session ended before submit_sm was answered; it may have been taken",
    )
}

pub(crate) fn unwritten(code: &'static str) -> Failure {
    Failure::new(
        FailureClass::LinkDown,
        code,
        "the session ended before submit_sm was written; nothing was sent",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(index: usize) -> [Run<'static>; 1] {
        [Run {
            index,
            dest: "",
            reference: 0,
        }]
    }

    #[test]
    fn sequence_numbers_begin_again_after_the_last() {
        let mut pending = Pending {
            first: MAX_SEQUENCE - 1,
            ..Pending::default()
        };
        let waiting = |end| Waiting {
            whose: None,
            born: 0,
            end,
        };
        let numbers: Vec<u32> = (0..4).map(|end| pending.push(waiting(end))).collect();
        assert_eq!(numbers, [MAX_SEQUENCE - 1, MAX_SEQUENCE, 1, 2]);
        assert_eq!(pending.take(1).unwrap().end, 2);
        assert!(pending.take(1).is_none());
        assert_eq!(pending.take(MAX_SEQUENCE - 1).unwrap().end, 0);
        assert_eq!(pending.take(MAX_SEQUENCE).unwrap().end, 1);
        assert_eq!((pending.first, pending.open), (2, 1));
        assert!(pending.take(0).is_none());
        assert!(pending.take(u32::MAX).is_none());
    }

    #[test]
    fn what_was_written_is_in_doubt_and_what_was_not_is_safe() {
        let live = Live::new(10, 2);
        let group = Arc::new(Group::default());
        assert!(live.submit(&group, &run(0), &Sm::default(), &[Vec::new()]));
        let mut buffer = Vec::new();
        live.swap(&mut buffer);
        let written = buffer.len() as u64;
        assert!(live.submit(&group, &run(1), &Sm::default(), &[Vec::new()]));
        // All but one byte of the second message went out: the far end cannot have read it.
        live.close(written * 2 - 1, "tcp:closed");
        let mut done = Vec::new();
        group.take(&mut done);
        let classes: Vec<_> = done
            .into_iter()
            .map(|(index, outcome)| (index, outcome.unwrap_err().class))
            .collect();
        assert_eq!(
            classes,
            [(0, FailureClass::InDoubt), (1, FailureClass::LinkDown)]
        );
        assert!(!live.submit(&group, &run(2), &Sm::default(), &[Vec::new()]));
    }

    #[test]
    fn silence_becomes_doubt_and_frees_the_slot() {
        let live = Live::new(1, 2);
        let group = Arc::new(Group::default());
        live.slots.try_acquire().unwrap().forget();
        live.submit(&group, &run(0), &Sm::default(), &[Vec::new()]);
        live.enquire();
        for age in 0..=AGES {
            let mut freed = Freed::default();
            assert_eq!(
                live.grow(&mut freed),
                age == AGES,
                "an unanswered enquire_link is told at its age"
            );
            freed.done(&live);
        }
        assert_eq!((live.slots.available_permits(), live.waiting()), (1, 0));
        let mut done = Vec::new();
        group.take(&mut done);
        assert_eq!(done[0].1.as_ref().unwrap_err().class, FailureClass::InDoubt);
    }
}
