//! What an import changes, by table and by village, in numbers. This module must not name a person, a door or a number:
//! the report is for a screen that others see.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{GroupCode, PostPlace, RegionCode, RegionLevel, Rows, ZoneMember};
use crate::registry::table::Table;
use crate::registry::{Counts, Registry};

/// How many villages a report names.
const NAMED: usize = 10;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Change {
    pub table: &'static str,
    pub before: usize,
    pub after: usize,
    pub added: usize,
    pub changed: usize,
    pub closed: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Affected {
    pub code: RegionCode,
    pub name: String,
    /// How many of its rows were added, changed or closed.
    pub rows: usize,
}

#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Report {
    pub generation: u32,
    pub tables: Vec<Change>,
    /// Endpoints that have another id than their file gave them: a changed number is a new endpoint.
    pub renumbered: usize,
    /// The villages with most changes.
    pub villages: Vec<Affected>,
    pub counts: Counts,
    pub bytes: usize,
    /// It was known already, or changes nothing: the generation is the one that stood.
    pub repeated: bool,
    /// Every region that something is changed in.
    #[serde(skip)]
    pub touched: BTreeMap<RegionCode, usize>,
    /// Rows that lie nowhere: tags, officers without a household, zones.
    #[serde(skip)]
    pub nowhere: usize,
}

impl Report {
    /// Whether it leaves every row as it is.
    pub fn is_idle(&self) -> bool {
        let idle = |change: &Change| change.added + change.changed + change.closed == 0;
        self.tables.iter().all(idle) && self.renumbered == 0
    }

    /// Memory per person of a household; nothing where there is nobody.
    pub fn bytes_per_person(&self) -> Option<usize> {
        self.bytes.checked_div(self.counts.people)
    }
}

impl Report {
    /// The regions with changes that lie outside `own`. What lies nowhere concerns every village.
    pub fn outside(&self, registry: &Registry, own: &[RegionCode]) -> Vec<RegionCode> {
        let outside = |code: &RegionCode| !own.iter().any(|own| own.covers(*code));
        let villages = registry.regions().iter().copied();
        let villages =
            villages.filter(|code| self.nowhere > 0 && code.level() == RegionLevel::Village);
        let mut codes: Vec<_> = self
            .touched
            .keys()
            .copied()
            .chain(villages)
            .filter(outside)
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "table 表", "before 原", "added 增", "changed 改", "closed 销", "after 现"
        )?;
        for change in &self.tables {
            let Change {
                table,
                before,
                after,
                added,
                changed,
                closed,
            } = change;
            writeln!(
                f,
                "{table:<14}{before:>11}{added:>11}{changed:>11}{closed:>11}{after:>11}"
            )?;
        }
        for village in &self.villages {
            let Affected { code, name, rows } = village;
            writeln!(f, "{code} {name}: {rows} rows changed 处变动")?;
        }
        if self.renumbered > 0 {
            let renumbered = self.renumbered;
            writeln!(f, "{renumbered} endpoints have a new id 个终端换了编号")?;
        }
        Ok(())
    }
}

/// The rows of one side, with where each of them lies.
struct Side<'a> {
    rows: &'a Rows,
    homes: HashMap<u32, RegionCode>,
    people: HashMap<u32, RegionCode>,
}

impl<'a> Side<'a> {
    fn of(rows: &'a Rows) -> Self {
        let homes: HashMap<_, _> = rows
            .households
            .iter()
            .map(|row| (row.id, row.village))
            .collect();
        let people = rows
            .recipients
            .iter()
            .filter_map(|row| Some((row.id, *homes.get(&row.household?)?)))
            .collect();
        Self {
            rows,
            homes,
            people,
        }
    }

    fn post(&self, place: PostPlace) -> Option<RegionCode> {
        match place {
            PostPlace::Region(region) => Some(region),
            PostPlace::Group(group) => Some(group.village),
            PostPlace::Unit(id) => self.unit(id),
            PostPlace::Zone(_) => None,
        }
    }

    fn unit(&self, id: u32) -> Option<RegionCode> {
        let unit = self.rows.units.iter().find(|row| row.id == id)?;
        Some(unit.village)
    }

    fn member(&self, member: ZoneMember) -> Option<RegionCode> {
        match member {
            ZoneMember::Region(region) => Some(region),
            ZoneMember::Group(group) => Some(group.village),
            ZoneMember::Household(id) => self.homes.get(&id).copied(),
            ZoneMember::Unit(id) => self.unit(id),
        }
    }
}

pub fn report(before: &Rows, after: &Rows, registry: &Registry, renumbered: usize) -> Report {
    let mut diff = Diff {
        before: Side::of(before),
        after: Side::of(after),
        tables: Vec::new(),
        touched: BTreeMap::new(),
        nowhere: 0,
    };
    diff.land();
    diff.people();
    diff.ways();
    let Diff {
        tables,
        touched,
        nowhere,
        ..
    } = diff;
    let mut most: Vec<_> = touched.iter().map(|(code, rows)| (*code, *rows)).collect();
    most.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let villages = most
        .into_iter()
        .take(NAMED)
        .map(|(code, rows)| Affected {
            code,
            name: registry.full_name(code),
            rows,
        })
        .collect();
    Report {
        generation: registry.generation(),
        tables,
        renumbered,
        villages,
        counts: registry.counts(),
        bytes: registry.bytes(),
        repeated: false,
        touched,
        nowhere,
    }
}

struct Diff<'a> {
    before: Side<'a>,
    after: Side<'a>,
    tables: Vec<Change>,
    touched: BTreeMap<RegionCode, usize>,
    nowhere: usize,
}

impl<'a> Diff<'a> {
    fn table<R: PartialEq + 'a, K: Hash + Eq>(
        &mut self,
        table: Table,
        rows: impl Fn(&'a Rows) -> &'a [R],
        key: impl Fn(&'a R) -> K,
        place: impl Fn(&Side<'a>, &R) -> Option<RegionCode>,
    ) {
        let (old, new) = (rows(self.before.rows), rows(self.after.rows));
        let mut gone: HashMap<K, &R> = old.iter().map(|row| (key(row), row)).collect();
        let (mut added, mut changed) = (0, 0);
        let mut places = Vec::new();
        for row in new {
            match gone.remove(&key(row)) {
                Some(was) if was == row => {}
                Some(was) => {
                    changed += 1;
                    let (from, to) = (place(&self.before, was), place(&self.after, row));
                    places.push(to);
                    if from != to {
                        places.push(from);
                    }
                }
                None => {
                    added += 1;
                    places.push(place(&self.after, row));
                }
            }
        }
        places.extend(gone.values().map(|row| place(&self.before, row)));
        self.tables.push(Change {
            table: table.name(),
            before: old.len(),
            after: new.len(),
            added,
            changed,
            closed: gone.len(),
        });
        for place in places {
            match place {
                Some(code) => *self.touched.entry(code).or_default() += 1,
                None => self.nowhere += 1,
            }
        }
    }

    fn land(&mut self) {
        self.table(Table::Tags, |rows| &rows.tags, |row| row.bit, |_, _| None);
        self.table(
            Table::Regions,
            |rows| &rows.regions,
            |row| row.code,
            |_, row| Some(row.code),
        );
        self.table(
            Table::Aliases,
            |rows| &rows.aliases,
            |row| (row.code, row.old, row.name.as_str()),
            |_, row| Some(row.code),
        );
        self.table(
            Table::Groups,
            |rows| &rows.groups,
            |row| GroupCode {
                village: row.village,
                group: row.group,
            },
            |_, row| Some(row.village),
        );
        self.table(
            Table::Units,
            |rows| &rows.units,
            |row| row.id,
            |_, row| Some(row.village),
        );
        self.table(Table::Zones, |rows| &rows.zones, |row| row.id, |_, _| None);
        self.table(
            Table::Members,
            |rows| &rows.members,
            |row| (row.zone, row.member),
            |side, row| side.member(row.member),
        );
    }

    fn people(&mut self) {
        self.table(
            Table::Households,
            |rows| &rows.households,
            |row| row.id,
            |_, row| Some(row.village),
        );
        self.table(
            Table::Recipients,
            |rows| &rows.recipients,
            |row| row.id,
            |side, row| side.people.get(&row.id).copied(),
        );
        self.table(
            Table::Posts,
            |rows| &rows.posts,
            |row| (row.recipient, row.place, row.role.name()),
            |side, row| side.post(row.place),
        );
        self.table(
            Table::Relations,
            |rows| &rows.relations,
            |row| (row.household, row.recipient, row.kind),
            |side, row| side.homes.get(&row.household).copied(),
        );
    }

    fn ways(&mut self) {
        self.table(
            Table::Endpoints,
            |rows| &rows.endpoints,
            |row| row.id,
            |side, row| side.people.get(&row.recipient?).copied(),
        );
        self.table(
            Table::Speakers,
            |rows| &rows.speakers,
            |row| row.endpoint,
            |_, row| Some(row.village),
        );
        self.table(
            Table::Hearing,
            |rows| &rows.hearing,
            |row| (row.speaker, row.household),
            |side, row| side.homes.get(&row.household).copied(),
        );
    }
}
