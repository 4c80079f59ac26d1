//! One page of controllers: what the journal knows of each and what it said of itself last. This module must not ask a
//! device anything.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use channel::{DeviceState, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::Gate;
use super::super::caller::{Params, Reader};
use super::super::figures::Under;
use super::super::openapi::OfDevices;
use super::super::page::{PageParams, cut};
use super::super::problem::Problem;
use crate::model::{EndpointId, RegionCode};
use crate::registry::Registry;
use crate::trust::Caller;

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
    /// The last change that was noted: enrolled, there, silent, at fault.
    presence: Option<Presence>,
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

/// Of its last heartbeat; left out for whom was never heard since the gateway began.
#[derive(Default, Serialize)]
struct Said {
    state: Option<channel::PresenceState>,
    volume: Option<u8>,
    power: Option<channel::Power>,
    battery: Option<u8>,
    free_mb: Option<u32>,
    celsius: Option<i16>,
    sounded: Option<Sounded>,
}

#[derive(Serialize)]
struct Sounded {
    source: &'static str,
    source_zh: &'static str,
    seconds: u32,
    at: String,
}

impl From<DeviceState> for Said {
    fn from(said: DeviceState) -> Self {
        let sounded = |s: channel::Sounded| Sounded {
            source: s.source,
            source_zh: of_source(s.source),
            seconds: s.seconds,
            at: s.at.to_string(),
        };
        Self {
            state: said.state,
            volume: said.volume,
            power: said.power,
            battery: said.battery,
            free_mb: said.free_mb,
            celsius: said.celsius,
            sounded: said.sounded.map(sounded),
        }
    }
}

fn of_source(source: &str) -> &'static str {
    match source {
        "microphone" => "话筒",
        "phone" => "电话",
        "sms" => "短信",
        "usb" => "U盘",
        _ => "网络",
    }
}

const fn of_presence(state: channel::PresenceState) -> (&'static str, &'static str) {
    match state {
        channel::PresenceState::Idle | channel::PresenceState::Playing => ("there", "在线"),
        channel::PresenceState::Fault => ("fault", "故障"),
        channel::PresenceState::Silent => ("silent", "失联"),
        channel::PresenceState::Enrolled => ("enrolled", "已入网"),
    }
}

/// The loudspeakers' controllers, and what each says of itself
#[utoipa::path(
    get, path = "/v1/devices", tag = "devices", params(Under, PageParams), security(("token" = ["read"])),
    responses((status = 200, description = "By village", body = Object), OfDevices),
)]
pub async fn devices(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    Params(asked): Params<Asked>,
) -> Result<Json<Listed>, Problem> {
    let registry = gate.registry();
    let ids = speakers(&registry, &caller, asked.under)?;
    let page = PageParams {
        after: asked.after,
        limit: asked.limit,
    };
    let (ids, next) = cut(ids, page, |id| u64::from(*id))?;
    let now = gate.clock.now();
    let view = |id: &EndpointId| view(&gate, &registry, *id, now);
    Ok(Json(Listed {
        as_of: now.to_string(),
        devices: ids.iter().filter_map(view).collect(),
        next,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    under: Option<RegionCode>,
    after: Option<u64>,
    limit: Option<usize>,
}

fn speakers(
    registry: &Registry,
    caller: &Caller,
    under: Option<RegionCode>,
) -> Result<Vec<EndpointId>, Problem> {
    if let Some(under) = under {
        if !caller.covers(under) {
            return Err(Problem::outside("under names", &[under]));
        }
        return Ok(registry.speakers_under(under).to_vec());
    }
    let mut ids = Vec::new();
    for region in &caller.regions {
        ids.extend_from_slice(registry.speakers_under(*region));
    }
    // A bureau may name a region and one inside it.
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
}

fn view(gate: &Gate, registry: &Registry, id: EndpointId, now: Timestamp) -> Option<DeviceView> {
    let endpoint = registry.endpoint(id)?;
    let village = endpoint.village?;
    let device = endpoint.address;
    let known = gate.ledger.devices.get(device).unwrap_or_default();
    let said = gate.channels.get(&known.channel);
    let said = said.and_then(|channel| channel.device(device));
    let presence = gate.ledger.presence_at(device);
    Some(DeviceView {
        device: device.to_owned(),
        endpoint: id,
        name: endpoint.name.unwrap_or_default().to_owned(),
        village,
        village_name: registry.full_name(village),
        enrolled: known.key.is_some(),
        enrolled_at: known.since.map(|at| at.to_string()),
        channel: Some(known.channel).filter(|name| !name.is_empty()),
        code_until: known
            .code
            .filter(|(_, until)| *until > now)
            .map(|(_, until)| until.to_string()),
        presence: presence.map(|(state, since)| {
            let (state, state_zh) = of_presence(state);
            Presence {
                state,
                state_zh,
                since: since.to_string(),
            }
        }),
        heard: said.and_then(|said| said.heard).map(|at| at.to_string()),
        silent_seconds: said.and_then(|s| s.heard).map(|at| now.since(at).as_secs()),
        clock_error_ms: said.and_then(|said| said.clock_error),
        said: said.map(Said::from).unwrap_or_default(),
    })
}
