//! Beijing time, as people read it and type it. This module must not read a clock.

use std::time::Duration;

use channel::Timestamp;

const AHEAD: Duration = Duration::from_hours(8);

/// 7月14日22:58
pub fn shown(time: Timestamp) -> String {
    let (_, month, day, hour, minute, _) = time.plus(AHEAD).civil();
    format!("{month}月{day}日{hour:02}:{minute:02}")
}

/// As a form's field holds it: 2026-07-14T22:58.
pub fn field(time: Timestamp) -> String {
    let (year, month, day, hour, minute, _) = time.plus(AHEAD).civil();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
}

/// A date and a time to the minute or finer; with `Z` or an offset, or without one in Beijing time.
pub fn read(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.trim().split_once(['T', ' '])?;
    let [year, month, day] = numbers::<3>(date, '-')?;
    let (time, offset) = match rest.find(['Z', '+', '-']) {
        None => (rest, Some(480)),
        Some(at) => (&rest[..at], minutes(&rest[at..])),
    };
    // A fraction of a second says nothing here.
    let time = time.split('.').next()?;
    let [hour, minute, second] =
        numbers::<3>(time, ':').or_else(|| numbers::<2>(time, ':').map(|[h, m]| [h, m, 0]))?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let local = Timestamp::from_secs(seconds);
    let (y, mo, d, h, mi, s) = local.civil();
    let back = [y, mo.into(), d.into(), h.into(), mi.into(), s.into()];
    // What no calendar has comes back as another day.
    (back == [year, month, day, hour, minute, second])
        .then_some(Timestamp::from_secs(seconds - offset? * 60))
}

fn numbers<const N: usize>(text: &str, between: char) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut parts = text.split(between);
    for number in &mut found {
        let part = parts.next()?;
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *number = plain.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then_some(found)
}

/// Minutes ahead of UTC.
fn minutes(offset: &str) -> Option<i64> {
    if offset == "Z" {
        return Some(0);
    }
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let [hours, minutes] = numbers::<2>(offset.get(1..)?, ':')?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// Since 1970-01-01 in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, yoe) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted = (month + 9) % 12;
    let doy = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-07-14, 22:58 in Beijing.
    const THEN: Timestamp = Timestamp(1_784_041_080_000);

    #[test]
    fn people_read_and_type_beijing_time() {
        assert_eq!(shown(THEN), "7月14日22:58");
        assert_eq!(field(THEN), "2026-07-14T22:58");
        for same in [
            "2026-07-14T22:58",
            " 2026-07-14 22:58:00 ",
            "2026-07-14T14:58:00Z",
            "2026-07-14T22:58:00.000+08:00",
            "2026-07-14T09:58-05:00",
        ] {
            assert_eq!(read(same), Some(THEN), "{same}");
        }
        for wrong in [
            "",
            "22:58",
            "2026-02-30T22:58",
            "2026-07-14T24:00",
            "2026-07-14T22:58+0800",
            "2026-13-01T00:00",
            "2026-07-14T22",
            "二〇二六",
            "2026-07-14T22:58-日本",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_a_field_shows_is_read_back(minute in 0_i64..4_000_000_000 / 60) {
            let time = Timestamp::from_secs(minute * 60);
            prop_assert_eq!(read(&field(time)), Some(time));
        }

        #[test]
        fn nothing_that_is_typed_panics(text in "\\PC{0,40}") {
            read(&text);
        }
    }
}
