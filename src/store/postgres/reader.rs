//! Reading, on a connection of its own, so that no reader waits for a commit. A read that met a broken connection is
//! asked once more on a new one. This module must not write.

use std::sync::Arc;

use channel::Timestamp;
use tokio::sync::Mutex;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::link::{Target, failed, is_broken, signed};
use super::rows::{Bytes32, Whole, household, record, sealed};
use crate::model::StreamId;
use crate::store::{DocumentId, IdentityRow, InboxRow, Open, Record, SealedHousehold, StoreError};

const COLUMNS: &str = "seq, epoch, format, stream, stream_seq, time, count, body, crc, before";

/// Every stream that is not sealed, by steps through the index.
const STREAMS: &str = "
WITH RECURSIVE s(stream) AS ((SELECT stream FROM journal ORDER BY stream LIMIT 1)
  UNION ALL SELECT (SELECT j.stream FROM journal j WHERE j.stream>s.stream ORDER BY j.stream LIMIT 1) FROM s
   WHERE s.stream IS NOT NULL)
SELECT stream FROM s WHERE stream IS NOT NULL AND stream NOT IN (SELECT stream FROM sealed)";

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

    /// Asked at a start, when nobody writes.
    pub async fn open(&self) -> Result<Open, StoreError> {
        const WHAT: &str = "read what is open";
        let number = |row: &Row| row.try_get::<_, i64>(0);
        let streams = self.query(WHAT, STREAMS, &[], number).await?;
        let sql = "SELECT seq FROM journal WHERE stream=ANY($1) ORDER BY seq";
        let params: Params<'_> = &[(&streams, Type::INT8_ARRAY)];
        let whole = |row: &Row| Ok(row.try_get::<_, Whole<u64>>(0)?.0);
        let places = self.query(WHAT, sql, params, whole).await?;
        let sql = "SELECT stream, stream_seq, hash, epoch, at, card FROM sealed ORDER BY stream";
        let sealed = self.query(WHAT, sql, &[], sealed).await?;
        let sql = "SELECT seq FROM journal WHERE part=0 ORDER BY seq DESC LIMIT 1";
        let last = self.query(WHAT, sql, &[], whole).await?.pop().unwrap_or(0);
        Ok(Open {
            last,
            places,
            sealed,
        })
    }

    pub async fn at(&self, places: &[u64]) -> Result<Vec<Record>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM journal WHERE part=0 AND seq=ANY($1) ORDER BY seq");
        let places: Vec<i64> = places.iter().map(|seq| signed(*seq)).collect();
        let params: Params<'_> = &[(&places, Type::INT8_ARRAY)];
        self.query("read the journal", &sql, params, record).await
    }

    pub async fn sealed_households(
        &self,
        stream: StreamId,
    ) -> Result<Vec<SealedHousehold>, StoreError> {
        let sql =
            "SELECT household, village, local_group, away, answer, grade, why FROM sealed_household
              WHERE stream=$1 ORDER BY household";
        let params: Params<'_> = &[(&signed(stream), Type::INT8)];
        let rows = self.query("read sealed households", sql, params, household);
        Ok(rows.await?.into_iter().flatten().collect())
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
