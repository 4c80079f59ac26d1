//! Somebody has broken into the broker and may publish whatever they like. Nothing of it sounds, nothing of it counts, and
//! each is refused by its name.

use std::time::Duration;

use channel::{Channel, FailureClass, PresenceState, Request, Timestamp};
use loudspeaker::mqtt::Mqtt;
use loudspeaker::order::{Order, Orders, Signed, Signer};
use loudspeaker::peer::device_key;
use loudspeaker::{ConfigError, FRESH};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::kit::{
    self, Device, Evil, FALSE, Gateway, SECRET, SEED, call, config, message, now, serial, settings,
    until,
};

const DEVICE: &str = "PW-217001-02";
const OTHER: &str = "PW-217001-03";
const TEXT: &str = "请立即向高处转移。";

fn order(counter: u64) -> Order {
    kit::order(DEVICE, counter)
}

fn payload(signed: Signed) -> Vec<u8> {
    let orders = vec![signed];
    serde_json::to_vec(&Orders { orders }).expect("texts")
}

/// A drill under the live key, which no `Signer` makes.
fn for_live(counter: u64) -> Signed {
    let drill = Order {
        drill: true,
        text: format!("演练:{FALSE}"),
        ..order(counter)
    };
    let body = serde_json::to_string(&drill).expect("texts and numbers");
    let live = Ed25519KeyPair::from_seed_unchecked(&hex::decode(SEED).expect("hex"));
    let live = live.expect("32 bytes");
    let signature = hex::encode(live.sign(body.as_bytes()));
    Signed::alone(body, signature)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_over_mqtt_plays_nothing_that_another_publisher_makes_repeats_or_keeps_back() {
    let broker = Broker::start(&[DEVICE]).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(10)), &[DEVICE]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let keys = gateway.channel.public_keys();
    let device = Device::start(folder.path(), &broker, &keys, DEVICE);
    until("it is heard", || gateway.is_heard(DEVICE)).await;
    let evil = Evil::start(&broker).await;
    let good = message(7, DEVICE, serial(), TEXT);
    gateway.channel.send(&good).await.expect("it has it");
    until("it has played", || gateway.played().len() == 1).await;
    let heard = evil.heard("orders");
    let signer = Signer::from_seed(SEED).expect("32 bytes");
    let thief = Signer::from_seed(&SEED.replace("01", "02")).expect("32 bytes");
    let next = serial();
    let unsigned = Signed {
        signature: String::new(),
        ..thief.sign(&order(next))
    };
    let late = Order {
        expires: now(),
        ..order(next + 1)
    };
    let elsewhere = Order {
        to: OTHER.into(),
        ..order(next + 2)
    };
    for (orders, refused) in [
        (payload(thief.sign(&order(next))), "forged"),
        (payload(unsigned), "forged"),
        (heard[0].payload.to_vec(), "replayed"),
        (payload(signer.sign(&late)), "expired"),
        (payload(for_live(next + 3)), "drill-for-live"),
        (payload(signer.sign(&elsewhere)), "not-addressed"),
        (b"{\"orders\":7}".to_vec(), "malformed"),
    ] {
        let before = device.all("refused").len();
        evil.says("orders", DEVICE, orders).await;
        until(refused, || device.all("refused").len() > before).await;
        assert_eq!(device.all("refused")[before], refused);
    }
    // An answer that the gateway did not make: a device that believed it would drop its report.
    let kept = json!({ "answers": "00", "to": DEVICE, "status": 200, "reply": {} });
    let forged = thief.sign(&order(1)).signature;
    let answer = json!({ "body": kept.to_string(), "signature": forged });
    evil.says("answers", DEVICE, answer.to_string()).await;
    until("it is not believed", || {
        !device.all("unbelieved").is_empty()
    })
    .await;
    assert_eq!(device.all("text"), [TEXT], "nothing else has sounded");
    // What the gateway never gave is not reported to it as its own.
    until("reports on strange orders are refused", || {
        gateway.refused("unknown-order") == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_over_mqtt_refuses_by_name_what_no_device_of_its_own_has_signed_and_counts_it()
{
    let broker = Broker::start(&[]).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(1)), &[DEVICE, OTHER]).await;
    let evil = Evil::start(&broker).await;
    let beat = r#"{"state":"idle"}"#;
    let mut unsigned = call(DEVICE, "heartbeats", beat, now());
    unsigned["authorization"] = json!("");
    let mut changed = call(DEVICE, "heartbeats", beat, now());
    changed["body"] = json!(r#"{"state":"playing"}"#);
    let mut other_path = call(DEVICE, "heartbeats", beat, now());
    other_path["call"] = json!("reports");
    let played = r#"{"order":"7-0-aa-bb","state":"played","whole":true}"#;
    let long = "x".repeat(17 * 1024);
    let good = call(DEVICE, "heartbeats", beat, now());
    let old = Timestamp(now().0 - 2 * i64::try_from(FRESH.as_millis()).expect("minutes"));
    let later = now().plus(Duration::from_secs(1));
    let table = [
        (DEVICE, unsigned.to_string(), "unproven"),
        (DEVICE, changed.to_string(), "unproven"),
        (DEVICE, other_path.to_string(), "unproven"),
        (
            OTHER,
            call(DEVICE, "reports", played, now()).to_string(),
            "wrong-topic",
        ),
        (
            "PW-9",
            call("PW-9", "heartbeats", beat, now()).to_string(),
            "not-enrolled",
        ),
        (
            DEVICE,
            call(DEVICE, "reports", played, now()).to_string(),
            "unknown-order",
        ),
        (
            DEVICE,
            call(DEVICE, "heartbeats", beat, old).to_string(),
            "stale-time",
        ),
        (
            DEVICE,
            call(DEVICE, "heartbeats", &long, now()).to_string(),
            "too-long",
        ),
        (DEVICE, "x".repeat(40 * 1024), "too-long"),
        (DEVICE, "{}".into(), "bad-body"),
        (DEVICE, "\u{0}".into(), "bad-body"),
        (
            DEVICE,
            call(DEVICE, "enrol", "{}", now()).to_string(),
            "enrol-by-api",
        ),
        (
            DEVICE,
            call(DEVICE, "shout", "{}", now()).to_string(),
            "unknown-call",
        ),
        (
            DEVICE,
            call(DEVICE, "took", r#"{"after":5,"took":[3]}"#, later).to_string(),
            "bad-poll",
        ),
        ("喇叭", "{}".into(), "bad-topic"),
    ];
    for (device, payload, why) in table {
        let before = gateway.refused(why);
        evil.says("calls", device, payload).await;
        until(why, || gateway.refused(why) > before).await;
        assert_eq!(gateway.refused(why), before + 1, "{why}");
    }
    assert!(!gateway.is_heard(OTHER));
    let state = || gateway.channel.device(DEVICE).and_then(|said| said.state);
    assert_eq!(state(), None, "no heartbeat of all these was one");
    // A true heartbeat, kept back and given again: it says once how things are.
    evil.says("calls", DEVICE, good.to_string()).await;
    until("it is heard", || state().is_some()).await;
    evil.says("calls", DEVICE, good.to_string()).await;
    until("it is replayed", || gateway.refused("replayed") == 1).await;
    assert_eq!(gateway.inlet.receipts.lock().len(), 0);
    assert_eq!(gateway.inlet.obeyed.lock().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_over_mqtt_takes_away_and_never_gives_and_what_is_far_too_long_does_not_come() {
    let broker = Broker::start(&[]).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(1)), &[DEVICE]).await;
    let evil = Evil::start(&broker).await;
    evil.says("state", DEVICE, "online").await;
    evil.says("state", "PW-9", "offline").await;
    until("a stranger's is refused", || {
        gateway.refused("not-enrolled") == 1
    })
    .await;
    evil.says("state", DEVICE, "happy").await;
    until("no state", || gateway.refused("bad-state") == 1).await;
    assert!(gateway.inlet.presences.lock().is_empty(), "nobody is there");
    evil.says("state", DEVICE, "offline").await;
    let states = || {
        let presences = gateway.inlet.presences.lock();
        presences.iter().map(|seen| seen.state).collect::<Vec<_>>()
    };
    until("it is gone", || states() == [PresenceState::Silent]).await;
    // The next signed word undoes it.
    let beat = call(DEVICE, "heartbeats", r#"{"state":"idle"}"#, now());
    evil.says("calls", DEVICE, beat.to_string()).await;
    until("it is back", || {
        states() == [PresenceState::Silent, PresenceState::Idle]
    })
    .await;
    // The broker keeps from the gateway what is longer than it takes, and the line holds.
    evil.says("calls", DEVICE, vec![b'x'; 1 << 20]).await;
    evil.says("state", DEVICE, "sad").await;
    until("what comes after it", || gateway.refused("bad-state") == 2).await;
    assert!(gateway.channel.health().takes());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_would_be_many_topics_is_refused_over_mqtt_before_anything_is_published() {
    let broker = Broker::start(&[]).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(1)), &[]).await;
    let evil = Evil::start(&broker).await;
    for id in ["+", "#", "PW-217001-02/orders", "$SYS", "a+b"] {
        let failed = gateway
            .channel
            .send(&message(7, id, serial(), TEXT))
            .await
            .expect_err(id);
        assert_eq!(
            (failed.class, &*failed.code),
            (FailureClass::BadAddress, "speaker:bad-id")
        );
    }
    assert!(evil.heard("orders").is_empty() && evil.heard("groups").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_believed_or_does_not_know_us_is_named_over_mqtt_and_nothing_is_handed()
 {
    let broker = Broker::start(&[]).await;
    let unknown = Gateway::unready(loudspeaker::Config {
        broker: Some(settings(&broker, Some("nobody"))),
        ..config(&broker, Duration::from_secs(1))
    });
    let stranger = Gateway::unready(loudspeaker::Config {
        broker: Some(loudspeaker::mqtt::Broker {
            ca: None,
            ..settings(&broker, Some("gateway"))
        }),
        ..config(&broker, Duration::from_secs(1))
    });
    for (gateway, word) in [(unknown, "login"), (stranger, "certificate")] {
        let said = || format!("{:?}", gateway.channel.health());
        until(word, || said().contains(word)).await;
        assert!(!said().contains("127.0.0.1"), "{}", said());
        let order = message(7, DEVICE, serial(), TEXT);
        let failed = gateway.channel.send(&order).await.expect_err(word);
        assert_eq!(failed.class, FailureClass::LinkDown, "{failed}");
    }
    let (context, _) = channel::testing::context("horn");
    let none = loudspeaker::Config {
        broker: None,
        ..config(&broker, Duration::from_secs(1))
    };
    let refused = Mqtt::new(none, context).map(drop);
    assert!(
        matches!(refused, Err(ConfigError::Broker(_))),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_longer_than_the_broker_takes_is_refused_over_mqtt_and_the_line_holds() {
    let broker = Broker::with(&[], "max_packet_size 4000\n").await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(3)), &[DEVICE]).await;
    let long = message(7, DEVICE, serial(), &TEXT.repeat(200));
    let failed = gateway.channel.send(&long).await.expect_err("too long");
    assert_eq!(
        (failed.class, &*failed.code),
        (FailureClass::BadContent, "mqtt:too-long")
    );
    assert!(gateway.channel.health().takes());
    let short = message(8, DEVICE, serial(), TEXT);
    let failed = gateway.channel.send(&short).await.expect_err("nobody");
    assert_eq!(&*failed.code, "speaker:silent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_for_mqtt_enrols_over_http_and_is_told_its_topics() {
    let broker = Broker::start(&[]).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(1)), &[]).await;
    let code = (DEVICE.to_owned(), "7Q2M".to_owned());
    gateway.inlet.codes.lock().extend([code]);
    let key = hex::encode(device_key(SECRET, DEVICE).public());
    let body = json!({ "code": "7Q2M", "key": key }).to_string();
    let envelope = call(DEVICE, "enrol", &body, now());
    let header = envelope["authorization"].as_str().expect("a header");
    let reply = gateway
        .channel
        .serve(Request {
            method: "POST".into(),
            path: "enrol".into(),
            headers: vec![("authorization".into(), header.into())],
            body: body.into(),
            ..Request::default()
        })
        .await;
    let welcome: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(reply.status, 200, "{welcome}");
    assert_eq!(
        welcome["topics"]["group"], "tocsin/horn/groups/PW-217001",
        "{welcome}"
    );
}
