//! Receipts from the post into one session and back. This module must not decide what a receipt says.

use std::time::Duration;

use channel::{Clock, Timestamp};

use super::post::Letter;
use super::serve::{LOOK, READ, Sent, Session, add};
use crate::pdu::{self, Body, MAX_SEQUENCE, Party, Pdu, Sm, Tlvs, tag};
use crate::{receipt, status};

impl Session<'_> {
    /// Writes the receipts that are due. Returns how long until there may be more.
    pub fn deliver(&mut self) -> Duration {
        if !self.bound {
            return LOOK;
        }
        let now = self.now();
        self.again(now);
        let room = self.shared.config.receipt_window.saturating_sub(self.open);
        if room == 0 || self.out.len() > READ {
            return LOOK;
        }
        let mut due = Vec::new();
        let next = self.shared.post.due(now, room.min(2_000), &mut due);
        add(&self.shared.counts.receipts, due.len() as u64);
        let again =
            now + u64::try_from(self.shared.config.resend.as_millis()).unwrap_or(u64::MAX / 2);
        let date = if due.is_empty() {
            String::new()
        } else {
            date(self.shared.clock.now())
        };
        for letter in due {
            let length = u32::try_from(self.sent.len()).unwrap_or(MAX_SEQUENCE);
            let sequence = (self.first - 1 + length) % MAX_SEQUENCE + 1;
            self.write(&letter, sequence, &date);
            self.sent.push_back(Sent {
                letter: Some(letter),
                again,
            });
            self.open += 1;
        }
        next.map_or(LOOK, |due| {
            Duration::from_millis(due.saturating_sub(now)).min(LOOK)
        })
    }

    /// What was not answered in time goes back, and out again.
    fn again(&mut self, now: u64) {
        while let Some(first) = self.sent.front_mut() {
            if first.letter.is_some() && first.again > now {
                return;
            }
            if let Some(letter) = first.letter.take() {
                self.open -= 1;
                self.shared.post.back(std::iter::once(letter));
            }
            self.sent.pop_front();
            self.first = self.first % MAX_SEQUENCE + 1;
        }
    }

    pub fn delivered(&mut self, sequence: u32, status: u32) {
        let offset = (u64::from(sequence) + u64::from(MAX_SEQUENCE) - u64::from(self.first))
            % u64::from(MAX_SEQUENCE);
        let Ok(offset) = usize::try_from(offset) else {
            return;
        };
        let Some(sent) = self.sent.get_mut(offset) else {
            return;
        };
        // A refused receipt goes again when its time is up, as an unanswered one does.
        if status == status::OK
            && let Some(letter) = sent.letter.take()
        {
            self.open -= 1;
            self.answered.push(letter.id);
        }
    }

    /// The text form of a receipt.
    fn put_text(&mut self, letter: &Letter, id: &[u8], date: &str) {
        let delivered: &[u8] = if letter.stat == "DELIVRD" {
            b"001"
        } else {
            b"000"
        };
        // At least three digits.
        let mut error = [b'0'; 21];
        let from = decimal(letter.error.into(), &mut error).min(17);
        self.text.clear();
        let pieces: [&[u8]; 13] = [
            b"id:",
            id,
            b" sub:001 dlvrd:",
            delivered,
            b" submit date:",
            date.as_bytes(),
            b" done date:",
            date.as_bytes(),
            b" stat:",
            letter.stat.as_bytes(),
            b" err:",
            &error[from..20],
            b" text:",
        ];
        for piece in pieces {
            self.text.extend_from_slice(piece);
        }
    }

    fn write(&mut self, letter: &Letter, sequence: u32, date: &str) {
        let mut digits = [0; 21];
        let start = decimal(letter.id, &mut digits);
        self.options.clear();
        pdu::put_tlv(
            tag::RECEIPTED_MESSAGE_ID,
            &digits[start..],
            &mut self.options,
        );
        pdu::put_tlv(
            tag::MESSAGE_STATE,
            &[receipt::number(letter.stat)],
            &mut self.options,
        );
        if letter.error != 0 {
            let [high, low] = letter.error.to_be_bytes();
            pdu::put_tlv(tag::NETWORK_ERROR_CODE, &[3, high, low], &mut self.options);
        }
        self.put_text(letter, &digits[start..20], date);
        let sm = Sm {
            source: Party {
                ton: 1,
                npi: 1,
                address: letter.source.bytes(),
            },
            dest: Party {
                ton: 0,
                npi: 0,
                address: letter.dest.bytes(),
            },
            esm_class: 0x04,
            text: &self.text,
            tlvs: Tlvs::parse(&self.options).unwrap_or_default(),
            ..Sm::default()
        };
        pdu::encode(
            &Pdu {
                status: 0,
                sequence,
                body: Body::DeliverSm(sm),
            },
            &mut self.out,
        );
    }
}

/// Writes the digits of a number before a last zero; says where they begin.
pub(super) fn decimal(mut number: u64, digits: &mut [u8; 21]) -> usize {
    let mut start = 20;
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            return start;
        }
    }
}

/// `YYMMDDhhmm` in UTC.
fn date(now: Timestamp) -> String {
    let (year, month, day, hour, minute, _) = now.civil();
    format!(
        "{:02}{month:02}{day:02}{hour:02}{minute:02}",
        year.rem_euclid(100)
    )
}
