//! What is wrong with a registry's rows: the table, the row, what, and what to do. A problem must never carry a name, a
//! number or an address; ids, codes, lines and column names are enough to find the row.

use std::fmt;

use crate::model::RegionCode;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Table {
    Regions,
    Households,
    Recipients,
    Posts,
    Endpoints,
    Speakers,
    Hearing,
}

impl Table {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regions => "regions",
            Self::Households => "households",
            Self::Recipients => "recipients",
            Self::Posts => "posts",
            Self::Endpoints => "endpoints",
            Self::Speakers => "speakers",
            Self::Hearing => "hearing",
        }
    }
}

/// Where in the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The table or file as a whole.
    Whole,
    Id(u32),
    /// A row that is a pair of ids.
    Pair(u32, u32),
    Region(RegionCode),
    Line(u64),
    Cell {
        line: u64,
        column: &'static str,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("as a whole"),
            Self::Id(id) => write!(f, "row {id}"),
            Self::Pair(left, right) => write!(f, "row {left}/{right}"),
            Self::Region(code) => write!(f, "row {code}"),
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
