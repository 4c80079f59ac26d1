//! Receipts that found their delivery, on their way into the journal: those of one answer, and those that waited in the
//! inbox while their alert was sealed. This module must not match a receipt: the correlator does.

use std::collections::{BTreeMap, BTreeSet};

use channel::{Of, Receipt};
use parking_lot::Mutex;

use super::event::{Event, Outcome, ReceiptRow};
use super::{
    Archive, Claimed, Correlator, Found, HOUSE, Proposal, Refused, Unread, Writer, record,
};
use crate::model::{Delivery, StreamId};
use crate::store::Record;

/// Receipt rows by stream, in the order they came.
#[derive(Default)]
pub struct ReceiptRows(BTreeMap<StreamId, Vec<ReceiptRow>>);

impl ReceiptRows {
    pub fn push(&mut self, found: Found, receipt: Receipt) {
        let row = ReceiptRow {
            delivery: found.delivery.number,
            part: found.part,
            verdict: receipt.verdict,
            code: receipt.code,
            far: receipt.far,
            seen: receipt.seen,
            by: found.by,
        };
        let rows = self.0.entry(found.delivery.stream).or_default();
        rows.push(row);
    }

    pub fn claimed(&mut self, claimed: Vec<Claimed>, taken: &mut Vec<u64>) {
        for one in claimed {
            taken.push(one.inbox);
            let kept = one.receipt;
            let receipt = Receipt {
                of: Of::Reference(kept.reference),
                verdict: kept.verdict,
                code: kept.code,
                far: kept.far,
                seen: kept.seen,
            };
            self.push(one.found, receipt);
        }
    }

    /// Those of tests, which are no deliveries of any alert.
    pub fn of_tests(&mut self) -> Vec<ReceiptRow> {
        self.0.remove(&HOUSE).unwrap_or_default()
    }

    pub fn into_events(self, channel: &str) -> impl Iterator<Item = (StreamId, Event)> + use<'_> {
        self.0.into_iter().map(move |(stream, rows)| {
            (
                stream,
                Event::Receipt {
                    channel: channel.to_owned(),
                    rows,
                },
            )
        })
    }
}

/// Why an alert's references are not known again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unlearned {
    #[error(transparent)]
    Unread(#[from] Unread),
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// A far end's reference and what it stands for.
pub(super) struct Reference {
    channel: String,
    text: String,
    delivery: Delivery,
    place: (u8, u8),
}

impl Reference {
    pub fn learn(&self, correlator: &mut Correlator) -> Vec<Claimed> {
        correlator.learn(&self.channel, &self.text, self.delivery, self.place)
    }
}

/// An alert is back from the archive: its references match receipts again, and what came for them meanwhile is claimed.
/// Where the store refuses that, they go on waiting.
pub async fn relearn(
    stream: StreamId,
    archive: &Archive,
    correlator: &Mutex<Correlator>,
    writer: &Writer,
) -> Result<(), Unlearned> {
    let references = archive.references(stream).await?;
    let mut rows: BTreeMap<String, ReceiptRows> = BTreeMap::new();
    let mut proposal = Proposal::default();
    let mut seen = BTreeSet::new();
    let commit = {
        let mut correlator = correlator.lock();
        for one in references {
            let mut claimed = one.learn(&mut correlator);
            // Where it gave one reference twice, the newer is meant.
            claimed.retain(|waits| seen.insert(waits.inbox));
            if !claimed.is_empty() {
                let rows = rows.entry(one.channel).or_default();
                rows.claimed(claimed, &mut proposal.inbox_take);
            }
        }
        let taken = proposal.inbox_take.clone();
        for (channel, rows) in rows {
            proposal.events.extend(rows.into_events(&channel));
        }
        (!taken.is_empty()).then(|| (taken, writer.propose(proposal)))
    };
    if let Some((taken, commit)) = commit {
        commit.await?;
        correlator.lock().drop_all(&taken);
    }
    Ok(())
}

impl Archive {
    async fn references(&self, stream: StreamId) -> Result<Vec<Reference>, Unread> {
        let records = self.store.stream(stream).await?;
        let read = tokio::task::spawn_blocking(move || references(stream, &records)).await;
        read.unwrap_or_else(|ended| Err(ended.to_string()))
            .map_err(Unread::Damaged)
    }
}

/// What the alert of this stream held when it was last brought back, the newest first: whoever learns them one by one, each
/// as the oldest, has them in the order in which they were given.
pub(super) fn references(stream: StreamId, records: &[Record]) -> Result<Vec<Reference>, String> {
    let (mut references, mut back) = (Vec::new(), 0);
    for record in records {
        for event in record::unpack(record).map_err(|why| why.to_string())? {
            if let Event::Unsealed { .. } = event {
                back = references.len();
            }
            settled(stream, event, &mut references);
        }
    }
    references.truncate(back);
    references.reverse();
    Ok(references)
}

fn settled(stream: StreamId, event: Event, references: &mut Vec<Reference>) {
    let Event::Settled { channel, rows } = event else {
        return;
    };
    for row in rows {
        let Outcome::Accepted { references: texts } = row.outcome else {
            continue;
        };
        let number = row.delivery;
        references.extend((0_u8..).zip(texts).map(|(part, text)| Reference {
            channel: channel.clone(),
            text,
            delivery: Delivery { stream, number },
            place: (part, row.attempt),
        }));
    }
}
