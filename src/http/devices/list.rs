//! One page of controllers: what the journal and the registry know of each, and what it said of itself last. This module
//! must not ask a device anything and must not show who looks after one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use channel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::super::Gate;
use super::super::caller::{Params, Reader};
use super::super::format::{Format, file};
use super::super::openapi::OfDevices;
use super::super::page::{PageParams, cut, whole};
use super::super::problem::{BAD_PARAMETER, Problem};
use super::said::Said;
use crate::coverage::horns::{self, Asked, Card, Horn, Stand};
use crate::coverage::{Cause, horn_csv};
use crate::ledger::boxes::Test;
use crate::live::beside;
use crate::model::{Day, EndpointId, HouseholdId, RegionCode, shape};
use crate::registry::Registry;
use crate::trust::{Caller, Keepers, Scope};

#[derive(Serialize)]
pub struct Listed {
    as_of: String,
    devices: Vec<DeviceView>,
    /// For `after`, where there are more.
    next: Option<u64>,
}

#[derive(Serialize)]
struct DeviceView {
    device: String,
    endpoint: EndpointId,
    name: String,
    village: RegionCode,
    village_name: String,
    enrolled: bool,
    /// Since when its key stands.
    enrolled_at: Option<String>,
    channel: Option<String>,
    /// Until when a code stands that was not used yet.
    code_until: Option<String>,
    /// The last change that was noted: there, at fault, silent, enrolled.
    presence: Option<Presence>,
    /// The short word that it said of itself last: `clock-wrong`, `muted`, `on-battery`, or its own for a fault.
    code: String,
    cause: Option<CauseView>,
    /// When it last played a text whole, by proof.
    proved: Option<ProvedView>,
    care: CareView,
    /// The number of the repair that is open for it.
    repair: Option<u32>,
    /// Its keeper says by link that it works again, though that repair is open.
    keeper_says_repaired: bool,
    /// Its keeper's page, for callers with the scope `devices`: whoever has it may enter a repair.
    keeper_link: Option<String>,
    self_test: Option<TestView>,
    heard: Option<String>,
    /// How long it has said nothing; left out for whom was never heard since the gateway began.
    silent_seconds: Option<u64>,
    clock_error_ms: Option<i64>,
    #[serde(flatten)]
    said: Said,
}

#[derive(Serialize)]
struct Presence {
    state: &'static str,
    state_zh: &'static str,
    since: String,
}

/// Why it does not work, most probably.
#[derive(Serialize)]
struct CauseView {
    cause: &'static str,
    cause_zh: &'static str,
    because: &'static str,
    because_zh: &'static str,
}

#[derive(Serialize)]
struct ProvedView {
    at: String,
    alert: u64,
}

/// What the registry says of the box.
#[derive(Serialize)]
struct CareView {
    /// Whether somebody is named who looks after it.
    kept: bool,
    sim: &'static str,
    sim_zh: &'static str,
    sim_expires: Option<Day>,
    power: Option<channel::Power>,
    hours: Option<u16>,
    volume: Option<u8>,
    maker: Option<String>,
    point: Option<(f64, f64)>,
    /// How many households can hear it.
    households: usize,
    /// Which ones.
    hearing: Vec<HouseholdId>,
}

/// What it found when it looked at itself.
#[derive(Serialize)]
struct TestView {
    asked: Option<String>,
    /// `well`, `wrong`, `no-answer`; left out before the first.
    result: Option<&'static str>,
    result_zh: Option<&'static str>,
    code: Option<String>,
    since: Option<String>,
}

/// The loudspeakers' controllers, how each stands and why
///
/// A file is whole: `limit` and `after` are refused with it, and it names no keeper and no number.
#[utoipa::path(
    get, path = "/v1/devices", tag = "devices", params(ListParams), security(("token" = ["read"])),
    responses((status = 200, description = "By village", content(
        (Object = "application/json"), (String = "text/csv; charset=utf-8"),
    )), OfDevices),
)]
pub async fn devices(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    headers: HeaderMap,
    Params(asked): Params<ListParams>,
) -> Result<Response, Problem> {
    let (found, now) = found(&gate, &caller, &asked).await?;
    let page = PageParams {
        after: asked.after,
        limit: asked.limit,
    };
    let registry = gate.registry();
    if Format::of(asked.format, &headers) == Format::Csv {
        whole(page)?;
        return Ok(file("loudspeakers.csv", horn_csv::horns(&registry, &found)));
    }
    let (found, next) = cut(found, page, |horn| u64::from(horn.endpoint))?;
    let links = gate.keepers.as_deref();
    let links = links.filter(|_| caller.may(Scope::Devices));
    let view = |horn: Horn| view(&gate, &registry, horn, (links, now));
    let listed = Listed {
        as_of: now.to_string(),
        devices: found.into_iter().map(view).collect(),
        next,
    };
    Ok(Json(listed).into_response())
}

/// A county's speakers with their neighbours take a moment: they are looked at beside the connections.
async fn found(
    gate: &Gate,
    caller: &Caller,
    asked: &ListParams,
) -> Result<(Vec<Horn>, Timestamp), Problem> {
    let under = match asked.under {
        Some(under) if !caller.covers(under) => {
            return Err(Problem::outside("under names", &[under]));
        }
        Some(under) => vec![under],
        None => caller.regions.clone(),
    };
    let wanted = asked.wanted()?;
    let (ledger, registry, now) = (gate.ledger.clone(), gate.registry(), gate.clock.now());
    let found = beside(move || {
        let mut found = horns::horns(&ledger, &registry, &under, now);
        found.retain(|horn| wanted.takes(horn));
        found
    });
    Ok((found.await, now))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    under: Option<RegionCode>,
    /// Only those that stand so.
    #[param(schema_with = Stand::shape)]
    state: Option<String>,
    /// Only those that do not work for this reason.
    #[param(schema_with = Cause::shape)]
    cause: Option<String>,
    /// Only those whose card stands so: `soon` is thirty days or less.
    #[param(schema_with = Card::shape)]
    sim: Option<String>,
    /// Only those with an open repair, or only those without.
    repair: Option<bool>,
    /// Begins behind the line that this names: `next` of the page before.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    #[param(inline)]
    format: Option<Format>,
}

impl ListParams {
    fn wanted(&self) -> Result<Asked, Problem> {
        let (state, cause) = (self.state.as_deref(), self.cause.as_deref());
        let stands = "state is there, fault, silent, enrolled or never";
        let causes = "cause is power, sim-expired, network, fault, clock, muted or unknown";
        let cards = "sim is good, soon, over or unknown";
        Ok(Asked {
            stand: word(state, Stand::named, stands)?,
            cause: word(cause, Cause::named, causes)?,
            card: word(self.sim.as_deref(), Card::named, cards)?,
            repair: self.repair,
        })
    }
}

fn word<T>(
    asked: Option<&str>,
    named: fn(&str) -> Option<T>,
    detail: &'static str,
) -> Result<Option<T>, Problem> {
    match asked.map(named) {
        Some(None) => Err(Problem::new(&BAD_PARAMETER, detail)),
        found => Ok(found.flatten()),
    }
}

fn view(
    gate: &Gate,
    registry: &Registry,
    horn: Horn,
    (links, now): (Option<&Keepers>, Timestamp),
) -> DeviceView {
    let known = gate.ledger.devices.get(&horn.device).unwrap_or_default();
    let said = gate.channels.get(&known.channel);
    let said = said.and_then(|channel| channel.device(&horn.device));
    let cause = horn.guess.map(|(cause, because_zh, because)| CauseView {
        cause: cause.name(),
        cause_zh: cause.zh(),
        because,
        because_zh,
    });
    DeviceView {
        endpoint: horn.endpoint,
        village: horn.village,
        village_name: registry.full_name(horn.village),
        enrolled: known.key.is_some(),
        enrolled_at: known.since.map(|at| at.to_string()),
        channel: Some(known.channel).filter(|name| !name.is_empty()),
        code_until: known
            .code
            .filter(|(_, until)| *until > now)
            .map(|(_, until)| until.to_string()),
        presence: horn.since.map(|since| Presence {
            state: horn.stand.name(),
            state_zh: horn.stand.zh(),
            since: since.to_string(),
        }),
        cause,
        proved: horn.proved.map(|play| ProvedView {
            at: play.at.to_string(),
            alert: play.alert,
        }),
        care: care(registry, &horn),
        repair: horn.repair,
        keeper_says_repaired: horn.vouched,
        keeper_link: links.map(|links| link(links, registry, &horn, now)),
        self_test: horn.test.map(tested),
        code: horn.code,
        device: horn.device,
        name: horn.name,
        heard: said.and_then(|said| said.heard).map(|at| at.to_string()),
        silent_seconds: said.and_then(|s| s.heard).map(|at| now.since(at).as_secs()),
        clock_error_ms: said.and_then(|said| said.clock_error),
        said: said.map(Said::from).unwrap_or_default(),
    }
}

fn link(keepers: &Keepers, registry: &Registry, horn: &Horn, now: Timestamp) -> String {
    let care = registry.care(horn.endpoint).cloned().unwrap_or_default();
    keepers.link(&horn.device, (&care.keeper, &care.phone), now)
}

fn care(registry: &Registry, horn: &Horn) -> CareView {
    let known = registry.care(horn.endpoint).cloned().unwrap_or_default();
    CareView {
        kept: !known.keeper.is_empty(),
        sim: horn.card.name(),
        sim_zh: horn.card.zh(),
        sim_expires: horn.card_until,
        power: known.power,
        hours: known.hours,
        volume: known.volume,
        maker: Some(known.maker).filter(|maker| !maker.is_empty()),
        point: known.lat.zip(known.lon),
        households: registry.hearing(horn.endpoint).len(),
        hearing: registry.hearing(horn.endpoint).to_vec(),
    }
}

fn tested(test: Test) -> TestView {
    let (result, result_zh) = horns::of_test(&test).unzip();
    let (code, since) = test.says.unzip();
    TestView {
        asked: test.asked.map(|at| at.to_string()),
        result,
        result_zh,
        code: code.filter(|code| !code.is_empty()),
        since: since.map(|at| at.to_string()),
    }
}
