//! How values look in the API's document where their Rust type does not tell: words of a closed list, moments, region
//! codes. The lists come from the same functions that write the words. This module must not know a route.

use serde_json::{Value, json};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, schema};
use utoipa::{PartialSchema, ToSchema};

use super::RegionCode;

/// A shape that is written out.
///
/// # Panics
/// When it is none: its first test would end.
pub fn written(shape: Value) -> Schema {
    serde_json::from_value(shape).expect("a written shape is a schema")
}

pub fn one_of(words: &[&str]) -> Schema {
    written(json!({ "type": "string", "enum": words }))
}

/// RFC 3339 in UTC to the millisecond.
pub fn moment() -> Schema {
    written(
        json!({ "type": "string", "format": "date-time", "examples": ["2026-07-14T01:00:00.000Z"] }),
    )
}

pub fn moments() -> Schema {
    written(json!({ "type": "array", "items": { "type": "string", "format": "date-time" } }))
}

pub fn maybe_moment() -> Schema {
    written(json!({ "type": ["string", "null"], "format": "date-time" }))
}

/// A SHA-256 in hex.
pub fn hash() -> Schema {
    written(json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }))
}

/// A region in a query.
pub fn asked_region() -> Schema {
    written(json!({
        "type": "string",
        "description": "Only what lies in this region, by 2, 4, 6, 9 or 12 digits",
        "pattern": "^([1-9][1-9]|[1-9][1-9][0-9]{2}|[1-9][1-9][0-9]{4}|[1-9][1-9][0-9]{7}|[1-9][1-9][0-9]{10})$",
        "examples": ["510727"],
    }))
}

pub fn levels() -> Schema {
    one_of(&["red", "orange", "yellow", "blue", "unknown"])
}

pub fn evidence() -> Schema {
    one_of(&["none", "accepted", "delivered", "acknowledged"])
}

pub fn answers() -> Schema {
    one_of(&["reached", "missed", "unknown", "pending"])
}

pub fn region_levels() -> Schema {
    one_of(&["province", "city", "county", "town", "village"])
}

impl PartialSchema for RegionCode {
    fn schema() -> RefOr<schema::Schema> {
        let shape = json!({
            "type": "string",
            "description": "A node of the administrative tree (GB/T 2260, GB/T 10114)",
            "pattern": "^[1-9][1-9][0-9]{10}$",
            "examples": ["510727217201"],
        });
        written(shape).into()
    }
}

impl ToSchema for RegionCode {}
