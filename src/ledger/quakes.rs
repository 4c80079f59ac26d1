//! Earthquakes of which a feed gave early warning (地震预警): every report with what was ordered of which terminal, and what
//! the terminals said. What was estimated stands in the event, so that a replay estimates nothing. The feed's own bytes are
//! a document of the store. This module must not judge a report.

use std::collections::BTreeMap;

use channel::{AFTER_ARRIVAL, Alarm, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::devices::{Done, DoneRow};
use crate::store::DocumentId;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub enum Status {
    Actual,
    Exercise,
    Test,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Actual, Self::Exercise, Self::Test];

    pub const fn is_drill(self) -> bool {
        !matches!(self, Self::Actual)
    }

    pub const fn zh(self) -> &'static str {
        ["真实", "演练", "测试"][self as usize]
    }
}

/// What a terminal makes of it, as the journal writes it down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    Red,
    Orange,
    Notice,
    Machine,
}

impl Shown {
    pub const ALL: [Self; 4] = [Self::Red, Self::Orange, Self::Notice, Self::Machine];

    pub const fn zh(self) -> &'static str {
        ["红色警报", "橙色警报", "提示", "自动处置"][self as usize]
    }

    pub const fn alarm(self) -> Alarm {
        match self {
            Self::Red => Alarm::Red,
            Self::Orange => Alarm::Orange,
            Self::Notice => Alarm::Notice,
            Self::Machine => Alarm::Machine,
        }
    }
}

/// What is estimated for one terminal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShockRow {
    pub device: String,
    pub intensity: u8,
    pub arrival: Timestamp,
    pub shown: Shown,
}

/// What was ordered of one channel: its terminals in the order of the serials, the first to be shaken first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Relayed {
    pub channel: String,
    /// As many follow as there are rows.
    pub serial: u64,
    pub rows: Vec<ShockRow>,
}

impl Relayed {
    /// The highest serial that is its own.
    pub fn last(&self) -> u64 {
        let count = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        self.serial.saturating_add(count.saturating_sub(1))
    }

    fn place(&self, serial: u64) -> Option<&ShockRow> {
        let at = usize::try_from(serial.checked_sub(self.serial)?).ok()?;
        self.rows.get(at)
    }
}

/// A report came from a feed, and this was ordered by it. A report that says nothing new to anybody has no orders.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quaked {
    pub feed: String,
    /// What the feed calls the earthquake.
    pub event: String,
    pub report: u32,
    pub status: Status,
    /// It is called off (取消).
    pub cancel: bool,
    pub sent: Timestamp,
    pub origin: Timestamp,
    /// In ten thousandths of a degree, north and east.
    pub north: i32,
    pub east: i32,
    /// In metres.
    pub depth: u32,
    /// In tenths.
    pub magnitude: u16,
    /// As the feed signed it.
    pub document: DocumentId,
    pub relayed: Vec<Relayed>,
}

/// Which earthquake: whose word, and what they call it.
pub type QuakeId = (String, String);

/// What one terminal was told last, and what it said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Terminal {
    pub channel: String,
    pub report: u32,
    pub intensity: u8,
    pub arrival: Timestamp,
    pub shown: Shown,
    /// Everything it said, in its own short words, the first time of each.
    pub said: Vec<(String, Timestamp)>,
    /// For how long it sounded.
    pub seconds: u32,
}

impl Terminal {
    pub fn has_said(&self, word: &str) -> bool {
        self.said.iter().any(|(said, _)| said == word)
    }
}

/// One earthquake, with all that is known of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Quake {
    /// By number, with when each came here.
    pub reports: BTreeMap<u32, (Quaked, Timestamp)>,
    pub terminals: BTreeMap<String, Terminal>,
}

impl Quake {
    /// The report that counts: no older one says anything against it.
    pub fn newest(&self) -> Option<&Quaked> {
        self.reports.values().next_back().map(|(report, _)| report)
    }

    /// The number of the latest report that called it off.
    pub fn called_off(&self) -> Option<u32> {
        let off = self.reports.iter().filter(|(_, (report, _))| report.cancel);
        off.map(|(number, _)| *number).next_back()
    }

    pub fn is_off(&self) -> bool {
        self.newest().is_some_and(|report| report.cancel)
    }

    /// When the last terminal falls silent of itself.
    pub fn ends(&self) -> Option<Timestamp> {
        let arrivals = self.terminals.values().map(|terminal| terminal.arrival);
        arrivals.max().map(|last| last.plus(AFTER_ARRIVAL))
    }
}

/// Earthquakes that are kept with all their terminals.
const KEPT: usize = 64;
/// The word of one that has come to its end, of which it says nothing but for how long it sounded.
pub const ENDED: &str = "ended";
/// Words of one terminal that are kept.
const WORDS: usize = 8;

#[derive(Default)]
struct Held {
    quakes: BTreeMap<QuakeId, Quake>,
    /// In which they came.
    order: Vec<QuakeId>,
    /// Whose each run of serials is: by channel and first serial, the report and its place.
    serials: BTreeMap<(String, u64), (QuakeId, u32)>,
}

#[derive(Default)]
pub struct Quakes(RwLock<Held>);

impl Quakes {
    pub(super) fn reported(&self, time: Timestamp, quaked: &Quaked) {
        let mut held = self.0.write();
        let id = (quaked.feed.clone(), quaked.event.clone());
        if !held.quakes.contains_key(&id) {
            held.begin(id.clone());
        }
        for relayed in &quaked.relayed {
            let first = (relayed.channel.clone(), relayed.serial);
            held.serials.insert(first, (id.clone(), quaked.report));
        }
        let Some(quake) = held.quakes.get_mut(&id) else {
            return;
        };
        if !quaked.cancel {
            quake.tell(quaked);
        }
        quake
            .reports
            .entry(quaked.report)
            .or_insert_with(|| (quaked.clone(), time));
    }

    /// What terminals did; whether the orders were these.
    pub(super) fn done(&self, time: Timestamp, done: &Done) -> bool {
        let mut held = self.0.write();
        let Some((id, _)) = held.of(&done.channel, done.serial) else {
            return false;
        };
        let Some(quake) = held.quakes.get_mut(&id) else {
            return true;
        };
        for row in &done.rows {
            if let Some(terminal) = quake.terminals.get_mut(&row.device) {
                terminal.hear(time, row);
            }
        }
        true
    }

    /// Whether this serial was given to this terminal.
    pub fn is_given(&self, channel: &str, serial: u64, device: &str) -> bool {
        let held = self.0.read();
        let Some((id, report)) = held.of(channel, serial) else {
            return false;
        };
        let quake = held.quakes.get(&id);
        let report = quake.and_then(|quake| quake.reports.get(&report));
        report.is_some_and(|(report, _)| {
            let mine = report.relayed.iter().filter(|r| r.channel == channel);
            let mut rows = mine.filter_map(|relayed| {
                let one = relayed.place(serial)?;
                // What calls it off is one order for all of them, under the first serial.
                let all = report.cancel && relayed.rows.iter().any(|row| row.device == device);
                Some(all || one.device == device)
            });
            rows.any(|is| is)
        })
    }

    pub fn get(&self, id: &QuakeId) -> Option<Quake> {
        self.0.read().quakes.get(id).cloned()
    }

    /// The last first.
    pub fn all(&self) -> Vec<(QuakeId, Quake)> {
        let held = self.0.read();
        let ids = held.order.iter().rev();
        ids.filter_map(|id| Some((id.clone(), held.quakes.get(id)?.clone())))
            .collect()
    }
}

impl Held {
    fn begin(&mut self, id: QuakeId) {
        if self.order.len() == KEPT {
            let gone = self.order.remove(0);
            self.quakes.remove(&gone);
            self.serials.retain(|_, (of, _)| *of != gone);
        }
        self.order.push(id.clone());
        let quake = Quake {
            reports: BTreeMap::new(),
            terminals: BTreeMap::new(),
        };
        self.quakes.insert(id, quake);
    }

    /// Whose serial this is.
    fn of(&self, channel: &str, serial: u64) -> Option<(QuakeId, u32)> {
        let upto = (channel.to_owned(), serial);
        let ((name, first), (id, report)) = self.serials.range(..=upto).next_back()?;
        let (reported, _) = self.quakes.get(id)?.reports.get(report)?;
        let mut of = reported.relayed.iter().filter(|r| r.serial == *first);
        let is = name == channel && of.any(|relayed| serial <= relayed.last());
        is.then(|| (id.clone(), *report))
    }
}

impl Quake {
    /// What terminals are told from now on, where no newer report has told them more.
    fn tell(&mut self, quaked: &Quaked) {
        for relayed in &quaked.relayed {
            for row in &relayed.rows {
                let new = || Terminal {
                    channel: relayed.channel.clone(),
                    report: 0,
                    intensity: 0,
                    arrival: row.arrival,
                    shown: row.shown,
                    said: Vec::new(),
                    seconds: 0,
                };
                let terminal = self.terminals.entry(row.device.clone()).or_insert_with(new);
                if terminal.report <= quaked.report {
                    (terminal.report, terminal.intensity) = (quaked.report, row.intensity);
                    (terminal.arrival, terminal.shown) = (row.arrival, row.shown);
                }
            }
        }
    }
}

impl Terminal {
    fn hear(&mut self, time: Timestamp, row: &DoneRow) {
        self.seconds = self.seconds.max(row.seconds);
        let word = if row.code.is_empty() {
            ENDED
        } else {
            &row.code
        };
        if !self.has_said(word) && self.said.len() < WORDS {
            let at = row.far.unwrap_or(time);
            self.said.push((word.to_owned(), at));
        }
    }
}

/// By device: for whoever compares two ledgers.
#[cfg(test)]
impl Quakes {
    pub fn whole(&self) -> serde_json::Value {
        let held = self.0.read();
        let quakes: Vec<_> = held.quakes.iter().collect();
        serde_json::json!([quakes, held.order])
    }
}

/// Beside the tests of the fold: what terminals say goes to the right earthquake.
#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_784_053_055_600);

    fn quaked(report: u32, serial: u64, devices: &[&str]) -> Quaked {
        let row = |device: &&str| ShockRow {
            device: (*device).to_owned(),
            intensity: 6,
            arrival: AT,
            shown: Shown::Orange,
        };
        Quaked {
            feed: "province".into(),
            event: "20260715021730".into(),
            report,
            status: Status::Actual,
            cancel: false,
            sent: AT,
            origin: AT,
            north: 326_500,
            east: 1_037_500,
            depth: 15_000,
            magnitude: 59,
            document: [1; 32],
            relayed: vec![Relayed {
                channel: "horn".into(),
                serial,
                rows: devices.iter().map(row).collect(),
            }],
        }
    }

    fn done(serial: u64, device: &str, code: &str) -> Done {
        Done {
            channel: "horn".into(),
            serial,
            rows: vec![DoneRow {
                device: device.into(),
                done: true,
                code: code.into(),
                seconds: 7,
                far: None,
            }],
        }
    }

    #[test]
    fn what_a_terminal_says_is_found_by_the_serial_of_any_of_its_reports() {
        let quakes = Quakes::default();
        quakes.reported(AT, &quaked(1, 10, &["a", "b"]));
        quakes.reported(AT, &quaked(2, 12, &["c"]));
        assert!(quakes.is_given("horn", 11, "b") && quakes.is_given("horn", 12, "c"));
        assert!(!quakes.is_given("horn", 11, "a") && !quakes.is_given("horn", 13, "c"));
        assert!(!quakes.is_given("other", 11, "b"));
        assert!(quakes.done(AT, &done(11, "b", "sounds")));
        assert!(quakes.done(AT, &done(11, "b", "")));
        assert!(!quakes.done(AT, &done(9, "b", "sounds")));
        let (_, quake) = quakes.all().remove(0);
        let told = &quake.terminals["b"];
        assert!(told.has_said("sounds") && told.has_said(ENDED));
        assert_eq!((told.report, told.seconds), (1, 7));
    }

    #[test]
    fn an_older_report_that_comes_late_takes_nothing_back() {
        let quakes = Quakes::default();
        let newer = Quaked {
            magnitude: 63,
            ..quaked(2, 10, &["a"])
        };
        quakes.reported(AT, &newer);
        quakes.reported(AT, &quaked(1, 12, &["a"]));
        let (_, quake) = quakes.all().remove(0);
        assert_eq!(quake.terminals["a"].report, 2);
        assert_eq!(quake.newest().map(|report| report.magnitude), Some(63));
        assert!(!quake.is_off());
    }

    #[test]
    fn the_oldest_is_let_go_when_there_are_too_many() {
        let quakes = Quakes::default();
        for n in 0..=KEPT as u64 {
            let event = format!("e{n}");
            let report = Quaked {
                event,
                ..quaked(1, 100 + n, &["a"])
            };
            quakes.reported(AT, &report);
        }
        assert_eq!(quakes.all().len(), KEPT);
        assert!(!quakes.is_given("horn", 100, "a") && quakes.is_given("horn", 101, "a"));
    }
}
