//! The boxes at the loudspeakers as the journal keeps them: transitions and no heartbeats, repairs from entry to end, and a
//! proved play that outlives its alert.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{
    Clock, Evidence, HEARD, Inlet, Key, ManualClock, ON_BATTERY, Obeyed, Of, Presence,
    PresenceState, Receipt, Timestamp, Verdict,
};

use parking_lot::RwLock;

use crate::coverage::fixture::{SPEAKER, START, accepted, registry, released};
use crate::coverage::{over, sealing};
use crate::dispatch::{ChannelInlet, Desk, Entry, Orders};
use crate::ledger::boxes::{Mend, NO_ANSWER, Teller, Trouble};
use crate::ledger::devices::Enrolled;
use crate::ledger::record::unpack;
use crate::ledger::{Correlator, Event, Play, Proposal, Writer, replay};
use crate::store::{Sqlite, Store};

struct House {
    desk: Arc<Desk>,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    _dir: tempfile::TempDir,
}

async fn house() -> House {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Sqlite::open(&dir.path().join("journal.sqlite")).expect("opens");
    let store: Arc<dyn Store> = Arc::new(store);
    let clock = Arc::new(ManualClock::new(START));
    let begin = replay(&*store).await.expect("reads");
    let ledger = begin.ledger.clone();
    let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), begin.history);
    let parts = (ledger, writer);
    let desk = Desk::new(parts, clock.clone(), Correlator::default(), HashMap::new());
    House {
        desk: Arc::new(desk),
        store,
        clock,
        _dir: dir,
    }
}

impl House {
    /// What the journal holds, in order.
    async fn events(&self) -> Vec<Event> {
        // Behind whatever nobody waits for.
        let committed = self.desk.writer.witness().await;
        committed.expect("commits");
        let records = self.store.records(0, 10_000).await.expect("reads");
        let events = records.iter().flat_map(|r| unpack(r).expect("whole"));
        events.collect()
    }
}

#[tokio::test]
async fn only_a_change_of_state_or_word_is_journaled_and_a_poll_changes_neither() {
    use PresenceState::{Fault, Idle, Playing, Silent};
    let house = house().await;
    let inlet = ChannelInlet::new("horn", house.desk.clone());
    let said = [
        (Idle, HEARD),
        (Idle, ""),
        (Playing, ""),
        (Idle, ON_BATTERY),
        (Idle, HEARD),
        (Playing, HEARD),
        (Idle, ON_BATTERY),
        (Silent, ON_BATTERY),
        (Silent, ON_BATTERY),
        (Idle, HEARD),
        (Fault, "amplifier"),
        (Idle, HEARD),
        (Fault, "amplifier"),
        (Fault, "storage"),
    ];
    for (state, code) in said {
        inlet.presence(Presence {
            device: "PW-1".into(),
            state,
            code: code.into(),
            seen: START,
        });
    }
    let turned: Vec<_> = house
        .events()
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::Turned(turned) => Some((turned.state, turned.code)),
            _ => None,
        })
        .collect();
    let wanted = [
        (Idle, ""),
        (Idle, ON_BATTERY),
        (Silent, ON_BATTERY),
        (Idle, ""),
        (Fault, "amplifier"),
        (Fault, "storage"),
    ];
    let wanted = wanted.map(|(state, code)| (state, code.to_owned()));
    assert_eq!(turned, wanted);
    // Another process knows how it stands: the same heartbeat is no change.
    let again = ChannelInlet::new("horn", house.desk.clone());
    for code in ["storage", HEARD] {
        let state = if code == HEARD { Idle } else { Fault };
        again.presence(Presence {
            device: "PW-1".into(),
            state,
            code: code.into(),
            seen: START,
        });
    }
    let all = house.events().await.into_iter();
    assert_eq!(
        all.filter(|event| matches!(event, Event::Turned(_)))
            .count(),
        6
    );
    assert_eq!(house.desk.ledger.boxes.word("PW-1"), "storage");
}

#[tokio::test]
async fn a_repair_is_open_until_its_first_end_and_its_text_is_no_part_of_the_journal() {
    let house = house().await;
    let entry = |text: &str| Entry {
        device: "speaker-0".into(),
        what: Trouble::NoSound,
        since: Some(Timestamp(i64::MAX)),
        from: Teller::Keeper,
        by: Some("water".into()),
        text: Some(text.into()),
    };
    let (first, second) = tokio::join!(
        house.desk.enter_repair(entry("secret one")),
        house.desk.enter_repair(entry("secret two"))
    );
    let (first, second) = (first.expect("entered"), second.expect("entered"));
    assert_eq!((first.repair.number, second.repair.number), (1, 2));
    assert_eq!(first.repair.since, START, "not in the future");
    let boxes = &house.desk.ledger.boxes;
    let open = || boxes.under_repair("speaker-0").map(|o| o.repair.number);
    assert_eq!((open(), boxes.under_repair("speaker-1")), (Some(1), None));
    house.clock.advance(Duration::from_hours(2));
    let close = |how| {
        house
            .desk
            .close_repair(1, how, "town".into(), Some("secret".into()))
    };
    assert_eq!(close(Mend::Replaced).await, Ok(true));
    assert_eq!(
        close(Mend::Mistaken).await,
        Ok(false),
        "the first end stands"
    );
    assert_eq!(open(), Some(2));
    let (mended, at) = boxes.repair(1).and_then(|o| o.mended).expect("an end");
    assert_eq!((mended.how, at), (Mend::Replaced, house.clock.now()));
    let records = house.store.records(0, 100).await.expect("reads");
    for record in &records {
        assert!(!String::from_utf8_lossy(&record.body).contains("secret"));
    }
    let document = first.repair.text.expect("a document");
    let text = house.store.document(document).await.expect("reads");
    assert_eq!(text, Some(b"secret one".to_vec()));
    let again = replay(&*house.store).await.expect("replays");
    assert_eq!(again.ledger.boxes.repairs(), boxes.repairs());
}

#[tokio::test]
async fn the_last_proved_play_outlives_the_sealing_of_its_alert_and_a_restart() {
    let house = house().await;
    let (desk, ledger) = (&house.desk, &house.desk.ledger);
    let accepted = accepted("a-1", &["510727"]);
    let claim = Some((accepted.identity.clone(), accepted.content));
    let mut events = vec![Event::Accepted(Box::new(accepted))];
    events.extend(released());
    let proposal = Proposal {
        events: events.into_iter().map(|e| (Proposal::NEW, e)).collect(),
        claim,
        ..Proposal::default()
    };
    desk.writer.propose(proposal).await.expect("commits");
    let inlet = ChannelInlet::new("horns", desk.clone());
    // The first village's speaker is its sixth delivery, the second's its twelfth.
    let played = |delivery, evidence| Receipt {
        of: Of::Key(Key {
            alert: 1,
            delivery,
            generation: 0,
        }),
        verdict: Verdict::Reached(evidence),
        code: "played 40".into(),
        far: None,
        seen: START.plus(Duration::from_mins(3)),
    };
    let batch = vec![
        played(5, Evidence::Acknowledged),
        played(11, Evidence::Delivered),
    ];
    inlet.receipts(batch).await.expect("kept");
    let play = Some(Play {
        at: START.plus(Duration::from_mins(3)),
        alert: 1,
    });
    let proved = || [0, 1, 2].map(|n| ledger.proved.last(SPEAKER + n));
    assert_eq!(proved(), [play, None, None], "fetched is not played");
    let expired = Event::Expired {
        variants: vec![0, 1],
    };
    desk.writer
        .propose(Proposal::of(1, expired))
        .await
        .expect("commits");
    let late = Timestamp(i64::MAX / 2);
    let alert = over(ledger, late, Duration::ZERO).pop().expect("over");
    let proposal = Proposal {
        seal: Some(Box::new(sealing(ledger, &alert, &registry()))),
        ..Proposal::default()
    };
    desk.writer.propose(proposal).await.expect("seals");
    assert!(ledger.is_sealed(1));
    assert_eq!(proved(), [play, None, None]);
    let again = replay(&*house.store).await.expect("replays");
    assert!(again.ledger.is_sealed(1));
    let proved = [0, 1, 2].map(|n| again.ledger.proved.last(SPEAKER + n));
    assert_eq!(proved, [play, None, None]);
}

#[tokio::test]
async fn of_a_nightly_self_test_only_what_has_changed_is_journaled_and_silence_is_a_word_too() {
    let house = house().await;
    let (desk, ledger) = (&house.desk, &house.desk.ledger);
    for n in 0..3 {
        let enrolled = Event::Enrolled(Enrolled {
            device: format!("speaker-{n}"),
            channel: "horn".into(),
            key: [1; 32],
        });
        desk.writer
            .propose(Proposal::of(0, enrolled))
            .await
            .expect("commits");
    }
    let orders = Orders {
        desk: desk.clone(),
        channels: Arc::default(),
        registry: Arc::new(RwLock::new(Arc::new(registry()))),
    };
    let inlet = ChannelInlet::new("horn", desk.clone());
    let window = "02:40-04:40".parse().ok();
    let answer = |serial, n: u32, code: &str| Obeyed {
        serial,
        device: format!("speaker-{n}"),
        done: code.is_empty(),
        code: code.into(),
        seconds: 0,
        far: None,
    };
    // Three nights: the same twice, then the broken one is mended and the silent one speaks.
    let nights = [["", "amplifier"], ["", "amplifier"], ["", ""]];
    house.clock.advance(Duration::from_mins(17 * 60 + 50));
    for (nth, night) in nights.iter().enumerate() {
        orders
            .night(window, house.clock.now())
            .await
            .expect("commits");
        let serial = ledger
            .devices
            .orders()
            .last()
            .expect("an order")
            .ordered
            .serial;
        let mut batch = vec![answer(serial, 0, night[0]), answer(serial, 1, night[1])];
        if nth == 2 {
            batch.push(answer(serial, 2, ""));
        }
        inlet.obeyed(batch).await.expect("kept");
        house.clock.advance(Duration::from_hours(3));
        orders
            .night(window, house.clock.now())
            .await
            .expect("commits");
        house.clock.advance(Duration::from_hours(21));
    }
    let mut words = Vec::new();
    for event in house.events().await {
        assert!(!matches!(event, Event::Done(_)), "none of it each night");
        if let Event::Tested(tested) = event {
            words.extend(tested.rows.into_iter().map(|row| (row.device, row.code)));
        }
    }
    let wanted = [
        ("speaker-0", ""),
        ("speaker-1", "amplifier"),
        ("speaker-2", NO_ANSWER),
        ("speaker-1", ""),
        ("speaker-2", ""),
    ];
    assert_eq!(
        words,
        wanted.map(|(id, code)| (id.to_owned(), code.to_owned()))
    );
    let test = ledger.boxes.test("speaker-0").expect("a test");
    assert_eq!(
        test.says,
        Some((String::new(), START.plus(Duration::from_mins(17 * 60 + 50))))
    );
    assert_eq!(
        test.asked,
        Some(START.plus(Duration::from_mins(65 * 60 + 50)))
    );
}
