//! Rules of the area element.

use super::info::{acronyms, is_placeholder};
use crate::codes::Version;
use crate::finding::{Findings, Place};
use crate::geometry::crosses_itself;
use crate::model::{Area, Point, Polygon};
use crate::rules;

pub(super) fn check(
    area: &Area,
    version: Version,
    here: &Place,
    budget: &mut usize,
    findings: &mut Findings,
) {
    if area.desc.is_empty() {
        findings.add(&rules::AREA_DESC, &here.child("areaDesc"));
    } else if is_placeholder(&area.desc) {
        findings.add(&rules::PLACEHOLDER, &here.child("areaDesc"));
    }
    let shapes = area.polygons.len() + area.circles.len();
    if shapes == 0 && area.geocodes.is_empty() {
        findings.add(&rules::AREA_BARE, here);
    } else if shapes == 0 && version != Version::Gbt {
        findings.add(&rules::GEOCODE_SHAPE, here);
    }
    for (n, polygon) in area.polygons.iter().enumerate() {
        ring(polygon, &here.nth("polygon", n), budget, findings);
    }
    for (n, circle) in area.circles.iter().enumerate() {
        let place = here.nth("circle", n);
        if !on_earth(circle.centre) {
            findings.add(&rules::CIRCLE_RANGE, &place);
        }
        // A NaN is no radius either.
        if !(circle.radius >= 0.0 && circle.radius.is_finite()) {
            findings.add(&rules::CIRCLE_FORMAT, &place);
        } else if circle.radius == 0.0 {
            findings.add(&rules::CIRCLE_ZERO, &place);
        }
    }
    for (n, geocode) in area.geocodes.iter().enumerate() {
        let place = || here.nth("geocode", n);
        if geocode.name.eq_ignore_ascii_case("EXCLUDE_POLYGON") {
            findings.add(&rules::EXCLUDE_POLYGON, &place());
        } else if !is_known(&geocode.name) {
            findings.quote(&rules::GEOCODE_NAME, &place(), &geocode.name);
        }
    }
    acronyms("geocode", &area.geocodes, here, findings);
    match (area.altitude, area.ceiling) {
        (None, Some(_)) => findings.add(&rules::ALTITUDE_CEILING, &here.child("ceiling")),
        (Some(low), Some(high)) if high < low => {
            findings.add(&rules::CEILING_ORDER, &here.child("ceiling"));
        }
        _ => {}
    }
}

/// Code systems that are in use, as they are named; in part where versions follow.
const SYSTEMS: [&str; 27] = [
    "SAME",
    "UGC",
    "FIPS",
    "ZIP",
    "EMMA_ID",
    "NUTS",
    "WARNCELLID",
    "AREAID",
    "STATE",
    "CPEAS",
    "GB/T",
    "GEOCODE",
    "AREACODE",
    "ADCODE",
    "TAIWAN_GEOCODE",
    "PROFILE:CAP-CP:LOCATION",
    "LAYER:EC-MSC-SMC",
    "AMOC-AREACODE",
    "ISO3166",
    "ISO 3166",
    "LGD DISTRICT CODE",
    "TARGETAREACODE",
    "KZSTD",
    "AGS",
    "ARS",
    "INSEE",
    "行政区划",
];

fn is_known(name: &str) -> bool {
    let begins = |known: &str| {
        name.get(..known.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(known))
    };
    // An area without a name for its code is a fault of its own.
    name.is_empty() || SYSTEMS.iter().any(|known| begins(known)) || name.contains(":ISO3166")
}

fn ring(polygon: &Polygon, place: &Place, budget: &mut usize, findings: &mut Findings) {
    if polygon.points.len() < 4 {
        findings.add(&rules::POLYGON_MIN, place);
    }
    if !polygon.is_closed() {
        findings.add(&rules::POLYGON_CLOSED, place);
    }
    if !polygon.points.iter().all(|&point| on_earth(point)) {
        findings.add(&rules::POLYGON_RANGE, place);
    } else if crosses_itself(&polygon.points, budget) {
        findings.add(&rules::POLYGON_SIMPLE, place);
    }
}

fn on_earth(point: Point) -> bool {
    point.lat.abs() <= 90.0 && point.lon.abs() <= 180.0
}
