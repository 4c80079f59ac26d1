//! When an alert is over for good, and the figures that it is sealed with. Pure over ledger, registry and now; the writer
//! refuses what was made of an alert that went on meanwhile. This module must not write.

use std::sync::Arc;
use std::time::Duration;

use channel::Timestamp;

use super::doors::Doors;
use super::rollup::{common, rollup_of};
use super::row::Row;
use crate::ledger::event::Born;
use crate::ledger::seal::{Card, Sealed, Totals};
use crate::ledger::{Alert, Ledger, Phase, Sealing};
use crate::model::{RegionCode, State};
use crate::registry::Registry;
use crate::store::SealedHousehold;

/// The alerts that are over: nothing of them is open, their texts and every wait for a receipt have ended, and nothing
/// has happened to them for `after` since.
pub fn over(ledger: &Ledger, now: Timestamp, after: Duration) -> Vec<Arc<Alert>> {
    let alerts = ledger.alerts();
    let waits =
        |by: &&Arc<Alert>| by.is_live() && matches!(by.phase(), Phase::Accepted | Phase::Releasing);
    // A correction that is not released yet will look at what it corrects.
    let corrected: Vec<_> = alerts
        .iter()
        .filter(waits)
        .flat_map(|by| ledger.chain(&by.meta.hits, Some(by.stream)))
        .collect();
    let over = |alert: &Arc<Alert>| {
        is_ended(alert)
            && quiet_since(alert).plus(after) <= now
            && !corrected.contains(&alert.stream)
    };
    alerts.iter().filter(|a| over(a)).cloned().collect()
}

/// Whether nothing is left to do for it.
fn is_ended(alert: &Alert) -> bool {
    let decided = match alert.meta.born {
        Born::Filed => true,
        // What waits for a person ends with its time; a Cancel without infos has none.
        Born::Quarantined if alert.waits() => !alert.meta.infos.is_empty(),
        Born::Live | Born::SupersededBy(_) | Born::Quarantined => match alert.phase() {
            Phase::Planned => alert.steps.next().is_none(),
            phase => matches!(phase, Phase::Withdrawn | Phase::Refused),
        },
    };
    let open = |state: &State| !state.is_final();
    decided
        && alert.blocks().iter().all(|block| {
            let mut open = State::ALL.iter().filter(|state| open(state));
            open.all(|state| block.tally(*state) == 0)
        })
}

/// The last moment at which anything happened to it or was still to come.
fn quiet_since(alert: &Alert) -> Timestamp {
    let texts = alert.variants().into_iter().map(|v| v.expires).max();
    let ends = texts.into_iter().chain([alert.at, alert.trail.last()]);
    ends.fold(alert.expires(), Timestamp::max)
}

/// What an alert is sealed with.
pub fn sealing(ledger: &Ledger, alert: &Alert, registry: &Registry) -> Sealing {
    // Before the figures: what happens while they are made is noticed.
    let count = alert.trail.count();
    let regions = &alert.meta.regions;
    let scope: Vec<RegionCode> = alert.grounds().into_keys().collect();
    let name = common(regions).or_else(|| common(&scope));
    let total = name.map(|name| rollup_of(alert, registry, &everywhere(alert), name).total);
    let sealed = Sealed {
        totals: total.as_ref().map(totals).unwrap_or_default(),
        deliveries: alert.next_delivery(),
        records: 0,
        digest: ledger.digest(alert),
    };
    Sealing {
        card: Card::of(alert, sealed),
        count,
        households: households(alert, registry, &scope),
    }
}

/// Every region that a block or a ground of it speaks of.
fn everywhere(alert: &Alert) -> Vec<RegionCode> {
    let mut all: Vec<_> = alert.grounds().into_keys().collect();
    all.extend(alert.blocks().iter().map(|block| block.region));
    all.sort_unstable();
    all.dedup();
    all
}

fn households(alert: &Alert, registry: &Registry, scope: &[RegionCode]) -> Vec<SealedHousehold> {
    let doors = Doors::of(alert, registry, scope);
    let mut rows = Vec::new();
    for (at, village) in doors.villages.iter().enumerate() {
        rows.extend(doors.each(at).map(|(door, answer)| SealedHousehold {
            household: door.id,
            village: village.code,
            group: door.group,
            away: door.away,
            answer,
        }));
    }
    // A door is one row, wherever a ground names it again.
    rows.sort_by_key(|row| row.household);
    rows.dedup_by_key(|row| row.household);
    rows
}

fn totals(row: &Row) -> Totals {
    Totals {
        households: row.households,
        away: row.away,
        confirmed: row.reached.confirmed,
        delivered: row.reached.delivered,
        played: row.reached.played,
        no_endpoint: row.missed.no_endpoint,
        refused: row.missed.refused,
        failed: row.missed.failed,
        expired: row.missed.expired,
        withdrawn: row.missed.withdrawn,
        unknown: row.unknown,
        people: row.people.unwrap_or(0),
        speakers: row.speakers.total,
        speakers_played: row.speakers.played,
        officers: row.officers.total,
        officers_reached: row.officers.reached,
    }
}
