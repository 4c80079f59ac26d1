//! A device gives its key up for another over the broker, where anybody may hear it, keep it back, give it again or make
//! one of their own.

use std::sync::Arc;
use std::time::Duration;

use channel::{PublicKey, SystemClock, Timestamp};
use loudspeaker::mqtt::{Answer, Pipe};
use loudspeaker::order::Verifier;
use loudspeaker::peer::device_key;
use loudspeaker::{Call, DeviceKey, Heartbeat, Line};
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::kit::{CHANNEL, Evil, Gateway, SECRET, config, now, settings, until};

const DEVICE: &str = "PW-217001-02";

fn first() -> DeviceKey {
    device_key(SECRET, DEVICE)
}

fn other(digits: &str) -> DeviceKey {
    DeviceKey::from_seed(&digits.repeat(32)).expect("32 bytes")
}

/// A call by this key, at this time.
fn signed(key: &DeviceKey, path: &str, body: &Value, time: Timestamp) -> Value {
    let body = body.to_string();
    let call = Call {
        path,
        device: DEVICE,
        time,
        body: body.as_bytes(),
    };
    json!({ "call": path, "body": body, "authorization": key.authorization(&call) })
}

/// The step from one key to another, proved by whoever has `prover`, and called by `old`.
fn step(old: &DeviceKey, new: &DeviceKey, prover: &DeviceKey, time: Timestamp) -> Value {
    let proof = prover.proof(DEVICE, &old.public());
    let body = json!({ "key": hex::encode(new.public()), "proof": proof });
    signed(old, "rekey", &body, time)
}

/// As the broker brings it.
async fn hears(gateway: &Gateway, call: &Value) -> Option<Answer> {
    let topic = format!("tocsin/{CHANNEL}/calls/{DEVICE}");
    let payload = call.to_string().into_bytes().into();
    gateway.channel.hear(&topic, payload).await
}

async fn status(gateway: &Gateway, call: &Value) -> Option<(u16, String)> {
    let answer = hears(gateway, call).await?;
    let code = answer.reply["code"].as_str().unwrap_or_default();
    Some((answer.status, code.to_owned()))
}

fn stands(gateway: &Gateway) -> Option<PublicKey> {
    gateway.inlet.keys.lock().get(DEVICE).copied()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_changes_its_key_over_mqtt_and_what_is_heard_of_it_is_worth_nothing() {
    let broker = Broker::start(&[DEVICE]).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(1)), &[DEVICE]).await;
    let evil = Evil::start(&broker).await;
    let verifier = Verifier::new(DEVICE, &gateway.channel.public_keys()).expect("the keys");
    let pipe = Pipe::open(&settings(&broker, Some(DEVICE)), CHANNEL, verifier);
    let pipe = Arc::new(pipe.expect("a good broker"));
    let line = Line::over_mqtt(pipe, DEVICE, first(), Arc::new(SystemClock::default()));
    let mut answered = line.heartbeat(&Heartbeat::idle()).await;
    while answered.is_err() {
        // Its connection is not there yet.
        tokio::time::sleep(Duration::from_millis(50)).await;
        answered = line.heartbeat(&Heartbeat::idle()).await;
    }
    let line = line.rekey(other("22")).await.expect("it is answered");
    assert_eq!(stands(&gateway), Some(other("22").public()));
    line.heartbeat(&Heartbeat::idle())
        .await
        .expect("by the new");
    // Whoever heard the call gives it again: no key that stands has signed it.
    let is_step = |payload: &[u8]| String::from_utf8_lossy(payload).contains("\"rekey\"");
    let heard = evil.heard("calls");
    let heard = heard.iter().find(|heard| is_step(&heard.payload));
    let before = gateway.refused("unproven");
    evil.says(
        "calls",
        DEVICE,
        heard.expect("it was heard").payload.clone(),
    )
    .await;
    until("it is refused", || {
        gateway.refused("unproven") == before + 1
    })
    .await;
    assert_eq!(stands(&gateway), Some(other("22").public()));
}

#[tokio::test]
async fn a_step_to_another_key_over_mqtt_counts_once_even_where_its_device_has_gone_back() {
    let gateway = Gateway::enrolled(&[DEVICE]).await;
    let (a, b) = (first(), other("22"));
    let at = |seconds| now().plus(Duration::from_secs(seconds));
    let there = step(&a, &b, &b, at(1));
    assert_eq!(status(&gateway, &there).await, Some((200, String::new())));
    let back = step(&b, &a, &a, at(2));
    assert_eq!(status(&gateway, &back).await, Some((200, String::new())));
    assert_eq!(stands(&gateway), Some(a.public()));
    // Signed by the key that stands, proved by the one that it names, and in time.
    let again = status(&gateway, &there).await;
    assert_eq!(again, Some((409, "replayed".into())));
    assert_eq!(stands(&gateway), Some(a.public()));
    assert_eq!(gateway.refused("replayed"), 1);
}

#[tokio::test]
async fn nobody_takes_a_device_over_by_mqtt_with_one_of_the_two_keys() {
    let gateway = Gateway::enrolled(&[DEVICE]).await;
    let (own, thief) = (first(), other("33"));
    // A thief's own step, signed by no key that stands: nobody knows who that was.
    let forged = step(&thief, &thief, &thief, now());
    assert_eq!(status(&gateway, &forged).await, None);
    assert_eq!(gateway.refused("unproven"), 1);
    // Signed by the device's key, to one whose holder proves nothing.
    let stolen = step(&own, &other("22"), &thief, now());
    let refused = status(&gateway, &stolen).await;
    assert_eq!(refused, Some((422, "no-proof".into())));
    let old = Timestamp(now().0 - 600_000);
    let stale = step(&own, &other("22"), &other("22"), old);
    let refused = status(&gateway, &stale).await;
    assert_eq!(refused, Some((401, "stale-time".into())));
    assert_eq!(stands(&gateway), Some(own.public()));
}

#[tokio::test]
async fn after_a_lost_call_or_a_lost_answer_over_mqtt_a_device_goes_by_the_key_that_is_answered() {
    let gateway = Gateway::enrolled(&[DEVICE]).await;
    let (old, new) = (first(), other("22"));
    let beat = json!({ "state": "idle" });
    let beats = async |key: &DeviceKey, seconds| {
        let time = now().plus(Duration::from_secs(seconds));
        hears(&gateway, &signed(key, "heartbeats", &beat, time)).await
    };
    // The call never came: the new key gets no answer, the old one does, and asks again.
    assert_eq!(beats(&new, 1).await, None);
    assert!(beats(&old, 2).await.is_some());
    let again = step(&old, &new, &new, now().plus(Duration::from_secs(3)));
    // It came, and its answer is lost: now the old one gets none.
    assert!(hears(&gateway, &again).await.is_some());
    assert_eq!(beats(&old, 4).await, None);
    let answer = beats(&new, 5).await.expect("it is answered");
    assert_eq!((answer.status, &*answer.to), (200, DEVICE));
    assert_eq!(stands(&gateway), Some(new.public()));
    // The journal takes nothing: the old key goes on.
    gateway
        .inlet
        .away
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let third = step(
        &new,
        &other("44"),
        &other("44"),
        now().plus(Duration::from_secs(6)),
    );
    assert_eq!(
        status(&gateway, &third).await,
        Some((503, "not-kept".into()))
    );
    assert_eq!(stands(&gateway), Some(new.public()));
}
