//! The reach curve (触达曲线): how many deliveries had which evidence by which minute after the release, of the whole alert.
//! From the counts that the fold keeps. This module must not count a household: a delivery is not a door.

use std::time::Duration;

use channel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ledger::{Alert, Risen};
use crate::model::shape;

/// Deliveries with this evidence or more, from the release to the end of a minute.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[schema(as = CurvePoint)]
pub struct Point {
    /// The release is the beginning of minute 0.
    pub minute: u32,
    /// When this minute ends.
    #[schema(schema_with = shape::moment)]
    pub until: String,
    /// 对方已受理: not yet reached.
    pub accepted: u32,
    /// 手机送达
    pub delivered: u32,
    /// 播出, proven by a speaker.
    pub played: u32,
    /// 本人确认
    pub confirmed: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Curve {
    /// When minute 0 begins; nothing before the release.
    #[schema(schema_with = shape::maybe_moment)]
    pub released: Option<String>,
    /// All that were written: what *accepted* is a part of.
    pub deliveries: u32,
    /// How many of them are orders for speakers: what *played* is a part of.
    pub speakers: u32,
    /// How they stand now.
    pub now: Point,
    /// The minutes in which anything changed.
    pub points: Vec<Point>,
}

pub fn curve(alert: &Alert, now: Timestamp) -> Curve {
    let zero = alert.released_at().unwrap_or(alert.at);
    let mut sum = Risen::default();
    let mut points = Vec::new();
    for (minute, risen) in alert.curve.minutes() {
        sum = sum.and(risen);
        points.push(point(zero, minute, sum));
    }
    let passed = u32::try_from(now.since(zero).as_secs() / 60).unwrap_or(u32::MAX);
    let blocks = alert.blocks();
    let warned = blocks.iter().filter(|b| b.audience.is_warned());
    let speakers = blocks.iter().filter(|block| block.speaker);
    // A far end may date its word later than this clock stands.
    let last = points.last().map_or(passed, |last| last.minute.max(passed));
    Curve {
        released: alert.released_at().map(|at| at.to_string()),
        deliveries: warned.map(|block| block.len()).sum(),
        speakers: speakers.map(|block| block.len()).sum(),
        now: point(zero, last, sum),
        points,
    }
}

fn point(zero: Timestamp, minute: u32, sum: Risen) -> Point {
    let end = Duration::from_mins(u64::from(minute) + 1);
    Point {
        minute,
        until: zero.plus(end).to_string(),
        accepted: sum.accepted,
        delivered: sum.delivered,
        played: sum.played,
        confirmed: sum.confirmed,
    }
}
