//! The registry's tables as files again: what is written is read back the same. This module must not leave a column out.

use std::path::{Path, PathBuf};

use csv::WriterBuilder;
use serde::Serialize;

use crate::model::{PostPlace, RegionCode, Rows, TagNames, Tags, ZoneMember};

use super::super::table::Table;

#[derive(Debug, thiserror::Error)]
#[error("could not write {path}: {source}; check the folder and the space left")]
pub struct WriteError {
    path: PathBuf,
    source: csv::Error,
}

/// All the files, in place of what stood there.
pub fn write_dir(rows: &Rows, dir: &Path) -> Result<(), WriteError> {
    std::fs::create_dir_all(dir).map_err(|source| WriteError {
        path: dir.to_owned(),
        source: source.into(),
    })?;
    land(rows, dir)?;
    people(rows, dir)?;
    ways(rows, dir)
}

fn joined(names: &TagNames, tags: Tags) -> String {
    let names: Vec<_> = names.names(tags).collect();
    names.join("|")
}

fn land(rows: &Rows, dir: &Path) -> Result<(), WriteError> {
    let names = TagNames::of(&rows.tags);
    let tags = |tags| joined(&names, tags);
    let regions = rows.regions.iter().map(|row| {
        let revision = (row.revision > 0).then_some(row.revision);
        (
            row.code,
            &row.name,
            row.lat,
            row.lon,
            revision,
            tags(row.tags),
        )
    });
    let units = rows.units.iter().map(|row| {
        let tags = tags(row.tags);
        (
            row.id,
            row.village,
            &row.name,
            row.heads,
            tags,
            row.lat,
            row.lon,
        )
    });
    let zones = rows.zones.iter().map(|row| {
        let points = row.outline.iter().map(|(lat, lon)| format!("{lat},{lon}"));
        let outline = points.collect::<Vec<_>>().join(" ");
        (
            row.id,
            &row.code,
            row.version,
            &row.name,
            tags(row.tags),
            outline,
        )
    });
    let members = rows.members.iter().map(|row| {
        let mut cells: Cells = Default::default();
        match row.member {
            ZoneMember::Region(region) => cells.0 = Some(region),
            ZoneMember::Group(code) => (cells.0, cells.1) = (Some(code.village), Some(code.group)),
            ZoneMember::Household(id) => cells.2 = Some(id),
            ZoneMember::Unit(id) => cells.3 = Some(id),
        }
        (row.zone, cells.0, cells.1, cells.2, cells.3)
    });
    write(dir, Table::Tags, rows.tags.iter())?;
    write(dir, Table::Regions, regions)?;
    write(dir, Table::Aliases, rows.aliases.iter())?;
    write(dir, Table::Groups, rows.groups.iter())?;
    write(dir, Table::Units, units)?;
    write(dir, Table::Zones, zones)?;
    write(dir, Table::Members, members)
}

/// Region, group, and two more of which at most one is filled.
type Cells = (Option<RegionCode>, Option<u8>, Option<u32>, Option<u32>);

fn people(rows: &Rows, dir: &Path) -> Result<(), WriteError> {
    let names = TagNames::of(&rows.tags);
    let households = rows.households.iter().map(|row| {
        let tags = joined(&names, row.tags);
        let head = (row.id, row.village, row.group, &row.name);
        (head, row.presence, tags, row.lat, row.lon)
    });
    let posts = rows.posts.iter().map(|row| {
        let mut cells: Cells = Default::default();
        match row.place {
            PostPlace::Region(region) => cells.0 = Some(region),
            PostPlace::Group(code) => (cells.0, cells.1) = (Some(code.village), Some(code.group)),
            PostPlace::Unit(id) => cells.2 = Some(id),
            PostPlace::Zone(id) => cells.3 = Some(id),
        }
        (row.recipient, cells.0, &row.role, cells.1, cells.2, cells.3)
    });
    write(dir, Table::Households, households)?;
    write(dir, Table::Recipients, rows.recipients.iter())?;
    write(dir, Table::Posts, posts)?;
    write(dir, Table::Relations, rows.relations.iter())
}

fn ways(rows: &Rows, dir: &Path) -> Result<(), WriteError> {
    write(dir, Table::Endpoints, rows.endpoints.iter())?;
    let speakers = rows.speakers.iter().map(|row| {
        let care = &row.care;
        let supply = (&care.sim, care.sim_expires, care.power, care.hours);
        let rest = (care.volume, &care.maker, care.lat, care.lon);
        let head = (row.endpoint, row.village, &row.name);
        (head, &care.keeper, &care.phone, supply, rest)
    });
    write(dir, Table::Speakers, speakers)?;
    write(dir, Table::Hearing, rows.hearing.iter())
}

fn write<R: Serialize>(
    dir: &Path,
    table: Table,
    rows: impl Iterator<Item = R>,
) -> Result<(), WriteError> {
    let path = dir.join(table.file_name());
    let written = || -> Result<(), csv::Error> {
        let mut file = WriterBuilder::new().has_headers(false).from_path(&path)?;
        file.write_record(table.columns().iter().map(|(name, _)| name))?;
        for row in rows {
            file.serialize(row)?;
        }
        file.flush()?;
        Ok(())
    };
    written().map_err(|source| WriteError { path, source })
}
