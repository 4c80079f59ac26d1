//! What is read of many deliveries at a time, without a copy and without a look-up for each. This module must not
//! change anything.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{Alert, Block, Class, FAR_REFUSED, Ground, REFUSED};
use crate::ledger::BARRED;
use crate::model::{Answer, Denial, HouseholdId, Ranks, State};

impl Alert {
    /// How many parts a variant's text has.
    pub(in crate::ledger) fn segments_of(&self, variant: u16) -> u32 {
        let variants = self.variants.read();
        variants.get(usize::from(variant)).map_or(1, |v| v.segments)
    }
}

fn denial(flags: u8) -> Denial {
    match (flags & REFUSED, flags & FAR_REFUSED) {
        (0, 0) => Denial::None,
        (0, _) => Denial::NotNow,
        _ => Denial::Never,
    }
}

impl Block {
    /// How many the house itself did not send.
    pub fn barred(&self) -> u32 {
        if self.tally(State::Failed) == 0 {
            return 0;
        }
        let barred = (0..self.endpoints.len()).filter(|i| self.flag(*i, BARRED));
        u32::try_from(barred.count()).unwrap_or(u32::MAX)
    }

    /// How the alert stands to what all of these people last got.
    pub fn class(&self) -> Class {
        let class = Class::ALL.get(usize::from(self.class.load(Relaxed)));
        class.copied().unwrap_or(Class::Original)
    }

    pub fn answer(&self, i: usize) -> Answer {
        let denial = denial(self.flags[i].load(Relaxed));
        Answer::of(self.state(i), self.evidence(i), denial, self.speaker)
    }

    /// The rank of each delivery's answer.
    fn ranks<'a>(&'a self, ranks: &'a Ranks) -> impl Iterator<Item = u8> + 'a {
        let standing = self.state.iter().zip(&self.evidence).zip(&self.flags);
        standing.map(|((state, evidence), flags)| {
            let denial = denial(flags.load(Relaxed));
            ranks.get(state.load(Relaxed), evidence.load(Relaxed), denial)
        })
    }

    /// Whose door each delivery is for, and the rank of its answer; what is for no door is left out.
    pub fn answers<'a>(&'a self, ranks: &'a Ranks) -> impl Iterator<Item = (HouseholdId, u8)> + 'a {
        let doors = (0..).map(|i| self.household(i));
        doors
            .zip(self.ranks(ranks))
            .filter_map(|(door, rank)| Some((door?, rank)))
    }

    /// Raises what stands beside the doors of this ground to the ranks of their answers. False where the doors of this
    /// block are not kept as places in it: then nothing is raised.
    pub fn raise(&self, ground: &Arc<Ground>, best: &mut [u8], ranks: &Ranks) -> bool {
        let Some(places) = self.doors.places_in(ground) else {
            return false;
        };
        for (place, rank) in places.iter().zip(self.ranks(ranks)) {
            if let Some(best) = best.get_mut(*place as usize) {
                *best = (*best).max(rank);
            }
        }
        true
    }
}
