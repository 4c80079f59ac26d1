//! Answers for what is sealed: its stream is read back from the store (law 8). The last one is kept, because who asks once
//! asks again; there is never more than one, so memory stays bounded. This module must not write.

use std::sync::Arc;

use super::Ledger;
use super::alert::Alert;
use super::seal::Known;
use crate::model::StreamId;
use crate::store::{Store, StoreError};

/// Why a sealed alert cannot be read back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unread {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Damaged(String),
}

/// Reads sealed alerts back.
pub struct Archive {
    pub ledger: Arc<Ledger>,
    pub store: Arc<dyn Store>,
    last: tokio::sync::Mutex<Option<Arc<Alert>>>,
}

impl Archive {
    pub fn new(ledger: Arc<Ledger>, store: Arc<dyn Store>) -> Self {
        let last = tokio::sync::Mutex::default();
        Self {
            ledger,
            store,
            last,
        }
    }

    /// An alert with all its deliveries, wherever it is kept.
    pub async fn whole(&self, known: &Known) -> Result<Arc<Alert>, Unread> {
        match known {
            Known::Open(alert) => Ok(alert.clone()),
            Known::Sealed(card) => self.open(card.stream).await,
        }
    }

    /// A sealed alert as it was when it was sealed.
    pub async fn open(&self, stream: StreamId) -> Result<Arc<Alert>, Unread> {
        let mut last = self.last.lock().await;
        if let Some(held) = last.as_ref().filter(|held| held.stream == stream) {
            return Ok(held.clone());
        }
        // Room for the next before it is read.
        *last = None;
        let alert = self.read(stream).await?;
        *last = Some(alert.clone());
        Ok(alert)
    }

    /// As it stands in the store now, for its `Unsealed`: nobody else holds it.
    pub async fn read(&self, stream: StreamId) -> Result<Arc<Alert>, Unread> {
        let records = self.store.stream(stream).await?;
        let ledger = self.ledger.clone();
        // A county's stream has megabytes: it is folded beside the connections, not among them.
        let read = tokio::task::spawn_blocking(move || ledger.read_back(stream, &records)).await;
        read.unwrap_or_else(|ended| Err(ended.to_string()))
            .map_err(Unread::Damaged)
    }

    /// Lets go of what a change made old.
    pub async fn forget(&self, stream: StreamId) {
        self.last.lock().await.take_if(|held| held.stream == stream);
    }
}
