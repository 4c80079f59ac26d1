//! What a provider answered, as an outcome for each number. This module must not keep an answer's words: they may hold
//! numbers.

use std::collections::HashMap;
use std::time::Duration;

use channel::{Accepted, Failure, FailureClass, Reply};
use ring::hmac;
use serde_json::Value;

use super::shape::{Each, HttpConfig};

/// The names under which texts are kept. An id that covers many numbers is told apart by each number's own mark, from
/// which nobody reads the number without the account's secret.
pub(crate) struct Marks(hmac::Key);

impl Marks {
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    pub fn reference(&self, group: &str, number: &str) -> String {
        let mark = hmac::sign(&self.0, format!("{group}|{}", bare(number)).as_bytes());
        format!("{group}.{}", hex::encode(&mark.as_ref()[..8]))
    }
}

/// The same number in each of its forms: digits alone, without the country's code.
pub(crate) fn bare(number: &str) -> &str {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let digits = digits
        .strip_prefix("00")
        .filter(|rest| rest.len() > 11)
        .unwrap_or(digits);
    digits
        .strip_prefix("86")
        .filter(|rest| rest.len() == 11)
        .unwrap_or(digits)
}

/// A value as it is compared and kept: text, number or truth.
pub(crate) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// An id that may be kept: a far end that sends pages must not fill the journal.
pub(crate) fn is_id(id: &str) -> bool {
    (1..=100).contains(&id.len())
}

/// A code as it may be shown: short, and of letters that codes have.
pub(crate) fn shown(code: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b":._-".contains(&b);
    let is_code = (1..=64).contains(&code.len()) && code.bytes().all(plain);
    // Eleven digits in a row may be a number.
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    if is_code && digits < 11 {
        code.to_owned()
    } else {
        "unknown".to_owned()
    }
}

type Outcome = Result<Accepted, Failure>;

/// One outcome a number, in their order.
pub(crate) fn read(
    shape: &HttpConfig,
    marks: &Marks,
    reply: &Reply,
    numbers: &[String],
) -> Vec<Outcome> {
    let all = |failure: Failure| vec![Err(failure); numbers.len()];
    if reply.status == 429 {
        return all(slower(failure(FailureClass::Throttled, "http:429"), reply));
    }
    let Ok(json) = serde_json::from_slice::<Value>(&reply.body) else {
        return all(slower(by_status(reply.status), reply));
    };
    let at = |pointer: &str| json.pointer(pointer).and_then(plain);
    if let Some(each) = &shape.answer.each
        && let Some(list) = json.pointer(&each.list).and_then(Value::as_array)
    {
        return one_by_one(shape, each, list, numbers);
    }
    let code = at(&shape.answer.code).or_else(|| at(shape.answer.error.as_ref()?));
    match code {
        Some(code) if shape.answer.ok.contains(&code) => {
            let group = shape
                .answer
                .group
                .as_deref()
                .and_then(at)
                .filter(|id| is_id(id));
            let accepted = |number: &String| {
                let references = group
                    .iter()
                    .map(|group| marks.reference(group, number))
                    .collect();
                Ok(Accepted { references })
            };
            numbers.iter().map(accepted).collect()
        }
        Some(code) => all(slower(refused(shape, &code, reply.status), reply)),
        None => all(slower(by_status(reply.status), reply)),
    }
}

fn one_by_one(shape: &HttpConfig, each: &Each, list: &[Value], numbers: &[String]) -> Vec<Outcome> {
    let mut found: HashMap<String, Outcome> = HashMap::with_capacity(list.len());
    for one in list {
        let at = |pointer: &str| one.pointer(pointer).and_then(plain).unwrap_or_default();
        let told = at(&each.code);
        let outcome = if shape.answer.ok.contains(&told) {
            Ok(Accepted {
                references: Some(at(&each.id))
                    .filter(|id| is_id(id))
                    .into_iter()
                    .collect(),
            })
        } else {
            Err(refused(shape, &told, 200))
        };
        found.insert(bare(&at(&each.number)).to_owned(), outcome);
    }
    let left_out = || {
        let detail =
            "the answer speaks of the other numbers and not of this one; it may have been taken";
        Failure::new(FailureClass::InDoubt, "http:left-out", detail)
    };
    numbers
        .iter()
        .map(|number| {
            found
                .remove(bare(number))
                .unwrap_or_else(|| Err(left_out()))
        })
        .collect()
}

/// What a code means: by the account's table, or else by the status beside it.
fn refused(shape: &HttpConfig, code: &str, status: u16) -> Failure {
    let own = shape
        .codes
        .iter()
        .filter(|(prefix, _)| code.starts_with(prefix.as_str()));
    let class = match own.max_by_key(|(prefix, _)| prefix.len()) {
        Some((_, class)) => *class,
        None => by_status(status).class,
    };
    failure(class, format!("http:{}", shown(code)))
}

fn by_status(status: u16) -> Failure {
    let class = match status {
        429 => FailureClass::Throttled,
        401 | 403 | 404 => FailureClass::LinkDown,
        400..=499 => FailureClass::BadContent,
        // It answered as if all were well and said nothing that is known: it may pass.
        _ => FailureClass::Transient,
    };
    failure(class, format!("http:{status}"))
}

fn failure(class: FailureClass, code: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::new(
        class,
        code,
        "the provider refused the request; look the code up in its manual, and name it under codes",
    )
}

fn slower(failure: Failure, reply: &Reply) -> Failure {
    let header = reply.headers.iter().find(|(name, _)| name == "retry-after");
    match header.and_then(|(_, seconds)| seconds.trim().parse().ok()) {
        Some(seconds) if failure.class == FailureClass::Throttled => {
            failure.retry_after(Duration::from_secs(seconds))
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_in_each_of_its_forms_and_is_not_shown() {
        for form in [
            "+8600000000001",
            "8600000000001",
            "00000000001",
            "008600000000001",
        ] {
            assert_eq!(bare(form), "00000000001", "{form}");
        }
        let marks = Marks::new("secret");
        let reference = marks.reference("g1", "+8600000000001");
        assert_eq!(reference, marks.reference("g1", "00000000001"));
        assert!(
            reference.starts_with("g1.") && !reference.contains("0000000000"),
            "{reference}"
        );
        assert_ne!(reference, marks.reference("g1", "00000000002"));
        assert_ne!(
            reference,
            Marks::new("other").reference("g1", "00000000001")
        );
    }

    #[test]
    fn what_is_no_code_is_not_shown() {
        assert_eq!(
            shown("isv.BUSINESS_LIMIT_CONTROL"),
            "isv.BUSINESS_LIMIT_CONTROL"
        );
        for words in ["", "13800000000", "number 138", "号码错误"] {
            assert_eq!(shown(words), "unknown", "{words}");
        }
    }

    #[test]
    fn a_status_without_a_known_code_has_its_class() {
        use FailureClass::{BadContent, LinkDown, Throttled, Transient};
        for (status, class) in [
            (429, Throttled),
            (401, LinkDown),
            (404, LinkDown),
            (400, BadContent),
            (503, Transient),
            (200, Transient),
        ] {
            assert_eq!(by_status(status).class, class, "{status}");
        }
    }
}
