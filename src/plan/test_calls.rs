//! When satellite terminals are tested (拨测): every so many days, by day alone, one after the other and each at its own
//! hour, so that neither a card nor a person is flooded. Pure: this module must not send a test and must not read a clock.

use std::time::Duration;

use channel::Timestamp;
use serde::Deserialize;

use super::quiet::Quiet;
use crate::ledger::test_calls::Tried;
use crate::model::{EndpointId, Span, TestResult};

/// How the terminals of one channel are tested.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tests {
    /// 0: only when a person orders it.
    pub every_days: u16,
    /// Within these hours of Beijing.
    pub hours: Quiet,
    /// How long an answer is waited for.
    pub answer: Span,
    /// Between two tests of a channel.
    pub apart: Span,
}

impl Default for Tests {
    fn default() -> Self {
        Self {
            every_days: 7,
            hours: Quiet::hours(9, 17),
            answer: Span(Duration::from_hours(1)),
            apart: Span(Duration::from_mins(2)),
        }
    }
}

/// By day: nobody is woken by a test.
const DAY: (u16, u16) = (7 * 60, 21 * 60);

impl Tests {
    /// Whether anything can be due now, whatever terminals there are.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.every_days > 0 && self.hours.until(now).is_some()
    }

    /// What no key may say.
    pub fn problem(&self) -> Option<&'static str> {
        let minute = Duration::from_mins(1);
        match () {
            () if !self.hours.is_within(DAY.0, DAY.1) => {
                Some("tests.hours lies within 07:00-21:00 of one day; nobody is tested at night")
            }
            () if self.every_days > 60 => {
                Some("tests.every_days is at most 60: what was proved longer ago is doubted")
            }
            () if self.answer.0 < minute || self.answer.0 > Duration::from_hours(24) => {
                Some("tests.answer is 1m to 24h")
            }
            () if self.apart.0 < Duration::from_secs(1)
                || self.apart.0 > Duration::from_hours(1) =>
            {
                Some("tests.apart is 1s to 1h")
            }
            () => None,
        }
    }
}

/// A test that could not be sent is tried again after so long.
const AGAIN: Duration = Duration::from_hours(1);
const DAY_LONG: i64 = 86_400;
/// Of Beijing, which all of China keeps.
const BEIJING: i64 = 8 * 3_600;

/// A day by its number.
const fn day(at: Timestamp) -> i64 {
    (at.secs() + BEIJING).div_euclid(DAY_LONG)
}

/// The minute of its day.
const fn minute(at: Timestamp) -> i64 {
    (at.secs() + BEIJING).rem_euclid(DAY_LONG) / 60
}

/// Whose test is due on one channel, and until when it may be sent: of the terminals that have never been tested, or not
/// for so many days, the one that waits longest.
pub fn test_due(
    tests: &Tests,
    terminals: &[(EndpointId, Option<Tried>)],
    now: Timestamp,
) -> Option<(EndpointId, Timestamp)> {
    let closes = tests.hours.until(now)?;
    let mut known = terminals.iter().filter_map(|(_, tried)| tried.as_ref());
    let waits = |tried: &Tried| {
        let lately = now.since(tried.last.ordered) < tests.apart.0;
        lately || tried.last.result.is_none()
    };
    if tests.every_days == 0 || known.any(waits) {
        return None;
    }
    let ready = terminals.iter().filter(|(endpoint, tried)| {
        let its = tried.as_ref().is_none_or(|tried| is_due(tests, tried, now));
        its && minute(now) >= slot(tests, *endpoint)
    });
    let longest = ready.min_by_key(|(endpoint, tried)| {
        let last = tried.as_ref().map(|tried| tried.last.ordered);
        (last, slot(tests, *endpoint), *endpoint)
    });
    longest.map(|(endpoint, _)| (*endpoint, closes))
}

fn is_due(tests: &Tests, tried: &Tried, now: Timestamp) -> bool {
    let last = &tried.last;
    if last.result == Some(TestResult::Unsent) {
        return now.since(last.ordered) >= AGAIN;
    }
    !last.is_open() && day(now) - day(last.ordered) >= i64::from(tests.every_days)
}

/// The minute of the day from which a terminal is tested: spread over the first three quarters of the hours.
fn slot(tests: &Tests, endpoint: EndpointId) -> i64 {
    let (from, length) = tests.hours.span();
    let spread = u64::from(length) * 3 / 4;
    // Fibonacci hashing: ids that follow one another lie far apart.
    let hash = u64::from(endpoint).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    i64::from(from) + i64::try_from((hash * spread) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::test_calls::Test;

    /// 2026-07-14 09:00 in Beijing.
    const NINE: Timestamp = Timestamp::from_secs(1_783_990_800);

    fn tried(ordered: Timestamp, result: Option<TestResult>) -> Tried {
        let last = Test {
            channel: "tiantong".into(),
            number: 1,
            serial: 1,
            ordered,
            until: ordered,
            window: 0,
            sent: None,
            result,
            code: String::new(),
        };
        Tried {
            last,
            concluded: None,
            proved: None,
            answered: None,
        }
    }

    fn hours(n: u64) -> Duration {
        Duration::from_hours(n)
    }

    #[test]
    fn nobody_is_tested_at_night_and_everybody_by_the_end_of_the_day() {
        let tests = Tests::default();
        let one = [(1, None)];
        assert_eq!(
            test_due(&tests, &one, NINE.minus(Duration::from_secs(1))),
            None
        );
        let close = NINE.plus(hours(8));
        assert_eq!(test_due(&tests, &one, close), None);
        for endpoint in 0..1_000 {
            let one = [(endpoint, None)];
            let noon = NINE.plus(hours(6));
            assert_eq!(test_due(&tests, &one, noon), Some((endpoint, close)));
        }
        let early: Vec<_> = (0..1_000)
            .filter(|endpoint| {
                test_due(&tests, &[(*endpoint, None)], NINE.plus(hours(1))).is_some()
            })
            .collect();
        assert!((100..250).contains(&early.len()), "{}", early.len());
    }

    #[test]
    fn each_is_tested_weekly_and_one_after_the_other() {
        let tests = Tests::default();
        let noon = NINE.plus(hours(6));
        let ago = |days: u64| noon.minus(hours(24 * days));
        let silent = Some(TestResult::Silent);
        let at =
            |rows: &[(EndpointId, Option<Tried>)]| test_due(&tests, rows, noon).map(|(id, _)| id);
        assert_eq!(at(&[(1, Some(tried(ago(6), silent)))]), None);
        assert_eq!(
            at(&[
                (1, Some(tried(ago(7), silent))),
                (2, Some(tried(ago(9), silent)))
            ]),
            Some(2)
        );
        assert_eq!(at(&[(1, Some(tried(ago(7), silent))), (2, None)]), Some(2));
        // A minute too early by the clock is a week by the calendar.
        assert_eq!(
            at(&[(1, Some(tried(ago(7).plus(Duration::from_mins(1)), silent)))]),
            Some(1)
        );
        let just = noon.minus(Duration::from_secs(30));
        assert_eq!(at(&[(1, None), (2, Some(tried(just, silent)))]), None);
        assert_eq!(at(&[(1, None), (2, Some(tried(ago(1), None)))]), None);
        assert_eq!(
            at(&[(1, Some(tried(ago(8), Some(TestResult::Sent))))]),
            None
        );
        let unsent = |ago: Duration| tried(noon.minus(ago), Some(TestResult::Unsent));
        assert_eq!(at(&[(1, Some(unsent(Duration::from_mins(59))))]), None);
        assert_eq!(at(&[(1, Some(unsent(hours(1))))]), Some(1));
        let never = Tests {
            every_days: 0,
            ..tests
        };
        assert_eq!(test_due(&never, &[(1, None)], noon), None);
    }

    #[test]
    fn a_night_test_is_refused_in_the_settings() {
        let read = |text: &str| toml::from_str::<Tests>(text).expect("keys");
        assert_eq!(read(""), Tests::default());
        assert_eq!(read("").problem(), None);
        for (text, word) in [
            ("hours = \"22:00-06:30\"", "night"),
            ("hours = \"06:00-09:00\"", "night"),
            ("every_days = 61", "60"),
            ("answer = \"1s\"", "answer"),
            ("apart = \"2h\"", "apart"),
        ] {
            assert!(
                read(text).problem().is_some_and(|p| p.contains(word)),
                "{text}"
            );
        }
        assert!(toml::from_str::<Tests>("days = 1").is_err());
    }
}
