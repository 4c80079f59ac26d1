//! Receipts come in here: matched to their deliveries, journaled, and only then answered. What matches nothing lies in
//! the inbox until its delivery settles. This module must not decide what a receipt does: that is the fold's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Address, Binding, Clock, Enrolment, HEARD, Handed, Inlet, Issued, NoSerial, NotEnrolled,
    Numbering, Obeyed, Of, Presence, PresenceState, PublicKey, Receipt, Rekeying, Tied, Timestamp,
    Unavailable, Uplink, Whose,
};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::bindings::Bindings;
use super::handed::Memory;
use super::nightly::UnderWay;
use super::numbers::issued;
use super::proofs::proved;
use super::replies::Replies;
use super::serials::Serials;
use super::suspect::marks;
use crate::ledger::event::{InboxReceipt, MatchedBy, Turned};
use crate::ledger::{Correlator, Event, Found, Ledger, Proposal, ReceiptRows, Refused, Writer};
use crate::model::Delivery;
use crate::trust::devices::Guesses;

/// What lanes and inlets share.
pub struct Desk {
    pub ledger: Arc<Ledger>,
    pub writer: Writer,
    pub clock: Arc<dyn Clock>,
    pub correlator: Arc<Mutex<Correlator>>,
    /// Rises whenever outcomes have become known to the correlator.
    pub rounds: watch::Sender<u64>,
    pub serials: Serials,
    /// Wrong codes of devices that would enrol.
    pub guesses: Mutex<Guesses>,
    /// Held while an enrolment is judged and written.
    pub enrolling: tokio::sync::Mutex<()>,
    /// Held while a serial is found and written.
    pub numbering: tokio::sync::Mutex<()>,
    /// Self-tests that this process has asked for.
    pub tests: Mutex<UnderWay>,
    /// Held while a repair is entered or closed.
    pub repairing: tokio::sync::Mutex<()>,
}

impl Desk {
    pub fn new(
        (ledger, writer): (Arc<Ledger>, Writer),
        clock: Arc<dyn Clock>,
        correlator: Correlator,
        serials: HashMap<String, u64>,
    ) -> Self {
        Self {
            serials: Serials::new(serials, clock.now()),
            ledger,
            writer,
            clock,
            correlator: Arc::new(Mutex::new(correlator)),
            rounds: watch::Sender::new(0),
            guesses: Mutex::default(),
            enrolling: tokio::sync::Mutex::default(),
            numbering: tokio::sync::Mutex::default(),
            tests: Mutex::default(),
            repairing: tokio::sync::Mutex::default(),
        }
    }
}

/// How often, and how long each time, a receipt waits for the outcome that it overtook.
const ROUNDS: usize = 3;
const MOMENT: Duration = Duration::from_millis(20);

/// The inlet of one channel.
pub struct ChannelInlet {
    channel: String,
    desk: Arc<Desk>,
    /// How each stands, and the short word that goes with it.
    devices: Mutex<HashMap<String, (PresenceState, String)>>,
    /// What people write back, by which kind of channel; a house without them lets it go.
    replies: Option<(&'static str, Arc<Replies>)>,
    /// What was handed, for a channel that asks.
    memory: Option<Arc<Memory>>,
    /// What people bind; a house without it keeps none.
    bindings: Option<Arc<Bindings>>,
    /// Machines that are known by the key that is configured of them.
    pinned: HashMap<String, PublicKey>,
}

impl ChannelInlet {
    pub fn new(channel: &str, desk: Arc<Desk>) -> Self {
        Self {
            channel: channel.to_owned(),
            desk,
            devices: Mutex::default(),
            replies: None,
            memory: None,
            bindings: None,
            pinned: HashMap::new(),
        }
    }

    /// Knows these machines by their keys.
    #[must_use]
    pub fn pinning(mut self, machines: HashMap<String, PublicKey>) -> Self {
        self.pinned = machines;
        self
    }

    /// Keeps what people bind.
    #[must_use]
    pub fn binding(mut self, bindings: Arc<Bindings>) -> Self {
        self.bindings = Some(bindings);
        self
    }

    /// Gives back what was handed.
    #[must_use]
    pub fn recalling(mut self, memory: Arc<Memory>) -> Self {
        self.memory = Some(memory);
        self
    }

    /// Takes what people write back to texts of this kind.
    #[must_use]
    pub fn hearing(mut self, kind: &'static str, replies: Arc<Replies>) -> Self {
        self.replies = Some((kind, replies));
        self
    }

    /// Whose each receipt is, as far as it is known. A receipt may be read before the outcome beside it has been
    /// settled: a moment's wait is cheaper than the inbox.
    async fn found(&self, batch: &[Receipt]) -> Vec<Option<Found>> {
        let mut rounds = self.desk.rounds.subscribe();
        let mut found = vec![None; batch.len()];
        for _ in 0..ROUNDS {
            rounds.borrow_and_update();
            let known = {
                let correlator = self.desk.correlator.lock();
                self.look(&correlator, batch, &mut found)
            };
            if known
                || tokio::time::timeout(MOMENT, rounds.changed())
                    .await
                    .is_err()
            {
                break;
            }
        }
        found
    }

    /// Looks for those that are not found yet; true when every one is.
    fn look(
        &self,
        correlator: &Correlator,
        batch: &[Receipt],
        found: &mut [Option<Found>],
    ) -> bool {
        let mut known = true;
        for (receipt, found) in batch.iter().zip(found) {
            if found.is_none() {
                *found = self.find(correlator, &receipt.of);
                known &= found.is_some();
            }
        }
        known
    }

    /// The receipts, and what they show of their numbers.
    fn put(&self, proposal: &mut Proposal, mut rows: ReceiptRows) {
        let tests = proved(&self.desk.ledger, &self.channel, rows.of_tests());
        proposal.events.extend(tests);
        proposal.events.extend(rows.into_events(&self.channel));
        let marks = marks(&self.desk.ledger, &proposal.events);
        proposal.events.extend(marks);
    }

    fn find(&self, correlator: &Correlator, of: &Of) -> Option<Found> {
        match of {
            Of::Reference(reference) => correlator.lookup(&self.channel, reference),
            Of::Key(key) => {
                let (block, i) = self.desk.ledger.alert(key.alert)?.find(key.delivery)?;
                let delivery = Delivery {
                    stream: key.alert,
                    number: key.delivery,
                };
                block.was_on(i, &self.channel).then_some(Found {
                    delivery,
                    part: 0,
                    by: MatchedBy::Key,
                })
            }
        }
    }
}

fn kept(channel: &str, receipt: Receipt) -> InboxReceipt {
    let (reference, key) = match receipt.of {
        Of::Reference(reference) => (reference, None),
        Of::Key(key) => (key.to_string(), Some(key)),
    };
    InboxReceipt {
        channel: channel.to_owned(),
        reference,
        key,
        verdict: receipt.verdict,
        code: receipt.code,
        far: receipt.far,
        seen: receipt.seen,
    }
}

#[async_trait]
impl Inlet for ChannelInlet {
    async fn receipts(&self, batch: Vec<Receipt>) -> Result<(), Unavailable> {
        let mut found = self.found(&batch).await;
        let mut rows = ReceiptRows::default();
        let mut proposal = Proposal::default();
        let mut put = Vec::new();
        let commit = if found.iter().all(Option::is_some) {
            // What is found was settled before, so its place in the journal is behind its settlement.
            for (receipt, found) in batch.into_iter().zip(found.into_iter().flatten()) {
                rows.push(found, receipt);
            }
            self.put(&mut proposal, rows);
            self.desk.writer.propose(proposal)
        } else {
            // Under one lock with the settlements, and in the journal's order with them.
            let mut correlator = self.desk.correlator.lock();
            self.look(&correlator, &batch, &mut found);
            for (receipt, found) in batch.into_iter().zip(found) {
                if let Some(found) = found {
                    rows.push(found, receipt);
                } else {
                    let kept = correlator.keep(kept(&self.channel, receipt));
                    put.push(kept.id);
                    proposal.inbox_put.push(kept);
                }
            }
            self.put(&mut proposal, rows);
            self.desk.writer.propose(proposal)
        };
        commit.await.map(drop).map_err(|refused| {
            let mut correlator = self.desk.correlator.lock();
            // Nothing of it is kept: the far end says it again.
            correlator.drop_all(&put);
            // Its alert was sealed just before: then it lies in the inbox.
            if let Refused::Sealed { stream } = refused {
                correlator.forget(stream);
            }
            Unavailable
        })
    }

    async fn uplinks(&self, batch: Vec<Uplink>) -> Result<(), Unavailable> {
        let Some((kind, replies)) = &self.replies else {
            return Ok(());
        };
        let found = |uplink: Uplink| {
            let correlator = self.desk.correlator.lock();
            let of = uplink.of.as_ref();
            let found = of.and_then(|of| self.find(&correlator, of));
            (uplink, found)
        };
        let batch = batch.into_iter().map(found).collect();
        replies.take(&self.desk, (&self.channel, kind), batch).await
    }

    async fn bindings(&self, batch: Vec<Binding>) -> Result<Vec<Tied>, Unavailable> {
        let bindings = self.bindings.as_ref().ok_or(Unavailable)?;
        bindings.take(&self.desk, &self.channel, batch).await
    }

    /// Only transitions are journaled, never heartbeats; a lost one is seen again.
    fn presence(&self, seen: Presence) {
        let Presence { device, code, .. } = seen;
        let state = transition(seen.state);
        let mut devices = self.devices.lock();
        let ledger = &self.desk.ledger;
        let known = devices.get(&device).cloned().or_else(|| {
            let state = ledger.presence_of(&device)?;
            Some((state, ledger.boxes.word(&device)))
        });
        let there = |state: &PresenceState| {
            !matches!(state, PresenceState::Silent | PresenceState::Enrolled)
        };
        let heard = code == HEARD;
        if heard && known.as_ref().is_some_and(|(was, _)| there(was)) {
            return;
        }
        let now = (state, if heard { String::new() } else { code });
        if known.as_ref() == Some(&now) {
            return;
        }
        devices.insert(device.clone(), now.clone());
        let (state, code) = now;
        let event = Event::Turned(Turned {
            device,
            state,
            code,
        });
        drop(self.desk.writer.propose(Proposal::of(0, event)));
    }

    fn key_of(&self, device: &str) -> Option<PublicKey> {
        let pinned = self.pinned.get(device).copied();
        pinned.or_else(|| self.desk.ledger.devices.key_of(device))
    }

    async fn enrol(&self, enrolment: Enrolment) -> Result<(), NotEnrolled> {
        let device = enrolment.device.clone();
        self.desk.enrol(&self.channel, enrolment).await?;
        // Heard or silent before: this box is another.
        let new = (PresenceState::Enrolled, String::new());
        self.devices.lock().insert(device, new);
        Ok(())
    }

    async fn rekey(&self, rekeying: Rekeying) -> Result<(), NotEnrolled> {
        self.desk.rekey(rekeying).await
    }

    async fn obeyed(&self, batch: Vec<Obeyed>) -> Result<(), Unavailable> {
        self.desk.obeyed(&self.channel, batch).await
    }

    fn tried(&self, since: Timestamp) -> Vec<(Address, Timestamp)> {
        let now = self.desk.clock.now();
        let tried =
            |memory: &Arc<Memory>| memory.tried(&self.desk.ledger, &self.channel, (since, now));
        self.memory.as_ref().map_or_else(Vec::new, tried)
    }

    async fn handed(&self, whose: &Whose) -> Result<Vec<Handed>, Unavailable> {
        match &self.memory {
            Some(memory) => memory.handed(&self.desk.ledger, &self.channel, whose).await,
            None => Ok(Vec::new()),
        }
    }

    async fn number(&self, wanted: Numbering) -> Result<u16, NoSerial> {
        self.desk.number(&self.channel, wanted).await
    }

    fn numbered(&self) -> Vec<Issued> {
        let Some(memory) = &self.memory else {
            return Vec::new();
        };
        let registry = memory.replies().registry();
        issued(&self.desk.ledger, &registry, &self.channel)
    }
}

/// There, silent or at fault; that it plays is no change of that.
const fn transition(state: PresenceState) -> PresenceState {
    match state {
        PresenceState::Playing => PresenceState::Idle,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use channel::{Evidence, ManualClock, Verdict};

    use super::*;
    use crate::coverage::fixture::{START, accepted, registry, released};
    use crate::coverage::{over, sealing};
    use crate::ledger::event::{HandedRange, Next, Outcome, SettledRow, Why};
    use crate::ledger::replay;
    use crate::ledger::{Archive, relearn};
    use crate::store::{Sqlite, Store};

    const CHANNEL: &str = "sms-mobile";

    /// The first delivery was taken as `r0`, no receipt came in time, and all of it is over.
    fn sent() -> [Event; 4] {
        let channel = || CHANNEL.to_owned();
        let range = HandedRange {
            lo: 0,
            hi: 1,
            attempt: 1,
            why: Why::First,
            serial: 1,
        };
        let row = SettledRow {
            delivery: 0,
            attempt: 1,
            outcome: Outcome::Accepted {
                references: vec!["r0".into()],
            },
            next: Next::Await { until: START },
        };
        [
            Event::Handed {
                channel: channel(),
                ranges: vec![range],
            },
            Event::Settled {
                channel: channel(),
                rows: vec![row],
            },
            Event::Overdue {
                deliveries: vec![0],
            },
            Event::Expired {
                variants: vec![0, 1],
            },
        ]
    }

    /// Alert 1, over and sealed; its first delivery was taken as `r0`.
    async fn sealed(store: &Arc<dyn Store>) -> Arc<Desk> {
        let begin = replay(&**store).await.expect("reads");
        let clock = Arc::new(ManualClock::new(START));
        let (ledger, history) = (begin.ledger.clone(), begin.history);
        let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), history);
        let parts = (ledger.clone(), writer);
        let desk = Desk::new(parts, clock, Correlator::default(), HashMap::new());
        let desk = Arc::new(desk);
        let accepted = accepted("a-1", &["510727"]);
        let claim = Some((accepted.identity.clone(), accepted.content));
        let mut events = vec![Event::Accepted(Box::new(accepted))];
        events.extend(released());
        events.extend(sent());
        let events = events.into_iter().map(|e| (Proposal::NEW, e)).collect();
        let proposal = Proposal {
            events,
            claim,
            ..Proposal::default()
        };
        desk.writer.propose(proposal).await.expect("commits");
        let (stream, number) = (1, 0);
        let delivery = Delivery { stream, number };
        let taken = desk
            .correlator
            .lock()
            .settled(CHANNEL, "r0", delivery, (0, 1));
        assert_eq!(taken, []);
        let late = Timestamp(i64::MAX / 2);
        let alert = over(&ledger, late, Duration::ZERO).pop().expect("over");
        let proposal = Proposal {
            seal: Some(Box::new(sealing(&ledger, &alert, &registry()))),
            ..Proposal::default()
        };
        desk.writer.propose(proposal).await.expect("seals");
        desk
    }

    fn receipt(of: Of) -> Vec<Receipt> {
        vec![Receipt {
            of,
            verdict: Verdict::Reached(Evidence::Delivered),
            code: "DELIVRD".into(),
            far: None,
            seen: START,
        }]
    }

    #[tokio::test]
    async fn a_receipt_for_a_sealed_alert_lies_in_the_inbox() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Sqlite::open(&dir.path().join("journal.sqlite")).expect("opens");
        let store: Arc<dyn Store> = Arc::new(store);
        let desk = sealed(&store).await;
        let inlet = ChannelInlet::new(CHANNEL, desk.clone());
        let by_reference = || receipt(Of::Reference("r0".into()));
        // Between the commit and the moment that the references are forgotten the far end is told to come again.
        assert!(inlet.receipts(by_reference()).await.is_err());
        assert_eq!(store.inbox().await.expect("reads").len(), 0);
        inlet.receipts(by_reference()).await.expect("is kept");
        let key = channel::Key {
            alert: 1,
            delivery: 0,
            generation: 0,
        };
        inlet
            .receipts(receipt(Of::Key(key)))
            .await
            .expect("is kept");
        assert_eq!(store.inbox().await.expect("reads").len(), 2);
        assert_eq!(desk.correlator.lock().waiting().count(), 2);
        assert!(desk.ledger.is_sealed(1) && desk.ledger.damage().is_empty());
    }

    fn fresh() -> (tempfile::TempDir, Arc<dyn Store>) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Sqlite::open(&dir.path().join("journal.sqlite")).expect("opens");
        (dir, Arc::new(store))
    }

    #[tokio::test]
    async fn what_came_for_a_sealed_alert_is_claimed_when_it_is_brought_back() {
        let (_dir, store) = fresh();
        let desk = sealed(&store).await;
        desk.correlator.lock().forget(1);
        let inlet = ChannelInlet::new(CHANNEL, desk.clone());
        let by_reference = || receipt(Of::Reference("r0".into()));
        inlet.receipts(by_reference()).await.expect("is kept");
        assert_eq!(store.inbox().await.expect("reads").len(), 1);

        let archive = Archive::new(desk.ledger.clone(), store.clone());
        let back = archive.read(1).await.expect("reads");
        let proposal = Proposal {
            back: Some(back),
            ..Proposal::of(1, Event::Unsealed { by: 2 })
        };
        desk.writer.propose(proposal).await.expect("is back");
        let learned = relearn(1, &archive, &desk.correlator, &desk.writer).await;
        learned.expect("its references are known");
        assert_eq!(desk.correlator.lock().waiting().count(), 0);
        let alert = desk.ledger.alert(1).expect("it is open");
        let (block, i) = alert.find(0).expect("its delivery");
        assert_eq!(block.evidence(i), Evidence::Delivered);

        inlet.receipts(by_reference()).await.expect("is known");
        assert_eq!(store.inbox().await.expect("reads").len(), 0);
        let again = replay(&*store).await.expect("replays");
        let found = again.correlator.lookup(CHANNEL, "r0").expect("as before");
        assert_eq!((found.delivery.stream, found.delivery.number), (1, 0));
    }

    #[tokio::test]
    async fn what_the_journal_refuses_waits_nowhere_and_once_when_it_is_said_again() {
        let (_dir, store) = fresh();
        let desk = sealed(&store).await;
        let inlet = ChannelInlet::new(CHANNEL, desk.clone());
        let batch = || {
            let mut batch = receipt(Of::Reference("r0".into()));
            batch.extend(receipt(Of::Reference("nobody's".into())));
            batch
        };
        // Of the first its alert was sealed just before, so the whole batch is refused.
        assert!(inlet.receipts(batch()).await.is_err());
        assert_eq!(desk.correlator.lock().waiting().count(), 0);
        inlet.receipts(batch()).await.expect("is kept");
        assert_eq!(desk.correlator.lock().waiting().count(), 2);
        assert_eq!(store.inbox().await.expect("reads").len(), 2);
    }

    #[tokio::test]
    async fn a_receipt_of_nothing_that_we_know_is_an_orphan_on_every_channel_and_changes_nothing() {
        let (_dir, store) = fresh();
        let desk = sealed(&store).await;
        desk.correlator.lock().forget(1);
        let before = desk.ledger.known(1).expect("known").at();
        let key = |alert, delivery| {
            Of::Key(channel::Key {
                alert,
                delivery,
                generation: 0,
            })
        };
        let cases = [
            ("sms-mobile", Of::Reference("never-given".into())),
            ("sms-mobile", Of::Reference(String::new())),
            ("horns", Of::Reference("510727217001/9-9-0.ab".into())),
            ("horns", key(99, 0)),
            ("mail", key(u64::MAX, u32::MAX)),
            ("mail", key(1, 0)),
            ("mail", key(1, 1_000_000)),
            ("a-channel-that-was-taken-out", key(0, 0)),
        ];
        for (nth, (name, of)) in (1..).zip(cases) {
            let inlet = ChannelInlet::new(name, desk.clone());
            inlet
                .receipts(receipt(of.clone()))
                .await
                .expect("is answered");
            let waiting: Vec<_> = {
                let correlator = desk.correlator.lock();
                correlator.waiting().map(|r| r.channel.clone()).collect()
            };
            assert_eq!(waiting.len(), nth, "{name} {of:?}");
            assert!(waiting.iter().any(|channel| channel == name));
            assert_eq!(store.inbox().await.expect("reads").len(), nth);
        }
        assert!(desk.ledger.damage().is_empty() && desk.ledger.is_sealed(1));
        assert_eq!(desk.ledger.known(1).expect("known").at(), before);
        let again = replay(&*store).await.expect("a start survives them");
        assert_eq!(again.correlator.waiting().count(), 8);
    }
}
