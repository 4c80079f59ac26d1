//! The administrative tree as the registry has it: regions with their names, and how many households, people and speakers
//! are in them. This module must not show a row of the registry: a name here is a place's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Gate;
use super::caller::{Params, Reader};
use super::openapi::OfLand;
use super::page::{PageParams, cut};
use super::problem::{Problem, UNKNOWN_REGION};
use crate::model::{GroupCode, RegionCode, RegionLevel, shape};
use crate::registry::Registry;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LandParams {
    /// What lies directly below this region; without it, the bureau's own regions.
    #[param(schema_with = shape::asked_region)]
    under: Option<RegionCode>,
    /// Begins behind this region: `next` of the page before.
    #[param(minimum = 0, maximum = 999_999_999_999_u64)]
    after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Regions)]
struct Land {
    generation: u32,
    under: Option<RegionCode>,
    regions: Vec<RegionLine>,
    /// The local groups (社, 组) of a village.
    groups: Vec<GroupLine>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct RegionLine {
    code: RegionCode,
    name: String,
    #[schema(schema_with = shape::region_levels)]
    level: RegionLevel,
    villages: usize,
    households: usize,
    /// People of its households; counted for villages.
    people: Option<usize>,
    speakers: usize,
    /// Regions directly below.
    children: usize,
}

#[derive(Serialize, ToSchema)]
struct GroupLine {
    group: u8,
    name: String,
    households: usize,
}

/// Regions with their names and counts
///
/// What the registry holds in numbers: no name, no number of a person.
#[utoipa::path(
    get, path = "/v1/registry/regions", tag = "registry", params(LandParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of regions", body = Land), OfLand),
)]
pub async fn regions(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    Params(params): Params<LandParams>,
) -> Result<impl IntoResponse, Problem> {
    let registry = gate.registry();
    let codes = match params.under {
        None => caller.regions.clone(),
        Some(under) if !caller.covers(under) => {
            return Err(Problem::outside("under names", &[under]));
        }
        Some(under) if !registry.contains(under) => {
            let detail = format!(
                "the registry has no region {under}; GET /v1/registry/regions begins with yours"
            );
            return Err(Problem::new(&UNKNOWN_REGION, detail));
        }
        Some(under) => registry.children(under),
    };
    let page = PageParams {
        after: params.after,
        limit: params.limit,
    };
    let (codes, next) = cut(codes, page, |code| code.number())?;
    let village = params
        .under
        .filter(|code| code.level() == RegionLevel::Village);
    Ok(Json(Land {
        generation: registry.generation(),
        under: params.under,
        regions: codes.iter().map(|code| region(&registry, *code)).collect(),
        groups: village
            .map(|code| groups(&registry, code))
            .unwrap_or_default(),
        next,
    }))
}

fn region(registry: &Registry, code: RegionCode) -> RegionLine {
    let households = registry.households_under(code);
    let people = || {
        households
            .iter()
            .map(|id| registry.recipients_of(*id).len())
            .sum()
    };
    RegionLine {
        code,
        name: registry.full_name(code),
        level: code.level(),
        villages: registry.villages_under(code).len(),
        households: households.len(),
        people: (code.level() == RegionLevel::Village).then(people),
        speakers: registry.speakers_under(code).len(),
        children: registry.children(code).len(),
    }
}

fn groups(registry: &Registry, village: RegionCode) -> Vec<GroupLine> {
    let line = |(group, name): (u8, &str)| GroupLine {
        group,
        name: name.to_owned(),
        households: registry
            .households_of_group(GroupCode { village, group })
            .len(),
    };
    registry.groups_of(village).map(line).collect()
}
