//! The caller's walls: for which senders, scopes and regions it may speak. Each refusal says what would have to be so.
//! This module must not look at what an alert would do.

use super::Rejection;
use crate::model::RegionCode;
use crate::plan::quake::EVENT;
use crate::plan::{self, Plans};
use crate::registry::Registry;
use crate::trust::Caller;

pub fn allowed(caller: &Caller, alert: &cap::Alert, plans: &Plans) -> Result<(), Rejection> {
    if !caller.speaks_for(&alert.sender) {
        let what = format!(
            "{} may not submit for this CAP sender; ask for it to be entered under senders",
            caller.id
        );
        return Err(Rejection::NotAllowed { what });
    }
    if let Some(what) = seconds_path(alert) {
        return Err(Rejection::NotAllowed { what: what.into() });
    }
    if alert.scope != cap::Scope::Public && !plans.admits(alert.scope) {
        let what = "only alerts of scope Public are broadcast, and Restricted ones where a plan names that scope; send others by other means";
        return Err(Rejection::NotAllowed { what: what.into() });
    }
    Ok(())
}

/// Early warnings of earthquakes are the seismic centre's alone, whoever holds a token: what warns of shaking that is to come
/// is refused. What tells of an earthquake that has been (速报) says so by its urgency, Past.
fn seconds_path(alert: &cap::Alert) -> Option<&'static str> {
    let mut infos = alert.infos.iter();
    let warns = infos.any(|info| {
        let mut codes = info.event_codes.iter();
        codes.any(|code| code.value.trim() == EVENT) && info.urgency != cap::Urgency::Past
    });
    warns.then_some(
        "early warnings of earthquakes (11C02) are relayed from the seismic centre's own feed alone: nobody composes, alters or lifts one here; \
         a bulletin on an earthquake that has been (速报) takes urgency Past",
    )
}

/// Codes that the alert names and the caller is not responsible for, whether the registry knows them or not.
pub fn codes_outside(caller: &Caller, alert: &cap::Alert, registry: &Registry) -> Vec<RegionCode> {
    let areas = alert.infos.iter().flat_map(|i| &i.areas);
    let codes = areas.flat_map(|area| plan::codes(area, registry));
    let mut outside: Vec<_> = codes.filter(|c| !caller.covers(*c)).collect();
    outside.sort_unstable();
    outside.dedup();
    outside
}
