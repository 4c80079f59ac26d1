//! Times of a TPDU: a centre's time stamp and how long a message is worth delivering (3GPP TS 23.040 sections 9.2.3.11
//! and 9.2.3.12). This module must not read a clock.

use std::time::Duration;

use channel::Timestamp;

/// Minutes from one written quarter to the next.
const QUARTER: Duration = Duration::from_mins(15);

/// Seven octets: year to second in swapped digits, then the zone in quarters of an hour.
pub fn read(bytes: [u8; 7]) -> Option<Timestamp> {
    let [year, month, day, hour, minute, second] = [0, 1, 2, 3, 4, 5].map(|at| swapped(bytes[at]));
    let (year, month, day) = (i64::from(year?) + 2000, i64::from(month?), i64::from(day?));
    let (hour, minute, second) = (i64::from(hour?), i64::from(minute?), i64::from(second?));
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24;
    if !fits || minute > 59 || second > 60 {
        return None;
    }
    let local = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
    // The lowest bit of the written tens is the sign.
    let quarters = i64::from(swapped(bytes[6] & 0xF7)?);
    let ahead = quarters * 900 * if bytes[6] & 0x08 == 0 { 1 } else { -1 };
    Some(Timestamp::from_secs(local - ahead))
}

/// In a zone so many quarters east of UTC.
pub fn write(time: Timestamp, quarters: u8) -> [u8; 7] {
    let (year, month, day, hour, minute, second) = time.plus(QUARTER * u32::from(quarters)).civil();
    let year = u32::try_from(year.rem_euclid(100)).unwrap_or(0);
    let zone = u32::from(quarters) % 80;
    [year, month, day, hour, minute, second, zone].map(swap)
}

/// The longest span that one octet can say and that ends before the message does; five minutes at least.
pub fn span(left: Duration) -> u8 {
    let minutes = left.as_secs() / 60;
    let octet = match minutes {
        0..=9 => 0,
        10..=720 => minutes / 5 - 1,
        721..=1440 => 143 + (minutes - 720) / 30,
        1441..=43_200 => (166 + minutes / 1440).max(167),
        _ => (192 + minutes / 10_080).clamp(196, 255),
    };
    u8::try_from(octet).unwrap_or(u8::MAX)
}

/// How long a written span is.
pub fn length(span: u8) -> Duration {
    let span = u64::from(span);
    match span {
        0..=143 => Duration::from_mins((span + 1) * 5),
        144..=167 => Duration::from_mins(720 + (span - 143) * 30),
        168..=196 => Duration::from_hours((span - 166) * 24),
        _ => Duration::from_hours((span - 192) * 168),
    }
}

fn swap(value: u32) -> u8 {
    u8::try_from(value % 10 * 16 + value / 10 % 10).unwrap_or(0)
}

fn swapped(octet: u8) -> Option<u8> {
    let (tens, ones) = (octet & 0xF, octet >> 4);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

/// From 1970-01-01, in eras of 400 years that begin in March.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_stamp_is_read_in_its_own_zone() {
        // 2026-07-15 00:20:05, eight hours east.
        let bytes = [0x62, 0x70, 0x51, 0x00, 0x02, 0x50, 0x23];
        assert_eq!(read(bytes).unwrap().to_string(), "2026-07-14T16:20:05.000Z");
        let mut west = bytes;
        west[6] |= 0x08;
        assert_eq!(read(west).unwrap().to_string(), "2026-07-15T08:20:05.000Z");
        assert_eq!(read([0x62, 0x31, 0x51, 0, 0, 0, 0]), None, "month 13");
        assert_eq!(read([0xAA; 7]), None);
    }

    #[test]
    fn a_span_never_outlasts_the_message_but_for_its_least() {
        assert_eq!(span(Duration::ZERO), 0);
        assert_eq!(span(Duration::from_hours(3)), 35);
        assert_eq!(span(Duration::from_hours(24)), 167);
        assert_eq!(span(Duration::MAX), 255);
    }

    proptest! {
        #[test]
        fn times_and_spans_come_back(secs in 946_684_800_i64..4_000_000_000, quarters in 0_u8..56, minutes in 10_u64..600_000) {
            let time = Timestamp::from_secs(secs);
            prop_assert_eq!(read(write(time, quarters)), Some(time));
            let left = Duration::from_mins(minutes);
            prop_assert!(length(span(left)) <= left);
            prop_assert!(length(span(left)) * 2 >= left.min(length(254)));
        }

        #[test]
        fn arbitrary_octets_never_panic(bytes in any::<[u8; 7]>()) {
            let _ = read(bytes);
        }
    }
}
