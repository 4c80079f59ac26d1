//! The reach curve (触达曲线) as one picture: a line for each evidence, by minutes since the release, with its figure at its end.
//! Pure: SVG from counts. This module must not count and must not ask the ledger.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};

use super::Handle;
use super::bar::percent;
use super::view::View;
use crate::coverage::{self, Curve, Point};

/// One line: its class, its words, and which count it is.
struct Series {
    class: &'static str,
    zh: &'static str,
    en: &'static str,
    of: fn(&Point) -> u32,
    /// What it is a part of.
    whole: fn(&Curve) -> u32,
}

const SERIES: [Series; 4] = [
    Series {
        class: "accepted",
        zh: "对方已受理",
        en: "accepted",
        of: |point| point.accepted,
        whole: |curve| curve.deliveries,
    },
    Series {
        class: "delivered",
        zh: "手机送达",
        en: "delivered",
        of: |point| point.delivered,
        whole: |curve| curve.deliveries - curve.speakers,
    },
    Series {
        class: "played",
        zh: "播出",
        en: "played",
        of: |point| point.played,
        whole: |curve| curve.speakers,
    },
    Series {
        class: "confirmed",
        zh: "本人确认",
        en: "confirmed",
        of: |point| point.confirmed,
        whole: |curve| curve.deliveries - curve.speakers,
    },
];

const WIDTH: u32 = 960;
const HEIGHT: u32 = 260;
const LEFT: u32 = 70;
/// Room for the words at the ends of the lines.
const RIGHT: u32 = 290;
const TOP: u32 = 14;
const BOTTOM: u32 = 34;
/// Between two words, so that both can be read.
const APART: u32 = 17;
/// A curve is at least so many minutes wide.
const NARROW: u32 = 5;

/// The picture alone, for a page that is open.
pub async fn fragment(State(desk): State<Handle>, view: View) -> Html<String> {
    let now = desk.console.clock.now();
    Html(picture(&coverage::curve(&view.alert, now)).into_string())
}

pub fn picture(curve: &Curve) -> Markup {
    if curve.released.is_none() {
        return html! { p.hint { "尚未发布。 Not released yet." } };
    }
    let frame = Frame::of(curve);
    html! {
        svg.curve viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label="触达曲线 Reach curve" {
            title { (words(curve)) }
            (axes(&frame))
            @for series in &SERIES { path.(series.class) d=(frame.line(curve, series)) {} }
            (ends(&frame, curve))
        }
    }
}

/// Minutes and counts to the picture's units.
struct Frame {
    minutes: u32,
    most: u32,
}

impl Frame {
    fn of(curve: &Curve) -> Self {
        // What stands still for long is not drawn out: the last change, and a tenth more.
        let last = curve.points.last().map_or(0, |point| point.minute + 1);
        let shown = last + last / 10 + 1;
        Self {
            minutes: shown.min(curve.now.minute + 1).max(last).max(NARROW),
            most: curve.deliveries.max(1),
        }
    }

    fn x(&self, minutes: u32) -> u32 {
        LEFT + scaled(minutes, self.minutes, WIDTH - LEFT - RIGHT)
    }

    fn y(&self, count: u32) -> u32 {
        HEIGHT - BOTTOM - scaled(count, self.most, HEIGHT - TOP - BOTTOM)
    }

    /// From the release on; a minute's count stands at its end.
    fn line(&self, curve: &Curve, series: &Series) -> String {
        let mut path = format!("M{} {}", self.x(0), self.y(0));
        let mut last = 0;
        for point in &curve.points {
            // Nothing happened in between: the line lies flat until this minute begins.
            if point.minute > last {
                write!(path, "H{}", self.x(point.minute)).expect(TAKES);
            }
            last = point.minute + 1;
            let (x, y) = (self.x(last), self.y((series.of)(point)));
            write!(path, "L{x} {y}").expect(TAKES);
        }
        // Nobody knows the minutes to come.
        let known = curve.now.minute.saturating_add(1).min(self.minutes);
        write!(path, "H{}", self.x(known)).expect(TAKES);
        path
    }
}

const TAKES: &str = "a String takes everything";

fn scaled(part: u32, whole: u32, length: u32) -> u32 {
    let length = u64::from(part.min(whole)) * u64::from(length) / u64::from(whole.max(1));
    u32::try_from(length).expect("no longer than a length")
}

/// A step of 1, 2 or 5 times a power of ten (minutes: of what a clock has) that cuts this into at most six.
fn step(whole: u32, steps: &[u32]) -> u32 {
    let fits = steps.iter().find(|step| whole / **step <= 6);
    fits.copied().unwrap_or(whole.div_ceil(6))
}

const MINUTES: [u32; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
const COUNTS: [u32; 21] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
    200_000, 500_000, 1_000_000, 2_000_000, 5_000_000,
];

fn ticks(whole: u32, steps: &[u32]) -> impl Iterator<Item = u32> + use<> {
    let step = usize::try_from(step(whole, steps)).unwrap_or(usize::MAX);
    (0..=whole).step_by(step.max(1))
}

fn axes(frame: &Frame) -> Markup {
    let (left, right) = (LEFT, WIDTH - RIGHT);
    let bottom = HEIGHT - BOTTOM;
    html! {
        @for count in ticks(frame.most, &COUNTS) {
            line.grid x1=(left) x2=(right) y1=(frame.y(count)) y2=(frame.y(count)) {}
            text.count x=(left - 8) y=(frame.y(count) + 4) { (count) }
        }
        @for minute in ticks(frame.minutes, &MINUTES) {
            line.tick x1=(frame.x(minute)) x2=(frame.x(minute)) y1=(bottom) y2=(bottom + 5) {}
            text.minute x=(frame.x(minute)) y=(bottom + 19) { (minute) }
        }
        text.unit x=(right + 12) y=(bottom + 19) { "分钟 min" }
    }
}

/// The figures that stand now, each at the end of its line and none over another.
fn ends(frame: &Frame, curve: &Curve) -> Markup {
    let mut ends: Vec<(u32, u32, &Series)> = SERIES
        .iter()
        .map(|series| ((series.of)(&curve.now), series))
        .map(|(count, series)| (frame.y(count), count, series))
        .collect();
    ends.sort_by_key(|(y, ..)| *y);
    let mut free = TOP;
    for (y, ..) in &mut ends {
        *y = (*y).max(free);
        free = *y + APART;
    }
    let mut floor = HEIGHT - BOTTOM;
    for (y, ..) in ends.iter_mut().rev() {
        *y = (*y).min(floor);
        floor = y.saturating_sub(APART);
    }
    let x = WIDTH - RIGHT + 10;
    html! {
        @for (y, count, series) in ends {
            rect.(series.class) x=(x) y=(y - 5) width="10" height="10" {}
            text.end x=(x + 16) y=(y + 4) data-evidence=(series.class) {
                (series.zh) " " (series.en) " " tspan.figure { (count) } "/" ((series.whole)(curve)) " " (percent(count, (series.whole)(curve)))
            }
        }
    }
}

/// The same in words.
fn words(curve: &Curve) -> String {
    let now = &curve.now;
    let counts = SERIES
        .iter()
        .map(|series| format!("{} {}", series.zh, (series.of)(now)));
    let counts = counts.collect::<Vec<_>>().join(" · ");
    format!("共 {} 条: {counts}", curve.deliveries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(minute: u32, accepted: u32, delivered: u32) -> Point {
        Point {
            minute,
            accepted,
            delivered,
            ..Point::default()
        }
    }

    fn drawn(points: Vec<Point>, now: u32) -> (Frame, Curve) {
        let last = points.last().cloned().unwrap_or_default();
        let curve = Curve {
            released: Some("then".into()),
            deliveries: 100,
            speakers: 0,
            now: Point {
                minute: now,
                ..last
            },
            points,
        };
        (Frame::of(&curve), curve)
    }

    #[test]
    fn a_line_lies_flat_where_nothing_happened() {
        let (frame, curve) = drawn(vec![point(0, 10, 0), point(7, 50, 20)], 9);
        let line = frame.line(&curve, &SERIES[0]);
        let flat = format!("H{}L{} {}", frame.x(7), frame.x(8), frame.y(50));
        assert!(line.contains(&flat), "{line}");
        assert!(line.ends_with(&format!("H{}", frame.x(9))), "{line}");
    }

    #[test]
    fn no_figure_hides_another_or_leaves_the_picture() {
        for points in [vec![], vec![point(0, 100, 100)], vec![point(0, 1, 1)]] {
            let (frame, curve) = drawn(points, 3);
            let markup = ends(&frame, &curve).into_string();
            let places = markup.split("<text class=\"end\"").skip(1);
            let mut ys: Vec<u32> = places
                .filter_map(|text| {
                    let y = text.split(" y=\"").nth(1)?;
                    y.split('"').next()?.parse().ok()
                })
                .collect();
            ys.sort_unstable();
            assert_eq!(ys.len(), SERIES.len());
            assert!(
                ys.windows(2).all(|pair| pair[1] - pair[0] >= APART),
                "{ys:?}"
            );
            assert!(ys[0] >= TOP && ys[3] <= HEIGHT, "{ys:?}");
        }
    }

    #[test]
    fn an_axis_has_few_ticks_however_long_it_is() {
        for whole in [1, 5, 7, 90, 1_440, 2_881, 1_000_000, u32::MAX] {
            for steps in [&MINUTES[..], &COUNTS[..]] {
                let few = ticks(whole, steps).count();
                assert!((2..=8).contains(&few), "{whole}: {few}");
            }
        }
    }
}
