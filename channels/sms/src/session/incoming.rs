//! What the far end sends, one read buffer at a time: answers to what we sent, receipts, replies, and its own requests.
//! This module must not wait: what takes time is handed on.

use std::sync::atomic::Ordering;

use bytes::Buf;
use channel::{Failure, Receipt, Timestamp, Uplink};

use super::hand_on::Handed;
use super::link::{Counts, Freed};
use super::{READ, Session, UNANSWERED};
use crate::dialect::{Ack, Heard, down};

/// What one read brought, to be acted on once.
#[derive(Default)]
struct Tray {
    answered: Vec<(u32, Result<String, Failure>)>,
    answers: Vec<Ack>,
    receipts: (Vec<Receipt>, Vec<Ack>),
    uplinks: (Vec<Uplink>, Vec<Ack>),
    end: Option<Failure>,
}

impl Tray {
    fn handed(&self) -> usize {
        self.receipts.0.len() + self.uplinks.0.len()
    }
}

impl Session<'_> {
    /// Acts on every whole frame in the buffer. Returns why the session must end, if it must.
    pub(super) fn read(&mut self) -> Option<Failure> {
        let mut tray = Tray::default();
        let seen = self.context.clock.now();
        let mut used = 0;
        while tray.end.is_none() {
            match self.dialect.check(&self.buffer[used..]) {
                Ok(Some(length)) => {
                    let frame = used..used + length;
                    used += length;
                    self.take(&self.buffer[frame], seen, &mut tray);
                }
                Ok(None) => break,
                Err(_) => tray.end = Some(self.dialect.words().no_protocol()),
            }
        }
        self.buffer.advance(used);
        self.buffer.reserve(READ / 2);
        self.told = tray.end.is_some();
        self.act(tray)
    }

    fn act(&self, tray: Tray) -> Option<Failure> {
        if !tray.answered.is_empty() {
            let mut freed = Freed::default();
            let late = self.live.answer(tray.answered.into_iter(), &mut freed);
            Counts::add(&self.counts.late, late);
            freed.done(&self.live);
        }
        if !tray.answers.is_empty() {
            self.live.answers(tray.answers.into_iter());
        }
        let handed = Handed {
            live: self.live.clone(),
            receipts: tray.receipts,
            uplinks: tray.uplinks,
        };
        if handed.answers() > 0 {
            self.live
                .unanswered
                .fetch_add(handed.answers(), Ordering::AcqRel);
            // The other side lives as long as `run`.
            let _ = self.handed.send(handed);
        }
        tray.end
    }

    fn take(&self, frame: &[u8], seen: Timestamp, tray: &mut Tray) {
        let words = self.dialect.words();
        match self.dialect.hear(frame, seen) {
            Heard::Answer {
                sequence,
                result,
                ends,
            } => {
                if let (true, Err(refused)) = (ends, &result) {
                    let code = refused.code.clone();
                    tray.end = Some(down(code, "the far end holds this session for unbound"));
                }
                tray.answered.push((sequence, result));
            }
            Heard::Receipt(ack, receipt) => {
                if self.has_room(tray) {
                    tray.receipts.0.push(receipt);
                    tray.receipts.1.push(ack);
                }
            }
            Heard::Uplink(ack, uplink) => {
                if self.has_room(tray) {
                    Counts::add(&self.counts.replies, 1);
                    tray.uplinks.0.push(uplink);
                    tray.uplinks.1.push(ack);
                }
            }
            // A frame of the right length whose inside is wrong: the stream still stands, so the session does.
            Heard::Unreadable(ack) => {
                Counts::add(&self.counts.unreadable, 1);
                tray.answers.extend(ack);
            }
            Heard::Say(ack) => tray.answers.push(ack),
            Heard::Farewell(ack) => {
                tray.answers.push(ack);
                tray.end = Some(down(words.unbound, "the far end ended the session"));
            }
            Heard::Parted => tray.end = Some(down(words.stopped, "the channel was stopped")),
            Heard::Nothing => {}
        }
    }

    /// Whether one more may wait for the store. Without room it is left unanswered, and comes again.
    fn has_room(&self, tray: &Tray) -> bool {
        let room = self.live.unanswered.load(Ordering::Acquire) + tray.handed() < UNANSWERED;
        if !room {
            Counts::add(&self.counts.overflow, 1);
        }
        room
    }
}
