//! An alert as every part of the gateway sees it: CAP 1.2's structure, whatever version it came in. Texts are trimmed
//! and never empty where they are optional. `Debug` shows what a log may show: no sender, contact, address or text.
//! This module must not read, check or repair.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::codes::{
    Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, Urgency, Version,
};
use crate::time::Time;

/// The language that CAP assumes where an info names none.
pub const DEFAULT_LANGUAGE: &str = "en-US";

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub version: Version,
    pub identifier: String,
    pub sender: String,
    pub sent: Time,
    pub status: Status,
    pub msg_type: MsgType,
    pub source: Option<String>,
    pub scope: Scope,
    pub restriction: Option<String>,
    pub addresses: Vec<String>,
    pub codes: Vec<String>,
    pub note: Option<String>,
    pub references: Vec<Reference>,
    pub incidents: Vec<String>,
    pub infos: Vec<Info>,
    /// It carries an XML signature; nothing is said here about whether it holds.
    pub signed: bool,
}

/// An earlier message, named by its identity. CAP 1.0 gives no `sent`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    pub sender: String,
    pub identifier: String,
    pub sent: Option<Time>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// RFC 3066 tag; `en-US` where the message names none.
    pub language: String,
    pub categories: Vec<Category>,
    pub event: String,
    pub response_types: Vec<ResponseType>,
    pub urgency: Urgency,
    pub severity: Severity,
    pub certainty: Certainty,
    pub audience: Option<String>,
    pub event_codes: Vec<Pair>,
    pub effective: Option<Time>,
    pub onset: Option<Time>,
    pub expires: Option<Time>,
    pub sender_name: Option<String>,
    pub headline: Option<String>,
    pub description: Option<String>,
    pub instruction: Option<String>,
    pub web: Option<String>,
    pub contact: Option<String>,
    pub parameters: Vec<Pair>,
    pub resources: Vec<Resource>,
    pub areas: Vec<Area>,
}

/// `valueName` and `value` of an eventCode, parameter or geocode.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Pair {
    pub name: String,
    pub value: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    pub desc: String,
    pub mime_type: Option<String>,
    /// Bytes, approximately.
    pub size: Option<u64>,
    pub uri: Option<String>,
    /// The content itself, in base64 as received.
    pub deref_uri: Option<String>,
    /// SHA-1 in hexadecimal.
    pub digest: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Area {
    pub desc: String,
    pub polygons: Vec<Polygon>,
    pub circles: Vec<Circle>,
    pub geocodes: Vec<Pair>,
    /// Feet above mean sea level, as CAP has it.
    pub altitude: Option<f64>,
    pub ceiling: Option<f64>,
    /// How many shapes were dropped as unreadable: the area is smaller here than its author drew it.
    pub dropped: u32,
}

/// WGS 84 degrees.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Point {
    pub lat: f64,
    pub lon: f64,
}

/// A closed ring: the first point is repeated as the last.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Polygon {
    pub points: Vec<Point>,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Circle {
    pub centre: Point,
    /// Kilometres; 0 names a point.
    pub radius: f64,
}

impl Info {
    /// From when it is in effect: its own word, else the alert's `sent`.
    pub fn effective_or(&self, sent: Time) -> Time {
        self.effective.unwrap_or(sent)
    }
}

impl Info {
    /// When it ends by its own word. One that ends in the moment it begins gives no lifetime at all.
    pub fn ends(&self) -> Option<Time> {
        self.expires
            .filter(|expires| self.onset.is_none_or(|onset| onset.unix != expires.unix))
    }
}

impl Polygon {
    pub fn is_closed(&self) -> bool {
        self.points.first() == self.points.last()
    }
}

impl fmt::Debug for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alert")
            .field("version", &self.version)
            .field("identifier", &self.identifier)
            .field("sent", &self.sent)
            .field("status", &self.status)
            .field("msg_type", &self.msg_type)
            .field("scope", &self.scope)
            .field("infos", &self.infos)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Info")
            .field("language", &self.language)
            .field("categories", &self.categories)
            .field("urgency", &self.urgency)
            .field("severity", &self.severity)
            .field("certainty", &self.certainty)
            .field("expires", &self.expires)
            .field("areas", &self.areas.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference")
            .field("identifier", &self.identifier)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("mime_type", &self.mime_type)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Polygon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polygon")
            .field("points", &self.points.len())
            .finish()
    }
}
