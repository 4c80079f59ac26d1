//! Devices that hold a line to us: what they prove themselves by, what an operator orders of them, and what they say of
//! themselves. A heartbeat is kept by its channel and never journaled; an enrolment, an order and its result are. This
//! module must not know how any device is spoken to.

use std::cmp::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{PresenceState, Timestamp};

/// No serial that is given now may be lower, whatever a journal remembers: a gateway that was restored from an older one
/// is ahead of all that it gave before, as long as the clock is right. In microseconds, so that no rate outruns it.
pub fn serial_floor(now: Timestamp) -> u64 {
    u64::try_from(now.0).unwrap_or(0).saturating_mul(1000)
}

/// Whose word a device obeys first: 县、乡、村.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    #[default]
    County,
    Town,
    Village,
}

/// What is ordered of devices without a text: by an operator, or by what became of an alert. The order of these is part
/// of the journal's format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Whatever belongs to this alert.
    Stop {
        alert: u64,
    },
    StopAll,
    /// A test tone.
    Tone {
        seconds: u16,
    },
    /// Of what the device can do, in hundredths.
    Volume {
        percent: u8,
    },
    /// What belongs to this alert stands until the order's own end; nothing sounds by it.
    Prolong {
        alert: u64,
        /// A drill prolongs drills alone.
        drill: bool,
    },
    /// The device looks at itself, without a sound.
    SelfTest,
}

impl Action {
    /// Whether it is signed as a drill.
    pub const fn is_drill(self) -> bool {
        matches!(self, Self::Prolong { drill: true, .. })
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop { .. } => "stop",
            Self::StopAll => "stop-all",
            Self::Tone { .. } => "tone",
            Self::Volume { .. } => "volume",
            Self::Prolong { .. } => "prolong",
            Self::SelfTest => "self-test",
        }
    }
}

/// An order that is in the journal. `serial` and as many that follow as there are devices are its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    pub serial: u64,
    pub action: Action,
    pub authority: Authority,
    pub devices: Vec<String>,
    pub not_before: Timestamp,
    pub expires: Timestamp,
}

/// What one device did with an order that carries no text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obeyed {
    /// The order's own serial.
    pub serial: u64,
    pub device: String,
    pub done: bool,
    /// The device's own short code.
    pub code: String,
    pub seconds: u32,
    pub far: Option<Timestamp>,
}

/// An Ed25519 public key.
pub type PublicKey = [u8; 32];

/// A device shows the code that its installer was given, and the key that it has made for itself.
#[derive(Clone)]
pub struct Enrolment {
    pub device: String,
    /// As it was typed.
    pub code: String,
    pub key: PublicKey,
}

/// A device gives its key up for another that it has made, in a call that the old one signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rekeying {
    pub device: String,
    /// The one that signed.
    pub old: PublicKey,
    /// The one that is proved beside it.
    pub new: PublicKey,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotEnrolled {
    /// No such code, or no such key, stands for this device: wrong, used, expired, or never made. Which of these is not
    /// told.
    BadCode,
    /// Too many wrong codes: wait.
    TooMany(Duration),
    /// The journal takes nothing now.
    Unavailable,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    Mains,
    Battery,
    Solar,
}

/// What a device said last. Of a fixed size, so that ten thousand of them are few megabytes.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct DeviceState {
    /// When it last called.
    pub heard: Option<Timestamp>,
    pub state: Option<PresenceState>,
    /// How far its clock is ahead of ours, in milliseconds.
    pub clock_error: Option<i64>,
    pub volume: Option<u8>,
    pub power: Option<Power>,
    /// Hundredths of a full battery.
    pub battery: Option<u8>,
    /// It runs on its battery because the mains went, or its battery empties.
    pub on_battery: bool,
    pub free_mb: Option<u32>,
    pub celsius: Option<i16>,
    /// Who made it sound last, for how long and when.
    pub sounded: Option<Sounded>,
}

impl DeviceState {
    /// What it says of its power now, beside what it said before: a box that has always run on its battery is in no
    /// trouble before that empties.
    pub fn powered(&mut self, power: Option<Power>, battery: Option<u8>) {
        let lost = self.power == Some(Power::Mains);
        let falls = self.battery.zip(battery).map(|(was, is)| is.cmp(&was));
        self.on_battery = power == Some(Power::Battery)
            && match falls {
                Some(Ordering::Less) => true,
                Some(Ordering::Greater) => lost,
                Some(Ordering::Equal) | None => lost || self.on_battery,
            };
        (self.power, self.battery) = (power, battery);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Sounded {
    /// `network`, `microphone`, `phone`, `sms`, `usb`.
    pub source: &'static str,
    pub seconds: u32,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_on_its_battery_when_the_mains_went_or_the_battery_empties() {
        use Power::{Battery, Mains, Solar};
        let mut said = DeviceState::default();
        let mut after = |power, battery| {
            said.powered(Some(power), battery);
            said.on_battery
        };
        assert!(!after(Battery, Some(90)), "it may always have been");
        assert!(after(Battery, Some(89)), "it empties");
        assert!(after(Battery, Some(89)), "it still does");
        assert!(!after(Battery, Some(95)), "it is charged");
        assert!(!after(Mains, None));
        assert!(after(Battery, None), "the mains went");
        assert!(after(Battery, Some(100)));
        assert!(!after(Solar, Some(80)));
    }
}
