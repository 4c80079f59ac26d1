//! Waits and rates as people write them: `"10m"`, `"300/s burst 50"`. This module must not hold defaults.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// A wait: a number with `ms`, `s`, `m` or `h`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span(pub Duration);

/// How many a second, and how many at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSpan {
    #[error("{0:?} is no wait: write a whole number with ms, s, m or h, as in \"10m\"")]
    Span(String),
    #[error("{0:?} is no rate: write \"300/s burst 50\"")]
    Rate(String),
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let bad = || BadSpan::Span(text.chars().take(32).collect());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(bad()),
        };
        Ok(Self(Duration::from_millis(
            number.checked_mul(unit).ok_or_else(bad)?,
        )))
    }
}

impl FromStr for Rate {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let bad = || BadSpan::Rate(text.chars().take(32).collect());
        let (rate, burst) = match text.split_once(" burst ") {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let per_second: NonZeroU32 = rate
            .strip_suffix("/s")
            .ok_or_else(bad)?
            .parse()
            .map_err(|_| bad())?;
        let burst = match burst {
            Some(burst) => burst.trim().parse().map_err(|_| bad())?,
            None => per_second,
        };
        Ok(Self { per_second, burst })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s burst {}", self.per_second, self.burst)
    }
}

fn text<'de, T: FromStr<Err = BadSpan>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    String::deserialize(d)?
        .parse()
        .map_err(serde::de::Error::custom)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text(d)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text(d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_and_rates_read_as_people_write_them() {
        let span = |t: &str| t.parse::<Span>().map(|s| s.0.as_millis());
        assert_eq!(span("10m"), Ok(600_000));
        assert_eq!(span("250ms"), Ok(250));
        for bad in [
            "",
            "10",
            "m",
            "-1s",
            "1.5s",
            "10 m",
            "99999999999999999999h",
        ] {
            assert!(span(bad).is_err(), "{bad}");
        }
        let rate = |t: &str| {
            t.parse::<Rate>()
                .map(|r| (r.per_second.get(), r.burst.get()))
        };
        assert_eq!(rate("300/s burst 50"), Ok((300, 50)));
        assert_eq!(rate("20/s"), Ok((20, 20)));
        for bad in ["300", "0/s", "3/m", "/s", "3/s burst", "3/s burst 0"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
