//! Satellite phones and Beidou cards: what is assumed of each by its last test (拨测), and a test by hand. Whoever calls sees
//! and tests what lies within their regions. A number is never shown. This module must not send a test: dispatch does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::Gate;
use super::super::caller::{Operator, Params, Reader};
use super::super::figures::Under;
use super::super::openapi::{OfDevices, Ordering};
use super::super::page::{PageParams, cut};
use super::super::problem::{BAD_ORDER, Problem, UNKNOWN_DEVICE};
use super::{away, body};
use crate::coverage::{self, SatelliteLine};
use crate::model::{EndpointId, EndpointKind, RegionCode, shape};
use crate::trust::Caller;

/// How long a test that was ordered waits for its channel.
const WAITS: Duration = Duration::from_hours(2);

#[derive(Serialize, ToSchema)]
#[schema(as = SatelliteList)]
pub struct Listed {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    satellites: Vec<SatelliteLine>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

#[derive(Deserialize)]
pub struct Asked {
    under: Option<RegionCode>,
    after: Option<u64>,
    limit: Option<usize>,
}

fn lines(
    gate: &Gate,
    caller: &Caller,
    under: Option<RegionCode>,
) -> Result<Vec<SatelliteLine>, Problem> {
    if let Some(under) = under.filter(|under| !caller.covers(*under)) {
        return Err(Problem::outside("under names", &[under]));
    }
    let sees = |region| caller.covers(region) && under.is_none_or(|under| under.covers(region));
    let now = gate.clock.now();
    Ok(coverage::satellites(
        &gate.ledger,
        &gate.registry(),
        now,
        sees,
    ))
}

/// Satellite phones and Beidou cards, with their last test (拨测)
///
/// Each is assumed off (假定关机) until its last test says otherwise, and doubted (存疑) where that is more than 60 days ago.
#[utoipa::path(
    get, path = "/v1/devices/satellites", operation_id = "satellites", tag = "devices", params(Under, PageParams),
    security(("token" = ["read"])),
    responses((status = 200, description = "By endpoint, without their numbers", body = Listed), OfDevices),
)]
pub async fn list(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    Params(asked): Params<Asked>,
) -> Result<Json<Listed>, Problem> {
    let all = lines(&gate, &caller, asked.under)?;
    let page = PageParams {
        after: asked.after,
        limit: asked.limit,
    };
    let (satellites, next) = cut(all, page, |line| line.endpoint.into())?;
    Ok(Json(Listed {
        as_of: gate.clock.now().to_string(),
        satellites,
        next,
    }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AskedTests)]
pub struct Wanted {
    #[serde(default)]
    #[schema(value_type = Option<Vec<u32>>)]
    endpoints: Option<Vec<EndpointId>>,
    /// All of a region.
    #[serde(default)]
    under: Option<RegionCode>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = GivenTests)]
pub struct Given {
    tests: Vec<Numbered>,
    /// No channel speaks to their kind.
    #[schema(value_type = Vec<u32>)]
    without_channel: Vec<EndpointId>,
}

/// The first has this number, and each that follows the next.
#[derive(Serialize, ToSchema)]
#[schema(as = GivenTestsOfChannel)]
struct Numbered {
    channel: String,
    first: u32,
    #[schema(value_type = Vec<u32>)]
    endpoints: Vec<EndpointId>,
}

/// Test satellite terminals now (拨测)
///
/// 202 comes when it is in the journal; each test goes out in its turn behind every warning, at most two hours later, and
/// `GET /v1/devices/satellites` shows what came of it. One whose test is still open is not tested twice.
#[utoipa::path(
    post, path = "/v1/devices/satellites/tests", operation_id = "test_satellites", tag = "devices",
    security(("token" = ["devices"])), request_body = Wanted,
    responses((status = 202, description = "The tests of each channel", body = Given), Ordering),
)]
pub async fn test(
    State(gate): State<Arc<Gate>>,
    Operator(caller): Operator,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Given>), Problem> {
    let wanted: Wanted = body(bytes)?;
    let own = lines(&gate, &caller, wanted.under)?;
    let own: BTreeMap<EndpointId, EndpointKind> =
        own.iter().map(|line| (line.endpoint, line.kind)).collect();
    let endpoints = match (wanted.endpoints, wanted.under) {
        (Some(endpoints), _) => endpoints,
        (None, Some(_)) => own.keys().copied().collect(),
        (None, None) => {
            let detail =
                "name `endpoints`, or a region with `under`: nothing is meant for all that you may";
            return Err(Problem::new(&BAD_ORDER, detail));
        }
    };
    let (mut by_channel, mut without_channel) = (BTreeMap::<String, Vec<_>>::new(), Vec::new());
    for endpoint in endpoints {
        let kind = own.get(&endpoint).ok_or_else(|| unknown(endpoint))?;
        let tried = gate.ledger.test_calls.of(endpoint);
        match gate.test_calls.line_of(*kind) {
            None => without_channel.push(endpoint),
            Some(_) if tried.is_some_and(|tried| tried.last.is_open()) => {}
            Some(channel) => {
                let of_channel = by_channel.entry(channel.to_owned()).or_default();
                if !of_channel.contains(&endpoint) {
                    of_channel.push(endpoint);
                }
            }
        }
    }
    let until = gate.clock.now().plus(WAITS);
    let mut tests = Vec::new();
    for (channel, endpoints) in by_channel {
        let by = (until, caller.id.clone());
        let given = gate.test_calls.order(&channel, endpoints.clone(), by).await;
        tests.push(Numbered {
            channel,
            first: given.map_err(|refused| away(&refused))?,
            endpoints,
        });
    }
    let given = Given {
        tests,
        without_channel,
    };
    Ok((StatusCode::ACCEPTED, Json(given)))
}

fn unknown(endpoint: EndpointId) -> Problem {
    let detail = format!(
        "endpoint {endpoint} is no satellite terminal of the registry, or lies outside your regions; GET /v1/devices/satellites lists yours"
    );
    Problem::new(&UNKNOWN_DEVICE, detail)
}
