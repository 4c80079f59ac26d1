//! The channel against the misbehaving peer over real sockets.

mod returns;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, context, exercise, free_port};
use channel::{Address, Channel, Context, FailureClass, Health, Key, Message, Timestamp, Variant};
use email::peer::{Manner, Peer, Settings};
use email::{Config, Email, Secret};
use returns::bounces;

fn config(port: u16) -> Config {
    let mut config = Config::new("127.0.0.1", port, "warning@example.org");
    config.timeout = Duration::from_secs(1);
    (config.user, config.password) = (Some("gateway".into()), Some(Secret::new("only a test")));
    config
}

fn message(number: u32, recipient: &str) -> Message {
    Message {
        key: Key {
            alert: 1,
            delivery: number,
            generation: 0,
        },
        serial: number.into(),
        variant: Arc::new(Variant::new(
            "zh-CN",
            "山洪灾害红色预警",
            "请立即向高处转移。",
        )),
        address: Address::new(recipient),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    }
}

async fn peer(script: fn(&str) -> Manner) -> Peer {
    Peer::start(Settings {
        script: Arc::new(script),
        ..Settings::default()
    })
    .await
    .expect("a free port")
}

fn email(config: Config, context: Context) -> Email {
    Email::new(config, context).expect("a good configuration")
}

/// Posts what becomes of the first letter, as the mail server of the return addresses does.
async fn confirm(peer: &Peer, channel: &Email) {
    let letter = loop {
        if let Some(letter) = peer.received().pop() {
            break letter;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let reply = returns::post(channel, letter.notification("delivered", "2.0.0")).await;
    assert_eq!(reply.0, 200, "{}", reply.1);
}

struct Servers;

#[async_trait]
impl Fixture for Servers {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn std::any::Any + Send>)> {
        let mut settings = Settings::default();
        let manner = match behaviour {
            Behaviour::Accept | Behaviour::Confirm => Manner::Accept,
            Behaviour::Throttle => Manner::Throttle,
            Behaviour::RefuseAddress => Manner::RefuseAddress,
            Behaviour::RefuseContent => Manner::RefuseContent,
            Behaviour::Stall => Manner::Stall,
            Behaviour::HangUp => Manner::HangUp,
            Behaviour::HangUpAfterWrite => Manner::HangUpAfterWrite,
            Behaviour::RefuseLogin => {
                settings.refuse_login = true;
                Manner::Accept
            }
        };
        settings.script = Arc::new(move |_| manner);
        let peer = Arc::new(Peer::start(settings).await.expect("a free port"));
        let mut config = config(peer.port());
        config.bounces = Some(bounces(true));
        let channel = Arc::new(email(config, context));
        if behaviour == Behaviour::Confirm {
            let (peer, channel) = (peer.clone(), channel.clone());
            tokio::spawn(async move { confirm(&peer, &channel).await });
        }
        Some((channel, Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        message(number, "resident@example.org")
    }
}

#[tokio::test]
async fn the_channel_keeps_the_contract_with_every_kind_of_server() {
    assert_eq!(exercise(&Servers).await, Behaviour::ALL);
}

#[tokio::test]
async fn a_session_carries_on_after_a_refused_recipient() {
    let peer = peer(|to| {
        if to.starts_with("nobody") {
            Manner::RefuseAddress
        } else {
            Manner::Accept
        }
    })
    .await;
    let channel = email(
        Config {
            connections: 1,
            ..config(peer.port())
        },
        context("email").0,
    );
    for number in 0..6 {
        let recipient = if number % 2 == 0 {
            "resident@example.org"
        } else {
            "nobody@example.org"
        };
        let outcome = channel.send(&message(number, recipient)).await;
        match outcome {
            Ok(accepted) => assert_eq!(
                accepted.references,
                [format!("1-{number}-0.email@example.org")]
            ),
            Err(failure) => assert_eq!(failure.code, "smtp:550 5.1.1"),
        }
    }
    assert_eq!(peer.count(), 3);
}

#[tokio::test]
async fn a_kept_session_that_the_server_has_closed_costs_no_letter() {
    let peer = peer(|_| Manner::AcceptAndClose).await;
    let channel = email(config(peer.port()), context("email").0);
    for number in 0..5 {
        channel
            .send(&message(number, "resident@example.org"))
            .await
            .expect("taken in a fresh session");
    }
    assert_eq!(peer.count(), 5);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_link_down_and_seen_in_the_health() {
    let channel = email(config(free_port()), context("email").0);
    let sent = channel.send(&message(1, "resident@example.org")).await;
    let failure = sent.expect_err("nobody listens there");
    assert_eq!(failure.class, FailureClass::LinkDown);
    assert!(matches!(channel.health(), Health::Failing(_)));
    assert!(channel.health().takes(), "only a try tells that it is back");
}

#[tokio::test]
async fn a_letter_arrives_whole_even_where_a_line_begins_with_a_dot() {
    let peer = peer(|_| Manner::Accept).await;
    let channel = email(config(peer.port()), context("email").0);
    let mut one = message(1, "resident@example.org");
    one.variant = Arc::new(Variant::new("en", "t", "first\r\n.\r\n.second\r\nlast"));
    channel.send(&one).await.expect("taken");
    let text = peer.received().remove(0).text;
    assert!(text.contains("first\r\n.\r\n.second\r\nlast"), "{text}");
}

#[tokio::test]
async fn only_a_server_that_offers_it_is_asked_what_becomes_of_a_letter() {
    for notifies in [false, true] {
        let settings = Settings {
            notifies,
            ..Settings::default()
        };
        let peer = Peer::start(settings).await.expect("a free port");
        let mut config = config(peer.port());
        config.bounces = Some(bounces(false));
        let channel = email(config, context("email").0);
        for number in 1..=2 {
            channel
                .send(&message(number, "resident@example.org"))
                .await
                .expect("taken");
        }
        for letter in peer.received() {
            let (local, domain) = letter.sender.split_once('@').expect("an address");
            assert_eq!(domain, "bounce.example.net");
            let id = local.replace('+', "+2B");
            let wishes = format!("RET=HDRS ENVID={id} NOTIFY=SUCCESS,FAILURE,DELAY");
            assert_eq!(letter.wishes, if notifies { wishes } else { String::new() });
        }
        assert_eq!(peer.count(), 2);
    }
}

#[tokio::test]
async fn every_try_of_a_letter_has_a_return_address_of_its_own() {
    let peer = peer(|_| Manner::Accept).await;
    let mut config = config(peer.port());
    config.bounces = Some(bounces(false));
    let channel = email(config, context("email").0);
    for serial in [7, 7, 8] {
        let mut one = message(1, "resident@example.org");
        one.serial = serial;
        channel.send(&one).await.expect("taken");
    }
    let senders: Vec<String> = peer.received().into_iter().map(|r| r.sender).collect();
    assert_eq!(senders[0], senders[1]);
    assert_ne!(senders[1], senders[2]);
}
