//! Which message a status report speaks of. A report names the modem's own reference, one octet that soon comes round
//! again, and the number; together with the hour they are the reference under which the journal knows the part. This
//! module must not keep a number.

use std::collections::VecDeque;
use std::time::Duration;

use channel::Timestamp;
use ring::digest;

use crate::pdu::{Number, Report};

/// More than any modem sends while a report may come.
const MOST: usize = 4_096;
const HOUR: i64 = 3_600;

struct Part {
    octet: u8,
    who: u16,
    reference: String,
    at: Duration,
}

/// The parts of late, the latest last. Bounded.
#[derive(Default)]
pub struct Sent(VecDeque<Part>);

impl Sent {
    /// A part was taken under this octet: the reference that it has from now on.
    pub fn note(
        &mut self,
        channel: &str,
        octet: u8,
        to: &Number,
        now: Timestamp,
        tick: Duration,
    ) -> String {
        let who = who(channel, to);
        let reference = written(octet, who, now);
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Part {
            octet,
            who,
            reference: reference.clone(),
            at: tick,
        });
        reference
    }

    /// The reference that a report speaks of: of the latest such part, or, where nothing is known since the start, of the
    /// hour in which the centre took it.
    pub fn of(
        &self,
        channel: &str,
        report: &Report,
        kept: Duration,
        tick: Duration,
        now: Timestamp,
    ) -> String {
        let who = who(channel, &report.of);
        let same = |part: &&Part| part.octet == report.reference && part.who == who;
        let found = self.0.iter().rev().find(same);
        match found.filter(|part| tick.saturating_sub(part.at) <= kept) {
            Some(part) => part.reference.clone(),
            None => written(report.reference, who, report.taken.unwrap_or(now)),
        }
    }
}

fn written(octet: u8, who: u16, at: Timestamp) -> String {
    format!("{octet:02x}-{who:04x}-{:x}", at.secs().div_euclid(HOUR))
}

/// Two octets say too little to find the number again.
pub fn who(channel: &str, number: &Number) -> u16 {
    let text = format!("{channel}\n{}", number.tail());
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    u16::from_be_bytes([hash.as_ref()[0], hash.as_ref()[1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_783_990_800);
    const DAY: Duration = Duration::from_hours(24);

    fn report(reference: u8, of: &str) -> Report {
        Report {
            reference,
            of: Number::parse(of).unwrap(),
            taken: Some(NOW.plus(Duration::from_secs(9))),
            at: None,
            status: 0,
        }
    }

    #[test]
    fn a_report_finds_its_part_by_octet_and_number_however_it_is_spelt() {
        let mut sent = Sent::default();
        let number = |text: &str| Number::parse(text).unwrap();
        let note = |sent: &mut Sent, octet, to: &str| {
            sent.note("tt", octet, &number(to), NOW, Duration::ZERO)
        };
        let first = note(&mut sent, 7, "17400000001");
        let other = note(&mut sent, 7, "17400000002");
        assert_ne!(first, other);
        let of = |sent: &Sent, octet, of: &str| {
            sent.of("tt", &report(octet, of), DAY, Duration::ZERO, NOW)
        };
        assert_eq!(of(&sent, 7, "+8617400000001"), first);
        assert_eq!(of(&sent, 7, "17400000002"), other);
        assert_ne!(of(&sent, 8, "17400000001"), first);
        assert!(!first.contains("1740"));
    }

    #[test]
    fn the_octet_comes_round_and_the_latest_part_is_meant() {
        let mut sent = Sent::default();
        let number = Number::parse("17400000001").unwrap();
        let later = NOW.plus(Duration::from_hours(2));
        let old = sent.note("tt", 7, &number, NOW, Duration::ZERO);
        let new = sent.note("tt", 7, &number, later, Duration::from_hours(2));
        let of = |tick| sent.of("tt", &report(7, "17400000001"), DAY, tick, later);
        assert_eq!(of(Duration::from_hours(2)), new);
        assert_eq!(of(Duration::from_hours(30)), old, "its own hour says so");
        assert_ne!(old, new);
    }

    #[test]
    fn after_a_restart_the_hour_of_the_centre_says_which() {
        let number = Number::parse("17400000001").unwrap();
        let before = Sent::default().note("tt", 7, &number, NOW, Duration::ZERO);
        let after =
            Sent::default().of("tt", &report(7, "+8617400000001"), DAY, Duration::ZERO, NOW);
        assert_eq!(before, after);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut sent = Sent::default();
        let number = Number::parse("17400000001").unwrap();
        for octet in (0..=u8::MAX).cycle().take(MOST * 2) {
            sent.note("tt", octet, &number, NOW, Duration::ZERO);
        }
        assert_eq!(sent.0.len(), MOST);
    }
}
