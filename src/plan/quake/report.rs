//! What a feed sends: one JSON object a report. `assumed`: no province's real form is known to us, so this shape is ours
//! until one is. This module must not believe a report whose numbers no earthquake has.

use channel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ledger::quakes::Status;

/// The event code of natural earthquakes (GB/T 35965.1), whose early warnings come from a feed alone.
pub const EVENT: &str = "11C02";

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The ground will shake, or shakes.
    Warning,
    /// It was none (取消).
    Cancel,
}

/// A report as a feed signs it. Times are milliseconds since 1970.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EarthquakeReport)]
pub struct Report {
    /// The shape's version: 1.
    #[schema(minimum = 1, maximum = 1)]
    pub v: u32,
    /// What the feed calls the earthquake: 1 to 64 letters, digits, dots, hyphens and underscores.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    pub event: String,
    /// They count up; the newest counts.
    #[schema(minimum = 1, maximum = 1000)]
    #[serde(rename = "report")]
    pub number: u32,
    pub status: Status,
    pub kind: Kind,
    #[schema(value_type = i64, minimum = 0)]
    pub sent: Timestamp,
    /// When the ground broke.
    #[schema(value_type = i64, minimum = 0)]
    pub origin: Timestamp,
    /// Of the epicentre, in degrees.
    #[schema(minimum = -90, maximum = 90)]
    pub latitude: f64,
    #[schema(minimum = -180, maximum = 180)]
    pub longitude: f64,
    /// In kilometres.
    #[schema(minimum = 0, maximum = 700)]
    pub depth: f64,
    #[schema(minimum = 0, maximum = 10)]
    pub magnitude: f64,
}

/// Why a report that its feed has signed is not relayed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    #[error(
        "line {0}, column {1}: it is not the JSON of a report; docs/earthquakes.md has its shape"
    )]
    NotJson(usize, usize),
    #[error("`{0}`: {1}")]
    Field(&'static str, &'static str),
}

/// A report is sent within so long of its origin, in milliseconds.
const LATEST: i64 = 10 * 60 * 1000;

impl Report {
    pub fn read(bytes: &[u8]) -> Result<Self, Unfit> {
        let report: Self = serde_json::from_slice(bytes)
            .map_err(|error| Unfit::NotJson(error.line(), error.column()))?;
        report
            .fault()
            .map_or(Ok(report), |(field, why)| Err(Unfit::Field(field, why)))
    }

    fn fault(&self) -> Option<(&'static str, &'static str)> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let named = (1..=64).contains(&self.event.len()) && self.event.bytes().all(plain);
        let wait = self.sent.0.saturating_sub(self.origin.0);
        let faults = [
            (self.v == 1, "v", "only version 1 is known"),
            (
                named,
                "event",
                "1 to 64 letters, digits, dots, hyphens and underscores",
            ),
            (
                (1..=1000).contains(&self.number),
                "report",
                "reports count from 1 to 1000",
            ),
            (
                (-90.0..=90.0).contains(&self.latitude),
                "latitude",
                "degrees, -90 to 90",
            ),
            (
                (-180.0..=180.0).contains(&self.longitude),
                "longitude",
                "degrees, -180 to 180",
            ),
            (
                (0.0..=700.0).contains(&self.depth),
                "depth",
                "kilometres, 0 to 700",
            ),
            (
                (0.0..=10.0).contains(&self.magnitude),
                "magnitude",
                "0 to 10",
            ),
            (self.sent.0 >= 0, "sent", "milliseconds since 1970"),
            (
                (0..=LATEST).contains(&wait),
                "origin",
                "at most ten minutes before `sent`, and not after it",
            ),
        ];
        faults
            .into_iter()
            .find(|(good, ..)| !good)
            .map(|(_, field, why)| (field, why))
    }

    pub fn epicentre(&self) -> (f64, f64) {
        (self.latitude, self.longitude)
    }
}
