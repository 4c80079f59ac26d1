//! What an alert is called on a page: its headline, read from its document once and kept for the alerts looked at lately.
//! This module must not judge a document: ingest has.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Desk;
use crate::ledger::Alert;
use crate::model::StreamId;

/// How many titles are kept; then all are read anew.
const KEPT: usize = 512;

#[derive(Default)]
pub struct Titles(Mutex<HashMap<StreamId, Arc<str>>>);

impl Desk {
    /// The headline, else the event, else the identifier.
    pub async fn title(&self, alert: &Alert) -> Arc<str> {
        if let Some(title) = self.titles.0.lock().get(&alert.stream) {
            return title.clone();
        }
        let stored = self.console.store.document(alert.meta.document).await;
        let read = stored.ok().flatten().map(|bytes| cap::read(&bytes));
        let info = read
            .and_then(|outcome| outcome.alert)
            .and_then(|alert| alert.infos.into_iter().next());
        let text = info.map(|info| info.headline.unwrap_or(info.event));
        let identifier = || alert.meta.identity.identifier.clone();
        let title: Arc<str> = text
            .filter(|t| !t.is_empty())
            .unwrap_or_else(identifier)
            .into();
        let mut titles = self.titles.0.lock();
        if titles.len() >= KEPT {
            titles.clear();
        }
        titles.insert(alert.stream, title.clone());
        title
    }
}
