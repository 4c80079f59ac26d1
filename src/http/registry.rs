//! The registry from outside: what stands, and the next generation as a form of CSV files. This module must not show a
//! row: counts, codes and what is wrong are all that leaves.

use std::sync::Arc;

use axum::Json;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::was_slow;
use super::caller::Keeper;
use super::openapi::{Importing, Reading};
use super::problem::{self, Problem};
use super::submit::too_slow;
use super::{Gate, IMPORT};
use crate::registry::{Counts, Parts, Report, Unfit};

#[derive(Serialize, ToSchema)]
#[schema(as = RegistryStanding)]
pub struct Standing {
    generation: u32,
    counts: Counts,
    bytes: usize,
    bytes_per_person: Option<usize>,
    /// Endpoints that are gone and whose addresses an alert may still need.
    closed: usize,
    /// Endpoints of which a far end has said that nobody is there: 存疑号码.
    suspects: usize,
}

/// Which generation stands and how much it holds
#[utoipa::path(
    get, path = "/v1/registry", tag = "registry", security(("token" = ["registry"])),
    responses((status = 200, description = "Counts, no person", body = Standing), Reading),
)]
pub async fn standing(State(gate): State<Arc<Gate>>, _: Keeper) -> Json<Standing> {
    let registry = gate.registry();
    let (counts, bytes) = (registry.counts(), registry.bytes());
    Json(Standing {
        generation: registry.generation(),
        bytes_per_person: bytes.checked_div(counts.people),
        closed: registry.closed().len(),
        suspects: gate.ledger.suspects.len(),
        counts,
        bytes,
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// Only look: nothing is changed.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub struct Answer {
    dry_run: bool,
    bytes_per_person: Option<usize>,
    #[serde(flatten)]
    report: Report,
}

/// The next generation, from CSV tables
///
/// A form with one part for each table, named as the table. A table that is not sent stays as it is; all is taken or
/// nothing.
#[utoipa::path(
    post, path = "/v1/registry/import", tag = "registry", params(How), security(("token" = ["registry"])),
    request_body(content_type = "multipart/form-data", content = Object, description = "One part a table"),
    responses((status = 200, description = "What changed, in numbers", body = Answer), Importing),
)]
pub async fn import(
    State(gate): State<Arc<Gate>>,
    Keeper(caller): Keeper,
    how: Result<Query<How>, axum::extract::rejection::QueryRejection>,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Json<Answer>, Problem> {
    let Query(How { dry_run }) = how.map_err(|_| {
        Problem::new(
            &problem::BAD_PARAMETER,
            "the only parameter is dry_run, true or false",
        )
    })?;
    let form = form.map_err(|_| {
        let detail = "the body is no form; send the tables as multipart/form-data, as curl -F households=@households.csv does";
        Problem::new(&problem::BAD_BODY, detail)
    })?;
    let parts = parts(form).await.map_err(|error| broken(&error))?;
    let report = gate
        .intake
        .take(&caller.id, &caller.regions, parts, dry_run)
        .await?;
    Ok(Json(Answer {
        dry_run,
        bytes_per_person: report.bytes_per_person(),
        report,
    }))
}

async fn parts(mut form: Multipart) -> Result<Parts, MultipartError> {
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        parts.push((name, field.bytes().await?));
    }
    Ok(parts)
}

fn broken(error: &MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!(
            "an import has at most {} MiB; send one table at a time: those that are not sent stay as they are",
            IMPORT / (1024 * 1024)
        );
        return Problem::new(&problem::TOO_LARGE, detail);
    }
    if was_slow(error) {
        return too_slow();
    }
    let detail = "the form did not arrive whole; send it again";
    Problem::new(&problem::BAD_BODY, detail)
}

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Problems(problems) => {
                let detail = format!(
                    "the tables have {} problem(s) and nothing was changed; mend them and send all of it again",
                    problems.len()
                );
                Self::new(&problem::UNFIT_TABLES, detail).with("problems", problems)
            }
            Unfit::Outside(codes) => Self::outside("the import changes rows of", &codes),
            Unfit::Store(error) => error.into(),
            Unfit::Journal(refused) => Self::new(&problem::STORE_AWAY, refused.to_string()),
            Unfit::Broken(error) => Self::new(
                &problem::STORE_AWAY,
                format!("the import broke off: {error}; nothing was changed, send it again"),
            ),
        }
    }
}
