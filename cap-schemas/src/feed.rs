//! What is known of where a message comes from, beyond the message itself: it decides what has one reading and what a
//! message may cost. This module must not read anything.

use crate::limits::Limits;
use crate::model::Point;
use crate::profile::Profile;

/// A place that messages come from. The default knows nothing and assumes nothing.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Feed {
    /// The offset, in minutes, that its times mean where they leave it out.
    pub zone: Option<i16>,
    /// Where its country lies: the only way to see a latitude and longitude swapped within range.
    pub country: Option<Bounds>,
    /// Anyone reads it: a Private message has no place in it.
    pub public: bool,
    /// What its messages are held to beyond the standard.
    pub profile: Option<Profile>,
    pub limits: Limits,
}

/// A box of WGS 84 degrees. It does not cross the antimeridian.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bounds {
    pub south: f64,
    pub west: f64,
    pub north: f64,
    pub east: f64,
}

impl Bounds {
    pub fn holds(&self, point: Point) -> bool {
        (self.south..=self.north).contains(&point.lat)
            && (self.west..=self.east).contains(&point.lon)
    }

    /// The points lie in it only when latitude and longitude change places.
    pub(crate) fn swapped(&self, points: &[Point]) -> bool {
        let turned = |point: &Point| Point {
            lat: point.lon,
            lon: point.lat,
        };
        !points.iter().any(|point| self.holds(*point))
            && points.iter().all(|point| self.holds(turned(point)))
    }
}
