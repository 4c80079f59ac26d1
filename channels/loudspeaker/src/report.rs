//! What a controller tells the gateway, and what it proves. Only a play of the whole text is evidence; this module
//! must not claim more than the report says.

use channel::{
    CLOCK_WRONG, Evidence, FailureClass, MUTED, ON_BATTERY, Of, Power, PresenceState, Receipt,
    Timestamp, Verdict,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlayState {
    Playing,
    Played,
    Failed,
    /// Cut off by what goes first; it goes on when that is over.
    PreEmpted,
    /// Ended by an order to stop.
    Stopped,
    /// An order that does not sound was carried out.
    Done,
}

/// Who made the speaker sound. Only `Network` is about an order of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    #[default]
    Network,
    /// 话筒
    Microphone,
    /// 电话
    Phone,
    /// 短信
    Sms,
    /// U盘
    Usb,
}

impl Source {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Microphone => "microphone",
            Self::Phone => "phone",
            Self::Sms => "sms",
            Self::Usb => "usb",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The order's `order`; left out for local play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    pub state: PlayState,
    /// The whole text was played, to its end and at least once, with the amplifier on. Not said is not so.
    #[serde(default)]
    pub whole: bool,
    #[serde(default)]
    pub source: Source,
    /// For how long it has really sounded.
    #[serde(default)]
    pub seconds: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// More is said as this much: a code is kept for each figure.
const LONGEST_PLAY: u32 = 3600;

impl Report {
    pub(crate) fn is_last(&self) -> bool {
        !matches!(self.state, PlayState::Playing | PlayState::PreEmpted)
    }

    pub(crate) fn receipt(&self, of: Of, seen: Timestamp) -> Receipt {
        let seconds = self.seconds.min(LONGEST_PLAY);
        let proven = Verdict::Reached(Evidence::Acknowledged);
        // Half a warning may be worse than none: it is no evidence.
        let part = Verdict::Refused(FailureClass::Transient);
        let (verdict, code) = match (self.state, self.whole) {
            (PlayState::Playing, _) => (Verdict::Progress, "playing".to_owned()),
            (PlayState::PreEmpted, _) => (Verdict::Progress, "pre-empted".to_owned()),
            (PlayState::Played, true) => (proven, format!("played {seconds}")),
            (PlayState::Stopped, true) => (proven, format!("stopped {seconds}")),
            (PlayState::Played, false) => (part, format!("played-part {seconds}")),
            (PlayState::Stopped | PlayState::Done, _) => (part, format!("stopped {seconds}")),
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
pub(crate) fn plain(code: &str) -> String {
    let letter = |c: &char| c.is_ascii_lowercase() || *c == '-';
    code.chars().filter(letter).take(24).collect()
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    /// `idle`, `playing` or `fault`.
    pub state: PresenceState,
    /// The device's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<u8>,
    /// `mains`, `battery` or `solar`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// Of a full battery, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery: Option<u8>,
    /// Free space for orders, in megabytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_mb: Option<u32>,
    /// Inside the box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub celsius: Option<i16>,
    /// What is wrong, in the device's own short word: `amplifier`, `storage`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
}

/// A clock that is further off refuses good orders.
pub const CLOCK_ERROR: i64 = 30_000;

impl Heartbeat {
    pub fn idle() -> Self {
        Self {
            state: PresenceState::Idle,
            clock: None,
            volume: None,
            power: None,
            battery: None,
            free_mb: None,
            celsius: None,
            code: String::new(),
        }
    }

    /// What is wrong with it, in words for whoever wrote the device.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let hundredths = |value: Option<u8>| value.is_none_or(|value| value <= 100);
        match self.state {
            PresenceState::Silent | PresenceState::Enrolled => {
                Some("`state` is idle, playing or fault")
            }
            _ if !hundredths(self.volume) => Some("`volume` is 0 to 100"),
            _ if !hundredths(self.battery) => Some("`battery` is 0 to 100"),
            _ => None,
        }
    }

    pub(crate) fn clock_error(&self, now: Timestamp) -> Option<i64> {
        Some(self.clock?.0.saturating_sub(now.0))
    }

    /// What an officer should know of it: its fault; a clock that is wrong refuses good orders, a volume of 0 is no
    /// speaker, and one whose mains went is silent when its battery is empty.
    pub(crate) fn word(&self, now: Timestamp, on_battery: bool) -> String {
        let wrong = self
            .clock_error(now)
            .is_some_and(|error| error.unsigned_abs() > CLOCK_ERROR.unsigned_abs());
        let own = plain(&self.code);
        if self.state == PresenceState::Fault && !own.is_empty() {
            own
        } else if wrong {
            CLOCK_WRONG.into()
        } else if self.volume == Some(0) {
            MUTED.into()
        } else if on_battery {
            ON_BATTERY.into()
        } else {
            String::new()
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
            r#"{"order":"1-2-0","state":"played","whole":true,"source":"network","seconds":40}"#;
        assert_eq!(
            verdict(whole),
            (Verdict::Reached(Evidence::Acknowledged), "played 40".into())
        );
        let part = r#"{"order":"1-2-0","state":"played","whole":false,"seconds":4}"#;
        assert_eq!(
            verdict(part),
            (
                Verdict::Refused(FailureClass::Transient),
                "played-part 4".into()
            )
        );
        let unsaid = r#"{"order":"1-2-0","state":"played"}"#;
        assert_eq!(verdict(unsaid).0, Verdict::Refused(FailureClass::Transient));
        let playing = r#"{"order":"1-2-0","state":"playing"}"#;
        assert_eq!(verdict(playing).0, Verdict::Progress);
        let cut = r#"{"order":"1-2-0","state":"pre-empted","seconds":3}"#;
        assert_eq!(verdict(cut), (Verdict::Progress, "pre-empted".into()));
    }

    #[test]
    fn a_play_that_was_stopped_is_evidence_where_the_whole_text_was_heard_before() {
        let stopped = |whole: bool| {
            verdict(&format!(
                r#"{{"order":"1-2-0","state":"stopped","whole":{whole},"seconds":99999}}"#
            ))
        };
        let heard = Verdict::Reached(Evidence::Acknowledged);
        assert_eq!(stopped(true), (heard, "stopped 3600".into()));
        let part = Verdict::Refused(FailureClass::Transient);
        assert_eq!(stopped(false), (part, "stopped 3600".into()));
    }

    #[test]
    fn a_failure_is_final_for_the_device_only_by_its_code() {
        let failed = |code: &str| verdict(&format!(r#"{{"state":"failed","code":"{code}"}}"#));
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
                .word(Timestamp(100_000), false)
        };
        assert_eq!(beat(r#"{"state":"idle","clock":60000}"#), "clock-wrong");
        assert_eq!(
            beat(r#"{"state":"idle","clock":99000,"volume":0}"#),
            "muted"
        );
        assert_eq!(beat(r#"{"state":"idle","clock":99000,"volume":80}"#), "");
        assert_eq!(
            beat(r#"{"state":"fault","code":"amplifier 1","volume":0}"#),
            "amplifier"
        );
        assert_eq!(Heartbeat::idle().word(Timestamp(0), true), "on-battery");
    }
}
