//! What an alert's figures rest on beside its grounds, as it was at release: whom its speakers are heard by, whom its
//! officers' numbers belong to. This module must not ask the registry: an alert of an older journal has nothing here.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::{EndpointId, HouseholdId, RecipientId};

/// What the figures of a region's blocks rest on, as it was at release: no import changes it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Frozen {
    /// Speakers, each with the households that hear it; a speaker without a list has none.
    pub hearing: Vec<(EndpointId, Vec<HouseholdId>)>,
    /// The officers' endpoints, each with whom it belongs to.
    pub officers: Vec<(EndpointId, RecipientId)>,
}

#[derive(Default)]
pub struct AtRelease {
    hearing: RwLock<BTreeMap<EndpointId, Arc<[HouseholdId]>>>,
    officers: RwLock<BTreeMap<EndpointId, RecipientId>>,
}

impl AtRelease {
    pub(super) fn add(&self, frozen: &Frozen) {
        let lists = frozen.hearing.iter();
        let lists = lists.map(|(speaker, list)| (*speaker, list.as_slice().into()));
        self.hearing.write().extend(lists);
        self.officers
            .write()
            .extend(frozen.officers.iter().copied());
    }

    /// The households that heard this speaker; nothing where that was not written down.
    pub fn hearing(&self, speaker: EndpointId) -> Option<Arc<[HouseholdId]>> {
        self.hearing.read().get(&speaker).cloned()
    }

    /// Whom this officer's endpoint belonged to.
    pub fn officer(&self, endpoint: EndpointId) -> Option<RecipientId> {
        self.officers.read().get(&endpoint).copied()
    }
}
