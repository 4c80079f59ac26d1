//! What is read of many deliveries at a time, without a copy and without a look-up for each. This module must not
//! change anything.

use std::sync::atomic::Ordering::Relaxed;

use super::{Alert, Block, FAR_REFUSED, NO_HOUSEHOLD, REFUSED};
use crate::model::{Answer, Denial, HouseholdId, Ranks};

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
    pub fn answer(&self, i: usize) -> Answer {
        let denial = denial(self.flags[i].load(Relaxed));
        Answer::of(self.state(i), self.evidence(i), denial, self.speaker)
    }

    /// Whose door each delivery is for, and the rank of its answer; what is for no door is left out.
    pub fn ranks(&self, ranks: &Ranks) -> impl Iterator<Item = (HouseholdId, u8)> {
        let standing = self.state.iter().zip(&self.evidence).zip(&self.flags);
        let answers = standing.map(|((state, evidence), flags)| {
            let denial = denial(flags.load(Relaxed));
            ranks.get(state.load(Relaxed), evidence.load(Relaxed), denial)
        });
        let doors = self.households.iter().copied().zip(answers);
        doors.filter(|(household, _)| *household != NO_HOUSEHOLD)
    }
}
