//! Repairs of loudspeakers (报修) are entered and closed: journaled before they are answered, free text beside them as
//! documents. A keeper's word by link stands beside an officer's and replaces none. This module must not judge who may.

use channel::Timestamp;

use super::Desk;
use crate::ledger::boxes::{Mend, Mended, Order, Repair, Teller, Trouble, Vouched};
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
        self.entered(entry).await
    }

    /// What its keeper says by link. The same word said again while it stands is one entry.
    pub async fn keeper_enters(&self, device: &str, what: Trouble) -> Result<(), Refused> {
        let _turn = self.repairing.lock().await;
        let stands = |order: &Order| {
            order.is_by_link() && order.mended.is_none() && order.repair.what == what
        };
        if self.ledger.boxes.repairs_of(device).iter().any(stands) {
            return Ok(());
        }
        let entry = Entry {
            device: device.to_owned(),
            what,
            since: None,
            from: Teller::Keeper,
            by: None,
            text: None,
        };
        self.entered(entry).await.map(drop)
    }

    /// Its keeper says by link that it works again: what keepers entered by link is over, what officers entered stays
    /// open with that word beside it. Where nothing is open, nothing is said.
    pub async fn keeper_vouches(&self, device: &str) -> Result<(), Refused> {
        let _turn = self.repairing.lock().await;
        let mut open = self.ledger.boxes.repairs_of(device);
        open.retain(|order| order.mended.is_none());
        let (own, others): (Vec<_>, Vec<_>) = open.iter().partition(|order| order.is_by_link());
        let said = |order: &&Order| order.vouched.is_some();
        if own.is_empty() && others.iter().all(said) {
            return Ok(());
        }
        let numbers = |orders: Vec<&Order>| orders.iter().map(|o| o.repair.number).collect();
        let vouched = Event::Vouched(Vouched {
            device: device.to_owned(),
            ends: numbers(own),
            beside: numbers(others),
        });
        let proposal = Proposal::of(HOUSE, vouched);
        self.writer.propose(proposal).await.map(drop)
    }

    async fn entered(&self, entry: Entry) -> Result<Order, Refused> {
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
            vouched: None,
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
