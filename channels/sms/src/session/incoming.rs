//! What the far end sends, one read buffer at a time: answers to what we sent, receipts, and its own requests. This
//! module must not wait: what takes time is handed on.

use std::sync::atomic::Ordering;

use bytes::Buf;
use channel::{Failure, Receipt, Timestamp};

use super::{READ, Session, UNANSWERED, down, no_smpp};
use crate::hand_on::Handed;
use crate::link::{Counts, Freed};
use crate::pdu::{self, Body, Pdu, Sm};
use crate::receipt::{self, Reading};
use crate::status;

/// What one read brought, to be acted on once.
struct Tray {
    /// When it came.
    seen: Timestamp,
    answered: Vec<(u32, Result<String, Failure>)>,
    answers: Vec<(u32, u32, Body<'static>)>,
    sequences: Vec<u32>,
    receipts: Vec<Receipt>,
    end: Option<Failure>,
}

impl Session<'_> {
    /// Acts on every whole PDU in the buffer. Returns why the session must end, if it must.
    pub(super) fn read(&mut self) -> Option<Failure> {
        let mut tray = Tray {
            seen: self.context.clock.now(),
            answered: Vec::new(),
            answers: Vec::new(),
            sequences: Vec::new(),
            receipts: Vec::new(),
            end: None,
        };
        let mut used = 0;
        while tray.end.is_none() {
            match pdu::check(&self.buffer[used..]) {
                Ok(Some(length)) => {
                    let frame = &self.buffer[used..used + length];
                    used += length;
                    match pdu::parse(frame) {
                        Ok(pdu) => self.take(&pdu, &mut tray),
                        Err(_) => self.unreadable(frame, &mut tray),
                    }
                }
                Ok(None) => break,
                Err(malformed) => tray.end = Some(no_smpp(malformed)),
            }
        }
        self.buffer.advance(used);
        self.buffer.reserve(READ / 2);
        if !tray.answered.is_empty() {
            let mut freed = Freed::default();
            let late = self.live.answer(tray.answered.into_iter(), &mut freed);
            Counts::add(&self.counts.late, late);
            freed.done(&self.live);
        }
        if !tray.answers.is_empty() {
            self.live.put(tray.answers.into_iter());
        }
        if !tray.receipts.is_empty() {
            self.live
                .unanswered
                .fetch_add(tray.receipts.len(), Ordering::AcqRel);
            let handed = Handed {
                live: self.live.clone(),
                sequences: tray.sequences,
                receipts: tray.receipts,
            };
            // The other side lives as long as `run`.
            let _ = self.receipts.send(handed);
        }
        self.told = tray.end.is_some();
        tray.end
    }

    fn take(&self, pdu: &Pdu<'_>, tray: &mut Tray) {
        let Pdu {
            status,
            sequence,
            body,
        } = *pdu;
        match body {
            Body::SubmitSmResp { message_id } => {
                let result = match status {
                    status::OK => Ok(receipt::reference(message_id, self.config.receipt_id)),
                    _ => Err(status::refused(status)),
                };
                tray.answered.push((sequence, result));
                if status == status::INVALID_BIND_STATUS {
                    tray.end = Some(down(
                        status::code(status),
                        "the far end holds this session for unbound",
                    ));
                }
            }
            Body::GenericNack => tray.answered.push((sequence, Err(status::refused(status)))),
            Body::EnquireLinkResp => tray.answered.push((sequence, Ok(String::new()))),
            Body::DeliverSm(sm) => self.deliver(&sm, sequence, tray),
            Body::EnquireLink => tray
                .answers
                .push((sequence, status::OK, Body::EnquireLinkResp)),
            Body::Unbind => {
                tray.answers.push((sequence, status::OK, Body::UnbindResp));
                tray.end = Some(down("smpp:unbound", "the far end ended the session"));
            }
            Body::UnbindResp => tray.end = Some(down("smpp:stopped", "the channel was stopped")),
            // The one request that has no answer.
            Body::Other(pdu::command::ALERT_NOTIFICATION) => {}
            Body::Other(id) if id & pdu::command::ANSWER == 0 => {
                tray.answers
                    .push((sequence, status::INVALID_COMMAND, Body::GenericNack));
            }
            Body::SubmitSm(_) | Body::BindTransceiver(_) => {
                tray.answers
                    .push((sequence, status::INVALID_COMMAND, Body::GenericNack));
            }
            Body::Other(_) | Body::BindTransceiverResp { .. } | Body::DeliverSmResp => {}
        }
    }

    fn deliver(&self, sm: &Sm<'_>, sequence: u32, tray: &mut Tray) {
        if !sm.is_receipt() {
            Counts::add(&self.counts.replies, 1);
            tray.answers
                .push((sequence, status::OK, Body::DeliverSmResp));
            return;
        }
        let reading = Reading {
            id: self.config.receipt_id,
            utc_offset_minutes: self.config.receipt_utc_offset_minutes,
        };
        let Some(receipt) = receipt::read(sm, reading, tray.seen) else {
            // It would come again for ever; there is nothing that it could be matched to.
            Counts::add(&self.counts.unreadable, 1);
            tray.answers
                .push((sequence, status::OK, Body::DeliverSmResp));
            return;
        };
        if self.live.unanswered.load(Ordering::Acquire) + tray.receipts.len() >= UNANSWERED {
            Counts::add(&self.counts.overflow, 1);
            return;
        }
        tray.sequences.push(sequence);
        tray.receipts.push(receipt);
    }

    /// A PDU of the right length whose inside is wrong: the stream still stands, so the session does.
    fn unreadable(&self, frame: &[u8], tray: &mut Tray) {
        Counts::add(&self.counts.unreadable, 1);
        if let Some((pdu::command::DELIVER_SM, sequence)) = pdu::head(frame) {
            tray.answers
                .push((sequence, status::PERMANENT, Body::DeliverSmResp));
        }
    }
}
