//! The controller API call by call, without a socket: what is answered to whom.

use std::sync::Arc;
use std::time::Duration;

use channel::testing::{RecordingInlet, context};
use channel::{
    Address, Channel, Clock, FailureClass, Key, Message, Of, PresenceState, Reply, Request, Stop,
    SystemClock, Timestamp, Variant, Verdict,
};
use loudspeaker::order::{Order, Orders, Verifier, Window};
use loudspeaker::{Config, Loudspeaker, Secret, device_key};

const SECRET: &str = "a secret only for these tests";
const SEED: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const DEVICE: &str = "510727217001";
const KEY: Key = Key {
    alert: 7,
    delivery: 1,
    generation: 0,
};

fn speaker() -> (Arc<Loudspeaker>, Arc<RecordingInlet>) {
    let (context, inlet) = context("speakers");
    let config = Config {
        fetch_timeout: Duration::from_secs(2),
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

fn signed_in(device: &str) -> Vec<(String, String)> {
    vec![(
        "authorization".into(),
        format!("Bearer {}", device_key(SECRET, device)),
    )]
}

fn poll(after: u64, wait: u64) -> Request {
    let query = [
        ("device", DEVICE.to_owned()),
        ("after", after.to_string()),
        ("wait", wait.to_string()),
    ];
    Request {
        method: "GET".into(),
        path: "orders".into(),
        query: query
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        headers: signed_in(DEVICE),
        ..Request::default()
    }
}

fn post(path: &str, body: &serde_json::Value) -> Request {
    Request {
        method: "POST".into(),
        path: path.into(),
        headers: signed_in(DEVICE),
        body: body.to_string().into(),
        ..Request::default()
    }
}

fn played(order: &str) -> serde_json::Value {
    serde_json::json!({ "device": DEVICE, "order": order, "state": "played", "whole": true,
        "source": "gateway", "seconds": 20, "code": "", "at": 1_784_044_800_000_i64 })
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

#[tokio::test]
async fn a_call_without_the_devices_own_key_is_refused_and_leaves_no_trace() {
    let (speaker, inlet) = speaker();
    for headers in [Vec::new(), signed_in("510727217002")] {
        assert_eq!(
            speaker
                .serve(Request {
                    headers: headers.clone(),
                    ..poll(0, 0)
                })
                .await
                .status,
            401
        );
        let report = Request {
            headers: headers.clone(),
            ..post("reports", &played("7-0-0123456789ab-0123456789abcdef"))
        };
        assert_eq!(speaker.serve(report).await.status, 401);
        let beat = serde_json::json!({ "device": DEVICE, "state": "idle" });
        assert_eq!(
            speaker
                .serve(Request {
                    headers,
                    ..post("heartbeats", &beat)
                })
                .await
                .status,
            401
        );
    }
    assert!(inlet.receipts.lock().is_empty() && inlet.presences.lock().is_empty());
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
    let local = serde_json::json!({ "device": DEVICE, "state": "played", "whole": true, "source": "microphone" });
    assert_eq!(speaker.serve(post("reports", &local)).await.status, 200);
    let beat = serde_json::json!({ "device": DEVICE, "state": "fault", "clock": 0, "volume": 80 });
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
        (PresenceState::Idle, ""),
        (PresenceState::Playing, "local"),
        (PresenceState::Fault, "clock-wrong"),
    ];
    assert_eq!(seen, wanted.map(|(state, code)| (state, code.to_owned())));
}

#[tokio::test]
async fn what_is_no_call_of_this_api_is_told_so() {
    let (speaker, _inlet) = speaker();
    let status = |request| async { speaker.serve(request).await.status };
    assert_eq!(
        status(Request {
            path: "elsewhere".into(),
            ..poll(0, 0)
        })
        .await,
        404
    );
    assert_eq!(
        status(Request {
            method: "PUT".into(),
            ..poll(0, 0)
        })
        .await,
        405
    );
    assert_eq!(
        status(post("reports", &serde_json::json!({ "device": DEVICE }))).await,
        400
    );
    assert_eq!(
        status(Request {
            body: vec![b' '; 20_000].into(),
            ..post("reports", &played(""))
        })
        .await,
        413
    );
    let nameless = serde_json::json!({ "device": DEVICE, "state": "playing" });
    assert_eq!(status(post("reports", &nameless)).await, 422);
    let mut strange = poll(0, 0);
    strange.query[1].1 = "-1".into();
    assert_eq!(status(strange).await, 400);
    let mut wide = poll(0, 0);
    let took: Vec<_> = (1..=17).map(|n| n.to_string()).collect();
    wide.query.push(("took".into(), took.join(",")));
    assert_eq!(status(wide).await, 400);
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
