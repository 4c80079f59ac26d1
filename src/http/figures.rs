//! Figures about an alert: coverage by region, progress by channel, speakers. Every answer says as of when, and only of
//! regions that are the caller's. This module must not compute a figure: coverage does.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::Gate;
use super::caller::{Params, View};
use super::format::{Format, file};
use super::problem::{BAD_PARAMETER, Problem};
use crate::coverage::{self, ChannelLine, Rollup, SpeakerLine, csv};
use crate::model::{RegionCode, StreamId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Under {
    pub under: Option<RegionCode>,
}

/// `as_of`, the alert and what was asked for.
#[derive(Serialize)]
struct Stamped<T> {
    alert: StreamId,
    as_of: String,
    #[serde(flatten)]
    answer: T,
}

fn answer<T: Serialize>(gate: &Gate, view: &View, answer: T) -> Json<impl Serialize + use<T>> {
    Json(Stamped {
        alert: view.alert.stream,
        as_of: gate.clock.now().to_string(),
        answer,
    })
}

#[derive(Serialize)]
struct Coverage {
    under: Vec<RegionCode>,
    #[serde(flatten)]
    figures: Rollup,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    under: Option<RegionCode>,
    format: Option<Format>,
}

pub async fn coverage(
    State(gate): State<Arc<Gate>>,
    view: View,
    headers: HeaderMap,
    Params(Table { under, format }): Params<Table>,
) -> Result<Response, Problem> {
    let under = view.scope(under)?;
    let (top, figures) = match (under.as_slice(), coverage::common(&under)) {
        ([one], _) => (*one, coverage::rollup(&view.alert, &view.registry, *one)),
        (parts, Some(top)) => {
            let figures = coverage::rollup_of(&view.alert, &view.registry, parts, top);
            (top, figures)
        }
        (_, None) => {
            let detail = format!(
                "alert {} touches several provinces of yours; name one with ?under=",
                view.alert.stream
            );
            return Err(Problem::new(&BAD_PARAMETER, detail));
        }
    };
    if Format::of(format, &headers) == Format::Csv {
        let name = format!("coverage-{}-{top}.csv", view.alert.stream);
        return Ok(file(&name, csv::regions(&figures)));
    }
    Ok(answer(&gate, &view, Coverage { under, figures }).into_response())
}

#[derive(Serialize)]
struct Channels {
    channels: Vec<ChannelLine>,
}

pub async fn channels(State(gate): State<Arc<Gate>>, view: View) -> impl IntoResponse {
    let channels = coverage::channels(&view.alert);
    answer(&gate, &view, Channels { channels })
}

#[derive(Serialize)]
struct Speakers {
    under: Vec<RegionCode>,
    speakers: Vec<SpeakerLine>,
}

pub async fn speakers(
    State(gate): State<Arc<Gate>>,
    view: View,
    Params(Under { under }): Params<Under>,
) -> Result<impl IntoResponse, Problem> {
    let under = view.scope(under)?;
    let speakers = coverage::speakers(&view.alert, &view.registry, &under);
    Ok(answer(&gate, &view, Speakers { under, speakers }))
}
