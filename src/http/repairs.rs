//! Repairs of loudspeakers (报修): entered by an officer, or by one for the keeper, open until somebody says how they ended.
//! What an officer writes stands in documents. This module must not show a keeper.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use channel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Operator, Params, Reader};
use super::devices::{away, body, own, unknown};
use super::format::{Format, file};
use super::openapi::{Mending, Repairing, RepairsListing};
use super::page::{PageParams, cut, whole};
use super::problem::{BAD_ORDER, CLOSED, Problem, UNKNOWN_REPAIR};
use super::{Gate, House};
use crate::coverage::{RepairLine, horn_csv, repair_line, repairs};
use crate::dispatch::Entry;
use crate::ledger::boxes::{Mend, Order, Teller, Trouble};
use crate::model::{RegionCode, shape};

pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(enter))
        .routes(routes!(close))
        .routes(routes!(device_repairs))
}

/// The longest text of one, in characters.
const LONGEST: usize = 2_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AskedRepair)]
struct Asked {
    what: Trouble,
    /// Since when it is so; now where nothing is said.
    #[serde(default)]
    #[schema(schema_with = shape::maybe_moment)]
    since: Option<String>,
    /// Who says so; `officer` where nothing is said.
    #[serde(default)]
    from: Option<Teller>,
    /// Kept as a document that can be erased, never in the journal.
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AskedMend)]
struct Ended {
    how: Mend,
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Repair)]
struct RepairView {
    #[serde(flatten)]
    line: RepairLine,
    /// What was written at its entry; nothing where nothing was, or it was erased.
    text: Option<String>,
    /// And at its end.
    closing_text: Option<String>,
}

impl RepairView {
    async fn of(gate: &Gate, order: &Order) -> Result<Option<Self>, Problem> {
        let line = repair_line(&gate.registry(), order, gate.clock.now());
        let Some(line) = line else { return Ok(None) };
        let written = async |id: Option<[u8; 32]>| -> Result<Option<String>, Problem> {
            let Some(id) = id else { return Ok(None) };
            let bytes = gate.store.document(id).await?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        };
        let closing = order.mended.as_ref().and_then(|(mended, _)| mended.text);
        Ok(Some(Self {
            line,
            text: written(order.repair.text).await?,
            closing_text: written(closing).await?,
        }))
    }
}

fn short(text: Option<String>) -> Result<Option<String>, Problem> {
    let long = |text: &String| text.chars().count() > LONGEST;
    if text.as_ref().is_some_and(long) {
        let detail = format!("the text is longer than {LONGEST} characters; shorten it");
        return Err(Problem::new(&BAD_ORDER, detail));
    }
    Ok(text.filter(|text| !text.trim().is_empty()))
}

/// Enter a repair of a loudspeaker (报修)
///
/// It is open until it is closed, and its loudspeaker counts as not working in every preview.
#[utoipa::path(
    post, path = "/v1/devices/{device}/repairs", tag = "devices", security(("token" = ["devices"])),
    params(("device" = String, Path, description = "Its id", example = "PW-217001-02")),
    request_body = Asked,
    responses((status = 200, description = "The repair as it stands", body = RepairView), Repairing),
)]
async fn enter(
    State(gate): State<Arc<Gate>>,
    Operator(caller): Operator,
    device: Result<Path<String>, PathRejection>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<RepairView>, Problem> {
    let device = device.map_or_else(|_| String::new(), |Path(device)| device);
    if !own(&gate.registry(), &caller, None)?.contains_key(&device) {
        return Err(unknown(&device));
    }
    let asked: Asked = body(bytes)?;
    let since = asked.since.as_deref().map(moment).transpose()?;
    let entry = Entry {
        device: device.clone(),
        what: asked.what,
        since,
        from: asked.from.unwrap_or(Teller::Officer),
        by: Some(caller.id),
        text: short(asked.text)?,
    };
    let entered = gate.orders.desk.enter_repair(entry).await;
    let order = entered.map_err(|refused| away(&refused))?;
    let view = RepairView::of(&gate, &order).await?;
    view.map(Json).ok_or_else(|| unknown(&device))
}

fn moment(text: &str) -> Result<Timestamp, Problem> {
    let read = text.parse::<cap::Time>();
    read.map(|time| Timestamp::from_secs(time.unix))
        .map_err(|_| {
            let detail = "`since` is no moment; write it as 2026-07-14T21:30:00+08:00";
            Problem::new(&BAD_ORDER, detail)
        })
}

/// Close a repair
#[utoipa::path(
    post, path = "/v1/repairs/{number}/close", tag = "devices", security(("token" = ["devices"])),
    params(("number" = u32, Path, description = "Its number", minimum = 0, example = 1)),
    request_body = Ended,
    responses((status = 200, description = "The repair as it stands", body = RepairView), Mending),
)]
async fn close(
    State(gate): State<Arc<Gate>>,
    Operator(caller): Operator,
    number: Result<Path<String>, PathRejection>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<RepairView>, Problem> {
    let asked = number.map_or_else(|_| String::new(), |Path(number)| number);
    let registry = gate.registry();
    let found = asked.parse().ok().and_then(|number| {
        let order = gate.ledger.boxes.repair(number)?;
        let line = repair_line(&registry, &order, gate.clock.now())?;
        caller.covers(line.village).then_some(number)
    });
    let strange = || {
        let asked: String = asked.chars().take(32).collect();
        let detail = format!(
            "repair {asked} is not known, or lies outside your regions; GET /v1/repairs lists yours"
        );
        Problem::new(&UNKNOWN_REPAIR, detail)
    };
    let number = found.ok_or_else(strange)?;
    let Ended { how, text } = body(bytes)?;
    let closed = gate
        .orders
        .desk
        .close_repair(number, how, caller.id, short(text)?);
    if !closed.await.map_err(|refused| away(&refused))? {
        let detail =
            format!("repair {number} was closed before; enter a new one if it is broken again");
        return Err(Problem::new(&CLOSED, detail));
    }
    let order = gate.ledger.boxes.repair(number).ok_or_else(strange)?;
    let view = RepairView::of(&gate, &order).await?;
    view.map(Json).ok_or_else(strange)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    under: Option<RegionCode>,
    /// Only those that are open, or only those that are closed.
    open: Option<bool>,
    /// Begins behind the repair that this names: `next` of the page before.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RepairList)]
struct Listed {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    repairs: Vec<RepairView>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

/// Repairs of loudspeakers, the newest first
///
/// A file is whole: `limit` and `after` are refused with it.
#[utoipa::path(
    get, path = "/v1/repairs", tag = "devices", params(ListParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of repairs", content(
        (Listed = "application/json"), (String = "text/csv; charset=utf-8"),
    )), RepairsListing),
)]
async fn device_repairs(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    headers: HeaderMap,
    Params(params): Params<ListParams>,
) -> Result<Response, Problem> {
    let under = params.under;
    let sees = |village: RegionCode| {
        caller.covers(village) && under.is_none_or(|under| under.covers(village))
    };
    let (registry, now) = (gate.registry(), gate.clock.now());
    let lines = repairs(&gate.ledger, &registry, sees, params.open, now);
    let page = PageParams {
        after: params.after,
        limit: params.limit,
    };
    if Format::of(params.format, &headers) == Format::Csv {
        whole(page)?;
        return Ok(file("repairs.csv", horn_csv::repairs(&lines)));
    }
    let (lines, next) = cut(lines, page, |line| line.number.into())?;
    let mut views = Vec::with_capacity(lines.len());
    for line in lines {
        let Some(order) = gate.ledger.boxes.repair(line.number) else {
            continue;
        };
        views.extend(RepairView::of(&gate, &order).await?);
    }
    let listed = Listed {
        as_of: now.to_string(),
        repairs: views,
        next,
    };
    Ok(Json(listed).into_response())
}
