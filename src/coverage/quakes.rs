//! What came of an earthquake's early warning: who was told what, who took it, sounded, stopped, and which machine acted. A
//! terminal that said nothing is said to have said nothing. This module must not estimate.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::ledger::quakes::{Quake, QuakeId, Shown, Status, Terminal};
use crate::model::{EndpointId, RegionCode, shape};
use crate::registry::{EndpointRef, Registry};

/// The short words by which terminals say what they did.
pub mod word {
    /// The siren and the seconds sound.
    pub const SOUNDS: &str = "sounds";
    /// It is said once, without a siren.
    pub const NOTICE: &str = "notice";
    /// A machine has acted.
    pub const ACTS: &str = "acts";
    /// A machine has it and does nothing: an exercise, a test.
    pub const HELD: &str = "held";
    /// It was called off while it sounded.
    pub const STOPPED: &str = "stopped";
}

/// How many of the terminals that were told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct QuakeFigures {
    pub terminals: u32,
    pub red: u32,
    pub orange: u32,
    pub notice: u32,
    pub machines: u32,
    /// Have said that they have it.
    pub taken: u32,
    /// Have said that they sounded, or said it once.
    pub sounded: u32,
    /// Stopped because it was called off.
    pub stopped: u32,
    /// Machines that acted.
    pub acted: u32,
    /// Machines that have it and did nothing.
    pub held: u32,
    /// Have said nothing.
    pub silent: u32,
}

impl QuakeFigures {
    fn add(&mut self, terminal: &Terminal) {
        let said = |word| terminal.has_said(word);
        let sounded = said(word::SOUNDS) || said(word::NOTICE) || terminal.seconds > 0;
        let of = match terminal.shown {
            Shown::Red => &mut self.red,
            Shown::Orange => &mut self.orange,
            Shown::Notice => &mut self.notice,
            Shown::Machine => &mut self.machines,
        };
        *of += 1;
        self.terminals += 1;
        let taken = !terminal.said.is_empty();
        self.taken += u32::from(taken);
        self.silent += u32::from(!taken);
        self.sounded += u32::from(sounded);
        self.stopped += u32::from(said(word::STOPPED));
        self.acted += u32::from(said(word::ACTS));
        self.held += u32::from(said(word::HELD));
    }
}

/// One earthquake, by its newest report.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Earthquake)]
pub struct QuakeLine {
    pub feed: String,
    pub event: String,
    pub status: Status,
    pub status_zh: &'static str,
    /// The newest report.
    pub report: u32,
    pub called_off: bool,
    #[schema(schema_with = shape::moment)]
    pub origin: String,
    /// When the first report came here.
    #[schema(schema_with = shape::moment)]
    pub came: String,
    /// Of the epicentre.
    pub latitude: f64,
    pub longitude: f64,
    pub depth_km: f64,
    pub magnitude: f64,
    pub figures: QuakeFigures,
}

/// One word of a terminal, the first time that it said it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuakeWord {
    pub word: String,
    #[schema(schema_with = shape::moment)]
    pub at: String,
}

/// One terminal that was told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuakeTerminal {
    pub device: String,
    /// Of a loudspeaker.
    pub village: Option<RegionCode>,
    pub place: String,
    /// Where it stands: latitude and longitude.
    pub point: Option<[f64; 2]>,
    /// The newest report that it was told.
    pub report: u32,
    pub intensity: u8,
    #[schema(schema_with = shape::moment)]
    pub arrival: String,
    pub shown: Shown,
    pub shown_zh: &'static str,
    pub said: Vec<QuakeWord>,
    /// For how long it sounded.
    pub seconds: u32,
}

/// A machine that is told, as it is configured.
pub struct Machine<'a> {
    pub device: &'a str,
    pub name: &'a str,
    pub point: (f64, f64),
}

/// Where each device stands that can be told: loudspeakers by village, and machines.
pub struct Places<'a> {
    registry: &'a Registry,
    horns: BTreeMap<&'a str, (EndpointId, RegionCode)>,
    machines: BTreeMap<&'a str, Machine<'a>>,
}

impl<'a> Places<'a> {
    pub fn new(registry: &'a Registry, machines: impl Iterator<Item = Machine<'a>>) -> Self {
        let horns = registry.speakers().iter();
        let horns = horns.filter_map(|id| registry.endpoint(*id));
        let horn = |e: EndpointRef<'a>| Some((e.address, (e.id, e.village?)));
        Self {
            registry,
            horns: horns.filter_map(horn).collect(),
            machines: machines.map(|m| (m.device, m)).collect(),
        }
    }

    fn village(&self, device: &str) -> Option<RegionCode> {
        self.horns.get(device).map(|(_, village)| *village)
    }

    fn place(&self, device: &str) -> String {
        match (self.village(device), self.machines.get(device)) {
            (Some(village), _) => self.registry.full_name(village),
            (None, Some(machine)) => machine.name.to_owned(),
            (None, None) => String::new(),
        }
    }

    fn point(&self, device: &str) -> Option<(f64, f64)> {
        let machine = self.machines.get(device).map(|m| m.point);
        machine.or_else(|| {
            let (id, village) = self.horns.get(device)?;
            let own = self
                .registry
                .care(*id)
                .and_then(|care| care.lat.zip(care.lon));
            own.or_else(|| self.registry.point(*village))
        })
    }
}

fn degrees(ten_thousandths: i32) -> f64 {
    f64::from(ten_thousandths) / 1e4
}

/// As a caller sees it who covers these regions; machines belong to no region.
pub fn quake_line(
    (id, quake): (&QuakeId, &Quake),
    places: &Places<'_>,
    covers: impl Fn(RegionCode) -> bool,
) -> Option<QuakeLine> {
    let newest = quake.newest()?;
    let (_, came) = quake.reports.values().min_by_key(|(_, came)| *came)?;
    // What calls it off need not say where it was.
    let told = quake
        .reports
        .values()
        .rev()
        .map(|(report, _)| report)
        .find(|r| !r.cancel);
    let place = told.unwrap_or(newest);
    let mut figures = QuakeFigures::default();
    for (device, terminal) in &quake.terminals {
        if places.village(device).is_none_or(&covers) {
            figures.add(terminal);
        }
    }
    Some(QuakeLine {
        feed: id.0.clone(),
        event: id.1.clone(),
        status: newest.status,
        status_zh: newest.status.zh(),
        report: newest.report,
        called_off: newest.cancel,
        origin: place.origin.to_string(),
        came: came.to_string(),
        latitude: degrees(place.north),
        longitude: degrees(place.east),
        depth_km: f64::from(place.depth) / 1e3,
        magnitude: f64::from(place.magnitude) / 10.0,
        figures,
    })
}

/// Its terminals in these regions, the first to be shaken first.
pub fn quake_terminals(
    quake: &Quake,
    places: &Places<'_>,
    covers: impl Fn(RegionCode) -> bool,
) -> Vec<QuakeTerminal> {
    let told = quake.terminals.iter();
    let told = told.filter(|(device, _)| places.village(device).is_none_or(&covers));
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|(device, terminal)| (terminal.arrival, *device));
    let line = |(device, terminal): (&String, &Terminal)| QuakeTerminal {
        device: device.clone(),
        village: places.village(device),
        place: places.place(device),
        point: places.point(device).map(|(lat, lon)| [lat, lon]),
        report: terminal.report,
        intensity: terminal.intensity,
        arrival: terminal.arrival.to_string(),
        shown: terminal.shown,
        shown_zh: terminal.shown.zh(),
        said: terminal.said.iter().map(said).collect(),
        seconds: terminal.seconds,
    };
    told.into_iter().map(line).collect()
}

fn said((word, at): &(String, channel::Timestamp)) -> QuakeWord {
    QuakeWord {
        word: word.clone(),
        at: at.to_string(),
    }
}
