#![doc = include_str!("../README.md")]

mod base64;
mod check;
pub mod china;
mod codes;
mod container;
mod decode;
pub mod events;
mod feed;
mod finding;
mod geometry;
mod limits;
mod model;
mod profile;
mod read;
mod rules;
mod seen;
mod time;
mod tree;
mod write;

pub use check::{Disposition, Report, assess, assess_from, check};
pub use codes::{
    Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, UnknownCode, Urgency,
    Version,
};
pub use container::{Held, Kind, Opened, open};
pub use feed::{Bounds, Feed};
pub use finding::{Finding, FindingLevel};
pub use limits::Limits;
pub use model::{
    Alert, Area, Circle, DEFAULT_LANGUAGE, Info, Pair, Point, Polygon, Reference, Resource,
};
pub use profile::Profile;
pub use read::{ReadOutcome, read};
pub use rules::{Rule, Stop, rule, rules};
pub use seen::Seen;
pub use time::{Departures, Time, Unreadable};
pub use write::write;
