//! A CAP dateTime: an instant and the offset it was written in. Reads what is in use and says what was wrong with it;
//! writes CAP 1.2's form, with `-00:00` for UTC. This module must not know the present time and never assumes a zone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An instant with the offset of the clock it was read from. Equal and ordered as written; compare `unix` for instants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix: i64,
    pub offset_minutes: i16,
}

/// How the text departed from CAP 1.2's form, where it could still be read in one way only.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Departures {
    /// Not `YYYY-MM-DDThh:mm:ss±hh:mm`: `Z`, a fraction, a space for the `T`, an offset without a colon…
    pub form: bool,
    /// UTC as `+00:00` where CAP 1.2 wants `-00:00`.
    pub plus_zero: bool,
    /// A Buddhist-era year, brought to the common era.
    pub buddhist: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("reading a time: not a date and time of the form YYYY-MM-DDThh:mm:ss±hh:mm")]
    Form,
    #[error("reading a time: it names no offset from UTC, and none is assumed")]
    NoOffset,
    #[error("reading a time: there is no such day, hour, minute, second or offset")]
    Range,
}

const DAY: i64 = 86_400;
const MAX_OFFSET: i16 = 14 * 60;
/// Years from here to 2743 are the Buddhist era's 1900 to 2200.
const BUDDHIST: std::ops::RangeInclusive<i64> = 2443..=2743;
const BUDDHIST_AHEAD: i64 = 543;

impl Time {
    pub const fn new(unix: i64, offset_minutes: i16) -> Self {
        Self {
            unix,
            offset_minutes,
        }
    }

    /// The year on the clock it was read from.
    pub fn year(self) -> i64 {
        civil(self.local().div_euclid(DAY)).0
    }

    /// Reads a time leniently: anything that can be understood in exactly one way.
    pub fn read(text: &str) -> Result<(Self, Departures), Unreadable> {
        let mut departures = Departures::default();
        let mut scan = Scan(text.trim_matches([' ', '\t', '\r', '\n']));
        let day = date(&mut scan, &mut departures)?;
        let seconds = clock(&mut scan, &mut departures)?;
        let offset = offset(&mut scan, &mut departures)?;
        let unix = day * DAY + seconds - i64::from(offset) * 60;
        Ok((Self::new(unix, offset), departures))
    }

    /// Reads a time that names no offset as one of the zone given.
    pub fn read_in(text: &str, zone: i16) -> Result<(Self, Departures), Unreadable> {
        let mut departures = Departures {
            form: true,
            ..Departures::default()
        };
        let mut scan = Scan(text.trim_matches([' ', '\t', '\r', '\n']));
        let day = date(&mut scan, &mut departures)?;
        let seconds = clock(&mut scan, &mut departures)?;
        scan.end()?;
        Ok((
            Self::new(day * DAY + seconds - i64::from(zone) * 60, zone),
            departures,
        ))
    }

    fn local(self) -> i64 {
        self.unix
            .saturating_add(i64::from(self.offset_minutes) * 60)
    }
}

fn date(scan: &mut Scan, departures: &mut Departures) -> Result<i64, Unreadable> {
    let mut year = scan.digits(4).ok_or(Unreadable::Form)?;
    scan.take("-").ok_or(Unreadable::Form)?;
    let month = scan.digits(2).ok_or(Unreadable::Form)?;
    scan.take("-").ok_or(Unreadable::Form)?;
    let day = scan.digits(2).ok_or(Unreadable::Form)?;
    if BUDDHIST.contains(&year) {
        departures.buddhist = true;
        year -= BUDDHIST_AHEAD;
    }
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return Err(Unreadable::Range);
    }
    Ok(days(year, month, day))
}

fn clock(scan: &mut Scan, departures: &mut Departures) -> Result<i64, Unreadable> {
    if scan.take("T").is_none() {
        departures.form = true;
        if scan.take("t").is_none() {
            scan.take(" ").ok_or(Unreadable::Form)?;
        }
    }
    let hour = scan.digits(2).ok_or(Unreadable::Form)?;
    scan.take(":").ok_or(Unreadable::Form)?;
    let minute = scan.digits(2).ok_or(Unreadable::Form)?;
    let mut second = 0;
    if scan.take(":").is_some() {
        second = scan.digits(2).ok_or(Unreadable::Form)?;
        if scan.take(".").is_some() {
            departures.form = true;
            scan.digits(1).ok_or(Unreadable::Form)?;
            while scan.digits(1).is_some() {}
        }
    } else {
        departures.form = true;
    }
    // A leap second is the next minute's first; XML Schema knows none.
    departures.form |= second == 60;
    let end_of_day = hour == 24 && minute == 0 && second == 0;
    if (hour > 23 && !end_of_day) || minute > 59 || second > 60 {
        return Err(Unreadable::Range);
    }
    Ok(hour * 3_600 + minute * 60 + second)
}

fn offset(scan: &mut Scan, departures: &mut Departures) -> Result<i16, Unreadable> {
    if scan.take(" ").is_some() {
        departures.form = true;
    }
    if scan.take("Z").is_some() || scan.take("z").is_some() {
        departures.form = true;
        return scan.end().map(|()| 0);
    }
    let ahead = match (scan.take("+"), scan.take("-"), scan.take("\u{2212}")) {
        (Some(()), ..) => true,
        (None, Some(()), _) => false,
        (None, None, Some(())) => {
            departures.form = true;
            false
        }
        _ if scan.0.is_empty() => return Err(Unreadable::NoOffset),
        _ => return Err(Unreadable::Form),
    };
    let hours = scan.digits(2).ok_or(Unreadable::Form)?;
    let minutes = if scan.take(":").is_some() {
        scan.digits(2).ok_or(Unreadable::Form)?
    } else {
        departures.form = true;
        scan.digits(2).unwrap_or(0)
    };
    scan.end()?;
    let total = i16::try_from(hours * 60 + minutes).map_err(|_| Unreadable::Range)?;
    if minutes > 59 || total > MAX_OFFSET {
        return Err(Unreadable::Range);
    }
    departures.plus_zero = ahead && total == 0;
    Ok(if ahead { total } else { -total })
}

/// A text read from the left.
struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn take(&mut self, prefix: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(prefix)?;
        Some(())
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let head = self.0.get(..count)?;
        if !head.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0 = &self.0[count..];
        head.parse().ok()
    }

    fn end(&self) -> Result<(), Unreadable> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Unreadable::Form)
        }
    }
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a day in the proleptic Gregorian calendar: years counted from March, in eras of 400.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted - era * 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, of_year - (153 * march + 2) / 5 + 1)
}

impl FromStr for Time {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        Self::read(text).map(|(time, _)| time)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local();
        let (year, month, day) = civil(local.div_euclid(DAY));
        let second = local.rem_euclid(DAY);
        let (sign, offset) = (
            if self.offset_minutes > 0 { '+' } else { '-' },
            self.offset_minutes.unsigned_abs(),
        );
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
            second / 3_600,
            second / 60 % 60,
            second % 60,
            offset / 60,
            offset % 60
        )
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORM: Departures = Departures {
        form: true,
        plus_zero: false,
        buddhist: false,
    };

    #[test]
    fn a_conforming_time_reads_without_departure() {
        let (time, departures) = Time::read("2026-05-24T16:49:00+08:00").unwrap();
        assert_eq!((time.unix, time.offset_minutes), (1_779_612_540, 480));
        assert_eq!(departures, Departures::default());
        assert_eq!(time.to_string(), "2026-05-24T16:49:00+08:00");
    }

    #[test]
    fn utc_is_written_with_minus_zero() {
        assert_eq!(Time::new(0, 0).to_string(), "1970-01-01T00:00:00-00:00");
        assert!(Time::read("1970-01-01T00:00:00+00:00").unwrap().1.plus_zero);
        assert_eq!(
            Time::read("1970-01-01T00:00:00-00:00").unwrap(),
            (Time::new(0, 0), Departures::default())
        );
    }

    #[test]
    fn what_has_one_reading_is_read_and_noted() {
        let at = |text: &str| Time::read(text).unwrap();
        let noon = at("2026-07-01T12:00:00+08:00").0;
        for text in [
            "2026-07-01 12:00:00+08:00",
            "2026-07-01t12:00:00+08:00",
            "2026-07-01T12:00:00.250+08:00",
            "2026-07-01T12:00:00+0800",
            "2026-07-01T12:00:00+08",
            "2026-07-01T12:00+08:00",
            "2026-07-01T11:59:60+08:00",
        ] {
            assert_eq!(at(text), (noon, FORM), "{text}");
        }
        assert_eq!(at("2026-07-01T04:00:00Z").0.unix, noon.unix);
        assert_eq!(
            at("  2026-07-01T12:00:00+08:00\n"),
            (noon, Departures::default())
        );
        assert_eq!(
            at("2026-06-30T24:00:00+08:00").0.to_string(),
            "2026-07-01T00:00:00+08:00"
        );
    }

    #[test]
    fn a_zone_is_taken_only_where_it_is_given() {
        assert_eq!(Time::read("2026-07-01T12:00:00"), Err(Unreadable::NoOffset));
        let (time, departures) = Time::read_in("2026-07-01 12:00:00", 480).unwrap();
        assert_eq!(
            (time.to_string().as_str(), departures),
            ("2026-07-01T12:00:00+08:00", FORM)
        );
        assert_eq!(
            Time::read_in("2026-07-01T12:00:00+08:00", 480),
            Err(Unreadable::Form)
        );
    }

    #[test]
    fn a_buddhist_year_is_brought_to_the_common_era() {
        let (time, departures) = Time::read("2568-02-25T17:13:00+07:00").unwrap();
        assert!(departures.buddhist);
        assert_eq!(time.to_string(), "2025-02-25T17:13:00+07:00");
    }

    #[test]
    fn what_has_no_single_reading_is_refused() {
        assert_eq!(Time::read("2026-07-01T12:00:00"), Err(Unreadable::NoOffset));
        for text in [
            "",
            "2024-09-17:07:02-00:00",
            "2002-05-24T16:49:00,07:00",
            "Thu, 21 May 2026 10:00:00 GMT",
        ] {
            assert_eq!(Time::read(text), Err(Unreadable::Form), "{text}");
        }
        for text in [
            "2026-02-29T12:00:00+08:00",
            "2026-07-01T25:00:00+08:00",
            "2026-07-01T12:00:00+15:00",
        ] {
            assert_eq!(Time::read(text), Err(Unreadable::Range), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(unix in -62_135_000_000_i64..14_900_000_000, offset in -840_i16..=840) {
            let time = Time::new(unix, offset);
            prop_assume!(!BUDDHIST.contains(&time.year()));
            prop_assert_eq!(Time::read(&time.to_string()), Ok((time, Departures::default())));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,40}") {
            let _ = Time::read(&text);
        }
    }
}
