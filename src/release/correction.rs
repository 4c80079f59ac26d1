//! Which alerts a correction ends, and what they were called. This module must not write.

use super::{Halt, Release};
use crate::ledger::{Alert, Event, Proposal, Unread};
use crate::model::StreamId;
use crate::plan::Earlier;

fn corrects(alert: &Alert) -> bool {
    matches!(
        alert.meta.msg_type,
        cap::MsgType::Update | cap::MsgType::Cancel
    )
}

impl Release {
    /// Brings back what this alert corrects and what is sealed, before anything is decided upon it.
    pub(super) async fn unseal(&self, alert: &Alert) -> Result<(), Halt> {
        for stream in &alert.meta.hits {
            if !corrects(alert) || !self.ledger.is_sealed(*stream) {
                continue;
            }
            let back = self.archive.read(*stream).await.map_err(|why| match why {
                Unread::Store(away) => Halt::Store(away),
                Unread::Damaged(why) => Halt::Stream(*stream, why),
            })?;
            let event = Event::Unsealed { by: alert.stream };
            let proposal = Proposal {
                back: Some(back),
                ..Proposal::of(*stream, event)
            };
            self.writer.propose(proposal).await?;
            self.archive.forget(*stream).await;
        }
        Ok(())
    }

    /// The alerts that this one corrects and that still stand.
    pub(super) fn standing(&self, alert: &Alert) -> Vec<StreamId> {
        let stands = |old: &StreamId| {
            let old = self.ledger.alert(*old);
            old.is_some_and(|old| old.withdrawn_by().is_none())
        };
        let hits = alert.meta.hits.iter().copied();
        hits.filter(|old| corrects(alert) && stands(old)).collect()
    }

    pub(super) async fn earlier(&self, alert: &Alert) -> Result<Earlier, Halt> {
        if !corrects(alert) {
            return Ok(Earlier::default());
        }
        let mut earlier = Earlier::of(&alert.meta.hits, &self.ledger);
        for stream in &alert.meta.hits {
            let Some(old) = self.ledger.alert(*stream) else {
                continue;
            };
            let bytes = self
                .document(*stream, old.meta.document, "its document")
                .await?;
            let read = cap::read(&bytes).alert;
            earlier.headline = read
                .and_then(|a| a.infos.into_iter().find_map(|i| i.headline))
                .or(earlier.headline);
        }
        Ok(earlier)
    }
}
