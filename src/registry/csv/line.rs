//! One line of a file, cell by cell. A cell that cannot be read is noted with line and column; the line is dropped, and a
//! file with a problem is not taken anyway. This module must not keep a cell's text.

use csv::{ByteRecord, Position};
use serde::de::value::{Error as NoVariant, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::model::{TagNames, Tags};

use super::super::problem::{Place, Problem};
use super::super::table::Table;

pub struct Line<'a> {
    table: Table,
    /// Where each column stands in this file, if it does.
    places: &'a [Option<usize>],
    record: &'a ByteRecord,
    names: &'a TagNames,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Line<'a> {
    pub fn new(
        table: Table,
        places: &'a [Option<usize>],
        record: &'a ByteRecord,
        names: &'a TagNames,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        Self {
            table,
            places,
            record,
            names,
            problems,
        }
    }

    pub fn number(&self) -> u64 {
        self.record.position().map_or(0, Position::line)
    }

    pub fn wrong_width(&mut self, width: usize) {
        let what = format!(
            "has {} cells where the header has {width}",
            self.record.len()
        );
        let place = Place::Line(self.number());
        let remedy = "check its commas and quotes";
        self.problems
            .push(Problem::new(self.table, place, what, remedy));
    }

    pub fn problem(&mut self, column: usize, what: &'static str, remedy: &'static str) {
        let place = Place::Cell {
            line: self.number(),
            column: self.table.columns()[column].0,
        };
        self.problems
            .push(Problem::new(self.table, place, what, remedy));
    }

    pub fn cell<T>(
        &mut self,
        column: usize,
        parse: impl FnOnce(&str) -> Option<T>,
        remedy: &'static str,
    ) -> Option<T> {
        let bytes = self.places[column].map_or(&b""[..], |at| &self.record[at]);
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.problem(column, "is not UTF-8", "save the file as UTF-8");
            return None;
        };
        let value = parse(text);
        if value.is_none() {
            self.problem(column, "cannot be read", remedy);
        }
        value
    }

    pub fn text(&mut self, column: usize) -> Option<String> {
        self.cell(column, |text| Some(text.to_owned()), "")
    }

    pub fn id(&mut self, column: usize) -> Option<u32> {
        let parse = |text: &str| text.parse().ok();
        self.cell(column, parse, "give a whole number from 0 to 4294967295")
    }

    pub fn id_or_empty(&mut self, column: usize) -> Option<OrEmpty<u32>> {
        let remedy = "give a whole number, or leave it empty";
        self.or_empty(column, |id| id.parse().ok(), remedy)
    }

    pub fn code<T: std::str::FromStr>(&mut self, column: usize) -> Option<T> {
        let remedy = "give 2, 4, 6, 9 or 12 digits of a region code";
        self.cell(column, |text| text.parse().ok(), remedy)
    }

    /// Latitude and longitude in two columns, both or neither.
    pub fn point(&mut self, lat: usize, lon: usize) -> Option<OrEmpty<(f64, f64)>> {
        let (lat_cell, lon_cell) = (self.degrees(lat, 90.0), self.degrees(lon, 180.0));
        match (lat_cell?.0, lon_cell?.0) {
            (Some(lat), Some(lon)) => Some(OrEmpty(Some((lat, lon)))),
            (None, None) => Some(OrEmpty(None)),
            (one, _) => {
                let missing = if one.is_none() { lat } else { lon };
                let remedy = "give latitude and longitude, or neither";
                self.problem(missing, "is empty", remedy);
                None
            }
        }
    }

    fn degrees(&mut self, column: usize, most: f64) -> Option<OrEmpty<f64>> {
        let sound = |text: &str| degrees(text, most);
        let remedy = "give degrees with a decimal point, or leave it empty";
        self.or_empty(column, sound, remedy)
    }

    pub fn or_empty<T>(
        &mut self,
        column: usize,
        parse: impl FnOnce(&str) -> Option<T>,
        remedy: &'static str,
    ) -> Option<OrEmpty<T>> {
        let parse = |text: &str| {
            if text.is_empty() {
                Some(OrEmpty(None))
            } else {
                parse(text).map(|value| OrEmpty(Some(value)))
            }
        };
        self.cell(column, parse, remedy)
    }

    /// One of a closed set of words, as the model names them.
    pub fn word<T: DeserializeOwned>(&mut self, column: usize, remedy: &'static str) -> Option<T> {
        let parse = |text: &str| {
            let word: StrDeserializer<'_, NoVariant> = text.into_deserializer();
            T::deserialize(word).ok()
        };
        self.cell(column, parse, remedy)
    }

    pub fn tags(&mut self, column: usize) -> Option<Tags> {
        let names = self.names;
        let parse = |text: &str| {
            text.split('|')
                .filter(|name| !name.is_empty())
                .try_fold(Tags::default(), |tags, name| {
                    Some(tags.with(names.named(name)?))
                })
        };
        let remedy =
            "give lives-alone, disabled, danger-zone, school or tags of tags.csv, separated by |";
        self.cell(column, parse, remedy)
    }
}

/// A cell that may be empty.
pub struct OrEmpty<T>(pub Option<T>);

pub fn degrees(text: &str, most: f64) -> Option<f64> {
    text.parse().ok().filter(|d: &f64| d.abs() <= most)
}

/// Where the columns stand, in any order; a column we do not know is passed over.
pub fn places(
    headers: &ByteRecord,
    table: Table,
    problems: &mut Vec<Problem>,
) -> Option<Vec<Option<usize>>> {
    let mut places = Vec::new();
    let before = problems.len();
    for &(column, needed) in table.columns() {
        let mut found =
            (0..headers.len()).filter(|&at| headers[at].trim_ascii() == column.as_bytes());
        let mut wrong = |what, remedy| {
            let place = Place::Cell { line: 1, column };
            problems.push(Problem::new(table, place, what, remedy));
        };
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => wrong("stands there twice", "name each column once"),
            (None, _) if needed => wrong("is missing", "name the column in the header line"),
            (at, _) => places.push(at),
        }
    }
    (problems.len() == before).then_some(places)
}
