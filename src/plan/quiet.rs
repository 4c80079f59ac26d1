//! The night, in which a low warning wakes nobody: `"22:00-06:30"`, by Beijing time, which all of China keeps. This
//! module must not decide which warnings are low.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use channel::Timestamp;
use serde::{Deserialize, Deserializer};

/// Minutes of the day; it may pass midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quiet {
    from: u16,
    to: u16,
}

const DAY: i64 = 24 * 60;
/// Beijing time, in minutes ahead of UTC.
const BEIJING: i64 = 8 * 60;

impl Quiet {
    /// Whether all of it lies between these minutes of one day.
    pub const fn is_within(self, from: u16, to: u16) -> bool {
        from <= self.from && self.from < self.to && self.to <= to
    }

    /// Its first minute of the day, and how many it has.
    pub fn span(self) -> (u16, u16) {
        let length = (i64::from(self.to) - i64::from(self.from)).rem_euclid(DAY);
        (self.from, u16::try_from(length).unwrap_or(0))
    }

    /// Hours from midnight on that pass no midnight.
    pub const fn hours(from: u16, to: u16) -> Self {
        Self {
            from: from * 60,
            to: to * 60,
        }
    }

    /// When it ends, if this moment lies in it.
    pub fn until(self, now: Timestamp) -> Option<Timestamp> {
        let minute = (now.secs().div_euclid(60) + BEIJING).rem_euclid(DAY);
        let length = (i64::from(self.to) - i64::from(self.from)).rem_euclid(DAY);
        let into = (minute - i64::from(self.from)).rem_euclid(DAY);
        let left = u64::try_from(length - into).ok().filter(|left| *left > 0)?;
        let whole = Timestamp::from_secs(now.secs() - now.secs().rem_euclid(60));
        Some(whole.plus(Duration::from_secs(left * 60)))
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |t: &str| (t.len() == 2).then(|| t.parse::<u16>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

impl FromStr for Quiet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ends = text.split_once('-');
        let ends = ends.and_then(|(from, to)| minutes(from).zip(minutes(to)));
        ends.filter(|(from, to)| from != to)
            .map(|(from, to)| Self { from, to })
            .ok_or_else(|| format!("{text:?} are no hours: write \"22:00-06:30\""))
    }
}

impl<'de> Deserialize<'de> for Quiet {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(f, "{}-{}", clock(self.from), clock(self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_ends_in_the_morning_of_beijing() {
        let night: Quiet = "22:00-06:30".parse().expect("hours");
        assert_eq!(night.to_string(), "22:00-06:30");
        // 2026-07-14T13:59:59Z is 21:59:59 in Beijing.
        let before = Timestamp::from_secs(1_784_037_599);
        assert_eq!(before.to_string(), "2026-07-14T13:59:59.000Z");
        assert_eq!(night.until(before), None);
        let morning = "2026-07-14T22:30:00.000Z";
        for seconds in [1, 3_600, 7_200, 8 * 3600 + 1800] {
            let until = night.until(before.plus(Duration::from_secs(seconds)));
            assert_eq!(
                until.map(|t| t.to_string()),
                Some(morning.into()),
                "{seconds}"
            );
        }
        let after = before.plus(Duration::from_secs(8 * 3600 + 1801));
        assert_eq!(night.until(after), None, "the end is day");
    }

    #[test]
    fn hours_within_a_day_do_not_pass_midnight() {
        let noon: Quiet = "12:00-14:00".parse().expect("hours");
        let at = |utc: i64| noon.until(Timestamp::from_secs(utc * 3600));
        assert_eq!(at(3), None);
        assert_eq!(at(5), Some(Timestamp::from_secs(6 * 3600)));
        assert_eq!(at(6), None);
        for bad in ["", "22-06", "22:00-22:00", "24:00-06:00", "2:00-06:00"] {
            assert!(bad.parse::<Quiet>().is_err(), "{bad}");
        }
    }
}
