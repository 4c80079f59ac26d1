//! Whose door each delivery of a block is for. A village's own deliveries are kept as places in the ground that its
//! release wrote, so that a roll-up is one pass without a look-up; this module must not say what was answered there.

use std::sync::Arc;

use super::{Ground, NO_HOUSEHOLD};
use crate::ledger::event::GroundHousehold;
use crate::model::HouseholdId;

/// Beside no door: beyond every ground.
const NOWHERE: u32 = u32::MAX;

pub(super) enum Doors {
    /// All in one ground, by their places in it.
    Of(Arc<Ground>, Box<[u32]>),
    Anywhere(Box<[HouseholdId]>),
}

impl Doors {
    /// `ground`: of the block's village, where it was written.
    pub fn new(households: &[HouseholdId], ground: Option<Arc<Ground>>) -> Self {
        let places = |ground: Arc<Ground>| {
            let places = places(households, &ground.households)?;
            Some(Self::Of(ground, places))
        };
        ground
            .and_then(places)
            .unwrap_or_else(|| Self::Anywhere(households.into()))
    }

    pub fn places_in(&self, ground: &Arc<Ground>) -> Option<&[u32]> {
        match self {
            Self::Of(own, places) if Arc::ptr_eq(own, ground) => Some(places),
            _ => None,
        }
    }

    pub fn household(&self, i: usize) -> Option<HouseholdId> {
        match self {
            Self::Of(ground, places) => {
                let place = *places.get(i)? as usize;
                ground.households.get(place).map(|h| h.id)
            }
            Self::Anywhere(households) => {
                let household = households.get(i).copied();
                household.filter(|h| *h != NO_HOUSEHOLD)
            }
        }
    }
}

/// A block follows its village's doors, so that the next one is mostly this one or one soon after it.
fn places(households: &[HouseholdId], ground: &[GroundHousehold]) -> Option<Box<[u32]>> {
    const SOON: usize = 8;
    let mut near = 0;
    let mut place = |id: &HouseholdId| {
        if *id == NO_HOUSEHOLD {
            return Some(NOWHERE);
        }
        let soon = ground.iter().skip(near).take(SOON);
        let soon = soon.map(|h| h.id).position(|other| other == *id);
        // Ids mostly rise with their place, and need not.
        let halving = || ground.binary_search_by_key(id, |h| h.id).ok();
        let anywhere = || ground.iter().position(|h| h.id == *id);
        near = soon
            .map(|step| near + step)
            .or_else(halving)
            .or_else(anywhere)?;
        u32::try_from(near).ok()
    };
    households.iter().map(&mut place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tags;

    fn ground(ids: &[HouseholdId]) -> Arc<Ground> {
        let household = |id: &HouseholdId| GroundHousehold {
            id: *id,
            group: 0,
            away: false,
            tags: Tags::default(),
        };
        Arc::new(Ground {
            region: "510727217201".parse().expect("a code"),
            households: ids.iter().map(household).collect(),
            people: 0,
            speakers: 0,
        })
    }

    #[test]
    fn a_door_is_the_same_by_its_place_and_by_its_id() {
        let ids = [7, 3, 9, 40, 41, 42, 43, 44, 45, 46, 47, 48, 5];
        for asked in [
            &ids[..],
            &[48, 7, 7, 5, 3],
            &[NO_HOUSEHOLD, 9, 41],
            &[9, 8],
            &[],
        ] {
            let doors = Doors::new(asked, Some(ground(&ids)));
            let known = asked
                .iter()
                .all(|id| ids.contains(id) || *id == NO_HOUSEHOLD);
            assert_eq!(matches!(doors, Doors::Of(..)), known, "{asked:?}");
            for (i, id) in asked.iter().enumerate() {
                let door = Some(*id).filter(|id| *id != NO_HOUSEHOLD);
                assert_eq!(doors.household(i), door, "{asked:?}");
            }
            assert_eq!(doors.household(asked.len()), None);
        }
    }
}
