//! The tables as files. This module must not know a column: coverage does, for the API as well.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Handle;
use super::doors::scope;
use super::tracking::{Under, holders};
use super::view::{Missing, View};
use crate::coverage::{self, Page, Wanted, csv};
use crate::model::RegionCode;
use serde::Deserialize;

fn file(name: &str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, bytes).into_response()
}

pub async fn coverage(
    view: View,
    Query(Under { under }): Query<Under>,
) -> Result<Response, Missing> {
    let under = view.under(under)?;
    let rollup = if view.caller.covers(under) {
        coverage::rollup(&view.alert, &view.registry, under)
    } else {
        coverage::rollup_of(&view.alert, &view.registry, &view.home(), under)
    };
    let name = format!("coverage-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, csv::regions(&rollup)))
}

pub async fn stale(view: View, Query(Under { under }): Query<Under>) -> Result<Response, Missing> {
    let under = view.under(under)?;
    let scope = holders(&view, under);
    let figures = coverage::stale(&view.alert, &view.registry, &scope, under);
    let name = format!("stale-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, csv::stale(&figures)))
}

#[derive(Deserialize)]
pub struct Doors {
    under: Option<RegionCode>,
    group: Option<u8>,
    answer: Option<String>,
}

pub async fn households(
    State(_): State<Handle>,
    view: View,
    Query(params): Query<Doors>,
) -> Result<Response, Missing> {
    let under = view.under(params.under)?;
    let Some(wanted) = Wanted::named(params.answer.as_deref().unwrap_or("all")) else {
        return Err(Missing("没有这种答案。 No such answer."));
    };
    let page = Page {
        group: params.group,
        wanted,
        after: None,
        limit: usize::MAX,
    };
    let lines = coverage::households(&view.alert, &view.registry, &scope(&view, under), page);
    let name = format!("households-{}-{under}.csv", view.alert.stream);
    Ok(file(&name, csv::doors(&lines)))
}
