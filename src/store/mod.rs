//! Where everything durable lies: the journal's records, the documents they speak of, the inbox of unmatched receipts
//! and the identities of alerts. The store keeps bytes and order; it knows no event. This module must not decide, fold
//! or interpret a record's body, and no SQL stands outside it.

mod backup;
mod postgres;
mod registry;
mod sealed;
mod sqlite;
mod vault;

use async_trait::async_trait;
use channel::Timestamp;

pub use backup::copy;
pub use postgres::Postgres;
pub use registry::RegistryFile;
pub use sealed::{Open, Seal, SealedHousehold, SealedRow};
pub use sqlite::Sqlite;
pub use vault::{BadKey, Field, Vault};

use crate::model::StreamId;

/// A document's name: the SHA-256 of its bytes.
pub type DocumentId = [u8; 32];

/// The events of one stream that were committed together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Over all streams of the partition, from 1, without a gap.
    pub seq: u64,
    pub epoch: u32,
    pub format: u8,
    pub stream: StreamId,
    /// Within its stream, from 1, without a gap.
    pub stream_seq: u32,
    pub time: Timestamp,
    /// How many events the body holds.
    pub count: u32,
    pub body: Vec<u8>,
    /// CRC-32C of the body.
    pub crc: u32,
    /// SHA-256 of the stream's record before this one; zeros for the first.
    pub before: [u8; 32],
    /// The column whose value cannot have been written; the record is damaged, whatever else it says.
    pub torn: Option<&'static str>,
}

/// A receipt that matched nothing yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InboxRow {
    pub id: u64,
    pub seen: Timestamp,
    pub body: Vec<u8>,
}

/// What one alert is known by, and which stream it became.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityRow {
    pub identity: String,
    pub stream: StreamId,
    pub content: [u8; 32],
}

/// Everything that one commit brings: all of it is durable, or none.
#[derive(Default, Debug)]
pub struct Append {
    pub records: Vec<Record>,
    pub documents: Vec<(DocumentId, Vec<u8>)>,
    pub identities: Vec<IdentityRow>,
    pub inbox_put: Vec<InboxRow>,
    pub inbox_take: Vec<u64>,
    pub unseals: Vec<StreamId>,
    pub seals: Vec<Seal>,
}

impl Append {
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.documents.is_empty()
            && self.identities.is_empty()
            && self.inbox_put.is_empty()
            && self.inbox_take.is_empty()
            && self.unseals.is_empty()
            && self.seals.is_empty()
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written; the same may work later.
    #[error(
        "the store could not {0}: {1}; nothing was changed, make room or restore access and it goes on"
    )]
    Away(&'static str, String),
    /// Nothing was written, and the same would be refused again.
    #[error("the store refused to {0}: {1}; nothing was changed")]
    Conflict(&'static str, String),
    /// The store is shared, and its owner is alive.
    #[error(
        "node {owner:?} owns the journal for another {seconds} s and renews that while it runs: stop it and start this node after that"
    )]
    Held { owner: String, seconds: i64 },
    /// Nothing was written, and this node writes nothing again.
    #[error("another node owns the journal: {0:?}; this node stops")]
    Fenced(String),
    /// A field is encrypted under a key that is not there, or does not open where it stands.
    #[error("the store could not {0}: {1}")]
    Locked(&'static str, String),
    /// The file is not what it should be.
    #[error("the store could not {0}: {1}; restore from a backup")]
    Broken(&'static str, String),
}

#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Ready when everything is on disk.
    async fn append(&self, append: Append) -> Result<(), StoreError>;
    /// Up to `limit` records with a greater sequence than `after`, in order.
    async fn records(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError>;
    /// Where everything stands that is not sealed, and what is. It costs nothing for each record of a sealed stream.
    async fn open(&self) -> Result<Open, StoreError>;
    /// The records at these sequences, in order; what is not there is left out.
    async fn at(&self, places: &[u64]) -> Result<Vec<Record>, StoreError>;
    /// How the households of a sealed alert ended.
    async fn sealed_households(&self, stream: StreamId)
    -> Result<Vec<SealedHousehold>, StoreError>;
    async fn stream(&self, stream: StreamId) -> Result<Vec<Record>, StoreError>;
    async fn document(&self, id: DocumentId) -> Result<Option<Vec<u8>>, StoreError>;
    async fn identities(&self) -> Result<Vec<IdentityRow>, StoreError>;
    async fn inbox(&self) -> Result<Vec<InboxRow>, StoreError>;
    /// Under which number a shared store was taken; it rises with every taking. A store of one node counts by its records.
    fn epoch(&self) -> Option<u32> {
        None
    }
    /// Whether this node may act on what stands in the store: send what was handed, above all. A shared store is owned
    /// on time, and until it is renewed nobody knows who owns it.
    fn owns(&self) -> bool {
        true
    }
    /// Ready when another node has taken a shared store over: this one stops.
    async fn taken_over(&self) -> StoreError {
        std::future::pending().await
    }
}

#[cfg(test)]
pub mod suite;
