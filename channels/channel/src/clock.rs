//! Time comes in through the door. A `Clock` has two faces: `now` is the wall clock, for an alert's own times;
//! `tick` only ever rises, for waits, pacing and windows. This module must not be bypassed: nothing else in the
//! house reads the machine's clock.

use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    #[must_use]
    pub fn minus(self, wait: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long from `earlier` to here; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Year, month, day, hour, minute, second in UTC.
    pub fn civil(self) -> (i64, u32, u32, u32, u32, u32) {
        let (days, rest) = (
            self.secs().div_euclid(86_400),
            self.secs().rem_euclid(86_400),
        );
        // Days to a proleptic Gregorian date, counted in eras of 400 years from 0000-03-01.
        let z = days + 719_468;
        let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let (day, month) = (
            doy - (153 * mp + 2) / 5 + 1,
            if mp < 10 { mp + 3 } else { mp - 9 },
        );
        let year = yoe + era * 400 + i64::from(month <= 2);
        let part = |n: i64| u32::try_from(n).unwrap_or(0);
        (
            year,
            part(month),
            part(day),
            part(rest / 3600),
            part(rest / 60 % 60),
            part(rest % 60),
        )
    }
}

/// RFC 3339 in UTC, to the millisecond.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second) = self.civil();
        let millis = self.0.rem_euclid(1000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
        )
    }
}

pub trait Clock: Send + Sync + 'static {
    /// The wall clock: it may be set, and jump.
    fn now(&self) -> Timestamp;
    /// Since some fixed moment; never falls.
    fn tick(&self) -> Duration;
}

pub struct SystemClock {
    start: std::time::Instant,
}

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn default() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn now(&self) -> Timestamp {
        match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Err(_) => Timestamp(0),
        }
    }

    fn tick(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is moved: tests and stories.
pub struct ManualClock(Mutex<(Timestamp, Duration)>);

impl ManualClock {
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new((now, Duration::ZERO)))
    }

    pub fn advance(&self, by: Duration) {
        let mut time = self.0.lock();
        time.0 = time.0.plus(by);
        time.1 += by;
    }

    /// Sets the wall clock alone, as somebody does who corrects it.
    pub fn jump(&self, millis: i64) {
        let mut time = self.0.lock();
        time.0 = Timestamp(time.0.0 + millis);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().0
    }

    fn tick(&self) -> Duration {
        self.0.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_as_rfc_3339() {
        assert_eq!(
            Timestamp::from_secs(1_783_990_800).to_string(),
            "2026-07-14T01:00:00.000Z"
        );
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(
            Timestamp::from_secs(951_782_400).to_string(),
            "2000-02-29T00:00:00.000Z"
        );
    }
}
