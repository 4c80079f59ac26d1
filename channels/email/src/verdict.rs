//! What an SMTP answer means for the engine. Pure. Servers echo addresses in their answers, so this module must not
//! pass on more of them than the two codes.

use std::error::Error as _;
use std::io;

use channel::{Failure, FailureClass};
use lettre::transport::smtp;

use crate::enhanced::Enhanced;

/// How far a session had come. Nothing of the letter has left before `Text`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Connect,
    Login,
    Sender,
    Recipient,
    Data,
    Text,
}

/// Why a step did not end well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    Answer {
        code: u16,
        text: String,
    },
    /// Refused, broken, or an answer that breaks off.
    Lost,
    Timeout,
    /// A certificate that nobody vouches for, or bytes that are no SMTP.
    Garbled,
    /// The server does not offer what the configuration asks for.
    Unable,
}

impl From<smtp::Error> for Cause {
    fn from(error: smtp::Error) -> Self {
        if let Some(code) = error.status() {
            let text = error.source().map(ToString::to_string).unwrap_or_default();
            return Self::Answer {
                code: code.into(),
                text,
            };
        }
        // rustls hands its verdicts on as invalid data.
        if error.is_tls() || is_invalid_data(&error) {
            Self::Garbled
        } else if error.is_client() {
            Self::Unable
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Lost
        }
    }
}

fn is_invalid_data(error: &smtp::Error) -> bool {
    std::iter::successors(error.source(), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::InvalidData)
}

pub(crate) fn classify(step: Step, cause: &Cause) -> Failure {
    match cause {
        Cause::Answer { code, text } => answered(step, *code, text),
        Cause::Garbled if step == Step::Connect => Failure::new(
            FailureClass::LinkDown,
            "smtp:tls",
            "no TLS session with the mail server: see its certificate, `ca` and `tls`",
        ),
        Cause::Garbled => unanswered(step, "smtp:garbled"),
        Cause::Unable => Failure::new(
            FailureClass::LinkDown,
            "smtp:unable",
            "the mail server offers no STARTTLS or no login that the configuration asks for",
        ),
        Cause::Lost => unanswered(step, "smtp:lost"),
        Cause::Timeout => unanswered(step, "smtp:timeout"),
    }
}

fn unanswered(step: Step, code: &'static str) -> Failure {
    let class = match step {
        Step::Connect | Step::Login => FailureClass::LinkDown,
        Step::Sender | Step::Recipient | Step::Data => FailureClass::Transient,
        Step::Text => FailureClass::InDoubt,
    };
    Failure::new(class, code, what(step))
}

fn what(step: Step) -> &'static str {
    match step {
        Step::Connect => "connecting to the mail server",
        Step::Login => "logging in at the mail server",
        Step::Sender => "naming the sender",
        Step::Recipient => "naming the recipient",
        Step::Data => "asking to send the letter",
        Step::Text => "sending the letter",
    }
}

fn answered(step: Step, code: u16, text: &str) -> Failure {
    let enhanced = Enhanced::find(text).filter(|enhanced| enhanced.class == code / 100);
    let shown = match enhanced {
        Some(enhanced) => format!("smtp:{code} {enhanced}"),
        None => format!("smtp:{code}"),
    };
    let class = if code < 500 {
        passing(step, enhanced, text)
    } else {
        lasting(step, code, enhanced)
    };
    Failure::new(class, shown, what(step))
}

fn passing(step: Step, enhanced: Option<Enhanced>, text: &str) -> FailureClass {
    match step {
        Step::Login => FailureClass::LinkDown,
        _ if too_fast(enhanced, text) => FailureClass::Throttled,
        _ => FailureClass::Transient,
    }
}

fn lasting(step: Step, code: u16, enhanced: Option<Enhanced>) -> FailureClass {
    let blamed = enhanced.and_then(Enhanced::blames);
    match (step, blamed) {
        (Step::Connect | Step::Login, _) => FailureClass::LinkDown,
        // A login is wanted that the configuration does not give.
        _ if code == 530 => FailureClass::LinkDown,
        (Step::Sender, blamed) if code != 552 && blamed != Some(FailureClass::BadContent) => {
            FailureClass::LinkDown
        }
        (Step::Recipient, None) => FailureClass::BadAddress,
        (Step::Sender, _) | (Step::Data | Step::Text, None) => FailureClass::BadContent,
        (_, Some(blamed)) => blamed,
    }
}

/// Servers say it in words; 4.7.x alone is also greylisting.
fn too_fast(enhanced: Option<Enhanced>, text: &str) -> bool {
    const WORDS: [&str; 8] = [
        "too many",
        "rate",
        "throttl",
        "too fast",
        "too much",
        "limit",
        "frequency",
        "slow down",
    ];
    let text = text.to_lowercase();
    let greylisted = text.contains("greylist") || text.contains("graylist");
    let mailbox = enhanced.is_some_and(|enhanced| enhanced.subject == 2);
    !greylisted && !mailbox && WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use FailureClass::{BadAddress, BadContent, InDoubt, LinkDown, Throttled, Transient};

    use super::*;

    fn answer(step: Step, code: u16, text: &str) -> (FailureClass, String) {
        let failure = classify(
            step,
            &Cause::Answer {
                code,
                text: text.into(),
            },
        );
        (failure.class, failure.code.into_owned())
    }

    const TABLE: [(Step, u16, &str, FailureClass, &str); 23] = [
        (
            Step::Recipient,
            550,
            "5.1.1 <nobody@example.org>: no such user",
            BadAddress,
            "smtp:550 5.1.1",
        ),
        (
            Step::Recipient,
            550,
            "no such user here",
            BadAddress,
            "smtp:550",
        ),
        (
            Step::Recipient,
            554,
            "5.7.1 relay access denied",
            BadContent,
            "smtp:554 5.7.1",
        ),
        (
            Step::Recipient,
            450,
            "4.2.0 greylisted, limit 5 min",
            Transient,
            "smtp:450 4.2.0",
        ),
        (
            Step::Recipient,
            451,
            "4.7.1 Rate limit exceeded",
            Throttled,
            "smtp:451 4.7.1",
        ),
        (
            Step::Recipient,
            452,
            "4.2.2 over quota limit",
            Transient,
            "smtp:452 4.2.2",
        ),
        (
            Step::Recipient,
            451,
            "4.3.0 try again",
            Transient,
            "smtp:451 4.3.0",
        ),
        (
            Step::Sender,
            530,
            "5.7.0 authentication required",
            LinkDown,
            "smtp:530 5.7.0",
        ),
        (Step::Sender, 550, "who are you", LinkDown, "smtp:550"),
        (
            Step::Sender,
            552,
            "5.3.4 too big",
            BadContent,
            "smtp:552 5.3.4",
        ),
        (
            Step::Sender,
            421,
            "4.7.0 too many connections",
            Throttled,
            "smtp:421 4.7.0",
        ),
        (
            Step::Recipient,
            553,
            "5.1.8 sender domain unknown",
            BadContent,
            "smtp:553 5.1.8",
        ),
        (
            Step::Recipient,
            552,
            "5.2.2 mailbox full",
            Transient,
            "smtp:552 5.2.2",
        ),
        (
            Step::Text,
            550,
            "5.7.13 account disabled",
            BadAddress,
            "smtp:550 5.7.13",
        ),
        (
            Step::Recipient,
            550,
            "4.4.4.4 5.3.0 no",
            BadAddress,
            "smtp:550 5.3.0",
        ),
        (Step::Text, 554, "5.7.1 spam", BadContent, "smtp:554 5.7.1"),
        (
            Step::Text,
            554,
            "transaction failed",
            BadContent,
            "smtp:554",
        ),
        (Step::Text, 550, "5.1.1 gone", BadAddress, "smtp:550 5.1.1"),
        (
            Step::Text,
            451,
            "4.3.2 shutting down",
            Transient,
            "smtp:451 4.3.2",
        ),
        (
            Step::Login,
            535,
            "5.7.8 wrong password",
            LinkDown,
            "smtp:535 5.7.8",
        ),
        (Step::Login, 454, "4.7.0 later", LinkDown, "smtp:454 4.7.0"),
        (Step::Connect, 554, "no service", LinkDown, "smtp:554"),
        (Step::Connect, 421, "busy", Transient, "smtp:421"),
    ];

    #[test]
    fn every_answer_has_its_class_by_the_step_it_came_at() {
        for (step, code, text, class, shown) in TABLE {
            assert_eq!(
                answer(step, code, text),
                (class, shown.to_owned()),
                "{step:?} {code} {text}"
            );
        }
    }

    #[test]
    fn a_lost_answer_is_in_doubt_only_after_the_letter() {
        for (step, class) in [
            (Step::Connect, LinkDown),
            (Step::Login, LinkDown),
            (Step::Sender, Transient),
            (Step::Recipient, Transient),
            (Step::Data, Transient),
            (Step::Text, InDoubt),
        ] {
            assert_eq!(classify(step, &Cause::Lost).class, class, "{step:?}");
            assert_eq!(classify(step, &Cause::Timeout).class, class, "{step:?}");
            assert_eq!(classify(step, &Cause::Garbled).class, class, "{step:?}");
        }
    }

    #[test]
    fn no_word_of_the_answer_is_passed_on() {
        let text = "5.1.1 <nobody@example.org> unknown".to_owned();
        let failure = classify(Step::Recipient, &Cause::Answer { code: 550, text });
        assert!(!format!("{failure} {failure:?}").contains("nobody"));
    }
}
