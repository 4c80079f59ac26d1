//! Who calls and what they may see, proved before a handler runs: a bearer token with its scope, then the alert behind
//! the caller's regions. "No such alert" and "not yours" are one answer, said here alone. This module must not answer
//! questions about an alert.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{BAD_PARAMETER, NO_SCOPE, Problem, UNKNOWN_REGION, UNPROVEN};
use super::{Gate, House};
use crate::coverage;
use crate::ledger::{Alert, Known, Unread};
use crate::model::{RegionCode, StreamId};
use crate::registry::Registry;
use crate::trust::{Caller, Scope};

/// A caller who may read.
pub struct Reader(pub Caller);

/// A caller who may submit.
pub struct Submitter(pub Caller);

/// A caller who may read what the registry holds in numbers, and replace it.
pub struct Keeper(pub Caller);

/// A caller who may bring recordings and vouch for another's.
pub struct Recorder(pub Caller);

/// A caller who may enrol and revoke devices, and order of them what carries no text.
pub struct Operator(pub Caller);

async fn prove(parts: &Parts, gate: &Gate, scope: Scope) -> Result<Caller, Problem> {
    let token = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(caller) = token.and_then(|token| gate.bureaus.prove(token)) else {
        let said = if token.is_some() {
            "the bearer token is not known"
        } else {
            "there is no bearer token"
        };
        let detail = format!(
            "{said}; send `Authorization: Bearer TOKEN` with the token that your bureau was given"
        );
        return Err(Problem::new(&UNPROVEN, detail));
    };
    if let Some(wait) = gate.limits.ask(&caller.id).await {
        return Err(Problem::too_many(&caller.id, wait));
    }
    if caller.may(scope) {
        return Ok(caller);
    }
    let name = match scope {
        Scope::Submit => "submit",
        Scope::Read => "read",
        Scope::Registry => "registry",
        Scope::Decide => "decide",
        Scope::Devices => "devices",
        Scope::Report => "report",
        Scope::Recordings => "recordings",
    };
    let detail = format!(
        "bureau {} does not have the scope `{name}`; have it added to the bureau's scopes",
        caller.id
    );
    Err(Problem::new(&NO_SCOPE, detail).with("scope", name))
}

impl FromRequestParts<House> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Problem> {
        prove(parts, &house.gate, Scope::Read).await.map(Self)
    }
}

impl FromRequestParts<House> for Submitter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Problem> {
        prove(parts, &house.gate, Scope::Submit).await.map(Self)
    }
}

impl FromRequestParts<House> for Keeper {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Problem> {
        prove(parts, &house.gate, Scope::Registry).await.map(Self)
    }
}

/// A caller who may decide, on an alert that they may know of: the path's `{id}`.
pub struct Decider {
    pub caller: Caller,
    pub stream: StreamId,
}

impl FromRequestParts<House> for Decider {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Problem> {
        let caller = prove(parts, &house.gate, Scope::Decide).await?;
        let known = seen(parts, house, &caller).await?;
        Ok(Self {
            caller,
            stream: known.stream(),
        })
    }
}

/// The path's `{id}`, if this caller may know of it and it is whole.
async fn seen(parts: &mut Parts, house: &House, caller: &Caller) -> Result<Known, Problem> {
    let id = param(parts, house, "id").await;
    let ledger = &house.gate.ledger;
    let found = id.parse().ok().and_then(|stream| ledger.known(stream));
    let known = found
        .filter(|known| coverage::sees(caller, known.meta()))
        .ok_or_else(|| Problem::unknown_alert(&id))?;
    match ledger.damage_of(known.stream()) {
        Some(why) => Err(Problem::damaged(known.stream(), &why)),
        None => Ok(known),
    }
}

impl FromRequestParts<House> for Recorder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Problem> {
        prove(parts, &house.gate, Scope::Recordings).await.map(Self)
    }
}

impl FromRequestParts<House> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Problem> {
        prove(parts, &house.gate, Scope::Devices).await.map(Self)
    }
}

/// One alert on which this caller may take down what others have done: the path's `{id}`.
pub struct Reporter(pub View);

impl FromRequestParts<House> for Reporter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Problem> {
        let caller = prove(parts, &house.gate, Scope::Report).await?;
        view(parts, house, caller).await.map(Self)
    }
}

/// One alert as one caller may see it: the path's `{id}`.
pub struct View {
    pub caller: Caller,
    pub known: Known,
    /// A sealed one is read back for the question.
    pub alert: Arc<Alert>,
    pub registry: Arc<Registry>,
}

impl FromRequestParts<House> for View {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Problem> {
        let caller = prove(parts, &house.gate, Scope::Read).await?;
        view(parts, house, caller).await
    }
}

async fn view(parts: &mut Parts, house: &House, caller: Caller) -> Result<View, Problem> {
    let known = seen(parts, house, &caller).await?;
    let whole = house.gate.archive.whole(&known).await;
    let alert = whole.map_err(|unread| match unread {
        Unread::Store(away) => Problem::from(away),
        Unread::Damaged(why) => Problem::damaged(known.stream(), &why),
    })?;
    Ok(View {
        caller,
        known,
        alert,
        registry: house.gate.registry(),
    })
}

impl View {
    /// The regions of the alert that are the caller's.
    pub fn home(&self) -> Result<Vec<RegionCode>, Problem> {
        let parts = coverage::home(&self.alert, &self.caller.regions);
        if parts.is_empty() {
            let detail = format!(
                "alert {} names no region of yours, so there is nothing to count",
                self.alert.stream
            );
            return Err(Problem::new(&UNKNOWN_REGION, detail));
        }
        Ok(parts)
    }

    /// The region that was asked for, if it may be seen; without one, all of the alert that is the caller's: their
    /// common region where the caller has the whole of it, each part where not.
    pub fn scope(&self, under: Option<RegionCode>) -> Result<Vec<RegionCode>, Problem> {
        let stream = self.alert.stream;
        if let Some(under) = under {
            if !self.caller.covers(under) {
                return Err(Problem::outside(
                    &format!("alert {stream}: under names"),
                    &[under],
                ));
            }
            if !coverage::touches(&self.alert.meta, under) {
                let detail = format!(
                    "alert {stream} does not speak of {under}; GET /v1/alerts/{stream} lists its regions"
                );
                return Err(Problem::new(&UNKNOWN_REGION, detail));
            }
            return Ok(vec![under]);
        }
        let parts = self.home()?;
        match coverage::common(&parts) {
            Some(top) if self.caller.covers(top) => Ok(vec![top]),
            _ => Ok(parts),
        }
    }
}

/// The value of a path parameter; empty where the path has none.
pub async fn param(parts: &mut Parts, house: &House, name: &str) -> String {
    let params = RawPathParams::from_request_parts(parts, house).await;
    let value = params.ok().and_then(|params| {
        let found = params.iter().find(|(n, _)| *n == name)?;
        Some(found.1.to_owned())
    });
    value.unwrap_or_default()
}

/// The query, whose names and values are all known.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<House> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &House) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(error) => Err(Problem::new(&BAD_PARAMETER, error.body_text())),
        }
    }
}
