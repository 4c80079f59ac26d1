//! What of a village an alert names, and by which of its infos: all of it, those whose own point nobody knows, some of
//! its groups, some of its households. Infos are a bit set, one bit each. This module must not know shapes or codes.

use std::collections::BTreeMap;

use crate::model::{HouseholdId, UnitId, ZoneId};

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hit {
    /// By a code: everybody.
    pub whole: u64,
    /// By the village's own point: every household that has none.
    pub unplaced: u64,
    /// By a group's code, or through a zone.
    pub groups: BTreeMap<u8, u64>,
    /// By the household's own point, or through a zone.
    pub homes: BTreeMap<HouseholdId, u64>,
    /// Key units by their own point, or through a zone.
    pub units: BTreeMap<UnitId, u64>,
    /// Zones whose responsible persons are told here, each in one of its villages.
    pub zones: BTreeMap<ZoneId, u64>,
}

impl Hit {
    pub fn all(infos: u64) -> Self {
        Self {
            whole: infos,
            ..Self::default()
        }
    }

    /// By every info that touches the village at all: what its officers and its speakers tell.
    pub fn any(&self) -> u64 {
        let parts = self.groups.values().chain(self.homes.values());
        let parts = parts.chain(self.units.values());
        parts.fold(self.whole | self.unplaced, |all, infos| all | infos)
    }

    /// By which infos one household is hit; 0 for none.
    pub fn of(&self, household: HouseholdId, group: u8, placed: bool) -> u64 {
        let group = self.groups.get(&group).copied().unwrap_or(0);
        let home = self.homes.get(&household).copied().unwrap_or(0);
        let point = if placed { 0 } else { self.unplaced };
        self.whole | point | group | home
    }

    /// By which infos a key unit is hit; 0 for none.
    pub fn of_unit(&self, unit: UnitId, placed: bool) -> u64 {
        let own = self.units.get(&unit).copied().unwrap_or(0);
        self.whole | own | if placed { 0 } else { self.unplaced }
    }

    /// Whether some of its households may be left out.
    pub fn is_partial(&self) -> bool {
        self.whole == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_with_a_point_of_its_own_counts_by_it_and_not_by_the_villages() {
        let mut hit = Hit {
            unplaced: 1,
            ..Hit::default()
        };
        hit.homes.insert(7, 2);
        hit.groups.insert(3, 4);
        assert_eq!(hit.of(5, 0, false), 1, "by the village's point");
        assert_eq!(hit.of(5, 0, true), 0, "its own lies elsewhere");
        assert_eq!(hit.of(7, 0, true), 2);
        assert_eq!(hit.of(7, 3, true), 6, "by its group too");
        assert_eq!(hit.any(), 7);
        assert_eq!(Hit::all(8).of(9, 9, true), 8);
    }
}
