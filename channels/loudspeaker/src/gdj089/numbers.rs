//! Where the daily serials of EBMIDs come from. A far end takes the same EBMID for the same message, so no serial may be
//! given twice in a day. This module must not know what a serial is used for.

use std::collections::HashMap;

use async_trait::async_trait;
use channel::{Clock, Unavailable};
use parking_lot::Mutex;
use std::sync::Arc;

use super::plan::{day, second_of_day};

/// The highest serial of a day: four digits.
pub const LAST: u16 = 9_999;
/// What the clock alone reaches by midnight; the rest is for days on which more is said than it allows.
const BY_THE_CLOCK: u32 = 6_999;

#[async_trait]
pub trait Numbers: Send + Sync {
    /// The serial of this day for this key, the same whenever it is asked; `None` when the day has no more.
    async fn number(&self, day: &str, key: &str) -> Result<Option<u16>, Unavailable>;
}

/// Serials that rise with the clock, so that a gateway that was started again is above what it gave before.
pub struct ByTheClock {
    clock: Arc<dyn Clock>,
    given: Mutex<Given>,
}

#[derive(Default)]
struct Given {
    day: String,
    last: u32,
    keys: HashMap<String, u16>,
}

impl ByTheClock {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            given: Mutex::default(),
        }
    }
}

#[async_trait]
impl Numbers for ByTheClock {
    async fn number(&self, wanted: &str, key: &str) -> Result<Option<u16>, Unavailable> {
        let now = self.clock.now();
        let mut given = self.given.lock();
        if given.day != wanted {
            *given = Given {
                day: wanted.to_owned(),
                ..Given::default()
            };
        }
        if let Some(known) = given.keys.get(key) {
            return Ok(Some(*known));
        }
        let floor = if day(now) == wanted {
            second_of_day(now) * BY_THE_CLOCK / 86_400
        } else {
            0
        };
        given.last = given.last.max(floor) + 1;
        let number = u16::try_from(given.last).ok().filter(|n| *n <= LAST);
        if let Some(number) = number {
            given.keys.insert(key.to_owned(), number);
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use channel::{ManualClock, Timestamp};

    use super::*;

    #[tokio::test]
    async fn a_serial_stays_its_keys_own_and_rises_with_the_clock_until_the_day_is_full() {
        // Midnight in Beijing.
        let clock = Arc::new(ManualClock::new(Timestamp(1_783_958_400_000)));
        let numbers = ByTheClock::new(clock.clone());
        let ask = async |day: &str, key: &str| numbers.number(day, key).await.expect("it is there");
        assert_eq!(ask("20260714", "a").await, Some(1));
        assert_eq!(ask("20260714", "b").await, Some(2));
        assert_eq!(ask("20260714", "a").await, Some(1));
        clock.advance(Duration::from_hours(12));
        assert_eq!(ask("20260714", "c").await, Some(3_500));
        // Started again a minute later: above all that was given at the clock's own pace.
        clock.advance(Duration::from_mins(1));
        let again = ByTheClock::new(clock.clone());
        let first = again.number("20260714", "d").await.expect("it is there");
        assert!(first > Some(3_500), "{first:?}");
        for key in 0..10_000 {
            ask("20260714", &key.to_string()).await;
        }
        assert_eq!(ask("20260714", "one more").await, None);
        assert_eq!(ask("20260715", "a").await, Some(1));
    }
}
