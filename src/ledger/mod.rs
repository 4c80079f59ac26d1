//! The journal is the truth, and the ledger in memory is a fold over what is committed. One writer appends; whoever
//! decides hands it events and rows and waits for the commit or not; nobody else appends. A restart replays. This room
//! must not decide, must not read the registry and must not know any channel.

mod alert;
mod correlate;
pub mod event;
mod fold;
pub mod record;
mod replay;
mod writer;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use channel::{PresenceState, Timestamp};
use parking_lot::RwLock;

pub use alert::{Alert, Block, DISPUTED, IN_DOUBT, Phase};
pub use correlate::{Claimed, Correlator, Found};
pub use event::{Event, Identity};
pub use replay::{Damage, replay};
pub use writer::{Commit, Position, Proposal, Refused, Writer};

use crate::model::StreamId;
use event::LinkState;

/// The state of all open alerts and of the house. Readers share it; only the fold writes.
#[derive(Default)]
pub struct Ledger {
    alerts: RwLock<BTreeMap<StreamId, Arc<Alert>>>,
    by_identity: RwLock<HashMap<Identity, StreamId>>,
    /// Every block in the order it was written, for lanes that follow.
    fresh: RwLock<Vec<Arc<Block>>>,
    codes: RwLock<Codes>,
    links: RwLock<BTreeMap<String, (LinkState, String, Timestamp)>>,
    presence: RwLock<BTreeMap<String, (PresenceState, Timestamp)>>,
    generation: AtomicU32,
    epoch: AtomicU32,
}

#[derive(Default)]
struct Codes {
    list: Vec<String>,
    index: HashMap<String, u16>,
}

impl Ledger {
    fn insert(&self, alert: Alert) -> bool {
        let (stream, identity) = (alert.stream, alert.meta.identity.clone());
        let mut alerts = self.alerts.write();
        if alerts.contains_key(&stream) {
            return false;
        }
        alerts.insert(stream, Arc::new(alert));
        self.by_identity.write().insert(identity, stream);
        true
    }

    pub fn alert(&self, stream: StreamId) -> Option<Arc<Alert>> {
        self.alerts.read().get(&stream).cloned()
    }

    pub fn alerts(&self) -> Vec<Arc<Alert>> {
        self.alerts.read().values().cloned().collect()
    }

    pub fn find(&self, identity: &Identity) -> Option<StreamId> {
        self.by_identity.read().get(identity).copied()
    }

    /// The blocks written since a reader's last look; it keeps the new count.
    pub fn blocks_since(&self, seen: usize) -> Vec<Arc<Block>> {
        self.fresh
            .read()
            .get(seen..)
            .map(<[_]>::to_vec)
            .unwrap_or_default()
    }

    /// The text of a code, as the far end gave it.
    pub fn code(&self, index: u16) -> Option<String> {
        let at = usize::from(index).checked_sub(1)?;
        self.codes.read().list.get(at).cloned()
    }

    fn code_index(&self, code: &str) -> u16 {
        if let Some(index) = self.codes.read().index.get(code) {
            return *index;
        }
        let mut codes = self.codes.write();
        let Ok(index) = u16::try_from(codes.list.len() + 1) else {
            return 0;
        };
        codes.list.push(code.to_owned());
        codes.index.insert(code.to_owned(), index);
        index
    }

    pub fn links(&self) -> BTreeMap<String, (LinkState, String, Timestamp)> {
        self.links.read().clone()
    }

    pub fn presence(&self) -> BTreeMap<String, (PresenceState, Timestamp)> {
        self.presence.read().clone()
    }

    pub fn presence_of(&self, device: &str) -> Option<PresenceState> {
        self.presence.read().get(device).map(|(state, _)| *state)
    }

    /// The registry's generation that was imported last.
    pub fn generation(&self) -> u32 {
        self.generation.load(Relaxed)
    }

    pub fn epoch(&self) -> u32 {
        self.epoch.load(Relaxed)
    }
}

#[cfg(test)]
mod tests;
