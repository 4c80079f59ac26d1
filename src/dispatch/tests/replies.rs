//! What people write back: which alert it answers, what it proves, and that a restart knows the same. Alert, people and
//! numbers are made up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{
    Address, Evidence, FailureClass, Inlet, Key, ManualClock, Of, Receipt, Uplink, Verdict,
};
use parking_lot::RwLock;
use tempfile::TempDir;

use crate::coverage::fixture::{OFFICER, START, accepted, code, registry, released, rows};
use crate::coverage::{self, fixture::VILLAGES};
use crate::dispatch::{ChannelInlet, Desk, Letters, Replies};
use crate::ledger::event::{HandedRange, Stray, Why};
use crate::ledger::{Correlator, Event, Proposal, Reply, Writer, replay};
use crate::model::{Answer, Grade, StreamId};
use crate::registry::Registry;
use crate::store::{Sqlite, Store, Vault};

const CHANNEL: &str = "sms-mobile";

struct Office {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    desk: Arc<Desk>,
    replies: Arc<Replies>,
    inlet: ChannelInlet,
    _folder: TempDir,
}

fn uplink(from: &str, text: &str) -> Uplink {
    Uplink {
        from: Address::new(from),
        to: "10690000".into(),
        text: text.into(),
        acknowledges: ["1", "收到"].contains(&text),
        of: None,
        far: None,
        seen: START,
    }
}

/// As a far end writes it; where it is shared, the first two doors have it.
const SHARED: &str = "8610000000001";

fn people() -> Registry {
    let mut rows = rows();
    for endpoint in rows.endpoints.iter_mut().filter(|e| e.id == 0) {
        endpoint.address = "10000000001".into();
    }
    Registry::build(1, &rows).expect("sound rows")
}

impl Office {
    async fn open() -> Self {
        Self::with(registry()).await
    }

    async fn with(people: Registry) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Sqlite::open(&folder.path().join("journal.sqlite")).expect("opens");
        let store: Arc<dyn Store> = Arc::new(store);
        let begin = replay(&*store).await.expect("reads");
        let clock = Arc::new(ManualClock::new(START));
        let (ledger, history) = (begin.ledger.clone(), begin.history);
        let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), history);
        let (parts, time) = ((ledger, writer), clock.clone());
        let desk = Arc::new(Desk::new(
            parts,
            time,
            Correlator::default(),
            HashMap::new(),
        ));
        let people = Arc::new(RwLock::new(Arc::new(people)));
        let letters = Letters::new(Vault::with_key([7; 32]));
        let replies = Arc::new(Replies::new(people, letters));
        let inlet = ChannelInlet::new(CHANNEL, desk.clone()).hearing("sms", replies.clone());
        Self {
            store,
            clock,
            desk,
            replies,
            inlet,
            _folder: folder,
        }
    }

    /// An alert whose texts are all handed.
    async fn alert(&self, nth: u64) -> StreamId {
        let accepted = accepted(&format!("a-{nth}"), &["510727"]);
        let claim = Some((accepted.identity.clone(), accepted.content));
        let mut events = vec![Event::Accepted(Box::new(accepted))];
        events.extend(released());
        let range = HandedRange {
            lo: 0,
            hi: 19,
            attempt: 1,
            why: Why::First,
            serial: 1,
        };
        events.push(Event::Handed {
            channel: CHANNEL.into(),
            ranges: vec![range],
        });
        let proposal = Proposal {
            events: events.into_iter().map(|e| (Proposal::NEW, e)).collect(),
            claim,
            ..Proposal::default()
        };
        let commit = self.desk.writer.propose(proposal).await.expect("commits");
        commit.opened.expect("a stream")
    }

    async fn event(&self, stream: StreamId, event: Event) {
        let proposal = Proposal::of(stream, event);
        self.desk.writer.propose(proposal).await.expect("commits");
    }

    async fn hear(&self, from: &str, text: &str) {
        let heard = self.inlet.uplinks(vec![uplink(from, text)]).await;
        heard.expect("is kept");
    }

    fn evidence(&self, stream: StreamId, number: u32) -> Evidence {
        let alert = self.desk.ledger.alert(stream).expect("it is open");
        let (block, i) = alert.find(number).expect("its delivery");
        block.evidence(i)
    }

    fn said(&self, stream: StreamId) -> Vec<Reply> {
        let alert = self.desk.ledger.alert(stream).expect("it is open");
        alert.replies.all()
    }

    async fn records(&self) -> usize {
        self.store.records(0, 1_000).await.expect("reads").len()
    }

    async fn letter(&self, reply: &Reply) -> String {
        let id = reply.row.text.expect("a text");
        let sealed = self.store.document(id).await.expect("reads");
        let sealed = sealed.expect("it is there");
        let letter = self.replies.letters().open(&sealed);
        letter.expect("it opens").text
    }

    /// What a restart makes of the journal is what stands.
    async fn replays(&self) {
        let again = replay(&*self.store).await.expect("replays");
        assert!(again.damage.is_empty());
        for alert in self.desk.ledger.alerts() {
            let other = again.ledger.alert(alert.stream).expect("it is there");
            assert_eq!(again.ledger.digest(&other), self.desk.ledger.digest(&alert));
            assert_eq!(other.replies.all(), alert.replies.all());
        }
        let ledger = &self.desk.ledger;
        assert_eq!(again.ledger.strays.list(), ledger.strays.list());
        assert_eq!(again.ledger.suspects.all(), ledger.suspects.all());
    }
}

#[tokio::test]
async fn a_word_to_the_only_open_alert_confirms_the_door_and_a_repeat_changes_nothing() {
    let office = Office::open().await;
    let alert = office.alert(1).await;
    office.hear("8610000000001", "1").await;
    assert_eq!(office.evidence(alert, 1), Evidence::Acknowledged);
    assert_eq!(office.evidence(alert, 0), Evidence::None);
    let said = office.said(alert);
    assert_eq!(said.len(), 1);
    assert!(!said[0].row.assumed && said[0].row.text.is_none());
    let open = office.desk.ledger.alert(alert).expect("it is open");
    let (block, i) = open.find(1).expect("its delivery");
    assert_eq!(block.answer(i), Answer::Reached(Grade::Confirmed));
    let figures = coverage::rollup(&open, &registry(), code(VILLAGES[0]));
    assert_eq!(figures.total.reached.confirmed, 1);

    let before = office.records().await;
    office.hear("10000000001", "收到").await;
    office.hear("+8610000000001", "1").await;
    assert_eq!(office.records().await, before);
    office.replays().await;
}

#[tokio::test]
async fn of_two_open_alerts_the_newer_is_taken_and_marked_as_assumed() {
    let office = Office::open().await;
    let (old, new) = (office.alert(1).await, office.alert(2).await);
    office.hear("10000000001", "1").await;
    assert_eq!(office.evidence(old, 1), Evidence::None);
    assert_eq!(office.evidence(new, 1), Evidence::Acknowledged);
    assert!(office.said(new)[0].row.assumed);
    office.replays().await;
}

#[tokio::test]
async fn what_is_superseded_is_answered_by_nobody_and_what_is_over_only_where_nothing_stands() {
    let office = Office::open().await;
    let (old, new) = (office.alert(1).await, office.alert(2).await);
    office.event(new, Event::Withdrawn { by: 9 }).await;
    office.hear("10000000001", "1").await;
    assert_eq!(office.evidence(old, 1), Evidence::Acknowledged);
    assert!(!office.said(old)[0].row.assumed, "only one stands");

    office.event(old, Event::Withdrawn { by: 9 }).await;
    office.hear("10000000002", "1").await;
    assert_eq!(office.evidence(new, 2), Evidence::None);
    let said = office.said(new);
    assert_eq!(said.len(), 1, "it is kept beside what they last got");
    assert_eq!(office.letter(&said[0]).await, "1");

    let third = office.alert(3).await;
    office.clock.advance(Duration::from_hours(4));
    office.hear("10000000003", "1").await;
    assert_eq!(office.evidence(third, 3), Evidence::Acknowledged, "late");
    office.replays().await;
}

#[tokio::test]
async fn a_number_that_people_share_answers_for_each_of_them() {
    let office = Office::with(people()).await;
    let alert = office.alert(1).await;
    office.hear(SHARED, "1").await;
    assert_eq!(office.evidence(alert, 0), Evidence::Acknowledged);
    assert_eq!(office.evidence(alert, 1), Evidence::Acknowledged);
    assert_eq!(office.evidence(alert, 2), Evidence::None);
    assert_eq!(office.said(alert).len(), 2);
    office.hear("10000009000", "1").await;
    let officer = 3 * crate::coverage::fixture::PER_VILLAGE;
    assert_eq!(office.evidence(alert, officer), Evidence::Acknowledged);
    let (block, i) = {
        let alert = office.desk.ledger.alert(alert).expect("it is open");
        alert.find(officer).expect("its delivery")
    };
    assert_eq!(block.endpoint(i), OFFICER);
}

#[tokio::test]
async fn any_other_text_proves_nothing_and_lies_sealed_beside_the_journal() {
    let office = Office::open().await;
    let alert = office.alert(1).await;
    let text = "水已进屋，需要船";
    office.hear("10000000001", text).await;
    office.hear("10000000001", text).await;
    assert_eq!(office.evidence(alert, 1), Evidence::None);
    let said = office.said(alert);
    assert_eq!(said.len(), 1, "the same words again are one reply");
    assert_eq!(office.letter(&said[0]).await, text);
    let id = said[0].row.text.expect("a text");
    let sealed = office.store.document(id).await.expect("reads");
    let sealed = sealed.expect("it is there");
    let plain = |bytes: &[u8], text: &str| {
        let found = bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(!found, "{text} stands there to be read");
    };
    plain(&sealed, text);
    for record in office.store.records(0, 1_000).await.expect("reads") {
        plain(&record.body, text);
        plain(&record.body, "10000000001");
    }
    office.replays().await;
}

#[tokio::test]
async fn a_stranger_and_a_number_without_an_open_alert_are_counted_apart_and_change_no_figure() {
    let office = Office::open().await;
    office.hear("10000000001", "1").await;
    let alert = office.alert(1).await;
    office.hear("19999999999", "1").await;
    office.hear("10000000004", "2").await;
    let ledger = &office.desk.ledger;
    let why: Vec<_> = ledger.strays.list().iter().map(|s| s.2.why).collect();
    assert_eq!(why, [Stray::NothingOpen, Stray::UnknownNumber]);
    assert_eq!(ledger.strays.counts()[CHANNEL], 2);
    assert_eq!(office.said(alert).len(), 1);
    office.replays().await;
}

#[tokio::test]
async fn what_the_far_end_names_is_answered_whatever_else_is_open() {
    let office = Office::open().await;
    let (old, new) = (office.alert(1).await, office.alert(2).await);
    let key = Key {
        alert: old,
        delivery: 1,
        generation: 0,
    };
    let named = Uplink {
        of: Some(Of::Key(key)),
        ..uplink("10000000001", "1")
    };
    office.inlet.uplinks(vec![named]).await.expect("is kept");
    assert_eq!(office.evidence(old, 1), Evidence::Acknowledged);
    assert_eq!(office.evidence(new, 1), Evidence::None);
    assert!(!office.said(old)[0].row.assumed);
}

fn receipt(stream: StreamId, delivery: u32, verdict: Verdict, code: &str) -> Receipt {
    let key = Key {
        alert: stream,
        delivery,
        generation: 0,
    };
    Receipt {
        of: Of::Key(key),
        verdict,
        code: code.into(),
        far: None,
        seen: START,
    }
}

#[tokio::test]
async fn a_number_that_nobody_has_is_suspect_until_a_text_comes_or_somebody_answers() {
    let office = Office::open().await;
    let (first, second) = (office.alert(1).await, office.alert(2).await);
    let bad = Verdict::Refused(FailureClass::BadAddress);
    let batch = vec![
        receipt(first, 1, bad, "MK:0001"),
        receipt(first, 2, bad, "MK:0001"),
        receipt(
            first,
            3,
            Verdict::Refused(FailureClass::Transient),
            "MK:0005",
        ),
    ];
    office.inlet.receipts(batch).await.expect("is kept");
    let suspects = office.desk.ledger.suspects.all();
    assert_eq!(suspects.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(suspects[&1].code, "MK:0001");
    office.replays().await;

    let came = Verdict::Reached(Evidence::Delivered);
    let batch = vec![receipt(second, 1, came, "DELIVRD")];
    office.inlet.receipts(batch).await.expect("is kept");
    office.hear("10000000002", "1").await;
    assert!(office.desk.ledger.suspects.is_empty());
    office.replays().await;
}

/// A key that somebody presses on the telephone is the channel's own word that a person answered.
#[tokio::test]
async fn a_key_on_the_telephone_confirms_the_door_as_a_text_does() {
    let office = Office::open().await;
    let alert = office.alert(1).await;
    let pressed = Verdict::Reached(Evidence::Acknowledged);
    for (delivery, code) in [(1, "key 1 heard 12s"), (2, "key 2 heard 4s")] {
        let batch = vec![receipt(alert, delivery, pressed, code)];
        office.inlet.receipts(batch).await.expect("is kept");
        let open = office.desk.ledger.alert(alert).expect("it is open");
        let (block, i) = open.find(delivery).expect("its delivery");
        assert_eq!(block.answer(i), Answer::Reached(Grade::Confirmed));
        let told = office.desk.ledger.code(block.code(i));
        assert_eq!(told.as_deref(), Some(code));
    }
    office.replays().await;
}
