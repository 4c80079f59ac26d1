//! The registry's own file: one whole generation of rows in `registry.sqlite`, replaced in one transaction. Rows come back
//! in the order they were given. This module must not judge the rows and must not put a cell's text into an error; it
//! blocks, so the caller hops to a thread.

use std::path::Path;

use rusqlite::types::FromSql;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, params};
use serde::de::value::{Error as NoVariant, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::StoreError;
use crate::model::{
    EndpointKind, EndpointRow, HearingRow, HouseholdRow, PostPlace, PostRow, PresenceAtHome,
    RecipientRow, RegionCode, RegionRow, Role, Rows, SpeakerRow, Tags,
};

const FORMAT: i64 = 1;

/// What is replaced is overwritten, not only forgotten: a person who was taken out is out.
const PRAGMAS: &str = "
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA busy_timeout=10000;
";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS generation(one INTEGER PRIMARY KEY CHECK(one=1), number INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS regions(code INTEGER NOT NULL, name TEXT NOT NULL, lat REAL, lon REAL) STRICT;
CREATE TABLE IF NOT EXISTS households(
  id INTEGER NOT NULL, village INTEGER NOT NULL, grp INTEGER NOT NULL, name TEXT NOT NULL,
  presence TEXT NOT NULL, tags INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS recipients(
  id INTEGER NOT NULL, household INTEGER, name TEXT NOT NULL, language TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS posts(recipient INTEGER NOT NULL, region INTEGER NOT NULL, role TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS endpoints(
  id INTEGER NOT NULL, recipient INTEGER, kind TEXT NOT NULL, address TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS speakers(endpoint INTEGER NOT NULL, village INTEGER NOT NULL, name TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS hearing(speaker INTEGER NOT NULL, household INTEGER NOT NULL) STRICT;
";

const EMPTY: &str = "
DELETE FROM generation; DELETE FROM regions; DELETE FROM households; DELETE FROM recipients;
DELETE FROM posts; DELETE FROM endpoints; DELETE FROM speakers; DELETE FROM hearing;
";

const OPEN: &str = "open the registry";
const SAVE: &str = "save the registry";
const LOAD: &str = "load the registry";

/// `registry.sqlite`, open.
pub struct RegistryFile {
    connection: Connection,
}

impl RegistryFile {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = || -> rusqlite::Result<(Connection, i64)> {
            let connection = Connection::open(path)?;
            connection.execute_batch(PRAGMAS)?;
            let format = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            Ok((connection, format))
        };
        let (connection, format) = opened().map_err(|error| failed(OPEN, &error))?;
        if format > FORMAT {
            let why =
                format!("it is of format {format}, which is newer than this program's {FORMAT}");
            return Err(StoreError::Broken(OPEN, why));
        }
        let made = connection
            .execute_batch(SCHEMA)
            .and_then(|()| connection.pragma_update(None, "user_version", FORMAT));
        made.map_err(|error| failed(OPEN, &error))?;
        Ok(Self { connection })
    }

    /// Puts this generation in place of the last; durable when it returns, or nothing has changed.
    pub fn save(&mut self, generation: u32, rows: &Rows) -> Result<(), StoreError> {
        replace(&mut self.connection, generation, rows).map_err(|error| failed(SAVE, &error))?;
        // The old rows are in the log until it is folded in. That a reader keeps it from that, now and then, is no failure.
        let folded = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        folded.or_else(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Ok(()),
            _ => Err(failed("fold the registry's log in", &error)),
        })
    }

    /// The generation kept and its rows, if any was ever saved.
    pub fn load(&self) -> Result<Option<(u32, Rows)>, StoreError> {
        read(&self.connection).map_err(|error| failed(LOAD, &error))
    }
}

fn replace(connection: &mut Connection, generation: u32, rows: &Rows) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    tx.execute_batch(EMPTY)?;
    tx.execute("INSERT INTO generation VALUES(1,?1)", [generation])?;
    insert_places(&tx, rows)?;
    insert_people(&tx, rows)?;
    tx.commit()
}

/// In one transaction, so that a save in between is seen as a whole or not at all.
fn read(connection: &Connection) -> rusqlite::Result<Option<(u32, Rows)>> {
    let tx = connection.unchecked_transaction()?;
    let number = "SELECT number FROM generation";
    let Some(generation) = tx.query_row(number, [], |row| row.get(0)).optional()? else {
        return Ok(None);
    };
    let rows = Rows {
        regions: all(&tx, "SELECT code, name, lat, lon FROM regions", region)?,
        households: all(
            &tx,
            "SELECT id, village, grp, name, presence, tags FROM households",
            household,
        )?,
        recipients: all(
            &tx,
            "SELECT id, household, name, language FROM recipients",
            recipient,
        )?,
        posts: all(&tx, "SELECT recipient, region, role FROM posts", post)?,
        endpoints: all(
            &tx,
            "SELECT id, recipient, kind, address FROM endpoints",
            endpoint,
        )?,
        speakers: all(&tx, "SELECT endpoint, village, name FROM speakers", speaker)?,
        hearing: all(&tx, "SELECT speaker, household FROM hearing", hearing)?,
        ..Rows::default()
    };
    Ok(Some((generation, rows)))
}

/// A cell that is of no known kind is damage; anything else may work later.
fn failed(what: &'static str, error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
    };
    let damaged = matches!(
        error,
        FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | Utf8Error(..)
    ) || matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    );
    if damaged {
        StoreError::Broken(what, error.to_string())
    } else {
        StoreError::Away(what, error.to_string())
    }
}

fn insert_places(tx: &Transaction<'_>, rows: &Rows) -> rusqlite::Result<()> {
    let mut put = tx.prepare("INSERT INTO regions VALUES(?1,?2,?3,?4)")?;
    for region in &rows.regions {
        put.execute(params![
            number(region.code),
            region.name,
            region.lat,
            region.lon
        ])?;
    }
    let mut put = tx.prepare("INSERT INTO households VALUES(?1,?2,?3,?4,?5,?6)")?;
    for home in &rows.households {
        put.execute(params![
            home.id,
            number(home.village),
            home.group,
            home.name,
            presence_word(home.presence),
            home.tags.0
        ])?;
    }
    let mut put = tx.prepare("INSERT INTO speakers VALUES(?1,?2,?3)")?;
    for speaker in &rows.speakers {
        put.execute(params![
            speaker.endpoint,
            number(speaker.village),
            speaker.name
        ])?;
    }
    let mut put = tx.prepare("INSERT INTO hearing VALUES(?1,?2)")?;
    for row in &rows.hearing {
        put.execute([row.speaker, row.household])?;
    }
    Ok(())
}

fn insert_people(tx: &Transaction<'_>, rows: &Rows) -> rusqlite::Result<()> {
    let mut put = tx.prepare("INSERT INTO recipients VALUES(?1,?2,?3,?4)")?;
    for person in &rows.recipients {
        put.execute(params![
            person.id,
            person.household,
            person.name,
            person.language
        ])?;
    }
    let mut put = tx.prepare("INSERT INTO posts VALUES(?1,?2,?3)")?;
    for post in &rows.posts {
        let PostPlace::Region(region) = post.place else {
            continue;
        };
        put.execute(params![post.recipient, number(region), post.role.name()])?;
    }
    let mut put = tx.prepare("INSERT INTO endpoints VALUES(?1,?2,?3,?4)")?;
    for end in &rows.endpoints {
        put.execute(params![
            end.id,
            end.recipient,
            kind_word(end.kind),
            end.address
        ])?;
    }
    Ok(())
}

fn all<R>(
    tx: &Transaction<'_>,
    sql: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<R>,
) -> rusqlite::Result<Vec<R>> {
    let mut select = tx.prepare(&format!("{sql} ORDER BY rowid"))?;
    select.query_map([], read)?.collect()
}

fn region(row: &Row<'_>) -> rusqlite::Result<RegionRow> {
    Ok(RegionRow {
        code: code(row, 0)?,
        name: row.get(1)?,
        lat: row.get(2)?,
        lon: row.get(3)?,
        revision: 0,
        tags: Tags::default(),
    })
}

fn household(row: &Row<'_>) -> rusqlite::Result<HouseholdRow> {
    Ok(HouseholdRow {
        id: row.get(0)?,
        village: code(row, 1)?,
        group: row.get(2)?,
        name: row.get(3)?,
        presence: word(row, 4)?,
        tags: Tags(row.get(5)?),
        lat: None,
        lon: None,
    })
}

fn recipient(row: &Row<'_>) -> rusqlite::Result<RecipientRow> {
    Ok(RecipientRow {
        id: row.get(0)?,
        household: row.get(1)?,
        name: row.get(2)?,
        language: row.get(3)?,
    })
}

fn post(row: &Row<'_>) -> rusqlite::Result<PostRow> {
    Ok(PostRow {
        recipient: row.get(0)?,
        place: PostPlace::Region(code(row, 1)?),
        role: cell(row, 2, |name: String| Role::named(&name))?,
    })
}

fn endpoint(row: &Row<'_>) -> rusqlite::Result<EndpointRow> {
    Ok(EndpointRow {
        id: row.get(0)?,
        recipient: row.get(1)?,
        kind: word(row, 2)?,
        address: row.get(3)?,
    })
}

fn speaker(row: &Row<'_>) -> rusqlite::Result<SpeakerRow> {
    Ok(SpeakerRow {
        endpoint: row.get(0)?,
        village: code(row, 1)?,
        name: row.get(2)?,
    })
}

fn hearing(row: &Row<'_>) -> rusqlite::Result<HearingRow> {
    Ok(HearingRow {
        speaker: row.get(0)?,
        household: row.get(1)?,
    })
}

fn number(code: RegionCode) -> i64 {
    i64::try_from(code.number()).expect("a region code has twelve digits")
}

fn code(row: &Row<'_>, column: usize) -> rusqlite::Result<RegionCode> {
    cell(row, column, |number: i64| {
        RegionCode::try_from(u64::try_from(number).ok()?).ok()
    })
}

/// One of a closed set of words, as the model names them.
fn word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    cell(row, column, |text: String| {
        let word: StrDeserializer<'_, NoVariant> = text.as_str().into_deserializer();
        T::deserialize(word).ok()
    })
}

fn cell<T, S: FromSql>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(S) -> Option<T>,
) -> rusqlite::Result<T> {
    read(row.get(column)?).ok_or_else(|| {
        let kind = row
            .get_ref(column)
            .map_or(rusqlite::types::Type::Null, |cell| cell.data_type());
        rusqlite::Error::FromSqlConversionFailure(column, kind, "a value that is not known".into())
    })
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESENCES: [PresenceAtHome; 4] = [
        PresenceAtHome::Home,
        PresenceAtHome::Away,
        PresenceAtHome::Returned,
        PresenceAtHome::Resident,
    ];
    const ROLES: [Role; 3] = [Role::POST_A, Role::POST_B, Role::DUTY];
    const KINDS: [EndpointKind; 6] = [
        EndpointKind::Mobile,
        EndpointKind::Landline,
        EndpointKind::Satellite,
        EndpointKind::Mailbox,
        EndpointKind::Openid,
        EndpointKind::Speaker,
    ];

    /// Every word there is, ids not in order, an empty text and empty cells.
    fn rows(households: u32) -> Rows {
        let village: RegionCode = "510727219200".parse().expect("a code");
        Rows {
            regions: vec![RegionRow {
                code: village,
                name: "新桥村".to_owned(),
                lat: Some(32.123_456_789),
                lon: None,
                revision: 0,
                tags: Tags::default(),
            }],
            households: (0..households)
                .rev()
                .map(|id| HouseholdRow {
                    id,
                    village,
                    group: 255,
                    name: format!("合成户{id}"),
                    presence: PRESENCES[id as usize % 4],
                    tags: Tags(u32::MAX - id),
                    lat: None,
                    lon: None,
                })
                .collect(),
            recipients: (0..3 * households)
                .map(|id| RecipientRow {
                    id: u32::MAX - id,
                    household: (id % 7 > 0).then_some(id / 3),
                    name: String::new(),
                    language: "zh-CN".to_owned(),
                })
                .collect(),
            posts: ROLES
                .map(|role| PostRow {
                    recipient: 5,
                    place: PostPlace::Region(village),
                    role,
                })
                .to_vec(),
            endpoints: (0..2 * households)
                .map(|id| EndpointRow {
                    id,
                    recipient: (id % 6 < 5).then_some(id),
                    kind: KINDS[id as usize % 6],
                    address: format!("000{id:08}"),
                })
                .collect(),
            speakers: vec![SpeakerRow {
                endpoint: 5,
                village,
                name: "合成喇叭".to_owned(),
            }],
            hearing: vec![HearingRow {
                speaker: 5,
                household: 0,
            }],
            ..Rows::default()
        }
    }

    #[test]
    fn what_was_saved_is_loaded_after_the_file_was_closed() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("registry.sqlite");
        let mut file = RegistryFile::open(&path).expect("opened");
        assert!(file.load().expect("loaded").is_none());
        file.save(7, &rows(24)).expect("saved");
        drop(file);
        let file = RegistryFile::open(&path).expect("opened");
        assert_eq!(file.load().expect("loaded"), Some((7, rows(24))));
    }

    #[test]
    fn a_save_replaces_everything_and_leaves_no_trace_in_the_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("registry.sqlite");
        let mut file = RegistryFile::open(&path).expect("opened");
        let mut first = rows(24);
        first.households[3].name = "to-be-forgotten".to_owned();
        file.save(1, &first).expect("saved");
        file.save(2, &rows(12)).expect("saved");
        assert_eq!(file.load().expect("loaded"), Some((2, rows(12))));
        for kept in std::fs::read_dir(dir.path()).expect("a folder") {
            let bytes = std::fs::read(kept.expect("a file").path()).expect("read");
            assert!(!bytes.windows(15).any(|text| text == b"to-be-forgotten"));
        }
    }

    #[test]
    fn a_save_that_breaks_off_changes_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("registry.sqlite");
        let mut file = RegistryFile::open(&path).expect("opened");
        file.save(1, &rows(12)).expect("saved");
        let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON endpoints WHEN new.id=9 BEGIN SELECT RAISE(ABORT, 'no'); END";
        file.connection.execute_batch(refuse).expect("a trigger");
        let error = file.save(2, &rows(24)).expect_err("refused");
        assert!(matches!(error, StoreError::Away(SAVE, _)), "{error}");
        assert_eq!(file.load().expect("loaded"), Some((1, rows(12))));
    }

    #[test]
    fn a_damaged_cell_is_told_without_its_text() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("registry.sqlite");
        let mut file = RegistryFile::open(&path).expect("opened");
        for damage in [
            "UPDATE households SET presence='secret' WHERE id=3",
            "UPDATE regions SET code=5",
            "UPDATE households SET grp=256",
        ] {
            file.save(1, &rows(12)).expect("saved");
            file.connection.execute_batch(damage).expect("damaged");
            let error = file.load().expect_err("damaged");
            assert!(matches!(error, StoreError::Broken(LOAD, _)), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_file_of_a_newer_format_or_of_another_kind_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("registry.sqlite");
        let file = RegistryFile::open(&path).expect("opened");
        file.connection
            .pragma_update(None, "user_version", FORMAT + 1)
            .expect("set");
        drop(file);
        let error = RegistryFile::open(&path).err().expect("refused");
        assert!(error.to_string().contains("newer"), "{error}");
        let other = dir.path().join("other");
        std::fs::write(
            &other,
            "not a database at all, whatever its name says".repeat(40),
        )
        .expect("written");
        let error = RegistryFile::open(&other).err().expect("refused");
        assert!(matches!(error, StoreError::Broken(OPEN, _)), "{error}");
    }

    #[test]
    fn sixty_thousand_households_are_saved_and_loaded_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut file = RegistryFile::open(&dir.path().join("registry.sqlite")).expect("opened");
        let county = rows(60_000);
        file.save(1, &county).expect("saved");
        let (_, loaded) = file.load().expect("loaded").expect("one generation");
        assert!(
            loaded == county,
            "sixty thousand households came back changed"
        );
    }
}
