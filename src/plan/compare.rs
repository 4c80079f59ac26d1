//! How a correction stands to an earlier text: what of level, demand and time somebody remembers of one, against what the
//! other says. Pure. This module must not say who is told again: the plan does.

use channel::{Level, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ledger::event::Class;
use crate::ledger::record::sha256;
use crate::model::RegionCode;

/// What one text said, as far as a later one is compared with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gist {
    pub level: Level,
    /// Hash of event, responses and instruction.
    pub asks: String,
    pub begins: Timestamp,
    pub ends: Timestamp,
    /// It says nothing but that it is over.
    pub all_clear: bool,
}

/// What somebody last got.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// That it is over for them.
    Over,
    Warned(Gist),
}

impl Gist {
    /// Of these infos, in their order.
    pub fn of(sent: cap::Time, infos: &[&cap::Info], ends: Timestamp) -> Self {
        let begins = infos
            .iter()
            .map(|i| i.onset.unwrap_or(i.effective_or(sent)));
        let begins = begins.map(|t| t.unix).min().unwrap_or(sent.unix);
        let clear = |i: &&cap::Info| i.response_types.contains(&cap::ResponseType::AllClear);
        Self {
            level: level(infos.iter().map(|i| i.severity)),
            asks: hex::encode(sha256(asks(infos).as_bytes())),
            begins: Timestamp::from_secs(begins),
            ends,
            all_clear: !infos.is_empty() && infos.iter().all(clear),
        }
    }
}

/// The level that people know a severity by; of several the most severe.
pub fn level(severities: impl Iterator<Item = cap::Severity>) -> Level {
    match severities.min() {
        Some(cap::Severity::Extreme) => Level::Red,
        Some(cap::Severity::Severe) => Level::Orange,
        Some(cap::Severity::Moderate) => Level::Yellow,
        Some(cap::Severity::Minor) => Level::Blue,
        Some(cap::Severity::Unknown) | None => Level::Unknown,
    }
}

/// A description changes with every bulletin; it is asked only where nothing else says what to do.
fn asks(infos: &[&cap::Info]) -> String {
    let mut text = String::new();
    for info in infos {
        let event = info.event_codes.first().map_or(&info.event, |c| &c.value);
        let mut responses: Vec<_> = info.response_types.iter().map(|r| r.as_str()).collect();
        responses.sort_unstable();
        let to_do = info.instruction.as_deref().or(info.description.as_deref());
        let parts = [
            event.as_str(),
            &responses.join(" "),
            to_do.unwrap_or_default(),
        ];
        for part in parts {
            text.push_str(part.trim());
            text.push('\n');
        }
    }
    text
}

/// How a text stands to the one that somebody has. A level that nobody has judged is neither higher nor lower.
pub fn compare(had: &Gist, now: &Gist) -> Class {
    match (had.all_clear, now.all_clear) {
        (false, true) => return Class::Lifted,
        (true, false) => return Class::Upgraded,
        _ => {}
    }
    let judged = had.level != Level::Unknown && now.level != Level::Unknown;
    let same = (now.level, &now.asks) == (had.level, &had.asks);
    match () {
        () if judged && now.level < had.level => Class::Upgraded,
        () if judged && now.level > had.level => Class::Downgraded,
        () if same && now.begins >= had.begins && now.ends >= had.ends => Class::Prolonged,
        () => Class::Corrected,
    }
}

/// How an alert stands to those that it ends, the newest last: to the most severe of them in what it says, and to all
/// together in where it says it.
pub fn whole(now: (&Gist, &[RegionCode]), had: &[(Gist, Vec<RegionCode>)]) -> Class {
    let Some((worst, _)) = had.iter().rev().min_by_key(|(gist, _)| gist.level) else {
        return Class::Original;
    };
    let class = compare(worst, now.0);
    if class != Class::Prolonged {
        return class;
    }
    let before: Vec<RegionCode> = had
        .iter()
        .flat_map(|(_, regions)| regions)
        .copied()
        .collect();
    let beyond = |these: &[RegionCode], those: &[RegionCode]| {
        let held = |region: &RegionCode| those.iter().any(|other| other.covers(*region));
        !these.iter().all(held)
    };
    match (beyond(now.1, &before), beyond(&before, now.1)) {
        (false, false) => Class::Prolonged,
        (true, false) => Class::Widened,
        (false, true) => Class::Narrowed,
        (true, true) => Class::Corrected,
    }
}

/// Marks of a Cancel that takes back what should never have been issued: as a `code`, or at the head of its `note`.
const IN_ERROR: [&str; 3] = ["误发", "issued in error", "issued-in-error"];

/// What a Cancel does: it lifts a warning that was right, or takes back one that was not.
pub fn cancels(alert: &cap::Alert) -> Class {
    let marked = |text: &String| {
        let text = text.trim().to_lowercase();
        IN_ERROR.iter().any(|mark| text.starts_with(mark))
    };
    if alert.codes.iter().chain(&alert.note).any(marked) {
        Class::Revoked
    } else {
        Class::Lifted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HAD: &str = "Evacuate 转移";

    fn gist(level: Level, asks: &str, begins: i64, ends: i64) -> Gist {
        Gist {
            level,
            asks: asks.to_owned(),
            begins: Timestamp::from_secs(begins),
            ends: Timestamp::from_secs(ends),
            all_clear: asks == "over",
        }
    }

    #[test]
    fn each_difference_has_its_class() {
        use Class::{Corrected, Downgraded, Lifted, Prolonged, Upgraded};
        use Level::{Blue, Orange, Red, Unknown, Yellow};
        for (had, now, class) in [
            ((Orange, HAD, 5, 10), (Red, HAD, 5, 10), Upgraded),
            ((Orange, HAD, 5, 10), (Red, "other", 6, 9), Upgraded),
            ((Orange, HAD, 5, 10), (Yellow, HAD, 5, 10), Downgraded),
            ((Red, HAD, 5, 10), (Blue, "other", 5, 10), Downgraded),
            ((Orange, HAD, 5, 10), (Orange, HAD, 5, 20), Prolonged),
            ((Orange, HAD, 5, 10), (Orange, HAD, 8, 20), Prolonged),
            ((Orange, HAD, 5, 10), (Orange, HAD, 5, 10), Prolonged),
            // Less time than they think, or another thing to do.
            ((Orange, HAD, 5, 10), (Orange, HAD, 4, 10), Corrected),
            ((Orange, HAD, 5, 10), (Orange, HAD, 5, 9), Corrected),
            ((Orange, HAD, 5, 10), (Orange, "other", 5, 20), Corrected),
            // What nobody has judged is neither more nor less.
            ((Unknown, HAD, 5, 10), (Red, HAD, 5, 10), Corrected),
            ((Red, HAD, 5, 10), (Unknown, HAD, 5, 10), Corrected),
            ((Unknown, HAD, 5, 10), (Unknown, HAD, 5, 20), Prolonged),
            // An all-clear by Update, and a warning after one.
            ((Red, HAD, 5, 10), (Blue, "over", 5, 10), Lifted),
            ((Blue, "over", 5, 10), (Blue, HAD, 5, 10), Upgraded),
            ((Blue, "over", 5, 10), (Blue, "over", 5, 20), Prolonged),
        ] {
            let (h, n) = (
                gist(had.0, had.1, had.2, had.3),
                gist(now.0, now.1, now.2, now.3),
            );
            assert_eq!(compare(&h, &n), class, "{had:?} {now:?}");
        }
    }

    fn regions(codes: &[&str]) -> Vec<RegionCode> {
        codes
            .iter()
            .map(|code| code.parse().expect("a code"))
            .collect()
    }

    #[test]
    fn an_alert_as_a_whole_is_wider_narrower_or_both() {
        let same = gist(Level::Red, HAD, 5, 10);
        let (town, village) = ("510727217000", "510727217201");
        let other = "510727216201";
        for (had, now, class) in [
            (&[town][..], &[town][..], Class::Prolonged),
            (&[village], &[town], Class::Widened),
            (&[village], &[village, other], Class::Widened),
            (&[town], &[village], Class::Narrowed),
            (&[village], &[other], Class::Corrected),
        ] {
            let before = [(same.clone(), regions(had))];
            assert_eq!(
                whole((&same, &regions(now)), &before),
                class,
                "{had:?} {now:?}"
            );
        }
        let higher = gist(Level::Orange, HAD, 5, 10);
        let two = [
            (same.clone(), regions(&[town])),
            (higher, regions(&[other])),
        ];
        let orange = gist(Level::Orange, HAD, 5, 20);
        assert_eq!(
            whole((&orange, &regions(&[town])), &two),
            Class::Downgraded,
            "to the worst"
        );
        assert_eq!(whole((&orange, &regions(&[town])), &[]), Class::Original);
    }

    #[test]
    fn a_cancel_says_itself_whether_the_warning_was_wrong() {
        let cancel = |inside: &str| {
            let xml = format!(
                "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>a</identifier>\
                 <sender>b@example.invalid</sender><sent>2026-07-14T09:00:00+08:00</sent><status>Actual</status>\
                 <msgType>Cancel</msgType><scope>Public</scope>{inside}\
                 <references>b@example.invalid,c,2026-07-14T08:00:00+08:00</references></alert>"
            );
            cancels(&cap::read(xml.as_bytes()).alert.expect("an alert"))
        };
        for (inside, class) in [
            ("", Class::Lifted),
            ("<note>雨势减弱，预警解除。</note>", Class::Lifted),
            ("<note>本次并非误发。</note>", Class::Lifted),
            ("<note> 误发撤销：值班员选错了区域。</note>", Class::Revoked),
            ("<code>issued-in-error</code>", Class::Revoked),
            ("<note>Issued in error by a test.</note>", Class::Revoked),
        ] {
            assert_eq!(cancel(inside), class, "{inside}");
        }
    }
}
