//! Rows of the shared store as the house's types. A number that its column cannot have been given tears one record and
//! never the reading of the others. This module must not ask the database.

use channel::Timestamp;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Error, Row};

use crate::model::StreamId;
use crate::store::sealed::answer;
use crate::store::{Record, SealedHousehold, SealedRow};

/// A number of a row; what does not fit tears it.
fn fit<T: TryFrom<i64>>(
    row: &Row,
    column: usize,
    name: &'static str,
    otherwise: T,
    torn: &mut Option<&'static str>,
) -> Result<T, Error> {
    let number: i64 = row.try_get(column)?;
    Ok(T::try_from(number).unwrap_or_else(|_| {
        *torn = Some(name);
        otherwise
    }))
}

fn hash(
    row: &Row,
    column: usize,
    name: &'static str,
    torn: &mut Option<&'static str>,
) -> Result<[u8; 32], Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    Ok(bytes.try_into().unwrap_or_else(|_| {
        *torn = Some(name);
        [0; 32]
    }))
}

pub fn record(row: &Row) -> Result<Record, Error> {
    let mut torn = None;
    Ok(Record {
        seq: row.try_get::<_, Whole<_>>(0)?.0,
        epoch: fit(row, 1, "epoch", 0, &mut torn)?,
        format: fit(row, 2, "format", 0, &mut torn)?,
        // Nobody's stream: no other is to suffer for it.
        stream: fit(row, 3, "stream", StreamId::MAX, &mut torn)?,
        stream_seq: fit(row, 4, "stream_seq", 0, &mut torn)?,
        time: Timestamp(row.try_get(5)?),
        count: fit(row, 6, "count", 0, &mut torn)?,
        body: row.try_get(7)?,
        crc: fit(row, 8, "crc", 0, &mut torn)?,
        before: hash(row, 9, "before", &mut torn)?,
        torn,
    })
}

/// A row that cannot have been written has no card, and so its stream is read instead.
pub fn sealed(row: &Row) -> Result<SealedRow, Error> {
    let mut torn = None;
    let mut sealed = SealedRow {
        stream: row.try_get::<_, Whole<_>>(0)?.0,
        stream_seq: fit(row, 1, "stream_seq", 0, &mut torn)?,
        hash: hash(row, 2, "hash", &mut torn)?,
        epoch: fit(row, 3, "epoch", 0, &mut torn)?,
        at: Timestamp(row.try_get(4)?),
        card: row.try_get(5)?,
    };
    if torn.is_some() {
        sealed.card.clear();
    }
    Ok(sealed)
}

/// Nothing where the row holds words that nobody wrote.
pub fn household(row: &Row) -> Result<Option<SealedHousehold>, Error> {
    let (said, grade, why): (&str, Option<&str>, Option<&str>) =
        (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
    let answer = answer(said, grade, why);
    let village = row.try_get::<_, Whole<u64>>(1)?.0.try_into().ok();
    let household = row.try_get::<_, Whole<_>>(0)?.0;
    let group = row.try_get::<_, Whole<_>>(2)?.0;
    let away = row.try_get(3)?;
    let whole = |(village, answer)| SealedHousehold {
        household,
        village,
        group,
        away,
        answer,
    };
    Ok(village.zip(answer).map(whole))
}

type Misread = Box<dyn std::error::Error + Sync + Send>;

/// A number without a sign, kept in a `bigint`.
pub struct Whole<T>(pub T);

impl<'a, T: TryFrom<i64, Error: std::error::Error + Sync + Send + 'static>> FromSql<'a>
    for Whole<T>
{
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Misread> {
        Ok(Self(T::try_from(i64::from_sql(kind, raw)?)?))
    }

    fn accepts(kind: &Type) -> bool {
        <i64 as FromSql>::accepts(kind)
    }
}

/// A hash, kept in a `bytea`.
pub struct Bytes32(pub [u8; 32]);

impl<'a> FromSql<'a> for Bytes32 {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Misread> {
        Ok(Self(<&[u8]>::from_sql(kind, raw)?.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        <&[u8] as FromSql>::accepts(kind)
    }
}
