//! What the far end says later, read into a `channel::Receipt`; and what its words mean. This module must not keep the
//! text of a receipt: it repeats the start of the message.
//!
//! | word | verdict | why this class |
//! |---|---|---|
//! | `DELIVRD` | `Reached(Delivered)` | |
//! | `ENROUTE`, `ACCEPTD`, `UNKNOWN`, any other | `Progress` | nothing final was said |
//! | `EXPIRED` | `Refused(Transient)` | off or out of reach until the expiry: the number is good |
//! | `UNDELIV` | `Refused(Transient)` | carriers use it for absent and for unknown subscribers alike |
//! | `DELETED` | `Refused(Transient)` | taken out by the operator: says nothing about number or text |
//! | `REJECTD` | `Refused(BadContent)` | the network refused this text: its siblings will fare the same |
//! | `MA:…` and the like, see [`ASSUMED`] | `Refused(Transient)` | a carrier's own word for a failure, differing by province |
//!
//! An account's own table, `stats`, goes before all this. The class only labels: whatever it is, a receipt's refusal is
//! final for its message.

pub mod cmpp;
pub mod smpp;

use std::collections::BTreeMap;

use channel::{Evidence, FailureClass, Timestamp, Verdict};
use serde::Deserialize;

/// Prefixes of the codes that carriers' own systems write, as they are said to be; *assumed*: what stands behind one
/// differs by province, so a bureau writes down what it has learned in `stats`.
pub const ASSUMED: [&str; 15] = [
    "MA:", "MB:", "MC:", "CA:", "CB:", "DA:", "DB:", "SA:", "SB:", "IA:", "IB:", "MI:", "MK:",
    "MN:", "ID:",
];

/// What a code means, as an operator says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    Delivered,
    /// Nothing final.
    Progress,
    /// Off, out of reach, memory full: the number is good.
    Absent,
    /// 空号, 停机: nobody has this number.
    Empty,
    /// The person or the carrier lets nothing through to it.
    Blacklist,
    /// The carrier took it and had no room.
    Throttled,
    /// The text was refused: a word, a signature, a template.
    Content,
}

impl Means {
    const fn verdict(self) -> Verdict {
        match self {
            Self::Delivered => Verdict::Reached(Evidence::Delivered),
            Self::Progress => Verdict::Progress,
            Self::Absent => Verdict::Refused(FailureClass::Transient),
            Self::Empty | Self::Blacklist => Verdict::Refused(FailureClass::BadAddress),
            Self::Throttled => Verdict::Refused(FailureClass::Throttled),
            Self::Content => Verdict::Refused(FailureClass::BadContent),
        }
    }
}

/// An account's own table: the longest prefix of a code says what it means.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Stats(BTreeMap<String, Means>);

impl Stats {
    pub fn new(table: impl IntoIterator<Item = (String, Means)>) -> Self {
        Self(table.into_iter().collect())
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.0.keys().all(|prefix| !prefix.is_empty())
    }

    /// What a code means: by this table, or else by what is known everywhere of its first word.
    pub(crate) fn verdict(&self, code: &str) -> Verdict {
        let own = self
            .0
            .iter()
            .filter(|(prefix, _)| code.starts_with(prefix.as_str()));
        match own.max_by_key(|(prefix, _)| prefix.len()) {
            Some((_, means)) => means.verdict(),
            None => known(code.split(' ').next().unwrap_or_default()),
        }
    }
}

fn known(word: &str) -> Verdict {
    match word {
        "DELIVRD" => Verdict::Reached(Evidence::Delivered),
        "EXPIRED" | "UNDELIV" | "DELETED" => Verdict::Refused(FailureClass::Transient),
        "REJECTD" => Verdict::Refused(FailureClass::BadContent),
        word if ASSUMED.iter().any(|prefix| word.starts_with(prefix)) => {
            Verdict::Refused(FailureClass::Transient)
        }
        _ => Verdict::Progress,
    }
}

/// `YYMMDDhhmm` or `YYMMDDhhmmss` in the far end's zone.
pub(crate) fn moment(date: &[u8], offset_minutes: i16) -> Option<Timestamp> {
    if !(date.len() == 10 || date.len() == 12) || !date.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |at: usize| i64::from(date[at] - b'0') * 10 + i64::from(date[at + 1] - b'0');
    let (year, month, day, hour, minute) = (2000 + two(0), two(2), two(4), two(6), two(8));
    let second = if date.len() == 12 { two(10) } else { 0 };
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    // Days since the epoch, counted in years that begin in March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    let minutes = (days * 24 + hour) * 60 + minute - i64::from(offset_minutes);
    Some(Timestamp::from_secs(minutes * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_of_the_accounts_own_table_speaks_first() {
        let stats = Stats::new([
            ("MK:".to_owned(), Means::Absent),
            ("MK:0001".to_owned(), Means::Empty),
            ("UNDELIV 012".to_owned(), Means::Blacklist),
            ("IB:".to_owned(), Means::Throttled),
        ]);
        let refused = Verdict::Refused;
        for (code, wanted) in [
            ("MK:0001", refused(FailureClass::BadAddress)),
            ("MK:0002", refused(FailureClass::Transient)),
            ("UNDELIV 012", refused(FailureClass::BadAddress)),
            ("UNDELIV 013", refused(FailureClass::Transient)),
            ("IB:0008", refused(FailureClass::Throttled)),
            ("DELIVRD", Verdict::Reached(Evidence::Delivered)),
        ] {
            assert_eq!(stats.verdict(code), wanted, "{code}");
        }
    }

    #[test]
    fn assumed_a_carriers_own_code_is_a_failure_and_an_unknown_word_is_not() {
        for prefix in ASSUMED {
            let code = format!("{prefix}0054");
            assert_eq!(
                Stats::default().verdict(&code),
                Verdict::Refused(FailureClass::Transient),
                "{code}"
            );
        }
        for word in ["ACCEPTD", "ENROUTE", "UNKNOWN", "NONSENS", "", "M"] {
            assert_eq!(Stats::default().verdict(word), Verdict::Progress, "{word}");
        }
    }
}
