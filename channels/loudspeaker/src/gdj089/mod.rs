//! The link to a county's front-end adapters (GD/J 089): frames over TCP, start and stop, heartbeats, play records. Layouts
//! come from published sources and not from the standard's text; what they leave open stands in `assumed` alone. This
//! module must not listen to anybody whom the settings do not name.

mod adapters;
pub mod assumed;
mod bytes;
mod caller;
pub mod channels;
mod config;
mod desk;
pub mod fefd;
pub mod frame;
mod gather;
mod heard;
mod link;
mod named;
mod old;
mod orders;
pub mod params;
pub mod peer;
pub mod peer_old;
mod plan;
mod plays;
pub mod report;
mod routes;
pub mod said;
mod seal;
mod session;
mod standing;
pub mod task;
#[cfg(test)]
mod tests;
mod wire;

pub use adapters::Adapters;
pub use bytes::{Id, Malformed, crc};
pub use config::{Adapter, Charset, Config, ConfigError, Dialect, Reports};
