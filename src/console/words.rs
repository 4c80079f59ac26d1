//! What an event of a delivery says besides its name, as an officer reads it: terms in Chinese and English, times of
//! Beijing. This module must not leave anything out silently but what another column shows: a field that it does not know
//! is shown as it is.

use channel::{Evidence, Timestamp};
use serde_json::{Map, Value};

use super::layout::clock;
use crate::coverage::words::of_evidence;

/// Fields that the row, or a field beside them, already says.
const SHOWN_ELSEWHERE: [&str; 8] = [
    "channel",
    "references",
    "serial",
    "by",
    "seen",
    "class",
    "audience",
    "next",
];

/// `channel`: what stands above the table, the account by which the delivery goes. Another one is named.
pub fn of(more: &Value, channel: &str) -> String {
    let Some(fields) = more.as_object() else {
        return String::new();
    };
    let shown = fields
        .iter()
        .filter(|(key, value)| !value.is_null() && !SHOWN_ELSEWHERE.contains(&key.as_str()));
    let by = fields.get("channel").and_then(Value::as_str);
    let moves = fields.contains_key("why_zh");
    let other = by.filter(|by| *by != channel || moves);
    let account = other.map(|by| format!("{} {by}", if moves { "改走 to" } else { "经 by" }));
    let words = shown.filter_map(|(key, value)| field(key, value, fields));
    let all: Vec<_> = account.into_iter().chain(words).collect();
    all.join(" · ")
}

fn field(key: &str, value: &Value, fields: &Map<String, Value>) -> Option<String> {
    let number = value.as_u64();
    let said = match (key, value.as_str(), number) {
        ("attempt", _, Some(n)) => format!("第{n}次 attempt {n}"),
        // What is usual needs no word.
        ("part" | "step", _, Some(0)) | ("code", Some(""), _) => return None,
        ("part", _, Some(n)) => format!("第{0}段 part {0}", n + 1),
        ("step", _, Some(n)) => format!("第{n}步 step {n}"),
        ("audience_zh", Some(zh), _) => {
            let en = fields.get("audience").and_then(Value::as_str);
            format!("{zh} {}", en.unwrap_or_default())
        }
        ("why", ..) if fields.contains_key("why_zh") => return None,
        ("why_zh", Some(zh), _) => {
            let en = fields.get("why").and_then(Value::as_str);
            format!("{zh} {}", en.unwrap_or_default())
        }
        ("why", Some("first"), _) => "首次 first".to_owned(),
        ("why", Some("retry"), _) => "重发 retry".to_owned(),
        ("why", Some("in-doubt"), _) => "可能重复 possible duplicate".to_owned(),
        ("until", Some(text), _) => format!("等回执至 receipt awaited until {}", moment(text)),
        ("due", Some(text), _) => format!("定于 due {}", moment(text)),
        ("far", Some(text), _) => format!("对方时间 far end's time {}", moment(text)),
        ("evidence", Some(name), _) => evidence(name),
        ("code", Some(code), _) => format!("代码 code {code}"),
        (_, Some(text), _) => format!("{key} {text}"),
        (_, None, _) => format!("{key} {value}"),
    };
    Some(said)
}

fn evidence(name: &str) -> String {
    use Evidence::{Accepted, Acknowledged, Delivered, None};
    let known = [None, Accepted, Delivered, Acknowledged].map(|e| of_evidence(e, false));
    let found = known.iter().find(|(key, _)| *key == name);
    found.map_or_else(|| name.to_owned(), |(key, zh)| format!("{zh} {key}"))
}

/// A moment of the story on an officer's clock.
pub fn moment(text: &str) -> String {
    let time = text.parse::<cap::Time>().ok();
    time.map_or_else(|| text.to_owned(), |t| clock(Timestamp::from_secs(t.unix)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_event_says_is_read_in_two_languages_and_in_beijing_time() {
        let accepted = json!({
            "channel": "sms", "attempt": 1, "next": "await",
            "until": "2026-11-22T10:14:36.974Z", "references": ["0001"],
        });
        assert_eq!(
            of(&accepted, "sms"),
            "第1次 attempt 1 · 等回执至 receipt awaited until 11-22 18:14:36"
        );
        let denied = json!({
            "channel": "sms", "part": 1, "code": "EXPIRED 027", "by": { "reference-of": 1 },
            "seen": "2026-11-22T10:14:25.508Z", "far": null, "class": "transient",
        });
        assert_eq!(of(&denied, "sms"), "代码 code EXPIRED 027 · 第2段 part 2");
        let planned = json!({ "step": 0, "audience": "public", "audience_zh": "公众" });
        assert_eq!(of(&planned, "sms"), "公众 public");
        let receipt = json!({ "evidence": "delivered", "code": "DELIVRD", "part": 0 });
        assert_eq!(of(&receipt, "sms"), "代码 code DELIVRD · 已送达 delivered");
    }

    #[test]
    fn an_attempt_by_another_account_names_it() {
        let handed = json!({ "channel": "sms-a", "attempt": 1, "why": "first" });
        assert_eq!(of(&handed, "sms-a"), "第1次 attempt 1 · 首次 first");
        assert_eq!(
            of(&handed, "sms-b"),
            "经 by sms-a · 第1次 attempt 1 · 首次 first"
        );
        let rerouted = json!({ "channel": "sms-b", "why": "away", "why_zh": "账户不可用" });
        assert_eq!(of(&rerouted, "sms-b"), "改走 to sms-b · 账户不可用 away");
    }

    #[test]
    fn a_field_that_is_not_known_is_shown_as_it_is() {
        assert_eq!(
            of(&json!({ "by": 7, "later": 3, "word": "x" }), "sms"),
            "later 3 · word x"
        );
        assert_eq!(
            of(&json!({ "until": "soon" }), "sms"),
            "等回执至 receipt awaited until soon"
        );
        assert_eq!(of(&json!("no fields"), "sms"), "");
    }
}
