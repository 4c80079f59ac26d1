//! Receipts on their way to the store, in a task beside the session. This module must not answer the far end before
//! the store has them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use channel::{Inlet, Receipt};
use tokio::sync::mpsc;

use crate::link::Live;
use crate::pdu::Body;
use crate::status;

/// Receipts handed to the store at once.
const BATCH: usize = 5_000;

/// Receipts of one session on their way to the store.
pub(crate) struct Handed {
    pub live: Arc<Live>,
    pub sequences: Vec<u32>,
    pub receipts: Vec<Receipt>,
}

/// Hands receipts on in order, many at once when they come fast, and answers them when they are durable.
pub(crate) async fn hand_on(inlet: Arc<dyn Inlet>, mut receiver: mpsc::UnboundedReceiver<Handed>) {
    let mut next = None;
    loop {
        let Some(mut batch) = (match next.take() {
            Some(batch) => Some(batch),
            None => receiver.recv().await,
        }) else {
            return;
        };
        while batch.receipts.len() < BATCH {
            match receiver.try_recv() {
                Ok(more) if Arc::ptr_eq(&more.live, &batch.live) => {
                    batch.sequences.extend(more.sequences);
                    batch.receipts.extend(more.receipts);
                }
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        let taken = inlet.receipts(batch.receipts).await.is_ok();
        batch
            .live
            .unanswered
            .fetch_sub(batch.sequences.len(), Ordering::AcqRel);
        if taken {
            batch.live.put(
                batch
                    .sequences
                    .into_iter()
                    .map(|sequence| (sequence, status::OK, Body::DeliverSmResp)),
            );
        }
    }
}
