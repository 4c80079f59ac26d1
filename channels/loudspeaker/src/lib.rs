#![doc = include_str!("../README.md")]

mod call;
mod calls;
mod config;
mod desk;
pub mod ebd;
mod enrolling;
pub mod gdj089;
mod keys;
mod line;
pub mod machine;
pub mod mqtt;
pub mod order;
pub mod peer;
pub mod player;
mod precedence;
mod refused;
mod report;
mod shaking;
mod sheet;
pub mod signing;
mod sounds;
mod speaker;

pub use call::{Call, DeviceKey, FRESH};
pub use config::{Config, ConfigError, Secret};
pub use line::{Line, LineError, Welcome};
pub use report::{CLOCK_ERROR, Heartbeat, PlayState, Report, Source};
pub use speaker::Loudspeaker;
