//! What a person enters: 已播, 已转 or 做不到, who did it and when, and an attachment. It is a document, never a journal's
//! field: names and texts can be erased. This module must not show either in `Debug`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use channel::{Evidence, FailureClass, Request, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

use crate::refusal::{self, Refused};
use crate::sniff::sniff;
use crate::{form, moment};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// 已播
    Played,
    /// 已转
    Relayed,
    /// 做不到
    Cannot,
}

impl Outcome {
    pub const ALL: [Self; 3] = [Self::Played, Self::Relayed, Self::Cannot];

    /// As the journal and the API write it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Played => "played",
            Self::Relayed => "relayed",
            Self::Cannot => "cannot",
        }
    }

    /// Chinese and English.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Played => ("已播", "played"),
            Self::Relayed => ("已转", "passed on"),
            Self::Cannot => ("做不到", "cannot"),
        }
    }

    /// A person answers for what was done. What cannot be done now is no fault of the place: it is asked again next time.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Played | Self::Relayed => Verdict::Reached(Evidence::Acknowledged),
            Self::Cannot => Verdict::Refused(FailureClass::Transient),
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == word)
    }
}

/// How an officer was told what somebody else has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    Phone,
    Radio,
    InPerson,
    Message,
    Other,
}

impl Means {
    const ALL: [Self; 5] = [
        Self::Phone,
        Self::Radio,
        Self::InPerson,
        Self::Message,
        Self::Other,
    ];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Radio => "radio",
            Self::InPerson => "in-person",
            Self::Message => "message",
            Self::Other => "other",
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|means| means.code() == word)
    }
}

/// 代报: an officer took it down.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// The bureau that was signed in.
    pub by: String,
    pub means: Means,
}

/// As it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub outcome: Outcome,
    pub name: String,
    /// When it was done, as the person says.
    pub done: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
}

impl Entry {
    /// As the receipt and the journal have it.
    pub const fn code(&self) -> &'static str {
        match (self.outcome, self.reported.is_some()) {
            (outcome, false) => outcome.code(),
            (Outcome::Played, true) => "played:reported",
            (Outcome::Relayed, true) => "relayed:reported",
            (Outcome::Cannot, true) => "cannot:reported",
        }
    }
}

/// As it was posted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    base64: String,
}

impl Attachment {
    /// With its type and a name's ending; nothing where it is not what was taken.
    pub fn open(&self) -> Option<(Bytes, &'static str, &'static str)> {
        let bytes = STANDARD.decode(&self.base64).ok()?;
        let (mime, ending) = sniff(&bytes)?;
        Some((bytes.into(), mime, ending))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("outcome", &self.outcome)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

/// Not yet judged.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    note: String,
    /// At an officer's desk alone.
    #[serde(default)]
    means: String,
    /// Base64.
    #[serde(default)]
    attachment: Option<String>,
}

/// What an entry may be: not before the warning, not in the future but for a clock that goes a little wrong.
pub struct Bounds<'a> {
    pub since: Timestamp,
    pub now: Timestamp,
    /// Bytes; 0 takes none.
    pub attachment: usize,
    /// Whose desk it is, where an officer takes down what somebody else tells.
    pub operator: Option<&'a str>,
}

const LONGEST_NAME: usize = 20;
const LONGEST_NOTE: usize = 200;
/// A phone's clock may be so far ahead.
const CLOCK_ERROR: std::time::Duration = std::time::Duration::from_mins(5);
/// People write minutes.
const MINUTE: std::time::Duration = std::time::Duration::from_mins(1);

pub fn read(request: &Request, bounds: &Bounds<'_>) -> Result<Entry, Refused> {
    let raw = raw(request)?;
    let outcome = Outcome::read(&raw.outcome).ok_or(refusal::NO_OUTCOME)?;
    let name = plain(&raw.name);
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) {
        return Err(refusal::NO_NAME);
    }
    let note = plain(&raw.note);
    if note.chars().count() > LONGEST_NOTE {
        return Err(refusal::LONG_NOTE);
    }
    let done = moment::read(&raw.done).ok_or(refusal::NO_TIME)?;
    if done > bounds.now.plus(CLOCK_ERROR) {
        return Err(refusal::AHEAD);
    }
    if done.plus(MINUTE) < bounds.since {
        return Err(refusal::BEFORE);
    }
    let reported = match bounds.operator {
        Some(by) => Some(Reported {
            by: by.to_owned(),
            means: Means::read(&raw.means).ok_or(refusal::NO_MEANS)?,
        }),
        None if raw.means.is_empty() => None,
        // Who has an outlet's link speaks for the outlet.
        None => return Err(refusal::NOT_READ),
    };
    let attachment = raw.attachment.filter(|text| !text.is_empty());
    let attachment = attachment.map(|text| attached(text, bounds.attachment));
    Ok(Entry {
        outcome,
        name,
        done,
        note,
        attachment: attachment.transpose()?,
        reported,
    })
}

/// serde's words may repeat the caller's text, so they are not given back.
fn raw(request: &Request) -> Result<Raw, Refused> {
    let kind = request.header("content-type").unwrap_or_default();
    if kind.starts_with("application/json") {
        return serde_json::from_slice(&request.body).map_err(|_| refusal::NOT_READ);
    }
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(refusal::NOT_READ);
    }
    let mut raw = Raw::default();
    for (name, value) in form::fields(&request.body) {
        match name.as_str() {
            "outcome" => raw.outcome = value,
            "name" => raw.name = value,
            "done" => raw.done = value,
            "note" => raw.note = value,
            _ => return Err(refusal::NOT_READ),
        }
    }
    Ok(raw)
}

/// On one line, without what no keyboard writes.
fn plain(text: &str) -> String {
    let mapped = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let kept: String = mapped.filter(|c| !c.is_control()).collect();
    kept.trim().to_owned()
}

fn attached(text: String, most: usize) -> Result<Attachment, Refused> {
    if most == 0 {
        return Err(refusal::NO_ATTACHMENTS);
    }
    // Four characters are three bytes: what is too large is not decoded.
    if text.len() / 4 * 3 > most + 3 {
        return Err(refusal::LARGE_ATTACHMENT);
    }
    let bytes = STANDARD
        .decode(&text)
        .map_err(|_| refusal::BAD_ATTACHMENT)?;
    if bytes.len() > most {
        return Err(refusal::LARGE_ATTACHMENT);
    }
    match sniff(&bytes) {
        Some(_) => Ok(Attachment { base64: text }),
        None => Err(refusal::BAD_ATTACHMENT),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// 2026-07-14, 22:58 in Beijing.
    const NOW: Timestamp = Timestamp(1_784_041_080_000);

    fn post(kind: &str, body: impl Into<bytes::Bytes>) -> Result<Entry, Refused> {
        posted(kind, body, None)
    }

    fn posted(
        kind: &str,
        body: impl Into<bytes::Bytes>,
        operator: Option<&str>,
    ) -> Result<Entry, Refused> {
        let request = Request {
            method: "POST".into(),
            headers: vec![("content-type".into(), kind.into())],
            body: body.into(),
            ..Request::default()
        };
        let bounds = Bounds {
            since: NOW.minus(std::time::Duration::from_mins(30)),
            now: NOW,
            attachment: 100,
            operator,
        };
        read(&request, &bounds)
    }

    fn with(changed: &Value) -> Result<Entry, Refused> {
        let mut body = json!({"outcome": "played", "name": "测试员甲", "done": "2026-07-14T22:55"});
        for (key, value) in changed.as_object().expect("an object") {
            body[key] = value.clone();
        }
        post("application/json; charset=utf-8", body.to_string())
    }

    fn code(changed: &Value) -> &'static str {
        with(changed).expect_err("refused").code
    }

    #[test]
    fn an_entry_says_what_who_and_when_by_form_and_by_json() {
        let json = with(&json!({})).expect("an entry");
        let form = b"outcome=played&name=%E6%B5%8B%E8%AF%95%E5%91%98%E7%94%B2&done=2026-07-14T22%3A55&note=";
        let form = post("application/x-www-form-urlencoded", &form[..]).expect("an entry");
        assert!(json == form);
        assert_eq!(json.outcome, Outcome::Played);
        assert!(json.name == "测试员甲");
        assert_eq!(json.done, NOW.minus(std::time::Duration::from_mins(3)));
        assert!(!format!("{json:?}").contains("测试员"));
    }

    #[test]
    fn each_thing_that_is_wrong_is_refused_by_its_own_name() {
        for (changed, wanted) in [
            (json!({"outcome": "done"}), "no-outcome"),
            (json!({"outcome": ""}), "no-outcome"),
            (json!({"name": " \u{7}\n"}), "no-name"),
            (json!({"name": "名".repeat(21)}), "no-name"),
            (json!({"note": "长".repeat(201)}), "long-note"),
            (json!({"done": "昨晚"}), "no-time"),
            (json!({"done": "2026-07-14T23:04"}), "time-ahead"),
            (json!({"done": "2026-07-14T22:26"}), "time-before"),
            (json!({"attachment": "!"}), "bad-attachment"),
            (
                json!({"attachment": STANDARD.encode("<svg/>")}),
                "bad-attachment",
            ),
            (
                json!({"attachment": STANDARD.encode([0; 101])}),
                "large-attachment",
            ),
            (
                json!({"attachment": "A".repeat(10_000)}),
                "large-attachment",
            ),
            (json!({"other": 1}), "bad-body"),
            (json!({"name": 5}), "bad-body"),
        ] {
            assert_eq!(code(&changed), wanted, "{changed}");
        }
        for (kind, body) in [
            ("text/plain", "{}"),
            ("application/json", "{"),
            ("application/x-www-form-urlencoded", "file=x"),
        ] {
            assert_eq!(post(kind, body).expect_err("refused").code, "bad-body");
        }
    }

    #[test]
    fn only_an_officers_desk_says_by_which_means_and_it_has_to() {
        let entry = json!({"outcome": "relayed", "name": "测试员甲", "done": "2026-07-14T22:55"});
        let desk = |means: &str| {
            let mut entry = entry.clone();
            entry["means"] = means.into();
            posted("application/json", entry.to_string(), Some("duty"))
        };
        for means in Means::ALL {
            let entry = desk(means.code()).expect("an entry");
            assert_eq!(entry.code(), "relayed:reported");
            let reported = entry.reported.expect("by an officer");
            assert!(reported.by == "duty" && reported.means == means);
        }
        for wrong in ["", "pigeon"] {
            assert_eq!(desk(wrong).expect_err("refused").code, "no-means");
        }
        assert_eq!(code(&json!({"means": "phone"})), "bad-body");
    }

    #[test]
    fn an_attachment_is_what_its_bytes_say() {
        let jpeg = STANDARD.encode(b"\xff\xd8\xff\xe0rest");
        let posted = with(&json!({"attachment": jpeg})).expect("an entry");
        let attachment = posted.attachment.expect("one");
        let (bytes, mime, ending) = attachment.open().expect("a picture");
        assert_eq!((mime, ending), ("image/jpeg", "jpg"));
        assert!(bytes.ends_with(b"rest"));
        assert!(
            with(&json!({"attachment": ""}))
                .expect("an entry")
                .attachment
                .is_none()
        );
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..300), json in any::<bool>()) {
            let kind = if json { "application/json" } else { "application/x-www-form-urlencoded" };
            let _ = post(kind, body);
        }
    }
}
