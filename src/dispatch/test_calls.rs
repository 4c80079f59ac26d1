//! Tests of satellite terminals (拨测): journaled before anything is sent, sent one at a time by the channel's own permits
//! behind every warning, and what becomes of each is journaled as it is known. A test is no alert: it is marked as what it
//! is, and neither a household's nor an officer's delivery comes of it. This module must not choose whose test is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{
    Accepted, Address, Channel, EndpointKind, Failure, FailureClass, Key, MISSHAPEN, Message, Stop,
    Timestamp, Variant,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;

use super::inlet::Desk;
use super::proofs::{overdue, proved, row};
use super::suspect::GONE;
use crate::coord::{Account, Ask};
use crate::ledger::event::{Proved, ProvedRow, TestCalled};
use crate::ledger::test_calls::Test;
use crate::ledger::{Event, Proposal, ReceiptRows, Refused};
use crate::model::{Delivery, EndpointId, State, StreamId, TestResult};
use crate::plan::{Tests, test_due};
use crate::registry::Registry;

const HOUSE: StreamId = 0;
/// How often what a test waits for is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long a channel that is down or refuses is let be.
const AWAY: Duration = Duration::from_secs(30);

type Jobs = mpsc::UnboundedReceiver<EndpointId>;

/// One channel whose terminals are tested.
pub struct TestLine {
    channel: Arc<dyn Channel>,
    account: Arc<Account>,
    tests: Tests,
    give: mpsc::UnboundedSender<EndpointId>,
    take: Mutex<Option<Jobs>>,
}

impl TestLine {
    pub fn new(channel: Arc<dyn Channel>, account: Arc<Account>, tests: Tests) -> Self {
        let (give, take) = mpsc::unbounded_channel();
        Self {
            channel,
            account,
            tests,
            give,
            take: Mutex::new(Some(take)),
        }
    }
}

/// Tests terminals, by order and when they are due.
pub struct TestCalls {
    desk: Arc<Desk>,
    registry: Arc<RwLock<Arc<Registry>>>,
    /// By channel.
    lines: BTreeMap<String, TestLine>,
    /// Held while numbers are given.
    turn: tokio::sync::Mutex<()>,
}

impl TestCalls {
    pub fn new(
        desk: Arc<Desk>,
        registry: Arc<RwLock<Arc<Registry>>>,
        lines: BTreeMap<String, TestLine>,
    ) -> Self {
        Self {
            desk,
            registry,
            lines,
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// The channel by which terminals of a kind are tested: the first by name.
    pub fn line_of(&self, kind: EndpointKind) -> Option<&str> {
        let mut lines = self.lines.iter();
        let found = lines.find(|(_, line)| line.channel.capability().speaks_to == kind);
        found.map(|(name, _)| name.as_str())
    }

    /// Journaled, then sent in its turn; the number of the first.
    pub async fn order(
        &self,
        channel: &str,
        endpoints: Vec<EndpointId>,
        (until, by): (Timestamp, String),
    ) -> Result<u32, Refused> {
        let _turn = self.turn.lock().await;
        let Some(line) = self.lines.get(channel) else {
            return Err(Refused::Closed);
        };
        let first = self.desk.ledger.test_calls.next();
        let tested = TestCalled {
            channel: channel.to_owned(),
            first,
            serial: self.desk.serials.take(channel, endpoints.len()),
            endpoints: endpoints.clone(),
            until,
            window: u32::try_from(line.tests.answer.0.as_millis()).unwrap_or(u32::MAX),
            by,
        };
        let proposal = Proposal::of(HOUSE, Event::TestCalled(tested));
        self.desk.writer.propose(proposal).await?;
        for endpoint in endpoints {
            // Who takes them ends with the gateway; what is left is found again at the next start.
            let _ = line.give.send(endpoint);
        }
        Ok(first)
    }

    /// Closes what was not answered or not sent in time, and begins what is due.
    pub async fn tick(&self, now: Timestamp) -> Result<(), Refused> {
        let events = overdue(&self.desk.ledger, now);
        if !events.is_empty() {
            let proposal = Proposal {
                events,
                ..Proposal::default()
            };
            self.desk.writer.propose(proposal).await?;
        }
        let registry = self.registry.read().clone();
        for (name, line) in &self.lines {
            let kind = line.channel.capability().speaks_to;
            // Every endpoint of the county is looked at: not at hours in which nobody is tested.
            if !line.tests.is_open(now) || self.line_of(kind) != Some(name) {
                continue;
            }
            let terminals = registry.of_kind(kind);
            let known = |id| (id, self.desk.ledger.test_calls.of(id));
            let terminals: Vec<_> = terminals.map(known).collect();
            if let Some((endpoint, until)) = test_due(&line.tests, &terminals, now) {
                let by = (until, String::new());
                self.order(name, vec![endpoint], by).await?;
            }
        }
        Ok(())
    }

    /// Sends what is ordered, and what was ordered and not sent when the last process ended, until `stop`.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        for (endpoint, tried) in self.desk.ledger.test_calls.all() {
            if tried.last.result.is_none()
                && let Some(line) = self.lines.get(&tried.last.channel)
            {
                let _ = line.give.send(endpoint);
            }
        }
        let lines = self.lines.iter().map(|(name, line)| {
            let stop = stop.clone();
            let sender = Sender {
                desk: &self.desk,
                registry: &self.registry,
                name,
                line,
            };
            async move { sender.run(&stop).await }
        });
        futures::future::join_all(lines).await;
    }
}

/// Sends one channel's tests.
struct Sender<'a> {
    desk: &'a Desk,
    registry: &'a RwLock<Arc<Registry>>,
    name: &'a str,
    line: &'a TestLine,
}

impl Sender<'_> {
    async fn run(&self, stop: &Stop) {
        let Some(mut jobs) = self.line.take.lock().take() else {
            return;
        };
        let all = async {
            while let Some(endpoint) = jobs.recv().await {
                self.test(endpoint).await;
            }
        };
        tokio::select! {
            () = all => {}
            // What was begun is found again at the next start.
            () = stop.cancelled() => {}
        }
    }

    /// Until it is sent or refused, or its time is over.
    async fn test(&self, endpoint: EndpointId) {
        while let Some(test) = self.open(endpoint) {
            let wait = match self.attempt(endpoint, &test).await {
                Ok(wait) => wait,
                Err(row) => return self.note(row).await,
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn open(&self, endpoint: EndpointId) -> Option<Test> {
        let last = self.desk.ledger.test_calls.of(endpoint)?.last;
        let waits = last.result.is_none() && self.desk.clock.now() < last.until;
        waits.then_some(last)
    }

    /// How long to wait before the next, or what became of it.
    async fn attempt(&self, endpoint: EndpointId, test: &Test) -> Result<Duration, ProvedRow> {
        let line = self.line;
        if !line.channel.health().takes() || self.is_busy() {
            return Ok(LOOK);
        }
        let as_row = |result, code: &str| {
            let mut row = row(endpoint, test, result, self.desk.clock.now());
            code.clone_into(&mut row.code);
            row
        };
        let registry = self.registry.read().clone();
        let Some(known) = registry.endpoint(endpoint) else {
            return Err(as_row(TestResult::Unsent, GONE));
        };
        let message = message(test, Address::new(known.address));
        let ask = Ask {
            lane: "tests",
            rank: u64::MAX,
            permits: line.channel.cost(&message.variant),
            more: false,
        };
        if let Some(wait) = line.account.ask(ask).await {
            return Ok(wait);
        }
        match line.channel.send(&message).await {
            Ok(Accepted { references }) => {
                let mut row = as_row(TestResult::Sent, "");
                row.references = references;
                Err(row)
            }
            Err(failure) => match after(&failure) {
                Ok(wait) => Ok(wait),
                Err(result) => Err(as_row(result, &failure.code)),
            },
        }
    }

    /// Whether any warning has work on this channel: a test never takes its turn.
    fn is_busy(&self) -> bool {
        let alerts = self.desk.ledger.alerts();
        let work = [State::Planned, State::Due, State::Handed];
        alerts.iter().flat_map(|alert| alert.blocks()).any(|block| {
            block.channel == self.name && work.iter().any(|state| block.tally(*state) > 0)
        })
    }

    /// Its references become known and are proposed under one lock, so that no receipt slips between; until it is durable.
    async fn note(&self, row: ProvedRow) {
        let mut proposal = Proposal::default();
        let mut pending = {
            let mut correlator = self.desk.correlator.lock();
            let mut receipts = ReceiptRows::default();
            let delivery = Delivery {
                stream: HOUSE,
                number: row.number,
            };
            for (part, reference) in (0_u8..).zip(&row.references) {
                let claimed = correlator.settled(self.name, reference, delivery, (part, 1));
                receipts.claimed(claimed, &mut proposal.inbox_take);
            }
            let channel = self.name.to_owned();
            let rows = vec![row];
            proposal
                .events
                .push((HOUSE, Event::Proved(Proved { channel, rows })));
            let came = proved(&self.desk.ledger, self.name, receipts.of_tests());
            proposal.events.extend(came);
            self.desk.writer.insist(proposal)
        };
        self.desk.rounds.send_modify(|rounds| *rounds += 1);
        while let Err((refused, proposal)) = pending.await {
            if matches!(refused, Refused::Closed) {
                return;
            }
            tracing::warn!(channel = self.name, %refused, "the result of a test waits for the journal");
            tokio::time::sleep(LOOK).await;
            pending = self.desk.writer.insist(proposal);
        }
    }
}

/// How long to wait after a refusal, or what it says of the test.
fn after(failure: &Failure) -> Result<Duration, TestResult> {
    match failure.class {
        FailureClass::Throttled => Ok(failure.retry_after.unwrap_or(LOOK)),
        FailureClass::LinkDown | FailureClass::Transient => Ok(AWAY),
        FailureClass::InDoubt => Err(TestResult::Sent),
        FailureClass::BadAddress if failure.code != MISSHAPEN => Err(TestResult::Unreached),
        FailureClass::BadAddress | FailureClass::BadContent => Err(TestResult::Unsent),
    }
}

/// What a test says: that it is one, and that nobody is warned by it.
fn message(test: &Test, address: Address) -> Message {
    let number = test.number;
    let words = format!("【拨测】第{number}号测试,不是预警,收到请回复1。");
    let mut variant = Variant::new("zh-CN", "拨测", words);
    variant.drill = true;
    variant.test = u16::try_from(number & 0xFFFF).ok();
    Message {
        key: Key {
            alert: HOUSE,
            delivery: number,
            generation: 0,
        },
        serial: test.serial,
        variant: Arc::new(variant),
        address,
        expires: test.until,
        repeat: false,
    }
}
