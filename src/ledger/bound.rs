//! Which accounts people have tied to which places themselves, as the house stream holds it: an id, a place and the
//! document in which the address lies, encrypted where the registry is. This module must not know an address, and must
//! not say whether the place is still there: that is the registry's.

use std::collections::BTreeMap;

use channel::{Scene, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::{EndpointId, OWN_ENDPOINTS};
use crate::store::DocumentId;

/// Somebody scanned a code, or undid it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bound {
    /// The account that they follow.
    pub channel: String,
    /// One person at one account, for as long as anything is bound.
    pub endpoint: EndpointId,
    pub what: Tie,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    New {
        to: Scene,
        document: DocumentId,
    },
    /// It was tied to another place.
    Moved {
        to: Scene,
    },
    Undone,
}

/// An officer had a code made: whoever scans it is bound there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Coded {
    pub channel: String,
    pub to: Scene,
    /// Nothing for a code that stays.
    pub until: Option<Timestamp>,
    /// The bureau.
    pub by: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Standing {
    pub channel: String,
    pub to: Scene,
    pub document: DocumentId,
    pub since: Timestamp,
}

/// What stands now.
#[derive(Default)]
pub struct Bindings(RwLock<Held>);

#[derive(Default)]
struct Held {
    standing: BTreeMap<EndpointId, Standing>,
    last: Option<EndpointId>,
}

impl Bindings {
    pub(super) fn apply(&self, bound: &Bound, time: Timestamp) {
        let mut held = self.0.write();
        let Held { standing, last } = &mut *held;
        match bound.what {
            Tie::New { to, document } => {
                let new = Standing {
                    channel: bound.channel.clone(),
                    to,
                    document,
                    since: time,
                };
                standing.insert(bound.endpoint, new);
                *last = (*last).max(Some(bound.endpoint));
            }
            Tie::Moved { to } => {
                if let Some(standing) = standing.get_mut(&bound.endpoint) {
                    (standing.to, standing.since) = (to, time);
                }
            }
            Tie::Undone => {
                standing.remove(&bound.endpoint);
            }
        }
    }

    /// By endpoint.
    pub fn all(&self) -> BTreeMap<EndpointId, Standing> {
        self.0.read().standing.clone()
    }

    pub fn len(&self) -> usize {
        self.0.read().standing.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An id that no way to anybody ever had.
    pub fn next(&self) -> Option<EndpointId> {
        let last = self.0.read().last;
        let next = last.map_or(Some(OWN_ENDPOINTS), |last| last.checked_add(1));
        next.filter(|id| *id < EndpointId::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_while_anything_is_bound_and_is_never_given_again() {
        let bindings = Bindings::default();
        let say = |endpoint, what, at| {
            let channel = "wechat".to_owned();
            let bound = Bound {
                channel,
                endpoint,
                what,
            };
            bindings.apply(&bound, Timestamp(at));
        };
        let first = bindings.next().expect("an id");
        assert_eq!(first, OWN_ENDPOINTS);
        let (home, village) = (Scene::Household(7), Scene::Village(510_727_217_201));
        let document = [7; 32];
        say(first, Tie::New { to: home, document }, 1);
        say(first, Tie::Moved { to: village }, 2);
        let wanted = Standing {
            channel: "wechat".into(),
            to: village,
            document,
            since: Timestamp(2),
        };
        assert_eq!(bindings.all(), BTreeMap::from([(first, wanted)]));
        say(first, Tie::Undone, 3);
        say(first, Tie::Undone, 4);
        say(first, Tie::Moved { to: home }, 5);
        assert!(bindings.is_empty());
        assert_eq!(bindings.next(), Some(first + 1));
        say(EndpointId::MAX - 1, Tie::New { to: home, document }, 6);
        assert_eq!(bindings.next(), None, "the last id is nobody's");
    }
}
