//! What calls itself a controller: one HTTP request, as `METHOD PATH?QUERY`, a line feed and a body, signed by the right
//! key, by another and not at all. This module must not know how an order is made.

use std::sync::Arc;

use channel::testing::RecordingInlet;
use channel::{
    Address, Alarm, Channel, Clock, Context, Key, Message, Quake, Reply, Request, Shaking, Shock,
    SystemClock, Timestamp, Variant,
};
use futures::FutureExt;
use loudspeaker::order::{Order, Orders, Signed};
use loudspeaker::peer::device_key;
use loudspeaker::{Call, Config, Loudspeaker, Secret};

use super::sample::context;

pub(super) const SECRET: &str = "a secret only for these tests";
pub(super) const SEED: &str = "0101010101010101010101010101010101010101010101010101010101010101";
pub(super) const DEVICE: &str = "510727217001";
pub(super) const OTHER: &str = "510727217999";
const ANSWERS: [u16; 10] = [200, 204, 400, 401, 403, 404, 405, 409, 413, 422];

pub fn controller(bytes: &[u8]) {
    called(bytes);
}

/// The status of the answer, 0 where it waits, and how many receipts and words on orders without a text came of the call.
pub(super) fn called(bytes: &[u8]) -> (u16, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let make = |config, context| Loudspeaker::new(config, context).ok();
        let (channel, inlet) = given(make).await;
        let bytes = &named(bytes, &fetched(&*channel));
        inlet.presences.lock().clear();
        stranger(&*channel, &inlet, request(bytes, None));
        stranger(&*channel, &inlet, request(bytes, Some(OTHER)));
        known(&*channel, &inlet, request(bytes, Some(DEVICE)))
    })
}

/// In the device's name, signed by the key of this device, or not at all.
fn request(bytes: &[u8], of: Option<&str>) -> Request {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (head, body) = bytes.split_at(end.unwrap_or(bytes.len()));
    let head = String::from_utf8_lossy(head);
    let (method, target) = head.split_once(' ').unwrap_or(("POST", &head));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    };
    let body = body.get(1..).unwrap_or_default();
    let signed = of.map(|owner| {
        let call = Call {
            path,
            device: DEVICE,
            time: SystemClock::default().now(),
            body,
        };
        let header = device_key(SECRET, owner).authorization(&call);
        ("authorization".to_owned(), header)
    });
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.split('&').map(pair).collect(),
        headers: signed.into_iter().collect(),
        body: body.to_vec().into(),
    }
}

/// An earthquake that is over for nobody yet.
fn quake() -> Quake {
    let now = SystemClock::default().now();
    let shock = Shock {
        serial: 6,
        device: DEVICE.into(),
        intensity: 7,
        arrival: now.plus(std::time::Duration::from_secs(20)),
        alarm: Alarm::Red,
    };
    Quake {
        event: "sc-1".into(),
        report: 1,
        drill: false,
        what: Shaking::Comes {
            origin: now,
            magnitude: 63,
            shocks: vec![shock],
        },
        text: "地震预警。".into(),
        since: now,
    }
}

/// A channel with one order laid down for the device, and one report on an earthquake.
pub(super) async fn given<C: Channel>(
    make: impl FnOnce(Config, Context) -> Option<C>,
) -> (Arc<C>, Arc<RecordingInlet>) {
    let (context, inlet) = context("speakers-fuzz");
    for device in [DEVICE, OTHER] {
        let key = device_key(SECRET, device).public();
        inlet.keys.lock().insert(device.into(), key);
        // Else any code would do.
        inlet
            .codes
            .lock()
            .insert(device.into(), "never shown".into());
    }
    let config = Config::new("fuzz", Secret::new(SECRET), Secret::new(SEED));
    let channel = Arc::new(make(config, context).expect("a good configuration"));
    let variant = Variant::new("zh-CN", "山洪灾害红色预警", "请立即向高处转移。");
    let message = Message {
        key: Key {
            alert: 7,
            delivery: 1,
            generation: 0,
        },
        serial: 5,
        variant: Arc::new(variant),
        address: Address::new(DEVICE),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    };
    tokio::spawn({
        let channel = channel.clone();
        async move { channel.send(&message).await }
    });
    // It lies there once its sender waits.
    tokio::task::yield_now().await;
    assert!(channel.shake(&quake()));
    (channel, inlet)
}

/// The ids of both, as the device's first poll brings them.
pub(super) fn fetched(channel: &dyn Channel) -> [String; 2] {
    let poll = b"POST orders\n{\"after\":0,\"wait\":0}";
    let reply = asked(channel, request(poll, Some(DEVICE)));
    let orders: Orders =
        serde_json::from_slice(&reply.expect("they lie there").body).expect("orders");
    let id = |signed: &Signed| {
        let order: Order = serde_json::from_str(&signed.body).expect("an order");
        order.order
    };
    let ids: Vec<_> = orders.orders.iter().map(id).collect();
    ids.try_into().expect("two lie there")
}

/// The seeds say `ORDER` and `QUAKE` where a controller repeats the id of one.
pub(super) fn named(bytes: &[u8], [order, quake]: &[String; 2]) -> Vec<u8> {
    put(&put(bytes, b"ORDER", order), b"QUAKE", quake)
}

fn put(bytes: &[u8], name: &[u8], id: &str) -> Vec<u8> {
    match bytes.windows(name.len()).position(|window| window == name) {
        Some(at) => [&bytes[..at], id.as_bytes(), &bytes[at + name.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

/// A poll that waits for an order is let go.
fn asked(channel: &dyn Channel, request: Request) -> Option<Reply> {
    channel.serve(request).now_or_never()
}

fn stranger(channel: &dyn Channel, inlet: &RecordingInlet, request: Request) {
    let reply = asked(channel, request).expect("a stranger does not wait");
    assert!(
        (400..500).contains(&reply.status),
        "{} without the key",
        reply.status
    );
    assert!(inlet.receipts.lock().is_empty() && inlet.presences.lock().is_empty());
}

fn known(channel: &dyn Channel, inlet: &RecordingInlet, request: Request) -> (u16, usize) {
    let Some(reply) = asked(channel, request) else {
        return (0, 0);
    };
    assert!(ANSWERS.contains(&reply.status), "{}", reply.status);
    if reply.status >= 400 && !reply.body.is_empty() {
        let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("it is JSON");
        assert!(said["error"].is_string() || said["detail"].is_string());
    }
    let receipts = inlet.receipts.lock();
    assert!(receipts.is_empty() || reply.status == 200);
    for receipt in receipts.iter() {
        let plain = |c: char| c.is_ascii_alphanumeric() || " -".contains(c);
        assert!(receipt.code.len() <= 40 && receipt.code.chars().all(plain));
    }
    let obeyed = inlet.obeyed.lock();
    assert!(obeyed.is_empty() || (reply.status == 200 && receipts.is_empty()));
    let plain = |c: char| c.is_ascii_lowercase() || c == '-';
    let short = |code: &str| code.len() <= 24 && code.chars().all(plain);
    assert!(obeyed.iter().all(|one| short(&one.code)));
    assert!(inlet.presences.lock().len() <= 2);
    (reply.status, receipts.len() + obeyed.len())
}
