//! From a `Message` to its requests, and through the window of one session. This module must not touch the socket, and an
//! address must not leave it but for the wire.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channel::{Failure, FailureClass, Message, Outcomes, Timestamp, Variant};
use parking_lot::Mutex;

use super::account::Account;
use super::group::{Group, Outcome};
use super::link::{Live, Run, unwritten};
use crate::dialect::Sheet;
use crate::text::prepared;

/// Messages that gather before they are put into the session together: about one good write.
const WRITE: usize = 100;

/// The messages of a batch that no session has taken, and those that one gave back unsent. All sessions of an account draw
/// from it, each as fast as its far end answers.
pub(super) struct Queue {
    next: AtomicUsize,
    size: usize,
    back: Mutex<VecDeque<(usize, Failure)>>,
}

impl Queue {
    pub fn new(size: usize) -> Self {
        Self {
            next: AtomicUsize::new(0),
            size,
            back: Mutex::default(),
        }
    }

    fn next(&self) -> Option<usize> {
        let fresh = self.fresh();
        fresh.or_else(|| self.back.lock().pop_front().map(|(index, _)| index))
    }

    fn fresh(&self) -> Option<usize> {
        let fresh = self.next.fetch_add(1, Ordering::Relaxed);
        if fresh >= self.size {
            // It must not run over, however often it is asked.
            self.next.store(self.size, Ordering::Relaxed);
        }
        (fresh < self.size).then_some(fresh)
    }

    fn give_back(&self, index: usize, why: Failure) {
        self.back.lock().push_back((index, why));
    }

    pub fn is_empty(&self) -> bool {
        self.next.load(Ordering::Relaxed) >= self.size && self.back.lock().is_empty()
    }

    /// What is left, and why: its own reason, or else this one.
    pub fn rest(&self, why: &Failure) -> Vec<(usize, Outcome)> {
        let mut rest: Vec<_> = self
            .back
            .lock()
            .drain(..)
            .map(|(index, why)| (index, Err(why)))
            .collect();
        rest.extend(std::iter::from_fn(|| self.fresh()).map(|index| (index, Err(why.clone()))));
        rest
    }
}

/// One batch on its way through one session.
pub(super) struct Submission<'a> {
    account: &'a Account,
    live: &'a Live,
    outcomes: &'a dyn Outcomes,
    queue: &'a Queue,
    group: Arc<Group>,
    under_way: usize,
    settled: Vec<(usize, Outcome)>,
    /// Messages of one text that have their slots and are not written.
    run: Vec<Run<'a>>,
    common: Option<Common<'a>>,
}

/// What the messages of a run share.
struct Common<'a> {
    variant: &'a Arc<Variant>,
    expires: Timestamp,
    sheet: Sheet,
}

impl<'a> Submission<'a> {
    pub fn new(
        account: &'a Account,
        live: &'a Live,
        outcomes: &'a dyn Outcomes,
        queue: &'a Queue,
    ) -> Self {
        Self {
            account,
            live,
            outcomes,
            queue,
            group: Arc::default(),
            under_way: 0,
            settled: Vec::new(),
            run: Vec::with_capacity(WRITE),
            common: None,
        }
    }

    /// Returns when everything that this session took is settled or given back, and nothing is left to take.
    pub async fn run(mut self, batch: &'a [Message]) {
        while let Some(index) = self.queue.next() {
            if let Err(failure) = self.one(index, &batch[index]).await {
                let over = failure.class == FailureClass::LinkDown;
                self.settle(index, Err(failure));
                if over {
                    break;
                }
            }
            if self.run.len() >= WRITE {
                self.write();
            }
        }
        self.write();
        while self.under_way > 0 {
            self.group.ready.notified().await;
            self.drain();
        }
    }

    /// Adds one message to the run; its outcome comes through the group.
    async fn one(&mut self, index: usize, message: &'a Message) -> Result<(), Failure> {
        let same = self.common.as_ref().is_some_and(|common| {
            Arc::ptr_eq(common.variant, &message.variant) && common.expires == message.expires
        });
        if !same {
            self.write();
            self.common = Some(self.common(message));
        }
        let text = self.common.as_ref().map(|common| &common.sheet.text);
        let (parts, segments) = text.map_or((0, 0), |text| (text.parts.len(), text.segments()));
        if parts > usize::from(self.account.line.max_segments) {
            return Err(too_long());
        }
        let dest = self.account.dialect.dialled(message.address.expose());
        let dest = dest.ok_or_else(no_number)?;
        if !self.slots(segments).await {
            return Err(self.over());
        }
        let reference = part_reference(message);
        self.run.push(Run {
            index,
            dest,
            reference,
        });
        Ok(())
    }

    fn common(&self, message: &'a Message) -> Common<'a> {
        let (dialect, variant) = (&self.account.dialect, &message.variant);
        let now = self.account.context.clock.now();
        Common {
            variant,
            expires: message.expires,
            sheet: Sheet {
                text: prepared(variant, dialect.coding()),
                validity: dialect.validity(message.expires, now),
                flash: self.account.line.flash.contains(&variant.level),
            },
        }
    }

    fn over(&self) -> Failure {
        unwritten(self.live.words(), "tcp:closed")
    }

    /// Puts the run into the session.
    fn write(&mut self) {
        let Some(common) = self.common.as_ref().filter(|_| !self.run.is_empty()) else {
            return;
        };
        if self.live.submit(&self.group, &self.run, &common.sheet) {
            self.under_way += self.run.len();
            self.live.wake.notify_one();
        } else {
            for one in &self.run {
                self.settle(one.index, Err(self.over()));
            }
        }
        self.run.clear();
    }

    /// Tells an outcome, or gives the message back where nothing of it was sent: another connection may stand.
    fn settle(&self, index: usize, outcome: Outcome) {
        match outcome {
            Err(failure) if failure.class == FailureClass::LinkDown => {
                self.queue.give_back(index, failure);
            }
            outcome => self.outcomes.settle(index, outcome),
        }
    }

    /// Takes slots of the window, settling what is answered meanwhile. False when the session is over.
    async fn slots(&mut self, wanted: u32) -> bool {
        let live = self.live;
        if let Ok(permit) = live.slots.try_acquire_many(wanted) {
            permit.forget();
            return true;
        }
        // What has its slots goes out before anything waits.
        self.write();
        let group = self.group.clone();
        // Kept over the answers, so that a long text keeps its place in the queue.
        let acquire = live.slots.acquire_many(wanted);
        tokio::pin!(acquire);
        loop {
            tokio::select! {
                biased;
                permit = &mut acquire => match permit {
                    Ok(permit) => {
                        permit.forget();
                        self.drain();
                        return true;
                    }
                    Err(_) => return false,
                },
                () = group.ready.notified() => self.drain(),
            }
        }
    }

    fn drain(&mut self) {
        self.group.take(&mut self.settled);
        if !self.settled.is_empty() {
            self.under_way -= self.settled.len();
            let unsent = |(_, outcome): &mut (usize, Outcome)| matches!(outcome, Err(failure) if failure.class == FailureClass::LinkDown);
            for (index, outcome) in self.settled.extract_if(.., unsent) {
                if let Err(failure) = outcome {
                    self.queue.give_back(index, failure);
                }
            }
            self.outcomes.settle_all(&mut self.settled);
        }
    }
}

/// Joins the parts of one text on a handset: the same for a repeat, so that it completes what was begun, and another
/// for the next alert to the same number.
fn part_reference(message: &Message) -> u16 {
    let key = message.key;
    let mixed = (key.alert
        ^ u64::from(key.delivery).rotate_left(32)
        ^ u64::from(key.generation).rotate_left(16))
    .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let [high, low, ..] = mixed.to_be_bytes();
    u16::from_be_bytes([low, high])
}

pub(crate) fn too_long() -> Failure {
    Failure::new(
        FailureClass::BadContent,
        "sms:too-long",
        "the text needs more segments than max_segments allows; shorten its template",
    )
}

pub(crate) fn no_number() -> Failure {
    Failure::new(
        FailureClass::BadAddress,
        "sms:no-number",
        "the address is no telephone number of 1 to 20 digits",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_taken_once_and_what_comes_back_is_taken_again_or_told() {
        let why = |code: &'static str| Failure::new(FailureClass::LinkDown, code, "x");
        let queue = Queue::new(4);
        assert_eq!(
            [queue.next(), queue.next(), queue.next()],
            [Some(0), Some(1), Some(2)]
        );
        queue.give_back(1, why("one"));
        queue.give_back(2, why("two"));
        assert!(!queue.is_empty());
        assert_eq!([queue.next(), queue.next()], [Some(3), Some(1)]);
        queue.give_back(3, why("three"));
        let rest: Vec<_> = queue.rest(&why("all")).into_iter().collect();
        let codes: Vec<_> = rest
            .iter()
            .map(|(index, o)| (*index, &*o.as_ref().unwrap_err().code))
            .collect();
        assert_eq!(codes, [(2, "two"), (3, "three")]);
        assert!(queue.is_empty() && queue.next().is_none());
        let untouched = Queue::new(2).rest(&why("all"));
        assert_eq!(untouched.len(), 2);
    }
}
