//! The API's document (OpenAPI 3.1), made of the same lines as the routes: whoever adds a route describes it with
//! `#[utoipa::path]` and hands it to `routes!`, or it cannot be registered. `docs/openapi.json` is this document as it
//! stands; a test compares the two. This module must not describe what a handler does not do.

mod problems;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::json;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, Header, InfoBuilder, License, OpenApi, RefOr, Response, SecurityRequirement,
};
use utoipa::{IntoParams, PartialSchema as _, openapi};

use crate::model::shape::{one_of, written};

pub use problems::*;

/// The whole document, as it is served.
pub static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&document()).expect("a document serialises");
    text.push('\n');
    text.into()
});

const ABOUT: &str = "A multi-channel warning gateway: CAP in, every door reached, missed or honestly unknown. \
Times are RFC 3339 in UTC. Counts are whole numbers of what they are named by. Keys are stable, `_zh` texts are for people. \
Whatever cannot be done is answered as application/problem+json with a `type` from a closed list; \
`docs/api.md` tells all of it with examples.";

fn document() -> OpenApi {
    let mut document = super::described().into_openapi();
    let mut info = InfoBuilder::new()
        .title("Tocsin")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".into());
    info.license = Some(license);
    document.info = info;
    document.servers = Some(vec![openapi::Server::new("/")]);
    let token = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A bureau's token, of `tocsin token`. The roles of an operation are the scopes of which the bureau needs one.",
        ))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("token", SecurityScheme::Http(token));
    let feed = ApiKeyValue::with_description(
        "authorization",
        "A seismic feed's: `Tocsin-Feed NAME SIGNATURE`, the Ed25519 signature of the exact body in hex, by its pinned key.",
    );
    let feed = SecurityScheme::ApiKey(ApiKey::Header(feed));
    components.add_security_scheme("feed", feed);
    let apart = [
        ("Problem", RefOr::T(problems::shape())),
        ("Finding", RefOr::T(finding())),
        ("TableProblem", crate::registry::Problem::schema()),
    ];
    let apart = apart.map(|(name, shape)| (name.to_owned(), shape));
    components.schemas.extend(apart);
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        finish(&mut item);
        // The document has no word for "and everything behind it"; the parameter's description says so.
        document.paths.paths.insert(path.replace("{*", "{"), item);
    }
    document
}

/// What holds for every operation is said here once.
fn finish(item: &mut PathItem) {
    let operations = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    let names = operations
        .iter()
        .filter_map(|(_, o)| o.as_ref()?.operation_id.clone());
    let names: Vec<_> = names.collect();
    for (method, operation) in operations {
        let Some(operation) = operation else { continue };
        let shared = |id: &&mut String| names.iter().filter(|name| *name == *id).count() > 1;
        if let Some(id) = operation.operation_id.as_mut().filter(shared) {
            *id = format!("{id}_{method}");
        }
        for answer in operation.responses.responses.values_mut() {
            if let RefOr::T(answer) = answer {
                mark(answer);
            }
        }
        secure(operation);
    }
}

fn mark(answer: &mut Response) {
    let mut position = Header::new(written(json!({ "type": "integer", "minimum": 0 })));
    position.description = Some("The journal was at least this far.".into());
    answer.headers.insert("Tocsin-Position".into(), position);
}

/// Who says nothing about tokens asks for none, and says so.
fn secure(operation: &mut Operation) {
    let none = || vec![SecurityRequirement::default()];
    operation.security.get_or_insert_with(none);
}

/// What was found in a CAP document.
fn finding() -> Schema {
    written(json!({
        "type": "object",
        "required": ["rule", "level", "path", "position", "stops", "en", "zh"],
        "properties": {
            "rule": { "type": "string", "examples": ["CAP-1.2/alert/sent/format"] },
            "level": { "type": "string", "enum": ["error", "warning", "info"] },
            "path": { "type": "string", "examples": ["/alert/info[2]/area[1]/polygon[1]"] },
            "position": { "type": ["integer", "null"], "minimum": 0, "description": "Offset in bytes in the decoded text" },
            "stops": { "type": "boolean", "description": "The message stops here" },
            "en": { "type": "string" },
            "zh": { "type": "string" },
        },
    }))
}

pub fn findings() -> Schema {
    written(json!({ "type": "array", "items": { "$ref": "#/components/schemas/Finding" } }))
}

pub fn dispositions() -> Schema {
    one_of(&["accept", "accept-with-warnings", "quarantine"])
}

/// `{id}` of an alert.
pub fn alert_id() -> Parameter {
    let id = json!({ "type": "integer", "minimum": 1, "maximum": 9_007_199_254_740_991_u64, "examples": [1] });
    openapi::path::ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(openapi::Required::True)
        .description(Some("The alert's id, of its 202 or of the list"))
        .schema(Some(written(id)))
        .example(Some(json!(1)))
        .build()
}

impl IntoParams for super::caller::View {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![alert_id()]
    }
}

/// This document
///
/// OpenAPI 3.1. No token is asked for.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "gateway",
    responses((status = 200, description = "The document", body = Object), Plain),
)]
pub async fn served() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        DOCUMENT.clone(),
    )
}
