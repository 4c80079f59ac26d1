//! The demo's WeChat: some households follow the county's account, some are about to scan their door's code, duty officers
//! stand in the corporation's directory, and the county's own have a group. Whoever it is has a telephone that delivers, so
//! that a demo which is killed on the way ends with the same table. No id here could be anybody's.

use std::collections::{HashMap, HashSet};

use crate::model::{EndpointKind, EndpointRow, HouseholdId, RecipientId, Rows};

use super::{Fate, fate};

/// One household in so many follows the account.
const EACH: u32 = 50;
/// So many scan while one watches.
const SCANNING: usize = 5;
pub const GROUP: &str = "demo-group";

/// No openid of the far end has hyphens or says whose it is.
fn openid(household: HouseholdId) -> String {
    format!("demo-openid-{household:06}")
}

/// The county with its followers; what was drawn before keeps its ids.
pub fn follow(mut rows: Rows) -> Rows {
    let reached = reached(&rows);
    let people = rows.recipients.iter();
    let home = |id: HouseholdId| (id % EACH == 7).then(|| (EndpointKind::Openid, openid(id)));
    let duty: HashMap<RecipientId, bool> = rows
        .endpoints
        .iter()
        .filter(|row| row.kind == EndpointKind::Mailbox)
        .filter_map(|row| Some((row.recipient?, row.address.starts_with("duty-510727-1@"))))
        .collect();
    let mut added = Vec::new();
    for person in people.filter(|person| reached.contains(&person.id)) {
        let ways = match person.household {
            Some(id) => home(id).into_iter().collect(),
            None => match duty.get(&person.id) {
                None => Vec::new(),
                Some(first) => {
                    let group = first.then(|| (EndpointKind::Group, GROUP.to_owned()));
                    let member = (EndpointKind::Member, format!("demo.duty-{}", person.id));
                    [Some(member), group].into_iter().flatten().collect()
                }
            },
        };
        added.extend(ways.into_iter().map(|way| (person.id, way)));
    }
    let last = rows.endpoints.iter().map(|row| row.id).max().unwrap_or(0);
    let row = |(id, (recipient, (kind, address)))| EndpointRow {
        id,
        recipient: Some(recipient),
        kind,
        address,
    };
    rows.endpoints.extend((last + 1..).zip(added).map(row));
    rows
}

/// Whoever is about to scan, and their door's code.
pub fn scans(rows: &Rows) -> Vec<(String, String)> {
    let reached = reached(rows);
    let people = rows.recipients.iter();
    let people = people.filter(|person| reached.contains(&person.id));
    let homes = people.filter_map(|person| person.household.filter(|id| id % EACH == 8));
    let mut homes: Vec<_> = homes.collect();
    homes.dedup();
    homes.truncate(SCANNING);
    let scan = |id| (openid(id), format!("h{id}"));
    homes.into_iter().map(scan).collect()
}

/// The first of each household, and every officer, whose telephone delivers.
fn reached(rows: &Rows) -> HashSet<RecipientId> {
    let mut homes = HashSet::new();
    let owner: HashMap<RecipientId, Option<HouseholdId>> = rows
        .recipients
        .iter()
        .map(|person| (person.id, person.household))
        .collect();
    let good = rows
        .endpoints
        .iter()
        .filter(|row| row.kind == EndpointKind::Mobile && fate(&row.address) == Fate::Delivers);
    good.filter_map(|row| row.recipient)
        .filter(|id| match owner.get(id).copied().flatten() {
            Some(home) => homes.insert(home),
            None => true,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::county;
    use super::*;
    use crate::registry::Registry;

    #[test]
    fn followers_come_to_a_county_that_stays_as_it_was() {
        let before = county(2_000, 3);
        let after = follow(before.clone());
        assert_eq!(
            after.endpoints[..before.endpoints.len()],
            before.endpoints[..]
        );
        assert_eq!(after, follow(before));
        let registry = Registry::build(1, &after).expect("sound rows");
        let counts = registry.counts();
        assert!((25..=40).contains(&counts.openids), "{}", counts.openids);
        assert!((30..=44).contains(&counts.wecom_members));
        assert_eq!(counts.wecom_groups, 1);
        let scans = scans(&after);
        assert_eq!(scans.len(), SCANNING);
        for (openid, scene) in scans {
            assert!(registry.with_number(&openid).is_empty(), "{openid}");
            let scene = scene.parse().expect("a scene");
            assert!(registry.village_of(scene).is_some());
        }
    }
}
