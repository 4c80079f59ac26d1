//! A million points against a drawn area: how many homes a polygon of 200 corners finds, and how long it takes; against
//! every edge for every point beside it. This module must not choose points that are easy.

use channel::{Clock, SystemClock};

use super::median;
use super::table::Table;
use crate::plan::geometry::{Drawing, Point};

const CORNERS: u32 = 200;

/// A ragged outline around the middle of the points; about a tenth of them lie inside.
fn outline(random: &mut fastrand::Rng) -> Vec<Point> {
    let corner = |n: u32| {
        let angle = std::f64::consts::TAU * f64::from(n) / f64::from(CORNERS);
        let reach = 0.55 + 0.35 * random.f64();
        (32.0 + reach * angle.sin(), 104.0 + reach * angle.cos())
    };
    (0..CORNERS).map(corner).collect()
}

fn area(outline: &[Point]) -> cap::Area {
    let points = outline.iter().map(|&(lat, lon)| cap::Point { lat, lon });
    cap::Area {
        desc: "bench".into(),
        polygons: vec![cap::Polygon {
            points: points.collect(),
        }],
        circles: Vec::new(),
        geocodes: Vec::new(),
        altitude: None,
        ceiling: None,
        dropped: 0,
    }
}

fn every_edge(outline: &[Point], (lat, lon): Point) -> bool {
    let mut inside = false;
    for (a, b) in outline.iter().zip(outline.iter().cycle().skip(1)) {
        if (a.0 > lat) != (b.0 > lat) {
            inside ^= lon < (b.1 - a.1) * (lat - a.0) / (b.0 - a.0) + a.1;
        }
    }
    inside
}

pub fn run(table: &mut Table, points: usize, runs: usize) {
    tell!("{points} points against a polygon of {CORNERS} corners, {runs} runs");
    let mut random = fastrand::Rng::with_seed(727);
    let outline = outline(&mut random);
    let points: Vec<Point> = (0..points)
        .map(|_| (30.0 + 4.0 * random.f64(), 102.0 + 4.0 * random.f64()))
        .collect();
    let clock = SystemClock::default();
    let measured = |work: &dyn Fn() -> usize| {
        let start = clock.tick();
        let found = work();
        (
            found,
            clock.tick().saturating_sub(start).as_secs_f64() * 1000.0,
        )
    };
    let prepared = || {
        let drawing = Drawing::of(&area(&outline)).expect("a plain ring");
        points.iter().filter(|point| drawing.holds(**point)).count()
    };
    let took = (0..runs.max(1)).map(|_| measured(&prepared));
    let (found, took): (Vec<_>, Vec<_>) = took.unzip();
    let naive = measured(&|| {
        let inside = points.iter().filter(|point| every_edge(&outline, **point));
        inside.count()
    });
    let same = found.iter().all(|found| *found == naive.0);
    let took = median(took);
    let what = format!(
        "{} points × {CORNERS} corners, {} inside",
        points.len(),
        naive.0
    );
    table.row(what, format!("{took:.1} ms"), "50 ms", took < 50.0 && same);
    table.told("the same, every edge", format!("{:.0} ms", naive.1));
}
