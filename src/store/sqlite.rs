//! The embedded store: one SQLite file in WAL mode with `synchronous=FULL`, one connection that writes on a thread of
//! its own and one that reads. This module must not hold a transaction open across calls.
//!
//! For crash tests: where the environment variable `TOCSIN_WAL_MARK` names a file, every commit writes the length of the
//! write-ahead log there before it is acknowledged. A copy of the log cut to that length is what a power cut may leave,
//! which `kill -9` alone never shows: the page cache outlives a process. Unset, as in service, it costs nothing.

mod rows;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use channel::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::{
    Append, DocumentId, IdentityRow, InboxRow, Open, Record, SealedHousehold, Store, StoreError,
};
use crate::model::StreamId;
use rows::{COLUMNS, record, signed, unsigned};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS journal(
  seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, format INTEGER NOT NULL, stream INTEGER NOT NULL,
  stream_seq INTEGER NOT NULL, time INTEGER NOT NULL, count INTEGER NOT NULL, body BLOB NOT NULL,
  crc INTEGER NOT NULL, before BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS journal_stream ON journal(stream, stream_seq);
CREATE TABLE IF NOT EXISTS document(id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity(identity TEXT PRIMARY KEY, stream INTEGER NOT NULL, content BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS inbox(id INTEGER PRIMARY KEY, seen INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sealed(
  stream INTEGER PRIMARY KEY, stream_seq INTEGER NOT NULL, hash BLOB NOT NULL, epoch INTEGER NOT NULL,
  at INTEGER NOT NULL, card BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sealed_household(
  stream INTEGER NOT NULL, household INTEGER NOT NULL, village INTEGER NOT NULL, local_group INTEGER NOT NULL,
  away INTEGER NOT NULL, answer TEXT NOT NULL, grade TEXT, why TEXT, PRIMARY KEY(stream, household)) STRICT, WITHOUT ROWID;
PRAGMA user_version=1;
";

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// A connection on a thread of its own; work is done in the order it is given.
struct Worker(mpsc::Sender<Work>);

impl Worker {
    fn start(name: &str, mut connection: Connection) -> Result<Self, StoreError> {
        let (give, take) = mpsc::channel::<Work>();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                for work in take {
                    work(&mut connection);
                }
            })
            .map_err(|e| StoreError::Away("start its thread", e.to_string()))?;
        Ok(Self(give))
    }

    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let job: Work = Box::new(move |connection| {
            // Whoever asked may have gone; the work is done all the same.
            let _ = answer.send(work(connection));
        });
        let gone = || StoreError::Away(what, "its thread has ended".into());
        self.0.send(job).map_err(|_| gone())?;
        wait.await
            .map_err(|_| gone())?
            .map_err(|e| failed(what, &e))
    }
}

fn failed(what: &'static str, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Broken(what, error.to_string())
        }
        Some(rusqlite::ErrorCode::ConstraintViolation) => {
            StoreError::Conflict(what, error.to_string())
        }
        _ => StoreError::Away(what, error.to_string()),
    }
}

/// Where the length of the write-ahead log at the last commit is told.
struct Mark {
    file: File,
    wal: PathBuf,
}

impl Mark {
    fn open(journal: &Path, mark: &Path) -> Result<Self, StoreError> {
        let mut wal = journal.as_os_str().to_owned();
        wal.push("-wal");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .open(mark)
            .map_err(|e| StoreError::Away("open the file of TOCSIN_WAL_MARK", e.to_string()))?;
        Ok(Self {
            file,
            wal: wal.into(),
        })
    }

    /// Eight bytes, little-endian, at the file's start.
    fn tell(&self) {
        let told = std::fs::metadata(&self.wal)
            .and_then(|wal| self.file.write_all_at(&wal.len().to_le_bytes(), 0));
        if let Err(error) = told {
            tracing::error!(%error, "TOCSIN_WAL_MARK was not written; this crash test proves nothing");
        }
    }
}

pub struct Sqlite {
    writer: Worker,
    reader: Worker,
    mark: Option<Arc<Mark>>,
}

impl Sqlite {
    /// Opens or makes `journal.sqlite` at `path`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mark = std::env::var_os("TOCSIN_WAL_MARK");
        Self::marked(path, mark.as_ref().map(Path::new))
    }

    fn marked(path: &Path, mark: Option<&Path>) -> Result<Self, StoreError> {
        let mark = mark.map(|mark| Mark::open(path, mark)).transpose()?;
        let open = |what| {
            let connection = Connection::open(path).map_err(|e| failed(what, &e))?;
            connection
                .execute_batch(
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16000;
                     PRAGMA busy_timeout=10000;",
                )
                .map_err(|e| failed(what, &e))?;
            Ok::<_, StoreError>(connection)
        };
        let writer = open("open the journal for writing")?;
        writer
            .execute_batch(SCHEMA)
            .map_err(|e| failed("make its tables", &e))?;
        let reader = open("open the journal for reading")?;
        reader
            .execute_batch("PRAGMA query_only=ON;")
            .map_err(|e| failed("open the journal for reading", &e))?;
        Ok(Self {
            writer: Worker::start("journal-write", writer)?,
            reader: Worker::start("journal-read", reader)?,
            mark: mark.map(Arc::new),
        })
    }
}

fn write(connection: &mut Connection, append: &Append) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    {
        let mut put =
            tx.prepare_cached("INSERT INTO journal VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")?;
        for r in &append.records {
            put.execute(params![
                signed(r.seq),
                r.epoch,
                r.format,
                signed(r.stream),
                r.stream_seq,
                r.time.0,
                r.count,
                r.body,
                r.crc,
                r.before
            ])?;
        }
        let mut put = tx.prepare_cached("INSERT OR IGNORE INTO document VALUES(?1,?2)")?;
        for (id, body) in &append.documents {
            put.execute(params![id, body])?;
        }
        let mut put = tx.prepare_cached("INSERT INTO identity VALUES(?1,?2,?3)")?;
        for row in &append.identities {
            put.execute(params![row.identity, signed(row.stream), row.content])?;
        }
        let mut put = tx.prepare_cached("INSERT INTO inbox VALUES(?1,?2,?3)")?;
        for row in &append.inbox_put {
            put.execute(params![signed(row.id), row.seen.0, row.body])?;
        }
        let mut take = tx.prepare_cached("DELETE FROM inbox WHERE id=?1")?;
        for id in &append.inbox_take {
            take.execute([signed(*id)])?;
        }
        rows::unseal(&tx, &append.unseals)?;
        rows::seal(&tx, &append.seals)?;
    }
    tx.commit()
}

#[async_trait]
impl Store for Sqlite {
    async fn append(&self, append: Append) -> Result<(), StoreError> {
        let mark = self.mark.clone();
        let work = move |c: &mut Connection| {
            write(c, &append)?;
            if let Some(mark) = mark {
                mark.tell();
            }
            Ok(())
        };
        self.writer.call("append to the journal", work).await
    }

    async fn records(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.reader
            .call("read the journal", move |c| {
                let sql =
                    format!("SELECT {COLUMNS} FROM journal WHERE seq>?1 ORDER BY seq LIMIT ?2");
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                c.prepare_cached(&sql)?
                    .query_map(params![signed(after), limit], record)?
                    .collect()
            })
            .await
    }

    async fn open(&self) -> Result<Open, StoreError> {
        self.reader.call("read what is open", rows::open).await
    }

    async fn at(&self, places: &[u64]) -> Result<Vec<Record>, StoreError> {
        let places = places.to_vec();
        let work = move |c: &mut Connection| rows::at(c, &places);
        self.reader.call("read the journal", work).await
    }

    async fn sealed_households(
        &self,
        stream: StreamId,
    ) -> Result<Vec<SealedHousehold>, StoreError> {
        let work = move |c: &mut Connection| rows::households(c, stream);
        self.reader.call("read sealed households", work).await
    }

    async fn stream(&self, stream: StreamId) -> Result<Vec<Record>, StoreError> {
        self.reader
            .call("read a stream", move |c| {
                let sql =
                    format!("SELECT {COLUMNS} FROM journal WHERE stream=?1 ORDER BY stream_seq");
                c.prepare_cached(&sql)?
                    .query_map([signed(stream)], record)?
                    .collect()
            })
            .await
    }

    async fn document(&self, id: DocumentId) -> Result<Option<Vec<u8>>, StoreError> {
        self.reader
            .call("read a document", move |c| {
                c.prepare_cached("SELECT body FROM document WHERE id=?1")?
                    .query_row([id], |r| r.get(0))
                    .optional()
            })
            .await
    }

    async fn identities(&self) -> Result<Vec<IdentityRow>, StoreError> {
        self.reader
            .call("read the identities", |c| {
                c.prepare("SELECT identity, stream, content FROM identity")?
                    .query_map([], |r| {
                        Ok(IdentityRow {
                            identity: r.get(0)?,
                            stream: unsigned(r.get(1)?),
                            content: r.get(2)?,
                        })
                    })?
                    .collect()
            })
            .await
    }

    async fn inbox(&self) -> Result<Vec<InboxRow>, StoreError> {
        self.reader
            .call("read the inbox", |c| {
                c.prepare("SELECT id, seen, body FROM inbox ORDER BY id")?
                    .query_map([], |r| {
                        Ok(InboxRow {
                            id: unsigned(r.get(0)?),
                            seen: Timestamp(r.get(1)?),
                            body: r.get(2)?,
                        })
                    })?
                    .collect()
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sqlite_passes_the_store_suite() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.sqlite");
        crate::store::suite::exercise(async || Sqlite::open(&path).expect("opens")).await;
    }

    #[tokio::test]
    async fn the_mark_tells_the_length_of_the_log_at_each_commit() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, mark) = (dir.path().join("journal.sqlite"), dir.path().join("mark"));
        let store = Sqlite::marked(&path, Some(&mark)).expect("opens");
        let mut last = 0;
        for id in 0..3 {
            let append = Append {
                documents: vec![([id; 32], vec![id; 10_000])],
                ..Append::default()
            };
            store.append(append).await.expect("appends");
            let told = std::fs::read(&mark).expect("the mark");
            let told = u64::from_le_bytes(told.try_into().expect("eight bytes"));
            let wal = std::fs::metadata(dir.path().join("journal.sqlite-wal")).expect("the log");
            assert_eq!(told, wal.len());
            assert!(told > last);
            last = told;
        }
    }

    #[tokio::test]
    async fn a_number_that_no_column_was_given_tears_its_record_and_no_other() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.sqlite");
        let store = Sqlite::open(&path).expect("opens");
        let list = (1..=8).map(|n| crate::store::suite::record(n, n, 1, b"x"));
        let append = crate::store::suite::records(list.collect());
        store.append(append).await.expect("appends");
        let hand = Connection::open(&path).expect("opens");
        hand.execute_batch(
            "UPDATE journal SET epoch=4294967296 WHERE seq=1; UPDATE journal SET format=-1 WHERE seq=2;
             UPDATE journal SET stream=-3 WHERE seq=3; UPDATE journal SET stream_seq=-1 WHERE seq=4;
             UPDATE journal SET count=4294967296 WHERE seq=5; UPDATE journal SET crc=-1 WHERE seq=6;
             UPDATE journal SET before=x'00' WHERE seq=7;",
        )
        .expect("damages");
        let records = store.records(0, 10).await.expect("reads");
        let torn: Vec<_> = records.iter().map(|r| (r.stream, r.torn)).collect();
        let expected = [
            (1, Some("epoch")),
            (2, Some("format")),
            (StreamId::MAX, Some("stream")),
            (4, Some("stream_seq")),
            (5, Some("count")),
            (6, Some("crc")),
            (7, Some("before")),
            (8, None),
        ];
        assert_eq!(torn, expected);
        let open = store.open().await.expect("reads");
        assert_eq!(store.at(&open.places).await.expect("reads"), records);
    }
}
