//! The writer: who is first under an identity, what a refused commit leaves behind (nothing), in which order and when
//! its answers come.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use channel::{ManualClock, PresenceState};
use futures::future::join_all;

use super::super::event::{Born, Event};
use super::super::record::unpack;
use super::super::writer::History;
use super::super::{Archive, Commit, Ledger, Proposal, Refused, Writer, replay};
use super::history::sealing;
use super::kit::{Memory, START, accepted, block, identity, variants, view};

struct Bench {
    store: Arc<Memory>,
    ledger: Arc<Ledger>,
    writer: Writer,
}

fn bench(store: Memory) -> Bench {
    let (store, ledger) = (Arc::new(store), Arc::new(Ledger::default()));
    let clock = Arc::new(ManualClock::new(START));
    let history = History {
        epoch: 1,
        ..History::default()
    };
    let writer = Writer::start(store.clone(), ledger.clone(), clock, history);
    Bench {
        store,
        ledger,
        writer,
    }
}

impl Bench {
    /// Until the store was asked so often; the writer runs meanwhile.
    async fn asked(&self, times: usize) {
        while self.store.asked.load(SeqCst) < times {
            tokio::task::yield_now().await;
        }
    }

    fn away(&self, away: bool) {
        self.store.away.store(away, SeqCst);
    }
}

fn open(nth: u64, content: u8) -> Proposal {
    let event = Event::Accepted(Box::new(accepted(nth, Born::Live)));
    Proposal {
        events: vec![(Proposal::NEW, event)],
        claim: Some((identity(nth), [content; 32])),
        documents: vec![([content; 32], vec![content])],
        ..Proposal::default()
    }
}

fn beat(nth: usize) -> Proposal {
    let event = Event::Presence {
        device: format!("speaker-{nth}"),
        state: PresenceState::Idle,
    };
    Proposal::of(0, event)
}

fn known(stream: u64, same_content: bool) -> Result<Commit, Refused> {
    Err(Refused::Known {
        stream,
        same_content,
    })
}

/// What a proposal is told that opened this stream.
fn opened(position: u64, stream: u64) -> Commit {
    Commit {
        position,
        opened: Some(stream),
    }
}

#[tokio::test]
async fn an_identity_is_held_once_and_a_restart_knows_it() {
    let bench = bench(Memory::default());
    assert_eq!(bench.writer.propose(open(1, 7)).await, Ok(opened(1, 1)));
    assert_eq!(bench.writer.propose(open(1, 7)).await, known(1, true));
    assert_eq!(bench.writer.propose(open(1, 8)).await, known(1, false));
    assert_eq!(bench.writer.propose(open(2, 7)).await, Ok(opened(2, 2)));
    let again = replay(&*bench.store).await.expect("replays");
    let clock = Arc::new(ManualClock::new(START));
    let writer = Writer::start(bench.store.clone(), again.ledger, clock, again.history);
    assert_eq!(writer.propose(open(2, 8)).await, known(2, false));
    assert_eq!(writer.propose(open(3, 1)).await, Ok(opened(3, 3)));
    assert_eq!(
        bench.store.rows.lock().documents.len(),
        3,
        "of none that was refused"
    );
}

#[tokio::test]
async fn of_two_claims_in_one_commit_the_first_is_first() {
    let bench = bench(Memory::default());
    let group = [open(1, 7), open(1, 7), open(2, 7), open(1, 8)];
    let answers = join_all(group.map(|p| bench.writer.propose(p))).await;
    let expected = [
        Ok(opened(2, 1)),
        known(1, true),
        Ok(opened(2, 2)),
        known(1, false),
    ];
    assert_eq!(answers, expected);
    assert_eq!(bench.store.asked.load(SeqCst), 1);
    assert_eq!(bench.ledger.alerts().len(), 2);
}

#[tokio::test]
async fn nobody_is_told_of_a_holder_that_was_not_committed() {
    let bench = bench(Memory::default());
    bench.away(true);
    let answers = join_all([open(1, 7), open(1, 7)].map(|p| bench.writer.propose(p))).await;
    for answer in answers {
        assert!(matches!(answer, Err(Refused::Store(_))), "{answer:?}");
    }
    bench.away(false);
    assert_eq!(bench.writer.propose(open(1, 8)).await, Ok(opened(1, 1)));
}

#[tokio::test]
async fn a_refused_commit_changes_nothing_and_uses_no_number() {
    let bench = bench(Memory::default());
    bench.writer.propose(beat(0)).await.expect("commits");
    let before = view(&bench.ledger);
    bench.away(true);
    let mixed = Proposal {
        inbox_take: vec![4],
        ..open(1, 7)
    };
    for _ in 0..3 {
        let group = [mixed.clone(), beat(1)].map(|p| bench.writer.propose(p));
        for answer in join_all(group).await {
            assert!(matches!(answer, Err(Refused::Store(_))), "{answer:?}");
        }
        assert_eq!(view(&bench.ledger), before);
        assert_eq!(*bench.writer.position().borrow(), 1);
    }
    bench.away(false);
    assert_eq!(bench.writer.propose(open(1, 8)).await, Ok(opened(2, 1)));
    let again = replay(&*bench.store).await.expect("replays");
    assert!(again.damage.is_empty());
    assert_eq!(view(&again.ledger), view(&bench.ledger));
}

#[tokio::test]
async fn nothing_is_answered_or_seen_before_it_is_durable() {
    let bench = bench(Memory::closed());
    let mut position = bench.writer.position();
    let mut waiting = Box::pin(bench.writer.propose(open(1, 7)));
    let mut repeat = Box::pin(bench.writer.propose(open(1, 7)));
    bench.asked(1).await;
    for _ in 0..50 {
        assert!(futures::poll!(&mut waiting).is_pending());
        assert!(futures::poll!(&mut repeat).is_pending());
        tokio::task::yield_now().await;
    }
    assert!(bench.ledger.alerts().is_empty());
    assert!(!position.has_changed().expect("open"));
    bench.store.gate.add_permits(1);
    assert_eq!(waiting.await, Ok(opened(1, 1)));
    assert_eq!(repeat.await, known(1, true));
    assert!(
        bench.ledger.alert(1).is_some(),
        "folded when it is answered"
    );
    assert_eq!(bench.store.records().len(), 1);
    position.changed().await.expect("open");
    assert_eq!(*position.borrow(), 1);
}

#[tokio::test]
async fn what_comes_during_a_commit_rides_in_the_next() {
    let bench = bench(Memory::closed());
    let first = bench.writer.propose(beat(0));
    bench.asked(1).await;
    let rest: Vec<_> = (1..40).map(|n| bench.writer.propose(beat(n))).collect();
    bench.store.gate.add_permits(2);
    let first = first.await.expect("commits");
    for commit in join_all(rest).await {
        assert_eq!(commit.expect("commits").position, first.position + 1);
    }
    assert_eq!(bench.store.asked.load(SeqCst), 2);
}

#[tokio::test]
async fn a_commit_takes_so_many_proposals_and_no_more() {
    let bench = bench(Memory::default());
    let all: Vec<_> = (0..5_000).map(|n| bench.writer.propose(beat(n))).collect();
    let answers = join_all(all).await;
    assert!(answers.iter().all(Result::is_ok));
    let counts: Vec<_> = bench.store.records().iter().map(|r| r.count).collect();
    assert_eq!(counts, [4_096, 904]);
}

#[tokio::test]
async fn proposals_keep_their_order_within_and_across_streams() {
    let bench = bench(Memory::default());
    let open_two = [open(1, 1), open(2, 2)].map(|p| bench.writer.propose(p));
    join_all(open_two).await;
    let released = |stream, generation| {
        let by = "rule".into();
        Proposal::of(stream, Event::Released { generation, by })
    };
    let streams = [1, 1, 2, 1, 0, 0, 2];
    let proposals = (1_u32..).zip(streams).map(|(n, stream)| match stream {
        0 => beat(n as usize),
        stream => released(stream, n),
    });
    let commits: Vec<_> = proposals.map(|p| bench.writer.propose(p)).collect();
    for commit in join_all(commits).await {
        assert_eq!(commit.expect("commits").position, 7);
    }
    let records = bench.store.records().split_off(2);
    let runs: Vec<_> = records
        .iter()
        .map(|r| (r.seq, r.stream, r.stream_seq, r.count))
        .collect();
    let expected = [
        (3, 1, 2, 2),
        (4, 2, 2, 1),
        (5, 1, 3, 1),
        (6, 0, 1, 2),
        (7, 2, 3, 1),
    ];
    assert_eq!(runs, expected);
    let order: Vec<_> = records
        .iter()
        .flat_map(|r| unpack(r).expect("whole"))
        .map(|event| match event {
            Event::Released { generation, .. } => generation.to_string(),
            Event::Presence { device, .. } => device,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order, ["1", "2", "3", "4", "speaker-5", "speaker-6", "7"]);
    assert_eq!(bench.ledger.alert(2).expect("opened").generation(), 7);
}

#[tokio::test]
async fn a_proposal_whose_asker_has_gone_is_written_all_the_same() {
    let bench = bench(Memory::default());
    drop(bench.writer.propose(beat(0)));
    let commit = bench.writer.propose(beat(1)).await.expect("commits");
    assert_eq!(commit.position, 1);
    assert_eq!(bench.ledger.presence().len(), 2);
}

#[tokio::test]
async fn an_empty_proposal_is_answered_and_writes_nothing() {
    let bench = bench(Memory::default());
    let nothing = Commit {
        position: 0,
        opened: None,
    };
    let answer = bench.writer.propose(Proposal::default()).await;
    assert_eq!(answer, Ok(nothing));
    assert_eq!(bench.store.asked.load(SeqCst), 0);
}

#[tokio::test]
async fn what_follows_a_refused_proposal_is_refused_also_when_the_store_is_back() {
    let bench = bench(Memory::default());
    let follows = Some(bench.writer.refusals());
    let part = |nth| Proposal {
        follows,
        ..beat(nth)
    };
    bench.away(true);
    let first = bench.writer.propose(part(0)).await;
    assert!(matches!(first, Err(Refused::Store(_))), "{first:?}");
    bench.away(false);
    let second = bench.writer.propose(part(1)).await;
    assert!(matches!(second, Err(Refused::Store(_))), "{second:?}");
    bench.writer.propose(beat(1)).await.expect("commits");
    let follows = Some(bench.writer.refusals());
    let anew = Proposal { follows, ..beat(2) };
    bench.writer.propose(anew).await.expect("commits");
}

#[tokio::test]
async fn a_new_stream_without_an_identity_is_refused_and_the_house_gets_nothing_of_it() {
    let bench = bench(Memory::default());
    let unclaimed = Proposal {
        claim: None,
        ..open(1, 7)
    };
    assert_eq!(
        bench.writer.propose(unclaimed).await,
        Err(Refused::Unclaimed)
    );
    assert_eq!(bench.store.records(), []);
}

#[tokio::test]
async fn a_text_that_is_not_there_is_refused_before_it_is_written() {
    let bench = bench(Memory::default());
    bench.writer.propose(open(1, 7)).await.expect("opens");
    let block = |first, text| Proposal::of(1, Event::Block(block("sms", first, &[(2, text)])));
    let texts = |first| Proposal::of(1, variants(first, 2));
    // One commit: what is refused in it leaves the others as they are.
    let group = [
        block(0, 0),
        texts(1),
        texts(0),
        block(0, 2),
        block(0, 1),
        texts(2),
        block(2, 3),
    ];
    let answers = join_all(group.map(|p| bench.writer.propose(p))).await;
    let refused: Vec<bool> = answers
        .iter()
        .map(|a| matches!(a, Err(Refused::Misfit { stream: 1, .. })))
        .collect();
    assert_eq!(refused, [true, true, false, true, false, false, false]);
    assert_eq!(bench.ledger.alert(1).expect("open").next_delivery(), 4);
    assert!(bench.ledger.damage().is_empty());
}

#[tokio::test]
async fn what_does_not_fit_marks_its_stream_live_as_a_restart_does() {
    let bench = bench(Memory::default());
    for nth in [1, 2] {
        bench.writer.propose(open(nth, 7)).await.expect("opens");
    }
    let overdue = |deliveries| Event::Overdue { deliveries };
    let events = [
        (
            1,
            Event::Released {
                generation: 9,
                by: "rule".into(),
            },
        ),
        (1, overdue(vec![4])),
        (1, Event::Withdrawn { by: 2 }),
        (2, Event::Withdrawn { by: 1 }),
    ];
    let proposal = Proposal {
        events: events.to_vec(),
        ..Proposal::default()
    };
    bench
        .writer
        .propose(proposal)
        .await
        .expect("is written all the same");
    let more = Proposal::of(1, Event::Withdrawn { by: 2 });
    bench.writer.propose(more).await.expect("is written");
    let marked: Vec<_> = bench.ledger.damage().into_keys().collect();
    assert_eq!(marked, [1]);
    assert!(bench.ledger.alert(1).is_none(), "nobody works on it");
    let known = bench.ledger.known(1).expect("known");
    assert_eq!(known.withdrawn_by(), None, "what follows is not folded");
    assert_eq!(
        bench.ledger.alert(2).expect("goes on").withdrawn_by(),
        Some(1)
    );
    let again = replay(&*bench.store).await.expect("replays");
    assert_eq!(again.damage, bench.ledger.damage());
    assert_eq!(view(&again.ledger)["alerts"], view(&bench.ledger)["alerts"]);
}

fn seal(bench: &Bench, stream: u64) -> Proposal {
    let alert = bench.ledger.alert(stream).expect("open");
    Proposal {
        seal: Some(Box::new(sealing(&bench.ledger, &alert))),
        ..Proposal::default()
    }
}

#[tokio::test]
async fn an_alert_that_went_on_is_not_sealed_and_a_sealed_one_takes_nothing() {
    let bench = bench(Memory::default());
    bench.writer.propose(open(1, 7)).await.expect("opens");
    let looked = seal(&bench, 1);
    let on = || Proposal::of(1, Event::Withdrawn { by: 2 });
    // Before it in the same commit, and in one before.
    let group = [on(), looked.clone()];
    let answers = join_all(group.map(|p| bench.writer.propose(p))).await;
    assert_eq!(answers[1], Err(Refused::WentOn { stream: 1 }));
    let late = bench.writer.propose(looked).await;
    assert_eq!(late, Err(Refused::WentOn { stream: 1 }));
    let group = [seal(&bench, 1), on(), beat(1)];
    let answers = join_all(group.map(|p| bench.writer.propose(p))).await;
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[1], Err(Refused::Sealed { stream: 1 }));
    assert_eq!(
        bench.writer.propose(on()).await,
        Err(Refused::Sealed { stream: 1 })
    );
    let blind = Proposal::of(1, Event::Unsealed { by: 2 });
    let refused = bench.writer.propose(blind.clone()).await;
    assert_eq!(
        refused,
        Err(Refused::WentOn { stream: 1 }),
        "nobody read it back"
    );
    let archive = Archive::new(bench.ledger.clone(), bench.store.clone());
    let back = || async { Some(archive.read(1).await.expect("reads")) };
    let (first, second) = (back().await, back().await);
    let unseal = |back| Proposal {
        back,
        ..blind.clone()
    };
    let group = [unseal(first), unseal(second), on()];
    let answers = join_all(group.map(|p| bench.writer.propose(p))).await;
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(
        answers[1],
        Err(Refused::WentOn { stream: 1 }),
        "once is enough"
    );
    assert!(bench.ledger.damage().is_empty());
    let again = replay(&*bench.store).await.expect("replays");
    assert_eq!(view(&again.ledger), view(&bench.ledger));
}

#[tokio::test]
async fn only_streams_that_have_grown_are_witnessed() {
    let bench = bench(Memory::default());
    let heads = || {
        let records = bench.store.records();
        let last = records.last().expect("records");
        match unpack(last).expect("whole").pop() {
            Some(Event::Witnessed { heads }) => heads.iter().map(|h| h.stream).collect(),
            _ => Vec::new(),
        }
    };
    for nth in [1, 2] {
        bench.writer.propose(open(nth, 7)).await.expect("opens");
    }
    bench.writer.witness().await.expect("commits");
    assert_eq!(heads(), [1, 2]);
    let count = bench.store.records().len();
    bench.writer.witness().await.expect("commits");
    assert_eq!(bench.store.records().len(), count, "nothing has grown");
    bench.writer.propose(seal(&bench, 2)).await.expect("seals");
    bench.writer.witness().await.expect("commits");
    assert_eq!(heads(), [2]);
    let again = replay(&*bench.store).await.expect("replays");
    let clock = Arc::new(ManualClock::new(START));
    let writer = Writer::start(bench.store.clone(), again.ledger, clock, again.history);
    let count = bench.store.records().len();
    writer.witness().await.expect("commits");
    assert_eq!(
        bench.store.records().len(),
        count,
        "a restart knows what was seen"
    );
}
