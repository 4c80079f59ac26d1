//! The registry's tables as people hand them in: their names, their columns, and which of the columns may be missing.
//! This module must not read anything.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Table {
    Regions,
    Aliases,
    Groups,
    Tags,
    Households,
    Units,
    Zones,
    Members,
    Recipients,
    Posts,
    Relations,
    Endpoints,
    Speakers,
    Hearing,
}

/// A column, and whether a file must have it; a column that is not there is empty in every line.
pub type Column = (&'static str, bool);

impl Table {
    /// What a row refers to stands before the row's own table, as far as that can be.
    pub const ALL: [Self; 14] = [
        Self::Tags,
        Self::Regions,
        Self::Aliases,
        Self::Groups,
        Self::Households,
        Self::Units,
        Self::Zones,
        Self::Members,
        Self::Recipients,
        Self::Posts,
        Self::Relations,
        Self::Endpoints,
        Self::Speakers,
        Self::Hearing,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Regions => "regions",
            Self::Aliases => "aliases",
            Self::Groups => "groups",
            Self::Tags => "tags",
            Self::Households => "households",
            Self::Units => "units",
            Self::Zones => "zones",
            Self::Members => "zone-members",
            Self::Recipients => "recipients",
            Self::Posts => "posts",
            Self::Relations => "relations",
            Self::Endpoints => "endpoints",
            Self::Speakers => "speakers",
            Self::Hearing => "hearing",
        }
    }

    /// By its name, with `.csv` or without.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.strip_suffix(".csv").unwrap_or(name);
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    pub fn file_name(self) -> String {
        format!("{}.csv", self.name())
    }

    pub const fn columns(self) -> &'static [Column] {
        COLUMNS[self as usize]
    }
}

/// In the order of the tables' declaration.
const COLUMNS: [&[Column]; Table::ALL.len()] = [
    &[
        ("code", true),
        ("name", true),
        ("lat", false),
        ("lon", false),
        ("revision", false),
        ("tags", false),
    ],
    &[("code", true), ("old", false), ("name", false)],
    &[("village", true), ("group", true), ("name", true)],
    &[("bit", true), ("name", true), ("title", true)],
    &[
        ("id", true),
        ("village", true),
        ("group", true),
        ("name", true),
        ("presence", true),
        ("tags", true),
        ("lat", false),
        ("lon", false),
    ],
    &[
        ("id", true),
        ("village", true),
        ("name", true),
        ("heads", true),
        ("tags", false),
        ("lat", false),
        ("lon", false),
    ],
    &[
        ("id", true),
        ("code", true),
        ("version", true),
        ("name", true),
        ("tags", false),
        ("outline", false),
    ],
    &[
        ("zone", true),
        ("region", false),
        ("group", false),
        ("household", false),
        ("unit", false),
    ],
    &[
        ("id", true),
        ("household", true),
        ("name", true),
        ("language", true),
    ],
    &[
        ("recipient", true),
        ("region", true),
        ("role", true),
        ("group", false),
        ("unit", false),
        ("zone", false),
    ],
    &[("household", true), ("recipient", true), ("kind", true)],
    &[
        ("id", true),
        ("recipient", true),
        ("kind", true),
        ("address", true),
    ],
    &[
        ("endpoint", true),
        ("village", true),
        ("name", true),
        ("keeper", false),
        ("phone", false),
        ("sim", false),
        ("sim_expires", false),
        ("power", false),
        ("hours", false),
        ("volume", false),
        ("maker", false),
        ("lat", false),
        ("lon", false),
    ],
    &[("speaker", true), ("household", true)],
];

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some of the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tables(u16);

impl Tables {
    pub const fn has(self, table: Table) -> bool {
        self.0 & (1 << table as u16) != 0
    }

    pub const fn add(&mut self, table: Table) {
        self.0 |= 1 << table as u16;
    }
}
