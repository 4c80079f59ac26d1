//! A report of CMPP becomes a `channel::Receipt`. It is matched by the `Msg_Id` inside its content, not by the deliver's
//! own. This module must not keep the number that stands in it.

use channel::{Of, Receipt, Timestamp};

use super::{Stats, moment};
use crate::codec::Malformed;
use crate::codec::cmpp::parse_report;

/// Reports tell Beijing's time, as the protocol's home does.
const AHEAD_MINUTES: i16 = 480;

/// The reference that a text is kept under.
pub fn reference(id: u64) -> String {
    id.to_string()
}

pub fn read(content: &[u8], stats: &Stats, seen: Timestamp) -> Result<Receipt, Malformed> {
    let report = parse_report(content)?;
    let code = word(report.stat);
    Ok(Receipt {
        of: Of::Reference(reference(report.id)),
        verdict: stats.verdict(&code),
        code,
        far: moment(report.done, AHEAD_MINUTES),
        seen,
    })
}

/// Seven characters at most; anything that is no code is not kept.
fn word(stat: &[u8]) -> String {
    let text = String::from_utf8_lossy(stat.trim_ascii());
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':');
    if plain {
        text.into_owned()
    } else {
        "UNKNOWN".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use channel::{Evidence, FailureClass, Verdict};
    use proptest::prelude::*;

    use super::*;
    use crate::codec::cmpp::{Report, Version, put_report};
    use crate::receipt::Means;

    const SEEN: Timestamp = Timestamp(5);

    fn report(stat: &[u8], version: Version) -> Vec<u8> {
        let report = Report {
            id: 0x0102_0304_0506_0708,
            stat,
            submitted: b"2607140900",
            done: b"2607140901",
            dest: b"00000000001",
            smsc_sequence: 9,
        };
        let mut out = Vec::new();
        put_report(&report, version, &mut out);
        out
    }

    #[test]
    fn a_report_of_either_length_is_read_whatever_the_version() {
        for (version, length) in [(Version::V20, 60), (Version::V21, 60), (Version::V30, 71)] {
            let content = report(b"DELIVRD", version);
            assert_eq!(content.len(), length);
            let receipt = read(&content, &Stats::default(), SEEN).unwrap();
            assert_eq!(receipt.of, Of::Reference("72623859790382856".into()));
            assert_eq!(receipt.verdict, Verdict::Reached(Evidence::Delivered));
            assert_eq!((receipt.code.as_str(), receipt.seen), ("DELIVRD", SEEN));
            assert_eq!(receipt.far.unwrap().to_string(), "2026-07-14T01:01:00.000Z");
        }
    }

    #[test]
    fn a_provincial_code_is_understood_by_the_accounts_table() {
        let stats = Stats::new([("MK:0001".to_owned(), Means::Empty)]);
        let receipt = read(&report(b"MK:0001", Version::V20), &stats, SEEN).unwrap();
        assert_eq!(receipt.verdict, Verdict::Refused(FailureClass::BadAddress));
        assert_eq!(receipt.code, "MK:0001");
    }

    #[test]
    fn what_is_no_code_is_not_kept() {
        for stat in [&b"\xCA\xD5"[..], b"", b"1 2 3"] {
            let receipt = read(&report(stat, Version::V20), &Stats::default(), SEEN).unwrap();
            assert_eq!(
                (receipt.code.as_str(), receipt.verdict),
                ("UNKNOWN", Verdict::Progress)
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_content_never_panics(content in proptest::collection::vec(any::<u8>(), 0..90)) {
            let _ = read(&content, &Stats::default(), SEEN);
            for length in [60, 71] {
                let mut content = content.clone();
                content.resize(length, 0x30);
                prop_assert!(read(&content, &Stats::default(), SEEN).is_ok());
            }
        }
    }
}
