//! Whether a satellite terminal is believed to be switched on. It is assumed off until its last test (拨测) says otherwise,
//! and what was proved long ago is doubtful. The rules are pure; what a channel heard since its start is kept in memory and
//! bounded. This module must not schedule a test, and must not write a number anywhere.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use channel::{DeviceState, Evidence, PresenceState, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

/// One test of one terminal, as whoever schedules it records it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Test {
    /// Counts the tests of a channel; the terminal sends it back where it can.
    pub number: u16,
    pub sent: Timestamp,
    pub result: Option<Found>,
}

/// What a test found, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "found", content = "at")]
pub enum Found {
    /// A person wrote back.
    Answered(Timestamp),
    /// The terminal has the test.
    Reached(Timestamp),
    /// It was refused, or it expired at the far end.
    Unreached(Timestamp),
}

/// What is assumed of a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assumed {
    /// 关机: never tested, or its last test found nobody.
    Off,
    On,
    /// 存疑: its last good test is too long ago.
    Doubtful,
}

/// A terminal that was not proved for this long is doubtful.
pub const DOUBTFUL: Duration = Duration::from_hours(60 * 24);

impl Test {
    pub const fn new(number: u16, sent: Timestamp) -> Self {
        Self {
            number,
            sent,
            result: None,
        }
    }

    /// What a person reads in a test.
    pub fn text(number: u16) -> String {
        format!("【拨测】第{number}号,收到请回复1。")
    }

    /// With what came in since: a better result takes the place of a lesser one.
    #[must_use]
    pub fn with(mut self, found: Found) -> Self {
        let rank = |found: &Found| match found {
            Found::Unreached(_) => 0,
            Found::Reached(_) => 1,
            Found::Answered(_) => 2,
        };
        if self.result.is_none_or(|old| rank(&old) < rank(&found)) {
            self.result = Some(found);
        }
        self
    }
}

/// What is assumed by the last test of a terminal.
pub fn assumed(last: Option<&Test>, now: Timestamp) -> Assumed {
    match last.and_then(|test| test.result) {
        Some(Found::Answered(at) | Found::Reached(at)) if now.since(at) <= DOUBTFUL => Assumed::On,
        Some(Found::Answered(_) | Found::Reached(_)) => Assumed::Doubtful,
        Some(Found::Unreached(_)) | None => Assumed::Off,
    }
}

/// Whether a terminal that is tested so often is due.
pub fn is_due(last: Option<&Test>, every: Duration, now: Timestamp) -> bool {
    last.is_none_or(|test| now.since(test.sent) >= every)
}

/// What a channel knows of one terminal since its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// It wrote, or had a message, last.
    pub heard: Option<Timestamp>,
    /// A message for it was given up last.
    pub missed: Option<Timestamp>,
}

impl Seen {
    pub fn state(self) -> DeviceState {
        let silent = self.missed > self.heard;
        DeviceState {
            heard: self.heard,
            state: Some(if silent {
                PresenceState::Silent
            } else {
                PresenceState::Idle
            }),
            ..DeviceState::default()
        }
    }
}

/// Terminals that are kept; the one that was heard of first goes first.
const MOST: usize = 4_096;

#[derive(Default)]
pub struct Standing {
    seen: HashMap<Box<str>, Seen>,
    order: VecDeque<Box<str>>,
}

impl Standing {
    pub fn of(&self, number: &str) -> Option<Seen> {
        self.seen.get(&*tail(number)).copied()
    }

    pub fn heard(&mut self, number: &str, at: Timestamp) {
        let seen = self.entry(number);
        seen.heard = seen.heard.max(Some(at));
    }

    fn missed(&mut self, number: &str, at: Timestamp) {
        let seen = self.entry(number);
        seen.missed = seen.missed.max(Some(at));
    }

    pub fn report(&mut self, number: &str, verdict: &Verdict, at: Timestamp) {
        match verdict {
            Verdict::Reached(evidence) if *evidence >= Evidence::Delivered => {
                self.heard(number, at);
            }
            Verdict::Refused(_) => self.missed(number, at),
            Verdict::Reached(_) | Verdict::Progress => {}
        }
    }

    fn entry(&mut self, number: &str) -> &mut Seen {
        let tail = tail(number);
        if !self.seen.contains_key(&tail) {
            if self.order.len() >= MOST
                && let Some(first) = self.order.pop_front()
            {
                self.seen.remove(&first);
            }
            self.order.push_back(tail.clone());
        }
        self.seen.entry(tail).or_default()
    }
}

/// What two spellings of one number share.
fn tail(number: &str) -> Box<str> {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let from = digits.len().saturating_sub(10);
    digits[from..].iter().collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_783_990_800);

    #[test]
    fn a_phone_is_off_until_its_last_test_says_otherwise() {
        let ago = |days: u64| NOW.minus(Duration::from_hours(days * 24));
        let test = |found| Test::new(1, ago(90)).with(found);
        assert_eq!(assumed(None, NOW), Assumed::Off);
        assert_eq!(assumed(Some(&Test::new(1, NOW)), NOW), Assumed::Off);
        assert_eq!(
            assumed(Some(&test(Found::Answered(ago(7)))), NOW),
            Assumed::On
        );
        assert_eq!(
            assumed(Some(&test(Found::Reached(ago(60)))), NOW),
            Assumed::On
        );
        assert_eq!(
            assumed(Some(&test(Found::Reached(ago(61)))), NOW),
            Assumed::Doubtful
        );
        assert_eq!(
            assumed(Some(&test(Found::Unreached(ago(1)))), NOW),
            Assumed::Off
        );
    }

    #[test]
    fn a_test_keeps_the_best_that_came_of_it() {
        let test = Test::new(3, NOW)
            .with(Found::Unreached(NOW))
            .with(Found::Answered(NOW))
            .with(Found::Reached(NOW));
        assert_eq!(test.result, Some(Found::Answered(NOW)));
        let written = serde_json::to_string(&test).unwrap();
        assert_eq!(serde_json::from_str::<Test>(&written).unwrap(), test);
        assert!(Test::text(3).contains("第3号"));
    }

    #[test]
    fn a_weekly_test_is_due_after_a_week() {
        let week = Duration::from_hours(7 * 24);
        assert!(is_due(None, week, NOW));
        assert!(!is_due(Some(&Test::new(1, NOW)), week, NOW.plus(week / 2)));
        assert!(is_due(Some(&Test::new(1, NOW)), week, NOW.plus(week)));
    }

    #[test]
    fn what_was_heard_last_counts_and_the_oldest_goes_first() {
        let mut standing = Standing::default();
        standing.report(
            "+8617400000001",
            &Verdict::Reached(Evidence::Delivered),
            NOW,
        );
        standing.report(
            "17400000001",
            &Verdict::Progress,
            NOW.plus(Duration::from_secs(9)),
        );
        let seen = standing.of("17400000001").unwrap();
        assert_eq!(
            (seen.heard, seen.state().state),
            (Some(NOW), Some(PresenceState::Idle))
        );
        let refused = Verdict::Refused(channel::FailureClass::Transient);
        standing.report("17400000001", &refused, NOW.plus(Duration::from_secs(1)));
        let state = standing.of("17400000001").unwrap().state();
        assert_eq!(state.state, Some(PresenceState::Silent));
        for number in 0..MOST * 2 {
            standing.heard(&number.to_string(), NOW);
        }
        assert_eq!((standing.seen.len(), standing.order.len()), (MOST, MOST));
        assert_eq!(standing.of("17400000001"), None);
    }
}
