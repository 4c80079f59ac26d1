#![doc = include_str!("../README.md")]

pub mod bounces;
mod config;
mod dsn;
mod enhanced;
mod html;
mod letter;
mod mailer;
pub mod peer;
mod session;
mod verdict;
mod verp;

pub use config::{Bounces, Config, ConfigError, Secret, Tls};
pub use mailer::Email;
