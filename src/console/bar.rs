//! How evidence is drawn: dark green confirmed, light green delivered or played, grey pending, black missed, hatched
//! unknown; always with a figure beside it. Warning colours are never used here. This module must not know an alert.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::live::VillageFigures;

/// One share of the households at home: the class that its colour hangs on, its words, its place in the bundle.
pub struct Share {
    pub class: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    pub at: usize,
}

/// From the best known to the least.
pub const SHARES: [Share; 6] = [
    Share {
        class: "confirmed",
        zh: "本人确认",
        en: "confirmed",
        at: 1,
    },
    Share {
        class: "delivered",
        zh: "手机送达",
        en: "delivered",
        at: 2,
    },
    Share {
        class: "played",
        zh: "播出",
        en: "played",
        at: 3,
    },
    Share {
        class: "pending",
        zh: "发送中",
        en: "pending",
        at: 6,
    },
    Share {
        class: "unknown",
        zh: "情况不明",
        en: "unknown",
        at: 5,
    },
    Share {
        class: "missed",
        zh: "未触达",
        en: "missed",
        at: 4,
    },
];

pub const fn reached(figures: &VillageFigures) -> u32 {
    figures[1] + figures[2] + figures[3]
}

/// In whole percent, never rounded up to 100 and never down to 0 where there is somebody.
pub fn percent(part: u32, whole: u32) -> String {
    if whole == 0 {
        return "–".into();
    }
    let tenths = u64::from(part) * 1000 / u64::from(whole);
    let tenths = if part > 0 { tenths.max(1) } else { 0 };
    format!("{}.{}%", tenths / 10, tenths % 10)
}

pub fn fill(class: &str) -> Option<&'static str> {
    (class == "unknown").then_some("url(#hatch)")
}

const WIDTH: u32 = 240;

/// A stacked bar of the households at home.
pub fn bar(figures: &VillageFigures) -> Markup {
    let whole = figures[0].max(1);
    let mut before = 0;
    let parts = SHARES.iter().map(|share| {
        let count = figures[share.at];
        let x = scaled(before, whole);
        before += count;
        (share, x, scaled(before, whole) - x)
    });
    html! {
        svg.bar width=(WIDTH) height="14" viewBox=(format!("0 0 {WIDTH} 14")) role="img" {
            title { (words(figures)) }
            @for (share, x, width) in parts {
                rect class=(share.class) x=(x) y="0" width=(width) height="14" fill=[fill(share.class)] {}
            }
        }
    }
}

fn scaled(part: u32, whole: u32) -> u32 {
    u32::try_from(u64::from(part) * u64::from(WIDTH) / u64::from(whole)).unwrap_or(WIDTH)
}

/// The same in words, for who cannot see the bar.
pub fn words(figures: &VillageFigures) -> String {
    let mut words = format!("在家户 {}", figures[0]);
    for share in SHARES.iter().filter(|share| figures[share.at] > 0) {
        write!(words, " · {} {}", share.zh, figures[share.at]).expect("a String takes everything");
    }
    words
}

/// What the colours mean.
pub fn legend() -> Markup {
    html! {
        ul.legend {
            @for share in &SHARES {
                li {
                    svg width="16" height="12" aria-hidden="true" {
                        rect class=(share.class) width="16" height="12" fill=[fill(share.class)] {}
                    }
                    (share.zh) " " small { (share.en) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_percentage_claims_more_than_there_is() {
        assert_eq!(percent(999, 1000), "99.9%");
        assert_eq!(percent(9_999, 10_000), "99.9%");
        assert_eq!(percent(1, 100_000), "0.1%");
        assert_eq!(percent(0, 5), "0.0%");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(percent(7, 7), "100.0%");
    }

    #[test]
    fn a_bar_is_as_long_as_its_households() {
        let markup = bar(&[10, 1, 2, 3, 1, 2, 1]).into_string();
        let widths = markup.split("width=\"").skip(2);
        let sum: u32 = widths
            .filter_map(|rest| rest.split('"').next()?.parse::<u32>().ok())
            .sum();
        assert_eq!(sum, WIDTH, "{markup}");
    }
}
