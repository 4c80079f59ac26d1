//! The loudspeakers of a draft: which of them are known to be dead. This module must not count a home twice: a home keeps its
//! best.

use channel::PresenceState;

use super::figures::Dead;
use super::tally::{Grade, Tally};
use crate::model::{EndpointId, RegionCode};

impl Tally<'_> {
    /// A speaker that is known to be dead reaches nobody.
    pub(super) fn speaker(
        &mut self,
        village: RegionCode,
        kind: &'static str,
        id: EndpointId,
        grade: Grade,
    ) {
        let registry = self.scene.draft.registry;
        let Some(endpoint) = registry.endpoint(id) else {
            return;
        };
        let presence = self.scene.ledger.presence_of(endpoint.address);
        let state = match presence {
            Some(PresenceState::Silent) => Some("silent"),
            Some(PresenceState::Fault) => Some("fault"),
            _ => {
                let repair = self.scene.ledger.boxes.under_repair(endpoint.address);
                repair.map(|_| "repair")
            }
        };
        let first = self.spoken.insert(id);
        if first && presence.is_none() {
            self.unheard += 1;
        }
        if let Some(state) = state {
            if first {
                self.dead.push(Dead {
                    endpoint: id,
                    village: self.place(village),
                    speaker: endpoint.name.unwrap_or_default().to_owned(),
                    state,
                });
            }
            return;
        }
        self.kinds.entry(village).or_default().insert(kind);
        for household in registry.hearing(id) {
            if let Some(home) = self.homes.get_mut(household) {
                home.grade = home.grade.max(grade);
            }
        }
    }
}
