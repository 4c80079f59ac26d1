//! What people write back: whose number it is, which alert it answers, and whether it acknowledges. A word of
//! acknowledgement is evidence of the newest alert that is open to the number; every other text is kept as a document that
//! can be encrypted and erased, and shown. The far end is answered after the commit. This module must not log who wrote or
//! what, and it must not decide which words acknowledge: the account does.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use channel::{Evidence, Timestamp, Unavailable, Uplink};
use parking_lot::{Mutex, RwLock};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::inlet::Desk;
use super::proofs::{answers, speaks_of_test};
use super::suspect::marks;
use crate::ledger::event::{
    Answered, AnsweredRow, Audience, Proved, ProvedRow, Stray, Strayed, StrayedRow,
};
use crate::ledger::record::sha256;
use crate::ledger::{Alert, Block, Event, Found, Ledger, Proposal};
use crate::model::{DeliveryNo, EndpointId, RegionCode, RegionLevel, StreamId};
use crate::registry::Registry;
use crate::store::{DocumentId, Field, Vault};

/// What every account's replies are taken by.
pub struct Replies {
    registry: Arc<RwLock<Arc<Registry>>>,
    letters: Letters,
    recent: Mutex<Recent>,
}

/// A text as it lies beside the journal.
#[derive(Serialize, Deserialize)]
pub struct Letter {
    /// Who wrote, where the registry does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub to: String,
    pub text: String,
    /// So that the document's hash, which the journal holds, tells nothing once the document is erased.
    salt: String,
}

/// Seals texts, and opens them for whoever may read them.
pub struct Letters(Vault);

const FIELD: Field = Field {
    table: "reply",
    column: "letter",
    row: 0,
};

impl Letters {
    pub const fn new(vault: Vault) -> Self {
        Self(vault)
    }

    /// # Panics
    /// When the machine gives no random bytes.
    fn seal(&self, uplink: &Uplink, stranger: bool) -> (DocumentId, Vec<u8>) {
        let mut salt = [0; 16];
        let random = SystemRandom::new();
        random
            .fill(&mut salt)
            .expect("the machine gives random bytes");
        let letter = Letter {
            from: stranger.then(|| uplink.from.expose().to_owned()),
            to: uplink.to.clone(),
            text: uplink.text.clone(),
            salt: hex::encode(salt),
        };
        let text = serde_json::to_string(&letter).expect("a letter is JSON");
        let bytes = self.0.seal(FIELD, &text);
        (sha256(&bytes), bytes)
    }

    /// Nothing where this node does not have its key, or it was changed.
    pub fn open(&self, document: &[u8]) -> Option<Letter> {
        let text = self.0.open(FIELD, document).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// What was written lately, by a keyed hash: a far end that was not answered in time says it again.
#[derive(Default)]
struct Recent {
    keys: RandomState,
    seen: HashMap<u64, Timestamp>,
}

/// Within this time the same words of the same person to the same alert are one reply.
const AGAIN: Duration = Duration::from_mins(10);
const REMEMBERED: usize = 10_000;

impl Recent {
    fn key(&self, channel: &str, uplink: &Uplink, stream: StreamId) -> u64 {
        let whom = (channel, uplink.from.expose(), &uplink.to);
        self.keys.hash_one((whom, &uplink.text, uplink.far, stream))
    }

    fn has(&self, key: u64, now: Timestamp) -> bool {
        self.seen.get(&key).is_some_and(|at| now.since(*at) < AGAIN)
    }

    fn add(&mut self, keys: Vec<u64>, now: Timestamp) {
        if self.seen.len() + keys.len() > REMEMBERED {
            self.seen.retain(|_, at| now.since(*at) < AGAIN);
        }
        if self.seen.len() + keys.len() > REMEMBERED {
            self.seen.clear();
        }
        self.seen.extend(keys.into_iter().map(|key| (key, now)));
    }
}

/// An alert of which a text was handed to one of the number's people.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Candidate {
    stream: StreamId,
    /// Its infos and texts are over.
    over: bool,
    superseded: bool,
    /// Of each of them the latest.
    deliveries: Vec<DeliveryNo>,
}

/// Which alert a reply answers.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Choice {
    stream: StreamId,
    deliveries: Vec<DeliveryNo>,
    assumed: bool,
    /// It may be evidence: the alert stands, or nothing has taken its place.
    counts: bool,
}

/// The newest that is in force; where none is, the newest that is over and not replaced. A text that was replaced is
/// answered by nobody's word: the reply is kept beside it and proves nothing.
fn choose(candidates: &[Candidate]) -> Option<Choice> {
    let rank = |c: &Candidate| (!c.superseded, !c.over, c.stream);
    let best = candidates.iter().max_by_key(|c| rank(c))?;
    let beside = |c: &&Candidate| (c.superseded, c.over) == (best.superseded, best.over);
    Some(Choice {
        stream: best.stream,
        deliveries: best.deliveries.clone(),
        assumed: candidates.iter().filter(beside).count() > 1,
        counts: !best.superseded,
    })
}

/// What a batch brings, while it is put together.
#[derive(Default)]
struct Brought {
    answered: BTreeMap<StreamId, Vec<AnsweredRow>>,
    strayed: Vec<StrayedRow>,
    /// Tests that were answered.
    proved: Vec<ProvedRow>,
    documents: Documents,
    keys: Vec<u64>,
}

type Documents = Vec<(DocumentId, Vec<u8>)>;

impl Brought {
    fn into_parts(self, channel: &str) -> (Vec<(StreamId, Event)>, Documents, Vec<u64>) {
        let channel = || channel.to_owned();
        let answered = self.answered.into_iter().map(|(stream, rows)| {
            let channel = channel();
            (stream, Event::Answered(Answered { channel, rows }))
        });
        let mut events: Vec<_> = answered.collect();
        if !self.strayed.is_empty() {
            let (channel, rows) = (channel(), self.strayed);
            events.push((0, Event::Strayed(Strayed { channel, rows })));
        }
        if !self.proved.is_empty() {
            let (channel, rows) = (channel(), self.proved);
            events.push((0, Event::Proved(Proved { channel, rows })));
        }
        (events, self.documents, self.keys)
    }
}

impl Replies {
    pub fn new(registry: Arc<RwLock<Arc<Registry>>>, letters: Letters) -> Self {
        Self {
            registry,
            letters,
            recent: Mutex::default(),
        }
    }

    pub(super) fn registry(&self) -> Arc<Registry> {
        self.registry.read().clone()
    }

    pub const fn letters(&self) -> &Letters {
        &self.letters
    }

    /// Ready when all of it is durable. `found`: whose each is, where the far end says which message it answers.
    pub async fn take(
        &self,
        desk: &Desk,
        (channel, kind): (&str, &str),
        batch: Vec<(Uplink, Option<Found>)>,
    ) -> Result<(), Unavailable> {
        let registry = self.registry.read().clone();
        let now = desk.clock.now();
        let mut brought = Brought::default();
        for (uplink, found) in batch {
            let test = answers(&desk.ledger, &registry, (&uplink, found));
            let choice = found
                .and_then(|found| named(&desk.ledger, found))
                .ok_or(())
                .or_else(|()| whose(&desk.ledger, &registry, (&uplink, kind), now));
            let alert = choice.as_ref().ok().map(|choice| choice.stream);
            let own = test.as_ref().is_some_and(|test| {
                uplink.acknowledges && speaks_of_test(&desk.ledger, test, (found, alert))
            });
            brought.proved.extend(test.map(|(row, _)| row));
            if own {
                continue;
            }
            match choice {
                Ok(choice) => self.answer(desk, channel, &uplink, &choice, &mut brought),
                Err(why) => self.stray(channel, &uplink, why, &mut brought),
            }
        }
        let (mut events, documents, keys) = brought.into_parts(channel);
        if events.is_empty() {
            return Ok(());
        }
        let marks = marks(&desk.ledger, &events);
        events.extend(marks);
        let proposal = Proposal {
            events,
            documents,
            ..Proposal::default()
        };
        desk.writer
            .propose(proposal)
            .await
            .map_err(|_| Unavailable)?;
        // What was not kept is said again, and then it is new.
        self.recent.lock().add(keys, now);
        Ok(())
    }

    fn answer(
        &self,
        desk: &Desk,
        channel: &str,
        uplink: &Uplink,
        choice: &Choice,
        brought: &mut Brought,
    ) {
        let row = |delivery, text| AnsweredRow {
            delivery,
            text,
            assumed: choice.assumed,
            far: uplink.far,
            seen: uplink.seen,
        };
        let rows = brought.answered.entry(choice.stream).or_default();
        if uplink.acknowledges && choice.counts {
            // What is acknowledged already is not said twice.
            let alert = desk.ledger.alert(choice.stream);
            let known = |number| {
                let found = alert.as_ref().and_then(|alert| alert.find(number));
                found.is_some_and(|(block, i)| block.evidence(i) == Evidence::Acknowledged)
            };
            let beside = |number| rows.iter().any(|r| (r.delivery, r.text) == (number, None));
            let new = choice.deliveries.iter().copied();
            let new: Vec<_> = new.filter(|n| !known(*n) && !beside(*n)).collect();
            rows.extend(new.into_iter().map(|number| row(number, None)));
        } else if let Some(key) = self.is_new(channel, uplink, choice.stream, &brought.keys) {
            brought.keys.push(key);
            let (id, letter) = self.letters.seal(uplink, false);
            rows.extend(choice.deliveries.iter().map(|n| row(*n, Some(id))));
            brought.documents.push((id, letter));
        }
        if rows.is_empty() {
            brought.answered.remove(&choice.stream);
        }
    }

    fn stray(&self, channel: &str, uplink: &Uplink, why: Stray, brought: &mut Brought) {
        if let Some(key) = self.is_new(channel, uplink, 0, &brought.keys) {
            brought.keys.push(key);
            let (text, letter) = self.letters.seal(uplink, true);
            brought.documents.push((text, letter));
            brought.strayed.push(StrayedRow {
                why,
                text,
                far: uplink.far,
                seen: uplink.seen,
            });
        }
    }

    fn is_new(
        &self,
        channel: &str,
        uplink: &Uplink,
        stream: StreamId,
        beside: &[u64],
    ) -> Option<u64> {
        let recent = self.recent.lock();
        let key = recent.key(channel, uplink, stream);
        (!beside.contains(&key) && !recent.has(key, uplink.seen)).then_some(key)
    }
}

/// The newest alert that is open to the number.
fn whose(
    ledger: &Ledger,
    registry: &Registry,
    (uplink, kind): (&Uplink, &str),
    now: Timestamp,
) -> Result<Choice, Stray> {
    let endpoints = registry.with_number(uplink.from.expose());
    if endpoints.is_empty() {
        return Err(Stray::UnknownNumber);
    }
    let places: Vec<_> = endpoints
        .into_iter()
        .map(|id| (id, village(registry, id)))
        .collect();
    let candidate = |alert: Arc<Alert>| {
        let deliveries = handed(&alert, &places, kind);
        (!deliveries.is_empty()).then(|| Candidate {
            stream: alert.stream,
            over: alert.expires() <= now,
            superseded: alert.withdrawn_by().is_some(),
            deliveries,
        })
    };
    let candidates: Vec<_> = ledger.alerts().into_iter().filter_map(candidate).collect();
    choose(&candidates).ok_or(Stray::NothingOpen)
}

/// The far end says which message it answers: nothing is assumed.
fn named(ledger: &Ledger, found: Found) -> Option<Choice> {
    let (stream, number) = (found.delivery.stream, found.delivery.number);
    let alert = ledger.alert(stream)?;
    Some(Choice {
        stream,
        deliveries: vec![number],
        assumed: false,
        counts: alert.withdrawn_by().is_none(),
    })
}

/// Where the endpoint's household stands; nothing of an officer's, of one that is gone, or of one that may have been bound
/// elsewhere when it was told.
fn village(registry: &Registry, endpoint: EndpointId) -> Option<RegionCode> {
    let recipient = registry.endpoint(endpoint)?.recipient?;
    let household = registry.recipient(recipient)?.household?;
    Some(registry.household(household)?.village)
}

/// Of each endpoint the latest delivery of this kind that was handed. A village's own block is looked at for its own people
/// alone, so that a county costs no more than a village.
fn handed(alert: &Alert, places: &[(EndpointId, Option<RegionCode>)], kind: &str) -> Vec<u32> {
    let mut latest: BTreeMap<EndpointId, DeliveryNo> = BTreeMap::new();
    alert.each_block(|block| {
        // What calls somebody to an outlet asks for no word.
        if block.speaker || block.audience == Audience::Keepers {
            return;
        }
        for (endpoint, village) in places {
            let own = block.audience == Audience::Public
                && block.region.level() == RegionLevel::Village
                && village.is_some_and(|village| village != block.region);
            if !own {
                let its = |i: &usize| block.endpoint(*i) == *endpoint && went_out(block, *i);
                let of_kind = |i: &usize| {
                    let text = alert.variant(block.variant(*i));
                    text.is_some_and(|text| text.kind == kind)
                };
                let found = (0..block.len() as usize).filter(its).filter(of_kind);
                latest.extend(found.map(|i| (*endpoint, block.number(i))));
            }
        }
    });
    latest.into_values().collect()
}

fn went_out(block: &Block, i: usize) -> bool {
    block.attempts(i) > 0 || block.evidence(i) > Evidence::None
}
