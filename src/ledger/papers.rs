//! What an alert was made of, as the store keeps it: its document, its plan and its texts. This module must not read what
//! stands in them.

use super::Alert;
use crate::store::{Store, StoreError};

/// Nothing where the store does not have it.
pub struct Papers {
    pub document: Option<Vec<u8>>,
    pub plan: Option<Vec<u8>>,
    /// Beside its variants.
    pub texts: Vec<Option<Vec<u8>>>,
}

impl Papers {
    pub async fn of(alert: &Alert, store: &dyn Store) -> Result<Self, StoreError> {
        let mut texts = Vec::new();
        for variant in alert.variants() {
            texts.push(store.document(variant.document).await?);
        }
        Ok(Self {
            document: store.document(alert.meta.document).await?,
            plan: store.document(alert.meta.plan).await?,
            texts,
        })
    }
}
