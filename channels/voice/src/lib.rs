#![doc = include_str!("../README.md")]

mod call;
mod config;
mod ear;
mod g711;
mod number;
pub mod peer;
mod phone;
mod provider;
mod rtp;
mod sdp;
mod speech;
mod talk;
mod trunk;
mod verdict;
mod voice;
mod wav;

pub use channel::lines;
pub use config::{Calls, Config, ConfigError, Recording, Secret, Speech, Trunk};
pub use provider::{AnswerShape, CallbackShape, ProviderConfig, Word};
pub use verdict::Miss;
pub use voice::Voice;
