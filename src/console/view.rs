//! One alert as one officer may see it, and the region that a page speaks of. "No such alert" and "not yours" are one page,
//! said here alone. This module must not render figures.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::session::{Ends, Officer};
use super::{Handle, layout};
use crate::coverage::{self, HouseholdLine, Page, Rollup, VillageLine};
use crate::ledger::{Alert, Known};
use crate::live::beside;
use crate::model::RegionCode;
use crate::registry::Registry;
use crate::trust::Caller;

const NO_ALERT: Amiss =
    Amiss::Missing("没有这条预警，或不在您的辖区。 No such alert, or not yours.");
const NOT_READ: Amiss =
    Amiss::Away("归档的预警暂时读不出来。 The sealed alert cannot be read now; try again.");

pub struct View {
    pub caller: Caller,
    pub ends: Ends,
    pub known: Known,
    /// A sealed one is read back for the page.
    pub alert: Arc<Alert>,
    pub registry: Arc<Registry>,
}

impl FromRequestParts<Handle> for View {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Handle) -> Result<Self, Response> {
        let Officer(caller, ends) = Officer::from_request_parts(parts, desk).await?;
        let Ok(Path(params)) =
            Path::<HashMap<String, String>>::from_request_parts(parts, desk).await
        else {
            return Err(NO_ALERT.into_response());
        };
        let asked = params.get("id").and_then(|id| id.parse().ok());
        let found = asked.and_then(|stream| desk.console.ledger.known(stream));
        let known = found.filter(|known| coverage::sees(&caller, known.meta()));
        let known = known.ok_or_else(|| NO_ALERT.into_response())?;
        let whole = desk.console.archive.whole(&known).await;
        let alert = whole.map_err(|_| NOT_READ.into_response())?;
        let registry = desk.console.registry.read().clone();
        Ok(Self {
            caller,
            ends,
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

    /// The table of a region, or of the officer's parts of it. A county's takes a moment: it is made beside the
    /// connections, not among them.
    pub async fn rollup(&self, under: RegionCode) -> Rollup {
        let (alert, registry) = (self.alert.clone(), self.registry.clone());
        let parts = (!self.caller.covers(under)).then(|| self.home());
        beside(move || match parts {
            None => coverage::rollup(&alert, &registry, under),
            Some(parts) => coverage::rollup_of(&alert, &registry, &parts, under),
        })
        .await
    }

    /// The doors of a region, or of the officer's part of it.
    pub async fn doors(&self, under: RegionCode, page: Page) -> Vec<HouseholdLine> {
        let (alert, registry) = (self.alert.clone(), self.registry.clone());
        let scope = self.scope(under);
        beside(move || coverage::households(&alert, &registry, &scope, page)).await
    }

    /// The villages of a region, or of the officer's part of it, by who has been heard from.
    pub async fn villages(&self, under: RegionCode) -> Vec<VillageLine> {
        let (alert, registry) = (self.alert.clone(), self.registry.clone());
        let scope = self.scope(under);
        beside(move || coverage::village_lines(&alert, &registry, &scope)).await
    }

    /// The region, or the officer's parts of it.
    fn scope(&self, under: RegionCode) -> Vec<RegionCode> {
        let whole = self.caller.covers(under);
        if whole { vec![under] } else { self.home() }
    }

    /// The one region that a page speaks of: the one asked for, else the smallest that holds all of the officer's part.
    pub fn under(&self, asked: Option<RegionCode>) -> Result<RegionCode, Amiss> {
        let home = self.home();
        let top = coverage::common(&home);
        let under = asked.or(top).ok_or(Amiss::Missing(
            "这条预警不涉及您的辖区。 The alert names no region of yours.",
        ))?;
        let own = self.caller.covers(under) || (Some(under) == top && home.contains(&under));
        if own && coverage::touches(&self.alert.meta, under) {
            return Ok(under);
        }
        Err(Amiss::Missing(
            "该地区不在这条预警或您的辖区内。 This region is not the alert's or not yours.",
        ))
    }
}

/// The page of what cannot be shown.
#[derive(Clone, Copy)]
pub enum Amiss {
    /// It is not there, or not this officer's: one answer.
    Missing(&'static str),
    /// It is there and cannot be had now.
    Away(&'static str),
    /// It may be looked at, and this officer may not do it.
    Barred(&'static str),
}

impl IntoResponse for Amiss {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            Self::Missing(text) => (StatusCode::NOT_FOUND, "未找到 Not found", text),
            Self::Barred(text) => (StatusCode::FORBIDDEN, "无此权限 Not allowed", text),
            Self::Away(text) => (StatusCode::SERVICE_UNAVAILABLE, "暂不可用 Not now", text),
        };
        let body = html! {
            main.empty { p role="alert" { (text) } p { a href="/console" { "← 预警态势 Situation" } } }
        };
        (status, layout::bare(title, &body)).into_response()
    }
}
