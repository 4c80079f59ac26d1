//! Which release is written next. One is written at a time, and between two regions it makes way for a more urgent one: the
//! beginning of a correction before all else, for what is wrong must not go on. This module must not write.

use std::collections::HashSet;
use std::sync::Arc;

use channel::{Level, Timestamp};

use crate::ledger::event::{Born, Class};
use crate::ledger::{Alert, Known, Ledger, Phase};
use crate::model::StreamId;

/// One step of one alert's release.
pub type Turn = (Arc<Alert>, u16);

/// Smaller is released first.
type Urgency = (u64, bool, Level, bool);

/// What is accepted or due and not planned to its end, with the step; the most urgent first.
pub fn due(now: Timestamp, ledger: &Ledger) -> Vec<Turn> {
    let live = ledger.alerts().into_iter();
    let live = live.filter(|a| a.is_live());
    let mut due: Vec<_> = live.filter_map(|a| open(a, now)).collect();
    due.sort_by_cached_key(|(alert, _)| urgency(alert));
    due
}

/// Whether something else is more urgent than this alert. What this pass has tried already is not: it halted.
pub fn is_overtaken(
    alert: &Alert,
    tried: &HashSet<StreamId>,
    now: Timestamp,
    ledger: &Ledger,
) -> bool {
    let own = urgency(alert);
    let others = ledger.alerts().into_iter();
    let others = others.filter(|a| a.is_live() && !tried.contains(&a.stream));
    others
        .filter(|a| a.stream != alert.stream)
        .filter_map(|a| open(a, now))
        .any(|(other, _)| urgency(&other) < own)
}

fn open(alert: Arc<Alert>, now: Timestamp) -> Option<Turn> {
    match alert.phase() {
        Phase::Accepted | Phase::Releasing => Some((alert, 0)),
        // What is over in the meantime is dropped by the tick.
        Phase::Planned => {
            let (step, due) = comes(&alert)?;
            (due <= now && !alert.is_over(now)).then_some((alert, step))
        }
        Phase::Withdrawn | Phase::Refused => None,
    }
}

/// The next step of a release that is written as far as it was due.
pub fn comes(alert: &Alert) -> Option<(u16, Timestamp)> {
    let planned = alert.phase() == Phase::Planned;
    alert.steps.next().filter(|_| planned)
}

/// The next look at the villages of an alert that stands and is released.
pub fn looks(alert: &Alert) -> Option<(u16, Timestamp)> {
    let planned = alert.phase() == Phase::Planned && alert.is_live();
    alert.silence.next().filter(|_| planned)
}

fn urgency(alert: &Alert) -> Urgency {
    // Of corrections that wait the newest first: it may end the others.
    let waits = alert.phase() == Phase::Accepted && alert.meta.corrects();
    let begins = u64::MAX - if waits { alert.stream } else { 0 };
    let calm = alert.classes.whole().is_some_and(Class::is_calm);
    let original = !alert.meta.corrects();
    (begins, calm, alert.handled(), original)
}

/// A correction that was released before all of its chain was known, and what it left standing by that: an Update came
/// too late, and what that Update corrects stands although neither of the two does.
pub fn late(ledger: &Ledger) -> Vec<(Known, Vec<StreamId>)> {
    let superseded = |alert: Arc<Alert>| match alert.meta.born {
        Born::SupersededBy(by) if alert.meta.corrects() => ledger.known(by),
        _ => None,
    };
    let by = ledger.alerts().into_iter().filter_map(superseded);
    let released = |by: &Known| {
        let decided = matches!(by.phase(), Phase::Releasing | Phase::Planned);
        decided && by.is_live()
    };
    let left = |by: Known| {
        let chain = ledger.chain(&by.meta().hits, Some(by.stream()));
        let standing = ledger.standing(&chain);
        (!standing.is_empty()).then_some((by, standing))
    };
    by.filter(released).filter_map(left).collect()
}
