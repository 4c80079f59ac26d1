//! The shapes against the naive method and against distances that others measured.

use proptest::prelude::*;

use super::circle::kilometres;
use super::{Drawing, Point};

fn polygon(points: &[Point]) -> cap::Polygon {
    let points = points.iter().map(|&(lat, lon)| cap::Point { lat, lon });
    cap::Polygon {
        points: points.collect(),
    }
}

fn area(polygons: &[&[Point]], circles: &[(f64, f64, f64)]) -> cap::Area {
    let circle = |&(lat, lon, radius): &(f64, f64, f64)| cap::Circle {
        centre: cap::Point { lat, lon },
        radius,
    };
    cap::Area {
        desc: "here".into(),
        polygons: polygons.iter().map(|p| polygon(p)).collect(),
        circles: circles.iter().map(circle).collect(),
        geocodes: Vec::new(),
        altitude: None,
        ceiling: None,
        dropped: 0,
    }
}

fn drawn(points: &[Point]) -> Drawing {
    Drawing::of(&area(&[points], &[])).expect("it can be drawn")
}

/// Ray casting over every edge, from the lower end of each.
fn naive(ring: &[Point], (lat, lon): Point) -> bool {
    let mut inside = false;
    for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let (low, high) = if a.0 <= b.0 { (a, b) } else { (b, a) };
        if low.0 <= lat && lat < high.0 {
            let slope = (high.1 - low.1) / (high.0 - low.0);
            inside ^= lon < (lat - low.0) * slope + low.1;
        }
    }
    inside
}

fn on_an_edge(ring: &[Point], (lat, lon): Point) -> bool {
    let mut edges = ring.iter().zip(ring.iter().cycle().skip(1));
    edges.any(|(a, b)| ((b.1 - a.1) * (lat - a.0) - (lon - a.1) * (b.0 - a.0)).abs() < 1e-9)
}

/// Coordinates on a lattice too, where points lie on edges and corners.
fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![(-40_i8..40).prop_map(f64::from), -40.0..40.0]
}

fn place() -> impl Strategy<Value = Point> {
    (coordinate(), coordinate())
}

proptest! {
    #[test]
    fn bands_and_the_naive_method_agree_on_every_point(
        ring in prop::collection::vec(place(), 3..60),
        points in prop::collection::vec(place(), 1..200),
    ) {
        let drawing = drawn(&ring);
        for point in points.into_iter().chain(ring.iter().copied()) {
            prop_assert_eq!(drawing.holds(point), naive(&ring, point), "{:?}", point);
        }
    }

    #[test]
    fn a_ring_that_is_moved_over_the_antimeridian_holds_the_same(
        ring in prop::collection::vec(place(), 3..20),
        points in prop::collection::vec(place(), 1..40),
    ) {
        // Whole degrees: moving them by 180 changes no bit of a difference. A point on an edge may fall either way.
        let whole = |p: &Point| (p.0.round(), p.1.round());
        let over = |p: &Point| (p.0, if p.1 < 0.0 { p.1 + 180.0 } else { p.1 - 180.0 });
        let ring: Vec<Point> = ring.iter().map(whole).collect();
        let moved: Vec<Point> = ring.iter().map(over).collect();
        let (here, there) = (drawn(&ring), drawn(&moved));
        let aside = points.iter().map(whole).map(|p| (p.0 + 0.5, p.1 + 0.25));
        for point in aside.filter(|point| !on_an_edge(&ring, *point)) {
            prop_assert_eq!(here.holds(point), there.holds(over(&point)), "{:?}", point);
        }
    }
}

#[test]
fn a_ring_holds_what_lies_inside_it_closed_or_not() {
    let open = [(0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (10.0, 0.0)];
    let closed = [open[0], open[1], open[2], open[3], open[0]];
    for ring in [&open[..], &closed] {
        let drawing = drawn(ring);
        assert!(drawing.holds((5.0, 5.0)));
        assert!(!drawing.holds((5.0, 11.0)));
        assert!(!drawing.holds((-1.0, 5.0)));
    }
}

#[test]
fn what_a_ring_encloses_twice_lies_outside() {
    // A square run around a second, smaller one inside it, in the same sense.
    let twice = [
        (0.0, 0.0),
        (0.0, 10.0),
        (10.0, 10.0),
        (10.0, 0.0),
        (0.0, 0.0),
        (2.0, 2.0),
        (2.0, 8.0),
        (8.0, 8.0),
        (8.0, 2.0),
        (2.0, 2.0),
        (0.0, 0.0),
    ];
    let drawing = drawn(&twice);
    assert!(drawing.holds((1.0, 5.0)));
    assert!(!drawing.holds((5.0, 5.0)), "even-odd");
    let bow = drawn(&[(0.0, 0.0), (10.0, 10.0), (0.0, 10.0), (10.0, 0.0)]);
    assert!(bow.holds((2.0, 5.0)) || bow.holds((5.0, 2.0)));
    assert!(!bow.holds((5.0, 20.0)));
}

#[test]
fn a_ring_without_an_inside_holds_nobody() {
    let line = drawn(&[(0.0, 0.0), (5.0, 5.0), (10.0, 10.0), (0.0, 0.0)]);
    let flat = drawn(&[(3.0, 0.0), (3.0, 5.0), (3.0, 9.0), (3.0, 0.0)]);
    for point in [(5.0, 5.0), (3.0, 4.0), (2.0, 3.0)] {
        assert!(!flat.holds(point), "{point:?}");
    }
    assert!(!line.holds((2.0, 3.0)) && !line.holds((7.0, 6.0)));
}

#[test]
fn a_ring_around_a_pole_is_refused() {
    let around = [(80.0, 0.0), (80.0, 120.0), (80.0, -120.0), (80.0, 0.0)];
    let refused = Drawing::of(&area(&[&around], &[])).expect_err("no inside");
    assert!(refused.contains("pole"), "{refused}");
}

#[test]
fn a_hundred_thousand_points_zigzagging_over_the_whole_height_are_laid_out_small() {
    let mut zigzag: Vec<Point> = (0..100_000)
        .map(|n| (if n % 2 == 0 { 0.0 } else { 10.0 }, f64::from(n) / 1e4))
        .collect();
    zigzag.push((-1.0, 10.0));
    zigzag.push((-1.0, 0.0));
    let drawing = drawn(&zigzag);
    for point in [(5.0, 3.333_33), (-0.5, 5.0), (9.999, 0.000_05)] {
        assert_eq!(drawing.holds(point), naive(&zigzag, point), "{point:?}");
    }
}

#[test]
fn distances_are_those_of_the_ellipsoid() {
    // Vincenty's own example on this ellipsoid's neighbour, and whole degrees of WGS 84.
    let near = |a, b, want: f64| {
        let km = kilometres(a, b);
        assert!((km - want).abs() < 0.02, "{a:?} {b:?}: {km}, not {want}");
    };
    near((32.0, 104.0), (33.0, 104.0), 110.904);
    near((0.0, 0.0), (0.0, 1.0), 111.319);
    near((40.0, 116.0), (40.0, 117.0), 85.394);
    near((50.0, -0.01), (50.0, 0.01), 1.434);
    assert!(kilometres((32.0, 104.0), (32.0, 104.0)).abs() < 1e-9);
}

#[test]
fn a_circle_is_measured_on_the_globe_and_over_the_antimeridian() {
    let circle = Drawing::of(&area(&[], &[(60.0, 179.9, 20.0)])).expect("a circle");
    assert!(circle.holds((60.0, -179.9)), "11 km away");
    assert!(!circle.holds((60.0, -179.0)), "61 km away");
    // A box of 20 km would hold this corner.
    assert!(!circle.holds((60.17, 179.56)));
}

#[test]
fn a_circle_of_radius_zero_is_a_place_and_not_an_area() {
    let place = Drawing::of(&area(&[], &[(32.0, 104.0, 0.0)])).expect("a place");
    assert!(place.is_empty() && place.places == 1);
}
