//! The demo's numbers and what becomes of them: a number that cannot exist, whose last three digits tell its fate, so that
//! a peer behind the wire can act it out without a list. This module must not give out a number that could ring.

/// 000 opens no Chinese number: 0 leads out of the area, 00 out of the country, and no country is 0.
const NOWHERE: &str = "000";

/// What becomes of a text or call to an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    Delivers,
    /// Given up or never given out (空号): refused for good.
    Dead,
    /// Switched off until its time is over: EXPIRED.
    Off,
    /// Delivered, and nobody ever says so.
    ReceiptLost,
    /// Refused once for the moment, then delivered.
    RefusedOnce,
}

/// What becomes of a play on a speaker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpeakerFate {
    Plays,
    /// Never connects.
    Dead,
    /// Connects and reports that it could not play.
    Fails,
    /// Plays, and its report is lost.
    ReportLost,
}

/// The fate that a number's last three digits tell: 000 to 019 dead, 020 to 049 off, 050 to 064 receipt lost, 065 to 074
/// refused once. What does not end in three digits delivers.
pub fn fate(address: &str) -> Fate {
    let digits = address
        .len()
        .checked_sub(3)
        .and_then(|at| address.get(at..));
    let block = digits
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u32>().ok());
    match block {
        Some(0..20) => Fate::Dead,
        Some(20..50) => Fate::Off,
        Some(50..65) => Fate::ReceiptLost,
        Some(65..75) => Fate::RefusedOnce,
        _ => Fate::Delivers,
    }
}

/// What somebody writes back who got the text: one in seven, and one in a hundred has something to say.
pub fn reply(address: &str) -> Option<&'static str> {
    match mixed(address) % 100 {
        0..10 => Some("1"),
        10..14 => Some("收到"),
        14 => Some("家里有老人，需要人帮忙转移"),
        _ => None,
    }
    .filter(|_| fate(address) == Fate::Delivers)
}

/// The key that an officer presses who picks up; some listen and press none.
pub fn key(address: &str) -> Option<char> {
    match mixed(address) % 20 {
        0..14 => Some('1'),
        14..17 => Some('2'),
        _ => None,
    }
}

/// The fate of a speaker, from its id: 3 % dead, 2 % fail, 1 % report lost.
pub fn speaker_fate(address: &str) -> SpeakerFate {
    match mixed(address) % 1_000 {
        0..30 => SpeakerFate::Dead,
        30..50 => SpeakerFate::Fails,
        50..60 => SpeakerFate::ReportLost,
        _ => SpeakerFate::Plays,
    }
}

/// FNV-1a over the text, then mixed: neighbouring ids differ in their last character only.
fn mixed(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// The `n`th mobile number: eleven digits, all different for a hundred million in a row, fates spread evenly.
pub fn mobile(n: u64) -> String {
    const STEP: u64 = 61_803_399; // no factor in common with 10^8
    let number = (n % 100_000_000) * STEP % 100_000_000;
    format!("{NOWHERE}{number:08}")
}

/// The `n`th landline: Mianyang's area code, then a 0 where no local number has one.
pub fn landline(n: u64) -> String {
    const STEP: u64 = 618_033; // no factor in common with 10^6
    let number = (n % 1_000_000) * STEP % 1_000_000;
    format!("0816-0{number:06}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_thousand_numbers_in_a_row_share_the_fates_out_exactly() {
        for number in [mobile, landline] {
            let fates: Vec<_> = (77..1_077).map(|n| fate(&number(n))).collect();
            let share = |of| fates.iter().filter(|fate| **fate == of).count();
            assert_eq!(share(Fate::Dead), 20);
            assert_eq!(share(Fate::Off), 30);
            assert_eq!(share(Fate::ReceiptLost), 15);
            assert_eq!(share(Fate::RefusedOnce), 10);
        }
    }

    #[test]
    fn numbers_differ_and_have_the_shape_that_never_rings() {
        let mut seen = HashSet::new();
        for n in 0..50_000 {
            let number = mobile(u64::MAX / 2 + n);
            assert_eq!(number.len(), 11);
            assert!(number.starts_with(NOWHERE));
            assert!(seen.insert(number));
        }
    }

    #[test]
    fn speakers_fail_in_the_shares_told() {
        let total = 20_000;
        let fates: Vec<_> = (0..total)
            .map(|n| speaker_fate(&format!("PW-{:06}-{}", n / 8, n % 8 + 1)))
            .collect();
        let per_mille = |of| fates.iter().filter(|fate| **fate == of).count() * 1_000 / total;
        assert!((25..=35).contains(&per_mille(SpeakerFate::Dead)));
        assert!((16..=24).contains(&per_mille(SpeakerFate::Fails)));
        assert!((7..=13).contains(&per_mille(SpeakerFate::ReportLost)));
    }

    #[test]
    fn what_is_no_number_delivers() {
        for address in ["", "7", "duty-510727-1@demo.invalid", "平武"] {
            assert_eq!(fate(address), Fate::Delivers);
        }
    }
}
