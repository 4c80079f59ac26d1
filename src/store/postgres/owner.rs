//! The one writer's side: it takes the journal under a lease, appends with one fenced statement, renews while nothing is
//! appended, and finds out what became of a commit whose answer was lost. One append is under way at a time. This module
//! must not say that nothing was written before it knows.

use std::sync::{Arc, Weak};
use std::time::Duration;

use channel::Clock;
use tokio::sync::Mutex;
use tokio_postgres::{Client, Error, Statement};

use super::columns::Columns;
use super::lease::Lease;
use super::link::{Target, failed, is_broken, signed};
use super::rows::Whole;
use crate::store::{Append, StoreError};

/// What this program reads and writes; a higher number in the database was written by a later one.
const FORMAT: i64 = 1;

/// `pg_advisory_xact_lock`: two nodes make the tables one after the other.
const LOCK: i64 = 0x746f_6373_696e;

/// `part.turn` counts the appends, so that one without records can be told from none. `part` is updated with every
/// commit, in place.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS format(one int PRIMARY KEY CHECK(one=1), number bigint NOT NULL);
CREATE TABLE IF NOT EXISTS part(
  id int PRIMARY KEY, owner text NOT NULL, epoch bigint NOT NULL, until timestamptz NOT NULL, seq bigint NOT NULL,
  turn bigint NOT NULL) WITH (fillfactor=10);
CREATE TABLE IF NOT EXISTS journal(
  part int NOT NULL, seq bigint NOT NULL, epoch bigint NOT NULL, format bigint NOT NULL, stream bigint NOT NULL,
  stream_seq bigint NOT NULL, time bigint NOT NULL, count bigint NOT NULL, body bytea NOT NULL, crc bigint NOT NULL,
  before bytea NOT NULL, PRIMARY KEY(part, seq), UNIQUE(stream, stream_seq));
CREATE TABLE IF NOT EXISTS document(id bytea PRIMARY KEY, body bytea NOT NULL);
CREATE TABLE IF NOT EXISTS identity(identity text PRIMARY KEY, stream bigint NOT NULL, content bytea NOT NULL);
CREATE TABLE IF NOT EXISTS inbox(id bigint PRIMARY KEY, seen bigint NOT NULL, body bytea NOT NULL);
CREATE TABLE IF NOT EXISTS sealed(
  stream bigint PRIMARY KEY, stream_seq bigint NOT NULL, hash bytea NOT NULL, epoch bigint NOT NULL, at bigint NOT NULL,
  card bytea NOT NULL);
CREATE TABLE IF NOT EXISTS sealed_household(
  stream bigint NOT NULL, household bigint NOT NULL, village bigint NOT NULL, local_group bigint NOT NULL,
  away boolean NOT NULL, answer text NOT NULL, grade text, why text, PRIMARY KEY(stream, household));
INSERT INTO format VALUES(1, 1) ON CONFLICT DO NOTHING;
INSERT INTO part VALUES(0, '', 0, '-infinity', 0, 0) ON CONFLICT DO NOTHING;
";

/// The epoch rises even for the same name: what an earlier process of this node still has under way is fenced too.
const TAKE: &str = "
UPDATE part SET owner=$1, epoch=epoch+1, until=clock_timestamp()+make_interval(secs=>$2)
 WHERE id=0 AND (until < clock_timestamp() OR owner=$1) RETURNING epoch, seq, turn";

const RENEW: &str = "
UPDATE part SET until=clock_timestamp()+make_interval(secs=>$2) WHERE id=0 AND epoch=$1 RETURNING id";

/// Everything hangs on `own`: who does not own the journal as it stands inserts and deletes nothing.
const APPEND: &str = "
WITH own AS (UPDATE part SET seq=$4, turn=turn+1, until=clock_timestamp()+make_interval(secs=>$5)
              WHERE id=0 AND epoch=$1 AND seq=$2 AND turn=$3 RETURNING id),
 took AS (DELETE FROM inbox i USING own WHERE i.id=ANY($6::bigint[])),
 put AS (INSERT INTO inbox SELECT r.* FROM own, unnest($7::bigint[], $8::bigint[], $9::bytea[]) AS r),
 documents AS (INSERT INTO document SELECT r.* FROM own, unnest($10::bytea[], $11::bytea[]) AS r ON CONFLICT DO NOTHING),
 identities AS (INSERT INTO identity SELECT r.* FROM own, unnest($12::text[], $13::bigint[], $14::bytea[]) AS r),
 records AS (INSERT INTO journal SELECT own.id, r.* FROM own, unnest($15::bigint[], $16::bigint[], $17::bigint[],
   $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bytea[], $23::bigint[], $24::bytea[]) AS r),
 unsealed AS (DELETE FROM sealed s USING own WHERE s.stream=ANY($25::bigint[])),
 forgot AS (DELETE FROM sealed_household h USING own WHERE h.stream=ANY($25::bigint[])),
 seals AS (INSERT INTO sealed SELECT r.* FROM own, unnest($26::bigint[], $27::bigint[], $28::bytea[], $29::bigint[],
   $30::bigint[], $31::bytea[]) AS r),
 doors AS (INSERT INTO sealed_household SELECT r.* FROM own, unnest($32::bigint[], $33::bigint[], $34::bigint[],
   $35::bigint[], $36::boolean[], $37::text[], $38::text[], $39::text[]) AS r)
SELECT id FROM own";

/// Waits until a commit that is still under way has ended.
const LOOK: &str = "SELECT epoch, seq, turn, owner FROM part WHERE id=0 FOR UPDATE";

const OPEN: &str = "open the journal";
const WRITE: &str = "append to the journal";

/// A connection and the statement that it is for.
struct Pen {
    client: Client,
    append: Statement,
}

impl Pen {
    async fn new(target: &Target) -> Result<Self, Error> {
        let client = target.connect().await?;
        // A server may be set to answer before the disk has it. This one may not.
        client
            .batch_execute(
                "SELECT set_config('synchronous_commit', 'on', false) FROM pg_settings
                  WHERE name='synchronous_commit' AND setting IN ('off', 'local')",
            )
            .await?;
        let append = client.prepare(APPEND).await?;
        Ok(Self { client, append })
    }
}

/// Where the journal stands, as this owner left it.
pub struct Desk {
    pen: Option<Pen>,
    pub seq: u64,
    pub turn: i64,
}

impl Desk {
    /// The next question goes over a new connection, if this one is broken.
    fn forget(&mut self, error: &Error) {
        if is_broken(error) {
            self.pen = None;
        }
    }
}

pub struct Owner {
    pub lease: Lease,
    target: Target,
    pub desk: Mutex<Desk>,
}

enum Attempt {
    Written,
    /// The fence refused: the journal does not stand where this owner left it.
    NotOurs,
    Failed(Error),
    /// The commit was asked for and its answer is lost.
    Unknown,
}

/// Where `part` stands.
struct Look {
    epoch: u32,
    seq: u64,
    turn: i64,
    owner: String,
}

impl Owner {
    pub async fn take(
        target: Target,
        node: &str,
        clock: Arc<dyn Clock>,
        length: Duration,
    ) -> Result<Self, StoreError> {
        let away = |e: Error| failed(OPEN, &e);
        let mut client = target.connect().await.map_err(away)?;
        warn_of_no_fsync(&client).await.map_err(away)?;
        let tx = client.transaction().await.map_err(away)?;
        tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
            .await
            .map_err(away)?;
        tx.batch_execute(SCHEMA).await.map_err(away)?;
        let format = tx.query_one("SELECT number FROM format", &[]).await;
        let format: i64 = format.and_then(|row| row.try_get(0)).map_err(away)?;
        if format > FORMAT {
            let why = format!(
                "it is of format {format}, which is newer than this program's {FORMAT}: run the newer program"
            );
            return Err(StoreError::Conflict(OPEN, why));
        }
        let asked = clock.tick();
        let taken = tx.query_opt(TAKE, &[&node, &length.as_secs_f64()]).await;
        let Some(row) = taken.map_err(away)? else {
            let holder = "SELECT owner, greatest(1, ceil(extract(epoch FROM until-clock_timestamp())))::bigint FROM part WHERE id=0";
            let row = tx.query_one(holder, &[]).await.map_err(away)?;
            let (owner, seconds): (String, i64) = (row.get(0), row.get(1));
            return Err(StoreError::Held { owner, seconds });
        };
        let broken = |e: Error| StoreError::Broken(OPEN, e.to_string());
        let epoch = row.try_get::<_, Whole<_>>(0).map_err(broken)?.0;
        let desk = Desk {
            pen: None,
            seq: row.try_get::<_, Whole<_>>(1).map_err(broken)?.0,
            turn: row.try_get(2).map_err(broken)?,
        };
        tx.commit().await.map_err(away)?;
        Ok(Self {
            lease: Lease::new(epoch, length, clock, asked),
            target,
            desk: Mutex::new(desk),
        })
    }

    pub async fn append(&self, append: &Append) -> Result<(), StoreError> {
        let mut desk = self.desk.lock().await;
        self.lease.is_lost()?;
        in_order(desk.seq, append)?;
        loop {
            let asked = self.lease.tick();
            match self.attempt(&mut desk, append).await {
                Attempt::Written => {
                    desk.seq = last(desk.seq, append);
                    desk.turn += 1;
                    self.lease.renewed(asked);
                    return Ok(());
                }
                Attempt::Failed(error) => {
                    desk.forget(&error);
                    return Err(failed(WRITE, &error));
                }
                Attempt::NotOurs | Attempt::Unknown => {}
            }
            let look = self.look(&mut desk).await;
            if self.is_written(&mut desk, append, look)? {
                return Ok(());
            }
        }
    }

    /// What `part` says of an append that ended without an answer. False: nothing was written, and nothing will be.
    fn is_written(&self, desk: &mut Desk, append: &Append, look: Look) -> Result<bool, StoreError> {
        if look.epoch != self.lease.epoch {
            return Err(self.lease.lose(look.owner));
        }
        if (look.seq, look.turn) == (desk.seq, desk.turn) {
            return Ok(false);
        }
        if (look.seq, look.turn) == (last(desk.seq, append), desk.turn + 1) {
            (desk.seq, desk.turn) = (look.seq, look.turn);
            return Ok(true);
        }
        let why = format!(
            "it stands at {} after append {}, and this node left it at {} after append {}: it was changed by hand",
            look.seq, look.turn, desk.seq, desk.turn
        );
        Err(StoreError::Broken(WRITE, why))
    }

    async fn pen<'a>(&self, desk: &'a mut Desk) -> Result<&'a mut Pen, Error> {
        if desk.pen.as_ref().is_none_or(|pen| pen.client.is_closed()) {
            desk.pen = None;
        }
        match &mut desk.pen {
            Some(pen) => Ok(pen),
            none => Ok(none.insert(Pen::new(&self.target).await?)),
        }
    }

    async fn attempt(&self, desk: &mut Desk, append: &Append) -> Attempt {
        let (base, turn) = (signed(desk.seq), desk.turn);
        let columns = Columns::of(append);
        let pen = match self.pen(desk).await {
            Ok(pen) => pen,
            Err(error) => return Attempt::Failed(error),
        };
        let fenced = async {
            let tx = pen.client.transaction().await?;
            let own = columns.write(&tx, &pen.append, &self.lease, base, turn);
            Ok((own.await?, tx))
        };
        let tx = match fenced.await {
            Ok((true, tx)) => tx,
            Ok((false, _)) => return Attempt::NotOurs,
            // The server undoes what has no commit.
            Err(error) => return Attempt::Failed(error),
        };
        if let Err(error) = tx.commit().await {
            tracing::warn!(why = %failed(WRITE, &error), "a commit's answer was lost; the journal is asked");
            desk.pen = None;
            return Attempt::Unknown;
        }
        Attempt::Written
    }

    /// Asks until it is answered: until then nobody knows what was written, so nobody may be told.
    async fn look(&self, desk: &mut Desk) -> Look {
        loop {
            let looked = async {
                let pen = self.pen(desk).await?;
                let row = pen.client.query_one(LOOK, &[]).await?;
                Ok::<_, Error>(Look {
                    epoch: row.try_get::<_, Whole<_>>(0)?.0,
                    seq: row.try_get::<_, Whole<_>>(1)?.0,
                    turn: row.try_get(2)?,
                    owner: row.try_get(3)?,
                })
            };
            match looked.await {
                Ok(look) => return look,
                Err(error) => {
                    desk.forget(&error);
                    tracing::warn!(why = %failed("say what was written", &error), "the journal is asked again");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }

    /// Renews when it is time and nothing is appended, for an append renews by itself.
    async fn renew(&self) {
        let Ok(mut desk) = self.desk.try_lock() else {
            return;
        };
        if !self.lease.is_due() || self.lease.is_lost().is_err() {
            return;
        }
        let asked = self.lease.tick();
        let params: (i64, f64) = (self.lease.epoch.into(), self.lease.length.as_secs_f64());
        let renewed = async {
            let pen = self.pen(&mut desk).await?;
            pen.client.query_opt(RENEW, &[&params.0, &params.1]).await
        };
        match renewed.await {
            Ok(Some(_)) => self.lease.renewed(asked),
            Ok(None) => {
                let look = self.look(&mut desk).await;
                let why = self.lease.lose(look.owner);
                tracing::error!(%why, "the lease is lost");
            }
            Err(error) => {
                desk.forget(&error);
                tracing::warn!(why = %failed("renew the lease", &error), "the lease runs on unrenewed");
            }
        }
    }
}

/// Renews as long as the owner is there.
pub async fn keep(owner: Weak<Owner>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        match owner.upgrade() {
            Some(owner) => owner.renew().await,
            None => return,
        }
    }
}

async fn warn_of_no_fsync(client: &Client) -> Result<(), Error> {
    let row = client.query_one("SHOW fsync", &[]).await?;
    if row.try_get::<_, &str>(0)? != "on" {
        tracing::warn!(
            "the database server runs with fsync=off: a power cut may lose alerts that were accepted"
        );
    }
    Ok(())
}

/// The sequence that the journal has after this append.
fn last(base: u64, append: &Append) -> u64 {
    append.records.last().map_or(base, |record| record.seq)
}

/// The records follow what is there, without a gap.
fn in_order(base: u64, append: &Append) -> Result<(), StoreError> {
    for (wanted, record) in (base + 1..).zip(&append.records) {
        if record.seq != wanted {
            let why = format!("record {} stands where {wanted} is the next", record.seq);
            return Err(StoreError::Conflict(WRITE, why));
        }
    }
    Ok(())
}
