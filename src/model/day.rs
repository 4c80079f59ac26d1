//! Days and months as officers count them: by the clock of Beijing. This module must not read a clock.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use channel::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const BEIJING: Duration = Duration::from_hours(8);
const DAY: i64 = 86_400;

/// A calendar day: `"2027-03-31"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Day {
    /// When it begins.
    start: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is no day: write year, month and day, as in \"2027-03-31\"")]
pub struct BadDay(String);

impl Day {
    /// The moment in which it begins.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The moment in which it is over.
    pub fn end(self) -> Timestamp {
        Timestamp(self.start.0 + DAY * 1000)
    }
}

impl FromStr for Day {
    type Err = BadDay;

    fn from_str(text: &str) -> Result<Self, BadDay> {
        let bad = || BadDay(text.chars().take(32).collect());
        let parts: Vec<_> = text.split('-').collect();
        let [year, month, day] = parts[..] else {
            return Err(bad());
        };
        if (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return Err(bad());
        }
        if !parts.concat().bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| bad());
        let (year, month, day) = (number(year)?, number(month)?, number(day)?);
        // Days from a civil date, in eras of 400 years that begin with March.
        let y = year - i64::from(month <= 2);
        let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
        let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
        let midnight = Timestamp::from_secs(days * DAY);
        let (back_year, back_month, back_day, ..) = midnight.civil();
        // There is no 30 February: such a day would be read as another one.
        if (back_year, i64::from(back_month), i64::from(back_day)) != (year, month, day) {
            return Err(bad());
        }
        Ok(Self {
            start: midnight.minus(BEIJING),
        })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, ..) = self.start.plus(BEIJING).civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A calendar month, as a number that people can read: 202607.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Month(u32);

impl Month {
    /// The one that this moment is in.
    pub fn of(now: Timestamp) -> Self {
        let (year, month, ..) = now.plus(BEIJING).civil();
        // No clock shows another year.
        let year = u32::try_from(year.clamp(0, 9_999)).unwrap_or(0);
        Self(year * 100 + month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_at_midnight_in_beijing() {
        let day: Day = "2026-07-14".parse().expect("a day");
        assert_eq!(day.start.to_string(), "2026-07-13T16:00:00.000Z");
        assert_eq!(day.end().to_string(), "2026-07-14T16:00:00.000Z");
        for text in ["2024-02-29", "2000-01-01", "2099-12-31"] {
            assert_eq!(text.parse::<Day>().expect("a day").to_string(), text);
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-7-1",
            "26-07-01",
            "2026-07-32",
            "2026/07/01",
            "2026-07-01-02",
            "+026-07-01",
            "2026-07-01T00:00",
        ] {
            let refused = text.parse::<Day>().expect_err(text).to_string();
            assert!(refused.contains("is no day"), "{refused}");
        }
    }

    #[test]
    fn the_month_turns_at_sixteen_hours_utc() {
        let end: Day = "2026-07-31".parse().expect("a day");
        let before = Month::of(Timestamp(end.end().0 - 1));
        assert_eq!(before.to_string(), "2026-07");
        assert_eq!(Month::of(end.end()).to_string(), "2026-08");
        let new_year: Day = "2026-12-31".parse().expect("a day");
        assert_eq!(Month::of(new_year.end()).to_string(), "2027-01");
    }
}
