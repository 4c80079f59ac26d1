//! Figures about an alert: coverage by region, progress by channel, speakers. Every answer says as of when, and only of
//! regions that are the caller's. This module must not compute a figure: coverage does.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Gate;
use super::caller::{Params, View};
use super::format::{Format, file};
use super::openapi::{OfAlert, OfPart};
use super::page::{PageParams, cut};
use super::problem::{BAD_PARAMETER, Problem};
use crate::coverage::{self, ChannelLine, Curve, Rollup, SpeakerLine, csv};
use crate::live::beside;
use crate::model::{RegionCode, StreamId, shape};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Under {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    pub under: Option<RegionCode>,
}

/// The alert, and as of when it is spoken of.
#[derive(Serialize, ToSchema)]
pub struct Stamp {
    #[schema(value_type = u64)]
    alert: StreamId,
    #[schema(schema_with = shape::moment)]
    as_of: String,
}

impl Stamp {
    pub fn of(gate: &Gate, view: &View) -> Self {
        Self {
            alert: view.alert.stream,
            as_of: gate.clock.now().to_string(),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct Coverage {
    #[serde(flatten)]
    stamp: Stamp,
    under: Vec<RegionCode>,
    #[serde(flatten)]
    figures: Rollup,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Table {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    pub under: Option<RegionCode>,
    #[param(inline)]
    pub format: Option<Format>,
}

/// Households reached, missed, unknown, by region
#[utoipa::path(
    get, path = "/v1/alerts/{id}/coverage", tag = "coverage", params(View, Table), security(("token" = ["read"])),
    responses((status = 200, description = "One row per region directly below", content(
        (Coverage = "application/json"), (String = "text/csv; charset=utf-8"),
    )), OfPart),
)]
pub async fn coverage(
    State(gate): State<Arc<Gate>>,
    view: View,
    headers: HeaderMap,
    Params(Table { under, format }): Params<Table>,
) -> Result<Response, Problem> {
    let under = view.scope(under)?;
    let Some(top) = coverage::common(&under) else {
        let detail = format!(
            "alert {} touches several provinces of yours; name one with ?under=",
            view.alert.stream
        );
        return Err(Problem::new(&BAD_PARAMETER, detail));
    };
    let (alert, registry, parts) = (view.alert.clone(), view.registry.clone(), under.clone());
    let figures = beside(move || match parts.as_slice() {
        [one] => coverage::rollup(&alert, &registry, *one),
        parts => coverage::rollup_of(&alert, &registry, parts, top),
    })
    .await;
    if Format::of(format, &headers) == Format::Csv {
        let name = format!("coverage-{}-{top}.csv", view.alert.stream);
        return Ok(file(&name, csv::regions(&figures)));
    }
    let stamp = Stamp::of(&gate, &view);
    Ok(Json(Coverage {
        stamp,
        under,
        figures,
    })
    .into_response())
}

#[derive(Serialize, ToSchema)]
#[schema(as = AlertChannels)]
struct Channels {
    #[serde(flatten)]
    stamp: Stamp,
    channels: Vec<ChannelLine>,
}

/// Progress by channel
///
/// Counts deliveries, not households, of the whole alert.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/channels", operation_id = "alert_channels", tag = "coverage", params(View), security(("token" = ["read"])),
    responses((status = 200, description = "One row per channel", body = Channels), OfAlert),
)]
pub async fn channels(State(gate): State<Arc<Gate>>, view: View) -> impl IntoResponse {
    let channels = coverage::channels(&view.alert);
    let stamp = Stamp::of(&gate, &view);
    Json(Channels { stamp, channels })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CurveParams {
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AlertCurve)]
struct ReachCurve {
    #[serde(flatten)]
    stamp: Stamp,
    #[serde(flatten)]
    curve: Curve,
}

/// How far it had come by which minute
///
/// Counts deliveries, not households, of the whole alert, from its release on.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/curve", tag = "coverage", params(View, CurveParams), security(("token" = ["read"])),
    responses((status = 200, description = "One point per minute in which anything changed", content(
        (ReachCurve = "application/json"), (String = "text/csv; charset=utf-8"),
    )), OfAlert),
)]
pub async fn curve(
    State(gate): State<Arc<Gate>>,
    view: View,
    headers: HeaderMap,
    Params(CurveParams { format }): Params<CurveParams>,
) -> Response {
    let curve = coverage::curve(&view.alert, gate.clock.now());
    if Format::of(format, &headers) == Format::Csv {
        let name = format!("curve-{}.csv", view.alert.stream);
        return file(&name, csv::curve(&curve));
    }
    let stamp = Stamp::of(&gate, &view);
    Json(ReachCurve { stamp, curve }).into_response()
}

#[derive(Serialize, ToSchema)]
#[schema(as = AlertSpeakers)]
struct SpeakerPage {
    #[serde(flatten)]
    stamp: Stamp,
    under: Vec<RegionCode>,
    speakers: Vec<SpeakerLine>,
    /// Ask again with `after` set to this for the next page.
    next: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SpeakerParams {
    /// Only what lies in this region.
    #[param(schema_with = shape::asked_region)]
    under: Option<RegionCode>,
    /// Begins behind the speaker of this delivery: `next` of the page before.
    #[param(maximum = 4_294_967_295_u32)]
    after: Option<u64>,
    /// At most so many; 200 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
}

/// Village speakers
///
/// Each delivery to a speaker, by village.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/speakers", tag = "coverage", params(View, SpeakerParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of speakers", body = SpeakerPage), OfPart),
)]
pub async fn speakers(
    State(gate): State<Arc<Gate>>,
    view: View,
    Params(params): Params<SpeakerParams>,
) -> Result<impl IntoResponse, Problem> {
    let under = view.scope(params.under)?;
    let page = PageParams {
        after: params.after,
        limit: params.limit,
    };
    let speakers = coverage::speakers(&view.alert, (&gate.ledger, &view.registry), &under);
    let (speakers, next) = cut(speakers, page, |line| line.number.into())?;
    Ok(Json(SpeakerPage {
        stamp: Stamp::of(&gate, &view),
        under,
        speakers,
        next,
    }))
}
