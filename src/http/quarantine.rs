//! Alerts that wait for a person's word: the list, what was found in one, and the word itself. Who may speak is proved
//! here, whether it is in time is release's to say. This module must not decide.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::IntoResponse;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use super::Gate;
use super::alerts::{AlertLine, ListParams, line, page};
use super::caller::{Decider, Params, Reader, View};
use super::openapi::{Deciding, Listing, OfAlert, alert_id, findings};
use super::problem::{self, Problem};
use super::submit::broken;
use crate::ledger::Word;
use crate::ledger::event::Ruling;
use crate::model::{StreamId, shape};
use crate::plan;
use crate::release::{Denied, Spoken};

#[derive(Serialize, ToSchema)]
#[schema(as = Quarantine)]
struct List {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    alerts: Vec<AlertLine>,
    /// Ask again with `before` set to this for the next page.
    #[schema(value_type = Option<u64>)]
    next: Option<StreamId>,
}

/// Alerts that wait for a person
///
/// Those of the bureau's regions, newest first. One whose time is over waits no longer.
#[utoipa::path(
    get, path = "/v1/quarantine", operation_id = "quarantine", tag = "quarantine", params(ListParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of alerts", body = List), Listing),
)]
pub async fn list(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    Params(params): Params<ListParams>,
) -> Result<impl IntoResponse, Problem> {
    let now = gate.clock.now();
    let waits = |known: &crate::ledger::Known| {
        let standing = crate::coverage::Standing::of(known, &gate.ledger, now);
        standing == crate::coverage::Standing::Quarantined
            && crate::coverage::sees(&caller, known.meta())
    };
    let (alerts, next) = page(&gate, params, waits)?;
    Ok(Json(List {
        as_of: now.to_string(),
        alerts,
        next,
    }))
}

#[derive(Serialize, ToSchema)]
struct Held {
    #[serde(flatten)]
    alert: AlertLine,
    /// What was found in its document when it came.
    #[schema(schema_with = findings)]
    findings: Vec<cap::Finding>,
    decision: Option<WordView>,
}

/// What was found in one, and what was said of it
///
/// Of any alert: one that never waited has no decision.
#[utoipa::path(
    get, path = "/v1/quarantine/{id}", operation_id = "quarantined", tag = "quarantine", params(View), security(("token" = ["read"])),
    responses((status = 200, description = "The alert with its findings", body = Held), OfAlert),
)]
pub async fn one(State(gate): State<Arc<Gate>>, view: View) -> Result<impl IntoResponse, Problem> {
    let stored = gate.store.document(view.alert.meta.document).await?;
    let bytes = stored.ok_or_else(|| {
        let why = "its document is not in the store; restore it from a backup";
        Problem::damaged(view.alert.stream, why)
    })?;
    let decision = match view.alert.word() {
        Some(word) => Some(WordView::of(&gate, word).await?),
        None => None,
    };
    let mut findings = cap::assess(&bytes, view.alert.at.secs()).findings;
    findings.extend(view.alert.held().map(plan::why_held));
    Ok(Json(Held {
        alert: line(&gate, &view.known),
        findings,
        decision,
    }))
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Say {
    Release,
    Refuse,
}

impl From<Say> for Ruling {
    fn from(say: Say) -> Self {
        match say {
            Say::Release => Self::Approve,
            Say::Refuse => Self::Refuse,
        }
    }
}

const fn key(ruling: Ruling) -> (&'static str, &'static str) {
    match ruling {
        Ruling::Approve => ("release", "准予发布"),
        Ruling::Refuse => ("refuse", "不予发布"),
    }
}

fn decisions() -> Schema {
    shape::one_of(&[Ruling::Approve, Ruling::Refuse].map(|ruling| key(ruling).0))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    decision: Say,
    /// Why; kept as a document that can be erased, never in the journal.
    #[serde(default)]
    #[schema(max_length = 2000)]
    remark: Option<String>,
}

/// The longest remark, in characters.
const REMARK: usize = 2_000;

#[derive(Serialize, ToSchema)]
#[schema(as = Word)]
struct WordView {
    #[schema(schema_with = decisions)]
    decision: &'static str,
    decision_zh: &'static str,
    /// The bureau that spoke.
    by: String,
    by_name: Option<String>,
    #[schema(schema_with = shape::moment)]
    at: String,
    /// Nothing where nothing was said, or it was erased.
    remark: Option<String>,
}

impl WordView {
    async fn of(gate: &Gate, word: Word) -> Result<Self, Problem> {
        let remark = match word.remark {
            Some(id) => gate.store.document(id).await?,
            None => None,
        };
        let (decision, decision_zh) = key(word.ruling);
        Ok(Self {
            decision,
            decision_zh,
            by_name: gate.bureaus.name_of(&word.by).map(str::to_owned),
            by: word.by,
            at: word.at.to_string(),
            remark: remark.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        })
    }
}

#[derive(Serialize, ToSchema)]
struct Spoke {
    #[schema(value_type = u64)]
    alert: StreamId,
    #[serde(flatten)]
    word: WordView,
    position: u64,
    /// It stood already; nothing was changed.
    repeated: bool,
}

/// Release or refuse one
///
/// Answered when it is on disk. The first word stands: the same again is answered as the first time, with `repeated`,
/// another one is refused. A bureau decides on alerts of which all regions are its own.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/decision", tag = "quarantine", params(Decider), security(("token" = ["decide"])),
    request_body(content = Decision, content_type = "application/json"),
    responses((status = 200, description = "The word that stands", body = Spoke), Deciding),
)]
pub async fn decide(
    State(gate): State<Arc<Gate>>,
    decider: Decider,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let bytes = body.map_err(|error| broken(&error))?;
    let Decision { decision, remark } = read(&bytes)?;
    let Decider { caller, stream } = decider;
    let spoken = gate
        .decisions
        .decide(&caller, stream, decision.into(), remark);
    let Spoken {
        word,
        position,
        repeated,
    } = spoken.await.map_err(|denied| told(stream, denied))?;
    Ok(Json(Spoke {
        alert: stream,
        word: WordView::of(&gate, word).await?,
        position,
        repeated,
    }))
}

fn read(bytes: &[u8]) -> Result<Decision, Problem> {
    let bad = |detail: String| Problem::new(&problem::BAD_BODY, detail);
    let decision: Decision = serde_json::from_slice(bytes).map_err(|error| {
        bad(format!(
            "the body is no decision at line {}, column {}; send {{\"decision\": \"release\"}} or \"refuse\", and a \"remark\" if there is one",
            error.line(),
            error.column()
        ))
    })?;
    if decision
        .remark
        .as_ref()
        .is_some_and(|r| r.chars().count() > REMARK)
    {
        return Err(bad(format!(
            "the remark is longer than {REMARK} characters; shorten it"
        )));
    }
    Ok(decision)
}

fn told(stream: StreamId, denied: Denied) -> Problem {
    match denied {
        Denied::Outside(codes) => Problem::outside(&format!("alert {stream} names"), &codes),
        Denied::Own => Problem::new(
            &problem::NOT_ALLOWED,
            format!(
                "alert {stream} is your own; another bureau has to release it (node.second_person)"
            ),
        ),
        Denied::TooLate(detail) => Problem::new(&problem::DECIDED, detail).with("alert", stream),
        Denied::Unavailable(reason) => Problem::new(&problem::STORE_AWAY, reason),
    }
}

/// `{id}` stands in the path as for a view.
impl utoipa::IntoParams for Decider {
    fn into_params(
        _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        vec![alert_id()]
    }
}
