//! What became of a call, in the house's words: tables and one pure function. A machine is no answer, part of a warning
//! is no evidence, and a key is a person. This module must not place a call.

use std::time::Duration;

use channel::{Evidence, Failure, FailureClass, Verdict};
use serde::Deserialize;

use crate::talk::Answer;

/// How a call ended without anybody's having listened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Miss {
    Busy,
    NoAnswer,
    /// 关机, 不在服务区.
    Off,
    /// 空号, 停机.
    Invalid,
    /// Refused by whoever was called (挂断).
    Declined,
    /// A mailbox or an announcement picked up.
    Machine,
    /// The far end has no line left, or wants to be called less often.
    Throttled,
    /// The far end cannot take such a call.
    Content,
    /// The far end does not let us in.
    Denied,
    /// The far end is out of order.
    Fault,
    /// It may have rung; nobody knows.
    Lost,
}

impl Miss {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Busy => "voice:busy",
            Self::NoAnswer => "voice:no-answer",
            Self::Off => "voice:off",
            Self::Invalid => "voice:invalid",
            Self::Declined => "voice:declined",
            Self::Machine => "voice:machine",
            Self::Throttled => "voice:throttled",
            Self::Content => "voice:refused",
            Self::Denied => "voice:denied",
            Self::Fault => "voice:fault",
            Self::Lost => "voice:lost",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Busy => "the line called is busy",
            Self::NoAnswer => "nobody picked up",
            Self::Off => "the telephone is off or out of reach",
            Self::Invalid => "there is no such number, or it is out of service",
            Self::Declined => "the call was refused",
            Self::Machine => "a machine picked up",
            Self::Throttled => "the far end has no free line",
            Self::Content => "the far end does not take such a call",
            Self::Denied => "the far end refuses our account",
            Self::Fault => "the far end failed",
            Self::Lost => "the far end fell silent after the call was placed",
        }
    }

    pub const fn class(self) -> FailureClass {
        match self {
            Self::Busy
            | Self::NoAnswer
            | Self::Off
            | Self::Declined
            | Self::Machine
            | Self::Fault => FailureClass::Transient,
            Self::Invalid => FailureClass::BadAddress,
            Self::Throttled => FailureClass::Throttled,
            Self::Content => FailureClass::BadContent,
            Self::Denied => FailureClass::LinkDown,
            Self::Lost => FailureClass::InDoubt,
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// `after`: when the far end itself says to come again.
    Missed { miss: Miss, after: Option<Duration> },
    Answered {
        /// Of the message.
        heard: Duration,
        whole: bool,
        answer: Option<Answer>,
    },
}

impl From<Miss> for Ending {
    fn from(miss: Miss) -> Self {
        Self::Missed { miss, after: None }
    }
}

/// When to come again, and what counts as heard.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Who heard this much has the warning.
    pub heard: Duration,
    /// After a busy line.
    pub busy: Duration,
    /// After nobody picked up, a machine did, or somebody hung up too early.
    pub unanswered: Duration,
}

/// Whether somebody has it, and the receipt's code; or the failure.
pub fn judged(ending: Ending, rules: &Rules) -> Result<(Evidence, String), Failure> {
    match ending {
        Ending::Missed { miss, after } => {
            let failure = Failure::new(miss.class(), miss.code(), miss.detail());
            let wait = match miss {
                Miss::Busy => Some(rules.busy),
                Miss::NoAnswer | Miss::Off | Miss::Declined | Miss::Machine => {
                    Some(rules.unanswered)
                }
                _ => None,
            };
            Err(match after.or(wait) {
                Some(wait) => failure.retry_after(wait),
                None => failure,
            })
        }
        Ending::Answered {
            answer: Some(answer),
            heard,
            ..
        } => {
            let key = if answer == Answer::Done { 2 } else { 1 };
            Ok((
                Evidence::Acknowledged,
                format!("key {key} heard {}s", heard.as_secs()),
            ))
        }
        Ending::Answered { heard, whole, .. } if whole || heard >= rules.heard => {
            Ok((Evidence::Delivered, format!("heard {}s", heard.as_secs())))
        }
        Ending::Answered { .. } => Err(Failure::new(
            FailureClass::Transient,
            "voice:hung-up",
            "somebody picked up and hung up before the warning was heard",
        )
        .retry_after(rules.unanswered)),
    }
}

/// The same for a call that was taken before: a provider's later word.
pub fn told(ending: Ending, rules: &Rules) -> (Verdict, String) {
    match judged(ending, rules) {
        Ok((evidence, code)) => (Verdict::Reached(evidence), code),
        Err(failure) => (Verdict::Refused(failure.class), failure.code.into_owned()),
    }
}

/// What a final SIP answer means. The exchange's own cause (Q.850, in `Reason`) knows better than the SIP status that
/// it was translated into.
pub fn of_status(status: u16, cause: Option<u16>) -> Miss {
    cause.and_then(of_cause).unwrap_or(match status {
        486 | 600 => Miss::Busy,
        408 | 487 => Miss::NoAnswer,
        480 => Miss::Off,
        404 | 410 | 484 | 604 => Miss::Invalid,
        603 | 607 | 608 => Miss::Declined,
        401 | 402 | 403 | 407 => Miss::Denied,
        413 | 415 | 416 | 420 | 488 | 606 => Miss::Content,
        _ => Miss::Fault,
    })
}

fn of_cause(cause: u16) -> Option<Miss> {
    match cause {
        1 | 22 | 28 => Some(Miss::Invalid),
        17 => Some(Miss::Busy),
        18 | 19 => Some(Miss::NoAnswer),
        20 | 27 => Some(Miss::Off),
        21 => Some(Miss::Declined),
        34 | 42 | 44 => Some(Miss::Throttled),
        38 | 41 => Some(Miss::Fault),
        _ => None,
    }
}

/// The longest wait that a far end may ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A final SIP answer other than yes, with its `Reason` and `Retry-After`, empty where it has none.
pub fn refused(status: u16, reason: &str, retry_after: &str) -> Ending {
    let digits = retry_after
        .trim()
        .split(|c: char| !c.is_ascii_digit())
        .next();
    let seconds = digits.and_then(|digits| digits.parse().ok());
    let after = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
    let miss = match of_status(status, cause(reason)) {
        // Who says when to come again is not out of order.
        Miss::Fault if status == 503 && after.is_some() => Miss::Throttled,
        miss => miss,
    };
    Ending::Missed { miss, after }
}

/// The cause in a `Reason` header: `Q.850;cause=17;text="User busy"`.
pub fn cause(header: &str) -> Option<u16> {
    let mut parts = header.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("Q.850") {
        return None;
    }
    parts.find_map(|part| part.strip_prefix("cause=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        heard: Duration::from_secs(8),
        busy: Duration::from_mins(1),
        unanswered: Duration::from_mins(2),
    };

    const fn answered(heard: u64, whole: bool, answer: Option<Answer>) -> Ending {
        Ending::Answered {
            heard: Duration::from_secs(heard),
            whole,
            answer,
        }
    }

    #[test]
    fn who_heard_enough_has_it_and_who_pressed_a_key_knows_it() {
        for (ending, evidence, code) in [
            (
                answered(0, false, Some(Answer::Received)),
                Evidence::Acknowledged,
                "key 1 heard 0s",
            ),
            (
                answered(12, true, Some(Answer::Done)),
                Evidence::Acknowledged,
                "key 2 heard 12s",
            ),
            (answered(8, false, None), Evidence::Delivered, "heard 8s"),
            (answered(3, true, None), Evidence::Delivered, "heard 3s"),
        ] {
            assert_eq!(judged(ending, &RULES), Ok((evidence, code.to_owned())));
            assert_eq!(
                told(ending, &RULES),
                (Verdict::Reached(evidence), code.to_owned())
            );
        }
    }

    #[test]
    fn everything_else_is_a_failure_with_its_class_and_its_wait() {
        use FailureClass::{BadAddress, BadContent, InDoubt, LinkDown, Throttled, Transient};
        for (ending, class, code, wait) in [
            (Miss::Busy.into(), Transient, "voice:busy", Some(60)),
            (
                Miss::NoAnswer.into(),
                Transient,
                "voice:no-answer",
                Some(120),
            ),
            (Miss::Off.into(), Transient, "voice:off", Some(120)),
            (
                Miss::Declined.into(),
                Transient,
                "voice:declined",
                Some(120),
            ),
            (Miss::Machine.into(), Transient, "voice:machine", Some(120)),
            (Miss::Fault.into(), Transient, "voice:fault", None),
            (Miss::Invalid.into(), BadAddress, "voice:invalid", None),
            (Miss::Throttled.into(), Throttled, "voice:throttled", None),
            (Miss::Content.into(), BadContent, "voice:refused", None),
            (Miss::Denied.into(), LinkDown, "voice:denied", None),
            (Miss::Lost.into(), InDoubt, "voice:lost", None),
            (
                answered(7, false, None),
                Transient,
                "voice:hung-up",
                Some(120),
            ),
        ] {
            let failure = judged(ending, &RULES).unwrap_err();
            let found = (failure.class, &*failure.code, failure.retry_after);
            assert_eq!(found, (class, code, wait.map(Duration::from_secs)));
            assert_eq!(
                told(ending, &RULES),
                (Verdict::Refused(class), code.to_owned())
            );
        }
    }

    #[test]
    fn a_machine_never_counts_and_the_far_ends_own_wait_goes_first() {
        let (verdict, _) = told(Miss::Machine.into(), &RULES);
        assert_eq!(verdict, Verdict::Refused(FailureClass::Transient));
        let ending = Ending::Missed {
            miss: Miss::Throttled,
            after: Some(Duration::from_secs(5)),
        };
        assert_eq!(
            judged(ending, &RULES).unwrap_err().retry_after,
            Some(Duration::from_secs(5))
        );
    }

    #[test]
    fn the_exchanges_cause_knows_better_than_the_status() {
        for (status, reason, miss) in [
            (486, "", Miss::Busy),
            (480, "", Miss::Off),
            (480, "Q.850;cause=17;text=\"User busy\"", Miss::Busy),
            (480, "Q.850; cause=19", Miss::NoAnswer),
            (500, "Q.850;cause=1", Miss::Invalid),
            (503, "Q.850;cause=34", Miss::Throttled),
            (503, "Q.850;cause=20", Miss::Off),
            (603, "Q.850;cause=21", Miss::Declined),
            (404, "SIP;cause=486", Miss::Invalid),
            (404, "Q.850;cause=x", Miss::Invalid),
            (404, "Q.850;cause=16", Miss::Invalid),
            (408, "", Miss::NoAnswer),
            (487, "", Miss::NoAnswer),
            (403, "", Miss::Denied),
            (407, "", Miss::Denied),
            (488, "", Miss::Content),
            (503, "", Miss::Fault),
            (302, "", Miss::Fault),
        ] {
            assert_eq!(of_status(status, cause(reason)), miss, "{status} {reason}");
        }
    }

    #[test]
    fn who_says_when_to_come_again_is_throttled_and_not_believed_for_ever() {
        let missed = |miss, after: Option<u64>| Ending::Missed {
            miss,
            after: after.map(Duration::from_secs),
        };
        for (status, after, ending) in [
            (503, "18 (maintenance)", missed(Miss::Throttled, Some(18))),
            (503, "", missed(Miss::Fault, None)),
            (503, "soon", missed(Miss::Fault, None)),
            (486, "300;duration=60", missed(Miss::Busy, Some(300))),
            (480, "99999999", missed(Miss::Off, Some(3_600))),
            (480, "99999999999999999999999999", missed(Miss::Off, None)),
        ] {
            assert_eq!(refused(status, "", after), ending, "{status} {after}");
        }
    }
}
