//! A connection's bytes in whichever dialect it opens with: a connection keeps to its first. This module must not judge what it
//! finds.

use super::fefd::{Old, Packet};
use super::frame::{Broken, Frame, Frames, Way};

/// What stood in the stream.
pub enum Item {
    Frame(Frame),
    Packet(Packet),
}

pub enum Incoming {
    /// Nothing has come yet.
    Silent,
    Frames(Frames<Way>),
    Packets(Frames<Old>),
}

impl Incoming {
    pub fn push(&mut self, bytes: &[u8]) {
        if let (Self::Silent, Some(first)) = (&*self, bytes.first()) {
            *self = match first {
                0xFE => Self::Packets(Frames::new(Old)),
                _ => Self::Frames(Frames::new(Way::Up)),
            };
        }
        match self {
            Self::Silent => {}
            Self::Frames(frames) => frames.push(bytes),
            Self::Packets(packets) => packets.push(bytes),
        }
    }

    pub fn take(&mut self) -> Option<Result<Item, Broken>> {
        match self {
            Self::Silent => None,
            Self::Frames(frames) => Some(frames.take()?.map(Item::Frame)),
            Self::Packets(packets) => Some(packets.take()?.map(Item::Packet)),
        }
    }

    pub fn is_waiting(&self) -> bool {
        match self {
            Self::Silent => false,
            Self::Frames(frames) => frames.is_waiting(),
            Self::Packets(packets) => packets.is_waiting(),
        }
    }

    pub fn give_up(&mut self) -> Option<Broken> {
        match self {
            Self::Silent => None,
            Self::Frames(frames) => frames.give_up(),
            Self::Packets(packets) => packets.give_up(),
        }
    }
}
