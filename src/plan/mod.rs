//! What is to be done with an alert: which plan takes it, which villages its areas name, who is told there and by which
//! channels, and in which words. Pure over alert, registry and ledger. This room must not write, send or wait.

mod audience;
mod budget;
mod carriers;
mod choose;
mod closings;
mod compare;
mod confirm;
mod draft;
mod earlier;
mod events;
pub mod filing;
#[cfg(test)]
mod fixture;
pub mod geometry;
mod hit;
mod home;
mod hush;
mod lines;
mod note;
mod past;
pub mod preview;
mod prompt;
pub mod quake;
mod quiet;
mod remark;
mod routes;
mod rules;
mod schedule;
mod silence;
pub mod sounds;
mod strangers;
mod target;
mod test_calls;
#[cfg(test)]
mod tests;
mod text;
mod told;
mod touched;
pub mod wall;

pub use audience::{PlannedBlock, PlannedDelivery};
pub use budget::{holds, is_text};
pub use carriers::Carriers;
pub use choose::{Asked, Choice, Condition, Turn};
pub use confirm::Confirm;
pub use draft::{Draft, Drafted, Filed};
pub use earlier::Earlier;
pub use events::{EventName, Events};
pub use filing::{Filing, FilingState, Filings};
pub use home::{home, homes};
pub use hush::{Hush, Silence, Sound};
pub use note::Note;
pub use past::{Past, compared, moments, raised};
pub use prompt::{Call, Prompting, prompt, with_link};
pub use quiet::Quiet;
pub use remark::{remark, why_held};
pub use routes::{Member, Outlets, Route, Routes};
pub use rules::{AGAIN, Plan, Plans, Send, When};
pub use schedule::Schedule;
pub use silence::Look;
pub use sounds::Sounds;
pub use strangers::strangers;
pub use target::{Targets, codes, target};
pub use test_calls::{Tests, test_due};
pub use text::{Rendered, Source, Stock, Telling, load, render};
pub use told::Told;

use channel::Level;

use crate::ledger::event::Class;

/// The level that people know a warning by. CAP's severity carries it.
pub fn level(alert: &cap::Alert) -> Level {
    compare::level(alert.infos.iter().map(|i| i.severity))
}

/// Behind every level: what may wait.
const CALM: u64 = 5;

/// Smaller goes first: the level by which it is handled, then corrections of what is held ahead of originals, then urgency,
/// then the earliest deadline, then what stands first in the plan. What may wait goes behind all of it.
pub fn rank(alert: &cap::Alert, handled: Level, class: Class, send: usize) -> u64 {
    let level = handled as u64;
    let original = u64::from(matches!(class, Class::Original | Class::Widened));
    let (lane, order) = if class.is_calm() {
        (CALM, level)
    } else {
        (level, original)
    };
    let urgency = alert
        .infos
        .iter()
        .map(|i| i.urgency as u64)
        .min()
        .unwrap_or(4);
    let deadline = alert
        .infos
        .iter()
        .filter_map(|i| i.onset.or(i.expires))
        .map(|t| t.unix)
        .min()
        .unwrap_or(i64::MAX);
    let deadline = u64::try_from(deadline.clamp(0, (1 << 40) - 1)).unwrap_or(0);
    let send = u64::try_from(send).unwrap_or(255).min(255);
    lane << 56 | order << 52 | urgency << 48 | deadline << 8 | send
}
