//! Loudspeakers in a few numbers: how many stand how, how their cards stand, and which share of each town works. This
//! module must not look at a ledger.

use std::collections::BTreeMap;

use super::horns::{Card, Horn, Stand};
use crate::model::RegionCode;

/// How many stand how, in the orders of `Stand::ALL` and `Card::ALL`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    pub stands: [u64; Stand::ALL.len()],
    pub cards: [u64; Card::ALL.len()],
    pub under_repair: u64,
}

pub fn tally(horns: &[Horn]) -> Tally {
    let mut tally = Tally::default();
    for horn in horns {
        tally.stands[horn.stand as usize] += 1;
        tally.cards[horn.card as usize] += 1;
        tally.under_repair += u64::from(horn.repair.is_some());
    }
    tally
}

/// How many of a town's loudspeakers work, fewest first: what is to be looked at.
pub struct Share {
    pub town: RegionCode,
    pub speakers: u32,
    pub there: u32,
    pub fault: u32,
    pub silent: u32,
    pub never: u32,
}

pub fn shares(horns: &[Horn]) -> Vec<Share> {
    let mut towns: BTreeMap<RegionCode, Share> = BTreeMap::new();
    for horn in horns {
        let share = towns.entry(horn.town()).or_insert_with(|| Share {
            town: horn.town(),
            speakers: 0,
            there: 0,
            fault: 0,
            silent: 0,
            never: 0,
        });
        share.speakers += 1;
        *match horn.stand {
            Stand::There => &mut share.there,
            Stand::Fault => &mut share.fault,
            Stand::Silent => &mut share.silent,
            Stand::Enrolled | Stand::Never => &mut share.never,
        } += 1;
    }
    let mut shares: Vec<_> = towns.into_values().collect();
    shares.sort_by_key(|share| {
        (
            u64::from(share.there) * 10_000 / u64::from(share.speakers),
            share.town,
        )
    });
    shares
}
