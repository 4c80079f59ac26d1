//! Earthquake early warning (地震预警) from outside: a feed's signed reports in, and what came of them out. This module must
//! not estimate, and takes no report from a bureau's token: the feed's pinned key alone opens this door.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Params, Reader};
use super::openapi::{OfQuake, Relaying};
use super::problem::{
    BAD_REPORT, CONFLICT, NOT_ALLOWED, Problem, STORE_AWAY, TOO_LARGE, UNKNOWN_QUAKE, UNPROVEN,
};
use super::submit::broken;
use super::{Gate, House};
use crate::coverage::{Places, QuakeLine, QuakeTerminal, quake_line, quake_terminals};
use crate::dispatch::quakes::{NotTaken, Taken};
use crate::ledger::quakes::{Shown, Status};
use crate::model::{RegionCode, shape};
use crate::plan::quake::Report;
use crate::trust::Caller;

pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(list, relay))
        .routes(routes!(one))
}

/// The largest report.
const LARGEST: usize = 8 * 1024;

/// What was ordered by a report.
#[derive(Serialize, ToSchema)]
#[schema(as = EarthquakeReceipt)]
struct Receipt {
    feed: String,
    event: String,
    report: u32,
    status: Status,
    status_zh: &'static str,
    cancel: bool,
    /// Terminals that were told something by this report.
    told: usize,
    red: usize,
    orange: usize,
    notice: usize,
    machines: usize,
    /// The very same report had come before: nothing was told again.
    repeated: bool,
    position: u64,
}

impl From<Taken> for Receipt {
    fn from(taken: Taken) -> Self {
        let quaked = taken.quaked;
        let rows = || quaked.relayed.iter().flat_map(|relayed| &relayed.rows);
        let count = |shown| rows().filter(|row| row.shown == shown).count();
        Self {
            told: rows().count(),
            red: count(Shown::Red),
            orange: count(Shown::Orange),
            notice: count(Shown::Notice),
            machines: count(Shown::Machine),
            status: quaked.status,
            status_zh: quaked.status.zh(),
            cancel: quaked.cancel,
            report: quaked.report,
            feed: quaked.feed,
            event: quaked.event,
            repeated: taken.repeated,
            position: taken.position,
        }
    }
}

/// Hand in a report on an earthquake
///
/// For a seismic feed alone, which signs the exact bytes of the body with its pinned key:
/// `authorization: Tocsin-Feed NAME SIGNATURE`, an Ed25519 signature in hex. `assumed`: the shape is ours until a province's
/// own is known. Every terminal is told at once; nothing is approved, and no text goes to anybody by it.
#[utoipa::path(
    post, path = "/v1/earthquakes", operation_id = "relay_earthquake", tag = "earthquakes", request_body = Report, security(("feed" = [])),
    responses((status = 202, description = "It is on disk, and every terminal is told", body = Receipt), Relaying),
)]
async fn relay(
    State(gate): State<Arc<Gate>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|error| broken(&error))?;
    if body.len() > LARGEST {
        let detail = format!("a report has at most {LARGEST} bytes; nothing was changed");
        return Err(Problem::new(&TOO_LARGE, detail));
    }
    let said = headers.get(header::AUTHORIZATION);
    let said = said.and_then(|value| value.to_str().ok());
    let proven = gate
        .feeds
        .prove(said, &body)
        .ok_or_else(|| stranger(&gate, said))?;
    let report = Report::read(&body).map_err(|unfit| {
        gate.relay.refuse("unfit");
        Problem::new(&BAD_REPORT, unfit.to_string())
    })?;
    let taken = gate.relay.take(&proven, &report, &body).await?;
    Ok((StatusCode::ACCEPTED, Json(Receipt::from(taken))).into_response())
}

/// A bureau is told that it may not, whoever holds its token; anybody else, that nobody knows them.
fn stranger(gate: &Gate, said: Option<&str>) -> Problem {
    gate.relay.refuse("unproven");
    let bearer = said.and_then(|said| said.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if bearer.is_some_and(|(_, token)| gate.bureaus.prove(token.trim()).is_some()) {
        let detail = "early warnings of earthquakes come from the seismic centre's own feed alone, which a pinned key signs; no bureau hands one in";
        return Problem::new(&NOT_ALLOWED, detail);
    }
    let detail = "no pinned feed has signed these bytes; send `authorization: Tocsin-Feed NAME SIGNATURE`, the Ed25519 signature of the exact body in hex";
    Problem::new(&UNPROVEN, detail)
}

impl From<NotTaken> for Problem {
    fn from(why: NotTaken) -> Self {
        let kind = match &why {
            NotTaken::Conflict(..) => &CONFLICT,
            NotTaken::Refused(_) => &STORE_AWAY,
            NotTaken::Off | NotTaken::Stale(_) | NotTaken::Ahead(_) => &BAD_REPORT,
        };
        Self::new(kind, why.to_string())
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Earthquakes)]
struct Listed {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    /// Newest first; so many as the gateway keeps, 64.
    earthquakes: Vec<QuakeLine>,
}

fn covers(
    caller: &Caller,
    under: Option<RegionCode>,
) -> Result<impl Fn(RegionCode) -> bool, Problem> {
    if let Some(under) = under.filter(|under| !caller.covers(*under)) {
        return Err(Problem::outside("under names", &[under]));
    }
    let regions = under.map_or_else(|| caller.regions.clone(), |under| vec![under]);
    Ok(move |village| regions.iter().any(|own| own.covers(village)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    under: Option<RegionCode>,
}

/// Earthquakes of which a feed has warned
///
/// Each by its newest report, with how many terminals were told what and what they said to it. Machines belong to no region
/// and count for everybody.
#[utoipa::path(
    get, path = "/v1/earthquakes", operation_id = "earthquakes", tag = "earthquakes", params(ListParams), security(("token" = ["read"])),
    responses((status = 200, description = "Newest first", body = Listed), OfQuake),
)]
async fn list(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    Params(params): Params<ListParams>,
) -> Result<Json<Listed>, Problem> {
    let covers = covers(&caller, params.under)?;
    let registry = gate.registry();
    let places = Places::new(&registry, gate.relay.machines());
    let all = gate.ledger.quakes.all();
    let lines = all
        .iter()
        .filter_map(|(id, quake)| quake_line((id, quake), &places, &covers));
    Ok(Json(Listed {
        as_of: gate.clock.now().to_string(),
        earthquakes: lines.collect(),
    }))
}

#[derive(Serialize, ToSchema)]
#[schema(as = EarthquakeStanding)]
struct One {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    #[serde(flatten)]
    line: QuakeLine,
    /// The first to be shaken first.
    told: Vec<QuakeTerminal>,
}

/// One earthquake, terminal by terminal
#[utoipa::path(
    get, path = "/v1/earthquakes/{feed}/{event}", operation_id = "earthquake", tag = "earthquakes", security(("token" = ["read"])),
    params(
        ("feed" = String, Path, description = "As configured", example = "province"),
        ("event" = String, Path, description = "As the feed calls it", example = "20260715021730.0001"),
        ListParams,
    ),
    responses((status = 200, description = "As it stands", body = One), OfQuake),
)]
async fn one(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    path: Result<Path<(String, String)>, PathRejection>,
    Params(params): Params<ListParams>,
) -> Result<Json<One>, Problem> {
    let covers = covers(&caller, params.under)?;
    let id = path.map(|Path(id)| id).unwrap_or_default();
    let registry = gate.registry();
    let places = Places::new(&registry, gate.relay.machines());
    let quake = gate.ledger.quakes.get(&id);
    let line = quake
        .as_ref()
        .and_then(|quake| quake_line((&id, quake), &places, &covers));
    let (Some(quake), Some(line)) = (quake, line) else {
        let detail = "no such earthquake is kept here; GET /v1/earthquakes lists them";
        return Err(Problem::new(&UNKNOWN_QUAKE, detail));
    };
    Ok(Json(One {
        as_of: gate.clock.now().to_string(),
        line,
        told: quake_terminals(&quake, &places, &covers),
    }))
}
