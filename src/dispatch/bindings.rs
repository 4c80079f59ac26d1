//! People bind an account of theirs to a door or a village by scanning its code, and undo it: journaled first, with the
//! address in a document beside the journal that is encrypted where the registry is, then in use, then answered. The same
//! scan again changes nothing, another code moves what is bound. This module must not log who scans, and must not say who
//! lives where.

use std::sync::Arc;

use channel::{Address, Binding, Bound as Did, Scene, Tied, Unavailable};
use parking_lot::RwLock;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::inlet::Desk;
use crate::ledger::event::{Bound, Tie};
use crate::ledger::record::sha256;
use crate::ledger::{Event, Ledger, Proposal};
use crate::model::EndpointId;
use crate::registry::{BoundRow, Registry};
use crate::store::{DocumentId, Field, Store, StoreError, Vault};

/// What every account's bindings are kept by.
pub struct Bindings {
    registry: Arc<RwLock<Arc<Registry>>>,
    vault: Vault,
    /// One at a time: each is judged by what the last has left.
    turn: tokio::sync::Mutex<()>,
}

/// An address as it lies beside the journal.
#[derive(Serialize, Deserialize)]
struct Paper {
    address: String,
    /// So that the document's hash, which the journal holds, tells nothing once the document is erased.
    salt: String,
}

const fn field(row: EndpointId) -> Field {
    Field {
        table: "bound",
        column: "address",
        row,
    }
}

const HOUSE: u64 = 0;

impl Bindings {
    pub fn new(registry: Arc<RwLock<Arc<Registry>>>, vault: Vault) -> Self {
        Self {
            registry,
            vault,
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// How each stands, once all of it is durable and in use.
    pub(super) async fn take(
        &self,
        desk: &Desk,
        channel: &str,
        batch: Vec<Binding>,
    ) -> Result<Vec<Tied>, Unavailable> {
        let _turn = self.turn.lock().await;
        let mut tied = Vec::with_capacity(batch.len());
        for binding in batch {
            tied.push(match binding.bound {
                Did::To(scene) => self.bind(desk, channel, &binding.who, scene).await?,
                Did::Undone => self.undo(desk, channel, &binding.who).await?,
            });
        }
        Ok(tied)
    }

    async fn bind(
        &self,
        desk: &Desk,
        channel: &str,
        who: &Address,
        to: Scene,
    ) -> Result<Tied, Unavailable> {
        let registry = self.registry.read().clone();
        let Some(village) = registry.village_of(to) else {
            return Ok(Tied::Nowhere);
        };
        let known = registry.bound_account(channel, who.expose());
        if known.is_none_or(|known| known.to != to) {
            let (endpoint, what, document) = if let Some(known) = known {
                (known.endpoint, Tie::Moved { to }, None)
            } else {
                let endpoint = desk.ledger.bindings.next().ok_or(Unavailable)?;
                let (document, bytes) = self.seal(endpoint, who.expose());
                let what = Tie::New { to, document };
                (endpoint, what, Some((document, bytes)))
            };
            let row = BoundRow {
                endpoint,
                channel: channel.to_owned(),
                to,
                address: who.expose().to_owned(),
            };
            self.put(desk, (channel, endpoint, what), document, Some(row))
                .await?;
        }
        Ok(Tied::To {
            place: registry.full_name(village),
            household: match to {
                Scene::Household(id) => Some(id),
                Scene::Village(_) => None,
            },
        })
    }

    async fn undo(&self, desk: &Desk, channel: &str, who: &Address) -> Result<Tied, Unavailable> {
        let registry = self.registry.read().clone();
        let Some(known) = registry.bound_account(channel, who.expose()) else {
            return Ok(Tied::Never);
        };
        let what = (channel, known.endpoint, Tie::Undone);
        self.put(desk, what, None, None).await?;
        Ok(Tied::Undone)
    }

    /// In the journal, with its document, then in use.
    async fn put(
        &self,
        desk: &Desk,
        (channel, endpoint, what): (&str, EndpointId, Tie),
        document: Option<(DocumentId, Vec<u8>)>,
        row: Option<BoundRow>,
    ) -> Result<(), Unavailable> {
        let channel = channel.to_owned();
        let bound = Event::Bound(Bound {
            channel,
            endpoint,
            what,
        });
        let proposal = Proposal {
            documents: document.into_iter().collect(),
            ..Proposal::of(HOUSE, bound)
        };
        let committed = desk.writer.propose(proposal).await;
        committed.map_err(|_| Unavailable)?;
        let mut standing = self.registry.write();
        let next = standing.rebound(endpoint, row);
        *standing = Arc::new(next);
        Ok(())
    }

    /// # Panics
    /// When the machine gives no random bytes.
    fn seal(&self, endpoint: EndpointId, address: &str) -> (DocumentId, Vec<u8>) {
        let mut salt = [0; 16];
        let random = SystemRandom::new();
        random
            .fill(&mut salt)
            .expect("the machine gives random bytes");
        let paper = Paper {
            address: address.to_owned(),
            salt: hex::encode(salt),
        };
        let text = serde_json::to_string(&paper).expect("a paper is JSON");
        let bytes = self.vault.seal(field(endpoint), &text);
        (sha256(&bytes), bytes)
    }

    /// What the journal says is bound comes into use.
    pub async fn resume(&self, ledger: &Ledger, store: &dyn Store) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        let mut unread = 0;
        for (endpoint, standing) in ledger.bindings.all() {
            let document = store.document(standing.document).await?;
            let opened = document.and_then(|bytes| {
                let text = self.vault.open(field(endpoint), &bytes).ok()?;
                serde_json::from_str::<Paper>(&text).ok()
            });
            match opened {
                Some(paper) => rows.push(BoundRow {
                    endpoint,
                    channel: standing.channel,
                    to: standing.to,
                    address: paper.address,
                }),
                None => unread += 1,
            }
        }
        if unread > 0 {
            tracing::error!(
                accounts = unread,
                "accounts that people bound cannot be read: their key or their document is not there"
            );
        }
        let mut registry = self.registry.write();
        let next = Registry::clone(&registry).with_bound(rows);
        *registry = Arc::new(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use channel::{ManualClock, Timestamp};

    use super::*;
    use crate::coverage::fixture::{START, registry};
    use crate::ledger::{Correlator, Writer, replay};
    use crate::store::Sqlite;

    const DOOR: Did = Did::To(Scene::Household(1));

    struct House {
        desk: Arc<Desk>,
        bindings: Bindings,
        store: Arc<dyn Store>,
    }

    async fn house(store: Arc<dyn Store>) -> House {
        let begin = replay(&*store).await.expect("reads");
        let clock = Arc::new(ManualClock::new(START));
        let parts = (begin.ledger.clone(), begin.history);
        let writer = Writer::start(store.clone(), parts.0.clone(), clock.clone(), parts.1);
        let parts = (begin.ledger, writer);
        let desk = Desk::new(parts, clock, Correlator::default(), HashMap::new());
        let registry = Arc::new(RwLock::new(Arc::new(registry())));
        let bindings = Bindings::new(registry, Vault::with_key([7; 32]));
        bindings
            .resume(&desk.ledger, &*store)
            .await
            .expect("it reads");
        House {
            desk: Arc::new(desk),
            bindings,
            store,
        }
    }

    impl House {
        async fn say(&self, who: &str, bound: Did) -> Tied {
            let binding = Binding {
                who: Address::new(who),
                bound,
                far: None,
                seen: Timestamp(7),
            };
            let taken = self
                .bindings
                .take(&self.desk, "wechat", vec![binding])
                .await;
            taken.expect("it is kept").remove(0)
        }

        fn bound(&self) -> Vec<(String, Scene)> {
            let registry = self.bindings.registry.read().clone();
            let all = self.desk.ledger.bindings.all();
            let row = |(id, standing): (u32, crate::ledger::Standing)| {
                let endpoint = registry.endpoint(id).expect("it is in use");
                (endpoint.address.to_owned(), standing.to)
            };
            all.into_iter().map(row).collect()
        }
    }

    fn open() -> (tempfile::TempDir, Arc<dyn Store>) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Sqlite::open(&dir.path().join("journal.sqlite")).expect("opens");
        (dir, Arc::new(store))
    }

    #[tokio::test]
    async fn a_scan_binds_once_another_moves_it_and_a_restart_keeps_it() {
        let (_dir, store) = open();
        let house_ = house(store.clone()).await;
        let first = house_.say("oDemo-1", DOOR).await;
        assert!(
            matches!(
                &first,
                Tied::To {
                    household: Some(1),
                    ..
                }
            ),
            "{first:?}"
        );
        let records = store.records(0, 100).await.expect("reads").len();
        assert_eq!(house_.say("oDemo-1", DOOR).await, first);
        let after = store.records(0, 100).await.expect("reads").len();
        assert_eq!(after, records, "the same again is written nowhere");
        let village = house_
            .bindings
            .registry
            .read()
            .villages_under("51".parse().expect("a code"))[0];
        let village = Scene::Village(village.number());
        house_.say("oDemo-2", Did::To(village)).await;
        house_.say("oDemo-2", DOOR).await;
        house_.say("oDemo-3", DOOR).await;
        assert_eq!(house_.say("oDemo-3", Did::Undone).await, Tied::Undone);
        assert_eq!(house_.say("oDemo-3", Did::Undone).await, Tied::Never);
        let nowhere = Did::To(Scene::Household(4_000_000));
        assert_eq!(house_.say("oDemo-4", nowhere).await, Tied::Nowhere);
        let home = Scene::Household(1);
        let wanted = vec![("oDemo-1".to_owned(), home), ("oDemo-2".to_owned(), home)];
        assert_eq!(house_.bound(), wanted);

        let again = house(house_.store.clone()).await;
        assert_eq!(again.bound(), wanted, "as before the restart");
        for standing in again.desk.ledger.bindings.all().into_values() {
            let document = store.document(standing.document).await.expect("reads");
            let document = document.expect("it is there");
            let shown = String::from_utf8_lossy(&document).into_owned();
            assert!(!shown.contains("oDemo"), "{shown}");
        }
    }

    #[tokio::test]
    async fn without_its_key_an_account_is_not_reached_and_not_forgotten() {
        let (_dir, store) = open();
        house(store.clone()).await.say("oDemo-1", DOOR).await;
        let begin = replay(&*store).await.expect("reads");
        let registry = Arc::new(RwLock::new(Arc::new(registry())));
        let bindings = Bindings::new(registry.clone(), Vault::default());
        bindings
            .resume(&begin.ledger, &*store)
            .await
            .expect("it goes on");
        assert_eq!(registry.read().bound_to(1).count(), 0);
        assert_eq!(begin.ledger.bindings.len(), 1);
    }
}
