//! What strangers may throw at the readers of this gateway: one function a reader takes any bytes at all and holds what
//! must be true whatever they are. The same functions run under libFuzzer (`fuzz/README.md`) and, over the seeds and the
//! finds that lie there, as ordinary tests. It is compiled for tests and for fuzzing alone; it must not become part of
//! the program, nor repair what a reader should refuse.

mod area;
mod callbacks;
mod cmpp;
mod controller;
mod ebd;
mod gdj089;
mod import;
mod journal;
mod mail;
mod manual;
mod message;
mod mqtt;
mod order;
mod quake;
mod queries;
mod sample;
mod satellite;
mod session;
mod settings;
mod smpp;
mod sound;
#[cfg(test)]
mod tests;
mod voice;
mod wechat;
mod words;

pub use area::area;
pub use callbacks::callbacks;
pub use cmpp::cmpp;
pub use controller::controller;
pub use ebd::ebd;
pub use gdj089::gdj089;
pub use import::import;
pub use journal::journal;
pub use mail::mail;
pub use manual::manual;
pub use message::message;
pub use mqtt::mqtt;
pub use order::order;
pub use quake::quake;
pub use queries::queries;
pub use satellite::satellite;
pub use session::session;
pub use settings::{plan, settings, tables};
pub use smpp::smpp;
pub use sound::sound;
pub use voice::voice;
pub use wechat::wechat;
pub use words::words;
