//! Earthquake early warning (地震预警) as a channel is handed it: for each terminal its own estimated intensity and the time
//! at which the shear wave is there. It is relayed from a pinned feed: this module must not know how anything is estimated.

use std::time::Duration;

use crate::Timestamp;

/// How long a terminal goes on after the wave has arrived there.
pub const AFTER_ARRIVAL: Duration = Duration::from_secs(10);

/// One report on one earthquake, for the terminals of one channel. It is in the journal before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quake {
    /// What the feed calls the earthquake; all its reports share it.
    pub event: String,
    /// Reports count up. A newer one replaces an older wherever they meet, in whichever order they came.
    pub report: u32,
    /// An exercise or a test: whoever acts of itself does nothing.
    pub drill: bool,
    pub what: Shaking,
    /// What is spoken before the seconds are counted, or once when it is called off. A drill says so.
    pub text: String,
    /// From when it holds.
    pub since: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shaking {
    /// The ground will shake at each of these, the first to be shaken first.
    Comes {
        origin: Timestamp,
        /// In tenths.
        magnitude: u16,
        shocks: Vec<Shock>,
    },
    /// It does not come after all: whoever sounds stops, and says so; whoever has not begun never does.
    CalledOff {
        /// The order's own, and as many that follow as there are devices.
        serial: u64,
        devices: Vec<String>,
        until: Timestamp,
    },
}

/// What is estimated for one terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shock {
    pub serial: u64,
    pub device: String,
    /// On the Chinese scale (GB/T 17742), 1 to 12.
    pub intensity: u8,
    /// Of the shear wave.
    pub arrival: Timestamp,
    pub alarm: Alarm,
}

impl Shock {
    /// Nothing sounds from then on.
    pub fn ends(&self) -> Timestamp {
        self.arrival.plus(AFTER_ARRIVAL)
    }
}

/// What a terminal makes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alarm {
    /// The siren and the seconds, in red.
    Red,
    /// The siren and the seconds, in orange.
    Orange,
    /// It is said once, without a siren.
    Notice,
    /// A machine that acts of itself; nothing sounds.
    Machine,
}
