//! Tones, repeats and wording by event class and level: data of the operator's, in `config/sounds.csv`. The longest event
//! that fits counts, and of those the row that names the level. This module must not know what is recorded.

use std::collections::BTreeMap;

use channel::Level;
use serde::Deserialize;

use crate::model::is_mandarin;
use crate::plan::lines;

/// The table that the program brings; a configuration may name another.
pub const SHIPPED: &str = include_str!("../../../config/sounds.csv");

/// Seconds of a tone; no controller takes a longer one.
const LONGEST_TONE: u32 = 60;
const MOST_TIMES: u32 = 100;
const LONGEST_PAUSE: u64 = 3600;

/// How a class of alerts sounds. The default says nothing: the text alone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// The terminal's own, by name, and for how many seconds.
    pub tone: Option<(String, u32)>,
    /// How often all of it, and the seconds between.
    pub repeat: Option<(u32, u64)>,
    /// In Chinese and in English; empty for none.
    pub opening: [String; 2],
    pub closing: [String; 2],
}

impl Row {
    pub fn opening(&self, language: &str) -> &str {
        &self.opening[usize::from(!speaks_chinese(language))]
    }

    pub fn closing(&self, language: &str) -> &str {
        &self.closing[usize::from(!speaks_chinese(language))]
    }
}

/// Where a text is in neither, Chinese: that is what is spoken everywhere here.
fn speaks_chinese(language: &str) -> bool {
    is_mandarin(language) || !language.to_ascii_lowercase().starts_with("en")
}

#[derive(Clone, Debug, Default)]
pub struct Table(BTreeMap<(String, Option<Level>), Row>);

#[derive(Deserialize)]
struct Line {
    event: String,
    level: String,
    tone: String,
    seconds: Option<u32>,
    times: Option<u32>,
    pause: Option<u64>,
    open_zh: String,
    close_zh: String,
    open_en: String,
    close_en: String,
}

impl Table {
    /// The table, or everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut table = Self::default();
        lines::each(text, |line: Line| {
            let key = (event(&line.event)?, level(&line.level)?);
            let row = Row {
                tone: tone(&line)?,
                repeat: repeat(&line)?,
                opening: [line.open_zh, line.open_en],
                closing: [line.close_zh, line.close_en],
            };
            match table.0.insert(key, row) {
                Some(_) => Err(format!(
                    "event {:?} stands twice with this level; keep one of its lines",
                    line.event
                )),
                None => Ok(()),
            }
        })?;
        Ok(table)
    }

    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test reads the table that the program brings")
    }

    pub fn row(&self, event: &str, level: Level) -> Row {
        let fits = |(of, at): &&(String, Option<Level>)| {
            event.starts_with(of.as_str()) && at.is_none_or(|at| at == level)
        };
        let keys = self.0.keys().filter(fits);
        let best = keys.max_by_key(|(of, at)| (of.len(), at.is_some()));
        best.and_then(|key| self.0.get(key))
            .cloned()
            .unwrap_or_default()
    }

    #[cfg(test)]
    pub fn rows(&self) -> impl Iterator<Item = (&str, Option<Level>, &Row)> {
        self.0.iter().map(|((of, at), row)| (of.as_str(), *at, row))
    }
}

fn event(text: &str) -> Result<String, String> {
    let alike = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if text.len() <= 5 && text.bytes().all(alike) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is no beginning of an event code; write up to five digits and capitals"
    ))
}

fn level(text: &str) -> Result<Option<Level>, String> {
    Ok(Some(match text {
        "" => return Ok(None),
        "red" => Level::Red,
        "orange" => Level::Orange,
        "yellow" => Level::Yellow,
        "blue" => Level::Blue,
        "unknown" => Level::Unknown,
        _ => {
            return Err(
                "a level is red, orange, yellow, blue, unknown, or empty for any".to_owned(),
            );
        }
    }))
}

fn tone(line: &Line) -> Result<Option<(String, u32)>, String> {
    let name = line.tone.as_str();
    let good = name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    match (name, line.seconds) {
        ("", None) => Ok(None),
        (_, Some(seconds)) if good && (1..=LONGEST_TONE).contains(&seconds) && !name.is_empty() => {
            Ok(Some((name.to_owned(), seconds)))
        }
        _ => Err(format!(
            "a tone has a name of small letters and 1 to {LONGEST_TONE} seconds, or neither"
        )),
    }
}

fn repeat(line: &Line) -> Result<Option<(u32, u64)>, String> {
    match (line.times, line.pause) {
        (None, None) => Ok(None),
        (Some(times), Some(pause))
            if (1..=MOST_TIMES).contains(&times) && pause <= LONGEST_PAUSE =>
        {
            Ok(Some((times, pause)))
        }
        _ => Err(format!(
            "times is 1 to {MOST_TIMES} with a pause of at most {LONGEST_PAUSE} seconds, or both are empty"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "event,level,tone,seconds,times,pause,open_zh,close_zh,open_en,close_en\n";

    #[test]
    fn each_row_of_the_shipped_table_is_used_by_the_alerts_it_names() {
        let table = Table::shipped();
        let mut count = 0;
        for (event, level, row) in table.rows() {
            // A code of the group that no longer row names, in a level that no other row of it names.
            let code = format!("{event:9<5}");
            let own = level.unwrap_or(Level::Unknown);
            assert_eq!(&table.row(&code, own), row, "{event} {level:?}");
            assert!(
                row.tone.is_some(),
                "{event} {level:?}: it begins with a tone"
            );
            assert_eq!(
                row.opening[0].is_empty(),
                row.opening[1].is_empty(),
                "{event}"
            );
            assert_eq!(
                row.closing[0].is_empty(),
                row.closing[1].is_empty(),
                "{event}"
            );
            count += 1;
        }
        assert!(count > 8, "{count}");
        let red = table.row("11A51", Level::Red);
        assert_eq!(red.tone, Some(("gong-fast".into(), 8)));
        assert!(red.opening("zh-CN").contains("山洪") && red.opening("en-GB").contains("flood"));
    }

    #[test]
    fn the_longest_event_counts_and_then_the_level() {
        let rows = ",,a,1,,,,,,\n,red,b,1,,,,,,\n11A,,c,1,,,,,,\n11A51,blue,d,1,2,3,开,收,o,c\n";
        let table = Table::parse(&format!("{HEAD}{rows}")).expect("a table");
        let tone = |event, level| table.row(event, level).tone.expect("a tone").0;
        assert_eq!(tone("11B03", Level::Red), "b");
        assert_eq!(tone("", Level::Unknown), "a");
        assert_eq!(tone("11A51", Level::Red), "c", "the class before the level");
        assert_eq!(tone("11A51", Level::Blue), "d");
        let row = table.row("11A51", Level::Blue);
        assert_eq!((row.opening("bo"), row.closing("en-US")), ("开", "c"));
        assert_eq!(row.repeat, Some((2, 3)));
        assert_eq!(Table::default().row("11A51", Level::Red), Row::default());
    }

    #[test]
    fn every_problem_of_a_table_is_told() {
        let rows = "flood,,,,,,,,,\n,pink,,,,,,,,\n,,siren,61,,,,,,\n,,,,3,,,,,\n,,a,1,,,,,,\n,,a,1,,,,,,\n";
        let problems = Table::parse(&format!("{HEAD}{rows}")).expect_err("refused");
        let parts = [
            "no beginning",
            "a level is",
            "1 to 60",
            "a pause",
            "stands twice",
        ];
        assert_eq!(problems.len(), parts.len(), "{problems:?}");
        for (problem, part) in problems.iter().zip(parts) {
            assert!(problem.contains(part), "{problem}");
        }
    }
}
