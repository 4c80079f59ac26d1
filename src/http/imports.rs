//! The list of past imports, newest first, as the journal has them. This module must not show what an import changed: its
//! own answer did.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Gate;
use super::caller::{Keeper, Params};
use super::format::{Format, file};
use super::openapi::Listing;
use super::page::{PageParams, cut, whole};
use super::problem::Problem;
use crate::coverage::csv;
use crate::ledger::Import;
use crate::model::shape;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// Begins behind the generation that this names: `next` of the page before.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Imports)]
struct Listed {
    imports: Vec<ImportView>,
    /// For `after`, where there are more.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PastImport)]
struct ImportView {
    generation: u32,
    #[schema(schema_with = shape::moment)]
    at: String,
    /// The bureau; `import` where `tocsin import` did it beside a gateway that stood.
    by: String,
    bureau_name: Option<String>,
    households: u32,
    people: u32,
}

/// Past imports, newest first
///
/// A file is whole: `limit` and `after` are refused with it.
#[utoipa::path(
    get, path = "/v1/registry/imports", tag = "registry", params(ImportParams), security(("token" = ["registry"])),
    responses((status = 200, description = "A page of imports, in numbers", content(
        (Listed = "application/json"), (String = "text/csv; charset=utf-8"),
    )), Listing),
)]
pub async fn imports(
    State(gate): State<Arc<Gate>>,
    Keeper(_): Keeper,
    headers: HeaderMap,
    Params(params): Params<ImportParams>,
) -> Result<Response, Problem> {
    let ImportParams {
        after,
        limit,
        format,
    } = params;
    let page = PageParams { after, limit };
    let mut imports = gate.ledger.imports();
    imports.reverse();
    if Format::of(format, &headers) == Format::Csv {
        whole(page)?;
        return Ok(file("imports.csv", csv::imports(&imports)));
    }
    let (imports, next) = cut(imports, page, |import| import.generation.into())?;
    let view = |import: Import| ImportView {
        bureau_name: gate.bureaus.name_of(&import.by).map(str::to_owned),
        generation: import.generation,
        at: import.at.to_string(),
        by: import.by,
        households: import.households,
        people: import.people,
    };
    let imports = imports.into_iter().map(view).collect();
    Ok(Json(Listed { imports, next }).into_response())
}
