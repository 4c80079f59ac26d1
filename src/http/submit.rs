//! `POST /v1/alerts`: CAP bytes in, 202 once the alert is durable. This module must not judge the alert: ingest does, and
//! its refusals become problems here.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::alerts::{IdentityView, births, born};
use super::body::was_slow;
use super::caller::{Params, Submitter};
use super::openapi::{Submitting, dispositions, findings};
use super::preview::PreviewView;
use super::problem::{self, Problem};
use super::{BODY, Gate};
use crate::coverage::words::of_level;
use crate::ingest::{Rejection, Submitted};
use crate::model::{RegionCode, StreamId, shape};
use crate::plan::Note;

#[derive(Serialize, ToSchema)]
struct Receipt {
    #[schema(value_type = u64)]
    id: StreamId,
    identity: IdentityView,
    #[schema(schema_with = dispositions)]
    disposition: cap::Disposition,
    #[schema(schema_with = findings)]
    findings: Vec<cap::Finding>,
    #[schema(schema_with = births)]
    born: &'static str,
    born_zh: &'static str,
    #[schema(value_type = Option<u64>)]
    superseded_by: Option<StreamId>,
    #[schema(schema_with = shape::levels)]
    level: &'static str,
    level_zh: &'static str,
    /// The level by which it is handled.
    #[schema(schema_with = shape::levels)]
    handled: &'static str,
    handled_zh: &'static str,
    notes: Vec<Note>,
    regions: Vec<RegionCode>,
    #[schema(schema_with = shape::hash)]
    regions_hash: String,
    position: u64,
    repeated: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SubmitParams {
    /// Only look: nothing is sent or kept.
    #[serde(default)]
    preview: bool,
}

/// Hand in an alert, or look what it would do
///
/// One CAP document (1.2; 1.1 and 1.0 are read), whatever its content type says. The same content again is answered as
/// the first time, with `repeated`.
#[utoipa::path(
    post, path = "/v1/alerts", tag = "alerts", params(SubmitParams), security(("token" = ["submit"])),
    request_body(content = String, content_type = "application/cap+xml", description = "The CAP document"),
    responses(
        (status = 200, description = "With `preview`: what it would do; nothing is sent or kept", body = PreviewView),
        (status = 202, description = "It is on disk", body = Receipt, headers(("Location" = String, description = "The alert's address"))),
        Submitting,
    ),
)]
pub async fn submit(
    State(gate): State<Arc<Gate>>,
    Submitter(caller): Submitter,
    Params(params): Params<SubmitParams>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let bytes = body.map_err(|error| broken(&error))?;
    if params.preview {
        let preview = gate.ingest.preview(&caller, &bytes).await?;
        return Ok(Json(PreviewView::from(preview)).into_response());
    }
    let submitted = gate.ingest.submit(&caller, bytes).await?;
    Ok(receipt(submitted))
}

pub fn broken(error: &BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!(
            "a body has at most {BODY} bytes; put pictures and sound behind a link (resource/uri)"
        );
        return Problem::new(&problem::TOO_LARGE, detail);
    }
    if was_slow(error) {
        return too_slow();
    }
    Problem::new(
        &problem::BAD_BODY,
        "the connection ended before the body was complete; send it again",
    )
}

pub fn too_slow() -> Problem {
    let detail = "the body came too slowly and was given up; nothing was changed, send it again over a better line";
    Problem::new(&problem::TOO_SLOW, detail)
}

fn receipt(submitted: Submitted) -> Response {
    let (born, born_zh, superseded_by) = born(submitted.born);
    let (level, level_zh) = of_level(submitted.level);
    let (handled, handled_zh) = of_level(submitted.handled);
    let place = format!("/v1/alerts/{}", submitted.stream);
    let headers = [
        (header::LOCATION, place),
        (
            HeaderName::from_static("tocsin-position"),
            submitted.position.to_string(),
        ),
    ];
    let body = Receipt {
        id: submitted.stream,
        identity: (&submitted.identity).into(),
        disposition: submitted.disposition,
        findings: submitted.findings,
        born,
        born_zh,
        superseded_by,
        level,
        level_zh,
        handled,
        handled_zh,
        notes: submitted.notes,
        regions: submitted.regions,
        regions_hash: submitted.regions_hash,
        position: submitted.position,
        repeated: submitted.repeated,
    };
    (StatusCode::ACCEPTED, headers, Json(body)).into_response()
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Unreadable { findings } => {
                let detail = "the alert was not taken and nothing was changed; repair what the findings of level error name and send it again";
                Self::new(&problem::UNREADABLE, detail).with("findings", findings)
            }
            Rejection::NotAllowed { what } => Self::new(&problem::NOT_ALLOWED, what),
            Rejection::Outside { codes } => Self::outside("the alert names", &codes),
            Rejection::Nowhere { findings, what } => {
                Self::new(&problem::NOWHERE, what).with("findings", findings)
            }
            Rejection::NotFiled { findings } => {
                let detail = "the alert was not taken and nothing was changed: its text messages would not go out as they are filed; do what the findings under Tocsin/filing say and send it again";
                Self::new(&problem::NOT_FILED, detail).with("findings", findings)
            }
            Rejection::Conflict { stream } => {
                let detail = format!(
                    "alert {stream} has the same sender, identifier and sent with another content; send a changed alert under a new identifier with msgType Update"
                );
                Self::new(&problem::CONFLICT, detail).with("alert", stream)
            }
            Rejection::Unavailable { reason } => Self::new(&problem::STORE_AWAY, reason),
        }
    }
}
