//! An append as columns: each list of rows becomes one array a column, so that one statement brings them all. This
//! module must not decide whether they may be written.

use std::collections::HashSet;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Statement, Transaction};

use super::lease::Lease;
use super::link::signed;
use crate::store::sealed::words;
use crate::store::{Append, IdentityRow, InboxRow};

pub struct Columns<'a> {
    last: Option<i64>,
    take: Vec<i64>,
    put: (Vec<i64>, Vec<i64>, Vec<&'a [u8]>),
    documents: (Vec<&'a [u8]>, Vec<&'a [u8]>),
    identities: (Vec<&'a str>, Vec<i64>, Vec<&'a [u8]>),
    records: Records<'a>,
    unseals: Vec<i64>,
    seals: Seals<'a>,
}

#[derive(Default)]
struct Seals<'a> {
    stream: Vec<i64>,
    stream_seq: Vec<i64>,
    hash: Vec<&'a [u8]>,
    epoch: Vec<i64>,
    at: Vec<i64>,
    card: Vec<&'a [u8]>,
    doors: Doors,
}

/// The households of all of them.
#[derive(Default)]
struct Doors {
    stream: Vec<i64>,
    household: Vec<i64>,
    village: Vec<i64>,
    group: Vec<i64>,
    away: Vec<bool>,
    answer: Vec<&'static str>,
    grade: Vec<Option<&'static str>>,
    why: Vec<Option<&'static str>>,
}

#[derive(Default)]
struct Records<'a> {
    seq: Vec<i64>,
    epoch: Vec<i64>,
    format: Vec<i64>,
    stream: Vec<i64>,
    stream_seq: Vec<i64>,
    time: Vec<i64>,
    count: Vec<i64>,
    body: Vec<&'a [u8]>,
    crc: Vec<i64>,
    before: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    pub fn of(append: &'a Append) -> Self {
        // One statement sees the inbox as it was before: what is put and taken at once was never there.
        let taken: HashSet<u64> = append.inbox_take.iter().copied().collect();
        let put = |row: &&InboxRow| !taken.contains(&row.id);
        let put: Vec<&InboxRow> = append.inbox_put.iter().filter(put).collect();
        // Sorted, so that two nodes that claim the same wait for each other and never in a ring.
        let mut identities: Vec<&IdentityRow> = append.identities.iter().collect();
        identities.sort_by(|a, b| a.identity.cmp(&b.identity));
        Self {
            last: append.records.last().map(|record| signed(record.seq)),
            take: append.inbox_take.iter().map(|id| signed(*id)).collect(),
            put: (
                put.iter().map(|row| signed(row.id)).collect(),
                put.iter().map(|row| row.seen.0).collect(),
                put.iter().map(|row| &*row.body).collect(),
            ),
            documents: (
                append.documents.iter().map(|(id, _)| &id[..]).collect(),
                append.documents.iter().map(|(_, body)| &body[..]).collect(),
            ),
            identities: (
                identities.iter().map(|row| &*row.identity).collect(),
                identities.iter().map(|row| signed(row.stream)).collect(),
                identities.iter().map(|row| &row.content[..]).collect(),
            ),
            records: Records::of(append),
            unseals: append.unseals.iter().map(|s| signed(*s)).collect(),
            seals: Seals::of(append),
        }
    }

    /// False: the fence refused.
    pub async fn write(
        &self,
        tx: &Transaction<'_>,
        append: &Statement,
        lease: &Lease,
        base: i64,
        turn: i64,
    ) -> Result<bool, Error> {
        let (epoch, length) = (i64::from(lease.epoch), lease.length.as_secs_f64());
        let (last, r) = (self.last.unwrap_or(base), &self.records);
        let (s, d) = (&self.seals, &self.seals.doors);
        let params: [&(dyn ToSql + Sync); 39] = [
            &epoch,
            &base,
            &turn,
            &last,
            &length,
            &self.take,
            &self.put.0,
            &self.put.1,
            &self.put.2,
            &self.documents.0,
            &self.documents.1,
            &self.identities.0,
            &self.identities.1,
            &self.identities.2,
            &r.seq,
            &r.epoch,
            &r.format,
            &r.stream,
            &r.stream_seq,
            &r.time,
            &r.count,
            &r.body,
            &r.crc,
            &r.before,
            &self.unseals,
            &s.stream,
            &s.stream_seq,
            &s.hash,
            &s.epoch,
            &s.at,
            &s.card,
            &d.stream,
            &d.household,
            &d.village,
            &d.group,
            &d.away,
            &d.answer,
            &d.grade,
            &d.why,
        ];
        Ok(tx.query_opt(append, &params).await?.is_some())
    }
}

impl<'a> Records<'a> {
    fn of(append: &'a Append) -> Self {
        let mut out = Self::default();
        for record in &append.records {
            out.seq.push(signed(record.seq));
            out.epoch.push(record.epoch.into());
            out.format.push(record.format.into());
            out.stream.push(signed(record.stream));
            out.stream_seq.push(record.stream_seq.into());
            out.time.push(record.time.0);
            out.count.push(record.count.into());
            out.body.push(&record.body);
            out.crc.push(record.crc.into());
            out.before.push(&record.before);
        }
        out
    }
}

impl<'a> Seals<'a> {
    fn of(append: &'a Append) -> Self {
        let mut out = Self::default();
        for seal in &append.seals {
            let (row, stream) = (&seal.row, signed(seal.row.stream));
            out.stream.push(stream);
            out.stream_seq.push(row.stream_seq.into());
            out.hash.push(&row.hash);
            out.epoch.push(row.epoch.into());
            out.at.push(row.at.0);
            out.card.push(&row.card);
            for one in &seal.households {
                let (answer, grade, why) = words(one.answer);
                out.doors.stream.push(stream);
                out.doors.household.push(one.household.into());
                out.doors.village.push(signed(one.village.number()));
                out.doors.group.push(one.group.into());
                out.doors.away.push(one.away);
                out.doors.answer.push(answer);
                out.doors.grade.push(grade);
                out.doors.why.push(why);
            }
        }
        out
    }
}
