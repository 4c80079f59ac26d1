//! Names that a far end knows a message by and that are made of a day and a serial (EBMID): given once, durably, and given
//! again for the same content, so that a repeat in doubt is known as one. This module must not know what they name.

use crate::{Address, Key, Timestamp};

/// The highest serial of a day: far ends have four digits for it.
pub const SERIALS_A_DAY: u16 = 9_999;

/// What a serial is wanted for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Numbering {
    /// Whose serials: by what the far end tells senders apart.
    pub series: String,
    /// The far end's day, as `20250701`.
    pub day: u32,
    /// What is named; the same has the same serial.
    pub key: u64,
    pub alert: u64,
    /// The deliveries that go under it; none for what only speaks of another name.
    pub deliveries: Vec<u32>,
    /// Until when it is of use.
    pub expires: Timestamp,
}

/// A serial that was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    pub series: String,
    pub day: u32,
    pub serial: u16,
    pub key: u64,
    pub alert: u64,
    /// Those of its deliveries that are still known, with where they go.
    pub to: Vec<(Key, Address)>,
    pub at: Timestamp,
    pub expires: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoSerial {
    #[error("the journal takes nothing now")]
    Unavailable,
    #[error("all {SERIALS_A_DAY} serials of this day are given")]
    Spent,
}
