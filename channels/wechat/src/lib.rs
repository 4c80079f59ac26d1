#![doc = include_str!("../README.md")]

mod account;
mod callback;
mod config;
pub mod crypt;
pub mod errcode;
mod event;
mod far;
mod fields;
mod mark;
pub mod peer;
mod quota;
mod robot;
mod said;
mod scene;
mod text;
mod token;
mod work;
pub mod xml;

pub use account::OfficialAccount;
pub use config::{AccountConfig, Callback, ConfigError, RobotConfig, WorkConfig};
pub use robot::Robots;
pub use work::WorkApp;
