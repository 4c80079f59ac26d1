//! Receipts and replies from the post into one session and back. This module must not decide what a receipt says.

use std::time::Duration;

use channel::{Clock, Timestamp};

use super::post::Letter;
use super::serve::{LOOK, READ, Session, add};
use super::tongue::{Mo, Say};
use crate::dialect::MAX_SEQUENCE;

/// What is in the hands of the other side.
pub(super) struct Sent {
    pub mail: Option<Mail>,
    /// When it goes again.
    pub again: u64,
}

pub(super) enum Mail {
    Receipt(Letter),
    Reply(Box<Mo>),
}

impl Session<'_> {
    /// Writes the receipts and replies that are due. Returns how long until there may be more.
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
        if let Some(mo) = self.shared.replies.lock().pop_front() {
            let sequence = self.sequence();
            self.shared
                .tongue
                .say(Say::Reply(&mo), sequence, &mut self.out);
            self.sent(Mail::Reply(mo), now);
        }
        let mut due = Vec::new();
        let next = self.shared.post.due(now, room.min(2_000), &mut due);
        add(&self.shared.counts.receipts, due.len() as u64);
        let date = if due.is_empty() {
            String::new()
        } else {
            date(self.shared.clock.now())
        };
        for letter in due {
            let sequence = self.sequence();
            let tongue = &*self.shared.tongue;
            tongue.receipt(&letter, &date, sequence, &mut self.scratch, &mut self.out);
            self.sent(Mail::Receipt(letter), now);
        }
        next.map_or(LOOK, |due| {
            Duration::from_millis(due.saturating_sub(now)).min(LOOK)
        })
    }

    /// The number of what is written next.
    fn sequence(&self) -> u32 {
        let length = u32::try_from(self.sent.len()).unwrap_or(MAX_SEQUENCE);
        (self.first - 1 + length) % MAX_SEQUENCE + 1
    }

    fn sent(&mut self, mail: Mail, now: u64) {
        let resend = u64::try_from(self.shared.config.resend.as_millis());
        let again = now + resend.unwrap_or(u64::MAX / 2);
        let mail = Some(mail);
        self.sent.push_back(Sent { mail, again });
        self.open += 1;
    }

    /// What was not answered in time goes back, and out again.
    fn again(&mut self, now: u64) {
        while let Some(first) = self.sent.front_mut() {
            if first.mail.is_some() && first.again > now {
                return;
            }
            if let Some(mail) = first.mail.take() {
                self.open -= 1;
                self.shared.back(std::iter::once(mail));
            }
            self.sent.pop_front();
            self.first = self.first % MAX_SEQUENCE + 1;
        }
    }

    pub fn delivered(&mut self, sequence: u32, taken: bool) {
        let offset = (u64::from(sequence) + u64::from(MAX_SEQUENCE) - u64::from(self.first))
            % u64::from(MAX_SEQUENCE);
        let Ok(offset) = usize::try_from(offset) else {
            return;
        };
        let Some(sent) = self.sent.get_mut(offset) else {
            return;
        };
        // A refused receipt goes again when its time is up, as an unanswered one does.
        if !taken {
            return;
        }
        match sent.mail.take() {
            Some(Mail::Receipt(letter)) => self.answered.push(letter.id),
            Some(Mail::Reply(_)) => add(&self.shared.counts.replies_answered, 1),
            None => return,
        }
        self.open -= 1;
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
