//! Names and times as packets have them: EBRID, EBDID, EBMID, all strings of digits, and Beijing time without an offset.
//! What is read is held to be digits and no more; what is written has its full length. This module must not derive from a
//! name what only a registry can know.

use channel::Timestamp;

/// Longest that any of them is read at: an EBDID of today has 41.
const LONGEST: usize = 64;
const BEIJING: i64 = 8 * 3600;

pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_digit())
}

/// What a packet is, by the two digits before its sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    Heartbeat,
    Other,
}

/// A heartbeat's sequence is all zeros.
pub fn ebdid(sort: Sort, sender: &str, sequence: u64) -> String {
    match sort {
        Sort::Heartbeat => format!("01{sender}{:016}", 0),
        Sort::Other => format!("10{sender}{:016}", sequence % 10_u64.pow(16)),
    }
}

/// A message's name: whose it is, the day in Beijing, and the day's serial.
pub fn ebmid(sender: &str, day: u32, serial: u16) -> String {
    format!("{sender}{day:08}{serial:04}")
}

/// The day in Beijing, as eight digits.
pub fn day(now: Timestamp) -> u32 {
    let (year, month, day, ..) = beijing(now);
    u32::try_from(year).unwrap_or(0) * 10_000 + month * 100 + day
}

fn beijing(at: Timestamp) -> (i64, u32, u32, u32, u32, u32) {
    Timestamp::from_secs(at.secs().saturating_add(BEIJING)).civil()
}

/// `YYYY-MM-DD hh:mm:ss` in Beijing.
pub fn time(at: Timestamp) -> String {
    let (year, month, day, hour, minute, second) = beijing(at);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The same back; a `T` between, a fraction or an offset behind are read too. An offset says where, else it is Beijing.
pub fn read_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix([' ', 'T'])?;
    let (clock, tail) = rest.split_at_checked(8)?;
    let parts = |text: &str, by: char| -> Option<[i64; 3]> {
        let mut each = text.split(by).map(|part| {
            let plain = part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<i64>().ok().filter(|_| plain)
        });
        let found = [each.next()??, each.next()??, each.next()??];
        each.next().is_none().then_some(found)
    };
    let ([year, month, day], [hour, minute, second]) = (parts(date, '-')?, parts(clock, ':')?);
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !fits {
        return None;
    }
    let tail = tail.strip_prefix('.').map_or(tail, |fraction| {
        fraction.trim_start_matches(|c: char| c.is_ascii_digit())
    });
    let offset = match tail {
        "" => BEIJING,
        "Z" => 0,
        _ => offset(tail)?,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let at = Timestamp::from_secs(seconds - offset);
    // The thirty-first of a shorter month is no day, and in Beijing too it is a year of four digits.
    let back = Timestamp::from_secs(seconds - second).civil();
    let at = Some(at).filter(|at| (1970..=9999).contains(&beijing(*at).0))?;
    (i64::from(back.2) == day).then_some(at)
}

fn offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    let number = |part: &str| part.parse::<u8>().ok().map(i64::from);
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 15 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days since 1970, of a Gregorian date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let era = year.div_euclid(400);
    let (of_era, of_year) = (year - era * 400, (153 * month + 2) / 5 + day - 1);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Where an address is: a village by its code, or a terminal by its EBRID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    Area(&'a str),
    Terminal(&'a str),
}

pub fn place(address: &str, ebrid: usize) -> Option<Place<'_>> {
    match address.len() {
        _ if !is_digits(address) => None,
        12 => Some(Place::Area(address)),
        length if length == ebrid => Some(Place::Terminal(address)),
        _ => None,
    }
}

/// The area in an EBRID of 23 digits, level first; an older one has only its county.
pub fn area_of(ebrid: &str) -> Option<&str> {
    (ebrid.len() == 23 && is_digits(ebrid)).then(|| &ebrid[1..13])
}

/// Whether a code is a village's own and no town's or county's.
pub fn is_village(area: &str) -> bool {
    area.len() == 12 && is_digits(area) && !area.ends_with("000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_worked_example() {
        let sender = "43415230000000103010101";
        assert_eq!(
            ebdid(Sort::Other, sender, 42),
            "10434152300000001030101010000000000000042"
        );
        assert_eq!(
            ebmid(sender, 20_250_701, 7),
            "43415230000000103010101202507010007"
        );
        // Heartbeats as captured, of both lengths.
        let beat = ebdid(Sort::Heartbeat, "45001160000000314010201", 9);
        assert_eq!(beat, "01450011600000003140102010000000000000000");
        let old = ebdid(Sort::Heartbeat, "010333112400000001", 9);
        assert_eq!(old, "010103331124000000010000000000000000");
    }

    #[test]
    fn times_are_beijings_both_ways() {
        // 2025-07-01 14:03:10 in Beijing.
        let at = Timestamp::from_secs(1_751_349_790);
        assert_eq!(time(at), "2025-07-01 14:03:10");
        assert_eq!(day(Timestamp::from_secs(1_751_299_199)), 20_250_630);
        assert_eq!(day(Timestamp::from_secs(1_751_299_200)), 20_250_701);
        for text in [
            "2025-07-01 14:03:10",
            "2025-07-01T14:03:10",
            " 2025-07-01 14:03:10.250 ",
            "2025-07-01T06:03:10Z",
            "2025-07-01T09:03:10+03:00",
        ] {
            assert_eq!(read_time(text), Some(at), "{text}");
        }
        for text in [
            "",
            "2025-07-01",
            "2025-02-30 00:00:00",
            "2025-07-01 24:00:00",
            "2025-7-1 1:1:1",
            "二〇二五-07-01 00:00:00",
            "2025-07-01 14:03:10+x",
        ] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_an_area_or_a_terminal() {
        let terminal = "65001160020070314010101";
        assert_eq!(place("500116002007", 23), Some(Place::Area("500116002007")));
        assert_eq!(place(terminal, 23), Some(Place::Terminal(terminal)));
        assert_eq!(place("010333112400000001", 23), None);
        assert_eq!(area_of(terminal), Some("500116002007"));
        assert_eq!(area_of("010333112400000001"), None);
        assert!(is_village("500116002007") && !is_village("500116002000"));
    }
}
