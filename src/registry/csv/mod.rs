//! The registry's files: a table each, any of them, read all or nothing. This module must not judge what the rows mean
//! together: that is the check's. Its problems name file, line and column and never what stood there.

mod line;
mod rows;
mod speaker;
#[cfg(test)]
mod tests;
mod write;

pub use write::write_dir;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use crate::model::{Rows, TagNames};

use super::problem::{Place, Problem};
use super::table::{Table, Tables};
use line::{Line, places};

/// The files of one import.
pub struct Files<'a>(Vec<(Table, Box<dyn Read + 'a>)>);

/// What the files say.
#[derive(Default)]
pub struct Draft {
    pub rows: Rows,
    /// The tables that were handed in; the others stay as they are.
    pub given: Tables,
    /// The tables with a line that cannot be read: what is missing in them may stand there.
    pub broken: Tables,
    /// Where each row stood, table by table.
    lines: [Vec<u32>; Table::ALL.len()],
    pub problems: Vec<Problem>,
}

impl<'a> Files<'a> {
    /// Every `.csv` file of a folder.
    pub fn of_dir(dir: &Path) -> Result<Files<'static>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut files = Vec::new();
        let mut names: Vec<String> = std::fs::read_dir(dir)
            .map_err(|_| vec![empty("the folder cannot be read")])?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| Path::new(name).extension().is_some_and(|end| end == "csv"))
            .collect();
        names.sort_unstable();
        for name in names {
            let Some(table) = Table::named(&name) else {
                problems.push(stray(&name));
                continue;
            };
            match File::open(dir.join(&name)) {
                Ok(file) => files.push((table, Box::new(BufReader::new(file)) as Box<dyn Read>)),
                Err(_) => problems.push(Problem::new(
                    table,
                    Place::Whole,
                    format!("{name} cannot be opened"),
                    "check its permissions",
                )),
            }
        }
        if files.is_empty() && problems.is_empty() {
            problems.push(empty("there is no table in the folder"));
        }
        if problems.is_empty() {
            Ok(Files(files))
        } else {
            Err(problems)
        }
    }

    /// Files as they came under the names of their tables, with `.csv` or without.
    pub fn of_parts(
        parts: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut files: Vec<(Table, Box<dyn Read + 'a>)> = Vec::new();
        for (name, bytes) in parts {
            match Table::named(name) {
                None => problems.push(stray(name)),
                Some(table) if files.iter().any(|(known, _)| *known == table) => {
                    let remedy = "put all its rows into one part";
                    let what = "was handed in twice";
                    problems.push(Problem::new(table, Place::Whole, what, remedy));
                }
                Some(table) => files.push((table, Box::new(bytes))),
            }
        }
        if files.is_empty() && problems.is_empty() {
            problems.push(empty("no table was handed in"));
        }
        if problems.is_empty() {
            Ok(Self(files))
        } else {
            Err(problems)
        }
    }

    /// Everything that the files say and everything in them that cannot be read. Tags are called as `tags.csv` says, or as
    /// they were.
    pub fn read(mut self, known: &TagNames) -> Draft {
        let mut draft = Draft::default();
        let mut names = known.clone();
        self.0
            .sort_by_key(|(table, _)| Table::ALL.iter().position(|other| other == table));
        for (table, file) in self.0 {
            draft.given.add(table);
            rows::read(table, file, &names, &mut draft);
            if table == Table::Tags {
                names = TagNames::of(&draft.rows.tags);
            }
        }
        for problem in &draft.problems {
            draft.broken.add(problem.table);
        }
        draft
    }
}

impl Draft {
    /// The same problem with the line that its row stood in, where it came from a file.
    pub fn located(&self, mut problem: Problem) -> Problem {
        if let Place::Row { row, column, .. } = problem.place
            && let Some(line) = self.lines[problem.table as usize].get(row)
        {
            let line = u64::from(*line);
            problem.place = Place::Cell { line, column };
        }
        problem
    }
}

fn stray(name: &str) -> Problem {
    let shown: String = name
        .chars()
        .filter(char::is_ascii_graphic)
        .take(40)
        .collect();
    let names = Table::ALL.map(Table::name);
    let what = format!("{shown} is none of the tables {}", names.join(", "));
    Problem::new(
        Table::Regions,
        Place::Whole,
        what,
        "rename it or take it out",
    )
}

fn empty(what: &str) -> Problem {
    let remedy = "hand in at least one table, such as households.csv";
    Problem::new(Table::Regions, Place::Whole, what, remedy)
}

/// Gives every line of a file to `row`.
fn each<R>(
    table: Table,
    file: impl Read,
    names: &TagNames,
    draft: &mut Draft,
    row: fn(&mut Line<'_>) -> Option<R>,
) -> Vec<R> {
    let (lines, problems) = (&mut draft.lines[table as usize], &mut draft.problems);
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
    let headers = reader.byte_headers().cloned().unwrap_or_default();
    let Some(places) = places(&headers, table, problems) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return rows,
            Err(_) => {
                let what = format!("{} broke off while read", table.file_name());
                let remedy = "check the disk and copy the file again";
                problems.push(Problem::new(table, Place::Whole, what, remedy));
                return rows;
            }
        }
        let mut line = Line::new(table, &places, &record, names, problems);
        if record.len() == headers.len() {
            let number = u32::try_from(line.number()).unwrap_or(u32::MAX);
            if let Some(row) = row(&mut line) {
                rows.push(row);
                lines.push(number);
            }
        } else {
            line.wrong_width(headers.len());
        }
    }
}
