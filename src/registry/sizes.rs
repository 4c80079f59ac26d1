//! How much a generation holds, in rows and in bytes. This module must not estimate: every column is counted.

use super::columns::held;
use super::{Counts, Registry};

impl Registry {
    pub fn counts(&self) -> Counts {
        let [groups, units, zones, relations] = self.places.sizes();
        let mut counts = Counts {
            regions: self.regions.codes.len(),
            villages: self.regions.villages.len(),
            households: self.households.ids.len(),
            recipients: self.recipients.ids.len(),
            people: self.households.recipients_from.last().copied().unwrap_or(0) as usize,
            posts: self.posts.len(),
            groups,
            units,
            zones,
            relations,
            ..Counts::default()
        };
        (counts.bound, counts.bound_nowhere) = self.bound.counts();
        for kind in &self.endpoints.kinds {
            counts.count(*kind);
        }
        counts
    }

    /// The memory held.
    pub fn bytes(&self) -> usize {
        let (regions, households) = (&self.regions, &self.households);
        let (recipients, endpoints) = (&self.recipients, &self.endpoints);
        let texts: usize = endpoints.closed.iter().map(|row| row.address.len()).sum();
        let care = endpoints.care.iter();
        let care = care.map(|c| c.keeper.len() + c.phone.len() + c.sim.len() + c.maker.len());
        let texts = texts + care.sum::<usize>();
        size_of::<Self>()
            + held(&regions.codes)
            + regions.names.bytes()
            + held(&regions.points)
            + held(&regions.ambiguous)
            + held(&regions.villages)
            + held(&regions.households_from)
            + held(&regions.speakers_from)
            + held(&households.ids)
            + households.by_id.bytes()
            + held(&households.groups)
            + held(&households.presence)
            + held(&households.tags)
            + held(&households.spots)
            + households.names.bytes()
            + held(&households.recipients_from)
            + held(&recipients.ids)
            + recipients.by_id.bytes()
            + held(&recipients.households)
            + recipients.names.bytes()
            + held(&recipients.languages)
            + held(&recipients.spoken)
            + held(&recipients.endpoints_from)
            + held(&endpoints.ids)
            + endpoints.by_id.bytes()
            + held(&endpoints.kinds)
            + endpoints.addresses.bytes()
            + held(&endpoints.recipients)
            + held(&endpoints.speaker_villages)
            + endpoints.speaker_names.bytes()
            + held(&endpoints.care)
            + held(&endpoints.heard_from)
            + held(&endpoints.hearing)
            + held(&endpoints.closed)
            + texts
            + held(&self.posts)
            + self.bound.bytes()
            + self.places.bytes()
            + self.numbers.bytes()
    }
}
