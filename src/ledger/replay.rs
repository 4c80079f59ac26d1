//! A restart replays: every record is proved against its checksum and its chain and folded. A damaged record marks its
//! stream and no other; what follows it in that stream is not read. This module must not write.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::event::{Event, Outcome};
use super::found::references;
use super::record::{self, Head};
use super::seal::{Card, last_serial};
use super::writer::History;
use super::{Correlator, Ledger, Proposal};
use crate::model::{Delivery, StreamId};
use crate::store::{Record, SealedRow, Store, StoreError};

/// Why a stream is damaged.
pub type Damage = BTreeMap<StreamId, String>;

pub struct Replayed {
    pub ledger: Arc<Ledger>,
    pub correlator: Correlator,
    pub history: History,
    pub damage: Damage,
    /// The highest serial that each channel was handed.
    pub serials: HashMap<String, u64>,
    pub records: u64,
    /// Sealed once and brought back, in that order: they hold their references behind everybody else.
    back: Vec<StreamId>,
}

const PAGE: usize = 1024;

pub async fn replay(store: &dyn Store) -> Result<Replayed, StoreError> {
    let mut out = Replayed {
        ledger: Arc::new(Ledger::default()),
        correlator: Correlator::default(),
        history: History::default(),
        damage: Damage::new(),
        serials: HashMap::new(),
        records: 0,
        back: Vec::new(),
    };
    let open = store.open().await?;
    for row in &open.sealed {
        if !out.shelve(row) {
            tracing::warn!(
                stream = row.stream,
                "its card is not of this version; its stream is read"
            );
            for record in &store.stream(row.stream).await? {
                out.read(record);
            }
        }
    }
    for places in open.places.chunks(PAGE) {
        for record in &store.at(places).await? {
            out.read(record);
        }
    }
    out.ledger.shed();
    for stream in std::mem::take(&mut out.back) {
        if out.ledger.alert(stream).is_none() {
            continue;
        }
        // A record that could not be read has marked its stream, which is then not open.
        let references = references(stream, &store.stream(stream).await?);
        for one in references.unwrap_or_default() {
            one.learn(&mut out.correlator);
        }
    }
    out.history.seq = open.last;
    for row in store.identities().await? {
        out.history
            .identities
            .insert(row.identity, (row.stream, row.content));
    }
    let inbox = store.inbox().await?;
    out.correlator.restore(&inbox);
    let last = out.history.epoch.max(out.ledger.epoch());
    // A store that nodes share gave the number with the lease.
    out.history.epoch = store.epoch().unwrap_or_else(|| last.saturating_add(1));
    Ok(out)
}

impl Replayed {
    /// A sealed stream is its row alone; false where that cannot be read.
    fn shelve(&mut self, row: &SealedRow) -> bool {
        let Some(card) = Card::read(&row.card) else {
            return false;
        };
        let head = Head {
            stream_seq: row.stream_seq,
            hash: row.hash,
        };
        self.history.heads.insert(row.stream, head);
        self.history.epoch = self.history.epoch.max(row.epoch);
        for (channel, serial) in &card.serials {
            let highest = self.serials.entry(channel.clone()).or_default();
            *highest = (*highest).max(*serial);
        }
        self.ledger.shelve(card);
        true
    }

    fn read(&mut self, record: &Record) {
        self.records += 1;
        let head = self
            .history
            .heads
            .get(&record.stream)
            .copied()
            .unwrap_or_default();
        // Whatever becomes of it, new records of this stream must find a free place behind it.
        // A number that no stream can have reached by then is itself damaged and says nothing.
        let said = Some(record.stream_seq).filter(|n| u64::from(*n) <= record.seq);
        let after = Head {
            stream_seq: said.unwrap_or(0).max(head.stream_seq),
            hash: record::hash(record),
        };
        if record.stream != Proposal::NEW {
            self.history.heads.insert(record.stream, after);
        }
        if self.damage.contains_key(&record.stream) {
            return;
        }
        if let Err(why) = self.fold(head, record) {
            tracing::error!(stream = record.stream, %why, "a damaged record; its stream is marked, the others go on");
            self.ledger.mark(record.stream, why.clone());
            self.damage.insert(record.stream, why);
        }
    }

    fn fold(&mut self, head: Head, record: &Record) -> Result<(), String> {
        record::follow(head, record).map_err(|e| e.to_string())?;
        let events = record::unpack(record).map_err(|e| e.to_string())?;
        // Every record carries its epoch: a damaged house stream does not bring an old one back.
        self.history.epoch = self.history.epoch.max(record.epoch);
        let taken = self.ledger.take(record.stream, record.time, &events);
        taken.map_err(|misfit| misfit.to_string())?;
        for event in &events {
            self.note(record.stream, event);
        }
        Ok(())
    }

    /// What stands beside the fold: references and serials.
    fn note(&mut self, stream: StreamId, event: &Event) {
        match event {
            Event::Settled { channel, rows } => {
                for row in rows {
                    let Outcome::Accepted { references } = &row.outcome else {
                        continue;
                    };
                    let delivery = Delivery {
                        stream,
                        number: row.delivery,
                    };
                    for (part, reference) in (0_u8..).zip(references) {
                        let place = (part, row.attempt);
                        self.correlator.settled(channel, reference, delivery, place);
                    }
                }
            }
            Event::Handed { channel, ranges } => {
                let held = self.serials.entry(channel.clone()).or_default();
                *held = last_serial(ranges).max(*held);
            }
            Event::Ordered(ordered) => {
                let held = self.serials.entry(ordered.channel.clone()).or_default();
                *held = ordered.last().max(*held);
            }
            Event::Quaked(quaked) => {
                for relayed in &quaked.relayed {
                    let held = self.serials.entry(relayed.channel.clone()).or_default();
                    *held = relayed.last().max(*held);
                }
            }
            Event::TestCalled(tested) => {
                let held = self.serials.entry(tested.channel.clone()).or_default();
                *held = tested.last().max(*held);
            }
            Event::Proved(proved) => {
                for row in &proved.rows {
                    let number = row.number;
                    let delivery = Delivery { stream, number };
                    for (part, reference) in (0_u8..).zip(&row.references) {
                        let place = (part, 1);
                        self.correlator
                            .settled(&proved.channel, reference, delivery, place);
                    }
                }
            }
            Event::Witnessed { heads } => {
                for head in heads {
                    let (stream, head) = (head.stream, Head::from(*head));
                    self.history.witnessed.insert(stream, head);
                }
            }
            Event::Sealed(_) => self.correlator.forget(stream),
            Event::Unsealed { .. } => {
                self.back.retain(|other| *other != stream);
                self.back.push(stream);
            }
            _ => {}
        }
    }
}
