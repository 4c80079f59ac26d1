//! What the figures of a region's blocks rest on beside its ground: whom its speakers are heard by, and whom its officers'
//! numbers belong to. Frozen with the blocks, so that no import moves a figure. This module must not choose who is told.

use crate::ledger::Event;
use crate::ledger::event::{Audience, Frozen};
use crate::plan::PlannedBlock;
use crate::registry::Registry;

/// Nothing where the blocks have neither speakers nor officers.
pub fn frozen(registry: &Registry, blocks: &[&PlannedBlock<'_>]) -> Option<Event> {
    let mut frozen = Frozen::default();
    for block in blocks {
        let endpoints = block.deliveries.iter().map(|delivery| delivery.endpoint);
        match block.audience {
            Audience::Public
            | Audience::Relatives
            | Audience::Neighbours
            | Audience::Keepers
            | Audience::Seekers => {}
            Audience::Speakers => {
                let lists = endpoints.map(|speaker| (speaker, registry.hearing(speaker).to_vec()));
                frozen.hearing.extend(lists);
            }
            Audience::Officers => {
                let owner = |endpoint| registry.endpoint(endpoint)?.recipient;
                let owners = endpoints.filter_map(|endpoint| Some((endpoint, owner(endpoint)?)));
                frozen.officers.extend(owners);
            }
        }
    }
    frozen.hearing.sort_unstable();
    frozen.hearing.dedup();
    frozen.officers.sort_unstable();
    frozen.officers.dedup();
    (frozen != Frozen::default()).then_some(Event::Frozen(frozen))
}
