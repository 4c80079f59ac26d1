//! Loudspeakers behind an MQTT broker. The order, its signature, the window, the reports and the heartbeats are those of
//! the controller API, byte for byte, so that what a device must check is one thing; only the way is another. This module
//! must not trust the broker with anything but carrying.

mod calls;
mod config;
mod envelope;
mod link;
pub mod peer;
mod pipe;
mod push;
mod speaker;
mod topics;

pub use config::{Broker, BrokerError};
pub use envelope::{Answer, Envelope};
pub use pipe::Pipe;
pub use speaker::Mqtt;
pub use topics::{TEMPLATE, Topics, What};
