//! Whether a ring crosses itself. Bounded: a drawing too large to examine is not examined. This module must not repair.

use crate::model::Point;

/// Comparisons that one message may cost.
pub(crate) const BUDGET: usize = 5_000_000;

#[derive(Clone, Copy)]
struct Segment {
    from: Point,
    to: Point,
    index: usize,
}

impl Segment {
    fn west(&self) -> f64 {
        self.from.lon.min(self.to.lon)
    }

    fn east(&self) -> f64 {
        self.from.lon.max(self.to.lon)
    }

    fn apart(&self, other: &Self) -> bool {
        self.from.lat.max(self.to.lat) < other.from.lat.min(other.to.lat)
            || other.from.lat.max(other.to.lat) < self.from.lat.min(self.to.lat)
    }

    /// They cross in a point inside both; touching is not crossing.
    fn crosses(&self, other: &Self) -> bool {
        !self.apart(other)
            && side(self, other.from) * side(self, other.to) < 0.0
            && side(other, self.from) * side(other, self.to) < 0.0
    }
}

/// On which side of a segment a point lies: the sign tells, 0 is on its line.
fn side(segment: &Segment, point: Point) -> f64 {
    let (a, b) = (segment.from, segment.to);
    ((b.lon - a.lon) * (point.lat - a.lat) - (b.lat - a.lat) * (point.lon - a.lon)).signum0()
}

trait Sign {
    fn signum0(self) -> Self;
}

impl Sign for f64 {
    /// As `signum`, with 0 for 0: products of tiny numbers must not vanish.
    fn signum0(self) -> Self {
        if self == 0.0 { 0.0 } else { self.signum() }
    }
}

/// Whether two segments of a ring cross; `false` also where the budget ran out.
pub(crate) fn crosses_itself(ring: &[Point], budget: &mut usize) -> bool {
    let mut segments = segments(ring);
    segments.sort_by(|a, b| a.west().total_cmp(&b.west()));
    for (n, segment) in segments.iter().enumerate() {
        for other in segments[n + 1..]
            .iter()
            .take_while(|other| other.west() <= segment.east())
        {
            let Some(left) = budget.checked_sub(1) else {
                return false;
            };
            *budget = left;
            if segment.index.abs_diff(other.index) > 1 && segment.crosses(other) {
                return true;
            }
        }
    }
    false
}

/// The ring's segments, its longitudes unrolled so that the antimeridian is no jump.
fn segments(ring: &[Point]) -> Vec<Segment> {
    let mut turn = 0.0;
    let mut segments = Vec::with_capacity(ring.len());
    for (index, pair) in ring.windows(2).enumerate() {
        let from = Point {
            lon: pair[0].lon + turn,
            ..pair[0]
        };
        let step = pair[1].lon - pair[0].lon;
        if step.abs() > 180.0 {
            turn -= 360_f64.copysign(step);
        }
        segments.push(Segment {
            from,
            to: Point {
                lon: pair[1].lon + turn,
                ..pair[1]
            },
            index,
        });
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[(f64, f64)]) -> Vec<Point> {
        points
            .iter()
            .map(|&(lat, lon)| Point { lat, lon })
            .collect()
    }

    #[test]
    fn a_bow_tie_crosses_itself_and_a_square_does_not() {
        let mut budget = BUDGET;
        let square = [(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0), (0.0, 0.0)];
        let bow_tie = [(0.0, 0.0), (2.0, 2.0), (0.0, 2.0), (2.0, 0.0), (0.0, 0.0)];
        assert!(!crosses_itself(&ring(&square), &mut budget));
        assert!(crosses_itself(&ring(&bow_tie), &mut budget));
    }

    #[test]
    fn the_antimeridian_is_no_crossing() {
        let box_over_it = [
            (60.0, 179.0),
            (60.0, -179.0),
            (62.0, -179.0),
            (62.0, 179.0),
            (60.0, 179.0),
        ];
        assert!(!crosses_itself(&ring(&box_over_it), &mut BUDGET.clone()));
    }

    #[test]
    fn an_exhausted_budget_ends_the_examination() {
        let bow_tie = [(0.0, 0.0), (2.0, 2.0), (0.0, 2.0), (2.0, 0.0), (0.0, 0.0)];
        assert!(!crosses_itself(&ring(&bow_tie), &mut 0));
    }
}
