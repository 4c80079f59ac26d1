//! What stands in the fields of a template message: a few words each, cut where they must be. This module must not send.

use std::collections::BTreeMap;

use channel::{Level, Timestamp, Variant};
use serde_json::{Map, Value, json};

use crate::config::ConfigError;

/// Characters that a field of no particular type holds.
const PLAIN: usize = 20;
/// Slices of a text at most.
const SLICES: usize = 9;
const CUT: char = '…';
/// What stands where nothing is to be said: an empty field is refused.
const NOTHING: &str = "—";
/// What a drill is marked by.
const MARKS: [&str; 5] = ["演练", "测试", "DRILL", "EXERCISE", "TEST"];

/// The characters that a field holds, by the type that its name begins with.
fn room(name: &str) -> usize {
    match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
        // A time's own form is at most as long as this.
        "character_string" | "letter" | "number" | "time" | "date" => 32,
        "phone_number" => 17,
        "name" => 10,
        "car_number" => 8,
        "phrase" | "symbol" => 5,
        _ => PLAIN,
    }
}

#[derive(Clone, Debug)]
enum Part {
    Words(String),
    Title,
    /// A slice of the text, from 1.
    Text(usize),
    Level,
    Expires,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    parts: Vec<Part>,
}

/// The fields of a template.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    fields: Vec<Field>,
    /// The last slice of the text that is used.
    slices: usize,
}

/// A drill whose marking fell out of the fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unmarked;

impl Fields {
    pub fn new(fields: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let wrong = |why| ConfigError { key: "fields", why };
        let mut read = Vec::new();
        for (name, template) in fields {
            if name.is_empty() {
                return Err(wrong("has one without a name"));
            }
            let parts = parts(template).ok_or(wrong(
                "may name {title}, {text}, {text1} to {text9}, {level} and {expires}, and nothing else in braces",
            ))?;
            read.push(Field {
                name: name.clone(),
                parts,
            });
        }
        let used = read.iter().flat_map(|field| &field.parts);
        let slices = used.clone().filter_map(|part| match part {
            Part::Text(slice) => Some(*slice),
            _ => None,
        });
        let slices = slices.max().unwrap_or(0);
        if slices == 0 && !used.clone().any(|part| matches!(part, Part::Title)) {
            return Err(wrong(
                "must hold {title} or {text} somewhere: nothing would be said",
            ));
        }
        Ok(Self {
            fields: read,
            slices,
        })
    }

    /// As the request's `data` has it.
    pub fn fill(&self, variant: &Variant, expires: Timestamp) -> Result<Value, Unmarked> {
        let text = tidy(unsigned(&variant.text));
        let mut data = Map::new();
        let mut marked = false;
        for field in &self.fields {
            let room = room(&field.name);
            let said = field.parts.iter().map(|part| match part {
                Part::Words(words) => words.clone(),
                Part::Title => tidy(&variant.title),
                Part::Text(slice) => self.slice(&text, *slice, room),
                Part::Level => level(variant).to_owned(),
                Part::Expires => beijing(expires),
            });
            let said = cut(&said.collect::<String>(), room);
            marked |= MARKS.iter().any(|mark| said.contains(mark));
            let said = if said.is_empty() { NOTHING } else { &said };
            data.insert(field.name.clone(), json!({ "value": said }));
        }
        if variant.drill && !marked {
            return Err(Unmarked);
        }
        Ok(Value::Object(data))
    }

    /// The last slice says that there is more.
    fn slice(&self, text: &str, slice: usize, room: usize) -> String {
        let rest: String = text.chars().skip((slice - 1) * room).collect();
        if slice == self.slices {
            return cut(&rest, room);
        }
        rest.chars().take(room).collect()
    }
}

fn parts(template: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((words, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}')?;
        if !words.is_empty() {
            parts.push(Part::Words(words.to_owned()));
        }
        parts.push(match name {
            "title" => Part::Title,
            "text" => Part::Text(1),
            "level" => Part::Level,
            "expires" => Part::Expires,
            name => {
                let slice = name.strip_prefix("text")?.parse().ok()?;
                Part::Text(Some(slice).filter(|n| (1..=SLICES).contains(n))?)
            }
        });
        rest = behind;
    }
    if rest.contains('}') {
        return None;
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest.to_owned()));
    }
    Some(parts)
}

/// Without the signature before it: the account shows its own name. What marks a drill stays.
fn unsigned(text: &str) -> &str {
    let signature = text
        .strip_prefix('【')
        .and_then(|rest| rest.split_once('】'));
    match signature {
        Some((signature, rest)) if !MARKS.iter().any(|mark| signature.contains(mark)) => rest,
        _ => text,
    }
}

/// On one line, without control characters.
fn tidy(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(room - 1).collect();
    kept.push(CUT);
    kept
}

/// A drill has no level: nothing of it looks live.
fn level(variant: &Variant) -> &'static str {
    match variant.level {
        _ if variant.drill => "演练",
        Level::Red => "红色",
        Level::Orange => "橙色",
        Level::Yellow => "黄色",
        Level::Blue => "蓝色",
        Level::Unknown => NOTHING,
    }
}

fn beijing(at: Timestamp) -> String {
    let (year, month, day, hour, minute, _) = Timestamp(at.0 + 8 * 3_600_000).civil();
    format!("{year}年{month}月{day}日 {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Result<Fields, ConfigError> {
        let owned = pairs
            .iter()
            .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()));
        Fields::new(&owned.collect())
    }

    fn value<'a>(data: &'a Value, name: &str) -> &'a str {
        data[name]["value"].as_str().unwrap()
    }

    const AT: Timestamp = Timestamp(1_783_990_800_000);

    #[test]
    fn a_text_runs_through_its_fields_and_ends_with_a_sign_that_there_is_more() {
        let fields = fields(&[
            ("thing1", "{title}"),
            ("thing2", "{text1}"),
            ("thing3", "{text2}"),
            ("time4", "{expires}"),
            ("phrase5", "{level}预警"),
        ]);
        let mut variant = Variant::new(
            "zh-CN",
            "暴雨红色预警",
            "【平武气象】".to_owned() + &"一二三四五六七八九十".repeat(5),
        );
        variant.level = Level::Red;
        let data = fields.unwrap().fill(&variant, AT).unwrap();
        assert_eq!(value(&data, "thing1"), "暴雨红色预警");
        assert_eq!(
            value(&data, "thing2"),
            "一二三四五六七八九十一二三四五六七八九十"
        );
        assert_eq!(
            value(&data, "thing3"),
            "一二三四五六七八九十一二三四五六七八九…"
        );
        assert_eq!(value(&data, "time4"), "2026年7月14日 09:00");
        assert_eq!(value(&data, "phrase5"), "红色预警");
    }

    #[test]
    fn nothing_is_empty_and_nothing_breaks_a_line() {
        let fields = fields(&[
            ("thing1", "{text1}"),
            ("thing2", "{text2}"),
            ("phrase3", "{level}"),
        ]);
        let data = fields
            .unwrap()
            .fill(&Variant::new("zh-CN", "t", "a\n\tb"), AT)
            .unwrap();
        assert_eq!(value(&data, "thing1"), "a b");
        assert_eq!(value(&data, "thing2"), "—");
        assert_eq!(value(&data, "phrase3"), "—");
    }

    #[test]
    fn a_drill_that_no_field_marks_is_refused_and_shows_no_level() {
        let mut drill = Variant::new("zh-CN", "暴雨红色预警", "【平武气象】【演练】快走");
        (drill.drill, drill.level) = (true, Level::Red);
        assert_eq!(
            fields(&[("thing1", "{title}")]).unwrap().fill(&drill, AT),
            Err(Unmarked)
        );
        let both = fields(&[("thing1", "{text}"), ("phrase2", "{level}")]).unwrap();
        let data = both.fill(&drill, AT).unwrap();
        assert_eq!(
            (value(&data, "thing1"), value(&data, "phrase2")),
            ("【演练】快走", "演练")
        );
        drill.text = "【演练】快走".into();
        let data = both.fill(&drill, AT).unwrap();
        assert_eq!(
            value(&data, "thing1"),
            "【演练】快走",
            "the mark is no signature"
        );
    }

    #[test]
    fn a_template_that_says_nothing_or_too_much_is_refused() {
        for bad in [
            &[][..],
            &[("thing1", "预警")],
            &[("thing1", "{name}")],
            &[("thing1", "{text10}")],
            &[("thing1", "{title")],
            &[("thing1", "title}{text}}")],
            &[("", "{title}")],
        ] {
            assert!(fields(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_field_is_longer_than_its_type_allows(text in "\\PC{0,200}", title in "\\PC{0,60}") {
            let fields = fields(&[("thing1", "{title}"), ("thing2", "{text1}"), ("thing3", "{text2}!"), ("phrase4", "{text}"), ("character_string5", "{text3}")]).unwrap();
            let data = fields.fill(&Variant::new("zh-CN", title, text), AT).unwrap();
            for (name, field) in data.as_object().unwrap() {
                let length = field["value"].as_str().unwrap().chars().count();
                prop_assert!((1..=room(name)).contains(&length), "{name}");
            }
        }
    }
}
