//! Serials that far ends know messages by, one series a day: who gave which, for what, and to whom it went. They are kept
//! for some days, as long as anybody may still speak of them. This module must not give a serial.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::{DeliveryNo, StreamId};

/// The event, on the house stream: nothing goes out under a serial before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Numbered {
    pub channel: String,
    /// Whose serials: by what the far end tells senders apart.
    pub series: String,
    /// The far end's day, as `20250701`.
    pub day: u32,
    pub serial: u16,
    /// A hash of what is named; the same has the same serial.
    pub key: u64,
    pub alert: StreamId,
    pub deliveries: Vec<DeliveryNo>,
    pub expires: Timestamp,
}

/// How long a serial is remembered.
const KEPT: Duration = Duration::from_hours(8 * 24);

/// By series, day and serial, with when it was given.
type Given = BTreeMap<(String, u32, u16), (Timestamp, Numbered)>;

#[derive(Default)]
pub struct Numbers(RwLock<Given>);

impl Numbers {
    pub(super) fn give(&self, numbered: &Numbered, time: Timestamp) {
        let mut all = self.0.write();
        all.retain(|_, (at, _)| at.plus(KEPT) > time);
        let place = (numbered.series.clone(), numbered.day, numbered.serial);
        all.insert(place, (time, numbered.clone()));
    }

    /// The serial that something was given already, on whichever day.
    pub fn of(&self, series: &str, key: u64) -> Option<u16> {
        let all = self.0.read();
        let mut own = all.values().map(|(_, one)| one);
        let found = own.find(|one| one.series == series && one.key == key);
        found.map(|one| one.serial)
    }

    /// The highest of a day.
    pub fn last(&self, series: &str, day: u32) -> u16 {
        let all = self.0.read();
        let range = (series.to_owned(), day, 0)..=(series.to_owned(), day, u16::MAX);
        all.range(range)
            .next_back()
            .map_or(0, |((_, _, last), _)| *last)
    }

    /// In the order of series, day and serial.
    pub fn all(&self) -> Vec<(Timestamp, Numbered)> {
        self.0.read().values().cloned().collect()
    }

    pub fn of_channel(&self, channel: &str) -> Vec<(Timestamp, Numbered)> {
        let all = self.0.read();
        let own = all.values().filter(|(_, one)| one.channel == channel);
        own.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(day: u32, serial: u16, key: u64) -> Numbered {
        Numbered {
            channel: "ebd".into(),
            series: "4".into(),
            day,
            serial,
            key,
            alert: 1,
            deliveries: vec![0, 1],
            expires: Timestamp(0),
        }
    }

    #[test]
    fn a_day_begins_anew_and_what_is_old_is_forgotten() {
        let numbers = Numbers::default();
        let day = |n: i64| Timestamp(n * 86_400_000);
        numbers.give(&one(20_250_701, 1, 7), day(1));
        numbers.give(&one(20_250_701, 2, 8), day(1));
        assert_eq!(numbers.last("4", 20_250_701), 2);
        assert_eq!(
            (numbers.last("4", 20_250_702), numbers.last("5", 20_250_701)),
            (0, 0)
        );
        assert_eq!(
            (numbers.of("4", 8), numbers.of("4", 9), numbers.of("5", 8)),
            (Some(2), None, None)
        );
        numbers.give(&one(20_250_710, 1, 9), day(10));
        assert_eq!((numbers.last("4", 20_250_701), numbers.all().len()), (0, 1));
    }
}
