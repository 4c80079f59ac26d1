//! A file of warnings, as a bureau or a feed hands it in: CAP in every version and container, and GB/T 35965.1. This
//! module must not know what a rule says.

use std::sync::LazyLock;

use cap::{Alert, Area, Bounds, Disposition, Feed, Finding, Profile, Report};

/// 2026-06-01, between the times of the seeds.
const NOW: i64 = 1_780_300_860;
/// A finding quotes at most a line of what it found.
const SENTENCE: usize = 4_000;
/// A reader stops counting faults somewhere, whatever it is given.
const FINDINGS: usize = 8_000;

/// A feed of which nothing is known, and one of which everything is.
static FEEDS: LazyLock<[Feed; 2]> = LazyLock::new(|| {
    let known = Feed {
        zone: Some(480),
        country: Some(Bounds {
            south: 3.0,
            west: 73.0,
            north: 54.0,
            east: 136.0,
        }),
        public: true,
        profile: Some(Profile::Google),
        ..Feed::default()
    };
    [Feed::default(), known]
});

pub fn message(bytes: &[u8]) {
    for feed in FEEDS.iter() {
        let mut messages = 0;
        let opened = cap::open(bytes, NOW, feed, &mut |held| {
            messages += 1;
            assert!(held.path.starts_with('/'), "{}", held.path);
            judged(&held.report, bytes.len());
        });
        assert_eq!(messages, opened.messages);
        assert!(
            opened.messages + opened.findings.len() > 0,
            "passed over in silence"
        );
        told(&opened.findings, bytes.len());
    }
}

fn judged(report: &Report, length: usize) {
    told(&report.findings, length);
    let Some(alert) = &report.alert else {
        assert!(
            report.disposition >= Disposition::Quarantine,
            "no alert, and it would be sent"
        );
        assert!(!report.findings.is_empty(), "refused without a word");
        return;
    };
    let back = read_back(alert);
    // What the writer leaves out, it leaves out once: a second hand-over loses nothing more.
    assert!(read_back(&back) == back, "a second writing changes it");
    assert_eq!(alert.identifier, back.identifier);
    assert_eq!(alert.infos.len(), back.infos.len());
    for (info, written) in alert.infos.iter().zip(&back.infos) {
        assert_eq!(info.areas.len(), written.areas.len());
        for (area, written) in info.areas.iter().zip(&written.areas) {
            same_ground(area, written);
        }
    }
}

fn read_back(alert: &Alert) -> Alert {
    let written = cap::write(alert);
    let outcome = cap::read(written.as_bytes());
    match outcome.alert {
        Some(alert) => alert,
        None => panic!(
            "what was taken cannot be handed on: {:?}",
            outcome.findings.first()
        ),
    }
}

/// An area that is handed on names exactly the ground that it named.
fn same_ground(area: &Area, written: &Area) {
    assert!(area.polygons == written.polygons, "a polygon changed");
    assert!(area.circles == written.circles, "a circle changed");
    assert!(area.geocodes == written.geocodes, "a code changed");
}

fn told(findings: &[Finding], length: usize) {
    assert!(findings.len() <= FINDINGS, "{} findings", findings.len());
    for finding in findings {
        assert!(cap::rule(finding.rule).is_some(), "{}", finding.rule);
        assert!(finding.path.starts_with('/'), "{}", finding.path);
        // Decoded, a byte of another encoding may take up to four.
        assert!(finding.position.is_none_or(|at| at <= 4 * length + 4));
        let sentences = [&finding.en, &finding.zh];
        assert!(
            sentences
                .iter()
                .all(|text| !text.is_empty() && text.len() < SENTENCE)
        );
    }
}
