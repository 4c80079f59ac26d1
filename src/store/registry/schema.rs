//! The tables of `registry.sqlite` and the way from one format to the next. This module must not lose a row: a format is
//! changed in one transaction, and a newer one is refused.

use rusqlite::Connection;

pub const FORMAT: i64 = 3;

/// Fields that say who somebody is are blobs of the vault's; the rest is plain, and anyone's SQL can count it.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS generation(one INTEGER PRIMARY KEY CHECK(one=1), number INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS regions(
  code INTEGER NOT NULL, name TEXT NOT NULL, lat REAL, lon REAL, revision INTEGER NOT NULL, tags INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS aliases(code INTEGER NOT NULL, old INTEGER, name TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS groups(village INTEGER NOT NULL, grp INTEGER NOT NULL, name TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS tags(bit INTEGER NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS households(
  id INTEGER NOT NULL, village INTEGER NOT NULL, grp INTEGER NOT NULL, name BLOB NOT NULL,
  presence TEXT NOT NULL, tags INTEGER NOT NULL, lat REAL, lon REAL) STRICT;
CREATE TABLE IF NOT EXISTS units(
  id INTEGER NOT NULL, village INTEGER NOT NULL, name BLOB NOT NULL, heads INTEGER NOT NULL, tags INTEGER NOT NULL,
  lat REAL, lon REAL) STRICT;
CREATE TABLE IF NOT EXISTS zones(
  id INTEGER NOT NULL, code TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, tags INTEGER NOT NULL,
  outline TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS members(zone INTEGER NOT NULL, kind TEXT NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS recipients(
  id INTEGER NOT NULL, household INTEGER, name BLOB NOT NULL, language TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS posts(
  recipient INTEGER NOT NULL, kind TEXT NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, role TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS relations(household INTEGER NOT NULL, recipient INTEGER NOT NULL, kind TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS endpoints(
  id INTEGER NOT NULL, recipient INTEGER, kind TEXT NOT NULL, address BLOB NOT NULL, seek BLOB) STRICT;
CREATE TABLE IF NOT EXISTS speakers(
  endpoint INTEGER NOT NULL, village INTEGER NOT NULL, name BLOB NOT NULL, keeper BLOB, phone BLOB, sim BLOB,
  sim_expires TEXT, power TEXT, hours INTEGER, volume INTEGER, maker TEXT NOT NULL DEFAULT '', lat REAL, lon REAL) STRICT;
CREATE TABLE IF NOT EXISTS hearing(speaker INTEGER NOT NULL, household INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS closed(
  id INTEGER NOT NULL, recipient INTEGER, kind TEXT NOT NULL, address BLOB NOT NULL, generation INTEGER NOT NULL) STRICT;
";

pub const EMPTY: &str = "
DELETE FROM generation; DELETE FROM regions; DELETE FROM aliases; DELETE FROM groups; DELETE FROM tags;
DELETE FROM households; DELETE FROM units; DELETE FROM zones; DELETE FROM members; DELETE FROM recipients;
DELETE FROM posts; DELETE FROM relations; DELETE FROM endpoints; DELETE FROM speakers; DELETE FROM hearing;
DELETE FROM closed;
";

/// The tables whose columns have changed since format 1.
const CHANGED: [&str; 6] = [
    "regions",
    "households",
    "recipients",
    "posts",
    "endpoints",
    "speakers",
];

/// A text of format 1 becomes a plain field: a zero byte before its UTF-8.
const FROM_1: &str = "
INSERT INTO regions SELECT code, name, lat, lon, 0, 0 FROM regions_1 ORDER BY rowid;
INSERT INTO households SELECT id, village, grp, CAST(x'00' || name AS BLOB), presence, tags, NULL, NULL
  FROM households_1 ORDER BY rowid;
INSERT INTO recipients SELECT id, household, CAST(x'00' || name AS BLOB), language FROM recipients_1 ORDER BY rowid;
INSERT INTO posts SELECT recipient, 'region', region, 0, role FROM posts_1 ORDER BY rowid;
INSERT INTO endpoints SELECT id, recipient, kind, CAST(x'00' || address AS BLOB), NULL FROM endpoints_1 ORDER BY rowid;
INSERT INTO speakers(endpoint, village, name)
  SELECT endpoint, village, CAST(x'00' || name AS BLOB) FROM speakers_1 ORDER BY rowid;
";

/// What a county keeps about each loudspeaker came with format 3.
const FROM_2: &str = "
ALTER TABLE speakers RENAME TO speakers_2;
";
const OF_2: &str = "
INSERT INTO speakers(endpoint, village, name) SELECT endpoint, village, name FROM speakers_2 ORDER BY rowid;
DROP TABLE speakers_2;
";

/// Makes the tables, or brings those of an older format to this one.
pub fn prepare(connection: &mut Connection, format: i64) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    if format == 1 {
        for table in CHANGED {
            tx.execute_batch(&format!("ALTER TABLE {table} RENAME TO {table}_1"))?;
        }
        tx.execute_batch(SCHEMA)?;
        tx.execute_batch(FROM_1)?;
        for table in CHANGED {
            tx.execute_batch(&format!("DROP TABLE {table}_1"))?;
        }
    } else if format == 2 {
        tx.execute_batch(FROM_2)?;
        tx.execute_batch(SCHEMA)?;
        tx.execute_batch(OF_2)?;
    } else {
        tx.execute_batch(SCHEMA)?;
    }
    tx.pragma_update(None, "user_version", FORMAT)?;
    tx.commit()
}
