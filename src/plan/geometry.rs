//! Shapes made ready for very many points. A ring is cut into bands of latitude, each with the edges that cross it, so
//! that a point meets a few edges instead of all; a circle is geodesic. Whoever crosses itself is read even-odd: what is
//! enclosed twice lies outside, which never widens (ADR 14). An edge goes the short way round, so the antimeridian is no
//! border. This module must not know what the points stand for.

mod circle;
mod ring;
#[cfg(test)]
mod tests;

use circle::Circle;
pub use circle::kilometres;
use ring::Ring;

/// Latitude and longitude in degrees.
pub type Point = (f64, f64);

/// Everything that one area draws.
#[derive(Debug, Default)]
pub struct Drawing {
    rings: Vec<Ring>,
    circles: Vec<Circle>,
    /// Circles of radius 0: where it happens, and nobody's home.
    pub places: u32,
}

impl Drawing {
    /// What an area draws, or why one of its shapes cannot be taken.
    pub fn of(area: &cap::Area) -> Result<Self, &'static str> {
        let mut drawing = Self::default();
        for polygon in &area.polygons {
            drawing.rings.push(Ring::of(&polygon.points)?);
        }
        for circle in &area.circles {
            if circle.radius > 0.0 {
                drawing.circles.push(Circle::of(circle));
            } else {
                drawing.places += 1;
            }
        }
        Ok(drawing)
    }

    /// Whether it encloses anything at all.
    pub fn is_empty(&self) -> bool {
        self.rings.is_empty() && self.circles.is_empty()
    }

    pub fn holds(&self, point: Point) -> bool {
        self.rings.iter().any(|ring| ring.holds(point))
            || self.circles.iter().any(|circle| circle.holds(point))
    }
}
