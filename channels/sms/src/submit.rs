//! From a `Message` to its `submit_sm`s, and through the window. This module must not touch the socket, and an address
//! must not leave it but for the wire.

use std::sync::Arc;

use channel::{Context, Failure, FailureClass, Message, Outcomes, Timestamp, Variant};

use crate::config::{Config, Validity};
use crate::group::{Group, Outcome};
use crate::link::{Live, Run, unwritten};
use crate::pdu::{Party, Sm};
use crate::text::{self, Encoded};

/// Messages that gather before they are put into the session together: about one good write.
const WRITE: usize = 100;

pub(crate) fn prepared(variant: &Variant, gsm7: bool) -> Arc<Encoded> {
    variant.prepared(|variant| Arc::new(text::encode(&variant.text, gsm7)))
}

/// One batch on its way through one session.
pub(crate) struct Submission<'a> {
    config: &'a Config,
    context: &'a Context,
    live: &'a Live,
    outcomes: &'a dyn Outcomes,
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
    text: Arc<Encoded>,
    expires: Timestamp,
    validity: String,
}

impl<'a> Submission<'a> {
    pub fn new(
        config: &'a Config,
        context: &'a Context,
        live: &'a Live,
        outcomes: &'a dyn Outcomes,
    ) -> Self {
        Self {
            config,
            context,
            live,
            outcomes,
            group: Arc::default(),
            under_way: 0,
            settled: Vec::new(),
            run: Vec::with_capacity(WRITE),
            common: None,
        }
    }

    /// Returns when every message is settled.
    pub async fn run(mut self, batch: &'a [Message]) {
        for (index, message) in batch.iter().enumerate() {
            if let Err(failure) = self.one(index, message).await {
                self.outcomes.settle(index, Err(failure));
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
        let text = self.common.as_ref().map(|common| &common.text);
        let (parts, segments) = text.map_or((0, 0), |text| (text.parts.len(), text.segments()));
        if parts > usize::from(self.config.max_segments) {
            return Err(too_long());
        }
        let dest = dialled(message.address.expose()).ok_or_else(no_number)?;
        if !self.slots(segments).await {
            return Err(unwritten("smpp:closed"));
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
        let now = || self.context.clock.now();
        Common {
            variant: &message.variant,
            text: prepared(&message.variant, self.config.gsm7),
            expires: message.expires,
            validity: validity(self.config.validity, message.expires, now),
        }
    }

    /// Puts the run into the session.
    fn write(&mut self) {
        let Some(common) = self.common.as_ref().filter(|_| !self.run.is_empty()) else {
            return;
        };
        let config = self.config;
        let sm = Sm {
            source: Party {
                ton: config.source_ton,
                npi: config.source_npi,
                address: config.source.as_bytes(),
            },
            dest: Party {
                ton: config.dest_ton,
                npi: config.dest_npi,
                address: b"",
            },
            esm_class: if common.text.is_long() { 0x40 } else { 0 },
            validity: common.validity.as_bytes(),
            registered_delivery: 1,
            data_coding: common.text.data_coding,
            ..Sm::default()
        };
        let parts = &common.text.parts;
        if self.live.submit(&self.group, &self.run, &sm, parts) {
            self.under_way += self.run.len();
            self.live.wake.notify_one();
        } else {
            for one in &self.run {
                let failure = unwritten("smpp:closed");
                self.outcomes.settle(one.index, Err(failure));
            }
        }
        self.run.clear();
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
            self.outcomes.settle_all(&mut self.settled);
        }
    }
}

/// The number as it is dialled: digits only, an international plus is said by the type of number.
fn dialled(address: &str) -> Option<&str> {
    let digits = address.strip_prefix('+').unwrap_or(address);
    let plain =
        (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(digits)
}

/// Joins the parts of one text on a handset: the same for a repeat, so that it completes what was begun, and another
/// for the next alert to the same number.
fn part_reference(message: &Message) -> u8 {
    let key = message.key;
    let mixed = (key.alert
        ^ u64::from(key.delivery).rotate_left(32)
        ^ u64::from(key.generation).rotate_left(16))
    .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed.to_be_bytes()[0]
}

fn validity(form: Validity, expires: Timestamp, now: impl Fn() -> Timestamp) -> String {
    match form {
        Validity::None => String::new(),
        Validity::Absolute => {
            let (year, month, day, hour, minute, second) = expires.civil();
            // Two digits of a year say nothing beyond this century; then the far end's own limit holds.
            if !(2000..2100).contains(&year) {
                return String::new();
            }
            format!(
                "{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}000+",
                year % 100
            )
        }
        Validity::Relative => {
            // Years and months have no fixed length, so days carry at most 30.
            let left = expires.since(now()).as_secs().clamp(1, 30 * 86_400);
            let (days, hours, minutes, seconds) =
                (left / 86_400, left / 3600 % 24, left / 60 % 60, left % 60);
            format!("0000{days:02}{hours:02}{minutes:02}{seconds:02}000R")
        }
    }
}

fn too_long() -> Failure {
    Failure::new(
        FailureClass::BadContent,
        "sms:too-long",
        "the text needs more segments than max_segments allows; shorten its template",
    )
}

fn no_number() -> Failure {
    Failure::new(
        FailureClass::BadAddress,
        "sms:no-number",
        "the address is no telephone number of 1 to 20 digits",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_digits_are_dialled() {
        assert_eq!(dialled("+8600000000001"), Some("8600000000001"));
        assert_eq!(dialled("10086"), Some("10086"));
        for wrong in ["", "+", "86 000", "a@example", "123456789012345678901"] {
            assert_eq!(dialled(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_expiry_is_told_as_a_moment_or_as_a_span() {
        let expires = Timestamp::from_secs(1_783_996_200);
        let now = || Timestamp::from_secs(1_783_990_800);
        assert_eq!(
            validity(Validity::Absolute, expires, now),
            "260714023000000+"
        );
        assert_eq!(
            validity(Validity::Relative, expires, now),
            "000000013000000R"
        );
        assert_eq!(validity(Validity::None, expires, now), "");
        assert_eq!(validity(Validity::Absolute, Timestamp(i64::MAX), now), "");
        assert_eq!(
            validity(Validity::Relative, Timestamp(0), now),
            "000000000001000R"
        );
        assert_eq!(
            validity(
                Validity::Relative,
                now().plus(Duration::from_hours(90 * 24)),
                now
            ),
            "000030000000000R"
        );
    }
}
