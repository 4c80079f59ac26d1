//! The demo's warnings: a red flash-flood warning for the whole county, its extension and its end. The files carry fixed
//! times; here they are moved, all by the same span, so that the first is sent when the demo wants it. This module must
//! not change anything else in them.

use cap::Time;
use channel::Timestamp;

pub const RED: &str = include_str!("../../../../config/demo/flood-red.xml");
pub const UPDATE: &str = include_str!("../../../../config/demo/flood-red-update.xml");
pub const CANCEL: &str = include_str!("../../../../config/demo/flood-red-cancel.xml");

/// When `RED` was sent, as its file has it: 2026-07-18T19:30:00+08:00.
const SENT: Timestamp = Timestamp::from_secs(1_784_374_200);

const TIME: usize = "2026-07-18T19:30:00+08:00".len();
/// The time at the end of an identifier: 20260718193000.
const STAMP: usize = 14;

/// One of the three as if `RED` had been sent at `sent`: the others follow at their distance, and refer to it still.
pub fn moved(warning: &str, sent: Timestamp) -> String {
    let by = sent.secs() - SENT.secs();
    let mut moved = String::with_capacity(warning.len());
    let mut rest = warning;
    while let Some(next) = rest.chars().next() {
        let taken = if let Some(time) = rest.get(..TIME).and_then(at) {
            moved.push_str(&later(time, by).to_string());
            TIME
        } else if let Some(time) = rest.get(1..=STAMP).filter(|_| next == '_').and_then(stamp) {
            moved.push('_');
            moved.extend(
                later(time, by).to_string()[..19]
                    .chars()
                    .filter(char::is_ascii_digit),
            );
            1 + STAMP
        } else {
            moved.push(next);
            next.len_utf8()
        };
        rest = &rest[taken..];
    }
    moved
}

fn at(text: &str) -> Option<Time> {
    text.parse().ok()
}

fn stamp(text: &str) -> Option<Time> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (date, clock) = text.split_at(8);
    let written = format!(
        "{}-{}-{}T{}:{}:{}+08:00",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    );
    at(&written)
}

const fn later(time: Time, by: i64) -> Time {
    Time::new(time.unix + by, time.offset_minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read, checked and without a finding that a bureau would have to mend.
    fn sound(warning: &str, now: Timestamp) -> cap::Alert {
        let report = cap::assess(warning.as_bytes(), now.secs());
        assert!(report.conforming, "{:?}", report.findings);
        let grave = |one: &&cap::Finding| one.level > cap::FindingLevel::Info;
        let findings: Vec<_> = report.findings.iter().filter(grave).collect();
        assert!(findings.is_empty(), "{findings:?}");
        report.alert.expect("conforming")
    }

    #[test]
    fn the_three_are_sound_and_warn_the_county_in_two_languages() {
        for (warning, kind) in [
            (RED, cap::MsgType::Alert),
            (UPDATE, cap::MsgType::Update),
            (CANCEL, cap::MsgType::Cancel),
        ] {
            let alert = sound(warning, SENT.plus(std::time::Duration::from_mins(601)));
            assert_eq!(alert.msg_type, kind);
            assert_eq!(
                (alert.status, alert.scope),
                (cap::Status::Actual, cap::Scope::Public)
            );
            let languages: Vec<_> = alert
                .infos
                .iter()
                .map(|info| info.language.as_str())
                .collect();
            assert_eq!(languages, ["zh-CN", "en-US"]);
            for info in &alert.infos {
                assert_eq!(info.event_codes[0].value, "11A51");
                assert_eq!(info.areas[0].geocodes[0].value, "510727000000");
                assert!(
                    info.headline
                        .as_ref()
                        .is_some_and(|text| text.chars().count() <= 60)
                );
                assert!(info.instruction.is_some());
                assert!(info.expires.is_some_and(|end| end.unix > alert.sent.unix));
            }
        }
    }

    #[test]
    fn moved_they_differ_in_their_times_alone_and_still_refer_to_each_other() {
        let now = Timestamp::from_secs(2_000_000_000);
        let red = sound(&moved(RED, now), now);
        let update = sound(
            &moved(UPDATE, now),
            now.plus(std::time::Duration::from_mins(150)),
        );
        let cancel = sound(
            &moved(CANCEL, now),
            now.plus(std::time::Duration::from_hours(10)),
        );
        assert_eq!(red.sent.unix, now.secs());
        assert_eq!(red.identifier, "51072733200000_20330518113320");
        assert_eq!(update.sent.unix, now.secs() + 150 * 60);
        for (reference, alert) in [
            (&update.references[0], &red),
            (&cancel.references[0], &red),
            (&cancel.references[1], &update),
        ] {
            assert_eq!(reference.identifier, alert.identifier);
            assert_eq!(reference.sender, alert.sender);
            assert_eq!(reference.sent, Some(alert.sent));
        }
        let lasts =
            |alert: &cap::Alert| alert.infos[0].expires.map(|end| end.unix - alert.sent.unix);
        assert_eq!(lasts(&red), Some(4 * 3_600));
        assert_eq!(moved(CANCEL, SENT), CANCEL);
    }
}
