//! The tests of this room: every event's bytes, the rules of the fold, replay against live, damage, the writer, and the
//! journals of every format that was ever written. Nothing here may read a clock, a network or a folder of its own.

mod brought;
mod codec;
mod crash;
mod curve;
mod fold;
mod golden;
mod history;
pub(super) mod kit;
mod live;
mod verify;
mod writer;
