//! A generation's rows out of the file, in the order they were given. This module must not let a cell's text into an
//! error.

use rusqlite::types::{FromSql, Type};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde::de::value::{Error as NoVariant, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::{
    CLOSED_ADDRESS, ENDPOINT_ADDRESS, HOUSEHOLD_NAME, RECIPIENT_NAME, UNIT_NAME, field, speakers,
};
use crate::model::{
    AliasRow, ClosedRow, EndpointRow, GroupCode, GroupRow, HearingRow, HouseholdRow, MemberRow,
    PostPlace, PostRow, RecipientRow, RegionCode, RegionRow, RelationRow, Role, Rows, TagRow, Tags,
    UnitRow, ZoneMember, ZoneRow,
};
use crate::store::vault::{Sealed, Vault};

/// A field that the vault does not open, by its place.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Locked {
    pub place: String,
    pub why: Sealed,
}

/// In one transaction, so that a save in between is seen as a whole or not at all.
pub fn read(connection: &Connection, vault: &Vault) -> rusqlite::Result<Option<(u32, Rows)>> {
    let tx = connection.unchecked_transaction()?;
    let number = "SELECT number FROM generation";
    let Some(generation) = tx.query_row(number, [], |row| row.get(0)).optional()? else {
        return Ok(None);
    };
    let read = Read { tx: &tx, vault };
    let mut rows = Rows::default();
    read.land(&mut rows)?;
    read.people(&mut rows)?;
    read.ways(&mut rows)?;
    Ok(Some((generation, rows)))
}

pub(super) struct Read<'a> {
    tx: &'a Transaction<'a>,
    vault: &'a Vault,
}

impl Read<'_> {
    pub(super) fn all<R>(
        &self,
        columns: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<R>,
    ) -> rusqlite::Result<Vec<R>> {
        let mut select = self
            .tx
            .prepare(&format!("SELECT {columns} ORDER BY rowid"))?;
        select.query_map([], |row| read(row))?.collect()
    }

    /// A field of the vault's, of the row with this id.
    pub(super) fn field(
        &self,
        row: &Row<'_>,
        column: usize,
        place: (&'static str, &'static str),
        id: u32,
    ) -> rusqlite::Result<String> {
        let blob = row.get_ref(column)?.as_blob()?;
        let opened = self.vault.open(field(place, id), blob);
        opened.map_err(|why| {
            let place = format!("{} {id}, {}", place.0, place.1);
            let locked = Box::new(Locked { place, why });
            rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, locked)
        })
    }

    fn land(&self, rows: &mut Rows) -> rusqlite::Result<()> {
        let regions = "code, name, lat, lon, revision, tags FROM regions";
        rows.regions = self.all(regions, |row| {
            Ok(RegionRow {
                code: code(row, 0)?,
                name: row.get(1)?,
                lat: row.get(2)?,
                lon: row.get(3)?,
                revision: row.get(4)?,
                tags: Tags(row.get(5)?),
            })
        })?;
        rows.aliases = self.all("code, old, name FROM aliases", |row| {
            let old: Option<i64> = row.get(1)?;
            Ok(AliasRow {
                code: code(row, 0)?,
                old: old.map(|_| code(row, 1)).transpose()?,
                name: row.get(2)?,
            })
        })?;
        rows.groups = self.all("village, grp, name FROM groups", |row| {
            Ok(GroupRow {
                village: code(row, 0)?,
                group: row.get(1)?,
                name: row.get(2)?,
            })
        })?;
        rows.tags = self.all("bit, name, title FROM tags", |row| {
            Ok(TagRow {
                bit: row.get(0)?,
                name: row.get(1)?,
                title: row.get(2)?,
            })
        })?;
        self.zones(rows)
    }

    fn zones(&self, rows: &mut Rows) -> rusqlite::Result<()> {
        let units = "id, village, name, heads, tags, lat, lon FROM units";
        rows.units = self.all(units, |row| {
            let id = row.get(0)?;
            Ok(UnitRow {
                id,
                village: code(row, 1)?,
                name: self.field(row, 2, UNIT_NAME, id)?,
                heads: row.get(3)?,
                tags: Tags(row.get(4)?),
                lat: row.get(5)?,
                lon: row.get(6)?,
            })
        })?;
        let zones = "id, code, version, name, tags, outline FROM zones";
        rows.zones = self.all(zones, |row| {
            Ok(ZoneRow {
                id: row.get(0)?,
                code: row.get(1)?,
                version: row.get(2)?,
                name: row.get(3)?,
                tags: Tags(row.get(4)?),
                outline: cell(row, 5, |text: String| outline(&text))?,
            })
        })?;
        rows.members = self.all("zone, kind, a, b FROM members", |row| {
            let kind: String = row.get(1)?;
            let member = match kind.as_str() {
                "region" => ZoneMember::Region(code(row, 2)?),
                "group" => ZoneMember::Group(group(row, 2)?),
                "household" => ZoneMember::Household(row.get(2)?),
                "unit" => ZoneMember::Unit(row.get(2)?),
                _ => return Err(unknown(1)),
            };
            Ok(MemberRow {
                zone: row.get(0)?,
                member,
            })
        })?;
        Ok(())
    }

    fn people(&self, rows: &mut Rows) -> rusqlite::Result<()> {
        let households = "id, village, grp, name, presence, tags, lat, lon FROM households";
        rows.households = self.all(households, |row| {
            let id = row.get(0)?;
            Ok(HouseholdRow {
                id,
                village: code(row, 1)?,
                group: row.get(2)?,
                name: self.field(row, 3, HOUSEHOLD_NAME, id)?,
                presence: word(row, 4)?,
                tags: Tags(row.get(5)?),
                lat: row.get(6)?,
                lon: row.get(7)?,
            })
        })?;
        let recipients = "id, household, name, language FROM recipients";
        rows.recipients = self.all(recipients, |row| {
            let id = row.get(0)?;
            Ok(RecipientRow {
                id,
                household: row.get(1)?,
                name: self.field(row, 2, RECIPIENT_NAME, id)?,
                language: row.get(3)?,
            })
        })?;
        rows.posts = self.all("recipient, kind, a, b, role FROM posts", |row| {
            let kind: String = row.get(1)?;
            let place = match kind.as_str() {
                "region" => PostPlace::Region(code(row, 2)?),
                "group" => PostPlace::Group(group(row, 2)?),
                "unit" => PostPlace::Unit(row.get(2)?),
                "zone" => PostPlace::Zone(row.get(2)?),
                _ => return Err(unknown(1)),
            };
            Ok(PostRow {
                recipient: row.get(0)?,
                place,
                role: cell(row, 4, |name: String| Role::named(&name))?,
            })
        })?;
        rows.relations = self.all("household, recipient, kind FROM relations", |row| {
            Ok(RelationRow {
                household: row.get(0)?,
                recipient: row.get(1)?,
                kind: word(row, 2)?,
            })
        })?;
        Ok(())
    }

    fn ways(&self, rows: &mut Rows) -> rusqlite::Result<()> {
        let endpoints = "id, recipient, kind, address FROM endpoints";
        rows.endpoints = self.all(endpoints, |row| {
            let id = row.get(0)?;
            Ok(EndpointRow {
                id,
                recipient: row.get(1)?,
                kind: word(row, 2)?,
                address: self.field(row, 3, ENDPOINT_ADDRESS, id)?,
            })
        })?;
        let closed = "id, recipient, kind, address, generation FROM closed";
        rows.closed = self.all(closed, |row| {
            let id = row.get(0)?;
            Ok(ClosedRow {
                id,
                recipient: row.get(1)?,
                kind: word(row, 2)?,
                address: self.field(row, 3, CLOSED_ADDRESS, id)?,
                generation: row.get(4)?,
            })
        })?;
        rows.speakers = speakers::read(self)?;
        rows.hearing = self.all("speaker, household FROM hearing", |row| {
            Ok(HearingRow {
                speaker: row.get(0)?,
                household: row.get(1)?,
            })
        })?;
        Ok(())
    }
}

fn outline(text: &str) -> Option<Vec<(f64, f64)>> {
    let point = |text: &str| {
        let (lat, lon) = text.split_once(',')?;
        Some((lat.parse().ok()?, lon.parse().ok()?))
    };
    text.split_ascii_whitespace().map(point).collect()
}

fn group(row: &Row<'_>, column: usize) -> rusqlite::Result<GroupCode> {
    Ok(GroupCode {
        village: code(row, column)?,
        group: row.get(column + 1)?,
    })
}

pub(super) fn code(row: &Row<'_>, column: usize) -> rusqlite::Result<RegionCode> {
    cell(row, column, |number: i64| {
        RegionCode::try_from(u64::try_from(number).ok()?).ok()
    })
}

/// One of a closed set of words, as the model names them.
pub(super) fn word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    cell(row, column, |text: String| {
        let word: StrDeserializer<'_, NoVariant> = text.as_str().into_deserializer();
        T::deserialize(word).ok()
    })
}

pub(super) fn cell<T, S: FromSql>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(S) -> Option<T>,
) -> rusqlite::Result<T> {
    read(row.get(column)?).ok_or_else(|| unknown(column))
}

fn unknown(column: usize) -> rusqlite::Error {
    let why = "a value that is not known".into();
    rusqlite::Error::FromSqlConversionFailure(column, Type::Null, why)
}
