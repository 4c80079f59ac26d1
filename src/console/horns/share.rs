//! The share of each town's loudspeakers that is there, as a picture: the worst town first, always with its figures. This
//! module must not use a warning's colour.

use maud::{Markup, html};

use crate::console::bar::{fill, percent};
use crate::coverage::horns::Horn;
use crate::coverage::shares::{self, Share};
use crate::registry::Registry;

const BAR: u32 = 420;
const LEFT: u32 = 150;
const ROW: u32 = 22;
const WIDTH: u32 = LEFT + BAR + 190;

/// The class that a colour hangs on, its words, and how many.
type Part = (&'static str, &'static str, u32);

fn parts(share: &Share) -> [Part; 4] {
    [
        ("confirmed", "在线", share.there),
        ("pending", "故障", share.fault),
        ("unknown", "从未上线", share.never),
        ("missed", "失联", share.silent),
    ]
}

pub fn shares(registry: &Registry, all: &[Horn]) -> Markup {
    let shares = shares::shares(all);
    let height = u32::try_from(shares.len()).unwrap_or(0) * ROW;
    html! {
        svg.towns viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label="各乡镇在线率 share online by town" {
            @for (nth, share) in (0_u32..).zip(&shares) { (row(registry, share, nth * ROW)) }
        }
        ul.legend { @for (class, zh) in [("confirmed", "在线 there"), ("pending", "故障 fault"), ("unknown", "从未上线 never"), ("missed", "失联 silent")] {
            li {
                svg width="16" height="12" aria-hidden="true" { rect class=(class) width="16" height="12" fill=[fill(class)] {} }
                (zh)
            }
        } }
    }
}

fn row(registry: &Registry, share: &Share, y: u32) -> Markup {
    let mut x = LEFT;
    let parts = parts(share).map(|(class, zh, count)| {
        let from = x;
        x += scaled(count, share.speakers);
        (class, zh, count, from, x - from)
    });
    let text = y + ROW - 7;
    html! {
        a href=(format!("/console/horns?under={}", share.town)) {
            text.name x=(LEFT - 8) y=(text) { (registry.full_name(share.town)) }
            @for (class, zh, count, from, width) in parts {
                rect class=(class) x=(from) y=(y + 3) width=(width) height=(ROW - 6) fill=[fill(class)] { title { (zh) " " (count) } }
            }
            text x=(LEFT + BAR + 8) y=(text) { (percent(share.there, share.speakers)) " " (share.there) "/" (share.speakers) }
        }
    }
}

fn scaled(count: u32, whole: u32) -> u32 {
    u32::try_from(u64::from(count) * u64::from(BAR) / u64::from(whole.max(1))).unwrap_or(BAR)
}
