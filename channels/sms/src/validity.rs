//! A message's expiry in the form that SMPP and CMPP share: `YYMMDDhhmmsstnnp`. This module must not read a clock.

use channel::Timestamp;
use serde::Deserialize;

/// How a message's expiry is told to the far end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// As a moment: needs a far end whose clock is right.
    #[default]
    Absolute,
    /// As a span from now: for a far end whose clock is not.
    Relative,
    /// Not at all: for a far end that refuses the field.
    None,
}

/// `quarters` is how far the written moment is ahead of UTC, in quarters of an hour.
pub(crate) fn write(form: Validity, expires: Timestamp, now: Timestamp, quarters: u8) -> String {
    match form {
        Validity::None => String::new(),
        Validity::Absolute => {
            let ahead = std::time::Duration::from_mins(15) * u32::from(quarters);
            let (year, month, day, hour, minute, second) = expires.plus(ahead).civil();
            // Two digits of a year say nothing beyond this century; then the far end's own limit holds.
            if !(2000..2100).contains(&year) {
                return String::new();
            }
            format!(
                "{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}0{quarters:02}+",
                year % 100
            )
        }
        Validity::Relative => {
            // Years and months have no fixed length, so days carry at most 30.
            let left = expires.since(now).as_secs().clamp(1, 30 * 86_400);
            let (days, hours, minutes, seconds) =
                (left / 86_400, left / 3600 % 24, left / 60 % 60, left % 60);
            format!("0000{days:02}{hours:02}{minutes:02}{seconds:02}000R")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_expiry_is_told_as_a_moment_or_as_a_span() {
        let expires = Timestamp::from_secs(1_783_996_200);
        let now = Timestamp::from_secs(1_783_990_800);
        let validity = |form, expires| write(form, expires, now, 0);
        assert_eq!(validity(Validity::Absolute, expires), "260714023000000+");
        assert_eq!(
            write(Validity::Absolute, expires, now, 32),
            "260714103000032+"
        );
        assert_eq!(validity(Validity::Relative, expires), "000000013000000R");
        assert_eq!(validity(Validity::None, expires), "");
        assert_eq!(validity(Validity::Absolute, Timestamp(i64::MAX)), "");
        assert_eq!(
            validity(Validity::Relative, Timestamp(0)),
            "000000000001000R"
        );
        let far = now.plus(Duration::from_hours(90 * 24));
        assert_eq!(validity(Validity::Relative, far), "000030000000000R");
    }
}
