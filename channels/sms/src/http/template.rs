//! A request's template, filled with one text and its numbers. A value stands where the operator wrote its name in braces;
//! nothing is ever pasted into JSON as text. This module must not know a provider.

use serde_json::{Map, Value};

use crate::text::signature;

/// What can stand in a template.
pub(crate) struct Filling<'a> {
    /// The whole text, its signature in front.
    pub signed: &'a str,
    pub title: &'a str,
    /// The id of the filed template that the text is.
    pub template: Option<&'a str>,
    /// As the provider wants them.
    pub numbers: &'a [String],
    pub joined: &'a str,
    /// Characters in each of `{text.1}`, `{text.2}`, …
    pub slice: usize,
}

/// A name in braces that means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown(pub String);

/// Every name that a template holds, for a check of the whole before anything is sent.
pub(crate) fn names(template: &Value, found: &mut Vec<String>) {
    match template {
        Value::String(text) => found.extend(pieces(text).filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.to_owned()),
            Piece::Plain(_) => None,
        })),
        Value::Array(list) => list.iter().for_each(|one| names(one, found)),
        Value::Object(map) => map.values().for_each(|one| names(one, found)),
        _ => {}
    }
}

/// How many slices a template takes; `None` where it takes the text whole, or none of it.
pub(crate) fn slices(names: &[String]) -> Option<usize> {
    let numbers = names
        .iter()
        .filter_map(|name| name.strip_prefix("text.")?.parse().ok());
    numbers.max()
}

pub(crate) fn is_known(name: &str) -> bool {
    let slice = |name: &str| {
        name.strip_prefix("text.")
            .and_then(|n| n.parse::<u8>().ok())
    };
    matches!(
        name,
        "text" | "signed" | "signature" | "title" | "template" | "numbers"
    ) || slice(name).is_some_and(|n| n > 0)
}

/// The template with every name replaced. `{ json = … }` becomes the JSON text of what it holds.
pub(crate) fn fill(template: &Value, filling: &Filling<'_>) -> Result<Value, Unknown> {
    Ok(match template {
        // Alone it is a list; within a text it is joined.
        Value::String(text) if text == "{numbers}" && filling.joined.is_empty() => {
            Value::from(filling.numbers.to_vec())
        }
        Value::String(text) => Value::String(filled(text, filling)?),
        Value::Array(list) => {
            let list: Result<Vec<_>, _> = list.iter().map(|one| fill(one, filling)).collect();
            Value::Array(list?)
        }
        Value::Object(map) => {
            let one = |(name, value): (&String, &Value)| Ok((name.clone(), fill(value, filling)?));
            let filled: Map<String, Value> = map.iter().map(one).collect::<Result<_, _>>()?;
            match filled.get("json") {
                Some(inner) if filled.len() == 1 => Value::String(inner.to_string()),
                _ => Value::Object(filled),
            }
        }
        other => other.clone(),
    })
}

fn filled(text: &str, filling: &Filling<'_>) -> Result<String, Unknown> {
    let (signature, body) = signature::split(filling.signed);
    let mut out = String::with_capacity(text.len() + body.len());
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => out.push_str(plain),
            Piece::Name("text") => out.push_str(body),
            Piece::Name("signed") => out.push_str(filling.signed),
            Piece::Name("signature") => out.push_str(signature.unwrap_or_default()),
            Piece::Name("title") => out.push_str(filling.title),
            Piece::Name("template") => {
                let id = filling.template.ok_or_else(|| Unknown("template".into()))?;
                out.push_str(id);
            }
            Piece::Name("numbers") => out.push_str(&filling.numbers.join(filling.joined)),
            Piece::Name(name) => {
                let slice = name
                    .strip_prefix("text.")
                    .and_then(|n| n.parse::<usize>().ok());
                let slice = slice
                    .filter(|n| *n > 0)
                    .ok_or_else(|| Unknown(name.to_owned()))?;
                out.extend(
                    body.chars()
                        .skip((slice - 1) * filling.slice)
                        .take(filling.slice),
                );
            }
        }
    }
    Ok(out)
}

enum Piece<'a> {
    Plain(&'a str),
    Name(&'a str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, behind)) = rest
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            rest = behind;
            return Some(Piece::Name(name));
        }
        // A brace that is never closed is plain.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[first..].find('{').map_or(rest.len(), |at| at + first);
        let (plain, behind) = rest.split_at(end);
        rest = behind;
        Some(Piece::Plain(plain))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn filling<'a>(signed: &'a str, numbers: &'a [String], joined: &'a str) -> Filling<'a> {
        Filling {
            signed,
            title: "暴雨",
            template: Some("SMS_1"),
            numbers,
            joined,
            slice: 4,
        }
    }

    #[test]
    fn names_are_replaced_and_json_within_json_is_a_text() {
        let numbers = ["1".to_owned(), "2".to_owned()];
        let template = json!({
            "PhoneNumbers": "{numbers}", "SignName": "{signature}", "TemplateCode": "{template}",
            "TemplateParam": { "json": { "text": "{text}", "n": [1, "{title}!"] } },
        });
        let filled = fill(&template, &filling("【平武】快\"跑", &numbers, ",")).unwrap();
        assert_eq!(filled["PhoneNumbers"], "1,2");
        assert_eq!(filled["SignName"], "平武");
        assert_eq!(filled["TemplateCode"], "SMS_1");
        let inner: Value = serde_json::from_str(filled["TemplateParam"].as_str().unwrap()).unwrap();
        assert_eq!(inner, json!({ "text": "快\"跑", "n": [1, "暴雨!"] }));
    }

    #[test]
    fn numbers_are_a_list_where_nothing_joins_them() {
        let numbers = ["1".to_owned(), "2".to_owned()];
        let filled = fill(&json!({ "n": "{numbers}" }), &filling("x", &numbers, "")).unwrap();
        assert_eq!(filled, json!({ "n": ["1", "2"] }));
    }

    #[test]
    fn a_text_is_sliced_by_characters() {
        let template = json!(["{text.1}", "{text.2}", "{text.3}"]);
        let filled = fill(&template, &filling("【平武】一二三四五六", &[], "")).unwrap();
        assert_eq!(filled, json!(["一二三四", "五六", ""]));
        let mut found = Vec::new();
        names(&template, &mut found);
        assert_eq!(slices(&found), Some(3));
    }

    #[test]
    fn a_name_that_means_nothing_is_told() {
        let unknown = fill(&json!("{texts}"), &filling("x", &[], ""));
        assert_eq!(unknown, Err(Unknown("texts".into())));
        let unfiled = Filling {
            template: None,
            ..filling("x", &[], "")
        };
        assert_eq!(
            fill(&json!("{template}"), &unfiled),
            Err(Unknown("template".into())),
            "a text that is none of the templates"
        );
        assert!(is_known("text.2") && !is_known("text.0") && !is_known("texts"));
    }

    proptest! {
        #[test]
        fn any_template_and_any_text_never_panic(template in "[a{}.t1雨]{0,20}", text in "[a雨😀{}【】\"]{0,20}") {
            let filled = fill(&Value::String(template.clone()), &filling(&text, &[], ","));
            if !template.contains('{') {
                prop_assert_eq!(filled, Ok(Value::String(template)));
            }
        }
    }
}
