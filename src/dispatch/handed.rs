//! What was handed, given back to a channel that keeps nothing itself and is asked by people: the message under its key, or
//! all that an address has of the open alerts, with what was said to it. This module must not change anything, and gives
//! nothing of another channel's.

use std::sync::Arc;

use bytes::Bytes;
use channel::{Address, Evidence, Handed, Key, Message, Said, Timestamp, Unavailable, Whose};

use super::replies::Replies;
use crate::ledger::{Alert, Archive, Block, Known, Ledger};
use crate::model::{EndpointId, State};
use crate::plan;
use crate::registry::Registry;
use crate::store::Store;

pub struct Memory {
    store: Arc<dyn Store>,
    archive: Arc<Archive>,
    replies: Arc<Replies>,
}

/// One delivery.
struct Place {
    alert: Arc<Alert>,
    block: Arc<Block>,
    index: usize,
    sealed: bool,
}

impl Place {
    fn went_out_by(&self, channel: &str) -> bool {
        let (block, i) = (&self.block, self.index);
        let went_out = block.attempts(i) > 0 || block.evidence(i) > Evidence::None;
        block.channel == channel && went_out
    }
}

impl Memory {
    pub fn new(store: Arc<dyn Store>, archive: Arc<Archive>, replies: Arc<Replies>) -> Self {
        Self {
            store,
            archive,
            replies,
        }
    }

    pub const fn replies(&self) -> &Arc<Replies> {
        &self.replies
    }

    /// The newest first.
    pub async fn handed(
        &self,
        ledger: &Ledger,
        channel: &str,
        whose: &Whose,
    ) -> Result<Vec<Handed>, Unavailable> {
        let registry = self.replies.registry();
        let mut found = Vec::new();
        let places = match whose {
            Whose::Key(key) => self.named(ledger, *key).await?,
            Whose::Address(address) => {
                let own = |id| {
                    registry
                        .endpoint(id)
                        .is_some_and(|e| e.address == address.expose())
                };
                of_open(ledger, channel, own)
            }
            Whose::Beside(key) => {
                let owner = |id| registry.endpoint(id)?.recipient;
                let place = self.named(ledger, *key).await?.pop();
                let whom = place.and_then(|p| owner(p.block.endpoint(p.index)));
                let own = |id| whom.is_some() && owner(id) == whom;
                of_open(ledger, channel, own)
            }
        };
        for place in places {
            if place.went_out_by(channel) {
                found.extend(self.one(&registry, &place).await?);
            }
        }
        Ok(found)
    }

    /// To whom the channel was handed messages since then: once for each try, all of them at the time of the last. What has
    /// no outcome yet may have gone out just now.
    pub fn tried(
        &self,
        ledger: &Ledger,
        channel: &str,
        (since, now): (Timestamp, Timestamp),
    ) -> Vec<(Address, Timestamp)> {
        let registry = self.replies.registry();
        let mut tried = Vec::new();
        for alert in ledger.alerts() {
            alert.each_block(|block| {
                if block.channel != channel {
                    return;
                }
                for i in (0..block.len() as usize).filter(|i| block.attempts(*i) > 0) {
                    let after = std::time::Duration::from_millis(u64::from(block.at(i)));
                    let at = if block.state(i) == State::Handed {
                        now
                    } else {
                        alert.at.plus(after)
                    };
                    let endpoint = registry.endpoint(block.endpoint(i));
                    if let Some(endpoint) = endpoint.filter(|_| at >= since) {
                        let one = (Address::new(endpoint.address), at);
                        tried.extend((0..block.attempts(i)).map(|_| one.clone()));
                    }
                }
            });
        }
        tried
    }

    /// A sealed alert's is read back: what stood there can still be looked at.
    async fn named(&self, ledger: &Ledger, key: Key) -> Result<Vec<Place>, Unavailable> {
        let (alert, sealed) = match ledger.known(key.alert) {
            Some(Known::Open(alert)) => (alert, false),
            Some(Known::Sealed(card)) => match self.archive.open(card.stream).await {
                Ok(alert) => (alert, true),
                Err(error) => {
                    tracing::warn!(alert = key.alert, %error, "what was handed cannot be read back: nobody is shown it now");
                    return Err(Unavailable);
                }
            },
            None => return Ok(Vec::new()),
        };
        let found = alert.find(key.delivery);
        let place = found.map(|(block, index)| Place {
            alert,
            block,
            index,
            sealed,
        });
        Ok(place.into_iter().collect())
    }

    /// Nothing where its text or its endpoint is gone.
    async fn one(&self, registry: &Registry, place: &Place) -> Result<Option<Handed>, Unavailable> {
        let Place {
            alert,
            block,
            index,
            sealed,
        } = place;
        let index = *index;
        let (Some(meta), Some(endpoint)) = (
            alert.variant(block.variant(index)),
            registry.endpoint(block.endpoint(index)),
        ) else {
            return Ok(None);
        };
        let text = self.document(meta.document).await?;
        let Some(variant) = text.and_then(|text| plan::load(&text, &Bytes::new())) else {
            return Ok(None);
        };
        let owner = endpoint.recipient.and_then(|id| registry.recipient(id));
        let message = Message {
            key: Key {
                alert: block.stream,
                delivery: block.number(index),
                generation: 0,
            },
            serial: 0,
            variant: Arc::new(variant),
            address: Address::new(endpoint.address),
            expires: meta.expires,
            repeat: false,
        };
        Ok(Some(Handed {
            since: alert.at,
            due: due(alert, block, index).unwrap_or(meta.expires),
            whom: owner.map_or_else(String::new, |owner| owner.name.to_owned()),
            withdrawn: alert.withdrawn_by().is_some(),
            sealed: *sealed,
            said: self.said(alert, message.key).await?,
            message,
        }))
    }

    async fn said(&self, alert: &Alert, key: Key) -> Result<Vec<Said>, Unavailable> {
        let mut said = Vec::new();
        for reply in alert.replies.all() {
            let Some(id) = reply
                .row
                .text
                .filter(|_| reply.row.delivery == key.delivery)
            else {
                continue;
            };
            let sealed = self.document(id).await?;
            let letter = sealed.and_then(|sealed| self.replies.letters().open(&sealed));
            said.push(Said {
                text: letter.map(|letter| letter.text),
                seen: reply.row.seen,
            });
        }
        Ok(said)
    }

    async fn document(&self, id: [u8; 32]) -> Result<Option<Vec<u8>>, Unavailable> {
        let read = self.store.document(id).await;
        read.map_err(|error| {
            tracing::warn!(%error, "what was handed cannot be read back: nobody is shown it now");
            Unavailable
        })
    }
}

/// What some endpoints have of the open alerts, the newest first.
fn of_open(ledger: &Ledger, channel: &str, own: impl Fn(EndpointId) -> bool) -> Vec<Place> {
    let mut places = Vec::new();
    for alert in ledger.alerts() {
        // Only this channel's own blocks are looked through.
        alert.each_block(|block| {
            if block.channel == channel {
                let own = (0..block.len() as usize).filter(|i| own(block.endpoint(*i)));
                places.extend(own.map(|index| Place {
                    alert: alert.clone(),
                    block: block.clone(),
                    index,
                    sealed: false,
                }));
            }
        });
    }
    places.sort_by_key(|place| std::cmp::Reverse(place.block.stream));
    places
}

/// Until when its receipt is awaited; nothing before it is settled.
fn due(alert: &Alert, block: &Block, i: usize) -> Option<Timestamp> {
    let due = block.due(i);
    let after = std::time::Duration::from_millis(u64::from(due));
    (due > 0).then(|| alert.at.plus(after))
}
