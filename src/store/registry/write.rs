//! A generation's rows into the file, in one transaction. This module must not write a name or an address past the vault.

use rusqlite::{Connection, Transaction, params};

use super::{
    CLOSED_ADDRESS, ENDPOINT_ADDRESS, HOUSEHOLD_NAME, RECIPIENT_NAME, UNIT_NAME, field, schema,
    speakers,
};
use crate::model::{
    EndpointKind, GroupCode, PostPlace, PresenceAtHome, RegionCode, RelationKind, Rows, ZoneMember,
};
use crate::store::vault::Vault;

pub fn replace(
    connection: &mut Connection,
    vault: &Vault,
    generation: u32,
    rows: &Rows,
) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    tx.execute_batch(schema::EMPTY)?;
    tx.execute("INSERT INTO generation VALUES(1,?1)", [generation])?;
    regions(&tx, rows)?;
    zones(&tx, vault, rows)?;
    households(&tx, vault, rows)?;
    people(&tx, vault, rows)?;
    endpoints(&tx, vault, rows)?;
    speakers::write(&tx, vault, rows)?;
    tx.commit()
}

fn regions(tx: &Transaction<'_>, rows: &Rows) -> rusqlite::Result<()> {
    let mut put = tx.prepare("INSERT INTO regions VALUES(?1,?2,?3,?4,?5,?6)")?;
    for row in &rows.regions {
        let code = number(row.code);
        put.execute(params![
            code,
            row.name,
            row.lat,
            row.lon,
            row.revision,
            row.tags.0
        ])?;
    }
    let mut put = tx.prepare("INSERT INTO aliases VALUES(?1,?2,?3)")?;
    for row in &rows.aliases {
        put.execute(params![number(row.code), row.old.map(number), row.name])?;
    }
    let mut put = tx.prepare("INSERT INTO groups VALUES(?1,?2,?3)")?;
    for row in &rows.groups {
        put.execute(params![number(row.village), row.group, row.name])?;
    }
    let mut put = tx.prepare("INSERT INTO tags VALUES(?1,?2,?3)")?;
    for row in &rows.tags {
        put.execute(params![row.bit, row.name, row.title])?;
    }
    Ok(())
}

fn zones(tx: &Transaction<'_>, vault: &Vault, rows: &Rows) -> rusqlite::Result<()> {
    let mut put = tx.prepare("INSERT INTO units VALUES(?1,?2,?3,?4,?5,?6,?7)")?;
    for row in &rows.units {
        let name = vault.seal(field(UNIT_NAME, row.id), &row.name);
        let village = number(row.village);
        let place = (row.lat, row.lon);
        put.execute(params![
            row.id, village, name, row.heads, row.tags.0, place.0, place.1
        ])?;
    }
    let mut put = tx.prepare("INSERT INTO zones VALUES(?1,?2,?3,?4,?5,?6)")?;
    for row in &rows.zones {
        let points = row.outline.iter().map(|(lat, lon)| format!("{lat},{lon}"));
        let outline = points.collect::<Vec<_>>().join(" ");
        let (tags, version) = (row.tags.0, row.version);
        put.execute(params![row.id, row.code, version, row.name, tags, outline])?;
    }
    let mut put = tx.prepare("INSERT INTO members VALUES(?1,?2,?3,?4)")?;
    for row in &rows.members {
        let (kind, a, b) = match row.member {
            ZoneMember::Region(code) => ("region", number(code), 0),
            ZoneMember::Group(GroupCode { village, group }) => ("group", number(village), group),
            ZoneMember::Household(id) => ("household", i64::from(id), 0),
            ZoneMember::Unit(id) => ("unit", i64::from(id), 0),
        };
        put.execute(params![row.zone, kind, a, b])?;
    }
    Ok(())
}

fn households(tx: &Transaction<'_>, vault: &Vault, rows: &Rows) -> rusqlite::Result<()> {
    let mut put = tx.prepare("INSERT INTO households VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")?;
    for row in &rows.households {
        let name = vault.seal(field(HOUSEHOLD_NAME, row.id), &row.name);
        put.execute(params![
            row.id,
            number(row.village),
            row.group,
            name,
            presence_word(row.presence),
            row.tags.0,
            row.lat,
            row.lon
        ])?;
    }
    let mut put = tx.prepare("INSERT INTO hearing VALUES(?1,?2)")?;
    for row in &rows.hearing {
        put.execute([row.speaker, row.household])?;
    }
    Ok(())
}

fn people(tx: &Transaction<'_>, vault: &Vault, rows: &Rows) -> rusqlite::Result<()> {
    let mut put = tx.prepare("INSERT INTO recipients VALUES(?1,?2,?3,?4)")?;
    for row in &rows.recipients {
        let name = vault.seal(field(RECIPIENT_NAME, row.id), &row.name);
        put.execute(params![row.id, row.household, name, row.language])?;
    }
    let mut put = tx.prepare("INSERT INTO posts VALUES(?1,?2,?3,?4,?5)")?;
    for row in &rows.posts {
        let (kind, a, b) = match row.place {
            PostPlace::Region(code) => ("region", number(code), 0),
            PostPlace::Group(GroupCode { village, group }) => ("group", number(village), group),
            PostPlace::Unit(id) => ("unit", i64::from(id), 0),
            PostPlace::Zone(id) => ("zone", i64::from(id), 0),
        };
        put.execute(params![row.recipient, kind, a, b, row.role.name()])?;
    }
    let mut put = tx.prepare("INSERT INTO relations VALUES(?1,?2,?3)")?;
    for row in &rows.relations {
        let kind = match row.kind {
            RelationKind::Relative => "relative",
            RelationKind::Neighbour => "neighbour",
        };
        put.execute(params![row.household, row.recipient, kind])?;
    }
    Ok(())
}

fn endpoints(tx: &Transaction<'_>, vault: &Vault, rows: &Rows) -> rusqlite::Result<()> {
    let mut put = tx.prepare("INSERT INTO endpoints VALUES(?1,?2,?3,?4,?5)")?;
    let (table, column) = ENDPOINT_ADDRESS;
    for row in &rows.endpoints {
        let address = vault.seal(field(ENDPOINT_ADDRESS, row.id), &row.address);
        let seek = vault.index(table, column, &row.address);
        let kind = kind_word(row.kind);
        put.execute(params![row.id, row.recipient, kind, address, seek])?;
    }
    let mut put = tx.prepare("INSERT INTO closed VALUES(?1,?2,?3,?4,?5)")?;
    for row in &rows.closed {
        let address = vault.seal(field(CLOSED_ADDRESS, row.id), &row.address);
        let kind = kind_word(row.kind);
        put.execute(params![
            row.id,
            row.recipient,
            kind,
            address,
            row.generation
        ])?;
    }
    Ok(())
}

pub(super) fn number(code: RegionCode) -> i64 {
    i64::try_from(code.number()).expect("a region code has twelve digits")
}

const fn presence_word(presence: PresenceAtHome) -> &'static str {
    match presence {
        PresenceAtHome::Home => "home",
        PresenceAtHome::Away => "away",
        PresenceAtHome::Returned => "returned",
        PresenceAtHome::Resident => "resident",
    }
}

const fn kind_word(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Mobile => "mobile",
        EndpointKind::Landline => "landline",
        EndpointKind::Satellite => "satellite",
        EndpointKind::Mailbox => "mailbox",
        EndpointKind::Openid => "openid",
        EndpointKind::Speaker => "speaker",
        EndpointKind::Member => "member",
        EndpointKind::Group => "group",
        EndpointKind::Manual => "manual",
        EndpointKind::Beidou => "beidou",
    }
}
