//! What a controller tells the gateway, and what it proves. Only a play of the whole text is evidence; this module
//! must not claim more than the report says.

use channel::{Evidence, FailureClass, Of, PresenceState, Receipt, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlayState {
    Playing,
    Played,
    Failed,
}

/// Who made the speaker sound. Only `Gateway` is about an order of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    #[default]
    Gateway,
    /// Somebody at the microphone, a telephone call, a text or a stick.
    #[serde(
        alias = "microphone",
        alias = "telephone",
        alias = "text",
        alias = "usb"
    )]
    Local,
    Other,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub device: String,
    /// The order's `order`; left out for local play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    pub state: PlayState,
    /// The whole text was played, to its end, with the amplifier on. Not said is not so.
    #[serde(default)]
    pub whole: bool,
    #[serde(default)]
    pub source: Source,
    #[serde(default)]
    pub seconds: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Report {
    pub(crate) fn is_last(&self) -> bool {
        self.state != PlayState::Playing
    }

    pub(crate) fn receipt(&self, of: Of, seen: Timestamp) -> Receipt {
        let (verdict, code) = match (self.state, self.whole) {
            (PlayState::Playing, _) => (Verdict::Progress, "playing".to_owned()),
            (PlayState::Played, true) => (
                Verdict::Reached(Evidence::Acknowledged),
                "played".to_owned(),
            ),
            // Half a warning may be worse than none: it is to be played again.
            (PlayState::Played, false) => (
                Verdict::Refused(FailureClass::Transient),
                format!("played-part {}", self.seconds),
            ),
            (PlayState::Failed, _) => {
                let code = plain(&self.code);
                (
                    Verdict::Refused(failed(&code)),
                    format!("failed {code}").trim_end().to_owned(),
                )
            }
        };
        Receipt {
            of,
            verdict,
            code,
            far: self.at,
            seen,
        }
    }
}

/// The codes that say that this device will never play our orders until somebody repairs its enrolment.
fn failed(code: &str) -> FailureClass {
    match code {
        "forged" | "not-addressed" | "gone" | "no-speaker" => FailureClass::BadAddress,
        _ => FailureClass::Transient,
    }
}

/// A controller's word as a short code: nothing that could be a name, a number or a text passes.
fn plain(code: &str) -> String {
    let letter = |c: &char| c.is_ascii_lowercase() || *c == '-';
    code.chars().filter(letter).take(24).collect()
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    pub device: String,
    /// `idle`, `playing` or `fault`.
    pub state: PresenceState,
    /// The device's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<u8>,
}

impl Heartbeat {
    /// What an officer should know of it: a clock that is wrong refuses good orders, a volume of 0 is no speaker.
    pub(crate) fn code(&self, now: Timestamp) -> String {
        let wrong = self
            .clock
            .is_some_and(|clock| clock.0.abs_diff(now.0) > 30_000);
        match (wrong, self.volume) {
            (true, _) => "clock-wrong".into(),
            (false, Some(0)) => "muted".into(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use channel::Key;

    use super::*;

    const KEY: Key = Key {
        alert: 1,
        delivery: 2,
        generation: 0,
    };

    fn verdict(json: &str) -> (Verdict, String) {
        let report: Report = serde_json::from_str(json).expect("a report");
        let receipt = report.receipt(Of::Key(KEY), Timestamp(5));
        (receipt.verdict, receipt.code)
    }

    #[test]
    fn only_a_whole_play_is_evidence() {
        let whole =
            r#"{"device":"a","order":"1-2-0","state":"played","whole":true,"source":"gateway"}"#;
        assert_eq!(
            verdict(whole),
            (Verdict::Reached(Evidence::Acknowledged), "played".into())
        );
        let part = r#"{"device":"a","order":"1-2-0","state":"played","whole":false,"seconds":4}"#;
        assert_eq!(
            verdict(part),
            (
                Verdict::Refused(FailureClass::Transient),
                "played-part 4".into()
            )
        );
        let unsaid = r#"{"device":"a","order":"1-2-0","state":"played"}"#;
        assert_eq!(verdict(unsaid).0, Verdict::Refused(FailureClass::Transient));
        let playing = r#"{"device":"a","order":"1-2-0","state":"playing"}"#;
        assert_eq!(verdict(playing).0, Verdict::Progress);
    }

    #[test]
    fn a_failure_is_final_for_the_device_only_by_its_code() {
        let failed = |code: &str| {
            verdict(&format!(
                r#"{{"device":"a","state":"failed","code":"{code}"}}"#
            ))
        };
        assert_eq!(
            failed("forged"),
            (
                Verdict::Refused(FailureClass::BadAddress),
                "failed forged".into()
            )
        );
        assert_eq!(
            failed("amplifier"),
            (
                Verdict::Refused(FailureClass::Transient),
                "failed amplifier".into()
            )
        );
        assert_eq!(
            failed("call 13900000000"),
            (
                Verdict::Refused(FailureClass::Transient),
                "failed call".into()
            )
        );
    }

    #[test]
    fn a_heartbeat_tells_of_a_wrong_clock_and_of_a_muted_speaker() {
        let beat = |json: &str| {
            serde_json::from_str::<Heartbeat>(json)
                .expect("a heartbeat")
                .code(Timestamp(100_000))
        };
        assert_eq!(
            beat(r#"{"device":"a","state":"idle","clock":60000}"#),
            "clock-wrong"
        );
        assert_eq!(
            beat(r#"{"device":"a","state":"idle","clock":99000,"volume":0}"#),
            "muted"
        );
        assert_eq!(
            beat(r#"{"device":"a","state":"idle","clock":99000,"volume":80}"#),
            ""
        );
    }
}
