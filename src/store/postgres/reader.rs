//! Reading, on a connection of its own, so that no reader waits for a commit. A read that met a broken connection is
//! asked once more on a new one. This module must not write.

use std::sync::Arc;

use channel::Timestamp;
use tokio::sync::Mutex;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::link::{Target, failed, is_broken, signed};
use crate::model::StreamId;
use crate::store::{DocumentId, IdentityRow, InboxRow, Record, StoreError};

const COLUMNS: &str = "seq, epoch, format, stream, stream_seq, time, count, body, crc, before";

type Params<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

pub struct Reader {
    target: Target,
    client: Mutex<Option<Arc<Client>>>,
}

impl Reader {
    pub fn new(target: Target) -> Self {
        Self {
            target,
            client: Mutex::new(None),
        }
    }

    async fn client(&self) -> Result<Arc<Client>, Error> {
        let mut held = self.client.lock().await;
        if let Some(client) = held.as_ref().filter(|client| !client.is_closed()) {
            return Ok(client.clone());
        }
        let client = Arc::new(self.target.connect().await?);
        client
            .batch_execute("SET default_transaction_read_only=on")
            .await?;
        *held = Some(client.clone());
        Ok(client)
    }

    async fn forget(&self, broken: &Arc<Client>) {
        self.client
            .lock()
            .await
            .take_if(|held| Arc::ptr_eq(held, broken));
    }

    async fn query<T>(
        &self,
        what: &'static str,
        sql: &str,
        params: Params<'_>,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, StoreError> {
        let client = self.client().await.map_err(|e| failed(what, &e))?;
        let rows = match client.query_typed(sql, params).await {
            Err(error) if is_broken(&error) => {
                self.forget(&client).await;
                let client = self.client().await.map_err(|e| failed(what, &e))?;
                client.query_typed(sql, params).await
            }
            answer => answer,
        };
        let rows = rows.map_err(|e| failed(what, &e))?;
        let rows: Result<_, _> = rows.iter().map(read).collect();
        rows.map_err(|e| StoreError::Broken(what, e.to_string()))
    }

    pub async fn records(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM journal WHERE part=0 AND seq>$1 ORDER BY seq LIMIT $2");
        let (after, limit) = (signed(after), i64::try_from(limit).unwrap_or(i64::MAX));
        let params: Params<'_> = &[(&after, Type::INT8), (&limit, Type::INT8)];
        self.query("read the journal", &sql, params, record).await
    }

    pub async fn stream(&self, stream: StreamId) -> Result<Vec<Record>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM journal WHERE stream=$1 ORDER BY stream_seq");
        let params: Params<'_> = &[(&signed(stream), Type::INT8)];
        self.query("read a stream", &sql, params, record).await
    }

    pub async fn document(&self, id: DocumentId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT body FROM document WHERE id=$1";
        let id: &[u8] = &id;
        let params: Params<'_> = &[(&id, Type::BYTEA)];
        let found = self.query("read a document", sql, params, |row| row.try_get(0));
        Ok(found.await?.pop())
    }

    pub async fn identities(&self) -> Result<Vec<IdentityRow>, StoreError> {
        let sql = "SELECT identity, stream, content FROM identity ORDER BY stream, identity";
        let read = |row: &Row| {
            Ok(IdentityRow {
                identity: row.try_get(0)?,
                stream: row.try_get::<_, Whole<_>>(1)?.0,
                content: row.try_get::<_, Bytes32>(2)?.0,
            })
        };
        self.query("read the identities", sql, &[], read).await
    }

    pub async fn inbox(&self) -> Result<Vec<InboxRow>, StoreError> {
        let sql = "SELECT id, seen, body FROM inbox ORDER BY id";
        let read = |row: &Row| {
            Ok(InboxRow {
                id: row.try_get::<_, Whole<_>>(0)?.0,
                seen: Timestamp(row.try_get(1)?),
                body: row.try_get(2)?,
            })
        };
        self.query("read the inbox", sql, &[], read).await
    }
}

fn record(row: &Row) -> Result<Record, Error> {
    Ok(Record {
        seq: row.try_get::<_, Whole<_>>(0)?.0,
        epoch: row.try_get::<_, Whole<_>>(1)?.0,
        format: row.try_get::<_, Whole<_>>(2)?.0,
        stream: row.try_get::<_, Whole<_>>(3)?.0,
        stream_seq: row.try_get::<_, Whole<_>>(4)?.0,
        time: Timestamp(row.try_get(5)?),
        count: row.try_get::<_, Whole<_>>(6)?.0,
        body: row.try_get(7)?,
        crc: row.try_get::<_, Whole<_>>(8)?.0,
        before: row.try_get::<_, Bytes32>(9)?.0,
    })
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
struct Bytes32([u8; 32]);

impl<'a> FromSql<'a> for Bytes32 {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Misread> {
        Ok(Self(<&[u8]>::from_sql(kind, raw)?.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        <&[u8] as FromSql>::accepts(kind)
    }
}
