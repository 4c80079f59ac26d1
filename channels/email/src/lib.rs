#![doc = include_str!("../README.md")]

mod config;
mod letter;
mod mailer;
pub mod peer;
mod session;
mod verdict;

pub use config::{Config, ConfigError, Secret, Tls};
pub use mailer::Email;
