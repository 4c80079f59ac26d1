//! Everything that is wrong with a generation's rows, at once. This module must not stop at the first problem, and its
//! findings carry ids and codes only.

mod address;
mod land;
mod people;
mod speakers;
mod zones;

pub use address::{is_card, is_telephone};

use std::collections::HashSet;
use std::hash::Hash;

use crate::model::{AreaCode, GroupCode, RegionCode, RegionLevel, Rows};

use super::problem::{Key, Place, Problem};
use super::table::{Table, Tables};

const LANGUAGES_AT_MOST: usize = 1_000;

/// The ids that the rows of other tables may refer to.
struct Known<'a> {
    rows: &'a Rows,
    /// What a row of these refers to may stand in a line that could not be read.
    broken: Tables,
    regions: HashSet<RegionCode>,
    groups: HashSet<GroupCode>,
    households: HashSet<u32>,
    units: HashSet<u32>,
    zones: HashSet<u32>,
    recipients: HashSet<u32>,
    speakers: HashSet<u32>,
    problems: Vec<Problem>,
}

/// A row of which something is found.
#[derive(Clone, Copy)]
struct At {
    table: Table,
    row: usize,
    key: Key,
}

pub fn check(rows: &Rows, broken: Tables) -> Vec<Problem> {
    let group = |village, group| GroupCode { village, group };
    let mut known = Known {
        rows,
        broken,
        regions: rows.regions.iter().map(|row| row.code).collect(),
        groups: rows
            .households
            .iter()
            .map(|row| group(row.village, row.group))
            .chain(rows.groups.iter().map(|row| group(row.village, row.group)))
            .collect(),
        households: rows.households.iter().map(|row| row.id).collect(),
        units: rows.units.iter().map(|row| row.id).collect(),
        zones: rows.zones.iter().map(|row| row.id).collect(),
        recipients: rows.recipients.iter().map(|row| row.id).collect(),
        speakers: speakers::speakers(rows),
        problems: Vec::new(),
    };
    known.sizes();
    known.regions();
    known.aliases();
    known.groups();
    known.tags();
    known.households();
    known.units();
    known.zones();
    known.members();
    known.recipients();
    known.posts();
    known.relations();
    known.endpoints();
    known.speakers();
    known.hearing();
    known.problems
}

impl Known<'_> {
    fn found(
        &mut self,
        At { table, row, key }: At,
        column: &'static str,
        what: impl Into<String>,
        remedy: &'static str,
    ) {
        let place = Place::Row { row, key, column };
        self.problems.push(Problem::new(table, place, what, remedy));
    }

    /// Says so where a row's key stands there already.
    fn once<T: Hash + Eq>(&mut self, seen: &mut HashSet<T>, key: T, at: At, column: &'static str) {
        if !seen.insert(key) {
            let remedy = "give every row its own and drop the copy";
            self.found(at, column, "occurs more than once", remedy);
        }
    }

    /// Whether this may be: it stands in `table`, or could.
    fn may_be<T: Hash + Eq>(&self, table: Table, set: &HashSet<T>, key: &T) -> bool {
        set.contains(key) || self.broken.has(table)
    }

    fn sizes(&mut self) {
        let rows = self.rows;
        let sizes = [
            (Table::Households, rows.households.len(), {
                rows.households.iter().map(|row| row.name.len()).sum()
            }),
            (Table::Recipients, rows.recipients.len(), {
                rows.recipients.iter().map(|row| row.name.len()).sum()
            }),
            (Table::Endpoints, rows.endpoints.len(), {
                rows.endpoints.iter().map(|row| row.address.len()).sum()
            }),
            (Table::Hearing, rows.hearing.len(), 0_usize),
        ];
        for (table, length, text) in sizes {
            if length.max(text) >= u32::MAX as usize {
                let remedy = "split the registry by region over several gateways";
                let what = "is larger than 4 GiB";
                self.problems
                    .push(Problem::new(table, Place::Whole, what, remedy));
            }
        }
        let spoken: HashSet<_> = rows.recipients.iter().map(|row| &row.language).collect();
        if spoken.len() > LANGUAGES_AT_MOST {
            let what = format!("names {} languages", spoken.len());
            let remedy = "put a language tag such as zh-CN into the language column";
            self.problems
                .push(Problem::new(Table::Recipients, Place::Whole, what, remedy));
        }
    }

    /// Says so where `village` is no village of the table.
    fn needs_village(&mut self, at: At, village: RegionCode) {
        if village.level() != RegionLevel::Village {
            let what = format!("is put into {village}, which is no village");
            let remedy = "give the 12-digit code of a village";
            self.found(at, "village", what, remedy);
        } else if !self.may_be(Table::Regions, &self.regions, &village) {
            let what = format!("is put into {village}, which is not among the regions");
            let remedy = "add the village to the regions, or correct the code";
            self.found(at, "village", what, remedy);
        }
    }

    /// Says so where a post or a zone names a region or a group that is not here.
    fn needs_area(&mut self, at: At, area: AreaCode) {
        let known = match area {
            AreaCode::Region(region) => self.may_be(Table::Regions, &self.regions, &region),
            AreaCode::Group(group) => {
                self.may_be(Table::Groups, &self.groups, &group)
                    || self.broken.has(Table::Households)
            }
        };
        if !known {
            let (what, remedy) = match area {
                AreaCode::Region(region) => (
                    format!("names {region}, which is not a region here"),
                    "add the region, or correct the code",
                ),
                AreaCode::Group(GroupCode { village, group }) => (
                    format!("names group {group} of {village}, which has no household and no name"),
                    "add the group to the groups, or correct its number",
                ),
            };
            self.found(at, "region", what, remedy);
        }
    }

    /// Says so where an id is not in the table that it belongs to.
    fn needs(&mut self, at: At, column: &'static str, table: Table, id: u32) {
        let (set, what, remedy) = match table {
            Table::Households => (
                &self.households,
                "household",
                "add the household, or correct the id",
            ),
            Table::Recipients => (
                &self.recipients,
                "recipient",
                "add the recipient, or correct the id",
            ),
            Table::Units => (&self.units, "unit", "add the unit, or correct the id"),
            Table::Zones => (&self.zones, "zone", "add the zone, or correct the id"),
            _ => (
                &self.speakers,
                "speaker",
                "add the speaker to the endpoints, or correct the id",
            ),
        };
        if !self.may_be(table, set, &id) {
            let what = format!("names {what} {id}, which does not exist");
            self.found(at, column, what, remedy);
        }
    }
}
