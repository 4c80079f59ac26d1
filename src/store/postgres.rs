//! The store that nodes share: the journal in PostgreSQL, owned by one node at a time under a lease with an epoch. A
//! node that lost its lease writes nothing, however late its statement comes. This module must not hold a transaction
//! open across calls, and must not show a URL: it may hold a password.

mod columns;
mod lease;
mod link;
mod owner;
mod reader;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::Clock;

use super::{
    Append, DocumentId, IdentityRow, InboxRow, Open, Record, SealedHousehold, Store, StoreError,
};
use crate::model::StreamId;
use lease::Lease;
use link::Target;
use owner::Owner;
use reader::Reader;

/// How long an owner that is not heard of keeps the journal. It renews in a third of this and stops in two thirds.
const LEASE: Duration = Duration::from_secs(15);

pub struct Postgres {
    reader: Reader,
    /// Nobody who only reads owns anything.
    owner: Option<Arc<Owner>>,
}

impl Postgres {
    /// What is wrong with a URL, without repeating it.
    pub fn check(url: &str) -> Result<(), String> {
        Target::read(url).map(drop)
    }

    /// Makes the tables where there are none, and takes the journal for the node of this name.
    pub async fn open(url: &str, node: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_for(url, node, clock, LEASE).await
    }

    async fn open_for(
        url: &str,
        node: &str,
        clock: Arc<dyn Clock>,
        length: Duration,
    ) -> Result<Self, StoreError> {
        let target = target(url)?;
        let owner = Arc::new(Owner::take(target.clone(), node, clock, length).await?);
        tokio::spawn(owner::keep(Arc::downgrade(&owner), length / 6));
        Ok(Self {
            reader: Reader::new(target),
            owner: Some(owner),
        })
    }

    /// Reads beside whoever owns the journal, and takes nothing from it.
    pub fn read_only(url: &str) -> Result<Self, StoreError> {
        Ok(Self {
            reader: Reader::new(target(url)?),
            owner: None,
        })
    }

    fn lease(&self) -> Option<&Lease> {
        self.owner.as_ref().map(|owner| &owner.lease)
    }
}

fn target(url: &str) -> Result<Target, StoreError> {
    Target::read(url).map_err(|why| StoreError::Away("read node.store", why))
}

#[async_trait]
impl Store for Postgres {
    async fn append(&self, append: Append) -> Result<(), StoreError> {
        const WHAT: &str = "append to the journal";
        let Some(owner) = self.owner.clone() else {
            return Err(StoreError::Conflict(
                WHAT,
                "it was opened for reading".into(),
            ));
        };
        // On a task of its own: whoever asked may go, and the append is done all the same.
        let done = tokio::spawn(async move { owner.append(&append).await });
        done.await
            .unwrap_or_else(|e| Err(StoreError::Away(WHAT, e.to_string())))
    }

    async fn records(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.reader.records(after, limit).await
    }

    async fn open(&self) -> Result<Open, StoreError> {
        self.reader.open().await
    }

    async fn at(&self, places: &[u64]) -> Result<Vec<Record>, StoreError> {
        self.reader.at(places).await
    }

    async fn sealed_households(
        &self,
        stream: StreamId,
    ) -> Result<Vec<SealedHousehold>, StoreError> {
        self.reader.sealed_households(stream).await
    }

    async fn stream(&self, stream: StreamId) -> Result<Vec<Record>, StoreError> {
        self.reader.stream(stream).await
    }

    async fn document(&self, id: DocumentId) -> Result<Option<Vec<u8>>, StoreError> {
        self.reader.document(id).await
    }

    async fn identities(&self) -> Result<Vec<IdentityRow>, StoreError> {
        self.reader.identities().await
    }

    async fn inbox(&self) -> Result<Vec<InboxRow>, StoreError> {
        self.reader.inbox().await
    }

    fn epoch(&self) -> Option<u32> {
        self.lease().map(|lease| lease.epoch)
    }

    fn owns(&self) -> bool {
        self.lease().is_some_and(Lease::stands)
    }

    async fn taken_over(&self) -> StoreError {
        match self.lease() {
            Some(lease) => lease.lost().await,
            None => std::future::pending().await,
        }
    }
}
