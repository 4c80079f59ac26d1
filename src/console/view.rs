//! One alert as one officer may see it, and the region that a page speaks of. "No such alert" and "not yours" are one page,
//! said here alone. This module must not render figures.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::session::Officer;
use super::{Handle, layout};
use crate::coverage;
use crate::ledger::event::Accepted;
use crate::ledger::{Alert, Known};
use crate::model::RegionCode;
use crate::registry::Registry;
use crate::trust::Caller;

pub struct View {
    pub caller: Caller,
    pub known: Known,
    /// A sealed one is read back for the page.
    pub alert: Arc<Alert>,
    pub registry: Arc<Registry>,
}

/// Whether this officer may know of the alert.
pub fn sees(caller: &Caller, alert: &Accepted) -> bool {
    let own = |region: &RegionCode| coverage::touches(alert, *region);
    caller.id == alert.caller || caller.regions.iter().any(own)
}

/// The value of a path parameter; empty where the path has none.
pub async fn param(parts: &mut Parts, desk: &Handle, name: &str) -> String {
    let params = RawPathParams::from_request_parts(parts, desk).await;
    let value = params.ok().and_then(|params| {
        let found = params.iter().find(|(n, _)| *n == name)?;
        Some(found.1.to_owned())
    });
    value.unwrap_or_default()
}

impl FromRequestParts<Handle> for View {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Handle) -> Result<Self, Response> {
        let Officer(caller) = Officer::from_request_parts(parts, desk).await?;
        let id = param(parts, desk, "id").await;
        let found = id.parse().ok();
        let found = found.and_then(|stream| desk.console.ledger.known(stream));
        let known = found
            .filter(|known| sees(&caller, known.meta()))
            .ok_or_else(|| {
                Missing("没有这条预警，或不在您的辖区。 No such alert, or not yours.")
                    .into_response()
            })?;
        let alert = match &known {
            Known::Open(alert) => alert.clone(),
            Known::Sealed(card) => {
                let read = desk.console.archive.open(card.stream).await;
                read.map_err(|_| {
                    Missing(
                        "归档的预警暂时读不出来。 The sealed alert cannot be read now; try again.",
                    )
                    .into_response()
                })?
            }
        };
        let registry = desk.console.registry.read().clone();
        Ok(Self {
            caller,
            known,
            alert,
            registry,
        })
    }
}

impl View {
    /// The regions of the alert that are this officer's.
    pub fn home(&self) -> Vec<RegionCode> {
        coverage::home(&self.alert, &self.caller.regions)
    }

    /// The one region that a page speaks of: the one asked for, else the smallest that holds all of the officer's part.
    pub fn under(&self, asked: Option<RegionCode>) -> Result<RegionCode, Missing> {
        let home = self.home();
        let top = coverage::common(&home);
        let under = asked.or(top).ok_or(Missing(
            "这条预警不涉及您的辖区。 The alert names no region of yours.",
        ))?;
        let own = self.caller.covers(under) || (Some(under) == top && home.contains(&under));
        if own && coverage::touches(&self.alert.meta, under) {
            return Ok(under);
        }
        Err(Missing(
            "该地区不在这条预警或您的辖区内。 This region is not the alert's or not yours.",
        ))
    }
}

/// The page of what is not there, or not this officer's.
pub struct Missing(pub &'static str);

impl IntoResponse for Missing {
    fn into_response(self) -> Response {
        let body = html! {
            main.empty { p role="alert" { (self.0) } p { a href="/console" { "← 预警态势 Situation" } } }
        };
        let page = layout::bare("未找到 Not found", &body);
        (StatusCode::NOT_FOUND, page).into_response()
    }
}
