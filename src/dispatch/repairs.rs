//! Repairs of loudspeakers (报修) are entered and closed: journaled before they are answered, free text beside them as
//! documents. This module must not judge who may.

use channel::Timestamp;

use super::Desk;
use crate::ledger::boxes::{Mend, Mended, Order, Repair, Teller, Trouble};
use crate::ledger::record::sha256;
use crate::ledger::{Event, Proposal, Refused};
use crate::model::StreamId;

const HOUSE: StreamId = 0;

/// What is wrong, since when, and who says so.
pub struct Entry {
    pub device: String,
    pub what: Trouble,
    pub since: Option<Timestamp>,
    pub from: Teller,
    pub by: Option<String>,
    pub text: Option<String>,
}

impl Desk {
    /// One after another: each has a number of its own.
    pub async fn enter_repair(&self, entry: Entry) -> Result<Order, Refused> {
        let _turn = self.repairing.lock().await;
        let now = self.clock.now();
        let text = entry.text.map(String::into_bytes);
        let number = self.ledger.boxes.next_repair();
        let repair = Repair {
            number,
            device: entry.device,
            what: entry.what,
            since: entry.since.unwrap_or(now).min(now),
            from: entry.from,
            by: entry.by,
            text: text.as_deref().map(sha256),
        };
        let proposal = Proposal {
            documents: repair.text.into_iter().zip(text).collect(),
            events: vec![(HOUSE, Event::Repair(repair.clone()))],
            ..Proposal::default()
        };
        self.writer.propose(proposal).await?;
        let order = self.ledger.boxes.repair(number);
        Ok(order.unwrap_or(Order {
            repair,
            at: now,
            mended: None,
        }))
    }

    /// The first end stands: false where it had one already.
    pub async fn close_repair(
        &self,
        number: u32,
        how: Mend,
        by: String,
        text: Option<String>,
    ) -> Result<bool, Refused> {
        let _turn = self.repairing.lock().await;
        let open = self.ledger.boxes.repair(number);
        if open.is_none_or(|order| order.mended.is_some()) {
            return Ok(false);
        }
        let text = text.map(String::into_bytes);
        let mended = Mended {
            number,
            how,
            by,
            text: text.as_deref().map(sha256),
        };
        let proposal = Proposal {
            documents: mended.text.into_iter().zip(text).collect(),
            events: vec![(HOUSE, Event::Mended(mended))],
            ..Proposal::default()
        };
        self.writer.propose(proposal).await.map(|_| true)
    }
}
