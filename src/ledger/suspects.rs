//! Endpoints of which a far end has said that nobody is there (空号、停机、黑名单), until a text to one of them is proved to
//! have come or a person says that it is good. They are still tried: a lost warning is a death. This module must not decide
//! whom to mark and must not know an address.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use channel::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::{Delivery, EndpointId};

/// On the house stream: what is thought of an endpoint from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Marked {
    pub endpoint: EndpointId,
    pub mark: Mark,
    /// The far end's own short code; empty where a person said it.
    pub code: String,
    /// The delivery that showed it.
    pub delivery: Option<(u64, u32)>,
    /// The bureau whose officer said it.
    pub by: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// 存疑
    Suspect,
    Clear,
}

impl Marked {
    /// What a far end has shown with a delivery.
    pub fn shown(endpoint: EndpointId, mark: Mark, code: &str, delivery: Delivery) -> Self {
        Self {
            endpoint,
            mark,
            code: code.to_owned(),
            delivery: Some((delivery.stream, delivery.number)),
            by: None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Suspect {
    pub code: String,
    pub since: Timestamp,
}

#[derive(Default)]
pub struct Suspects {
    held: RwLock<BTreeMap<EndpointId, Suspect>>,
    /// Beside it, so that nobody waits for the lock where there are none.
    count: AtomicUsize,
}

impl Suspects {
    pub(super) fn mark(&self, marked: &Marked, since: Timestamp) {
        let mut held = self.held.write();
        match marked.mark {
            Mark::Suspect => {
                let code = marked.code.clone();
                held.entry(marked.endpoint)
                    .or_insert(Suspect { code, since });
            }
            Mark::Clear => {
                held.remove(&marked.endpoint);
            }
        }
        self.count.store(held.len(), Relaxed);
    }

    pub fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn has(&self, endpoint: EndpointId) -> bool {
        !self.is_empty() && self.held.read().contains_key(&endpoint)
    }

    /// By endpoint.
    pub fn all(&self) -> BTreeMap<EndpointId, Suspect> {
        self.held.read().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_against_a_number_stands_until_it_is_cleared() {
        let suspects = Suspects::default();
        let say = |mark, code: &str, at| {
            let delivery = Delivery {
                stream: 1,
                number: 0,
            };
            suspects.mark(&Marked::shown(7, mark, code, delivery), Timestamp(at));
        };
        say(Mark::Suspect, "MK:0001", 1);
        say(Mark::Suspect, "ID:0013", 2);
        let first = Suspect {
            code: "MK:0001".into(),
            since: Timestamp(1),
        };
        assert_eq!(suspects.all(), BTreeMap::from([(7, first)]));
        assert!(suspects.has(7) && !suspects.has(8));
        say(Mark::Clear, "DELIVRD", 3);
        assert!(suspects.is_empty() && !suspects.has(7));
    }
}
