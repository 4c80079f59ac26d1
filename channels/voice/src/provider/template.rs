//! The request's words with their places filled. A place stands inside a string of a parsed document, so that nothing
//! that is filled in can end a string. Pure; this module must not know any provider.

use serde_json::Value;

pub const NAMES: [&str; 9] = [
    "number", "id", "text", "title", "language", "expires", "secret", "wav", "mp3",
];

/// What goes into the places.
#[derive(Default)]
pub struct Filling {
    pub number: String,
    pub id: String,
    pub text: String,
    pub title: String,
    pub language: String,
    pub expires: String,
    pub secret: String,
    /// Base64.
    pub wav: String,
    pub mp3: String,
}

impl Filling {
    fn get(&self, name: &str) -> Option<&str> {
        Some(match name {
            "number" => &self.number,
            "id" => &self.id,
            "text" => &self.text,
            "title" => &self.title,
            "language" => &self.language,
            "expires" => &self.expires,
            "secret" => &self.secret,
            "wav" => &self.wav,
            "mp3" => &self.mp3,
            _ => return None,
        })
    }
}

/// A text in pieces: what stands there, and the name of the place behind it.
fn pieces(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let place = text.match_indices('{').find_map(|(at, _)| {
            let (name, _) = text[at + 1..].split_once('}')?;
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            is_name.then_some((at, name))
        });
        if let Some((at, name)) = place {
            rest = Some(&text[at + name.len() + 2..]);
            Some((&text[..at], Some(name)))
        } else {
            rest = None;
            Some((text, None))
        }
    })
}

/// The places of one text.
pub fn names_in(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|(_, name)| name)
}

/// The places of all strings.
pub fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => names_in(text).collect(),
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Object(fields) => fields.values().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

pub fn fill_text(text: &str, filling: &Filling) -> String {
    let mut out = String::new();
    for (plain, name) in pieces(text) {
        out.push_str(plain);
        out.push_str(name.and_then(|name| filling.get(name)).unwrap_or_default());
    }
    out
}

pub fn fill(value: &Value, filling: &Filling) -> Value {
    match value {
        Value::String(text) => Value::String(fill_text(text, filling)),
        Value::Array(items) => items.iter().map(|item| fill(item, filling)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), fill(value, filling)))
            .collect(),
        other => other.clone(),
    }
}

/// The fields of a document as a form; what is nested stands as its JSON.
pub fn form(value: &Value) -> String {
    let fields = value.as_object().into_iter().flatten();
    let pairs = fields.map(|(name, value)| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        format!("{}={}", escaped(name), escaped(&text))
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |n: usize| usize::from(three.get(n).copied().unwrap_or(0));
        let all = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            out.push(if place <= three.len() {
                char::from(LETTERS[all >> (18 - 6 * place) & 63])
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn filling(text: &str) -> Filling {
        Filling {
            number: "08160123456".to_owned(),
            text: text.to_owned(),
            ..Filling::default()
        }
    }

    #[test]
    fn places_are_filled_wherever_a_string_stands_and_nothing_else_is() {
        let template = json!({"to": "tel:{number}", "n": 3, "say": ["{text}{text}", {"x": "{}{ {A} }{number"}]});
        let filled = fill(&template, &filling("转移\"\\"));
        let expected = json!({"to": "tel:08160123456", "n": 3, "say": ["转移\"\\转移\"\\", {"x": "{}{ {A} }{number"}]});
        assert_eq!(filled, expected);
        assert_eq!(names(&template), ["text", "text", "number"]);
    }

    #[test]
    fn a_form_escapes_what_would_end_a_field() {
        let filled = fill(
            &json!({"a b": "{text}", "n": 1, "deep": {"x": "y"}}),
            &filling("转&=%"),
        );
        let mut fields: Vec<_> = form(&filled).split('&').map(str::to_owned).collect();
        fields.sort();
        assert_eq!(
            fields,
            [
                "a%20b=%E8%BD%AC%26%3D%25",
                "deep=%7B%22x%22%3A%22y%22%7D",
                "n=1"
            ]
        );
    }

    #[test]
    fn base64_is_padded_as_its_standard_shows() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_filled_in_stays_inside_its_string(text in ".{0,40}") {
            let filled = fill(&json!({"a": "<{text}>", "b": "x"}), &filling(&text)).to_string();
            let back: Value = serde_json::from_str(&filled).unwrap();
            prop_assert_eq!(back, json!({"a": format!("<{text}>"), "b": "x"}));
        }

        #[test]
        fn a_filled_place_is_not_filled_again(text in "[{}a-z]{0,20}") {
            prop_assert_eq!(fill_text("{text}", &filling(&text)), text);
        }
    }
}
