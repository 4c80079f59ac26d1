//! The controller API call by call, without a socket: what is answered to whom.

mod voice;

use std::sync::Arc;
use std::time::Duration;

use channel::testing::{RecordingInlet, context};
use channel::{
    Action, Address, Authority, Channel, Clock, Command, Context, FailureClass, Key, Message, Of,
    Part, Power, PresenceState, Reply, Request, Stop, SystemClock, Timestamp, Variant, Verdict,
};
use loudspeaker::order::{Order, Orders, Verifier, Window};
use loudspeaker::peer::device_key;
use loudspeaker::{Call, Config, DeviceKey, Loudspeaker, Secret, Welcome};

const SECRET: &str = "a secret only for these tests";
const SEED: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const DEVICE: &str = "510727217001";
const KEY: Key = Key {
    alert: 7,
    delivery: 1,
    generation: 0,
};

fn speaker() -> (Arc<Loudspeaker>, Arc<RecordingInlet>) {
    speaking(Arc::new(channel::Mute))
}

/// Of a house with these sounds.
fn speaking(sounds: Arc<dyn channel::Sounds>) -> (Arc<Loudspeaker>, Arc<RecordingInlet>) {
    let (context, inlet) = context("speakers");
    let context = Context { sounds, ..context };
    let key = device_key(SECRET, DEVICE).public();
    inlet.keys.lock().insert(DEVICE.into(), key);
    let config = Config {
        fetch_timeout: Duration::from_secs(2),
        returning: Duration::ZERO,
        ..Config::new("test", Secret::new(SECRET), Secret::new(SEED))
    };
    (
        Arc::new(Loudspeaker::new(config, context).expect("a good configuration")),
        inlet,
    )
}

fn message(serial: u64) -> Message {
    Message {
        key: KEY,
        serial,
        variant: Arc::new(Variant::new(
            "zh-CN",
            "山洪灾害红色预警",
            "请立即向高处转移。",
        )),
        address: Address::new(DEVICE),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    }
}

/// A call as a device makes it, signed with the key that the peer gives to that device.
fn signed(device: &str, path: &str, body: &serde_json::Value) -> Request {
    let body = body.to_string();
    let call = Call {
        path,
        device,
        time: SystemClock::default().now(),
        body: body.as_bytes(),
    };
    let header = device_key(SECRET, device).authorization(&call);
    Request {
        method: "POST".into(),
        path: path.into(),
        headers: vec![("authorization".into(), header)],
        body: body.into(),
        ..Request::default()
    }
}

fn poll(after: u64, wait: u64) -> Request {
    post(
        "orders",
        &serde_json::json!({ "after": after, "wait": wait }),
    )
}

fn post(path: &str, body: &serde_json::Value) -> Request {
    signed(DEVICE, path, body)
}

fn played(order: &str) -> serde_json::Value {
    serde_json::json!({ "order": order, "state": "played", "whole": true,
        "source": "network", "seconds": 20, "code": "", "at": 1_784_044_800_000_i64 })
}

fn orders(reply: &Reply, speaker: &Loudspeaker) -> Vec<Order> {
    assert_eq!(reply.status, 200);
    let orders: Orders = serde_json::from_slice(&reply.body).expect("orders");
    let verifier = Verifier::new(DEVICE, &speaker.public_keys()).expect("a key");
    let open = |signed| {
        verifier
            .verify(signed, &Window::default(), SystemClock::default().now())
            .expect("a good order")
    };
    orders.orders.iter().map(open).collect()
}

fn code(reply: &Reply) -> (u16, String) {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    (
        reply.status,
        body["code"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn a_call_without_the_devices_own_key_is_refused_and_leaves_no_trace() {
    let (speaker, inlet) = speaker();
    let report = played("7-0-0123456789ab-0123456789abcdef");
    let beat = serde_json::json!({ "state": "idle" });
    let poll = serde_json::json!({ "after": 0, "wait": 0 });
    for (path, body) in [
        ("orders", &poll),
        ("sounds", &serde_json::json!({ "sha256": "00".repeat(32) })),
        ("reports", &report),
        ("heartbeats", &beat),
    ] {
        let good = post(path, body);
        let unsigned = Request {
            headers: Vec::new(),
            ..good.clone()
        };
        // A neighbour's signature under this device's name, a body changed on its way, a call moved to another path.
        let mut borrowed = signed("510727217002", path, body);
        borrowed.headers[0].1 = borrowed.headers[0].1.replace("510727217002", DEVICE);
        let changed = Request {
            body: format!("{body} ").into(),
            ..good.clone()
        };
        let moved = Request {
            headers: post("enrol", body).headers,
            ..good.clone()
        };
        for wrong in [unsigned, borrowed, changed, moved] {
            assert_eq!(
                code(&speaker.serve(wrong).await),
                (401, "unproven".into()),
                "{path}"
            );
        }
        let stranger = signed("510727217002", path, body);
        assert_eq!(
            code(&speaker.serve(stranger).await),
            (401, "not-enrolled".into())
        );
        let old = Call {
            path,
            device: DEVICE,
            time: Timestamp(SystemClock::default().now().0 - 301_000),
            body: &good.body,
        };
        let header = device_key(SECRET, DEVICE).authorization(&old);
        let stale = Request {
            headers: vec![("authorization".into(), header)],
            ..good
        };
        let reply = speaker.serve(stale).await;
        assert_eq!(code(&reply), (401, "stale-time".into()));
        let body: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert!(
            body["time"].as_i64().is_some(),
            "by which the device signs anew"
        );
    }
    assert!(inlet.receipts.lock().is_empty() && inlet.presences.lock().is_empty());
    let counted = speaker.refused();
    assert_eq!(
        counted,
        [("not-enrolled", 4), ("stale-time", 4), ("unproven", 16)]
    );
}

/// A device that shows this code, with the key that the peer gives it.
fn enrol(code: &str, key: &str) -> Request {
    signed(
        NEW,
        "enrol",
        &serde_json::json!({ "code": code, "key": key }),
    )
}

const NEW: &str = "510727217009";

#[tokio::test]
async fn a_code_and_the_devices_own_signature_enrol_it_once_and_tell_it_all_it_needs() {
    let (speaker, inlet) = speaker();
    inlet.codes.lock().insert(NEW.into(), "7Q2M".into());
    let own = hex::encode(device_key(SECRET, NEW).public());
    let others = hex::encode(device_key(SECRET, DEVICE).public());
    let beat = || signed(NEW, "heartbeats", &serde_json::json!({ "state": "idle" }));
    assert_eq!(
        code(&speaker.serve(beat()).await),
        (401, "not-enrolled".into())
    );
    for (request, wanted) in [
        (enrol("7Q2M", &others), (401, "unproven")),
        (enrol("7Q2M", "00"), (422, "bad-key")),
        (enrol("7Q2N", &own), (403, "bad-code")),
        (enrol(&"7".repeat(65), &own), (403, "bad-code")),
        (
            signed(NEW, "enrol", &serde_json::json!({ "code": 7 })),
            (400, "bad-body"),
        ),
    ] {
        let (status, code) = code(&speaker.serve(request).await);
        assert_eq!((status, code.as_str()), wanted);
    }
    let reply = speaker.serve(enrol("7Q2M", &own)).await;
    assert_eq!(reply.status, 200);
    let welcome: Welcome = serde_json::from_slice(&reply.body).expect("a welcome");
    assert_eq!(welcome.public_keys(), speaker.public_keys());
    assert_eq!(
        (welcome.device.as_str(), welcome.gateway.as_str()),
        (NEW, "test")
    );
    assert_eq!(welcome.address, "/v1/channels/speakers");
    assert!(welcome.counter > 1_700_000_000_000_000, "past is past");
    assert_eq!(speaker.serve(beat()).await.status, 200);
    let again = speaker.serve(enrol("7Q2M", &own)).await;
    assert_eq!(code(&again), (403, "bad-code".into()), "a code works once");
}

/// The device gives its key up for that of this seed; the call is signed by the key that the peer gives it.
fn rekey(new: &DeviceKey, proof: &str) -> Request {
    let key = hex::encode(new.public());
    post("rekey", &serde_json::json!({ "key": key, "proof": proof }))
}

#[tokio::test]
async fn a_device_gives_its_key_up_for_another_and_the_old_one_is_worth_nothing_after() {
    let (speaker, inlet) = speaker();
    let old = device_key(SECRET, DEVICE).public();
    let new = DeviceKey::from_seed(&"22".repeat(32)).expect("32 bytes");
    let thief = DeviceKey::from_seed(&"33".repeat(32)).expect("32 bytes");
    let beat = || post("heartbeats", &serde_json::json!({ "state": "idle" }));
    // Whoever has the old key alone shows no other's as his.
    for proof in [
        thief.proof(DEVICE, &old),
        new.proof("510727217002", &old),
        "00".into(),
    ] {
        let (status, code) = code(&speaker.serve(rekey(&new, &proof)).await);
        assert_eq!((status, code.as_str()), (422, "no-proof"));
    }
    inlet.away.store(true, std::sync::atomic::Ordering::SeqCst);
    let proof = new.proof(DEVICE, &old);
    let reply = speaker.serve(rekey(&new, &proof)).await;
    assert_eq!(code(&reply), (503, "not-kept".into()));
    assert_eq!(speaker.serve(beat()).await.status, 200, "the old one holds");
    inlet.away.store(false, std::sync::atomic::Ordering::SeqCst);
    // A poll that waits by the old key ends.
    let waiting = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.serve(poll(0, 30)).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(speaker.serve(rekey(&new, &proof)).await.status, 200);
    let reply = waiting.await.expect("no panic");
    assert_eq!(reply.status, 401);
    assert_eq!(code(&speaker.serve(beat()).await), (401, "unproven".into()));
    // A recording of the call itself does not bring the old key back either.
    let again = speaker.serve(rekey(&new, &proof)).await;
    assert_eq!(code(&again), (401, "unproven".into()));
    let body = serde_json::json!({ "state": "idle" }).to_string();
    let call = Call {
        path: "heartbeats",
        device: DEVICE,
        time: SystemClock::default().now(),
        body: body.as_bytes(),
    };
    let authorization = new.authorization(&call);
    let by_new = Request {
        headers: vec![("authorization".into(), authorization)],
        body: body.clone().into(),
        ..beat()
    };
    assert_eq!(speaker.serve(by_new).await.status, 200);
}

#[tokio::test]
async fn who_is_revoked_in_the_midst_of_a_poll_gets_no_order_any_more() {
    let (speaker, inlet) = speaker();
    let waiting = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.serve(poll(0, 30)).await }
    });
    while inlet.presences.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    inlet.keys.lock().clear();
    let sending = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.send(&message(5)).await }
    });
    let reply = waiting.await.expect("no panic");
    assert_eq!(code(&reply), (401, "not-enrolled".into()));
    let failure = sending.await.expect("no panic").expect_err("nobody has it");
    assert_eq!(failure.code, "speaker:silent");
}

fn command(serial: u64, action: Action) -> Command {
    let now = SystemClock::default().now();
    Command {
        serial,
        action,
        authority: Authority::County,
        devices: vec![DEVICE.into()],
        not_before: now,
        expires: now.plus(Duration::from_mins(10)),
    }
}

#[tokio::test]
async fn an_order_without_a_text_waits_for_its_device_and_its_result_is_kept() {
    let (speaker, inlet) = speaker();
    assert!(speaker.command(&command(8, Action::Volume { percent: 60 })));
    assert!(speaker.command(&command(9, Action::Stop { alert: 7 })));
    let given = orders(&speaker.serve(poll(0, 0)).await, &speaker);
    let kinds: Vec<_> = given
        .iter()
        .map(|o| (o.counter, o.kind.as_str(), o.value))
        .collect();
    assert_eq!(kinds, [(8, "volume", 60), (9, "stop", 0)]);
    assert!(given[1].stops("7-0-aa-bb"));
    // The same after a restart of the gateway: the same bytes, and nobody who has it gets it twice.
    let first = speaker.serve(poll(0, 0)).await.body;
    assert!(speaker.command(&command(9, Action::Stop { alert: 7 })));
    assert_eq!(speaker.serve(poll(0, 0)).await.body, first);
    let done = |code: &str| {
        let state = if code.is_empty() { "done" } else { "failed" };
        serde_json::json!({ "order": given[0].order, "state": state, "code": code, "at": 5 })
    };
    assert_eq!(speaker.serve(post("reports", &done(""))).await.status, 200);
    assert_eq!(
        speaker
            .serve(post("reports", &done("amplifier 13900000000")))
            .await
            .status,
        200
    );
    let obeyed: Vec<_> = inlet
        .obeyed
        .lock()
        .iter()
        .map(|o| (o.serial, o.done, o.code.clone()))
        .collect();
    assert_eq!(
        obeyed,
        [(8, true, String::new()), (8, false, "amplifier".into())]
    );
    assert_eq!(speaker.serve(poll(9, 0)).await.status, 204);
}

#[tokio::test]
async fn what_a_device_says_of_itself_is_kept_with_its_clock_error_and_its_last_sound() {
    let (speaker, _inlet) = speaker();
    assert_eq!(speaker.device(DEVICE), None);
    let clock = SystemClock::default().now().0 - 45_000;
    let beat = serde_json::json!({ "state": "playing", "clock": clock, "volume": 70, "power": "solar",
        "battery": 55, "free_mb": 900, "celsius": -4 });
    assert_eq!(speaker.serve(post("heartbeats", &beat)).await.status, 200);
    let local = serde_json::json!({ "state": "played", "source": "usb", "seconds": 61, "at": 7 });
    assert_eq!(speaker.serve(post("reports", &local)).await.status, 200);
    let said = speaker.device(DEVICE).expect("it was heard");
    let error = said.clock_error.expect("it has a clock");
    assert!((-50_000..=-45_000).contains(&error), "{error}");
    assert_eq!(
        (said.volume, said.power, said.battery),
        (Some(70), Some(Power::Solar), Some(55))
    );
    assert_eq!((said.free_mb, said.celsius), (Some(900), Some(-4)));
    let sounded = said.sounded.expect("somebody used it");
    assert_eq!(
        (sounded.source, sounded.seconds, sounded.at),
        ("usb", 61, Timestamp(7))
    );
}

/// The order that a gateway with this secret gives for the message, and the reference it is accepted by.
async fn given() -> (Order, Vec<String>) {
    let (speaker, _inlet) = speaker();
    let sending = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.send(&message(5)).await }
    });
    let order = orders(&speaker.serve(poll(0, 5)).await, &speaker).remove(0);
    assert_eq!(speaker.serve(poll(5, 0)).await.status, 204);
    let accepted = sending.await.expect("no panic").expect("fetched");
    (order, accepted.references)
}

#[tokio::test]
async fn a_report_on_an_order_that_was_never_given_is_refused() {
    let (speaker, inlet) = speaker();
    for shown in ["", "7-1-0", "7-0-0123456789ab-0123456789abcdef"] {
        assert_eq!(
            speaker.serve(post("reports", &played(shown))).await.status,
            403
        );
    }
    assert!(inlet.receipts.lock().is_empty());
}

#[tokio::test]
async fn a_report_after_a_restart_speaks_by_the_reference_that_was_journaled() {
    let (order, references) = given().await;
    // A second gateway of the same secret: its desk is empty.
    let (speaker, inlet) = speaker();
    let report = post("reports", &played(&order.order));
    assert_eq!(speaker.serve(report).await.status, 200);
    let receipts = inlet.receipts.lock();
    assert_eq!(receipts[0].of, Of::Reference(references.concat()));
    assert_eq!(receipts[0].far, Some(Timestamp(1_784_044_800_000)));
}

#[tokio::test]
async fn a_poll_waits_for_its_order_and_the_next_one_proves_the_fetch() {
    let (speaker, _inlet) = speaker();
    let waiting = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.serve(poll(0, 30)).await }
    });
    let sending = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.send(&message(5)).await }
    });
    let order = orders(&waiting.await.expect("no panic"), &speaker).remove(0);
    assert_eq!((order.counter, order.to.as_str()), (5, DEVICE));
    assert!(order.order.starts_with("7-0-"), "{}", order.order);
    assert!(!sending.is_finished(), "written is not yet fetched");
    assert_eq!(speaker.serve(poll(5, 0)).await.status, 204);
    let accepted = sending.await.expect("no panic").expect("fetched");
    assert_eq!(accepted.references.len(), 1);
    assert_eq!(
        accepted.references,
        given().await.1,
        "the same at any gateway of this secret"
    );
    assert_eq!(
        orders(&speaker.serve(poll(0, 0)).await, &speaker).len(),
        1,
        "a second fetch is harmless"
    );
}

#[tokio::test]
async fn an_order_that_was_played_whole_is_not_given_out_again() {
    let (speaker, inlet) = speaker();
    let sending = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.send(&message(5)).await }
    });
    let order = orders(&speaker.serve(poll(0, 5)).await, &speaker).remove(0);
    inlet.away.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(
        speaker
            .serve(post("reports", &played(&order.order)))
            .await
            .status,
        503
    );
    assert_eq!(
        speaker.serve(poll(0, 0)).await.status,
        200,
        "what could not be kept changes nothing"
    );
    inlet.away.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(
        speaker
            .serve(post("reports", &played(&order.order)))
            .await
            .status,
        200
    );
    assert_eq!(speaker.serve(poll(0, 0)).await.status, 204);
    sending.await.expect("no panic").expect("fetched");
    assert!(
        matches!(inlet.receipts.lock()[..], [ref one] if matches!(one.verdict, Verdict::Reached(_)))
    );
}

#[tokio::test]
async fn a_drill_whose_text_does_not_say_so_never_leaves() {
    let (speaker, _inlet) = speaker();
    let mut variant = Variant::new("zh-CN", "山洪灾害红色预警", "请立即向高处转移。");
    variant.drill = true;
    let failure = speaker
        .send(&Message {
            variant: Arc::new(variant),
            ..message(5)
        })
        .await
        .expect_err("refused");
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::BadContent, "speaker:unmarked-drill")
    );
    assert_eq!(speaker.serve(poll(0, 0)).await.status, 204);
}

#[tokio::test]
async fn local_play_and_heartbeats_are_presence_and_no_receipt() {
    let (speaker, inlet) = speaker();
    let local = serde_json::json!({ "state": "played", "whole": true, "source": "microphone" });
    assert_eq!(speaker.serve(post("reports", &local)).await.status, 200);
    let beat = serde_json::json!({ "state": "fault", "clock": 0, "volume": 80 });
    let reply = speaker.serve(post("heartbeats", &beat)).await;
    let time: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert!(
        time["time"]
            .as_i64()
            .is_some_and(|now| now > 1_700_000_000_000)
    );
    assert!(inlet.receipts.lock().is_empty());
    let seen: Vec<_> = inlet
        .presences
        .lock()
        .iter()
        .map(|seen| (seen.state, seen.code.clone()))
        .collect();
    let wanted = [
        (PresenceState::Idle, "heard"),
        (PresenceState::Playing, "heard"),
        (PresenceState::Fault, "clock-wrong"),
    ];
    assert_eq!(seen, wanted.map(|(state, code)| (state, code.to_owned())));
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_told_precisely_and_changes_nothing() {
    let (speaker, inlet) = speaker();
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let report = |text: &str| post("reports", &json(text));
    let beat = |text: &str| post("heartbeats", &json(text));
    let polled = |text: &str| post("orders", &json(text));
    let mut torn = post("reports", &played(""));
    torn = signed_bytes("reports", &torn.body[..20]);
    let wide: Vec<_> = (1..=17).map(|n| n.to_string()).collect();
    let huge = serde_json::json!({ "order": "x".repeat(20_000), "state": "played" });
    let deep = "[".repeat(10_000);
    let table = [
        (post("elsewhere", &json("{}")), 404, "unknown-call"),
        (
            Request {
                method: "GET".into(),
                ..poll(0, 0)
            },
            405,
            "wrong-method",
        ),
        (torn, 400, "bad-body"),
        (signed_bytes("reports", b""), 400, "bad-body"),
        (signed_bytes("orders", deep.as_bytes()), 400, "bad-body"),
        (signed_bytes("heartbeats", b"\xff\xfe"), 400, "bad-body"),
        (post("reports", &huge), 413, "too-long"),
        (report("{}"), 400, "bad-body"),
        (report(r#"{"state":"sung"}"#), 400, "bad-body"),
        (
            report(r#"{"state":"played","source":"choir"}"#),
            400,
            "bad-body",
        ),
        (
            report(r#"{"state":"played","seconds":-1}"#),
            400,
            "bad-body",
        ),
        (report(r#"{"state":"playing"}"#), 422, "no-order"),
        (
            report(r#"{"state":"played","order":""}"#),
            403,
            "unknown-order",
        ),
        (
            report(r#"{"state":"done","order":"0-1-stop-0123456789abcdef"}"#),
            403,
            "unknown-order",
        ),
        (beat(r#"{"state":"silent"}"#), 422, "bad-heartbeat"),
        (beat(r#"{"state":"enrolled"}"#), 422, "bad-heartbeat"),
        (
            beat(r#"{"state":"idle","volume":101}"#),
            422,
            "bad-heartbeat",
        ),
        (
            beat(r#"{"state":"idle","battery":200}"#),
            422,
            "bad-heartbeat",
        ),
        (beat(r#"{"state":"idle","volume":300}"#), 400, "bad-body"),
        (beat(r#"{"state":"idle","power":"wind"}"#), 400, "bad-body"),
        (polled(r#"{"after":-1}"#), 400, "bad-body"),
        (polled(r#"{"after":5,"took":[5]}"#), 400, "bad-poll"),
        (
            polled(&format!(r#"{{"took":[{}]}}"#, wide.join(","))),
            400,
            "bad-poll",
        ),
    ];
    let count = table.len() as u64;
    for (request, status, wanted) in table {
        let shown = format!("{} {:.60?}", request.path, request.body);
        assert_eq!(
            code(&speaker.serve(request).await),
            (status, wanted.to_owned()),
            "{shown}"
        );
    }
    assert!(inlet.receipts.lock().is_empty() && inlet.obeyed.lock().is_empty());
    assert_eq!(speaker.refused().iter().map(|(_, n)| n).sum::<u64>(), count);
}

fn signed_bytes(path: &str, body: &[u8]) -> Request {
    let call = Call {
        path,
        device: DEVICE,
        time: SystemClock::default().now(),
        body,
    };
    let header = device_key(SECRET, DEVICE).authorization(&call);
    Request {
        method: "POST".into(),
        path: path.into(),
        headers: vec![("authorization".into(), header)],
        body: body.to_vec().into(),
        ..Request::default()
    }
}

#[tokio::test]
async fn a_poll_that_waits_is_let_go_when_the_gateway_closes() {
    let (speaker, _inlet) = speaker();
    let stop = Stop::new();
    let run = tokio::spawn({
        let (speaker, stop) = (speaker.clone(), stop.clone());
        async move { speaker.run(stop).await }
    });
    let waiting = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.serve(poll(0, 30)).await }
    });
    stop.cancel();
    run.await.expect("run ends");
    assert_eq!(waiting.await.expect("no panic").status, 503);
}

#[tokio::test]
async fn no_order_is_given_up_before_devices_had_the_time_to_come_back_after_a_start() {
    let (context, _inlet) = context("speakers");
    let config = Config {
        fetch_timeout: Duration::from_millis(100),
        returning: Duration::from_millis(900),
        ..Config::new("test", Secret::new(SECRET), Secret::new(SEED))
    };
    let speaker = Loudspeaker::new(config, context).expect("a good configuration");
    let clock = SystemClock::default();
    let failure = speaker.send(&message(5)).await.expect_err("nobody calls");
    assert_eq!(failure.code, "speaker:silent");
    assert!(clock.tick() >= Duration::from_millis(900), "just begun");
    let before = clock.tick();
    speaker.send(&message(6)).await.expect_err("nobody calls");
    assert!(
        clock.tick().saturating_sub(before) < Duration::from_millis(900),
        "by now they are back or silent"
    );
}

/// A flood warning in pieces: a tone, a recording in Qiang, and the words.
fn in_pieces(serial: u64, recording: &channel::Sound) -> Message {
    let mut message = message(serial);
    let variant = Arc::get_mut(&mut message.variant).expect("nobody else has it");
    variant.parts = vec![
        Part::Tone {
            name: "gong-fast".into(),
            seconds: 8,
        },
        Part::Sound {
            sound: recording.clone(),
            language: "qxs".into(),
        },
        Part::Text {
            text: "请立即向高处转移。".into(),
            language: "zh-CN".into(),
        },
    ];
    message
}

/// The order that a message becomes.
async fn ordered(speaker: &Arc<Loudspeaker>, message: Message, after: u64) -> Order {
    let sending = tokio::spawn({
        let speaker = speaker.clone();
        async move { speaker.send(&message).await }
    });
    let reply = speaker.serve(poll(after, 5)).await;
    let order = orders(&reply, speaker).remove(0);
    speaker.serve(poll(order.counter, 0)).await;
    sending.await.expect("no panic").expect("it has it");
    order
}

#[tokio::test]
async fn an_order_names_its_pieces_and_a_device_fetches_each_sound_by_its_hash() {
    let voice = Arc::new(voice::Voice::default());
    let recording = voice.keep(b"a recording in Qiang");
    let spoken = voice.says("请立即向高处转移。", b"the words, spoken");
    let (speaker, _) = speaking(voice.clone());
    let serial = channel::serial_floor(SystemClock::default().now()) + 1;
    let order = ordered(&speaker, in_pieces(serial, &recording), 0).await;
    let shown = serde_json::to_value(&order.parts).expect("JSON");
    let wanted = serde_json::json!([
        { "kind": "tone", "name": "gong-fast", "seconds": 8 },
        { "kind": "sound", "language": "qxs", "sound": recording },
        { "kind": "text", "language": "zh-CN", "text": "请立即向高处转移。", "sound": spoken },
    ]);
    assert_eq!(shown, wanted);
    assert_eq!(order.text, "请立即向高处转移。", "for whom knows no pieces");
    let ask = |hash: &str| post("sounds", &serde_json::json!({ "sha256": hash }));
    for (sound, bytes) in [
        (&recording, &b"a recording in Qiang"[..]),
        (&spoken, b"the words, spoken"),
    ] {
        let reply = speaker.serve(ask(&sound.sha256)).await;
        assert_eq!((reply.status, &reply.body[..]), (200, bytes));
    }
    let missing = speaker.serve(ask(&"0".repeat(64))).await;
    assert_eq!(code(&missing), (404, "no-sound".into()));
    for bad in ["", "../../journal.sqlite", &"x".repeat(64)] {
        assert_eq!(
            code(&speaker.serve(ask(bad)).await),
            (422, "bad-sound".into())
        );
    }
    let body = code(&speaker.serve(post("sounds", &serde_json::json!([]))).await);
    assert_eq!(body, (400, "bad-body".into()));
}

#[tokio::test]
async fn the_same_words_spoken_with_other_bytes_are_the_same_order_and_another_recording_is_not() {
    let voice = Arc::new(voice::Voice::default());
    let recording = voice.keep(b"a recording in Qiang");
    let (speaker, _) = speaking(voice.clone());
    let serial = channel::serial_floor(SystemClock::default().now()) + 1;
    let mute = ordered(&speaker, in_pieces(serial, &recording), 0).await;
    assert_eq!(mute.parts[2].sound, None, "nobody speaks it");
    voice.says("请立即向高处转移。", b"once");
    let once = ordered(&speaker, in_pieces(serial + 1, &recording), mute.counter).await;
    voice.says("请立即向高处转移。", b"again, by another encoder");
    let again = ordered(&speaker, in_pieces(serial + 2, &recording), once.counter).await;
    assert_ne!(once.parts, again.parts);
    assert_eq!((&mute.order, &once.order), (&once.order, &again.order));
    let other = voice.keep(b"a newer recording in Qiang");
    let other = ordered(&speaker, in_pieces(serial + 3, &other), again.counter).await;
    assert_ne!(other.order, again.order);
}

#[tokio::test]
async fn a_text_alone_is_spoken_where_the_house_has_a_voice_and_stays_as_it_was_where_not() {
    let voice = Arc::new(voice::Voice::default());
    let (speaker, _) = speaking(voice.clone());
    let serial = channel::serial_floor(SystemClock::default().now()) + 1;
    let plain = ordered(&speaker, message(serial), 0).await;
    assert_eq!(plain.parts, []);
    let spoken = voice.says("请立即向高处转移。", b"the words, spoken");
    let voiced = ordered(&speaker, message(serial + 1), plain.counter).await;
    assert_eq!(voiced.parts[0].sound.as_ref(), Some(&spoken));
}
