//! The link to a county's front-end adapters (GD/J 089, and the older dialect whose frames open with `FEFD`): frames over TCP,
//! start and stop, heartbeats, play records. Layouts come from published sources and not from the standard's text; what
//! they leave open stands in `assumed` alone. This module must not listen to anybody whom the settings do not name.

pub mod assumed;
mod bytes;
pub mod channels;
pub mod frame;
pub mod report;
pub mod task;
#[cfg(test)]
mod tests;

pub use bytes::{Id, Malformed, crc};
