//! Numbers of which a far end has said that nobody is there: a list to mend the registry by, and a person's word that one
//! is good. A number itself is never shown. This module must not mark one: dispatch does, by what far ends say.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Gate;
use super::caller::{Keeper, Params};
use super::format::{Format, file};
use super::openapi::{Clearing, Listing};
use super::page::{PageParams, cut, whole};
use super::problem::{BAD_PARAMETER, Problem, STORE_AWAY};
use crate::coverage::{self, SuspectLine, csv};
use crate::ledger::event::{Mark, Marked};
use crate::ledger::{Event, Proposal};
use crate::model::{EndpointId, shape};
use crate::trust::Caller;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Begins behind this endpoint: `next` of the page before.
    #[param(maximum = 4_294_967_295_u32)]
    after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SuspectList)]
struct Doubted {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    /// Of all of them, not of this page alone.
    count: usize,
    suspects: Vec<SuspectLine>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

fn lines(gate: &Gate, caller: &Caller) -> Vec<SuspectLine> {
    coverage::suspects(&gate.ledger, &gate.registry(), |region| {
        caller.covers(region)
    })
}

/// Suspect numbers (存疑号码)
///
/// A far end has said that nobody is there: no such number, out of service, or it is on a black list. They are still tried,
/// and count as no means. A file is whole: `limit` and `after` are refused with it.
#[utoipa::path(
    get, path = "/v1/registry/suspects", operation_id = "suspects", tag = "registry", params(ListParams), security(("token" = ["registry"])),
    responses((status = 200, description = "Endpoints by id, without their numbers", content(
        (Doubted = "application/json"), (String = "text/csv; charset=utf-8"),
    )), Listing),
)]
pub async fn list(
    State(gate): State<Arc<Gate>>,
    Keeper(caller): Keeper,
    headers: HeaderMap,
    Params(params): Params<ListParams>,
) -> Result<Response, Problem> {
    let all = lines(&gate, &caller);
    let page = PageParams {
        after: params.after,
        limit: params.limit,
    };
    if Format::of(params.format, &headers) == Format::Csv {
        whole(page)?;
        return Ok(file("suspects.csv", csv::suspects(&all)));
    }
    let count = all.len();
    let (suspects, next) = cut(all, page, |line| line.endpoint.into())?;
    Ok(Json(Doubted {
        as_of: gate.clock.now().to_string(),
        count,
        suspects,
        next,
    })
    .into_response())
}

#[derive(Serialize, ToSchema)]
pub struct Cleared {
    #[schema(value_type = u32)]
    endpoint: EndpointId,
    /// False where it was not suspect, or is not yours.
    cleared: bool,
}

/// A number is good
///
/// A person's word, until a far end says otherwise again.
#[utoipa::path(
    post, path = "/v1/registry/suspects/{endpoint}/clear", operation_id = "clear_suspect", tag = "registry",
    params(("endpoint" = u32, Path, description = "The endpoint's id", example = 1)), security(("token" = ["registry"])),
    responses((status = 200, description = "Whether there was anything to clear", body = Cleared), Clearing),
)]
pub async fn clear(
    State(gate): State<Arc<Gate>>,
    Keeper(caller): Keeper,
    Path(id): Path<String>,
) -> Result<Json<Cleared>, Problem> {
    let endpoint: EndpointId = id.parse().map_err(|_| {
        let detail = "the endpoint is no number; GET /v1/registry/suspects lists them";
        Problem::new(&BAD_PARAMETER, detail)
    })?;
    let own = |line: &SuspectLine| line.endpoint == endpoint;
    let cleared = lines(&gate, &caller).iter().any(own);
    if cleared {
        let marked = Marked {
            endpoint,
            mark: Mark::Clear,
            code: String::new(),
            delivery: None,
            by: Some(caller.id),
        };
        let proposal = Proposal::of(0, Event::Marked(marked));
        let committed = gate.orders.desk.writer.propose(proposal).await;
        committed.map_err(|refused| Problem::new(&STORE_AWAY, refused.to_string()))?;
    }
    Ok(Json(Cleared { endpoint, cleared }))
}
