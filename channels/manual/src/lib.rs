#![doc = include_str!("../README.md")]

mod calls;
mod config;
mod entry;
mod form;
mod item;
mod link;
mod manual;
mod moment;
mod outlet;
mod page;
pub mod peer;
mod picture;
mod ready;
mod refusal;
mod sniff;

pub use calls::{LONGEST_BODY, MOST_ENTRIES};
pub use config::{Config, ConfigError, Text};
pub use link::Links;
pub use manual::Manual;
pub use outlet::{Kind, Outlet};
