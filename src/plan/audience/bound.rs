//! Whoever bound an account of theirs to a door or a village is told by it, and by the account that they follow alone. This
//! module must not count anybody of a village at a door: which one is theirs is not known.

use super::{Chosen, PlannedDelivery};
use crate::ledger::event::{Class, NO_HOUSEHOLD};
use crate::model::{EndpointKind, HouseholdId, RegionCode};
use crate::plan::hit::Hit;
use crate::registry::BoundRow;

impl<'a> Chosen<'a, '_> {
    /// The household's people in the tables stand in `out` from `first` on: who is there is not told twice.
    pub(super) fn bound_to(
        &self,
        household: HouseholdId,
        infos: u64,
        first: usize,
        out: &mut Vec<PlannedDelivery<'a>>,
    ) {
        let tabled = out.len();
        for row in self.registry.bound_to(household) {
            let same = |d: &PlannedDelivery<'_>| {
                let endpoint = self.registry.endpoint(d.endpoint);
                endpoint.is_some_and(|e| e.address == row.address)
            };
            if !out[first..tabled].iter().any(same) {
                self.bound(row, household, infos, out);
            }
        }
    }

    /// Somebody of the village, at none of its doors: told whatever part of it is hit, unless only doors of a kind are
    /// meant.
    pub(super) fn bound_in(
        &self,
        village: RegionCode,
        hit: &Hit,
        out: &mut Vec<PlannedDelivery<'a>>,
    ) {
        if !self.send.tags.is_empty() {
            return;
        }
        for row in self.registry.bound_in(village) {
            self.bound(row, NO_HOUSEHOLD, hit.any(), out);
        }
    }

    fn bound(
        &self,
        row: &BoundRow,
        household: HouseholdId,
        infos: u64,
        out: &mut Vec<PlannedDelivery<'a>>,
    ) {
        if row.channel == self.way && self.to == EndpointKind::Openid {
            out.push(PlannedDelivery {
                endpoint: row.endpoint,
                household,
                language: self.language,
                infos,
                class: Class::Original,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use channel::{Evidence, Scene, Style};

    use crate::model::{EndpointRow, OWN_ENDPOINTS, Tags};
    use crate::plan::Outlets;
    use crate::plan::Plan;
    use crate::plan::audience::{Want, blocks};
    use crate::plan::fixture::{CODES, NEAR, Said, alert, code, geocode, outlet, plan, rows};
    use crate::plan::target::target;
    use crate::registry::Registry;

    use super::*;

    /// Endpoint and door of everybody in the near village who is told by this channel.
    fn told(channel: &str, more: &str, bound: &[(u32, &str, Scene, &str)]) -> Vec<(u32, u32)> {
        let mut rows = rows();
        rows.endpoints.push(EndpointRow {
            id: 900,
            recipient: Some(1),
            kind: EndpointKind::Openid,
            address: "oDemo-1".into(),
        });
        rows.households[3].tags = Tags::DANGER_ZONE;
        let row = |(nth, channel, to, address): &(u32, &str, Scene, &str)| BoundRow {
            endpoint: OWN_ENDPOINTS + nth,
            channel: (*channel).to_owned(),
            to: *to,
            address: (*address).to_owned(),
        };
        let registry = Registry::build(1, &rows).expect("sound rows");
        let registry = registry.with_bound(bound.iter().map(row));
        let kind = outlet(
            "wechat",
            EndpointKind::Openid,
            Style::Short,
            Evidence::Delivered,
        );
        let outlets = Outlets::from([("wechat".to_owned(), kind), ("other".to_owned(), kind)]);
        let plan = Plan::parse(plan(&[("public", channel, more)]).as_bytes()).expect("a plan");
        let want = Want {
            plan: &plan,
            outlets: &outlets,
            status: cap::Status::Actual,
            scope: cap::Scope::Public,
        };
        let alert = alert(&[Said::red(&geocode(CODES, NEAR))]);
        let targets = target(&alert, &registry).expect("known");
        let mut all = Vec::new();
        let mut known = crate::plan::Told::default();
        for block in blocks(&registry, code(NEAR), &targets, &want, &mut known) {
            let own = block.deliveries.iter();
            all.extend(own.map(|d| (d.endpoint % OWN_ENDPOINTS, d.household)));
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn a_door_is_told_by_what_is_bound_to_it_once_and_by_the_account_that_is_followed() {
        let (home, other) = (Scene::Household(2), Scene::Household(21));
        let bound = [
            (0, "wechat", home, "oDemo-2"),
            (1, "wechat", home, "oDemo-3"),
            (2, "other", home, "oDemo-4"),
            (3, "wechat", other, "oDemo-5"),
            // Whom the tables have in the same home.
            (4, "wechat", Scene::Household(1), "oDemo-1"),
            (5, "wechat", Scene::Household(1), "oDemo-6"),
        ];
        assert_eq!(
            told("wechat", "", &bound),
            [(0, 2), (1, 2), (5, 1), (900, 1)]
        );
        assert_eq!(told("other", "", &bound), [(2, 2), (900, 1)]);
    }

    #[test]
    fn whoever_is_of_a_village_is_told_at_no_door_and_by_no_send_for_doors_of_a_kind() {
        let village = Scene::Village(code(NEAR).number());
        let bound = [
            (0, "wechat", village, "oDemo-2"),
            (1, "wechat", Scene::Household(4), "oDemo-3"),
        ];
        assert_eq!(
            told("wechat", "", &bound),
            [(0, NO_HOUSEHOLD), (1, 4), (900, 1)]
        );
        let tags = "tags = [\"danger-zone\"]";
        assert_eq!(told("wechat", tags, &bound), [(1, 4)]);
    }
}
