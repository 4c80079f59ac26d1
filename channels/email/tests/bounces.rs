//! What is posted to the channel, and what becomes of it.

mod returns;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use channel::testing::{RecordingInlet, context};
use channel::{
    Address, Channel, Evidence, FailureClass, Key, Message, Of, Timestamp, Variant, Verdict,
};
use email::peer::{Peer, Received, Settings};
use email::{Config, Email};
use returns::{bounces, call, post};

const KEY: Key = Key {
    alert: 7,
    delivery: 21,
    generation: 1,
};

struct World {
    channel: Email,
    inlet: Arc<RecordingInlet>,
    letter: Received,
}

/// A channel that has sent one letter.
async fn sent(mailbox_counts: bool) -> World {
    let peer = Peer::start(Settings::default()).await.expect("a free port");
    let mut config = Config::new("127.0.0.1", peer.port(), "warning@example.org");
    config.bounces = Some(bounces(mailbox_counts));
    let (context, inlet) = context("email");
    let channel = Email::new(config, context).expect("a good configuration");
    let message = Message {
        key: KEY,
        serial: 99,
        variant: Arc::new(Variant::new("zh-CN", "山洪灾害红色预警", "请立即转移。")),
        address: Address::new("resident@example.org"),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    };
    channel.send(&message).await.expect("taken");
    let letter = peer.received().remove(0);
    World {
        channel,
        inlet,
        letter,
    }
}

impl World {
    /// The receipts so far: of which message, the verdict, the code.
    fn receipts(&self) -> Vec<(Of, Verdict, String)> {
        let receipts = self.inlet.receipts.lock();
        receipts
            .iter()
            .map(|r| (r.of.clone(), r.verdict, r.code.clone()))
            .collect()
    }

    async fn take(&self, mail: impl Into<Vec<u8>>) -> (u16, String) {
        post(&self.channel, mail).await
    }
}

fn taken(what: &str) -> (u16, String) {
    (200, what.to_owned())
}

#[tokio::test]
async fn a_notification_becomes_the_receipt_of_its_message() {
    for (mailbox_counts, delivered) in [(false, Evidence::Accepted), (true, Evidence::Delivered)] {
        let world = sent(mailbox_counts).await;
        assert_eq!(world.channel.capability().best, delivered);
        for (action, status) in [
            ("delayed", "4.4.1"),
            ("failed", "5.1.1"),
            ("delivered", "2.0.0"),
        ] {
            let mail = world.letter.notification(action, status);
            assert_eq!(world.take(mail).await, taken("receipt"));
        }
        let by_key = |verdict, code: &str| (Of::Key(KEY), verdict, code.to_owned());
        assert_eq!(
            world.receipts(),
            [
                by_key(Verdict::Progress, "dsn:delayed 4.4.1"),
                by_key(
                    Verdict::Refused(FailureClass::BadAddress),
                    "dsn:failed 5.1.1"
                ),
                by_key(Verdict::Reached(delivered), "dsn:delivered 2.0.0"),
            ]
        );
    }
}

#[tokio::test]
async fn a_bounce_in_a_servers_own_words_leaves_the_answer_open() {
    let world = sent(true).await;
    let to = &world.letter.sender;
    let mail =
        format!("From: MAILER-DAEMON@mx.example.org\r\nTo: {to}\r\n\r\nNo such user, sorry.\r\n");
    assert_eq!(world.take(mail).await, taken("unread-bounce"));
    let kept = (Of::Key(KEY), Verdict::Progress, "bounce:unread".to_owned());
    assert_eq!(world.receipts(), [kept]);
}

#[tokio::test]
async fn what_people_and_machines_answer_is_no_receipt() {
    let world = sent(true).await;
    let to = &world.letter.sender;
    for (headers, what) in [
        (
            "Auto-Submitted: auto-replied\r\nReturn-Path: <>\r\n",
            "automatic-reply",
        ),
        ("", "letter"),
    ] {
        let mail = format!("From: resident@example.org\r\nTo: {to}\r\n{headers}\r\nI am away.\r\n");
        assert_eq!(world.take(mail).await, taken(what));
    }
    assert_eq!(world.receipts(), []);
}

#[tokio::test]
async fn a_made_up_return_address_proves_nothing() {
    let world = sent(true).await;
    let right = String::from_utf8(world.letter.notification("failed", "5.1.1")).expect("text");
    let local = world.letter.sender.split('@').next().expect("an address");
    let other = local.replacen("b+7-15-", "b+7-16-", 1);
    assert_ne!(other, local, "another delivery of the same alert");
    for mail in [
        right.replace(local, &other),
        right.replace(local, "b+7-15-1"),
        String::new(),
    ] {
        assert_eq!(world.take(mail).await, taken("stranger"));
    }
    assert_eq!(world.receipts(), []);
}

#[tokio::test]
async fn only_the_mail_server_may_post_and_only_so_much() {
    let world = sent(true).await;
    let status = async |change: fn(&mut channel::Request)| {
        let mut request = call(world.letter.notification("failed", "5.1.1"));
        change(&mut request);
        world.channel.serve(request).await.status
    };
    assert_eq!(status(|r| r.headers.clear()).await, 401);
    assert_eq!(status(|r| r.headers[0].1 = "Bearer ".into()).await, 401);
    assert_eq!(
        status(|r| r.headers[0].1 = "Bearer token-of-another".into()).await,
        401
    );
    assert_eq!(
        status(|r| r.headers[0].1 = returns::TOKEN.into()).await,
        401
    );
    assert_eq!(status(|r| r.method = "GET".into()).await, 405);
    assert_eq!(status(|r| r.path = String::new()).await, 404);
    assert_eq!(
        status(|r| r.body = vec![b'x'; email::bounces::LONGEST + 1].into()).await,
        413
    );
    assert_eq!(world.receipts(), []);
    assert_eq!(status(|_| {}).await, 200);
}

#[tokio::test]
async fn the_mail_server_is_answered_when_the_receipt_is_kept_and_not_before() {
    let world = sent(true).await;
    let mail = world.letter.notification("failed", "5.1.1");
    world.inlet.away.store(true, Ordering::SeqCst);
    assert_eq!(world.take(mail.clone()).await.0, 503);
    world.inlet.away.store(false, Ordering::SeqCst);
    assert_eq!(world.take(mail).await, taken("receipt"));
    assert_eq!(world.receipts().len(), 1);
}

#[tokio::test]
async fn without_return_addresses_nobody_can_post() {
    let config = Config::new("127.0.0.1", 25, "warning@example.org");
    let channel = Email::new(config, context("email").0).expect("a good configuration");
    assert_eq!(channel.serve(call("")).await.status, 404);
    assert!(!channel.is_told_more());
}
