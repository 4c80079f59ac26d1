//! Receipts come in here: matched to their deliveries, journaled, and only then answered. What matches nothing lies in
//! the inbox until its delivery settles. This module must not decide what a receipt does: that is the fold's.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{Clock, Inlet, Of, Presence, PresenceState, Receipt, Unavailable};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::ledger::event::{InboxReceipt, MatchedBy, ReceiptRow};
use crate::ledger::{Claimed, Correlator, Event, Found, Ledger, Proposal, Refused, Writer};
use crate::model::{Delivery, StreamId};

/// What lanes and inlets share.
pub struct Desk {
    pub ledger: Arc<Ledger>,
    pub writer: Writer,
    pub clock: Arc<dyn Clock>,
    pub correlator: Arc<Mutex<Correlator>>,
    /// Rises whenever outcomes have become known to the correlator.
    pub rounds: watch::Sender<u64>,
}

/// How often, and how long each time, a receipt waits for the outcome that it overtook.
const ROUNDS: usize = 3;
const MOMENT: Duration = Duration::from_millis(20);

/// The inlet of one channel.
pub struct ChannelInlet {
    channel: String,
    desk: Arc<Desk>,
    devices: Mutex<HashMap<String, PresenceState>>,
}

/// Receipt rows by stream, in the order they came.
#[derive(Default)]
pub struct Rows(BTreeMap<StreamId, Vec<ReceiptRow>>);

impl Rows {
    pub fn push(&mut self, found: Found, receipt: InboxReceipt) {
        self.0
            .entry(found.delivery.stream)
            .or_default()
            .push(ReceiptRow {
                delivery: found.delivery.number,
                part: found.part,
                verdict: receipt.verdict,
                code: receipt.code,
                far: receipt.far,
                seen: receipt.seen,
                by: found.by,
            });
    }

    pub fn claimed(&mut self, claimed: Vec<Claimed>, taken: &mut Vec<u64>) {
        for one in claimed {
            taken.push(one.inbox);
            self.push(one.found, one.receipt);
        }
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

impl ChannelInlet {
    pub fn new(channel: &str, desk: Arc<Desk>) -> Self {
        Self {
            channel: channel.to_owned(),
            desk,
            devices: Mutex::default(),
        }
    }

    /// A receipt may be read before the outcome beside it has been settled: a moment's wait is cheaper than the inbox.
    async fn overtaken(&self, batch: &[Receipt]) {
        let mut rounds = self.desk.rounds.subscribe();
        for _ in 0..ROUNDS {
            rounds.borrow_and_update();
            let known = {
                let correlator = self.desk.correlator.lock();
                batch
                    .iter()
                    .all(|r| self.find(&correlator, &r.of).is_some())
            };
            if known
                || tokio::time::timeout(MOMENT, rounds.changed())
                    .await
                    .is_err()
            {
                return;
            }
        }
    }

    fn find(&self, correlator: &Correlator, of: &Of) -> Option<Found> {
        match of {
            Of::Reference(reference) => correlator.lookup(&self.channel, reference),
            Of::Key(key) => {
                let (block, _) = self.desk.ledger.alert(key.alert)?.find(key.delivery)?;
                let delivery = Delivery {
                    stream: key.alert,
                    number: key.delivery,
                };
                (block.channel == self.channel).then_some(Found {
                    delivery,
                    part: 0,
                    by: MatchedBy::Key,
                })
            }
        }
    }
}

fn kept(channel: &str, receipt: Receipt) -> InboxReceipt {
    let (reference, key) = match receipt.of {
        Of::Reference(reference) => (reference, None),
        Of::Key(key) => (key.to_string(), Some(key)),
    };
    InboxReceipt {
        channel: channel.to_owned(),
        reference,
        key,
        verdict: receipt.verdict,
        code: receipt.code,
        far: receipt.far,
        seen: receipt.seen,
    }
}

#[async_trait]
impl Inlet for ChannelInlet {
    async fn receipts(&self, batch: Vec<Receipt>) -> Result<(), Unavailable> {
        self.overtaken(&batch).await;
        let commit = {
            // Under one lock with the settlements, and in the journal's order with them.
            let mut correlator = self.desk.correlator.lock();
            let mut rows = Rows::default();
            let mut proposal = Proposal::default();
            for receipt in batch {
                let found = self.find(&correlator, &receipt.of);
                let receipt = kept(&self.channel, receipt);
                match found {
                    Some(found) => rows.push(found, receipt),
                    None => proposal.inbox_put.push(correlator.keep(receipt)),
                }
            }
            proposal.events.extend(rows.into_events(&self.channel));
            self.desk.writer.propose(proposal)
        };
        commit.await.map(drop).map_err(|refused| {
            // Its alert was sealed just before: the far end says it again, and then it lies in the inbox.
            if let Refused::Sealed { stream } = refused {
                self.desk.correlator.lock().forget(stream);
            }
            Unavailable
        })
    }

    /// Only transitions are journaled, never heartbeats; a lost one is seen again.
    fn presence(&self, seen: Presence) {
        let mut devices = self.devices.lock();
        let known = devices
            .get(&seen.device)
            .copied()
            .or_else(|| self.desk.ledger.presence_of(&seen.device));
        if known == Some(seen.state) {
            return;
        }
        devices.insert(seen.device.clone(), seen.state);
        let event = Event::Presence {
            device: seen.device,
            state: seen.state,
        };
        drop(self.desk.writer.propose(Proposal::of(0, event)));
    }
}
