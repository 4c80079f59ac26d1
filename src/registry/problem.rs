//! What is wrong with a registry's rows: the table, the row, what, and what to do. A problem must never carry a name, a
//! number or an address; ids, codes, lines and column names are enough to find the row.

use std::fmt;

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::model::{GroupCode, RegionCode};

use super::table::Table;

/// What a row is known by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    Id(u32),
    /// A row that is a pair of ids.
    Pair(u32, u32),
    Region(RegionCode),
    Group(GroupCode),
}

/// Where in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The table or file as a whole.
    Whole,
    /// A row by its position among the rows; who read them from a file knows the line.
    Row {
        row: usize,
        key: Key,
        column: &'static str,
    },
    Line(u64),
    Cell {
        line: u64,
        column: &'static str,
    },
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Pair(left, right) => write!(f, "{left}/{right}"),
            Self::Region(code) => code.fmt(f),
            Self::Group(code) => write!(f, "{}/{}", code.village, code.group),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("as a whole"),
            Self::Row { key, column, .. } => write!(f, "row {key}, column {column}"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Cell { line, column } => write!(f, "line {line}, column {column}"),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}, {place}: {what}; {remedy}", table.name())]
pub struct Problem {
    pub table: Table,
    pub place: Place,
    pub what: String,
    pub remedy: &'static str,
}

impl Problem {
    pub fn new(table: Table, place: Place, what: impl Into<String>, remedy: &'static str) -> Self {
        Self {
            table,
            place,
            what: what.into(),
            remedy,
        }
    }
}

/// A problem as a program reads it.
#[derive(Serialize, ToSchema)]
struct Told<'a> {
    table: &'static str,
    line: Option<u64>,
    row: Option<String>,
    column: Option<&'static str>,
    what: &'a str,
    remedy: &'static str,
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Told::schema()
    }
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (line, row, column) = match self.place {
            Place::Whole => (None, None, None),
            Place::Row { key, column, .. } => (None, Some(key.to_string()), Some(column)),
            Place::Line(line) => (Some(line), None, None),
            Place::Cell { line, column } => (Some(line), None, Some(column)),
        };
        Told {
            table: self.table.name(),
            line,
            row,
            column,
            what: &self.what,
            remedy: self.remedy,
        }
        .serialize(serializer)
    }
}
