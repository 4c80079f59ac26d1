#![doc = include_str!("../README.md")]

mod config;
mod desk;
mod keys;
mod line;
pub mod order;
pub mod peer;
mod report;
mod sheet;
mod speaker;

pub use config::{Config, ConfigError, Secret};
pub use keys::device_key;
pub use line::{Line, LineError};
pub use report::{Heartbeat, PlayState, Report, Source};
pub use speaker::Loudspeaker;
