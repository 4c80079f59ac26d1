//! A delivery: this alert to this endpoint, the unit of work and of proof. Two axes, never mixed: `State` is what the
//! engine does next, `Evidence` is what we know reached people. This module must not hold transitions: those are the
//! ledger's fold.

use serde::{Deserialize, Serialize};

/// The events of one alert, in order; stream 0 is the house.
pub type StreamId = u64;

/// A delivery's number within its stream.
pub type DeliveryNo = u32;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Delivery {
    pub stream: StreamId,
    pub number: DeliveryNo,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum State {
    /// Nothing done yet.
    Planned = 0,
    /// Given to a channel, no outcome known.
    Handed = 1,
    /// Accepted, its receipt awaited.
    Awaiting = 2,
    /// To be handed again, at its due time.
    Due = 3,
    Done = 4,
    Failed = 5,
    /// Its time was over before it was accepted.
    Expired = 6,
    Withdrawn = 7,
}

impl State {
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::Handed,
        Self::Awaiting,
        Self::Due,
        Self::Done,
        Self::Failed,
        Self::Expired,
        Self::Withdrawn,
    ];

    /// The state of a stored byte. A byte that is no state cannot be written by the fold.
    pub fn from_byte(byte: u8) -> Self {
        Self::ALL
            .get(usize::from(byte))
            .copied()
            .unwrap_or(Self::Planned)
    }

    /// Nothing more will be done for it.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Failed | Self::Expired | Self::Withdrawn
        )
    }
}
