//! Numbers of which a far end has said that nobody is there (存疑号码): whose they are, and what to mend in the registry.
//! This module must not show a number and must not mark one.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::lists::{At, HouseholdLine};
use crate::ledger::Ledger;
use crate::model::{EndpointId, EndpointKind, HouseholdId, RecipientId, RegionCode, shape};
use crate::registry::Registry;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SuspectLine {
    /// Its address stays in the registry.
    #[schema(value_type = u32)]
    pub endpoint: EndpointId,
    #[schema(value_type = String)]
    pub kind: EndpointKind,
    #[schema(value_type = u32)]
    pub recipient: RecipientId,
    /// Nothing for an officer.
    #[schema(value_type = Option<u32>)]
    pub household: Option<HouseholdId>,
    /// The household's village, or the first region that the officer has a post in.
    pub region: Option<RegionCode>,
    pub region_name: String,
    /// The far end's own short code.
    pub code: String,
    #[schema(schema_with = shape::moment)]
    pub since: At,
}

/// By endpoint; what the registry no longer has is not there. `sees`: whose rows may be seen.
pub fn suspects(
    ledger: &Ledger,
    registry: &Registry,
    sees: impl Fn(RegionCode) -> bool,
) -> Vec<SuspectLine> {
    let line = |(id, suspect): (EndpointId, crate::ledger::Suspect)| {
        let endpoint = registry.endpoint(id)?;
        let recipient = endpoint.recipient?;
        let regions = regions_of(registry, recipient);
        let region = regions.iter().copied().find(|region| sees(*region))?;
        Some(SuspectLine {
            endpoint: id,
            kind: endpoint.kind,
            recipient,
            household: registry.recipient(recipient).and_then(|r| r.household),
            region: Some(region),
            region_name: registry.full_name(region),
            code: suspect.code,
            since: At(suspect.since),
        })
    };
    ledger.suspects.all().into_iter().filter_map(line).collect()
}

/// Where somebody lives, or else is responsible.
pub(super) fn regions_of(registry: &Registry, recipient: RecipientId) -> Vec<RegionCode> {
    let household = registry.recipient(recipient).and_then(|r| r.household);
    let home = household.and_then(|id| registry.household(id));
    match home {
        Some(home) => vec![home.village],
        None => registry.regions_of_posts(recipient),
    }
}

/// How many of each door's numbers are doubted.
pub fn doubt(lines: &mut [HouseholdLine], registry: &Registry, ledger: &Ledger) {
    if ledger.suspects.is_empty() {
        return;
    }
    let doubted: BTreeSet<EndpointId> = ledger.suspects.all().into_keys().collect();
    for line in lines {
        let people = registry.recipients_of(line.id).iter();
        let numbers = people.flat_map(|recipient| registry.endpoints_of(*recipient));
        let bound = registry.bound_to(line.id).map(|row| row.endpoint);
        let all = numbers.chain(bound);
        let count = all.filter(|id| doubted.contains(id)).count();
        line.suspect_numbers = u32::try_from(count).unwrap_or(u32::MAX);
    }
}
