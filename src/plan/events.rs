//! What an event code is called, and which colours exist for it: data of the operator's, in `config/events.csv`. A code
//! that it does not have is taken and shown as it came. This module must not refuse an alert.

use std::collections::BTreeMap;

use channel::Level;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lines;

/// The table that the program brings; a configuration may name another.
pub const SHIPPED: &str = include_str!("../../config/events.csv");

#[derive(Clone, Debug, Default)]
pub struct Events(BTreeMap<String, Row>);

#[derive(Clone, Debug)]
struct Row {
    zh: String,
    en: String,
    /// Empty: all four.
    levels: Vec<Level>,
}

#[derive(Deserialize)]
struct Line {
    code: String,
    zh: String,
    en_ours: String,
    levels: String,
    /// For people who look after the table.
    #[serde(rename = "source")]
    _source: String,
}

/// An event as it is shown: the code as it came, and its names where they are known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct EventName {
    pub code: String,
    pub zh: Option<String>,
    /// This project's own translation.
    pub en: Option<String>,
}

fn levels(text: &str) -> Option<Vec<Level>> {
    let level = |word| {
        Some(match word {
            "red" => Level::Red,
            "orange" => Level::Orange,
            "yellow" => Level::Yellow,
            "blue" => Level::Blue,
            _ => return None,
        })
    };
    text.split_whitespace().map(level).collect()
}

impl Events {
    /// The table, or everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut events = Self::default();
        lines::each(text, |line: Line| {
            let alike = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
            let code = line.code;
            if code.len() != 5 || !code.bytes().all(alike) {
                return Err(format!(
                    "{code:?} is no event code; write five digits and capitals"
                ));
            }
            let levels = levels(&line.levels).ok_or_else(|| {
                format!("{code}: levels are red, orange, yellow and blue, with blanks between")
            })?;
            let row = Row {
                zh: line.zh,
                en: line.en_ours,
                levels,
            };
            match events.0.insert(code.clone(), row) {
                Some(_) => Err(format!("{code} stands twice; keep one of its lines")),
                None => Ok(()),
            }
        })?;
        Ok(events)
    }

    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test reads the table that the program brings")
    }

    pub fn name(&self, code: &str) -> EventName {
        let row = self.0.get(code);
        EventName {
            code: code.to_owned(),
            zh: row.map(|row| row.zh.clone()),
            en: row.map(|row| row.en.clone()),
        }
    }

    /// Whether the table knows the event and does not know it in this colour.
    pub fn lacks(&self, code: &str, level: Level) -> bool {
        let row = self.0.get(code);
        let colour = level != Level::Unknown;
        row.is_some_and(|row| colour && !row.levels.is_empty() && !row.levels.contains(&level))
    }

    /// What codes that begin so are called: the group's own row (`11A00`), or the one code.
    pub fn of_prefix(&self, prefix: &str) -> EventName {
        let group = format!("{prefix:0<5}");
        let mut name = self.name(if self.0.contains_key(prefix) {
            prefix
        } else {
            &group
        });
        prefix.clone_into(&mut name.code);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_names_its_events_in_both_languages() {
        let events = Events::shipped();
        for (code, row) in &events.0 {
            assert!(!row.zh.is_empty() && !row.en.is_empty(), "{code}");
        }
        let flood = events.name("11A51");
        assert_eq!(flood.zh.as_deref(), Some("山洪"));
        assert_eq!(flood.en.as_deref(), Some("Flash flood"));
        assert_eq!(events.of_prefix("11A").zh.as_deref(), Some("水旱灾害"));
        assert!(events.lacks("11B15", Level::Blue), "hail has two colours");
        assert!(!events.lacks("11B15", Level::Red));
        assert!(
            !events.lacks("11A51", Level::Blue),
            "a flash flood has four"
        );
    }

    #[test]
    fn an_unknown_code_is_shown_as_it_came() {
        let events = Events::shipped();
        let name = events.name("11B77");
        assert_eq!((name.code.as_str(), name.zh), ("11B77", None));
        assert!(!events.lacks("11B77", Level::Blue));
    }

    #[test]
    fn every_problem_of_a_table_is_told() {
        let text = "code,zh,en_ours,levels,source\n11A51,a,b,,x\n11A51,a,b,,x\nfloods,a,b,,x\n11A01,a,b,pink,x\n";
        let problems = Events::parse(text).expect_err("refused");
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("line 3: 11A51 stands twice"));
        assert!(problems[1].starts_with("line 4: \"floods\" is no event code"));
        assert!(problems[2].starts_with("line 5: ") && problems[2].contains("blanks"));
    }
}
