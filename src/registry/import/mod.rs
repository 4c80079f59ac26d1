//! An import: files beside the generation that stands make the next one, or everything that is wrong with them. Whatever
//! was not handed in stays as it is. This module must not write: it says what would come of it, and whoever keeps the
//! registry writes that or leaves it.

mod ids;
mod report;
#[cfg(test)]
mod tests;

pub use report::Report;

use std::collections::HashMap;

use crate::model::{MemberRow, Rows, TagNames, ZoneId, ZoneMember, ZoneRow};

use super::csv::{Draft, Files};
use super::problem::{Key, Place, Problem};
use super::table::Table;
use super::{Registry, check};

/// A generation that could stand.
pub struct Prepared {
    pub rows: Rows,
    pub registry: Registry,
    pub report: Report,
}

/// What these files make of the generation that stands; nothing stands before the first.
pub fn prepare(standing: Option<(u32, Rows)>, files: Files<'_>) -> Result<Prepared, Vec<Problem>> {
    let (before, standing) = standing.unwrap_or_default();
    let mut draft = files.read(&TagNames::of(&standing.tags));
    keep(&standing, &mut draft);
    let mut problems = std::mem::take(&mut draft.problems);
    let found = check::check(&draft.rows, draft.broken);
    let steps = [
        tags_renamed(&standing, &draft),
        zones_unversioned(&standing, &draft),
    ];
    let found = found.into_iter().chain(steps.into_iter().flatten());
    problems.extend(found.map(|problem| draft.located(problem)));
    if !problems.is_empty() {
        problems.sort_by_key(|problem| (problem.table, line(problem)));
        return Err(problems);
    }
    let generation = before + 1;
    let mut rows = draft.rows;
    let renumbered = ids::settle(generation, &standing, &mut rows);
    let registry = Registry::of_checked(generation, &rows);
    let report = report::report(&standing, &rows, &registry, renumbered);
    Ok(Prepared {
        rows,
        registry,
        report,
    })
}

fn line(problem: &Problem) -> u64 {
    match problem.place {
        Place::Whole | Place::Row { .. } => 0,
        Place::Line(line) | Place::Cell { line, .. } => line,
    }
}

/// The tables that were not handed in stay.
fn keep(standing: &Rows, draft: &mut Draft) {
    let (rows, given) = (&mut draft.rows, draft.given);
    macro_rules! keep {
        ($($table:ident $field:ident),+ $(,)?) => {
            $(if !given.has(Table::$table) { rows.$field.clone_from(&standing.$field); })+
        };
    }
    keep!(
        Regions regions, Aliases aliases, Groups groups, Tags tags, Households households, Units units, Zones zones,
        Members members, Recipients recipients, Posts posts, Relations relations, Endpoints endpoints,
        Speakers speakers, Hearing hearing,
    );
}

/// The journal keeps tags as bits: a bit that was called something is never called something else.
fn tags_renamed(standing: &Rows, draft: &Draft) -> Vec<Problem> {
    let before: HashMap<u8, &str> = standing
        .tags
        .iter()
        .map(|tag| (tag.bit, tag.name.as_str()))
        .collect();
    let renamed = draft.rows.tags.iter().enumerate().filter(|(_, tag)| {
        let name = before.get(&tag.bit);
        name.is_some_and(|name| *name != tag.name)
    });
    renamed
        .map(|(row, tag)| {
            let place = Place::Row {
                row,
                key: Key::Id(u32::from(tag.bit)),
                column: "name",
            };
            let what = "gives another name to a bit that journals know";
            let remedy = "take a bit that was never used; the title may change";
            Problem::new(Table::Tags, place, what, remedy)
        })
        .collect()
}

type Set<'a> = (&'a ZoneRow, Vec<ZoneMember>);

fn sets<'a>(zones: &'a [ZoneRow], members: &[MemberRow]) -> HashMap<ZoneId, Set<'a>> {
    let mut sets: HashMap<_, Set<'a>> = zones
        .iter()
        .map(|zone| (zone.id, (zone, Vec::new())))
        .collect();
    for row in members {
        if let Some((_, members)) = sets.get_mut(&row.zone) {
            members.push(row.member);
        }
    }
    for (_, members) in sets.values_mut() {
        members.sort_unstable();
    }
    sets
}

/// A code and a version are one set for ever.
fn zones_unversioned(standing: &Rows, draft: &Draft) -> Vec<Problem> {
    let before = sets(&standing.zones, &standing.members);
    let after = sets(&draft.rows.zones, &draft.rows.members);
    let mut problems = Vec::new();
    for (row, zone) in draft.rows.zones.iter().enumerate() {
        let (Some((old, was)), Some((_, is))) = (before.get(&zone.id), after.get(&zone.id)) else {
            continue;
        };
        let same = (&old.code, &old.outline, was) == (&zone.code, &zone.outline, is);
        let what = if zone.version < old.version {
            format!("is older than version {}, which stands", old.version)
        } else if zone.version == old.version && !same {
            format!("is another set than version {} was", old.version)
        } else {
            continue;
        };
        let place = Place::Row {
            row,
            key: Key::Id(zone.id),
            column: "version",
        };
        let remedy = "raise the version with every change of the set";
        problems.push(Problem::new(Table::Zones, place, what, remedy));
    }
    problems
}
