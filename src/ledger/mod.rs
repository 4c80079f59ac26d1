//! The journal is the truth, and the ledger in memory is a fold over what is committed. One writer appends; whoever
//! decides hands it events and rows and waits for the commit or not; nobody else appends. A restart replays. This room
//! must not decide, must not read the registry and must not know any channel.

mod alert;
mod answered;
mod archive;
mod audience;
mod barred;
mod bound;
pub mod boxes;
mod chain;
mod class;
mod correlate;
mod curve;
pub mod devices;
mod digest;
mod draft;
pub mod event;
mod fold;
mod found;
mod frozen;
mod identity;
mod looked;
mod near;
pub mod numbered;
mod papers;
mod ported;
mod prompted;
mod proved;
pub mod quakes;
mod receipt;
pub mod record;
pub mod recordings;
mod replay;
pub mod rerouted;
pub mod seal;
pub mod silence;
mod spent;
mod steps;
mod suspects;
pub mod test_calls;
pub mod verify;
mod witness;
mod word;
mod writer;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use channel::{PresenceState, Timestamp};
use parking_lot::RwLock;

pub use alert::{Alert, Block, DISPUTED, FAR_REFUSED, IN_DOUBT, Phase};
pub use answered::Reply;
pub use archive::{Archive, Unread};
pub use barred::BARRED;
#[cfg(test)]
pub use bound::Standing;
pub use correlate::{Claimed, Correlator, Found};
pub use curve::Risen;
pub use event::{Event, Identity};
pub use found::{ReceiptRows, Unlearned, relearn};
pub use looked::Import;
pub use papers::Papers;
pub use ported::{Fact, Ported};
pub use prompted::TextId;
pub use proved::Play;
pub use replay::{Damage, replay};
pub use seal::{Known, Sealing};
pub use suspects::Suspect;
pub use word::Word;
pub use writer::{Commit, Position, Proposal, Refused, Writer};

use crate::model::StreamId;
use event::{Believed, LinkState, Look};
use fold::Misfit;
use looked::House;

/// The state of all open alerts and of the house. Readers share it; only the fold writes.
#[derive(Default)]
pub struct Ledger {
    alerts: RwLock<BTreeMap<StreamId, Arc<Alert>>>,
    by_identity: RwLock<HashMap<Identity, StreamId>>,
    /// What stays of sealed alerts.
    shelf: RwLock<BTreeMap<StreamId, seal::Shelved>>,
    /// What is damaged: nothing more of it is folded, and nobody works on it.
    hurt: RwLock<BTreeMap<StreamId, Hurt>>,
    left: AtomicU64,
    /// Every block in the order it was written, for lanes that follow.
    fresh: RwLock<Fresh>,
    /// Shared with whatever reads a sealed stream back.
    codes: Arc<RwLock<Codes>>,
    links: RwLock<BTreeMap<String, (LinkState, String, Timestamp)>>,
    presence: RwLock<BTreeMap<String, (PresenceState, Timestamp)>>,
    looks: RwLock<BTreeMap<Look, u64>>,
    log: House,
    epoch: AtomicU32,
    pub devices: devices::Devices,
    pub boxes: boxes::Boxes,
    pub proved: proved::Proved,
    pub strays: answered::Strays,
    pub suspects: suspects::Suspects,
    pub ported: Arc<Ported>,
    pub spending: spent::Spending,
    pub numbers: numbered::Numbers,
    pub bindings: bound::Bindings,
    pub test_calls: test_calls::TestCalls,
    pub recordings: recordings::Recordings,
    pub quakes: quakes::Quakes,
}

/// Blocks by the order they came in, without those of sealed alerts.
#[derive(Default)]
struct Fresh {
    count: usize,
    list: BTreeMap<usize, Arc<Block>>,
}

impl Fresh {
    fn push(&mut self, block: Arc<Block>) {
        self.list.insert(self.count, block);
        self.count += 1;
    }
}

struct Hurt {
    why: String,
    /// As far as it could be folded.
    alert: Option<Arc<Alert>>,
}

#[derive(Default)]
struct Codes {
    list: Vec<String>,
    index: HashMap<String, u16>,
}

/// What belongs to no alert: each of its events stands for itself.
const HOUSE: StreamId = 0;

impl Ledger {
    /// The events of one record, by the one path of writer and restart. What does not fit marks its stream: nothing
    /// more of it is folded, and the others go on.
    pub(super) fn take<'a>(
        &self,
        stream: StreamId,
        time: Timestamp,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<(), Misfit> {
        if stream != HOUSE && self.damage_of(stream).is_some() {
            return Ok(());
        }
        for event in events {
            if let Err(misfit) = self.apply(stream, time, event) {
                self.mark(stream, misfit.to_string());
                return Err(misfit);
            }
        }
        Ok(())
    }

    fn insert(&self, alert: Alert) -> bool {
        let (stream, identity) = (alert.stream, alert.meta.identity.clone());
        let known = self.known(stream).is_some();
        let mut alerts = self.alerts.write();
        if known || alerts.contains_key(&stream) {
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

    /// The blocks written since a reader's last look, which is moved on.
    pub fn blocks_since(&self, seen: &mut usize) -> Vec<Arc<Block>> {
        let fresh = self.fresh.read();
        let blocks = fresh.list.range(*seen..).map(|(_, b)| b.clone()).collect();
        *seen = fresh.count;
        blocks
    }

    /// A record of this stream does not fit or cannot be read: nothing more of it is folded, and nobody works on it.
    pub(crate) fn mark(&self, stream: StreamId, why: String) {
        let alert = self.alerts.write().remove(&stream);
        let mut hurt = self.hurt.write();
        hurt.entry(stream).or_insert(Hurt { why, alert });
        self.left.fetch_add(1, Relaxed);
    }

    /// Why a stream is damaged.
    pub fn damage_of(&self, stream: StreamId) -> Option<String> {
        self.hurt.read().get(&stream).map(|hurt| hurt.why.clone())
    }

    /// Every damaged stream.
    pub fn damage(&self) -> Damage {
        let hurt = self.hurt.read();
        hurt.iter()
            .map(|(s, hurt)| (*s, hurt.why.clone()))
            .collect()
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

    /// And since when.
    pub fn presence_at(&self, device: &str) -> Option<(PresenceState, Timestamp)> {
        self.presence.read().get(device).copied()
    }

    pub fn presence_of(&self, device: &str) -> Option<PresenceState> {
        self.presence.read().get(device).map(|(state, _)| *state)
    }

    /// How often each was done at the officers' pages since the journal began.
    pub fn looks(&self) -> BTreeMap<Look, u64> {
        self.looks.read().clone()
    }

    /// Every generation of the registry, in the order they came into use.
    pub fn imports(&self) -> Vec<Import> {
        self.log.imports()
    }

    /// A person's last word on a clock that jumped, and when.
    pub fn believed(&self) -> Option<(Timestamp, Believed)> {
        self.log.believed()
    }

    /// The registry's generation that was imported last.
    pub fn generation(&self) -> u32 {
        self.log.generation()
    }

    pub fn epoch(&self) -> u32 {
        self.epoch.load(Relaxed)
    }
}

#[cfg(test)]
mod tests;
