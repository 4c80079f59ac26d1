//! Devices that hold a line to us: who was invited, who has enrolled with which key, what was ordered of them without a
//! text, and what each did. Codes stand here as hashes and keys as public halves. This module must not judge a code.

use std::collections::{BTreeMap, HashMap};

use channel::{Action, Authority, PublicKey, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::Event;

/// A one-time code was made for a device; an older one is void.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Invited {
    pub device: String,
    /// Hash of device and code.
    pub code: [u8; 32],
    pub until: Timestamp,
    pub by: String,
}

/// A device has shown its code, which is used up; this is its key from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Enrolled {
    pub device: String,
    /// Where it calls.
    pub channel: String,
    pub key: PublicKey,
}

/// A device has shown another key, with a call that its last one signed: this is its key from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rekeyed {
    pub device: String,
    pub key: PublicKey,
}

/// An order without a text. `serial` and as many that follow as there are devices are taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ordered {
    pub channel: String,
    pub serial: u64,
    pub action: Action,
    pub authority: Authority,
    pub devices: Vec<String>,
    pub not_before: Timestamp,
    pub expires: Timestamp,
    pub by: String,
}

impl Ordered {
    /// The highest serial that is its own.
    pub fn last(&self) -> u64 {
        let count = u64::try_from(self.devices.len()).unwrap_or(u64::MAX);
        self.serial.saturating_add(count.saturating_sub(1))
    }
}

/// What devices did with such an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Done {
    pub channel: String,
    pub serial: u64,
    pub rows: Vec<DoneRow>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DoneRow {
    pub device: String,
    pub done: bool,
    pub code: String,
    pub seconds: u32,
    pub far: Option<Timestamp>,
}

/// One device as the journal knows it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Device {
    pub key: Option<PublicKey>,
    pub channel: String,
    /// Of its key.
    pub since: Option<Timestamp>,
    /// The hash of the code that stands, and until when.
    pub code: Option<([u8; 32], Timestamp)>,
}

/// An order and what has come of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Standing {
    pub ordered: Ordered,
    pub at: Timestamp,
    pub done: BTreeMap<String, DoneRow>,
}

/// Of orders that are over, so many are kept with what came of them.
const KEPT: usize = 64;

#[derive(Default)]
pub struct Devices {
    known: RwLock<HashMap<String, Device>>,
    /// By channel and serial.
    orders: RwLock<BTreeMap<(String, u64), Standing>>,
}

impl Devices {
    /// Whether the event was one of these.
    pub(super) fn apply(&self, time: Timestamp, event: &Event) -> bool {
        match event {
            Event::Invited(invited) => {
                let mut known = self.known.write();
                let device = known.entry(invited.device.clone()).or_default();
                device.code = Some((invited.code, invited.until));
            }
            Event::Enrolled(enrolled) => {
                let device = Device {
                    key: Some(enrolled.key),
                    channel: enrolled.channel.clone(),
                    since: Some(time),
                    code: None,
                };
                self.known.write().insert(enrolled.device.clone(), device);
            }
            Event::Rekeyed(rekeyed) => {
                if let Some(device) = self.known.write().get_mut(&rekeyed.device) {
                    (device.key, device.since) = (Some(rekeyed.key), Some(time));
                }
            }
            Event::Revoked { device, .. } => {
                self.known.write().remove(device);
            }
            Event::Ordered(ordered) => self.order(time, ordered),
            Event::Done(done) => {
                let key = (done.channel.clone(), done.serial);
                if let Some(standing) = self.orders.write().get_mut(&key) {
                    let rows = done.rows.iter();
                    let rows = rows.map(|row| (row.device.clone(), row.clone()));
                    standing.done.extend(rows);
                }
            }
            _ => return false,
        }
        true
    }

    fn order(&self, time: Timestamp, ordered: &Ordered) {
        let mut orders = self.orders.write();
        let over: Vec<_> = orders
            .iter()
            .filter(|(_, standing)| standing.ordered.expires <= time)
            .map(|(key, _)| key.clone())
            .collect();
        let spare = over.len().saturating_sub(KEPT - 1);
        for key in &over[..spare] {
            orders.remove(key);
        }
        let standing = Standing {
            ordered: ordered.clone(),
            at: time,
            done: BTreeMap::new(),
        };
        orders.insert((ordered.channel.clone(), ordered.serial), standing);
    }

    pub fn key_of(&self, device: &str) -> Option<PublicKey> {
        self.known.read().get(device)?.key
    }

    pub fn get(&self, device: &str) -> Option<Device> {
        self.known.read().get(device).cloned()
    }

    pub fn is_ordered(&self, channel: &str, serial: u64, device: &str) -> bool {
        let orders = self.orders.read();
        let standing = orders.get(&(channel.to_owned(), serial));
        standing.is_some_and(|standing| standing.ordered.devices.iter().any(|id| id == device))
    }

    /// What was ordered with this serial.
    pub fn action(&self, channel: &str, serial: u64) -> Option<Action> {
        let orders = self.orders.read();
        let standing = orders.get(&(channel.to_owned(), serial))?;
        Some(standing.ordered.action)
    }

    /// Whether this is who ordered it.
    pub fn is_by(&self, channel: &str, serial: u64, by: &str) -> bool {
        let orders = self.orders.read();
        let standing = orders.get(&(channel.to_owned(), serial));
        standing.is_some_and(|standing| standing.ordered.by == by)
    }

    /// The orders that the journal still has at hand.
    pub fn orders(&self) -> Vec<Standing> {
        self.orders.read().values().cloned().collect()
    }

    pub fn all(&self) -> BTreeMap<String, Device> {
        let known = self.known.read();
        known
            .iter()
            .map(|(id, device)| (id.clone(), device.clone()))
            .collect()
    }
}
