//! An earthquake on a map: the epicentre, how far the shear wave is after each ten seconds, and every terminal by what it was
//! told, hollow where it said nothing. Pure: SVG from figures. This module must not estimate.

use maud::{Markup, html};

use super::super::map::{Frame, Outline, WIDTH};
use crate::coverage::{QuakeLine, QuakeTerminal};
use crate::ledger::quakes::Shown;

const KILOMETRES_A_DEGREE: f64 = 110.9;
/// Seconds after the origin at which the wave's place is drawn.
const RINGS: [f64; 6] = [5.0, 10.0, 15.0, 20.0, 30.0, 40.0];

pub fn picture(outline: &Outline, line: &QuakeLine, told: &[QuakeTerminal], speed: f64) -> Markup {
    let epicentre = (line.latitude, line.longitude);
    let land = outline.0.iter().flatten().copied();
    let points = told.iter().filter_map(|terminal| terminal.point);
    let points = points.map(|[lat, lon]| (lat, lon));
    let all = land.chain(points).chain([epicentre]);
    let Some(frame) = Frame::around(all) else {
        return html! {};
    };
    let (x, y) = frame.place(epicentre);
    let degree = y - frame.place((line.latitude + 1.0, line.longitude)).1;
    // The wave comes up from its depth: before it is at the surface there is no ring.
    let ring = |seconds: &f64| {
        let way = speed * seconds;
        let out = (way * way - line.depth_km * line.depth_km).max(0.0).sqrt();
        (out > 1.0).then(|| (*seconds, out / KILOMETRES_A_DEGREE * degree))
    };
    html! {
        svg.map viewBox=(format!("0 0 {WIDTH} {:.0}", frame.height)) role="img"
            aria-label="震中、横波与终端 Epicentre, shear wave and terminals" {
            path.land d=(frame.path(&outline.0)) fill-rule="evenodd" {}
            @for (seconds, radius) in RINGS.iter().filter_map(ring) {
                circle.wave cx=(format!("{x:.0}")) cy=(format!("{y:.0}")) r=(format!("{radius:.0}")) {}
                text.town x=(format!("{x:.0}")) y=(format!("{:.0}", y + radius - 4.0)) { (seconds) " s" }
            }
            @for terminal in told {
                @if let Some([lat, lon]) = terminal.point { (dot(terminal, frame.place((lat, lon)))) }
            }
            path.epicentre transform=(format!("translate({x:.1} {y:.1})")) d="M-9 0H9M0 -9V9M-6 -6L6 6M6 -6L-6 6" {}
        }
        p.note {
            "✳ 震中 epicentre · 圈：发震后各秒横波所到 rings: the shear wave so many seconds after the origin · "
            "实心：已回报 filled: it has said something · 空心：无回报 hollow: nothing · 方块：自动处置 squares: machines"
        }
    }
}

fn dot(terminal: &QuakeTerminal, (x, y): (f64, f64)) -> Markup {
    let class = match terminal.shown {
        Shown::Red => "terminal red",
        Shown::Orange => "terminal orange",
        Shown::Notice => "terminal notice",
        Shown::Machine => "terminal machine",
    };
    let class = if terminal.said.is_empty() {
        format!("{class} silent")
    } else {
        class.to_owned()
    };
    let words = format!(
        "{} {} {}",
        terminal.device, terminal.place, terminal.shown_zh
    );
    html! {
        @if terminal.shown == Shown::Machine {
            rect class=(class) x=(format!("{:.1}", x - 4.0)) y=(format!("{:.1}", y - 4.0)) width="8" height="8" { title { (words) } }
        } @else {
            circle class=(class) cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="3.5" { title { (words) } }
        }
    }
}
