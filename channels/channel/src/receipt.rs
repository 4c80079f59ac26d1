//! The far end's later word about a message: how far the evidence reaches, and by what it is matched. This module
//! must not decide anything: what a receipt does to a delivery is the ledger's fold.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Address, FailureClass, Key, Timestamp};

/// What we know reached people. Ordered: evidence is a maximum, so neither order nor repeats matter.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    #[default]
    None,
    /// The far end took it.
    Accepted,
    /// The device has it.
    Delivered,
    /// A person answered, or play was proven.
    Acknowledged,
}

/// By what a receipt is matched to its delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Of {
    /// The far end's reference, as it gave it in `Accepted`.
    Reference(String),
    /// Our own key, echoed by the far end.
    Key(Key),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Verdict {
    /// Under way at the far end; changes nothing (`ENROUTE`, *playing*).
    Progress,
    Reached(Evidence),
    /// A final no after it was accepted.
    Refused(FailureClass),
}

#[derive(Clone, Debug)]
pub struct Receipt {
    pub of: Of,
    pub verdict: Verdict,
    /// The far end's own short code: `DELIVRD`, `UNDELIV 012`, `played`.
    pub code: String,
    /// When it happened, by the far end's clock.
    pub far: Option<Timestamp>,
    /// When we saw it.
    pub seen: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PresenceState {
    Idle,
    Playing,
    Fault,
    Silent,
    /// It has shown its code and has a key: said once, by the gateway.
    Enrolled,
}

/// A device was heard: a heartbeat. Never journaled as such, only its transitions are.
#[derive(Clone, Debug)]
pub struct Presence {
    pub device: String,
    pub state: PresenceState,
    /// What there is to be known of it, in a short word: one of those below, or the device's own for its fault. For one
    /// that fell silent the last that it had.
    pub code: String,
    pub seen: Timestamp,
}

/// It spoke, and said nothing of itself: what was known of it stands.
pub const HEARD: &str = "heard";
/// Its clock is so wrong that it refuses good orders.
pub const CLOCK_WRONG: &str = "clock-wrong";
pub const MUTED: &str = "muted";
/// It runs on its battery because the mains went, or its battery empties.
pub const ON_BATTERY: &str = "on-battery";

/// A person wrote back (上行). It is no receipt: few far ends say to which message it answers, so whoever knows what was
/// sent to that number finds it.
#[derive(Clone)]
pub struct Uplink {
    pub from: Address,
    /// The number that it was sent to, with what a person added behind ours.
    pub to: String,
    /// What was written: a document, as the far end gave it.
    pub text: String,
    /// It is one of the words by which this account's people acknowledge.
    pub acknowledges: bool,
    /// The message that it answers, where the far end says so; `None` is unmatched.
    pub of: Option<Of>,
    /// When it was written, by the far end's clock.
    pub far: Option<Timestamp>,
    /// When we saw it.
    pub seen: Timestamp,
}

/// Neither who wrote nor what.
impl fmt::Debug for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uplink")
            .field("acknowledges", &self.acknowledges)
            .field("of", &self.of)
            .field("far", &self.far)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}
