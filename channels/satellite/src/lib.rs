#![doc = include_str!("../README.md")]

pub mod at;
pub mod compact;
mod config;
mod modem;
pub mod pdu;
pub mod peer;
mod port;
pub mod rdss;
pub mod standing;

pub use config::{ConfigError, MAX_SEGMENTS, ModemConfig, Secret};
pub use modem::quirks::{Profile, Quirks, QuirksPatch};
pub use modem::{Modem, Radio, Registration};
pub use port::Port;
pub use rdss::{Rdss, RdssConfig};
