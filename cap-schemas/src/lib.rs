#![doc = include_str!("../README.md")]

mod check;
pub mod china;
mod codes;
mod decode;
mod finding;
mod geometry;
mod limits;
mod model;
mod read;
mod rules;
mod time;
mod tree;
mod write;

pub use check::{Disposition, Report, assess, assess_in, check};
pub use codes::{
    Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, UnknownCode, Urgency,
    Version,
};
pub use finding::{Finding, FindingLevel};
pub use model::{
    Alert, Area, Circle, DEFAULT_LANGUAGE, Info, Pair, Point, Polygon, Reference, Resource,
};
pub use read::{ReadOutcome, read};
pub use rules::{RULES, Rule, Stop, rule};
pub use time::{Departures, Time, Unreadable};
pub use write::write;
