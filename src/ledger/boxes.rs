//! What is known of the boxes at the loudspeakers beside their keys: how each stands and why, what it found when it looked
//! at itself, and the repairs (报修) that were entered for it. Only changes are journaled, never heartbeats. Free text
//! stands in documents. This module must not judge why a box is silent.

use std::collections::{BTreeMap, HashMap};

use channel::{Action, PresenceState, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Event;
use super::devices::Ordered;
use crate::store::DocumentId;

/// A device is there, silent or at fault from now on, with the short word that goes with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Turned {
    pub device: String,
    pub state: PresenceState,
    pub code: String,
}

/// What devices found that looked at themselves: only where that is another word than their last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tested {
    pub channel: String,
    /// Of the order that asked them.
    pub serial: u64,
    pub rows: Vec<TestedRow>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TestedRow {
    pub device: String,
    /// What was wrong; empty where all was well.
    pub code: String,
}

/// The word for one that did not answer in its time.
pub const NO_ANSWER: &str = "no-answer";

/// What is wrong with a loudspeaker, as whoever stands before it says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    NoSound,
    Quiet,
    Noise,
    NoPower,
    NoNetwork,
    Damaged,
    Gone,
    Other,
    /// Its card: no credit, or over.
    Card,
}

impl Trouble {
    pub const ALL: [Self; 9] = [
        Self::NoSound,
        Self::Quiet,
        Self::Noise,
        Self::NoPower,
        Self::NoNetwork,
        Self::Damaged,
        Self::Gone,
        Self::Other,
        Self::Card,
    ];

    pub const fn zh(self) -> &'static str {
        [
            "不响",
            "声音小",
            "杂音",
            "没电",
            "没网",
            "损坏",
            "丢失",
            "其他",
            "流量卡",
        ][self as usize]
    }
}

/// Who said so; what is entered for another person is 代报.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Teller {
    Officer,
    /// 管护员
    Keeper,
    Villager,
}

impl Teller {
    pub const ALL: [Self; 3] = [Self::Officer, Self::Keeper, Self::Villager];

    pub const fn zh(self) -> &'static str {
        ["值班员", "管护员", "村民"][self as usize]
    }
}

/// A repair was entered (报修): it is open until it is closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Repair {
    pub number: u32,
    pub device: String,
    pub what: Trouble,
    /// Since when it is so, as far as known.
    pub since: Timestamp,
    pub from: Teller,
    /// The bureau whose officer entered it; nobody where the keeper did, by link.
    pub by: Option<String>,
    pub text: Option<DocumentId>,
}

/// How a repair ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mend {
    Repaired,
    Replaced,
    CardRenewed,
    PowerBack,
    NothingFound,
    /// It was entered by mistake.
    Mistaken,
}

impl Mend {
    pub const ALL: [Self; 6] = [
        Self::Repaired,
        Self::Replaced,
        Self::CardRenewed,
        Self::PowerBack,
        Self::NothingFound,
        Self::Mistaken,
    ];

    pub const fn zh(self) -> &'static str {
        ["已修好", "已更换", "已续卡", "已来电", "未见故障", "误报"][self as usize]
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mended {
    pub number: u32,
    pub how: Mend,
    pub by: String,
    pub text: Option<DocumentId>,
}

/// Who ended a repair by link; no bureau's id has brackets.
pub const KEEPER: &str = "(keeper)";

/// A keeper says by link that it works again: that ends what keepers entered by link, and stands beside the rest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vouched {
    pub device: String,
    /// The repairs that it ends.
    pub ends: Vec<u32>,
    /// Those that stay open with this word beside them.
    pub beside: Vec<u32>,
}

/// A repair with what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Order {
    pub repair: Repair,
    pub at: Timestamp,
    pub mended: Option<(Mended, Timestamp)>,
    /// When its keeper said by link that it works again, while it was open.
    pub vouched: Option<Timestamp>,
}

impl Order {
    /// Entered by its keeper's link.
    pub fn is_by_link(&self) -> bool {
        self.repair.from == Teller::Keeper && self.repair.by.is_none()
    }
}

/// What a device found when it looked at itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Test {
    /// When it was asked last.
    pub asked: Option<Timestamp>,
    /// What it says since when; empty where all is well.
    pub says: Option<(String, Timestamp)>,
}

#[derive(Default)]
pub struct Boxes {
    words: RwLock<BTreeMap<String, String>>,
    tests: RwLock<HashMap<String, Test>>,
    repairs: RwLock<BTreeMap<u32, Order>>,
}

impl Boxes {
    /// Whether the event was one of these alone.
    pub(super) fn apply(&self, time: Timestamp, event: &Event) -> bool {
        match event {
            Event::Turned(turned) => {
                let mut words = self.words.write();
                if turned.code.is_empty() {
                    words.remove(&turned.device);
                } else {
                    words.insert(turned.device.clone(), turned.code.clone());
                }
            }
            Event::Tested(tested) => {
                let mut tests = self.tests.write();
                for row in &tested.rows {
                    let test = tests.entry(row.device.clone()).or_default();
                    test.says = Some((row.code.clone(), time));
                }
            }
            Event::Repair(repair) => {
                let order = Order {
                    repair: repair.clone(),
                    at: time,
                    mended: None,
                    vouched: None,
                };
                self.repairs.write().entry(repair.number).or_insert(order);
            }
            Event::Mended(mended) => {
                if let Some(order) = self.repairs.write().get_mut(&mended.number)
                    && order.mended.is_none()
                {
                    order.mended = Some((mended.clone(), time));
                }
            }
            Event::Vouched(vouched) => self.vouched(time, vouched),
            _ => return false,
        }
        true
    }

    fn vouched(&self, time: Timestamp, vouched: &Vouched) {
        let mut repairs = self.repairs.write();
        for number in &vouched.ends {
            if let Some(order) = repairs.get_mut(number).filter(|o| o.mended.is_none()) {
                let mended = Mended {
                    number: *number,
                    how: Mend::Repaired,
                    by: KEEPER.into(),
                    text: None,
                };
                order.mended = Some((mended, time));
            }
        }
        for number in &vouched.beside {
            if let Some(order) = repairs.get_mut(number) {
                order.vouched = Some(time);
            }
        }
    }

    /// Beside what the devices do with an order.
    pub(super) fn ordered(&self, time: Timestamp, ordered: &Ordered) {
        if ordered.action != Action::SelfTest {
            return;
        }
        let mut tests = self.tests.write();
        for device in &ordered.devices {
            tests.entry(device.clone()).or_default().asked = Some(time);
        }
    }

    /// Another box hangs there: what the last one said of itself is nothing.
    pub(super) fn replaced(&self, device: &str) {
        self.words.write().remove(device);
        self.tests.write().remove(device);
    }

    /// The short word that goes with how it stands.
    pub fn word(&self, device: &str) -> String {
        self.words.read().get(device).cloned().unwrap_or_default()
    }

    pub fn test(&self, device: &str) -> Option<Test> {
        self.tests.read().get(device).cloned()
    }

    /// By number.
    pub fn repairs(&self) -> Vec<Order> {
        self.repairs.read().values().cloned().collect()
    }

    pub fn repair(&self, number: u32) -> Option<Order> {
        self.repairs.read().get(&number).cloned()
    }

    /// The number of the next one.
    pub fn next_repair(&self) -> u32 {
        let repairs = self.repairs.read();
        repairs
            .keys()
            .last()
            .map_or(1, |last| last.saturating_add(1))
    }

    /// Those of one device, by number.
    pub fn repairs_of(&self, device: &str) -> Vec<Order> {
        let repairs = self.repairs.read();
        let own = repairs.values().filter(|o| o.repair.device == device);
        own.cloned().collect()
    }

    /// The first that is open.
    pub fn under_repair(&self, device: &str) -> Option<Order> {
        let repairs = self.repairs.read();
        let open = |order: &&Order| order.repair.device == device && order.mended.is_none();
        repairs.values().find(open).cloned()
    }

    /// All of it, for whoever compares two ledgers.
    #[cfg(test)]
    pub fn all(&self) -> serde_json::Value {
        let tests: BTreeMap<_, _> = self.tests.read().clone().into_iter().collect();
        serde_json::json!([*self.words.read(), tests, self.repairs()])
    }
}
