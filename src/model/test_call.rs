//! 拨测: what came of the test of a satellite terminal, and what is assumed of the terminal by the last one. It is taken to
//! be off until its last test says otherwise, and a proof of long ago is doubtful. Pure: this module must not schedule a
//! test and must not read a clock.

use std::time::Duration;

use channel::Timestamp;
use serde::{Deserialize, Serialize};

/// What is known of one test, the better the later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestResult {
    /// It could not be sent: nothing is said of the terminal.
    Unsent,
    /// The far end took it, and nothing more is known yet.
    Sent,
    /// The far end gave it up.
    Unreached,
    /// Nobody answered in time.
    Silent,
    /// The terminal has it.
    Reached,
    /// A person answered.
    Answered,
}

impl TestResult {
    pub const ALL: [Self; 6] = [
        Self::Unsent,
        Self::Sent,
        Self::Unreached,
        Self::Silent,
        Self::Reached,
        Self::Answered,
    ];

    /// Whether it says anything of the terminal.
    pub const fn concludes(self) -> bool {
        !matches!(self, Self::Unsent | Self::Sent)
    }

    pub const fn proves(self) -> bool {
        matches!(self, Self::Reached | Self::Answered)
    }

    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unsent => ("unsent", "未发出"),
            Self::Sent => ("sent", "已发出,待回复"),
            Self::Unreached => ("unreached", "未送达"),
            Self::Silent => ("silent", "超时未回复"),
            Self::Reached => ("reached", "终端已收到"),
            Self::Answered => ("answered", "已回复"),
        }
    }
}

/// What is assumed of a terminal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestStanding {
    /// Never tested, or its last test found nobody.
    Off,
    /// Its last good test is too long ago.
    Doubtful,
    On,
}

/// A terminal that was not proved for this long is doubtful.
const DOUBTFUL: Duration = Duration::from_hours(60 * 24);

impl TestStanding {
    /// By the last test that said anything of the terminal.
    pub fn of(concluded: Option<(TestResult, Timestamp)>, now: Timestamp) -> Self {
        match concluded {
            Some((result, at)) if result.proves() && now.since(at) <= DOUBTFUL => Self::On,
            Some((result, _)) if result.proves() => Self::Doubtful,
            Some(_) | None => Self::Off,
        }
    }

    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Off => ("off", "假定关机"),
            Self::Doubtful => ("doubtful", "存疑"),
            Self::On => ("on", "可用"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_783_990_800);

    #[test]
    fn a_terminal_is_off_until_its_last_test_says_otherwise() {
        let by = |result, days: u64| {
            let at = NOW.minus(Duration::from_hours(days * 24));
            TestStanding::of(Some((result, at)), NOW)
        };
        assert_eq!(TestStanding::of(None, NOW), TestStanding::Off);
        assert_eq!(by(TestResult::Answered, 7), TestStanding::On);
        assert_eq!(by(TestResult::Reached, 60), TestStanding::On);
        assert_eq!(by(TestResult::Reached, 61), TestStanding::Doubtful);
        assert_eq!(by(TestResult::Unreached, 1), TestStanding::Off);
        assert_eq!(by(TestResult::Silent, 1), TestStanding::Off);
    }

    #[test]
    fn what_could_not_be_sent_says_nothing_of_the_terminal() {
        let says = TestResult::ALL.map(TestResult::concludes);
        assert_eq!(says, [false, false, true, true, true, true]);
        assert!(TestResult::ALL.is_sorted() && !TestResult::Silent.proves());
    }
}
