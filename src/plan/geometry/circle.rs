//! One circle on the globe, WGS 84. Distances are Lambert's for long lines: a few metres wrong at most over thousands of
//! kilometres, where a sphere is wrong by half a percent. This module must not know radius 0: that is no circle.

use super::Point;

/// WGS 84: equatorial radius in kilometres, and flattening.
const RADIUS: f64 = 6378.137;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// The shortest degree of latitude, in kilometres.
const DEGREE: f64 = 110.57;

#[derive(Debug)]
pub struct Circle {
    centre: Point,
    radius: f64,
}

impl Circle {
    pub fn of(circle: &cap::Circle) -> Self {
        Self {
            centre: (circle.centre.lat, circle.centre.lon),
            radius: circle.radius,
        }
    }

    pub fn holds(&self, point: Point) -> bool {
        (point.0 - self.centre.0).abs() * DEGREE <= self.radius
            && kilometres(self.centre, point) <= self.radius
    }
}

/// The geodesic distance.
pub fn kilometres(a: Point, b: Point) -> f64 {
    let reduced = |lat: f64| ((1.0 - FLATTENING) * lat.to_radians().tan()).atan();
    let (one, two) = (reduced(a.0), reduced(b.0));
    let half = (b.1 - a.1).to_radians() / 2.0;
    let (mean, apart) = (f64::midpoint(one, two), (two - one) / 2.0);
    let chord = apart.sin().powi(2) + one.cos() * two.cos() * half.sin().powi(2);
    let angle = 2.0 * chord.sqrt().min(1.0).asin();
    let (near, far) = ((angle / 2.0).sin().powi(2), (angle / 2.0).cos().powi(2));
    // The same place, or its antipode, where the correction has no value.
    if near < 1e-20 || far < 1e-9 {
        return RADIUS * angle;
    }
    let x = (angle - angle.sin()) * (mean.sin() * apart.cos()).powi(2) / far;
    let y = (angle + angle.sin()) * (mean.cos() * apart.sin()).powi(2) / near;
    RADIUS * (angle - FLATTENING / 2.0 * (x + y))
}
