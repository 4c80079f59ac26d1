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

/// What reads the network here. Open for fuzzing alone.
#[doc(hidden)]
pub mod readers {
    pub use crate::g711::Codec;
    pub use crate::provider::read_answer as answer;
    pub use crate::rtp::{Keys, Packet, key_in_info};
    pub use crate::sdp::read as media;
    pub use crate::verdict::{Ending, refused};
    pub use crate::wav::{read as wav, write as put_wav};
}

pub use channel::lines;
pub use config::{Calls, Config, ConfigError, Recording, Secret, Speech, Trunk};
pub use provider::{AnswerShape, CallbackShape, ProviderConfig, Word};
pub use verdict::Miss;
pub use voice::Voice;
