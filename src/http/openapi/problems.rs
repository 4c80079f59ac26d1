//! Which problems an operation may answer with, for the document. Each list is named, and an operation names one: a type
//! that it may meet and that is not on its list is an undocumented answer. This module must not make a problem.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use utoipa::IntoResponses;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Content, Header, RefOr, Response, ResponseBuilder};

use super::super::problem::{self, Kind};
use crate::model::shape::written;

macro_rules! may {
    ($($(#[$doc:meta])* $name:ident: $($under:ident)? [$($kind:ident),*];)+) => {$(
        $(#[$doc])*
        pub struct $name;

        impl $name {
            fn kinds() -> Vec<&'static Kind> {
                [vec![$(&problem::$kind),*], $($under::kinds())?].concat()
            }
        }

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                told(&Self::kinds())
            }
        }
    )+};
}

may! {
    /// No token, no parameter.
    Plain: [TIMED_OUT];
    /// The journal's store is asked.
    Standing: Plain [STORE_AWAY, DAMAGED];
    OfProblem: Plain [UNKNOWN_PROBLEM];
    /// A token with its scope.
    Reading: Plain [UNPROVEN, NO_SCOPE, TOO_MANY];
    Listing: Reading [BAD_PARAMETER];
    Clearing: Listing [STORE_AWAY];
    Coding: Clearing [UNKNOWN_CHANNEL, OUTSIDE_REGIONS, FAR_END];
    Believing: Reading [STORE_AWAY];
    /// One alert that the caller may see.
    OfAlert: Listing [UNKNOWN_ALERT, DAMAGED, STORE_AWAY];
    /// Its part in some regions.
    OfPart: OfAlert [UNKNOWN_REGION, OUTSIDE_REGIONS];
    OfLand: Listing [UNKNOWN_REGION, OUTSIDE_REGIONS];
    OfDoor: OfAlert [UNKNOWN_HOUSEHOLD];
    OfCourse: OfAlert [OUTSIDE_REGIONS];
    OfDelivery: OfAlert [UNKNOWN_DELIVERY, OUTSIDE_REGIONS];
    OfAttachment: OfAlert [UNKNOWN_DELIVERY];
    Reporting: OfAlert [UNKNOWN_DELIVERY, BAD_BODY, TOO_SLOW, TOO_LARGE, BAD_ENTRY, FILED];
    Submitting: Listing [BAD_BODY, TOO_SLOW, NOT_ALLOWED, OUTSIDE_REGIONS, CONFLICT, TOO_LARGE, UNREADABLE, NOWHERE, NOT_FILED, STORE_AWAY, DAMAGED];
    Deciding: Reading [BAD_BODY, TOO_SLOW, UNKNOWN_ALERT, NOT_ALLOWED, OUTSIDE_REGIONS, DECIDED, TOO_LARGE, STORE_AWAY, DAMAGED];
    /// The loudspeakers' controllers.
    OfDevices: Listing [OUTSIDE_REGIONS];
    OfOrder: Reading [UNKNOWN_ORDER];
    OfDevice: Reading [UNKNOWN_DEVICE, STORE_AWAY];
    Ordering: Reading [BAD_BODY, TOO_SLOW, TOO_LARGE, OUTSIDE_REGIONS, UNKNOWN_DEVICE, BAD_ORDER, STORE_AWAY];
    Repairing: Reading [BAD_BODY, TOO_SLOW, TOO_LARGE, UNKNOWN_DEVICE, BAD_ORDER, STORE_AWAY, DAMAGED];
    Mending: Reading [BAD_BODY, TOO_SLOW, TOO_LARGE, UNKNOWN_REPAIR, CLOSED, BAD_ORDER, STORE_AWAY, DAMAGED];
    RepairsListing: Listing [STORE_AWAY, DAMAGED];
    Stopping: Ordering [UNKNOWN_ALERT];
    /// The recording library.
    Recording: Listing [BAD_BODY, TOO_SLOW, TOO_LARGE, BAD_RECORDING, STORE_AWAY];
    OfRecording: Listing [UNKNOWN_RECORDING, STORE_AWAY, DAMAGED];
    Hearing: OfRecording [NOT_ALLOWED, DECIDED];
    /// A feed's reports on earthquakes, and what came of them.
    Relaying: Plain [BAD_BODY, UNPROVEN, NOT_ALLOWED, TOO_SLOW, TOO_LARGE, CONFLICT, BAD_REPORT, STORE_AWAY];
    OfQuake: Listing [OUTSIDE_REGIONS, UNKNOWN_QUAKE];
    Importing: Listing [BAD_BODY, TOO_SLOW, OUTSIDE_REGIONS, TOO_LARGE, UNFIT_TABLES, STORE_AWAY, DAMAGED];
}

fn told(kinds: &[&'static Kind]) -> BTreeMap<String, RefOr<Response>> {
    let statuses: BTreeSet<u16> = kinds.iter().map(|kind| kind.status).collect();
    let answer = |status: u16| {
        let own: BTreeSet<_> = kinds.iter().filter(|kind| kind.status == status).collect();
        let said: Vec<_> = own
            .iter()
            .map(|kind| format!("`{}`: {}", kind.slug, kind.title))
            .collect();
        let types: Vec<_> = own
            .iter()
            .map(|kind| format!("/problems/{}", kind.slug))
            .collect();
        let shape = json!({ "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            { "type": "object", "properties": { "type": { "type": "string", "enum": types } } },
        ]});
        let content = Content::new(Some(written(shape)));
        let mut answer = ResponseBuilder::new()
            .description(said.join("; "))
            .content("application/problem+json", content);
        if let Some((name, shape)) = header_of(status) {
            answer = answer.header(name, Header::new(shape));
        }
        (status.to_string(), answer.build().into())
    };
    statuses.into_iter().map(answer).collect()
}

fn header_of(status: u16) -> Option<(&'static str, Schema)> {
    match status {
        401 => Some(("WWW-Authenticate", written(json!({ "type": "string" })))),
        429 | 503 => Some((
            "Retry-After",
            written(json!({ "type": "integer", "minimum": 1 })),
        )),
        _ => None,
    }
}

/// What every problem has (RFC 9457).
pub fn shape() -> Schema {
    let types: Vec<_> = problem::KINDS
        .iter()
        .map(|kind| format!("/problems/{}", kind.slug))
        .collect();
    written(json!({
        "type": "object",
        "description": "RFC 9457. Some types have more members; docs/api.md lists them.",
        "required": ["type", "status", "title", "title_zh", "detail"],
        "properties": {
            "type": { "type": "string", "enum": types, "description": "Stable; a page stands at this address" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "title": { "type": "string" },
            "title_zh": { "type": "string" },
            "detail": { "type": "string", "description": "What was attempted, with which id, and what to do" },
            "codes": { "type": "array", "items": { "$ref": "#/components/schemas/RegionCode" } },
            "scope": { "type": "string" },
            "alert": { "type": "integer", "minimum": 1 },
            "findings": { "type": "array", "items": { "$ref": "#/components/schemas/Finding" } },
            "problems": { "type": "array", "items": { "$ref": "#/components/schemas/TableProblem" } },
            "types": { "type": "array", "items": { "type": "string" } },
        },
    }))
}
