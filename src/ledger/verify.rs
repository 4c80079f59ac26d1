//! Whether a journal is what was written: every record's checksum and chain, that no sequence is missing, that each
//! witnessed head still stands, and that each sealed stream still makes the state it was sealed with. Read-only, beside a
//! gateway that runs. This module must not repair anything.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::Ledger;
use super::event::{Event, Witness};
use super::proved::Proved;
use super::record::{self, BadRecord, Head};
use super::seal::{Card, Known};
use crate::model::StreamId;
use crate::store::{Record, SealedRow, Store, StoreError};

/// One thing that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    Record(BadRecord),
    /// No record has these sequences.
    Missing {
        from: u64,
        to: u64,
    },
    /// The house noted this head in its record `noted`, and the stream does not reach it.
    Removed {
        head: Witness,
        noted: u64,
    },
    /// The stream has another record in this place.
    Rewritten {
        head: Witness,
        noted: u64,
    },
    /// Its records do not make the state that it was sealed with.
    State {
        stream: StreamId,
        why: String,
    },
    /// The row beside a sealed stream does not say what the stream says.
    Row {
        stream: StreamId,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(bad) => write!(f, "{bad} 记录损坏"),
            Self::Missing { from, to } if from == to => {
                write!(f, "record {from} is missing 第 {from} 条记录缺失")
            }
            Self::Missing { from, to } => write!(
                f,
                "records {from} to {to} are missing 第 {from} 至 {to} 条记录缺失"
            ),
            Self::Removed { head, noted } => write!(
                f,
                "stream {0} place {1}: record {noted} of the house saw it and it is gone \
                 流水 {0} 第 {1} 位：已见证的记录被移除",
                head.stream, head.stream_seq
            ),
            Self::Rewritten { head, noted } => write!(
                f,
                "stream {0} place {1}: it is not the record that record {noted} of the house saw \
                 流水 {0} 第 {1} 位：记录与见证不符",
                head.stream, head.stream_seq
            ),
            Self::State { stream, why } => write!(
                f,
                "stream {stream}: {why} 流水 {stream}：重放结果与封存时不符"
            ),
            Self::Row { stream } => write!(
                f,
                "stream {stream}: its row in the table `sealed` is not what its records say \
                 流水 {stream}：封存行与记录不符"
            ),
        }
    }
}

/// What was looked at, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Verdict {
    pub records: u64,
    pub streams: usize,
    pub witnessed: usize,
    pub sealed: usize,
    pub faults: Vec<Fault>,
}

const PAGE: usize = 512;

pub async fn verify(store: &dyn Store) -> Result<Verdict, StoreError> {
    let mut walk = Walk::default();
    loop {
        let page = store.records(walk.last, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for record in &page {
            walk.record(record);
        }
    }
    let rows = store.open().await?.sealed;
    let mut rows: BTreeMap<StreamId, SealedRow> =
        rows.into_iter().map(|row| (row.stream, row)).collect();
    walk.witnesses();
    let mut out = walk.out;
    out.streams = walk.heads.len();
    for stream in walk.sealed.keys() {
        out.sealed += 1;
        let records = store.stream(*stream).await?;
        out.faults
            .extend(sealed(*stream, &records, rows.remove(stream)));
    }
    out.faults
        .extend(rows.into_keys().map(|stream| Fault::Row { stream }));
    Ok(out)
}

#[derive(Default)]
struct Walk {
    out: Verdict,
    last: u64,
    /// Nothing behind a record that cannot be followed.
    heads: HashMap<StreamId, Option<Head>>,
    hashes: HashMap<(StreamId, u32), [u8; 32]>,
    noted: Vec<(Witness, u64)>,
    sealed: BTreeMap<StreamId, u64>,
}

impl Walk {
    fn record(&mut self, record: &Record) {
        self.out.records += 1;
        if record.seq > self.last + 1 {
            let (from, to) = (self.last + 1, record.seq - 1);
            self.out.faults.push(Fault::Missing { from, to });
        }
        self.last = record.seq;
        let stream = record.stream;
        let place = (stream, record.stream_seq);
        self.hashes.insert(place, record::hash(record));
        let head = self.heads.entry(stream).or_insert(Some(Head::default()));
        let follows = head.map_or(Ok(()), |head| record::follow(head, record).map(drop));
        let read = follows.and_then(|()| record::unpack(record));
        *head = read.is_ok().then(|| Head {
            stream_seq: record.stream_seq,
            hash: record::hash(record),
        });
        match read {
            Ok(events) => events.iter().for_each(|event| self.event(record, event)),
            Err(bad) => self.out.faults.push(Fault::Record(bad)),
        }
    }

    fn event(&mut self, record: &Record, event: &Event) {
        match event {
            Event::Witnessed { heads } => {
                let seen = heads.iter().map(|head| (*head, record.seq));
                self.noted.extend(seen);
            }
            Event::Sealed(_) => {
                self.sealed.insert(record.stream, record.seq);
            }
            _ => {}
        }
    }

    fn witnesses(&mut self) {
        self.out.witnessed = self.noted.len();
        for (head, noted) in &self.noted {
            let (head, noted) = (*head, *noted);
            match self.hashes.get(&(head.stream, head.stream_seq)) {
                None => self.out.faults.push(Fault::Removed { head, noted }),
                Some(hash) if *hash != head.hash => {
                    self.out.faults.push(Fault::Rewritten { head, noted });
                }
                Some(_) => {}
            }
        }
    }
}

/// Whether the bytes beside a sealed stream are its card. What it proved stands in memory apart from the card; cards of
/// before say nothing of that.
fn says(bytes: &[u8], card: &Card, ledger: &Ledger) -> bool {
    let Some(mut read) = Card::read(bytes) else {
        return false;
    };
    let said = Proved::default();
    said.add(std::mem::take(&mut read.plays));
    read == *card && (said.all().is_empty() || said.all() == ledger.proved.all())
}

/// Replays a stream that was sealed once, and holds every `Sealed` in it against the state before it.
fn sealed(stream: StreamId, records: &[Record], row: Option<SealedRow>) -> Vec<Fault> {
    let fault = |why: &str| Fault::State {
        stream,
        why: why.to_owned(),
    };
    let ledger = Ledger::default();
    let mut faults = Vec::new();
    for record in records {
        // What cannot be read is named by the walk.
        let Ok(events) = record::unpack(record) else {
            return faults;
        };
        for event in &events {
            if let Event::Sealed(said) = event {
                let now = ledger.alert(stream).map(|alert| ledger.digest(&alert));
                if now != Some(said.digest) {
                    faults.push(fault("its state is not what it was sealed with"));
                }
                if said.records + 1 != record.stream_seq {
                    faults.push(fault("it was sealed with another number of records"));
                }
            }
            if let Err(misfit) = ledger.apply(stream, record.time, event) {
                faults.push(fault(&misfit.what));
                return faults;
            }
        }
    }
    let card = match ledger.known(stream) {
        Some(Known::Sealed(card)) => Some(card),
        _ => None,
    };
    let head = records.last().map(|r| (r.stream_seq, record::hash(r)));
    let agrees = match (row, card) {
        (Some(row), Some(card)) => {
            says(&row.card, &card, &ledger) && Some((row.stream_seq, row.hash)) == head
        }
        (Some(_), None) => false,
        // A start that finds no row reads the stream.
        (None, _) => true,
    };
    if !agrees {
        faults.push(Fault::Row { stream });
    }
    faults
}
