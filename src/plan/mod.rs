//! What is to be done with an alert: which plan takes it, which villages its areas name, who is told there and by which
//! channels, and in which words. Pure over alert, registry and ledger. This room must not write, send or wait.

mod audience;
mod rules;
mod target;
mod text;
pub mod wall;

pub use audience::{Outlets, PlannedBlock, PlannedDelivery, Told, Want, above, blocks, ground};
pub use rules::{Plan, Plans};
pub use target::{Targets, codes, target};
pub use text::{Source, Stock, Telling, load, render};

use channel::Level;

/// The level that people know a warning by. CAP's severity carries it.
pub fn level(alert: &cap::Alert) -> Level {
    match alert.infos.iter().map(|i| i.severity).min() {
        Some(cap::Severity::Extreme) => Level::Red,
        Some(cap::Severity::Severe) => Level::Orange,
        Some(cap::Severity::Moderate) => Level::Yellow,
        Some(cap::Severity::Minor) => Level::Blue,
        Some(cap::Severity::Unknown) | None => Level::Unknown,
    }
}

/// Smaller goes first: severity, then corrections ahead of originals, then urgency, then the earliest deadline.
pub fn rank(alert: &cap::Alert) -> u64 {
    let severity = alert
        .infos
        .iter()
        .map(|i| i.severity as u64)
        .min()
        .unwrap_or(4);
    let urgency = alert
        .infos
        .iter()
        .map(|i| i.urgency as u64)
        .min()
        .unwrap_or(4);
    let original = u64::from(alert.msg_type == cap::MsgType::Alert);
    let deadline = alert
        .infos
        .iter()
        .filter_map(|i| i.onset.or(i.expires))
        .map(|t| t.unix)
        .min()
        .unwrap_or(i64::MAX);
    let deadline = u64::try_from(deadline.clamp(0, (1 << 40) - 1)).unwrap_or(0);
    severity << 56 | original << 52 | urgency << 48 | deadline
}
