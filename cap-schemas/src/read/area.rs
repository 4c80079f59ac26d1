//! The area element and its shapes. A shape that can be understood in one way is repaired and reported; any other is
//! dropped, counted in its area and reported. An alert is never lost for its geometry.

use super::element::Element;
use super::info::Reading;
use super::structure;
use crate::limits;
use crate::model::{Area, Circle, Pair, Point, Polygon};
use crate::rules;

impl Reading<'_> {
    pub(super) fn area(&mut self, element: &Element<'_>) -> Area {
        structure::report(element, structure::AREA, self.findings);
        let mut area = Area {
            desc: element
                .required("areaDesc", &rules::AREA_DESC, self.findings)
                .unwrap_or_default(),
            polygons: Vec::new(),
            circles: Vec::new(),
            geocodes: self.geocodes(element),
            altitude: self.height(element, "altitude"),
            ceiling: self.height(element, "ceiling"),
            dropped: 0,
        };
        for child in element.children("polygon") {
            if child.is_blank() {
                self.findings.add(&rules::POLYGON_EMPTY, &child.place());
                continue;
            }
            match self.polygon(&child) {
                Some(polygon) => area.polygons.push(polygon),
                None => area.dropped += 1,
            }
        }
        for child in element.children("circle") {
            match self.circle(&child) {
                Some(circle) => area.circles.push(circle),
                None => area.dropped += 1,
            }
        }
        area
    }

    fn geocodes(&mut self, element: &Element<'_>) -> Vec<Pair> {
        let mut kept = Vec::new();
        for child in element.children("geocode") {
            let pair = self.pair(&child, &rules::GEOCODE_PAIR);
            if pair.value.is_empty() {
                self.findings.add(&rules::GEOCODE_EMPTY, &child.place());
            } else {
                kept.push(pair);
            }
        }
        kept
    }

    fn height(&mut self, element: &Element<'_>, name: &'static str) -> Option<f64> {
        let child = element.child(name)?;
        let height = decimal(&child.text());
        if height.is_none() {
            self.findings
                .quote(&rules::ALTITUDE_NUMBER, &child.place(), &child.text());
        }
        height
    }

    pub(super) fn polygon(&mut self, element: &Element<'_>) -> Option<Polygon> {
        let text = element.text();
        let mut points = Vec::new();
        let mut bad = None;
        for token in text
            .split([' ', '\t', '\r', '\n'])
            .filter(|token| !token.is_empty())
        {
            self.points += 1;
            if self.points > limits::POINTS {
                let most = format!("more than {} points", limits::POINTS);
                self.findings.quote(&rules::LIMIT, &element.place(), &most);
                return None;
            }
            match pair(token) {
                Some(point) => points.push(point),
                None => bad = bad.or(Some(token)),
            }
        }
        if let Some(token) = bad {
            self.findings
                .quote(&rules::POLYGON_FORMAT, &element.place(), token);
            if points.len() < 4 {
                return None;
            }
        }
        if !self.in_range(&mut points, element, &rules::POLYGON_RANGE) {
            return None;
        }
        if self.country.is_some_and(|country| country.swapped(&points)) {
            self.findings.add(&rules::POLYGON_SWAPPED, &element.place());
        }
        self.closed(points, element)
    }

    fn closed(&mut self, mut points: Vec<Point>, element: &Element<'_>) -> Option<Polygon> {
        if points.first() == points.last() {
            if points.len() >= 4 {
                return Some(Polygon { points });
            }
        } else if three_distinct(&points) {
            self.findings.add(&rules::POLYGON_CLOSED, &element.place());
            points.push(points[0]);
            return Some(Polygon { points });
        }
        self.findings.add(&rules::POLYGON_MIN, &element.place());
        None
    }

    pub(super) fn circle(&mut self, element: &Element<'_>) -> Option<Circle> {
        let text = element.text();
        let mut tokens = text
            .split([' ', '\t', '\r', '\n'])
            .filter(|token| !token.is_empty());
        let (centre, radius) = (
            tokens.next().and_then(pair),
            tokens.next().and_then(decimal),
        );
        let (Some(centre), Some(radius), None) = (
            centre,
            radius.filter(|radius| *radius >= 0.0),
            tokens.next(),
        ) else {
            self.findings
                .quote(&rules::CIRCLE_FORMAT, &element.place(), &text);
            return None;
        };
        let mut centre = [centre];
        if !self.in_range(&mut centre, element, &rules::CIRCLE_RANGE) {
            return None;
        }
        Some(Circle {
            centre: centre[0],
            radius,
        })
    }

    /// Brings points into range where one reading is possible: all of them swapped, or beyond the antimeridian.
    fn in_range(
        &mut self,
        points: &mut [Point],
        element: &Element<'_>,
        rule: &rules::Rule,
    ) -> bool {
        let beyond = |point: &Point| point.lat.abs() > 90.0;
        if points
            .iter()
            .all(|point| beyond(point) && point.lat.abs() <= 180.0 && point.lon.abs() <= 90.0)
        {
            self.findings
                .warn(rule, &element.place(), "longitude,latitude: swapped");
            for point in points {
                *point = Point {
                    lat: point.lon,
                    lon: point.lat,
                };
            }
            return true;
        }
        if points
            .iter()
            .any(|point| beyond(point) || point.lon.abs() > 360.0)
        {
            self.findings
                .quote(rule, &element.place(), "the shape was left out");
            return false;
        }
        if points.iter().any(|point| point.lon.abs() > 180.0) {
            self.findings.warn(
                rule,
                &element.place(),
                "a longitude beyond 180: taken modulo 360",
            );
            for point in points.iter_mut().filter(|point| point.lon.abs() > 180.0) {
                point.lon -= 360_f64.copysign(point.lon);
            }
        }
        true
    }
}

fn pair(token: &str) -> Option<Point> {
    let (lat, lon) = token.split_once(',')?;
    Some(Point {
        lat: decimal(lat)?,
        lon: decimal(lon)?,
    })
}

/// A decimal number as XML Schema has it: no exponent, no infinity.
fn decimal(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    text.parse()
        .ok()
        .filter(|number: &f64| plain && number.is_finite())
}

fn three_distinct(points: &[Point]) -> bool {
    let Some(first) = points.first() else {
        return false;
    };
    let Some(second) = points.iter().find(|point| *point != first) else {
        return false;
    };
    points.iter().any(|point| point != first && point != second)
}
