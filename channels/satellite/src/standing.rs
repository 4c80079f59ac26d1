//! What a channel heard of each terminal since its start: kept in memory, and bounded. What is assumed of a terminal by its
//! tests (拨测) is the house's business. This module must not write a number anywhere.

use std::collections::{HashMap, VecDeque};

use channel::{DeviceState, Evidence, PresenceState, Timestamp, Verdict};

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
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_783_990_800);

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
