//! What the provider answered to a request for a call. Pure; this module must not show what it read: a provider's words
//! may name the number.

use std::time::Duration;

use channel::{Accepted, Failure, FailureClass};
use serde_json::Value;

use super::settings::AnswerShape;

/// Ids and codes of providers are short; what is longer is none.
const LONGEST: usize = 128;

/// A text or a number at a pointer, as text.
pub(super) fn at(value: &Value, pointer: &str) -> Option<String> {
    let text = match value.pointer(pointer)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(bool) => bool.to_string(),
        _ => return None,
    };
    (!text.is_empty() && text.len() <= LONGEST).then_some(text)
}

/// A provider's code as a failure shows it: letters, digits and the like, so that no number hides in a sentence.
fn shown(code: &str) -> String {
    let plain = code.chars().take(40).map(|c| {
        let keeps = c.is_ascii_alphanumeric() || "._-".contains(c);
        if keeps { c } else { '?' }
    });
    format!("voice:{}", plain.collect::<String>())
}

pub fn read(shape: &AnswerShape, status: u16, body: &[u8]) -> Result<Accepted, Failure> {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = shape.code.as_ref().and_then(|pointer| at(&value, pointer));
    let class = code
        .as_ref()
        .and_then(|code| shape.classes.get(code))
        .copied();
    let refused = |class, code: String| {
        let failure = Failure::new(class, code, "the provider refused the call");
        // One second is the least that slows a lane.
        Err(if class == FailureClass::Throttled {
            failure.retry_after(Duration::from_secs(1))
        } else {
            failure
        })
    };
    if let (Some(class), Some(code)) = (class, &code) {
        return refused(class, shown(code));
    }
    let by_status = match status {
        200..=299 => None,
        401 | 403 => Some(FailureClass::LinkDown),
        429 => Some(FailureClass::Throttled),
        400 | 404 | 405 | 413 | 415 | 422 => Some(FailureClass::BadContent),
        _ => Some(FailureClass::Transient),
    };
    if let Some(class) = by_status {
        return refused(class, format!("voice:http-{status}"));
    }
    let is_ok = shape.ok.is_empty() || code.as_ref().is_some_and(|code| shape.ok.contains(code));
    if !is_ok {
        let code = code.map_or_else(|| "voice:no-code".to_owned(), |code| shown(&code));
        return refused(FailureClass::Transient, code);
    }
    match at(&value, &shape.call) {
        Some(call) => Ok(Accepted {
            references: vec![call],
        }),
        // Taken, but nothing that a later word could be matched by.
        None => Err(Failure::new(
            FailureClass::InDoubt,
            "voice:no-id",
            "the provider took the call and named no id; check `answer.call`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape() -> AnswerShape {
        serde_json::from_str(
            r#"{"call":"/data/id","code":"/code","ok":["OK"],
                "classes":{"LIMIT":"throttled","NUMBER":"bad-address","TEXT":"bad-content"}}"#,
        )
        .unwrap()
    }

    #[test]
    fn an_answer_is_a_call_or_a_failure_with_its_class() {
        use FailureClass::{BadAddress, BadContent, InDoubt, LinkDown, Throttled, Transient};
        for (status, body, class, code) in [
            (200, r#"{"code":"LIMIT"}"#, Throttled, "voice:LIMIT"),
            (400, r#"{"code":"NUMBER"}"#, BadAddress, "voice:NUMBER"),
            (200, r#"{"code":"TEXT"}"#, BadContent, "voice:TEXT"),
            (
                200,
                r#"{"code":"bad number 0816"}"#,
                Transient,
                "voice:bad?number?0816",
            ),
            (200, "{}", Transient, "voice:no-code"),
            (200, "not json", Transient, "voice:no-code"),
            (200, r#"{"code":"OK"}"#, InDoubt, "voice:no-id"),
            (429, "", Throttled, "voice:http-429"),
            (401, "", LinkDown, "voice:http-401"),
            (422, "", BadContent, "voice:http-422"),
            (503, "", Transient, "voice:http-503"),
        ] {
            let failure = read(&shape(), status, body.as_bytes()).unwrap_err();
            assert_eq!(
                (failure.class, &*failure.code),
                (class, code),
                "{status} {body}"
            );
        }
        let taken = read(&shape(), 200, br#"{"code":"OK","data":{"id":42}}"#).unwrap();
        assert_eq!(taken.references, ["42"]);
    }

    proptest! {
        #[test]
        fn no_answer_breaks_the_reader_and_no_sentence_of_it_is_shown(
            status: u16, body in prop::collection::vec(any::<u8>(), 0..200), code in ".{0,80}",
        ) {
            let _ = read(&shape(), status, &body);
            let body = serde_json::json!({"code": code}).to_string();
            if let Err(failure) = read(&shape(), 200, body.as_bytes()) {
                prop_assert!(failure.code.bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(failure.code.len() <= 46);
            }
        }
    }
}
