//! Reports on earthquakes on their way to the terminals: what lies on the desk for whom, in which order, and what is made of
//! what they say.

mod gateway;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use channel::testing::{RecordingInlet, context};
use channel::{
    Action, Alarm, Authority, Channel, Clock, Command, Quake, Reply, Request, Shaking, Shock,
    SystemClock, Timestamp,
};
use loudspeaker::order::{
    Order, Orders, QUAKE, QUAKE_CANCEL, Refusal, Signed, Tremor, Verifier, Window,
};
use loudspeaker::peer::{Peer, Settings, device_key};
use loudspeaker::{Call, Config, Loudspeaker, Secret};
use serde_json::json;

const SECRET: &str = "a secret only for these tests";
const SEED: &str = "0101010101010101010101010101010101010101010101010101010101010101";

fn now() -> Timestamp {
    SystemClock::default().now()
}

fn device(number: u64) -> String {
    format!("5107272170{number:05}")
}

fn speaker(devices: u64) -> (Arc<Loudspeaker>, Arc<RecordingInlet>) {
    let (context, inlet) = context("speakers");
    for device in (1..=devices).map(device) {
        let key = device_key(SECRET, &device).public();
        inlet.keys.lock().insert(device, key);
    }
    let config = Config::new("pingwu", Secret::new(SECRET), Secret::new(SEED));
    let channel = Loudspeaker::new(config, context).expect("a good configuration");
    (Arc::new(channel), inlet)
}

/// Serials that no two reports of a test share.
fn serial(report: u32, number: u64) -> u64 {
    4_000_000_000_000_000 + u64::from(report) * 10_000 + number
}

/// A report for the devices 1 to `devices`, each shaken a little later than the one before.
fn report(number: u32, devices: u64) -> Quake {
    let origin = now();
    let shock = |n: u64| Shock {
        serial: serial(number, n),
        device: device(n),
        intensity: 7,
        arrival: origin.plus(Duration::from_millis(20_000 + n)),
        alarm: Alarm::Red,
    };
    Quake {
        event: "sc-20260714-0217".into(),
        report: number,
        drill: false,
        what: Shaking::Comes {
            origin,
            magnitude: 63,
            shocks: (1..=devices).map(shock).collect(),
        },
        text: "地震预警。".into(),
        since: origin,
    }
}

fn cancel(number: u32, devices: u64) -> Quake {
    Quake {
        what: Shaking::CalledOff {
            serial: serial(number, 5_000),
            devices: (1..=devices).map(device).collect(),
            until: now().plus(Duration::from_mins(2)),
        },
        text: "地震预警取消。".into(),
        ..report(number, 0)
    }
}

async fn called(speaker: &Loudspeaker, device: &str, path: &str, body: serde_json::Value) -> Reply {
    let body = body.to_string();
    let call = Call {
        path,
        device,
        time: now(),
        body: body.as_bytes(),
    };
    let header = device_key(SECRET, device).authorization(&call);
    let request = Request {
        method: "POST".into(),
        path: path.into(),
        headers: vec![("authorization".into(), header)],
        body: body.into(),
        ..Request::default()
    };
    speaker.serve(request).await
}

/// What a device that has taken nothing yet finds, as it was signed and as it is checked.
async fn found(speaker: &Loudspeaker, device: &str) -> Vec<(Signed, Order)> {
    let reply = called(speaker, device, "orders", json!({ "wait": 0 })).await;
    if reply.status == 204 {
        return Vec::new();
    }
    let orders: Orders = serde_json::from_slice(&reply.body).expect("orders");
    let verifier = Verifier::new(device, &speaker.public_keys()).expect("two keys");
    let open = |signed: Signed| {
        let order = verifier.verify(&signed, &Window::default(), now());
        (signed, order.expect("a good order"))
    };
    orders.orders.into_iter().map(open).collect()
}

async fn brief(speaker: &Loudspeaker, device: &str) -> Vec<(String, u32)> {
    let found = found(speaker, device).await;
    let brief = found
        .into_iter()
        .map(|(_, order)| (order.kind, order.value));
    brief.collect()
}

#[tokio::test]
async fn each_terminal_finds_its_own_signed_estimate_and_no_others() {
    let (speaker, _) = speaker(4);
    let quake = report(1, 3);
    assert!(speaker.shake(&quake));
    let Shaking::Comes {
        origin,
        magnitude,
        shocks,
    } = &quake.what
    else {
        unreachable!("it comes")
    };
    for shock in shocks {
        let found = found(&speaker, &shock.device).await;
        let [(signed, order)] = &found[..] else {
            panic!("{found:?}")
        };
        let tremor = Tremor {
            origin: *origin,
            arrival: shock.arrival,
            intensity: 7,
            magnitude: *magnitude,
            alarm: Alarm::Red,
        };
        assert_eq!(order.quake, Some(tremor));
        assert_eq!((&order.to, order.counter), (&shock.device, shock.serial));
        assert_eq!((&*order.target, order.value), (&*quake.event, 1));
        assert_eq!(order.expires, shock.arrival.plus(Duration::from_secs(10)));
        let other = Verifier::new(device(99), &speaker.public_keys()).expect("two keys");
        let refused = other.verify(signed, &Window::default(), now());
        assert_eq!(refused, Err(Refusal::NotAddressed));
    }
    assert!(found(&speaker, &device(4)).await.is_empty());
}

#[tokio::test]
async fn the_newest_word_alone_lies_there_and_the_same_again_changes_nothing() {
    let (speaker, _) = speaker(2);
    let (first, second) = (report(1, 2), report(2, 1));
    assert!(speaker.shake(&second) && speaker.shake(&first));
    let quake = |report| (QUAKE.to_owned(), report);
    assert_eq!(brief(&speaker, &device(1)).await, [quake(2)], "never back");
    assert_eq!(brief(&speaker, &device(2)).await, [quake(1)]);
    let before = found(&speaker, &device(1)).await;
    assert!(speaker.shake(&second) && speaker.shake(&first));
    assert_eq!(found(&speaker, &device(1)).await, before);
    // Beside it lies what is about another, and a drill of the same name.
    let other = Quake {
        event: "sc-20260714-0218".into(),
        ..report(1, 1)
    };
    let drill = Quake {
        drill: true,
        text: "演练。地震预警。".into(),
        ..report(9, 1)
    };
    assert!(speaker.shake(&other) && speaker.shake(&drill));
    assert_eq!(found(&speaker, &device(1)).await.len(), 3);
    assert!(
        !speaker.shake(&Quake {
            drill: true,
            ..report(10, 1)
        }),
        "a drill that does not say so is laid nowhere"
    );
}

#[tokio::test]
async fn after_a_restart_the_same_bytes_lie_there_and_nothing_that_is_over() {
    let (before, _) = speaker(2);
    let mut quake = report(1, 2);
    if let Shaking::Comes { shocks, .. } = &mut quake.what {
        shocks[1].arrival = now().minus(Duration::from_secs(11));
    }
    let cancel = cancel(2, 2);
    before.shake(&quake);
    let first = found(&before, &device(1)).await;
    before.shake(&cancel);
    let second = found(&before, &device(1)).await;
    let (after, _) = speaker(2);
    after.shake(&quake);
    assert_eq!(found(&after, &device(1)).await, first);
    assert!(found(&after, &device(2)).await.is_empty());
    after.shake(&cancel);
    assert_eq!(found(&after, &device(1)).await, second);
}

#[tokio::test]
async fn a_cancel_takes_away_what_it_is_about_and_lies_there_for_who_took_it() {
    let (speaker, _) = speaker(3);
    speaker.shake(&report(2, 2));
    speaker.shake(&cancel(2, 3));
    let off = || [(QUAKE_CANCEL.to_owned(), 2)];
    for n in 1..=3 {
        assert_eq!(brief(&speaker, &device(n)).await, off());
    }
    let (one, other) = (
        found(&speaker, &device(1)).await,
        found(&speaker, &device(3)).await,
    );
    assert_eq!(one, other, "one order for all");
    // What it has overtaken is not laid any more, and what comes after it is.
    speaker.shake(&report(1, 3));
    assert_eq!(brief(&speaker, &device(1)).await, off());
    speaker.shake(&report(3, 1));
    assert_eq!(brief(&speaker, &device(1)).await, [(QUAKE.to_owned(), 3)]);
    speaker.shake(&cancel(2, 3));
    assert_eq!(brief(&speaker, &device(1)).await, [(QUAKE.to_owned(), 3)]);
}

#[tokio::test]
async fn an_operators_orders_lie_beside_it_and_it_is_taken_with_them() {
    let (speaker, _) = speaker(1);
    speaker.command(&Command {
        serial: serial(0, 1),
        action: Action::StopAll,
        authority: Authority::County,
        devices: vec![device(1)],
        not_before: now(),
        expires: now().plus(Duration::from_mins(1)),
    });
    speaker.shake(&report(1, 1));
    let kinds = brief(&speaker, &device(1)).await;
    assert_eq!(kinds, [("stop-all".to_owned(), 0), (QUAKE.to_owned(), 1)]);
    let taken = json!({ "wait": 0, "took": [serial(0, 1), serial(1, 1)] });
    let reply = called(&speaker, &device(1), "orders", taken).await;
    assert_eq!(reply.status, 204);
}

#[tokio::test]
async fn what_a_terminal_says_of_it_is_told_with_its_word() {
    let (speaker, inlet) = speaker(1);
    speaker.shake(&report(1, 1));
    let order = found(&speaker, &device(1)).await.remove(0).1.order;
    for said in [
        json!({ "order": order, "state": "done", "code": "sounds" }),
        json!({ "order": order, "state": "playing" }),
        json!({ "order": order, "state": "played", "whole": true, "seconds": 27 }),
        json!({ "order": order, "state": "stopped", "seconds": 3 }),
        json!({ "order": order, "state": "failed", "code": "far-ahead" }),
    ] {
        let reply = called(&speaker, &device(1), "reports", said).await;
        assert_eq!(reply.status, 200);
    }
    let obeyed = inlet.obeyed.lock();
    let told: Vec<_> = obeyed
        .iter()
        .map(|one| (one.serial, one.done, &*one.code, one.seconds))
        .collect();
    let serial = serial(1, 1);
    let wanted = [
        (serial, true, "sounds", 0),
        (serial, true, "played", 27),
        (serial, true, "stopped", 3),
        (serial, false, "far-ahead", 0),
    ];
    assert_eq!(told, wanted);
    assert!(inlet.receipts.lock().is_empty());
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("thirty seconds passed without: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_countys_terminals_in_their_polls_each_get_their_own_and_then_the_cancel() {
    const ALL: u64 = 1_373;
    let (speaker, inlet) = speaker(ALL);
    let gateway = gateway::listen(speaker.clone()).await;
    let devices: Vec<_> = (1..=ALL).map(device).collect();
    let mut settings = Settings::new(
        &gateway.base,
        SECRET,
        &speaker.public_keys(),
        devices.clone(),
    );
    settings.heartbeat = Duration::from_mins(10);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let peer = Peer::start(&settings, &clock);
    let waits = || devices.iter().all(|id| speaker.device(id).is_some());
    until("all wait", waits).await;
    let quake = report(1, ALL);
    assert!(speaker.shake(&quake));
    let count = usize::try_from(ALL).expect("some");
    until("all have it", || peer.shaken().len() >= count).await;
    let Shaking::Comes { shocks, .. } = &quake.what else {
        unreachable!("it comes")
    };
    let wanted: BTreeMap<_, _> = shocks
        .iter()
        .map(|shock| (shock.device.clone(), shock.arrival))
        .collect();
    let got: BTreeMap<_, _> = peer
        .shaken()
        .into_iter()
        .map(|one| (one.device, one.tremor.expect("a report").arrival))
        .collect();
    assert_eq!(got, wanted);
    assert!(speaker.shake(&cancel(1, ALL)));
    until("all hear the cancel", || peer.shaken().len() >= 2 * count).await;
    let shaken = peer.shaken();
    let off: HashSet<_> = shaken
        .iter()
        .filter(|one| one.tremor.is_none())
        .map(|one| &one.device)
        .collect();
    assert_eq!((shaken.len(), off.len()), (2 * count, count));
    assert!(peer.refused().is_empty());
    until("all is told", || inlet.obeyed.lock().len() == 2 * count).await;
}
