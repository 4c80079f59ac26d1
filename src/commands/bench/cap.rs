//! How many messages one core reads and checks in a second: a message of about 10 KB, as long as a warning in two
//! languages with polygons gets. This module must not measure anything but the crate `cap`.

use std::fmt::Write as _;
use std::hint::black_box;

use channel::{Clock, SystemClock};

use super::median;
use super::table::Table;

/// Bytes that the message has at least.
const SIZE: usize = 10_000;
const MESSAGES: u32 = 2_000;
/// The moment to check for: a minute after the message was sent.
const NOW: i64 = 1_780_300_860;
const WANTED: f64 = 5_000.0;

pub fn run(table: &mut Table, runs: usize) {
    let message = message();
    let clock = SystemClock::default();
    let rates = (0..runs).map(|_| {
        let start = clock.tick();
        for _ in 0..MESSAGES {
            let report = cap::assess(black_box(message.as_bytes()), NOW);
            assert!(report.conforming, "the message keeps every rule");
            black_box(report);
        }
        f64::from(MESSAGES) / clock.tick().saturating_sub(start).as_secs_f64()
    });
    let rate = median(rates.collect());
    let what = format!("CAP read and checked on one core, {} bytes", message.len());
    table.row(what, format!("{rate:.0}/s"), "5,000/s", rate >= WANTED);
}

/// A conforming message of that size.
fn message() -> String {
    let mut infos = String::new();
    for (language, event, advice) in [
        (
            "zh-CN",
            "山洪灾害",
            "请立即向高处转移，不要贪恋财物，远离沟口和低洼处。",
        ),
        (
            "en-US",
            "Flash flood",
            "Move to high ground at once and keep away from the stream.",
        ),
    ] {
        let description = advice.repeat(SIZE / 7 / advice.len() + 1);
        let _ = write!(
            infos,
            "<info><language>{language}</language><category>Met</category><event>{event}</event>\
             <responseType>Evacuate</responseType><urgency>Immediate</urgency><severity>Extreme</severity>\
             <certainty>Observed</certainty><eventCode><valueName>GB/T 35561</valueName><value>11A51</value></eventCode>\
             <effective>2026-06-01T16:00:00+08:00</effective><expires>2026-06-01T22:00:00+08:00</expires>\
             <headline>{event}</headline><description>{description}</description><instruction>{advice}</instruction>\
             <parameter><valueName>colour</valueName><value>Red</value></parameter>"
        );
        for area in 0..8 {
            let _ = write!(infos, "<area><areaDesc>{event} {area}</areaDesc><polygon>");
            for point in 0..12 {
                let angle = f64::from(point) / 12.0 * std::f64::consts::TAU;
                let (sin, cos) = angle.sin_cos();
                let _ = write!(infos, "{:.4},{:.4} ", 32.4 + sin / 10.0, 104.5 + cos / 10.0);
            }
            let _ = write!(
                infos,
                "32.4000,104.6000</polygon><geocode><valueName>GB/T 2260</valueName>\
                 <value>5107271{area:02}000</value></geocode></area>"
            );
        }
        infos += "</info>";
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\
         <identifier>51072741600000_20260601160000</identifier><sender>warning@example.org</sender>\
         <sent>2026-06-01T16:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>\
         {infos}</alert>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_as_long_as_it_says_and_keeps_every_rule() {
        let message = message();
        assert!(
            (SIZE..SIZE + 2_000).contains(&message.len()),
            "{}",
            message.len()
        );
        assert_eq!(cap::assess(message.as_bytes(), NOW).findings, []);
    }
}
