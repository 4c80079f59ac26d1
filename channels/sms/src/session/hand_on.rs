//! Receipts and replies on their way to the store, in a task beside the sessions. This module must not answer the far
//! end before the store has them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use channel::{Inlet, Receipt, Uplink};
use tokio::sync::mpsc;

use super::link::Live;
use crate::dialect::Ack;

/// Receipts handed to the store at once.
const BATCH: usize = 5_000;

/// What one read of one session brought for the store.
pub(crate) struct Handed {
    pub live: Arc<Live>,
    pub receipts: (Vec<Receipt>, Vec<Ack>),
    pub uplinks: (Vec<Uplink>, Vec<Ack>),
}

impl Handed {
    /// How many answers wait for it.
    pub fn answers(&self) -> usize {
        self.receipts.1.len() + self.uplinks.1.len()
    }
}

/// Hands them on in order, many at once when they come fast, and answers them when they are durable.
pub(crate) async fn hand_on(inlet: Arc<dyn Inlet>, mut receiver: mpsc::UnboundedReceiver<Handed>) {
    while let Some(first) = receiver.recv().await {
        let mut count = first.receipts.0.len();
        let mut batch = vec![first];
        while count < BATCH {
            let Ok(more) = receiver.try_recv() else { break };
            count += more.receipts.0.len();
            batch.push(more);
        }
        let mut receipts = Vec::with_capacity(count);
        let mut uplinks = Vec::new();
        for handed in &mut batch {
            receipts.append(&mut handed.receipts.0);
            uplinks.append(&mut handed.uplinks.0);
        }
        let receipts = receipts.is_empty() || inlet.receipts(receipts).await.is_ok();
        let uplinks = uplinks.is_empty() || inlet.uplinks(uplinks).await.is_ok();
        for handed in batch {
            let live = handed.live.clone();
            let answers = handed.answers();
            live.unanswered.fetch_sub(answers, Ordering::AcqRel);
            let taken = [(handed.receipts.1, receipts), (handed.uplinks.1, uplinks)];
            let durable = taken.into_iter().filter(|(_, durable)| *durable);
            let acks: Vec<Ack> = durable.flat_map(|(acks, _)| acks).collect();
            if !acks.is_empty() {
                live.answers(acks.into_iter());
            }
        }
    }
}
