//! Satellite terminals of a draft: each with what is assumed of it by its last test (拨测). This module must not count: a
//! terminal that is not on is tried, and is no means.

use super::figures::Satellite;
use super::tally::Tally;
use crate::model::{EndpointId, RegionCode, TestStanding};
use crate::plan::audience::PlannedBlock;

const DAY: u64 = 86_400;

impl Tally<'_> {
    /// Whether it is a satellite terminal that is not known to be on; it gets its row.
    pub(super) fn is_off(
        &mut self,
        region: RegionCode,
        block: &PlannedBlock<'_>,
        id: EndpointId,
    ) -> bool {
        if !block.outlet.speaks_to.is_satellite() {
            return false;
        }
        let (registry, now) = (self.scene.draft.registry, self.scene.now);
        let tried = self.scene.ledger.test_calls.of(id);
        let standing = tried
            .as_ref()
            .map_or(TestStanding::Off, |tried| tried.standing(now));
        let proved = tried.and_then(|tried| tried.proved);
        let recipient = registry.endpoint(id).and_then(|e| e.recipient);
        let officer = recipient
            .and_then(|id| registry.recipient(id))
            .filter(|recipient| recipient.household.is_none());
        let (word, zh) = standing.words();
        let row = Satellite {
            endpoint: id,
            name: officer.map(|recipient| recipient.name.to_owned()),
            region: self.place(region),
            channel: block.channel.clone(),
            standing: word,
            standing_zh: zh,
            proved: proved.map(|at| at.to_string()),
            days: proved.map(|at| now.since(at).as_secs() / DAY),
        };
        self.satellites.entry(id).or_insert(row);
        standing != TestStanding::On
    }
}
