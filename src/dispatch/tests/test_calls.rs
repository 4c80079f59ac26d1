//! Tests of satellite terminals: when they go out, what becomes of each, and that a restart knows the same and goes on.
//! People and numbers are made up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, EndpointKind, Evidence, Failure, FailureClass, Health, Inlet,
    MISSHAPEN, ManualClock, Message, Of, Receipt, Stop, Style, Timestamp, Verdict,
};
use parking_lot::{Mutex, RwLock};
use tempfile::TempDir;

use crate::coord::Account;
use crate::coverage::fixture::rows;
use crate::dispatch::{ChannelInlet, Desk, TestCalls, TestLine};
use crate::ledger::test_calls::Tried;
use crate::ledger::{Writer, replay};
use crate::model::{EndpointId, TestResult, TestStanding};
use crate::plan::Tests;
use crate::registry::Registry;
use crate::store::{Sqlite, Store};

const CHANNEL: &str = "tiantong";
/// 2026-07-14 09:00 in Beijing.
const NINE: Timestamp = Timestamp::from_secs(1_783_990_800);
/// When everybody's hour has come: 16:00.
const AFTERNOON: Timestamp = Timestamp::from_secs(1_783_990_800 + 7 * 3_600);

/// Takes each message under a reference of its own, or says what it is told to.
#[derive(Default)]
struct Sky {
    sent: Mutex<Vec<Message>>,
    says: Mutex<Vec<Failure>>,
}

#[async_trait]
impl Channel for Sky {
    fn capability(&self) -> Capability {
        Capability {
            kind: "satellite",
            speaks_to: EndpointKind::Satellite,
            style: Style::Short,
            best: Evidence::Delivered,
            batch: 1,
            window: 1,
            repeat_is_harmless: false,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        if let Some(failure) = self.says.lock().pop() {
            return Err(failure);
        }
        self.sent.lock().push(message.clone());
        Ok(Accepted {
            references: vec![format!("r{}", message.key.delivery)],
        })
    }

    fn health(&self) -> Health {
        Health::Up
    }
}

struct Room {
    sky: Arc<Sky>,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    desk: Arc<Desk>,
    calls: Arc<TestCalls>,
    stop: Stop,
    folder: Arc<TempDir>,
}

/// The endpoints of the first and the second of the county's people are satellite phones.
fn people() -> Registry {
    let mut rows = rows();
    for endpoint in rows.endpoints.iter_mut().filter(|e| e.id < 2) {
        endpoint.kind = EndpointKind::Satellite;
        endpoint.address = format!("1740000000{}", endpoint.id);
    }
    Registry::build(1, &rows).expect("sound rows")
}

impl Room {
    async fn open(now: Timestamp) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Sqlite::open(&folder.path().join("journal.sqlite")).expect("opens");
        Self::on(Arc::new(store), Arc::new(folder), now).await
    }

    /// After an end.
    async fn again(self, now: Timestamp) -> Self {
        self.stop.cancel();
        Self::on(self.store, self.folder, now).await
    }

    async fn on(store: Arc<dyn Store>, folder: Arc<TempDir>, now: Timestamp) -> Self {
        let begin = replay(&*store).await.expect("reads");
        let clock = Arc::new(ManualClock::new(now));
        let (ledger, history) = (begin.ledger.clone(), begin.history);
        let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), history);
        let desk = Desk::new(
            (ledger, writer),
            clock.clone(),
            begin.correlator,
            begin.serials,
        );
        let (desk, sky) = (Arc::new(desk), Arc::new(Sky::default()));
        let rate = "50/s burst 50".parse().expect("a rate");
        let account = Account::new("sky", rate, std::num::NonZeroU32::MIN, None, clock.clone());
        let line = TestLine::new(sky.clone(), Arc::new(account), Tests::default());
        let registry = Arc::new(RwLock::new(Arc::new(people())));
        let lines = BTreeMap::from([(CHANNEL.to_owned(), line)]);
        let calls = Arc::new(TestCalls::new(desk.clone(), registry, lines));
        let stop = Stop::new();
        tokio::spawn(calls.clone().run(stop.clone()));
        Self {
            sky,
            store,
            clock,
            desk,
            calls,
            stop,
            folder,
        }
    }

    fn now(&self) -> Timestamp {
        channel::Clock::now(&*self.clock)
    }

    fn set(&self, now: Timestamp) {
        self.clock.advance(now.since(self.now()));
    }

    async fn tick(&self) {
        self.calls.tick(self.now()).await.expect("commits");
    }

    fn tried(&self, endpoint: EndpointId) -> Option<Tried> {
        self.desk.ledger.test_calls.of(endpoint)
    }

    /// Until the last test of it has this result.
    async fn until(&self, endpoint: EndpointId, result: TestResult) {
        let mut position = self.desk.writer.position();
        let found = async {
            while self.tried(endpoint).and_then(|t| t.last.result) != Some(result) {
                position.changed().await.expect("the writer runs");
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(20), found).await;
        found.unwrap_or_else(|_| panic!("{result:?}: {:?}", self.tried(endpoint)));
    }

    async fn report(&self, reference: &str, verdict: Verdict) {
        let inlet = ChannelInlet::new(CHANNEL, self.desk.clone());
        let receipt = Receipt {
            of: Of::Reference(reference.into()),
            verdict,
            code: "st 00".into(),
            far: None,
            seen: self.now(),
        };
        inlet.receipts(vec![receipt]).await.expect("is kept");
    }

    fn standing(&self, endpoint: EndpointId) -> TestStanding {
        self.desk.ledger.test_calls.standing(endpoint, self.now())
    }

    async fn replays(&self) {
        let again = replay(&*self.store).await.expect("replays");
        assert!(again.damage.is_empty());
        let calls = &self.desk.ledger.test_calls;
        assert_eq!(again.ledger.test_calls.all(), calls.all());
        assert_eq!(again.ledger.test_calls.next(), calls.next());
    }
}

fn refused(class: FailureClass, code: &'static str) -> Failure {
    Failure::new(class, code, "said by the test")
}

#[tokio::test]
async fn what_is_due_goes_out_one_after_the_other_by_day_and_its_report_says_that_the_phone_is_on()
{
    let room = Room::open(NINE.minus(Duration::from_hours(2))).await;
    room.tick().await;
    assert!(room.sky.sent.lock().is_empty() && room.tried(0).is_none());
    room.set(AFTERNOON);
    room.tick().await;
    let (first, second) = if room.tried(0).is_some() {
        (0, 1)
    } else {
        (1, 0)
    };
    room.until(first, TestResult::Sent).await;
    room.tick().await;
    assert!(room.tried(second).is_none(), "a card is not flooded");
    {
        let sent = room.sky.sent.lock();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].variant.drill && sent[0].variant.test == Some(0));
        assert!(sent[0].variant.text.contains("【拨测】"));
        assert!(sent[0].variant.text.contains("不是预警"));
    }
    assert_eq!(room.standing(first), TestStanding::Off);
    room.report("r0", Verdict::Reached(Evidence::Delivered))
        .await;
    assert_eq!(room.standing(first), TestStanding::On);
    room.clock.advance(Duration::from_mins(2));
    room.tick().await;
    room.until(second, TestResult::Sent).await;
    // A week later it is due again, and what it said before counts until then.
    room.set(AFTERNOON.plus(Duration::from_hours(24 * 6)));
    room.tick().await;
    room.until(second, TestResult::Silent).await;
    assert_eq!(room.standing(second), TestStanding::Off);
    assert_eq!(room.tried(first).expect("known").last.number, 0);
    room.set(AFTERNOON.plus(Duration::from_hours(24 * 7)));
    room.tick().await;
    room.until(first, TestResult::Sent).await;
    assert_eq!(room.tried(first).expect("known").last.number, 2);
    assert_eq!(room.standing(first), TestStanding::On);
    room.replays().await;
}

#[tokio::test]
async fn a_report_that_overtakes_its_outcome_waits_for_it() {
    let room = Room::open(NINE).await;
    room.report("r0", Verdict::Reached(Evidence::Delivered))
        .await;
    assert_eq!(room.store.inbox().await.expect("reads").len(), 1);
    let by = (NINE.plus(Duration::from_hours(1)), "water".to_owned());
    room.calls
        .order(CHANNEL, vec![1], by)
        .await
        .expect("commits");
    room.until(1, TestResult::Reached).await;
    assert!(room.store.inbox().await.expect("reads").is_empty());
    room.replays().await;
}

#[tokio::test]
async fn a_refusal_says_of_the_phone_only_what_the_far_end_knows() {
    let room = Room::open(NINE).await;
    let order = async |endpoint| {
        let by = (NINE.plus(Duration::from_hours(1)), "water".to_owned());
        let first = room.calls.order(CHANNEL, vec![endpoint], by).await;
        first.expect("commits");
    };
    *room.sky.says.lock() = vec![refused(FailureClass::BadAddress, MISSHAPEN)];
    order(0).await;
    room.until(0, TestResult::Unsent).await;
    *room.sky.says.lock() = vec![refused(FailureClass::BadAddress, "cms:28")];
    order(1).await;
    room.until(1, TestResult::Unreached).await;
    assert_eq!(room.tried(1).expect("known").last.code, "cms:28");
    // Too fast: it waits, and goes.
    let soon = refused(FailureClass::Throttled, "fki:1").retry_after(Duration::from_millis(10));
    *room.sky.says.lock() = vec![soon];
    order(0).await;
    room.until(0, TestResult::Sent).await;
    assert!(room.desk.ledger.suspects.is_empty());
    room.replays().await;
}

#[tokio::test]
async fn a_test_that_was_ordered_and_not_sent_goes_out_after_a_restart_while_its_time_lasts() {
    let room = Room::open(NINE).await;
    let away = || refused(FailureClass::LinkDown, "modem:down");
    *room.sky.says.lock() = vec![away(), away()];
    let until = NINE.plus(Duration::from_hours(1));
    let by = (until, "water".to_owned());
    let first = room.calls.order(CHANNEL, vec![0, 1], by).await;
    assert_eq!(first.expect("commits"), 0);
    let again = room.again(NINE.plus(Duration::from_mins(5))).await;
    again.until(0, TestResult::Sent).await;
    again.until(1, TestResult::Sent).await;
    again
        .report("r1", Verdict::Reached(Evidence::Acknowledged))
        .await;
    let third = again.again(until.plus(Duration::from_mins(10))).await;
    assert_eq!(third.standing(1), TestStanding::On);
    third
        .report("r0", Verdict::Reached(Evidence::Delivered))
        .await;
    assert_eq!(
        third.standing(0),
        TestStanding::On,
        "it knows the reference"
    );
    third.replays().await;
}
