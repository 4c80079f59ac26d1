//! Real lanes on a real journal, with a far end that does as it is told and a clock that stands still: time passes only
//! when a test says so, however slow the machine. This module must not assert anything but that a wait ends.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Clock, EndpointKind, Evidence, Failure, FailureClass, Health,
    Lines, ManualClock, Message, Outcomes, Stop, Style,
};
use parking_lot::{Mutex, RwLock};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::kit::{START, accepted, block_of, variants, village};
use crate::coord::Steady;
use crate::dispatch::{Desk, Dispatch, Outlet, Policy};
use crate::ledger::{Event, Proposal, Writer, replay};
use crate::model::{
    EndpointRow, HouseholdRow, PresenceAtHome, RecipientRow, RegionRow, Rows, StreamId, Tags,
};
use crate::plan::Routes;
use crate::registry::Registry;
use crate::store::{Sqlite, Store};

pub const PEOPLE: u32 = 6_000;
/// A channel of this name has three telephone lines.
pub const LINES: &str = "lines";
/// A far end of this name has one message for all that it is given at once.
pub const GATHERS: &str = "platform";
const TEXT: &str = r#"{"language":"zh-CN","title":"山洪","body":"请立即转移","html":null,"level":"red",
    "event":"11B03","regions_hash":"","drill":false,"attach":false}"#;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    Takes,
    /// Says nothing until it is in another mood.
    Holds,
    Down,
    /// Has no session.
    Away,
    /// Says that it does not serve the number.
    NotServed,
    /// Says this of every text.
    Refuses(FailureClass),
    /// Throttles the first so many tries of each delivery.
    Throttles(u32),
}

pub struct Far {
    mood: watch::Sender<Mood>,
    sent: AtomicUsize,
    tries: Mutex<HashMap<(u64, u32), u32>>,
    /// As a channel without a session knows it: by its last try.
    failing: AtomicBool,
    gathers: bool,
    batches: Mutex<Vec<usize>>,
    lines: Option<Lines>,
}

impl Far {
    fn new(name: &str, mood: Mood) -> Self {
        Self {
            mood: watch::Sender::new(mood),
            sent: AtomicUsize::new(0),
            tries: Mutex::default(),
            failing: AtomicBool::new(false),
            batches: Mutex::default(),
            gathers: name == GATHERS,
            lines: (name == LINES).then_some(Lines {
                count: 3,
                each: Duration::from_secs(45),
                within: Duration::from_mins(3),
            }),
        }
    }

    pub fn is(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// How many messages came together each time.
    pub fn batches(&self) -> Vec<usize> {
        self.batches.lock().clone()
    }

    /// Messages that were handed to it.
    pub fn sent(&self) -> usize {
        self.sent.load(SeqCst)
    }

    fn answer(&self, message: &Message) -> Result<Accepted, Failure> {
        let key = (message.key.alert, message.key.delivery);
        let tries = {
            let mut tries = self.tries.lock();
            let tries = tries.entry(key).or_default();
            *tries += 1;
            *tries
        };
        let refused = |class| Err(Failure::new(class, "test:no", "as the test wants it"));
        let mood = *self.mood.borrow();
        self.failing.store(mood == Mood::Down, SeqCst);
        match mood {
            Mood::Down | Mood::Away => refused(FailureClass::LinkDown),
            Mood::Refuses(class) => refused(class),
            Mood::NotServed => {
                let failure = Failure::new(FailureClass::BadAddress, "test:9", "not ours");
                Err(failure.not_served())
            }
            Mood::Throttles(first) if tries <= first => refused(FailureClass::Throttled),
            _ => Ok(Accepted {
                references: vec![format!("r{}-{}", key.0, key.1)],
            }),
        }
    }
}

#[async_trait]
impl Channel for Far {
    fn capability(&self) -> Capability {
        Capability {
            kind: super::kit::CHANNEL,
            speaks_to: EndpointKind::Mobile,
            style: Style::Short,
            best: Evidence::Delivered,
            batch: 500,
            window: 100,
            repeat_is_harmless: false,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        self.answer(message)
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        self.sent.fetch_add(batch.len(), SeqCst);
        self.batches.lock().push(batch.len());
        let mut mood = self.mood.subscribe();
        // It is there as long as we are.
        let _ = mood.wait_for(|mood| *mood != Mood::Holds).await;
        for (index, message) in batch.iter().enumerate() {
            outcomes.settle(index, self.answer(message));
        }
    }

    fn lines(&self) -> Option<Lines> {
        self.lines
    }

    fn gathers(&self) -> bool {
        self.gathers
    }

    fn health(&self) -> Health {
        if *self.mood.borrow() == Mood::Away {
            Health::Down("as the test wants it".into())
        } else if self.failing.load(SeqCst) {
            Health::Failing("as the test wants it".into())
        } else {
            Health::Up
        }
    }
}

pub struct House {
    pub clock: Arc<ManualClock>,
    pub desk: Arc<Desk>,
    pub fars: BTreeMap<&'static str, Arc<Far>>,
    pub tasks: TaskTracker,
    pub stop: Stop,
    next: AtomicUsize,
    folder: TempDir,
}

/// What a house is set up with.
pub struct Plan<'a> {
    pub names: &'a [&'static str],
    pub rate: &'a str,
    pub mood: Mood,
    pub routes: Arc<Routes>,
    /// All lanes draw on one account.
    pub shared: bool,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn region(code: &str) -> RegionRow {
    RegionRow {
        code: code.parse().expect("a code"),
        name: "合成".into(),
        lat: None,
        lon: None,
        revision: 0,
        tags: Tags::default(),
    }
}

fn people() -> Registry {
    let rows = Rows {
        households: vec![HouseholdRow {
            id: 1,
            village: village(0),
            group: 1,
            name: "合成户1".into(),
            lat: None,
            lon: None,
            presence: PresenceAtHome::Home,
            tags: Tags::default(),
        }],
        recipients: vec![RecipientRow {
            id: 1,
            household: Some(1),
            name: "合成-1".into(),
            language: "zh-CN".into(),
        }],
        regions: ["510727", "510727217", "510727217201"].map(region).into(),
        endpoints: (0..PEOPLE)
            .map(|id| EndpointRow {
                id,
                recipient: Some(1),
                kind: EndpointKind::Mobile,
                address: format!("000{id:08}"),
            })
            .collect(),
        ..Rows::default()
    };
    Registry::build(1, &rows).expect("rows that fit")
}

impl House {
    /// Lanes of these names on one account.
    pub async fn start(names: &[&'static str], rate: &str, mood: Mood) -> Self {
        let plan = Plan {
            names,
            rate,
            mood,
            routes: Arc::default(),
            shared: true,
        };
        let clock = Arc::new(ManualClock::new(START));
        Self::open(tempfile::tempdir().expect("a folder"), clock, &plan).await
    }

    /// Lanes of their own accounts that stand in for each other.
    pub async fn routed(plan: &Plan<'_>) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        Self::open(tempfile::tempdir().expect("a folder"), clock, plan).await
    }

    /// Ends without a word, and another process goes on with the journal.
    pub async fn again(mut self, plan: &Plan<'_>) -> Self {
        self.stop.cancel();
        self.tasks.wait().await;
        let empty = tempfile::tempdir().expect("a folder");
        let folder = std::mem::replace(&mut self.folder, empty);
        let clock = self.clock.clone();
        // With its writer.
        drop(self);
        Self::open(folder, clock, plan).await
    }

    async fn open(folder: TempDir, clock: Arc<ManualClock>, plan: &Plan<'_>) -> Self {
        let Plan {
            names, rate, mood, ..
        } = *plan;
        let store = Sqlite::open(&folder.path().join("journal.sqlite")).expect("a journal");
        let store: Arc<dyn Store> = Arc::new(store);
        let time: Arc<dyn Clock> = Arc::new(Steady::new(clock.clone()));
        let replayed = replay(&*store).await.expect("an empty journal");
        let ledger = replayed.ledger;
        let writer = Writer::start(
            store.clone(),
            ledger.clone(),
            time.clone(),
            replayed.history,
        );
        let parts = (ledger, writer);
        let desk = Desk::new(parts, time, replayed.correlator, HashMap::new());
        let desk = Arc::new(desk);
        let fars: BTreeMap<_, _> = names
            .iter()
            .map(|name| (*name, Arc::new(Far::new(name, mood))))
            .collect();
        let outlet = |name: &str, far: &Arc<Far>| Outlet {
            channel: far.clone(),
            account: if plan.shared { "shared" } else { name }.into(),
            rate: rate.parse().expect("a rate"),
            policy: Policy {
                first: Duration::from_secs(5),
                factor: 2,
                cap: Duration::from_mins(1),
                attempts: 2,
            },
        };
        let dispatch = Dispatch {
            desk: desk.clone(),
            store,
            registry: Arc::new(RwLock::new(Arc::new(people()))),
            outlets: fars
                .iter()
                .map(|(name, far)| ((*name).to_owned(), outlet(name, far)))
                .collect(),
            routes: plan.routes.clone(),
            redis: None,
            nodes: NonZeroU32::MIN,
        };
        let (tasks, stop) = (TaskTracker::new(), Stop::new());
        dispatch.start(&tasks, &stop).await.expect("they start");
        tasks.close();
        Self {
            clock,
            desk,
            fars,
            tasks,
            stop,
            next: AtomicUsize::new(1),
            folder,
        }
    }

    pub fn far(&self) -> &Far {
        self.fars.values().next().expect("one")
    }

    /// Accepts an alert of so many deliveries on a channel; its stream.
    pub async fn alert(&self, channel: &str, rank: u64, count: u32) -> StreamId {
        let nth = u64::try_from(self.next.fetch_add(1, SeqCst)).expect("few");
        let meta = accepted(nth, "water");
        let claim = Some((meta.identity.clone(), [2; 32]));
        let mut events = vec![Event::Accepted(meta.into()), variants()];
        // As villages are: some dozens at a time.
        for first in (0..count).step_by(40) {
            events.push(block_of(channel, first, 40.min(count - first), rank));
        }
        let proposal = Proposal {
            events: events.into_iter().map(|e| (Proposal::NEW, e)).collect(),
            claim,
            documents: vec![([5; 32], TEXT.into()), ([1; 32], b"<alert/>".to_vec())],
            ..Proposal::default()
        };
        let commit = self
            .desk
            .writer
            .propose(proposal)
            .await
            .expect("it commits");
        commit.opened.expect("a stream")
    }

    pub fn advance(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }
}

/// Looks until it is so; the time that this may take only bounds a failure.
pub async fn within(what: &str, mut so: impl FnMut() -> bool) {
    let looked = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(40), looked).await;
    assert!(ended.is_ok(), "never: {what}");
}

/// Gives everything that could happen without time passing the chance to happen.
pub async fn a_while() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}
