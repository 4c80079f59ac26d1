//! The alerts themselves: the list, one alert, and its document as it came. This module must not count households.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use channel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::Gate;
use super::caller::{Params, Reader, View};
use super::openapi::{Listing, OfAlert};
use super::page::within;
use super::problem::Problem;
use crate::coverage::words::{of_change, of_level};
use crate::coverage::{self, ChannelLine, ClassLine, Standing};
use crate::ledger::event::{Born, Class};
use crate::ledger::{Alert, Identity, Known};
use crate::model::{RegionCode, StreamId, shape};

#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
pub struct IdentityView {
    sender: String,
    identifier: String,
    #[schema(schema_with = shape::moment)]
    sent: String,
}

impl From<&Identity> for IdentityView {
    fn from(identity: &Identity) -> Self {
        Self {
            sender: identity.sender.clone(),
            identifier: identity.identifier.clone(),
            sent: Timestamp::from_secs(identity.sent).to_string(),
        }
    }
}

pub fn born(born: Born) -> (&'static str, &'static str, Option<StreamId>) {
    match born {
        Born::Live => ("live", "受理", None),
        Born::SupersededBy(by) => ("superseded", "已被替代", Some(by)),
        Born::Filed => ("filed", "存档不发", None),
        Born::Quarantined => ("quarantined", "暂存待核", None),
    }
}

/// The keys of [`born`], for the document.
pub fn births() -> Schema {
    shape::one_of(&["live", "superseded", "filed", "quarantined"])
}

fn step_states() -> Schema {
    shape::one_of(&["planned", "dropped", "withdrawn", "waiting"])
}

#[derive(Serialize, ToSchema)]
pub struct AlertLine {
    #[schema(value_type = u64)]
    id: StreamId,
    identity: IdentityView,
    #[schema(schema_with = Standing::shape)]
    state: &'static str,
    state_zh: &'static str,
    #[schema(schema_with = shape::levels)]
    level: &'static str,
    level_zh: &'static str,
    /// The level by which it is handled: a plan may raise it.
    #[schema(schema_with = shape::levels)]
    handled: &'static str,
    handled_zh: &'static str,
    #[schema(value_type = String)]
    status: cap::Status,
    #[schema(value_type = String)]
    msg_type: cap::MsgType,
    /// How it stands to what it corrects; nothing where it corrects nothing.
    #[schema(schema_with = Class::maybe)]
    class: Option<&'static str>,
    class_zh: Option<&'static str>,
    /// The first info's event code.
    event: String,
    /// Its names; nothing where the table does not have it.
    event_zh: Option<String>,
    event_en: Option<String>,
    bureau: String,
    bureau_name: Option<String>,
    #[schema(schema_with = shape::moment)]
    accepted: String,
    #[schema(schema_with = shape::moment)]
    expires: String,
    deliveries: u32,
    /// All of it is over: its figures stand, and are read from its stream.
    sealed: bool,
}

#[derive(Serialize, ToSchema)]
struct RegionView {
    code: RegionCode,
    name: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Alert)]
struct AlertView {
    #[serde(flatten)]
    line: AlertLine,
    #[schema(schema_with = births)]
    born: &'static str,
    born_zh: &'static str,
    #[schema(value_type = Option<u64>)]
    withdrawn_by: Option<StreamId>,
    /// The alerts that this one corrects, as far as they are known.
    #[schema(value_type = Vec<u64>)]
    corrects: Vec<StreamId>,
    /// Those of them that it was compared with.
    #[schema(value_type = Vec<u64>)]
    compared: Vec<StreamId>,
    /// Its deliveries by how it stands to what people last got.
    classes: Vec<ClassLine>,
    plan: String,
    generation: u32,
    regions: Vec<RegionView>,
    #[schema(schema_with = shape::hash)]
    regions_hash: String,
    /// What is sent at another moment than the release; empty where all of it went at once.
    steps: Vec<StepView>,
    channels: Vec<ChannelLine>,
    doubts: u32,
}

#[derive(Serialize, ToSchema)]
struct StepView {
    step: u16,
    #[schema(schema_with = shape::moment)]
    due: String,
    #[schema(schema_with = step_states)]
    state: &'static str,
    state_zh: &'static str,
    /// Somebody waits in it for the end of the night.
    held: bool,
    /// Of the journal's own count, where it waits or was never sent.
    deliveries: u32,
}

fn steps(alert: &Alert) -> Vec<StepView> {
    let state = |step: u16| match () {
        () if alert.steps.is_planned(step) => ("planned", "已下发"),
        () if alert.steps.is_dropped(step) => ("dropped", "过期未发"),
        () if alert.withdrawn_by().is_some() => ("withdrawn", "撤回未发"),
        () if alert.classes.is_held(step) => ("waiting", "静默暂缓"),
        () => ("waiting", "定时待发"),
    };
    let deliveries = |step: u16| {
        let blocks = alert.blocks();
        let of_step = blocks.iter().filter(|b| b.step == step);
        if alert.steps.is_planned(step) {
            of_step.map(|b| b.len()).sum()
        } else {
            alert.classes.waiting(step)
        }
    };
    let due = alert.steps.due();
    let view = |(step, due): (u16, &Timestamp)| {
        let (state, state_zh) = state(step);
        StepView {
            step,
            due: due.to_string(),
            state,
            state_zh,
            held: alert.classes.is_held(step),
            deliveries: deliveries(step),
        }
    };
    let mut steps: Vec<StepView> = (0..).zip(&due).map(view).collect();
    // Nobody waited for it: the night held nobody.
    steps.retain(|s| s.step == 0 || s.deliveries > 0 || s.state != "planned");
    if steps.len() < 2 {
        steps.clear();
    }
    steps
}

pub fn line(gate: &Gate, alert: &Known) -> AlertLine {
    let standing = Standing::of(alert, &gate.ledger, gate.clock.now());
    let meta = alert.meta();
    let (level, level_zh) = of_level(meta.level);
    let (handled, handled_zh) = of_level(alert.handled());
    let code = meta.infos.first().map(|i| i.event.as_str());
    let event = gate.ingest.means.events.name(code.unwrap_or_default());
    AlertLine {
        id: alert.stream(),
        identity: (&meta.identity).into(),
        state: standing.key(),
        state_zh: standing.zh(),
        level,
        level_zh,
        handled,
        handled_zh,
        status: meta.status,
        msg_type: meta.msg_type,
        class: alert.class().map(|class| of_change(class).0),
        class_zh: alert.class().map(|class| of_change(class).1),
        event: event.code,
        event_zh: event.zh,
        event_en: event.en,
        bureau: meta.caller.clone(),
        bureau_name: gate.bureaus.name_of(&meta.caller).map(str::to_owned),
        accepted: alert.at().to_string(),
        expires: alert.expires().to_string(),
        deliveries: alert.deliveries(),
        sealed: alert.is_sealed(),
    }
}

#[derive(Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only alerts before this id.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 9_007_199_254_740_991_u64)]
    before: Option<StreamId>,
    /// At most so many; 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AlertList)]
pub struct List {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    alerts: Vec<AlertLine>,
    /// Ask again with `before` set to this for the next page.
    #[schema(value_type = Option<u64>)]
    next: Option<StreamId>,
}

const MOST: usize = 500;
const USUAL: usize = 50;

/// Alerts
///
/// Those that touch the bureau's regions, newest first.
#[utoipa::path(
    get, path = "/v1/alerts", tag = "alerts", params(ListParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of alerts", body = List), Listing),
)]
pub async fn list(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    Params(params): Params<ListParams>,
) -> Result<Json<List>, Problem> {
    let (alerts, next) = page(&gate, params, |alert| coverage::sees(&caller, alert.meta()))?;
    Ok(Json(List {
        as_of: gate.clock.now().to_string(),
        alerts,
        next,
    }))
}

/// A page of those that are wanted, newest first, and the id that the next page begins before.
pub fn page(
    gate: &Gate,
    params: ListParams,
    wanted: impl Fn(&Known) -> bool,
) -> Result<(Vec<AlertLine>, Option<StreamId>), Problem> {
    let limit = within(params.limit, USUAL, MOST)?;
    let before = params.before.unwrap_or(StreamId::MAX);
    let all = gate.ledger.every();
    let older = all.iter().rev().filter(|alert| alert.stream() < before);
    let mut wanted = older.filter(|alert| wanted(alert));
    let alerts: Vec<_> = wanted
        .by_ref()
        .take(limit)
        .map(|alert| line(gate, alert))
        .collect();
    let next = wanted
        .next()
        .and_then(|_| alerts.last().map(|last| last.id));
    Ok((alerts, next))
}

/// One alert
#[utoipa::path(
    get, path = "/v1/alerts/{id}", tag = "alerts", params(View), security(("token" = ["read"])),
    responses((status = 200, description = "The alert", body = AlertView), OfAlert),
)]
pub async fn one(State(gate): State<Arc<Gate>>, view: View) -> impl IntoResponse {
    let (alert, registry) = (&view.alert, &view.registry);
    let region = |code: &RegionCode| RegionView {
        code: *code,
        name: registry.full_name(*code),
    };
    let (born, born_zh, superseded_by) = born(alert.meta.born);
    let (handled, handled_zh) = of_level(alert.handled());
    Json(AlertView {
        line: AlertLine {
            handled,
            handled_zh,
            ..line(&gate, &view.known)
        },
        born,
        born_zh,
        withdrawn_by: alert.withdrawn_by().or(superseded_by),
        corrects: alert.meta.hits.clone(),
        compared: alert.classes.with(),
        classes: coverage::classes(alert),
        plan: alert.meta.plan_name.clone(),
        generation: alert.generation(),
        regions: alert.meta.regions.iter().map(region).collect(),
        regions_hash: hex::encode(alert.meta.regions_hash),
        steps: steps(alert),
        channels: coverage::channels(alert),
        doubts: alert.doubts.load(Relaxed),
    })
}

/// The document as it came
#[utoipa::path(
    get, path = "/v1/alerts/{id}/document", tag = "alerts", params(View), security(("token" = ["read"])),
    responses((status = 200, description = "Its bytes", body = String, content_type = "application/cap+xml"), OfAlert),
)]
pub async fn document(State(gate): State<Arc<Gate>>, view: View) -> Result<Response, Problem> {
    let stored = gate.store.document(view.alert.meta.document).await?;
    let stream = view.alert.stream;
    let bytes = stored.ok_or_else(|| {
        Problem::damaged(
            stream,
            "its document is not in the store; restore it from a backup",
        )
    })?;
    Ok(([(header::CONTENT_TYPE, "application/cap+xml")], bytes).into_response())
}
