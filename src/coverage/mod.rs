//! Every figure and list about an alert: who was reached and how well, who was missed and why, of whom nothing is known.
//! Each is a query over the ledger (law 5) with the frozen grounds as denominators; the registry lends names and not
//! one figure. This room must not decide anything and must not keep anything between two questions.
//!
//! A household is counted once, by the best answer of all deliveries to its people. A speaker that has proven play gives
//! the households on its hearing list the grade *played* where they have no better one. A speaker that may still play
//! leaves them *pending*, one whose order was taken without a play report leaves them *unknown*, and one that failed says
//! nothing about them: with no delivery of their own they are missed, *no endpoint*.

mod cause;
mod channels;
mod classes;
pub mod course;
pub mod csv;
mod curve;
mod doors;
#[cfg(test)]
pub mod fixture;
mod gauges;
pub mod horn_csv;
pub mod horns;
mod lists;
mod quakes;
mod repairs;
mod replies;
mod rollup;
mod row;
mod satellites;
mod seal;
pub mod shares;
mod stale;
mod standing;
pub mod story;
mod suspects;
#[cfg(test)]
mod tests;
mod villages;
pub mod words;

pub use cause::Cause;
pub use channels::{ChannelLine, channels};
pub use classes::{ClassLine, classes};
pub use curve::{Curve, Point, curve};
pub use gauges::{Gauges, gauges};
pub use lists::{
    DeliveryLine, HouseholdLine, Page, SpeakerLine, Wanted, deliveries, households, speakers,
    village_of,
};
pub use quakes::{
    Machine, Places, QuakeFigures, QuakeLine, QuakeTerminal, quake_line, quake_terminals,
};
pub use repairs::{RepairLine, repair_line, repairs};
pub use replies::{Attached, ReplyLine, StrayLine, replies, strays};
pub use rollup::{Rollup, common, home, rollup, rollup_of, sees, touches, villages};
pub use row::Row;
pub use satellites::{SatelliteLine, satellites};
pub use seal::{over, sealing};
pub use stale::{Stale, StaleRow, stale};
pub use standing::Standing;
pub use suspects::{SuspectLine, doubt, suspects};
pub use villages::{HeardFigures, VillageLine, heard_figures, unheard, village_lines};
