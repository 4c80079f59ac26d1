//! The channel against its own peer: the suite that every channel passes, and what is peculiar to SMS.

mod common;
#[path = "contract/cost.rs"]
mod cost;
#[path = "common/running.rs"]
mod running;

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise, free_port};
use channel::{
    Channel, Context, FailureClass, Inlet, Message, Of, Presence, Receipt, Unavailable, Variant,
};
use common::{Book, message, to, until};
use parking_lot::Mutex;
use running::{Running, config};
use sms::peer::{Peer, PeerConfig, Report, Submit, Verdict};
use sms::{Counters, SmppConfig, Sms};

struct Account;

#[async_trait]
impl Fixture for Account {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let peer = Peer::start(PeerConfig {
            behaviour,
            ..PeerConfig::default()
        })
        .await
        .unwrap();
        let sms = Sms::smpp(config(peer.addr()), context).unwrap();
        Some((Arc::new(sms), Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        message(number, "暴雨红色预警")
    }
}

#[tokio::test]
async fn the_channel_passes_the_suite_in_every_behaviour() {
    assert_eq!(exercise(&Account).await, Behaviour::ALL);
}

fn reference(of: &Of) -> String {
    match of {
        Of::Reference(reference) => reference.clone(),
        Of::Key(key) => panic!("SMPP echoes no key, and not {key}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_messages_are_settled_once_and_every_receipt_is_matched() {
    const SIZE: usize = 20_000;
    let peer = Peer::start(PeerConfig::default()).await.unwrap();
    let channel = Running::start(SmppConfig {
        window: 1000,
        ..config(peer.addr())
    });
    let text = Arc::new(Variant::new("zh-CN", "t", "暴雨红色预警"));
    let batch: Vec<_> = (0..20_000).map(|number| to(number, &text)).collect();
    let book = Book::new(SIZE);
    channel.sms.send_all(&batch, &book).await;
    let references: HashSet<_> = book
        .all()
        .into_iter()
        .flat_map(|outcome| outcome.unwrap().references)
        .collect();
    assert_eq!(references.len(), SIZE, "no id is given twice");
    until("every receipt is answered", || {
        peer.counters().receipts_answered == SIZE as u64
    })
    .await;
    let named: HashSet<_> = channel
        .inlet
        .receipts
        .lock()
        .iter()
        .map(|r| reference(&r.of))
        .collect();
    assert_eq!(named, references);
    assert_eq!(channel.sms.counters(), Counters::default());
    assert_eq!(peer.outstanding(), 0);
    channel.stop().await;
}

#[tokio::test]
async fn a_long_text_takes_a_slot_a_part_and_arrives_whole() {
    type Heard = Mutex<Vec<(u8, u8, Vec<u8>)>>;
    let heard: Arc<Heard> = Arc::default();
    let script = {
        let heard = heard.clone();
        move |submit: &Submit<'_>| {
            assert_eq!(
                (submit.data_coding, submit.esm_class, submit.attempt),
                (8, 0x40, 1)
            );
            heard
                .lock()
                .push((submit.part.0, submit.part.1, submit.text.to_vec()));
            Verdict::delivered(Duration::ZERO)
        }
    };
    let peer = Peer::start(PeerConfig {
        script: Some(Arc::new(script)),
        ..PeerConfig::default()
    })
    .await
    .unwrap();
    let channel = Running::start(SmppConfig {
        window: 10,
        ..config(peer.addr())
    });
    let text = "暴雨😀".repeat(160);
    let message = message(1, &text);
    let accepted = channel.sms.send(&message).await.unwrap();
    assert_eq!(
        (
            accepted.references.len(),
            channel.sms.cost(&message.variant)
        ),
        (10, 10)
    );
    let heard = heard.lock();
    let order: Vec<_> = heard
        .iter()
        .map(|(part, total, _)| (*part, *total))
        .collect();
    assert_eq!(order, (1..=10).map(|part| (part, 10)).collect::<Vec<_>>());
    let bytes: Vec<u8> = heard.iter().flat_map(|(.., text)| text.clone()).collect();
    let units: Vec<u16> = bytes
        .chunks(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    assert_eq!(String::from_utf16(&units).unwrap(), text);
}

#[tokio::test]
async fn a_text_of_too_many_parts_and_an_address_that_is_none_are_refused_unsent() {
    let peer = Peer::start(PeerConfig::default()).await.unwrap();
    let channel = Running::start(config(peer.addr()));
    let failure = channel
        .sms
        .send(&message(1, &"暴雨".repeat(400)))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::BadContent);
    let nowhere = channel::Message {
        address: channel::Address::new("nobody@example"),
        ..message(1, "x")
    };
    let failure = channel.sms.send(&nowhere).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::BadAddress);
    assert!(!format!("{failure:?}").contains("nobody"));
    assert_eq!(peer.counters().submits, 0);
}

#[tokio::test]
async fn the_script_decides_by_the_attempt_and_its_words_are_understood() {
    let script = |submit: &Submit<'_>| match submit.attempt {
        1 => Verdict::refused(0x08),
        2 => Verdict::silent(),
        3 => Verdict::reported(Report {
            after: Duration::ZERO,
            stat: "REJECTD",
            error: 12,
        }),
        _ => Verdict::lost(),
    };
    let peer = Peer::start(PeerConfig {
        script: Some(Arc::new(script)),
        ..PeerConfig::default()
    })
    .await
    .unwrap();
    let channel = Running::start(config(peer.addr()));
    let class = |outcome: Result<channel::Accepted, channel::Failure>| outcome.unwrap_err().class;
    assert_eq!(
        class(channel.sms.send(&message(1, "x")).await),
        FailureClass::Transient
    );
    assert_eq!(
        class(channel.sms.send(&message(1, "x")).await),
        FailureClass::InDoubt
    );
    let third = channel.sms.send(&message(1, "x")).await.unwrap();
    assert_eq!(
        class(channel.sms.send(&message(2, "x")).await),
        FailureClass::Transient,
        "each address is counted"
    );
    let refused = channel::Verdict::Refused(FailureClass::BadContent);
    assert_eq!(channel.receipts(&third.references).await, [refused]);
    assert_eq!(channel.inlet.receipts.lock()[0].code, "REJECTD 012");
}

#[tokio::test]
async fn beyond_its_rate_the_far_end_throttles() {
    let peer = Peer::start(PeerConfig {
        rate: Some(10),
        ..PeerConfig::default()
    })
    .await
    .unwrap();
    let channel = Running::start(config(peer.addr()));
    let text = Arc::new(Variant::new("zh-CN", "t", "x"));
    let batch: Vec<_> = (0..50).map(|number| to(number, &text)).collect();
    let book = Book::new(batch.len());
    channel.sms.send_all(&batch, &book).await;
    let failures: Vec<_> = book.all().into_iter().filter_map(Result::err).collect();
    assert_eq!(failures.len() as u64, peer.counters().throttled);
    assert!(failures.len() >= 40, "{}", failures.len());
    assert!(
        failures
            .iter()
            .all(|f| f.class == FailureClass::Throttled && f.retry_after.is_none())
    );
}

#[tokio::test]
async fn receipts_are_not_answered_while_the_store_is_away_and_none_is_lost() {
    let resend = Duration::from_millis(200);
    let peer = Peer::start(PeerConfig {
        resend,
        ..PeerConfig::default()
    })
    .await
    .unwrap();
    let channel = Running::start(config(peer.addr()));
    channel.inlet.away.store(true, Ordering::SeqCst);
    let accepted = channel.sms.send(&message(1, "x")).await.unwrap();
    until("the receipt came again", || peer.counters().receipts >= 3).await;
    assert_eq!(
        (peer.counters().receipts_answered, peer.outstanding()),
        (0, 1)
    );
    channel.inlet.away.store(false, Ordering::SeqCst);
    channel.receipts(&accepted.references).await;
    until("it was answered", || peer.outstanding() == 0).await;
}

/// A store that takes its time: until it is let go.
struct Slow(tokio::sync::Semaphore);

#[async_trait]
impl Inlet for Slow {
    async fn receipts(&self, _: Vec<Receipt>) -> Result<(), Unavailable> {
        self.0.acquire().await.expect("it is never closed").forget();
        Ok(())
    }

    fn presence(&self, _: Presence) {}
}

#[tokio::test]
async fn a_slow_store_does_not_hold_up_the_answers_to_what_we_send() {
    let peer = Peer::start(PeerConfig {
        resend: Duration::from_mins(1),
        ..PeerConfig::default()
    })
    .await
    .unwrap();
    let slow = Arc::new(Slow(tokio::sync::Semaphore::new(0)));
    let (context, _) = channel::testing::context("slow");
    let sms = Arc::new(
        Sms::smpp(
            config(peer.addr()),
            Context {
                inlet: slow.clone(),
                ..context
            },
        )
        .unwrap(),
    );
    let stop = channel::Stop::new();
    let running = tokio::spawn({
        let (sms, stop) = (sms.clone(), stop.clone());
        async move { sms.run(stop).await }
    });
    for number in 0..200 {
        sms.send(&message(number, "x")).await.unwrap();
    }
    until("all receipts are out", || peer.counters().receipts == 200).await;
    assert_eq!(peer.counters().receipts_answered, 0);
    slow.0.add_permits(200);
    until("all are answered", || {
        peer.counters().receipts_answered == 200
    })
    .await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_spool_as_a_kill_leaves_it_brings_the_receipts_to_whoever_binds_next() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, left) = (dir.path().join("spool"), dir.path().join("left"));
    let later = Duration::from_hours(1);
    let first = Peer::start(PeerConfig {
        port: free_port(),
        spool: Some(spool.clone()),
        receipt_delay: (later, later),
        ..PeerConfig::default()
    })
    .await
    .unwrap();
    let channel = Running::start(config(first.addr()));
    let mut references = Vec::new();
    for number in 0..20 {
        references.extend(
            channel
                .sms
                .send(&message(number, "x"))
                .await
                .unwrap()
                .references,
        );
        // The bytes that are there when the answer is, are what a kill at this moment leaves.
        std::fs::copy(&spool, &left).unwrap();
    }
    let port = first.addr().port();
    first.stop().await;

    let second = Peer::start(PeerConfig {
        port,
        spool: Some(left),
        ..PeerConfig::default()
    })
    .await
    .unwrap();
    assert_eq!(second.outstanding(), 20);
    channel.receipts(&references).await;
    until("all are answered", || second.outstanding() == 0).await;
    let fresh = channel.sms.send(&message(99, "x")).await.unwrap();
    assert!(
        !references.contains(&fresh.references[0]),
        "an id is never given twice"
    );
}
