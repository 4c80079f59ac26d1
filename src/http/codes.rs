//! Codes by which people bind an account of theirs to a household or a village: the far end makes one, and that an officer
//! asked for it is in the journal before it is given out. This module must not name who lives there.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use channel::{EndpointKind, FailureClass, Scene};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Gate;
use super::caller::{Keeper, Params};
use super::openapi::Coding;
use super::problem::{BAD_PARAMETER, FAR_END, Problem, STORE_AWAY, UNKNOWN_CHANNEL};
use crate::ledger::event::Coded;
use crate::ledger::{Event, Proposal};
use crate::model::{HouseholdId, RegionCode, shape};
use crate::registry::Registry;
use crate::trust::Caller;

/// The far end makes none that lasts longer, but for those that stay.
const LONGEST: u64 = 30;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The account that people follow, as configured
    channel: String,
    /// Binds to this household
    #[param(value_type = Option<u32>)]
    household: Option<HouseholdId>,
    /// Binds to this village and to none of its doors
    village: Option<RegionCode>,
    /// How long it holds; a code without it stays
    #[param(minimum = 1, maximum = 30)]
    days: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = BindingCode)]
pub struct Made {
    /// What whoever scans it is bound to: `h12`, `v510727217201`.
    scene: String,
    village: RegionCode,
    village_name: String,
    #[schema(value_type = Option<u32>)]
    household: Option<HouseholdId>,
    /// What the code says, for whoever draws codes.
    url: String,
    /// Where the far end shows it as a picture.
    picture: String,
    #[schema(schema_with = shape::maybe_moment)]
    until: Option<String>,
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(&BAD_PARAMETER, detail)
}

impl Asked {
    /// What it is for, and the village that it lies in.
    fn place(&self, registry: &Registry, caller: &Caller) -> Result<(Scene, RegionCode), Problem> {
        let scene = match (self.household, self.village) {
            (Some(id), None) => Scene::Household(id),
            (None, Some(code)) => Scene::Village(code.number()),
            _ => return Err(bad("name either a household or a village")),
        };
        let village = registry.village_of(scene).ok_or_else(|| {
            bad(format!(
                "{scene} is no household and no village of the registry; a household is named by its id, a village by its twelve digits"
            ))
        })?;
        if !caller.covers(village) {
            return Err(Problem::outside("the code is for", &[village]));
        }
        // A village that was renumbered is named as it is today.
        let today = Scene::Village(village.number());
        let scene = if self.village.is_some() { today } else { scene };
        Ok((scene, village))
    }
}

/// A code to scan
///
/// Whoever scans it follows the account and is bound to the household or the village, until they undo it. It is in the
/// journal who asked for it.
#[utoipa::path(
    post, path = "/v1/registry/codes", operation_id = "make_code", tag = "registry", params(Asked),
    security(("token" = ["registry"])),
    responses((status = 200, description = "The code as the far end made it", body = Made), Coding),
)]
pub async fn make(
    State(gate): State<Arc<Gate>>,
    Keeper(caller): Keeper,
    Params(asked): Params<Asked>,
) -> Result<Json<Made>, Problem> {
    if asked
        .days
        .is_some_and(|days| !(1..=LONGEST).contains(&days))
    {
        return Err(bad("`days` is 1 to 30; a code without it stays"));
    }
    let account = gate.channels.get(&asked.channel);
    let account = account.filter(|c| c.capability().speaks_to == EndpointKind::Openid);
    let Some(account) = account else {
        let detail = "`channel` is no service account; GET /v1/channels lists the channels";
        return Err(Problem::new(&UNKNOWN_CHANNEL, detail));
    };
    let registry = gate.registry();
    let (scene, village) = asked.place(&registry, &caller)?;
    let valid = asked.days.map(|days| Duration::from_hours(24 * days));
    let made = account.code(scene, valid).await.map_err(|failure| {
        let remedy = match failure.class {
            FailureClass::Transient | FailureClass::Throttled | FailureClass::InDoubt => {
                "ask again later"
            }
            _ => "docs/operations.md says what the code means",
        };
        let detail = format!("no code was made for {scene}: {failure}; {remedy}");
        Problem::new(&FAR_END, detail)
    })?;
    let coded = Event::Coded(Coded {
        channel: asked.channel,
        to: scene,
        until: made.until,
        by: caller.id,
    });
    let committed = gate.writer.propose(Proposal::of(0, coded)).await;
    committed.map_err(|refused| Problem::new(&STORE_AWAY, refused.to_string()))?;
    Ok(Json(Made {
        scene: scene.to_string(),
        village,
        village_name: registry.full_name(village),
        household: asked.household,
        url: made.url,
        picture: made.picture,
        until: made.until.map(|until| until.to_string()),
    }))
}
