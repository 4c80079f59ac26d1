//! The loudspeakers' controllers from outside: what each says of itself, one-time codes by which they are enrolled, their
//! revocation, and orders without a text with what came of them. Whoever calls sees and orders what lies within their
//! regions. This module must not judge a code, and it shows one only to whom it was made for.

mod list;
mod orders;
mod said;
mod satellites;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Operator;
use super::openapi::{OfDevice, Ordering};
use super::problem::{BAD_BODY, BAD_ORDER, Problem, STORE_AWAY, UNKNOWN_DEVICE};
use super::submit::broken;
use super::{Gate, House};
use crate::ledger::devices::Invited;
use crate::ledger::{Event, Proposal};
use crate::model::{RegionCode, shape};
use crate::registry::Registry;
use crate::trust::Caller;
use crate::trust::devices::{code_hash, new_code};

pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(list::devices))
        .routes(routes!(codes))
        .routes(routes!(revoke))
        .routes(routes!(orders::order))
        .routes(routes!(orders::done))
        .routes(routes!(satellites::list))
        .routes(routes!(satellites::test))
}

/// How long a code stands unless said otherwise, and at most.
const HOURS: u64 = 24;
const MOST_HOURS: u64 = 7 * 24;

/// The devices of a caller, with the village of each.
pub(super) type Own = BTreeMap<String, RegionCode>;

pub(super) fn own(
    registry: &Registry,
    caller: &Caller,
    under: Option<RegionCode>,
) -> Result<Own, Problem> {
    if let Some(under) = under.filter(|under| !caller.covers(*under)) {
        return Err(Problem::outside("under names", &[under]));
    }
    let regions = under.map_or_else(|| caller.regions.clone(), |under| vec![under]);
    let speakers = regions.iter().flat_map(|r| registry.speakers_under(*r));
    let endpoints = speakers.filter_map(|id| registry.endpoint(*id));
    let device = |e: crate::registry::EndpointRef<'_>| Some((e.address.to_owned(), e.village?));
    Ok(endpoints.filter_map(device).collect())
}

/// Whom a call is about: devices by name, or all of a region.
#[derive(Deserialize, ToSchema)]
struct Whom {
    #[serde(default)]
    devices: Option<Vec<String>>,
    #[serde(default)]
    under: Option<RegionCode>,
}

impl Whom {
    fn of(self, gate: &Gate, caller: &Caller) -> Result<Vec<String>, Problem> {
        let registry = gate.registry();
        let own = own(&registry, caller, self.under)?;
        match self.devices {
            Some(devices) => {
                if let Some(strange) = devices.iter().find(|id| !own.contains_key(*id)) {
                    return Err(unknown(strange));
                }
                Ok(devices)
            }
            None if self.under.is_some() => Ok(own.into_keys().collect()),
            None => {
                let detail = "name `devices`, or a region with `under`: nothing is meant for all that you may";
                Err(Problem::new(&BAD_ORDER, detail))
            }
        }
    }
}

pub(super) fn unknown(device: &str) -> Problem {
    let device: String = device.chars().take(64).collect();
    let detail = format!(
        "device {device} is no speaker of the registry, or lies outside your regions; GET /v1/devices lists yours"
    );
    Problem::new(&UNKNOWN_DEVICE, detail)
}

/// A body of JSON; what is wrong with it is told by its place, not by its words.
pub(super) fn body<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Problem> {
    let body = body.map_err(|error| broken(&error))?;
    serde_json::from_slice(&body).map_err(|e| {
        let detail = format!(
            "the body is not the JSON of this call: line {}, column {}; docs/api.md has it",
            e.line(),
            e.column()
        );
        Problem::new(&BAD_BODY, detail)
    })
}

pub(super) fn away(refused: &crate::ledger::Refused) -> Problem {
    Problem::new(&STORE_AWAY, refused.to_string())
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AskedCodes)]
struct Asked {
    #[serde(flatten)]
    whom: Whom,
    /// How long the codes stand; 24 where nothing is said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 168)]
    hours: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeviceCodes)]
pub struct Codes {
    #[schema(schema_with = shape::moment)]
    until: String,
    codes: Vec<Code>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeviceCode)]
struct Code {
    device: String,
    /// Shown this once.
    code: String,
}

/// One-time codes by which controllers enrol
///
/// Each is shown this once, works once, for its device alone, and voids the one that stood before it.
#[utoipa::path(
    post, path = "/v1/devices/codes", tag = "devices", security(("token" = ["devices"])),
    request_body = Asked,
    responses((status = 200, description = "A code for each device", body = Codes), Ordering),
)]
async fn codes(
    State(gate): State<Arc<Gate>>,
    Operator(caller): Operator,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Codes>, Problem> {
    let Asked { whom, hours } = body(bytes)?;
    let hours = hours.unwrap_or(HOURS);
    if !(1..=MOST_HOURS).contains(&hours) {
        let detail = format!("`hours` is 1 to {MOST_HOURS}: a code does not stand for ever");
        return Err(Problem::new(&BAD_ORDER, detail));
    }
    let devices = whom.of(&gate, &caller)?;
    let until = gate.clock.now().plus(Duration::from_hours(hours));
    let code = |device| Code {
        device,
        code: new_code(),
    };
    let codes: Vec<_> = devices.into_iter().map(code).collect();
    let event = |code: &Code| {
        let invited = Invited {
            device: code.device.clone(),
            code: code_hash(&code.device, &code.code),
            until,
            by: caller.id.clone(),
        };
        (0, Event::Invited(invited))
    };
    let proposal = Proposal {
        events: codes.iter().map(event).collect(),
        ..Proposal::default()
    };
    if !codes.is_empty() {
        let committed = gate.orders.desk.writer.propose(proposal).await;
        committed.map_err(|refused| away(&refused))?;
    }
    Ok(Json(Codes {
        until: until.to_string(),
        codes,
    }))
}

/// Void a controller's key and code
#[utoipa::path(
    post, path = "/v1/devices/{device}/revoke", tag = "devices", security(("token" = ["devices"])),
    params(("device" = String, Path, description = "Its id", example = "PW-217001-02")),
    responses((status = 200, description = "Whether there was anything to void", body = Object), OfDevice),
)]
async fn revoke(
    State(gate): State<Arc<Gate>>,
    Operator(caller): Operator,
    device: Result<Path<String>, PathRejection>,
) -> Result<Json<serde_json::Value>, Problem> {
    let device = device.map_or_else(|_| String::new(), |Path(device)| device);
    let own = own(&gate.registry(), &caller, None)?;
    if !own.contains_key(&device) {
        return Err(unknown(&device));
    }
    let enrolled = gate.ledger.devices.get(&device).is_some();
    if enrolled {
        let by = caller.id;
        let event = Event::Revoked {
            device: device.clone(),
            by,
        };
        let committed = gate.orders.desk.writer.propose(Proposal::of(0, event));
        committed.await.map_err(|refused| away(&refused))?;
    }
    Ok(Json(
        serde_json::json!({ "device": device, "revoked": enrolled }),
    ))
}
