//! Accounts that people bound to a household or a village themselves, beside the columns of the generation that stands:
//! a binding takes effect at once, and an import neither has it nor drops it. A household's account is one more way to its
//! door; a village's is a way to somebody of the village and to no door. Where a place is not in a generation, its accounts
//! wait until it is. This module must not say who may bind what.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use channel::Scene;

use super::columns::held;
use super::{Registry, Resolved};
use crate::model::{EndpointId, EndpointKind, HouseholdId, RegionCode, RegionLevel};
use crate::registry::EndpointRef;

/// One account of one person.
#[derive(Clone, PartialEq, Eq)]
pub struct BoundRow {
    pub endpoint: EndpointId,
    /// The account that they follow, by which alone they are reached.
    pub channel: String,
    pub to: Scene,
    pub address: String,
}

/// Not who.
impl fmt::Debug for BoundRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "endpoint {} bound to {}", self.endpoint, self.to)
    }
}

/// Where a row's place stands in this generation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spot {
    Household(HouseholdId),
    Village(RegionCode),
    Nowhere,
}

#[derive(Clone)]
struct Placed {
    row: Arc<BoundRow>,
    village: Option<RegionCode>,
}

/// All of them, copied as a whole with every change: a county's are some ten thousand.
#[derive(Clone, Default)]
pub(super) struct Bound {
    keys: RandomState,
    /// By endpoint.
    rows: Arc<Vec<Placed>>,
    /// Sorted.
    by_spot: Arc<Vec<(Spot, EndpointId)>>,
    /// By a keyed hash of the address alone, sorted.
    by_address: Arc<Vec<(u64, EndpointId)>>,
}

impl Bound {
    fn get(&self, id: EndpointId) -> Option<&Placed> {
        let at = self.rows.binary_search_by_key(&id, |p| p.row.endpoint);
        at.ok().map(|at| &self.rows[at])
    }

    /// Those at one of these places.
    fn at(&self, spot: Spot) -> impl Iterator<Item = &BoundRow> {
        let start = self.by_spot.partition_point(|(other, _)| *other < spot);
        let own = self.by_spot[start..].iter();
        let own = own.take_while(move |(other, _)| *other == spot);
        own.filter_map(|(_, id)| Some(&*self.get(*id)?.row))
    }

    fn of(&self, address: &str) -> impl Iterator<Item = &BoundRow> {
        let hash = self.keys.hash_one(address);
        let start = self.by_address.partition_point(|(other, _)| *other < hash);
        let same = self.by_address[start..].iter();
        let same = same.take_while(move |(other, _)| *other == hash);
        let rows = same.filter_map(|(_, id)| Some(&*self.get(*id)?.row));
        rows.filter(move |row| row.address == address)
    }

    /// How many there are, and how many of them wait for their place.
    pub fn counts(&self) -> (usize, usize) {
        let first = self
            .by_spot
            .partition_point(|(spot, _)| *spot < Spot::Nowhere);
        (self.rows.len(), self.by_spot.len() - first)
    }

    pub fn bytes(&self) -> usize {
        let row = |p: &Placed| {
            size_of::<BoundRow>() + p.row.channel.capacity() + p.row.address.capacity()
        };
        held(&self.rows)
            + held(&self.by_spot)
            + held(&self.by_address)
            + self.rows.iter().map(row).sum::<usize>()
    }
}

impl Registry {
    /// This generation with these accounts, and with no other.
    #[must_use]
    pub fn with_bound(mut self, rows: impl IntoIterator<Item = BoundRow>) -> Self {
        self.put(rows.into_iter().map(Arc::new).collect());
        self
    }

    /// This generation with the accounts of the one that stands.
    #[must_use]
    pub fn succeeding(mut self, before: &Self) -> Self {
        self.put(before.bound.rows.iter().map(|p| p.row.clone()).collect());
        self
    }

    /// With this account where it is now, or without it.
    #[must_use]
    pub fn rebound(&self, endpoint: EndpointId, row: Option<BoundRow>) -> Self {
        let kept = self.bound.rows.iter().map(|placed| &placed.row);
        let kept = kept.filter(|row| row.endpoint != endpoint).cloned();
        let mut next = self.clone();
        next.put(kept.chain(row.map(Arc::new)).collect());
        next
    }

    fn put(&mut self, mut rows: Vec<Arc<BoundRow>>) {
        rows.sort_unstable_by_key(|row| row.endpoint);
        let keys = RandomState::new();
        let (mut placed, mut by_spot, mut by_address) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let (spot, village) = self.spot(row.to);
            by_spot.push((spot, row.endpoint));
            by_address.push((keys.hash_one(&row.address), row.endpoint));
            placed.push(Placed { row, village });
        }
        by_spot.sort_unstable();
        by_address.sort_unstable();
        self.bound = Bound {
            keys,
            rows: Arc::new(placed),
            by_spot: Arc::new(by_spot),
            by_address: Arc::new(by_address),
        };
    }

    fn spot(&self, scene: Scene) -> (Spot, Option<RegionCode>) {
        let village = self.village_of(scene);
        let spot = match (scene, village) {
            (_, None) => Spot::Nowhere,
            (Scene::Household(id), Some(_)) => Spot::Household(id),
            (Scene::Village(_), Some(village)) => Spot::Village(village),
        };
        (spot, village)
    }

    /// Where a code's place lies today: a village whose number has changed is the one that took its place, where that is
    /// one.
    pub fn village_of(&self, scene: Scene) -> Option<RegionCode> {
        let number = match scene {
            Scene::Household(id) => return Some(self.household(id)?.village),
            Scene::Village(number) => number,
        };
        let code = RegionCode::try_from(number).ok()?;
        let current = match self.resolve(code) {
            Resolved::Current => code,
            Resolved::Old([one]) => *one,
            Resolved::Old(_) | Resolved::Unknown => return None,
        };
        (current.level() == RegionLevel::Village).then_some(current)
    }

    /// The account of this person, if they bound it.
    pub fn bound_account(&self, channel: &str, address: &str) -> Option<&BoundRow> {
        let mut own = self.bound.of(address);
        own.find(|row| row.channel == channel)
    }

    /// What is bound to a household, by endpoint.
    pub fn bound_to(&self, household: HouseholdId) -> impl Iterator<Item = &BoundRow> {
        self.bound.at(Spot::Household(household))
    }

    /// What is bound to a village and to none of its doors, by endpoint.
    pub fn bound_in(&self, village: RegionCode) -> impl Iterator<Item = &BoundRow> {
        self.bound.at(Spot::Village(village))
    }

    pub(super) fn bound_as(&self, address: &str) -> impl Iterator<Item = EndpointId> {
        self.bound.of(address).map(|row| row.endpoint)
    }

    pub(super) fn bound_endpoint(&self, id: EndpointId) -> Option<EndpointRef<'_>> {
        let placed = self.bound.get(id)?;
        Some(EndpointRef {
            id,
            kind: EndpointKind::Openid,
            address: &placed.row.address,
            recipient: None,
            village: placed.village,
            name: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{code, sample, whole};
    use super::*;
    use crate::model::OWN_ENDPOINTS;

    fn row(nth: u32, to: Scene, address: &str) -> BoundRow {
        BoundRow {
            endpoint: OWN_ENDPOINTS + nth,
            channel: "wechat".into(),
            to,
            address: address.into(),
        }
    }

    fn ids<'a>(rows: impl Iterator<Item = &'a BoundRow>) -> Vec<u32> {
        rows.map(|row| row.endpoint - OWN_ENDPOINTS).collect()
    }

    #[test]
    fn what_people_bind_stands_beside_the_columns_and_can_be_moved_and_undone() {
        let village = code("510727219200");
        let built = Registry::build(1, &sample()).expect("sound rows");
        let bound = built.with_bound([
            row(0, Scene::Household(90), "oDemo-0"),
            row(1, Scene::Household(90), "oDemo-1"),
            row(2, Scene::Village(village.number()), "oDemo-2"),
        ]);
        assert_eq!(ids(bound.bound_to(90)), [0, 1]);
        assert_eq!(ids(bound.bound_in(village)), [2]);
        let endpoint = bound.endpoint(OWN_ENDPOINTS).expect("it is there");
        assert_eq!(
            (endpoint.kind, endpoint.address, endpoint.village),
            (EndpointKind::Openid, "oDemo-0", Some(village))
        );
        assert_eq!(bound.with_number("oDemo-2"), [OWN_ENDPOINTS + 2]);
        assert!(bound.with_number("oDemo-3").is_empty());
        assert!(bound.bound_account("another", "oDemo-1").is_none());

        let moved = bound.rebound(OWN_ENDPOINTS, Some(row(0, Scene::Household(3), "oDemo-0")));
        assert_eq!(ids(moved.bound_to(90)), [1]);
        assert_eq!(ids(moved.bound_to(3)), [0]);
        assert_eq!(ids(bound.bound_to(90)), [0, 1], "what was built stays");
        let undone = moved.rebound(OWN_ENDPOINTS, None);
        assert!(ids(undone.bound_to(3)).is_empty());
        assert!(undone.endpoint(OWN_ENDPOINTS).is_none());
        assert_eq!(undone.counts().bound, 2);
    }

    #[test]
    fn an_import_keeps_what_is_bound_and_what_has_no_place_waits_for_it() {
        let mut without = sample();
        without.households.retain(|row| row.id != 3);
        without.recipients.retain(|row| row.household != Some(3));
        let bound = Registry::build(1, &sample())
            .expect("sound rows")
            .with_bound([
                row(0, Scene::Household(3), "oDemo-0"),
                row(1, Scene::Household(90), "oDemo-1"),
            ]);
        let next = Registry::build(2, &without).expect("sound rows");
        let next = next.succeeding(&bound);
        assert_eq!(
            (ids(next.bound_to(3)), ids(next.bound_to(90))),
            (vec![], vec![1])
        );
        assert_eq!((next.counts().bound, next.counts().bound_nowhere), (2, 1));
        let waiting = next.endpoint(OWN_ENDPOINTS).expect("it is known");
        assert_eq!(waiting.village, None);
        let again = Registry::build(3, &sample()).expect("sound rows");
        assert_eq!(ids(again.succeeding(&next).bound_to(3)), [0]);
    }

    #[test]
    fn a_village_is_found_by_its_old_number_unless_it_was_split() {
        let mut rows = whole();
        let built = Registry::build(1, &rows).expect("sound rows");
        let old = Scene::Village(510_727_217_201);
        assert_eq!(built.village_of(old), None, "two took its place");
        rows.aliases.remove(0);
        let built = Registry::build(1, &rows).expect("sound rows");
        assert_eq!(built.village_of(old), Some(code("510727219200")));
        for nowhere in [
            Scene::Village(510_727_000_000),
            Scene::Village(7),
            Scene::Household(8),
        ] {
            assert_eq!(built.village_of(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn no_table_may_have_an_id_that_is_the_gateways_to_give() {
        let mut rows = sample();
        rows.endpoints[1].id = OWN_ENDPOINTS;
        let problems = Registry::build(1, &rows).expect_err("refused");
        let told = problems[0].to_string();
        let wanted = "endpoints, row 4200000000, column id: is the gateway's own to give";
        assert!(told.starts_with(wanted), "{told}");
        rows.endpoints[1].id = OWN_ENDPOINTS - 1;
        assert!(Registry::build(1, &rows).is_ok());
    }

    #[test]
    fn a_row_does_not_show_who() {
        let shown = format!("{:?}", row(0, Scene::Household(90), "oDemo-0"));
        assert!(!shown.contains("oDemo"), "{shown}");
    }
}
