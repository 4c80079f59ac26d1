//! The readers of what strangers send, open for fuzzing and for whoever judges an archive by hand: pure functions over bytes.
//! This module must not be needed by the channel.

pub use super::archive::{Archive, BadArchive};
pub use super::body::{Body, Response};
pub use super::inventory::{Desk, Device, Info, LOG, Of, Omd, Record, StateOf, States};
pub use super::message::{Content, Ebm};
pub use super::multipart::read as form;
pub use super::names::{Sort, ebdid, ebmid, read_time};
pub use super::outcome::outcome;
pub use super::packet::{BadPacket, Packet};
pub use super::profile::{Edition, Profile};
pub use super::signature::{Signature, Variant};
pub use super::state::{Brd, BrdLog, Coverage, Item, Logged, StateReport};
pub use super::tar::{BadTar, Member, read as untar, write as tar};
