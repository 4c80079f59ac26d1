//! What the provider tells of its calls: an object, a list of them, or a form. Pure and bounded; this module must not
//! believe that a call is ours: the ticket or the journal's references prove it.

use std::time::Duration;

use serde_json::{Map, Value};

use super::answer::at;
use super::settings::{CallbackShape, Word};
use crate::talk::Answer;
use crate::verdict::Ending;

/// So many calls in one callback are read; a provider that sends more sends them again.
const MOST: usize = 500;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Under way, with a code.
    Under(&'static str),
    Ended(Ending),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The call's id, theirs or ours as the shape says.
    pub call: String,
    pub what: What,
}

/// None where it cannot be read; statuses that the shape does not know say nothing.
pub fn read(shape: &CallbackShape, body: &[u8], is_form: bool) -> Option<Vec<Told>> {
    let value = if is_form {
        form(std::str::from_utf8(body).ok()?)
    } else {
        serde_json::from_slice(body).ok()?
    };
    let list = match value {
        Value::Array(list) => list,
        Value::Object(_) => vec![value],
        _ => return None,
    };
    if list.len() > MOST {
        return None;
    }
    Some(list.iter().filter_map(|one| told(shape, one)).collect())
}

fn told(shape: &CallbackShape, one: &Value) -> Option<Told> {
    let call = at(one, shape.id.as_ref().or(shape.call.as_ref())?)?;
    let word = *shape.statuses.get(&at(one, &shape.status)?)?;
    let what = match word {
        Word::Ringing => What::Under("ringing"),
        Word::Missed(miss) => What::Ended(miss.into()),
        Word::Answered => answered(shape, one),
    };
    Some(Told { call, what })
}

fn answered(shape: &CallbackShape, one: &Value) -> What {
    let keys = shape.key.as_ref().and_then(|pointer| at(one, pointer));
    let answer = keys.and_then(|keys| keys.chars().filter_map(Answer::of).max());
    let seconds = shape.seconds.as_ref().and_then(|pointer| at(one, pointer));
    let heard = seconds
        .and_then(|text| text.trim().parse().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if answer.is_none() && heard.is_none() {
        // Somebody picked up; whether they listened, nobody says.
        return What::Under("answered");
    }
    What::Ended(Ending::Answered {
        heard: heard.unwrap_or_default(),
        whole: false,
        answer,
    })
}

/// A form's fields as an object of texts.
fn form(text: &str) -> Value {
    let mut fields = Map::new();
    for pair in text.split('&').take(100) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.insert(plain(name), Value::String(plain(value)));
    }
    Value::Object(fields)
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let coded = (*first == b'%').then(|| tail.get(..2)).flatten();
        let decoded = coded.and_then(|two| hex::decode(two).ok());
        if let Some(byte) = decoded {
            bytes.extend(byte);
            rest = &tail[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verdict::Miss;

    fn shape() -> CallbackShape {
        serde_json::from_str(
            r#"{"path":"0123456789abcdef","call":"/call","status":"/state","seconds":"/secs","key":"/keys",
                "statuses":{"1":"ringing","2":"answered","3":"busy","4":"machine"}}"#,
        )
        .unwrap()
    }

    fn one(body: &str) -> Vec<What> {
        let told = read(&shape(), body.as_bytes(), false).unwrap();
        told.into_iter().map(|told| told.what).collect()
    }

    fn ended(heard: f64, answer: Option<Answer>) -> What {
        What::Ended(Ending::Answered {
            heard: Duration::from_secs_f64(heard),
            whole: false,
            answer,
        })
    }

    #[test]
    fn each_word_of_the_provider_is_read_by_the_shape() {
        for (body, what) in [
            (r#"{"call":"a","state":1}"#, What::Under("ringing")),
            (r#"{"call":"a","state":"2"}"#, What::Under("answered")),
            (r#"{"call":"a","state":"2","secs":12}"#, ended(12.0, None)),
            (
                r#"{"call":"a","state":2,"secs":"3.5","keys":"91"}"#,
                ended(3.5, Some(Answer::Received)),
            ),
            (
                r#"{"call":"a","state":2,"keys":"12"}"#,
                ended(0.0, Some(Answer::Done)),
            ),
            (
                r#"{"call":"a","state":2,"secs":-1}"#,
                What::Under("answered"),
            ),
            (
                r#"{"call":"a","state":3,"secs":99}"#,
                What::Ended(Miss::Busy.into()),
            ),
            (
                r#"{"call":"a","state":4,"secs":99,"keys":"1"}"#,
                What::Ended(Miss::Machine.into()),
            ),
        ] {
            assert_eq!(one(body), [what], "{body}");
        }
    }

    #[test]
    fn a_list_and_a_form_are_read_and_what_nobody_knows_says_nothing() {
        let list = r#"[{"call":"a","state":1},{"call":"b","state":9},{"state":1},7,{"call":"c","state":3}]"#;
        assert_eq!(one(list).len(), 2);
        let told = read(&shape(), b"call=a%2Fb+c&state=2&secs=9&keys=1", true).unwrap();
        assert_eq!(told[0].call, "a/b c");
        assert_eq!(told[0].what, ended(9.0, Some(Answer::Received)));
        for body in ["", "7", "\"x\"", "{"] {
            assert_eq!(read(&shape(), body.as_bytes(), false), None, "{body}");
        }
        let many = format!("[{}0]", "0,".repeat(MOST));
        assert_eq!(read(&shape(), many.as_bytes(), false), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200), is_form: bool) {
            if let Some(told) = read(&shape(), &bytes, is_form) {
                prop_assert!(told.len() <= MOST);
            }
        }

        #[test]
        fn a_form_gives_back_what_was_escaped(value in ".{1,20}") {
            let body = super::super::template::form(&serde_json::json!({"call": value, "state": "1"}));
            let told = read(&shape(), body.as_bytes(), true).unwrap();
            prop_assert_eq!(&told[0].call, &value);
        }
    }
}
