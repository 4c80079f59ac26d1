//! The tables as files. This module must not know a column: coverage does, for the API as well.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Handle;
use super::session::Place;
use super::tracking::{Under, holders};
use super::view::{Amiss, View};
use crate::coverage::{self, Page, Wanted, csv};
use crate::model::RegionCode;
use serde::Deserialize;

pub(super) fn file(name: &str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, bytes).into_response()
}

pub async fn coverage(view: View, Query(Under { under }): Query<Under>) -> Result<Response, Amiss> {
    let under = view.under(under)?;
    let rollup = view.rollup(under).await;
    let name = format!("coverage-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, csv::regions(&rollup)))
}

pub async fn stale(view: View, Query(Under { under }): Query<Under>) -> Result<Response, Amiss> {
    let under = view.under(under)?;
    let figures = holders(&view, under);
    let name = format!("stale-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, csv::stale(&figures)))
}

pub async fn villages(view: View, Query(Under { under }): Query<Under>) -> Result<Response, Amiss> {
    let under = view.under(under)?;
    let lines = view.villages(under).await;
    let name = format!("villages-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, csv::villages(&lines)))
}

#[derive(Deserialize)]
pub struct Doors {
    under: Option<RegionCode>,
    group: Option<u8>,
    answer: Option<String>,
}

/// It names doors, so that it left the house is in the journal first.
pub async fn households(
    State(desk): State<Handle>,
    view: View,
    place: Place,
    Query(params): Query<Doors>,
) -> Result<Response, Amiss> {
    let under = view.under(params.under)?;
    let Some(wanted) = Wanted::named(params.answer.as_deref().unwrap_or("all")) else {
        return Err(Amiss::Missing("没有这种答案。 No such answer."));
    };
    let page = Page {
        group: params.group,
        wanted,
        after: None,
        limit: usize::MAX,
    };
    let (entry, alert) = (&desk.console.entry, view.alert.stream);
    let noted = entry.export(&view.caller, alert, &place.0).await;
    noted.map_err(|refused| {
        tracing::warn!(alert, %refused, "a list was not exported");
        Amiss::Away("日志暂时不可写，名单未导出。 The journal takes nothing now, so no list leaves; try again.")
    })?;
    let mut lines = view.doors(under, page).await;
    coverage::doubt(&mut lines, &view.registry, &desk.console.ledger);
    let name = format!("households-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, csv::doors(&lines)))
}

pub async fn curve(State(desk): State<Handle>, view: View) -> Response {
    let curve = coverage::curve(&view.alert, desk.console.clock.now());
    file(
        &format!("curve-{}.csv", view.alert.stream),
        csv::curve(&curve),
    )
}
