//! What a report means at each terminal, and which of it is news there. This module must not ask where a terminal stands
//! with its network: whoever comes back in time is told.

use std::time::Duration;

use channel::{AFTER_ARRIVAL, Timestamp};

use super::bands::intensity;
use super::report::Report;
use super::settings::Earthquake;
use crate::ledger::quakes::{Quake, ShockRow, Shown, Status};
use crate::model::RegionCode;
use crate::plan::geometry::kilometres;

/// From here on the alarm is red.
const RED: u8 = 7;
/// From here on it is an alarm at all.
const ALARM: u8 = 5;
/// Another arrival than this much apart is news, in milliseconds.
const APART: i64 = 200;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Loudspeaker(RegionCode),
    /// It acts of itself, and is told from this intensity on.
    Machine(u8),
}

/// Something that can be told.
#[derive(Clone, PartialEq, Debug)]
pub struct Terminal {
    pub device: String,
    pub channel: String,
    pub at: (f64, f64),
    pub role: Role,
}

/// What the report means at each terminal that is to be told, the first to be shaken first. A notice wakes nobody at night.
pub fn estimate<'a>(
    earthquake: &Earthquake,
    report: &Report,
    terminals: &'a [Terminal],
    night: bool,
) -> Vec<(&'a Terminal, ShockRow)> {
    let shock = |terminal: &'a Terminal| {
        let away = kilometres(report.epicentre(), terminal.at);
        let intensity = intensity(&earthquake.bands, report.magnitude, away)?;
        let shown = match terminal.role {
            Role::Machine(from) => (intensity >= from).then_some(Shown::Machine)?,
            Role::Loudspeaker(village) if may_sound(earthquake, report.status, village) => {
                match intensity {
                    RED.. => Shown::Red,
                    ALARM.. => Shown::Orange,
                    _ => (!night).then_some(Shown::Notice)?,
                }
            }
            Role::Loudspeaker(_) => return None,
        };
        let way = away.hypot(report.depth) / earthquake.speed;
        let row = ShockRow {
            device: terminal.device.clone(),
            intensity,
            arrival: report.origin.plus(Duration::from_secs_f64(way)),
            shown,
        };
        Some((terminal, row))
    };
    let mut shocks: Vec<_> = terminals.iter().filter_map(shock).collect();
    shocks.sort_by(|(_, a), (_, b)| (a.arrival, &a.device).cmp(&(b.arrival, &b.device)));
    shocks
}

/// A drill cannot reach the public: an exercise sounds where the configuration says so, a test nowhere.
fn may_sound(earthquake: &Earthquake, status: Status, village: RegionCode) -> bool {
    match status {
        Status::Actual => true,
        Status::Exercise => earthquake
            .exercise
            .iter()
            .any(|region| region.covers(village)),
        Status::Test => false,
    }
}

/// What of it is to be ordered now, against what is known of this earthquake: nothing of an older report, nothing that the
/// terminal has been told already, nothing whose time is over. A siren that sounds is not taken away by an estimate.
pub fn news<'a>(
    mut shocks: Vec<(&'a Terminal, ShockRow)>,
    number: u32,
    known: Option<&Quake>,
    now: Timestamp,
) -> Vec<(&'a Terminal, ShockRow)> {
    let newest = known.and_then(Quake::newest);
    if newest.is_some_and(|newest| newest.report >= number) {
        return Vec::new();
    }
    let off = known.and_then(Quake::called_off);
    shocks.retain_mut(|(_, row)| {
        if row.arrival.plus(AFTER_ARRIVAL) <= now {
            return false;
        }
        let told = known.and_then(|quake| quake.terminals.get(&row.device));
        // What was called off since is to be told anew.
        let told = told.filter(|told| off.is_none_or(|off| told.report > off));
        let Some(told) = told else { return true };
        if told.shown < row.shown {
            row.shown = told.shown;
        }
        let apart = (told.arrival.0 - row.arrival.0).abs();
        (told.intensity, told.shown) != (row.intensity, row.shown) || apart > APART
    });
    shocks
}

/// Who is told that it does not come: whoever was told that it does, and is not silent of itself yet.
pub fn called_off(number: u32, known: Option<&Quake>, now: Timestamp) -> Vec<(String, ShockRow)> {
    let Some(quake) = known else {
        return Vec::new();
    };
    if quake.newest().is_some_and(|newest| newest.report >= number) {
        return Vec::new();
    }
    let told = quake.terminals.iter();
    let told = told.filter(|(_, terminal)| terminal.arrival.plus(AFTER_ARRIVAL) > now);
    told.map(|(device, terminal)| {
        let row = ShockRow {
            device: device.clone(),
            intensity: terminal.intensity,
            arrival: terminal.arrival,
            shown: terminal.shown,
        };
        (terminal.channel.clone(), row)
    })
    .collect()
}
