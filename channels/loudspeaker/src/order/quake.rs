//! Earthquake early warning (地震预警) as it stands in an order: what is estimated for the one device that it is for, and
//! what makes such an order whole. Pure: this module must not decide what sounds.

use std::time::Duration;

use channel::{AFTER_ARRIVAL, Alarm, Level, Timestamp};
use serde::{Deserialize, Serialize};

use super::Order;

/// `target` is the earthquake, `value` the number of the report; a newer report replaces an older.
pub const QUAKE: &str = "quake";
/// It does not come: all reports of `target` up to `value` are called off.
pub const QUAKE_CANCEL: &str = "quake-cancel";
/// 地震预警, in the country's table of events.
pub const QUAKE_EVENT: &str = "11C02";
/// No wave that is worth a warning is longer on its way.
pub const LONGEST_WAY: Duration = Duration::from_mins(10);
/// Said when the wave is there, or will be within a second.
pub const HERE: &str = "地震横波到达,立即避险";
/// Said in place of the seconds where the device's clock is known to be wrong.
pub const COVER: &str = "立即避险";

/// What is estimated for one device. The order of its fields is the canonical order of the JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tremor {
    pub origin: Timestamp,
    /// Of the shear wave, at this device.
    pub arrival: Timestamp,
    /// At this device, on the Chinese scale (GB/T 17742), 1 to 12.
    pub intensity: u8,
    /// In tenths.
    pub magnitude: u16,
    pub alarm: Alarm,
}

impl Tremor {
    /// Whole seconds until the wave is there; none once less than one is left.
    pub fn seconds_left(&self, now: Timestamp) -> Option<u32> {
        let left = self.arrival.since(now).as_secs();
        u32::try_from(left).ok().filter(|left| *left > 0)
    }

    /// Whether it has the siren and the seconds.
    pub fn is_loud(&self) -> bool {
        matches!(self.alarm, Alarm::Red | Alarm::Orange)
    }

    pub(super) fn is_far_ahead(&self, now: Timestamp) -> bool {
        self.arrival > now.plus(LONGEST_WAY)
    }

    /// Whether it can be true, and ends when it has to.
    pub(super) fn is_sound(&self, order: &Order) -> bool {
        let ends = self.arrival.plus(AFTER_ARRIVAL);
        (1..=12).contains(&self.intensity) && self.origin <= self.arrival && order.expires == ends
    }
}

/// The colour that an alarm is shown in.
pub(crate) const fn level_of(alarm: Alarm) -> Level {
    match alarm {
        Alarm::Red => Level::Red,
        Alarm::Orange => Level::Orange,
        Alarm::Notice | Alarm::Machine => Level::Unknown,
    }
}

impl Order {
    /// A report on an earthquake, or its end.
    pub fn is_quake(&self) -> bool {
        [QUAKE, QUAKE_CANCEL].contains(&self.kind.as_str())
    }

    /// Whether two of them are about one earthquake. An exercise is never about a real one.
    pub(crate) fn is_same_quake(&self, other: &Self) -> bool {
        (&self.target, self.drill) == (&other.target, other.drill)
    }
}
