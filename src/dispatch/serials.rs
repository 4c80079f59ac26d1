//! The serials of each channel: they rise and none is given twice, whatever was lost. A journal remembers the highest, and
//! the time is a floor under it, so that a gateway restored from an older journal is ahead of all that it gave before.
//! This module must not give a serial back.

use std::collections::HashMap;

use channel::{Timestamp, serial_floor};
use parking_lot::Mutex;

pub struct Serials {
    /// The highest that each channel was given.
    last: Mutex<HashMap<String, u64>>,
    floor: u64,
}

impl Serials {
    /// `last` are the highest that the journal remembers.
    pub fn new(last: HashMap<String, u64>, now: Timestamp) -> Self {
        Self {
            last: Mutex::new(last),
            floor: serial_floor(now),
        }
    }

    /// The first of so many that follow one another.
    pub fn take(&self, channel: &str, count: usize) -> u64 {
        let mut all = self.last.lock();
        let last = all.entry(channel.to_owned()).or_default();
        let first = (*last).max(self.floor) + 1;
        *last = first + u64::try_from(count).unwrap_or(0).max(1) - 1;
        first
    }

    /// The same, above what any channel was given: an order is asked for by its number alone.
    pub fn take_above_all(&self, channel: &str, count: usize) -> u64 {
        let mut all = self.last.lock();
        let highest = all.values().copied().max().unwrap_or_default();
        let last = all.entry(channel.to_owned()).or_default();
        *last = (*last).max(highest);
        drop(all);
        self.take(channel, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_783_990_800_000);

    #[test]
    fn serials_go_on_above_the_journals_last_and_above_the_time() {
        let floor = serial_floor(NOW);
        let last = HashMap::from([("old".into(), 7), ("ahead".into(), floor + 50)]);
        let serials = Serials::new(last, NOW);
        assert_eq!(serials.take("old", 3), floor + 1);
        assert_eq!(serials.take("old", 1), floor + 4);
        assert_eq!(serials.take("ahead", 1), floor + 51);
        assert_eq!(serials.take("new", 1), floor + 1);
    }

    #[test]
    fn orders_of_several_channels_have_different_numbers() {
        let serials = Serials::new(HashMap::new(), NOW);
        let orders = ["adapters", "platform", "adapters", "horn"];
        let numbers: Vec<_> = orders
            .iter()
            .map(|channel| serials.take_above_all(channel, 2) - serial_floor(NOW))
            .collect();
        assert_eq!(numbers, [1, 3, 5, 7]);
    }

    #[test]
    fn a_gateway_restored_from_an_older_journal_is_ahead_of_all_that_it_gave() {
        let before = Serials::new(HashMap::from([("horn".into(), 900)]), NOW);
        // A county at once, over and over: more in a second than any rate allows.
        let given = (0..20).map(|_| before.take("horn", 5_000) + 4_999).max();
        let restored = Serials::new(
            HashMap::from([("horn".into(), 12)]),
            Timestamp(NOW.0 + 1_000),
        );
        assert!(Some(restored.take("horn", 1)) > given);
    }
}
