//! One bound session as its users see it: slots of the window, bytes waiting to be written, and who waits for which
//! answer. Senders and the session task meet here under one short lock. This module must not do I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use channel::{Failure, FailureClass};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use super::group::{Group, Place};
use super::pending::{Pending, Waiting};
use crate::dialect::{Ack, Dialect, LOGIN_SEQUENCE, Part, Sheet, Words};

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
    /// Receipts and replies that were handed on and are not answered.
    pub unanswered: AtomicUsize,
    dialect: Arc<dyn Dialect>,
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
    pub reference: u16,
}

impl Live {
    pub fn new(window: usize, dialect: Arc<dyn Dialect>) -> Self {
        Self {
            slots: Semaphore::new(window),
            wake: Notify::new(),
            unanswered: AtomicUsize::new(0),
            dialect,
            inner: Mutex::new(Inner {
                out: Vec::with_capacity(64 * 1024),
                appended: 0,
                pending: Pending {
                    first: LOGIN_SEQUENCE + 1,
                    ..Pending::default()
                },
                age: 0,
                taking: true,
                open: true,
            }),
        }
    }

    pub fn words(&self) -> &'static Words {
        self.dialect.words()
    }

    /// Puts messages into the stream, each with all its parts in order; the sheet is what they have in common. The
    /// caller holds a slot for each part. False, and nothing is sent, when the session is over.
    pub fn submit(&self, group: &Arc<Group>, run: &[Run<'_>], sheet: &Sheet) -> bool {
        let total = u8::try_from(sheet.text.parts.len()).unwrap_or(u8::MAX);
        let mut inner = self.inner.lock();
        if !inner.taking {
            return false;
        }
        for one in run {
            for (part, text) in (0..total).zip(&sheet.text.parts) {
                let header = sheet.text.header(one.reference, part + 1);
                let index = one.index;
                let wire = Part {
                    dest: one.dest,
                    header: header.bytes(),
                    text,
                    number: part + 1,
                    total,
                };
                let whose = Some((group.clone(), Place { index, part, total }));
                inner.request(whose, |sequence, out| {
                    self.dialect.submit(sheet, &wire, sequence, out);
                });
            }
        }
        true
    }

    /// Asks the far end for a sign of life.
    pub fn enquire(&self) {
        let ask = |sequence, out: &mut Vec<u8>| self.dialect.enquire(sequence, out);
        self.inner.lock().request(None, ask);
        self.wake.notify_one();
    }

    pub fn farewell(&self) {
        self.append(|out| self.dialect.farewell(crate::dialect::MAX_SEQUENCE, out));
    }

    /// What we say to what the far end sent.
    pub fn answers(&self, acks: impl Iterator<Item = Ack>) {
        self.append(|out| acks.for_each(|ack| self.dialect.answer(ack, out)));
    }

    fn append(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.inner.lock();
        if !inner.open {
            return;
        }
        inner.append(write);
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

    /// One age passes. What waited its time is in doubt; true when the session's own question is among it.
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
                freed.settle(waiting, Err(silent(self.words())));
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
                lost(self.words(), code)
            } else {
                unwritten(self.words(), code)
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
    fn request(
        &mut self,
        whose: Option<(Arc<Group>, Place)>,
        write: impl FnOnce(u32, &mut Vec<u8>),
    ) {
        let sequence = self.pending.push(Waiting {
            whose,
            born: self.age,
            end: 0,
        });
        self.append(|out| write(sequence, out));
        if let Some(Some(last)) = self.pending.slots.back_mut() {
            last.end = self.appended;
        }
    }

    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.out.len();
        write(&mut self.out);
        self.appended += (self.out.len() - before) as u64;
    }
}

fn silent(words: &Words) -> Failure {
    let detail = format!(
        "{} was not answered in time; it may have been taken",
        words.submit
    );
    Failure::new(FailureClass::InDoubt, words.no_answer, detail)
}

fn lost(words: &Words, code: &'static str) -> Failure {
    let submit = words.submit;
    let detail = format!("the session ended before {submit} was answered; it may have been taken");
    Failure::new(FailureClass::InDoubt, code, detail)
}

pub(crate) fn unwritten(words: &Words, code: &'static str) -> Failure {
    let submit = words.submit;
    let detail = format!("the session ended before {submit} was written; nothing was sent");
    Failure::new(FailureClass::LinkDown, code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SmppConfig;
    use crate::dialect::smpp::Smpp;
    use crate::text::{Coding, encode};

    fn live(window: usize) -> Live {
        let config = SmppConfig::new("smsc.example", 2775, "bureau", "secret", "12379");
        Live::new(window, Arc::new(Smpp(config)))
    }

    fn sheet() -> Sheet {
        Sheet {
            text: Arc::new(encode("", Coding::default())),
            validity: String::new(),
            flash: false,
        }
    }

    fn run(index: usize) -> [Run<'static>; 1] {
        [Run {
            index,
            dest: "",
            reference: 0,
        }]
    }

    #[test]
    fn what_was_written_is_in_doubt_and_what_was_not_is_safe() {
        let live = live(10);
        let group = Arc::new(Group::default());
        assert!(live.submit(&group, &run(0), &sheet()));
        let mut buffer = Vec::new();
        live.swap(&mut buffer);
        let written = buffer.len() as u64;
        assert!(live.submit(&group, &run(1), &sheet()));
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
        assert!(!live.submit(&group, &run(2), &sheet()));
    }

    #[test]
    fn silence_becomes_doubt_and_frees_the_slot() {
        let live = live(1);
        let group = Arc::new(Group::default());
        live.slots.try_acquire().unwrap().forget();
        live.submit(&group, &run(0), &sheet());
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
