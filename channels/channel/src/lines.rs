//! Telephone lines: each is taken for as long as a call lasts, so calls take turns. Two pure answers for whoever plans
//! them; this module must not know how a call is placed.

use std::time::Duration;

/// When the last of so many first calls starts, counted from the first; `None` where there is no line for any.
pub fn last_first_call(calls: u32, lines: u32, each: Duration) -> Option<Duration> {
    let Some(last) = calls.checked_sub(1) else {
        return Some(Duration::ZERO);
    };
    each.checked_mul(last.checked_div(lines)?)
}

/// How many lines it takes that every first call has started within `limit`.
pub fn lines_needed(calls: u32, each: Duration, limit: Duration) -> u32 {
    let turns = limit.as_nanos().checked_div(each.as_nanos());
    let turns = turns.map_or(u128::from(calls), |turns| turns + 1);
    u32::try_from(u128::from(calls).div_ceil(turns.max(1))).unwrap_or(calls)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EACH: Duration = Duration::from_secs(45);

    #[test]
    fn a_countys_officers_take_twelve_minutes_on_thirty_lines_and_three_on_a_hundred_and_two() {
        let minutes = |n| Some(Duration::from_mins(n));
        assert_eq!(last_first_call(506, 30, EACH), minutes(12));
        assert_eq!(lines_needed(506, EACH, Duration::from_mins(3)), 102);
        assert_eq!(last_first_call(506, 102, EACH), Some(4 * EACH));
        assert!(last_first_call(506, 101, EACH) > minutes(3));
    }

    #[test]
    fn no_calls_need_no_line_and_no_line_starts_no_call() {
        assert_eq!(last_first_call(0, 0, EACH), Some(Duration::ZERO));
        assert_eq!(last_first_call(1, 0, EACH), None);
        assert_eq!(lines_needed(0, EACH, Duration::ZERO), 0);
        assert_eq!(lines_needed(7, EACH, Duration::ZERO), 7);
        assert_eq!(lines_needed(7, Duration::ZERO, EACH), 1);
    }

    proptest! {
        #[test]
        fn the_lines_needed_are_enough_and_one_fewer_is_not(
            calls in 1_u32..5_000, each in 1_u64..300, limit in 0_u64..3_600,
        ) {
            let (each, limit) = (Duration::from_secs(each), Duration::from_secs(limit));
            let lines = lines_needed(calls, each, limit);
            prop_assert!(last_first_call(calls, lines, each).unwrap() <= limit);
            prop_assert!(last_first_call(calls, lines - 1, each).is_none_or(|last| last > limit));
        }
    }
}
