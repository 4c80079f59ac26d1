//! The county on a map: its outline, its towns by name, and every village as a disc of its households at home, cut by
//! evidence. A village whose place nobody has recorded is listed beside the map, never left out. Pure: SVG from figures and
//! points. This module must not ask the ledger.

use std::fmt::Write as _;
use std::path::Path;

use maud::{Markup, html};
use serde::Deserialize;

use super::bar::{SHARES, fill, percent, reached, words};
use crate::live::VillageFigures;
use crate::model::RegionCode;

/// Rings of latitude and longitude.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outline(pub Vec<Vec<(f64, f64)>>);

#[derive(Debug, thiserror::Error)]
#[error(
    "the map {file} cannot be read: {why}; node.map names a GeoJSON Polygon or MultiPolygon in degrees"
)]
pub struct BadOutline {
    file: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Shape {
    Polygon {
        coordinates: Vec<Vec<[f64; 2]>>,
    },
    MultiPolygon {
        coordinates: Vec<Vec<Vec<[f64; 2]>>>,
    },
}

impl Outline {
    pub fn read(file: &Path) -> Result<Self, BadOutline> {
        let bad = |why: String| BadOutline {
            file: file.display().to_string(),
            why,
        };
        let text = std::fs::read_to_string(file).map_err(|e| bad(e.to_string()))?;
        Self::parse(&text).map_err(bad)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let shape: Shape = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let polygons = match shape {
            Shape::Polygon { coordinates } => vec![coordinates],
            Shape::MultiPolygon { coordinates } => coordinates,
        };
        let mut rings = Vec::new();
        for ring in polygons.into_iter().flatten() {
            let far = |p: &&[f64; 2]| !(p[0].abs() <= 180.0 && p[1].abs() <= 90.0);
            if let Some([lon, lat]) = ring.iter().find(far) {
                return Err(format!("{lon}, {lat} is no place on the globe"));
            }
            rings.push(ring.into_iter().map(|[lon, lat]| (lat, lon)).collect());
        }
        Ok(Self(rings))
    }
}

/// A village as the map shows it.
pub struct Spot {
    pub code: RegionCode,
    pub name: String,
    pub point: Option<(f64, f64)>,
    pub figures: VillageFigures,
}

pub struct Town {
    pub name: String,
    pub point: (f64, f64),
}

pub const WIDTH: f64 = 900.0;
const MARGIN: f64 = 24.0;
/// From so many villages on a disc is too small to be cut.
const MANY: usize = 600;

/// Degrees to the picture's units: plate carrée at the middle latitude, north up.
pub struct Frame {
    north: f64,
    west: f64,
    across: f64,
    down: f64,
    pub height: f64,
}

impl Frame {
    pub fn around(points: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let mut bounds: Option<[f64; 4]> = None;
        for (lat, lon) in points {
            let [s, n, w, e] = bounds.unwrap_or([lat, lat, lon, lon]);
            bounds = Some([s.min(lat), n.max(lat), w.min(lon), e.max(lon)]);
        }
        let [south, north, west, east] = bounds?;
        let narrow = f64::midpoint(south, north).to_radians().cos().max(0.1);
        let wide = ((east - west) * narrow).max(0.01);
        let scale = (WIDTH - 2.0 * MARGIN) / wide;
        // A county that is long and thin from north to south is not drawn taller than a screen.
        let scale = scale.min((WIDTH - 2.0 * MARGIN) / (north - south).max(0.01));
        Some(Self {
            north,
            west,
            across: scale * narrow,
            down: scale,
            height: (north - south) * scale + 2.0 * MARGIN,
        })
    }

    pub fn place(&self, (lat, lon): (f64, f64)) -> (f64, f64) {
        (
            MARGIN + (lon - self.west) * self.across,
            MARGIN + (self.north - lat) * self.down,
        )
    }

    pub fn path(&self, rings: &[Vec<(f64, f64)>]) -> String {
        let mut path = String::new();
        for ring in rings {
            let mut last = (f64::MIN, f64::MIN);
            for (n, point) in ring.iter().enumerate() {
                let (x, y) = self.place(*point);
                // What is nearer than a unit and a half is not seen.
                if n > 0 && (x - last.0).abs() + (y - last.1).abs() < 1.5 {
                    continue;
                }
                last = (x, y);
                let step = if n == 0 { 'M' } else { 'L' };
                write!(path, "{step}{x:.1} {y:.1}").expect("a String takes everything");
            }
            path.push('Z');
        }
        path
    }
}

/// The map of one alert; `link` leads from a village to its page.
pub fn map(
    outline: &Outline,
    towns: &[Town],
    villages: &[Spot],
    link: impl Fn(RegionCode) -> String,
) -> Markup {
    let land = outline.0.iter().flatten().copied();
    let spots = villages.iter().filter_map(|v| v.point);
    let Some(frame) = Frame::around(land.chain(spots)) else {
        return html! { p.hint { "台账没有村的坐标，无法绘图。 The registry has no points of villages." } };
    };
    let most = villages
        .iter()
        .map(|v| v.figures[0])
        .max()
        .unwrap_or(1)
        .max(1);
    let whole = villages.len() > MANY;
    let nowhere: Vec<&Spot> = villages.iter().filter(|v| v.point.is_none()).collect();
    html! {
        svg.map viewBox=(format!("0 0 {WIDTH} {:.0}", frame.height)) role="img" aria-label="按证据分村的态势图 Villages by evidence" {
            path.land d=(frame.path(&outline.0)) fill-rule="evenodd" {}
            @for village in villages {
                @if let Some(point) = village.point {
                    (disc(village, frame.place(point), radius(village.figures[0], most, villages.len()), whole, &link))
                }
            }
            @for town in towns {
                @let (x, y) = frame.place(town.point);
                text.town x=(format!("{x:.0}")) y=(format!("{y:.0}")) { (town.name) }
            }
        }
        @if !nowhere.is_empty() {
            p.hint { "没有坐标的村（不在图上）: Villages without a point: "
                @for village in nowhere { a href=(link(village.code)) { (village.name) } " " }
            }
        }
    }
}

/// By area, so that a village of twice the households looks twice as large.
fn radius(at_home: u32, most: u32, villages: usize) -> f64 {
    let largest = if villages > MANY { 5.0 } else { 13.0 };
    (f64::from(at_home) / f64::from(most)).sqrt() * largest + 3.0
}

fn disc(
    village: &Spot,
    (x, y): (f64, f64),
    radius: f64,
    whole: bool,
    link: impl Fn(RegionCode) -> String,
) -> Markup {
    let figures = &village.figures;
    let told = format!(
        "{}: {}（已触达 {}）",
        village.name,
        words(figures),
        percent(reached(figures), figures[0])
    );
    html! {
        a.village href=(link(village.code)) data-village=(village.code) data-radius=(format!("{radius:.1}"))
            transform=(format!("translate({x:.1} {y:.1})")) {
            title { (told) }
            circle.rim r=(format!("{radius:.1}")) {}
            @if whole {
                @let share = largest(figures);
                circle class=(share) r=(format!("{radius:.1}")) fill=[fill(share)] {}
            } @else {
                (slices(figures, radius))
            }
        }
    }
}

/// The class of the largest share; a tie goes to the one that is known least.
fn largest(figures: &VillageFigures) -> &'static str {
    SHARES
        .iter()
        .max_by_key(|share| figures[share.at])
        .map_or("pending", |share| share.class)
}

/// Slices as paths, clockwise from the top.
fn slices(figures: &VillageFigures, radius: f64) -> Markup {
    let whole = f64::from(figures[0].max(1));
    let mut before = 0.0;
    let cuts = SHARES
        .iter()
        .filter(|share| figures[share.at] > 0)
        .map(|share| {
            let from = before;
            before += f64::from(figures[share.at]) / whole;
            (share.class, from, before)
        });
    html! {
        @for (class, from, to) in cuts {
            @if to - from >= 1.0 {
                circle class=(class) r=(format!("{radius:.1}")) fill=[fill(class)] {}
            } @else {
                path class=(class) d=(slice(from, to, radius)) fill=[fill(class)] {}
            }
        }
    }
}

fn slice(from: f64, to: f64, radius: f64) -> String {
    let point = |share: f64| {
        let angle = share * std::f64::consts::TAU;
        (angle.sin() * radius, -angle.cos() * radius)
    };
    let ((x1, y1), (x2, y2)) = (point(from), point(to));
    let large = u8::from(to - from > 0.5);
    format!("M0 0L{x1:.1} {y1:.1}A{radius:.1} {radius:.1} 0 {large} 1 {x2:.1} {y2:.1}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: &str =
        r#"{"type":"Polygon","coordinates":[[[104,32],[105,32],[105,33],[104,33],[104,32]]]}"#;

    fn spot(code: &str, point: Option<(f64, f64)>, figures: VillageFigures) -> Spot {
        Spot {
            code: code.parse().expect("a code"),
            name: "平通·新桥村".into(),
            point,
            figures,
        }
    }

    fn drawn(villages: &[Spot]) -> String {
        let outline = Outline::parse(SQUARE).expect("a square");
        map(&outline, &[], villages, |code| format!("/{code}")).into_string()
    }

    #[test]
    fn every_village_is_on_the_map_or_listed_beside_it() {
        let villages = [
            spot("510727217201", Some((32.5, 104.5)), [4, 1, 1, 0, 1, 1, 0]),
            spot("510727217202", None, [4, 0, 0, 0, 4, 0, 0]),
        ];
        let svg = drawn(&villages);
        assert!(svg.contains("data-village=\"510727217201\""), "{svg}");
        assert!(svg.contains("href=\"/510727217202\""), "{svg}");
        assert!(
            svg.contains("url(#hatch)"),
            "the unknown household is hatched"
        );
    }

    #[test]
    fn north_is_up_and_a_point_stays_inside() {
        let frame = Frame::around([(32.0, 104.0), (33.0, 105.0)].into_iter()).expect("a frame");
        let (north, south) = (frame.place((33.0, 104.0)), frame.place((32.0, 105.0)));
        assert!(north.1 < south.1 && north.0 < south.0);
        assert!(south.1 <= frame.height && south.0 <= WIDTH);
    }

    #[test]
    fn a_bad_outline_says_why() {
        for (text, why) in [
            ("{}", "type"),
            (r#"{"type":"Point","coordinates":[1,2]}"#, "Point"),
            (
                r#"{"type":"Polygon","coordinates":[[[204,32]]]}"#,
                "no place",
            ),
        ] {
            let said = Outline::parse(text).expect_err(text);
            assert!(said.contains(why), "{said}");
        }
    }
}
