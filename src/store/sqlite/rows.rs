//! Rows of the embedded store as the house's types, and the statements of sealing. A number that its column cannot have
//! been given tears one record and never the reading of the others. This module must not open or keep a connection.

use channel::Timestamp;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::model::StreamId;
use crate::store::sealed::{answer, words};
use crate::store::{Open, Record, Seal, SealedHousehold, SealedRow};

pub const COLUMNS: &str = "seq, epoch, format, stream, stream_seq, time, count, body, crc, before";

pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A number of a row; what does not fit tears it.
fn fit<T: TryFrom<i64>>(
    row: &Row<'_>,
    column: usize,
    name: &'static str,
    otherwise: T,
    torn: &mut Option<&'static str>,
) -> rusqlite::Result<T> {
    let number: i64 = row.get(column)?;
    Ok(T::try_from(number).unwrap_or_else(|_| {
        *torn = Some(name);
        otherwise
    }))
}

pub fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let mut torn = None;
    let before: Vec<u8> = row.get(9)?;
    let before = before.try_into().unwrap_or_else(|_| {
        torn = Some("before");
        [0; 32]
    });
    Ok(Record {
        seq: unsigned(row.get(0)?),
        epoch: fit(row, 1, "epoch", 0, &mut torn)?,
        format: fit(row, 2, "format", 0, &mut torn)?,
        // Nobody's stream: no other is to suffer for it.
        stream: fit(row, 3, "stream", StreamId::MAX, &mut torn)?,
        stream_seq: fit(row, 4, "stream_seq", 0, &mut torn)?,
        time: Timestamp(row.get(5)?),
        count: fit(row, 6, "count", 0, &mut torn)?,
        body: row.get(7)?,
        crc: fit(row, 8, "crc", 0, &mut torn)?,
        before,
        torn,
    })
}

/// Every stream once, by steps through the index: as many as there are streams, however many records they have.
const STREAMS: &str = "
WITH RECURSIVE s(stream) AS (SELECT min(stream) FROM journal
  UNION ALL SELECT (SELECT min(stream) FROM journal WHERE stream>s.stream) FROM s WHERE s.stream IS NOT NULL)
SELECT stream FROM s WHERE stream IS NOT NULL AND stream NOT IN (SELECT stream FROM sealed)";

/// What is open, as of one moment.
pub fn open(connection: &mut Connection) -> rusqlite::Result<Open> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let last: Option<i64> = tx.query_row("SELECT max(seq) FROM journal", [], |r| r.get(0))?;
    let mut open = Open {
        last: unsigned(last.unwrap_or(0)),
        ..Open::default()
    };
    {
        let mut read = tx.prepare("SELECT seq FROM journal WHERE stream=?1")?;
        let mut streams = tx.prepare(STREAMS)?;
        for stream in streams.query_map([], |r| r.get::<_, i64>(0))? {
            for seq in read.query_map([stream?], |r| r.get(0))? {
                open.places.push(unsigned(seq?));
            }
        }
        let sql = "SELECT stream, stream_seq, hash, epoch, at, card FROM sealed ORDER BY stream";
        let mut sealed = tx.prepare(sql)?;
        for row in sealed.query_map([], sealed_row)? {
            open.sealed.push(row?);
        }
    }
    open.places.sort_unstable();
    Ok(open)
}

/// A row that cannot have been written has no card, and so its stream is read instead.
fn sealed_row(row: &Row<'_>) -> rusqlite::Result<SealedRow> {
    let mut torn = None;
    let mut sealed = SealedRow {
        stream: unsigned(row.get(0)?),
        stream_seq: fit(row, 1, "stream_seq", 0, &mut torn)?,
        hash: [0; 32],
        epoch: fit(row, 3, "epoch", 0, &mut torn)?,
        at: Timestamp(row.get(4)?),
        card: row.get(5)?,
    };
    match row.get::<_, Vec<u8>>(2)?.try_into() {
        Ok(hash) => sealed.hash = hash,
        Err(_) => torn = Some("hash"),
    }
    if torn.is_some() {
        sealed.card.clear();
    }
    Ok(sealed)
}

/// Neighbours are read in one go.
pub fn at(connection: &mut Connection, places: &[u64]) -> rusqlite::Result<Vec<Record>> {
    let sql = format!("SELECT {COLUMNS} FROM journal WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq");
    let mut read = connection.prepare_cached(&sql)?;
    let mut records = Vec::with_capacity(places.len());
    for run in places.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        let ends = params![signed(run[0]), signed(run[run.len() - 1])];
        for row in read.query_map(ends, record)? {
            records.push(row?);
        }
    }
    Ok(records)
}

pub fn households(
    connection: &mut Connection,
    stream: StreamId,
) -> rusqlite::Result<Vec<SealedHousehold>> {
    let sql =
        "SELECT household, village, local_group, away, answer, grade, why FROM sealed_household
                WHERE stream=?1 ORDER BY household";
    connection
        .prepare_cached(sql)?
        .query_map([signed(stream)], |row| {
            let text = |column| row.get::<_, Option<String>>(column);
            let (said, grade, why) = (text(4)?.unwrap_or_default(), text(5)?, text(6)?);
            let odd = |column| rusqlite::Error::IntegralValueOutOfRange(column, 0);
            Ok(SealedHousehold {
                household: row.get(0)?,
                village: unsigned(row.get(1)?).try_into().map_err(|_| odd(1))?,
                group: row.get(2)?,
                away: row.get(3)?,
                answer: answer(&said, grade.as_deref(), why.as_deref()).ok_or_else(|| odd(4))?,
            })
        })?
        .collect()
}

pub fn unseal(tx: &Transaction<'_>, streams: &[StreamId]) -> rusqlite::Result<()> {
    for stream in streams {
        for table in ["sealed", "sealed_household"] {
            let sql = format!("DELETE FROM {table} WHERE stream=?1");
            tx.prepare_cached(&sql)?.execute([signed(*stream)])?;
        }
    }
    Ok(())
}

pub fn seal(tx: &Transaction<'_>, seals: &[Seal]) -> rusqlite::Result<()> {
    let mut put = tx.prepare_cached("INSERT INTO sealed VALUES(?1,?2,?3,?4,?5,?6)")?;
    let mut door =
        tx.prepare_cached("INSERT INTO sealed_household VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")?;
    for Seal { row, households } in seals {
        let stream = signed(row.stream);
        put.execute(params![
            stream,
            row.stream_seq,
            row.hash,
            row.epoch,
            row.at.0,
            row.card
        ])?;
        for one in households {
            let (said, grade, why) = words(one.answer);
            let village = signed(one.village.number());
            door.execute(params![
                stream,
                one.household,
                village,
                one.group,
                one.away,
                said,
                grade,
                why
            ])?;
        }
    }
    Ok(())
}
