//! A gateway's channel and a platform that call each other over real HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use channel::testing::{RecordingInlet, context};
use channel::{
    Accepted, Address, Channel, Clock, Context, Failure, Handed, Key, Level, Message, Outcomes,
    Receipt, Stop, SystemClock, Variant,
};
use loudspeaker::ebd::peer::{Platform, Settings};
use loudspeaker::ebd::{Config, Ebd};
use parking_lot::Mutex;

use crate::gateway::{Gateway, listen};

pub const OWN: &str = "45107270000000103010101";
pub const PLATFORM: &str = "45107270000000101010101";
pub const SECRET: &str = "0123456789abcdef";
pub const VILLAGE: u64 = 510_727_217_200;

pub fn config(url: &str, more: serde_json::Value) -> Config {
    let mut all = serde_json::json!({
        "url": url, "ebrid": OWN, "platform": PLATFORM, "sender_name": "平武县应急管理局",
        "sender_code": "51072733200000", "secret": SECRET, "answer_timeout": 1, "heartbeat": 0, "inventory": 0,
    });
    let (all_map, more) = (all.as_object_mut().expect("an object"), more);
    for (key, value) in more.as_object().expect("an object") {
        all_map.insert(key.clone(), value.clone());
    }
    serde_json::from_value(all).expect("it reads")
}

/// Where a platform calls it.
pub fn secret_path(gateway: &Gateway) -> String {
    format!("{}/{SECRET}", gateway.base)
}

/// Both ends of a link.
pub struct Pair {
    pub platform: Platform,
    pub channel: Arc<Ebd>,
    pub inlet: Arc<RecordingInlet>,
    _gateway: Gateway,
    stop: Stop,
}

impl Pair {
    /// The channel's session ends.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub async fn pair(settings: Settings, more: serde_json::Value) -> Pair {
    let (context, inlet) = context("ebd");
    pair_with(settings, more, context, inlet).await
}

pub async fn pair_with(
    settings: Settings,
    more: serde_json::Value,
    context: Context,
    inlet: Arc<RecordingInlet>,
) -> Pair {
    let platform = Platform::start(settings).await.expect("a port");
    let channel = Ebd::new(config(&platform.url(), more), context).expect("a good configuration");
    let channel = Arc::new(channel);
    let gateway = listen(channel.clone()).await;
    platform.calls(secret_path(&gateway));
    let stop = Stop::new();
    tokio::spawn({
        let (channel, stop) = (channel.clone(), stop.clone());
        async move { channel.run(stop).await }
    });
    Pair {
        platform,
        channel,
        inlet,
        _gateway: gateway,
        stop,
    }
}

pub fn village(nth: u64) -> String {
    (VILLAGE + nth).to_string()
}

pub fn variant() -> Variant {
    let mut variant = Variant::new(
        "zh-CN",
        "平武县发布山洪红色预警",
        "山洪来了，请立即向高处转移。",
    );
    variant.level = Level::Red;
    variant.event = "11A51".into();
    variant
}

/// Messages of one text to so many villages.
pub fn messages(count: u32) -> Vec<Message> {
    let variant = Arc::new(variant());
    let expires = SystemClock::default().now().plus(Duration::from_hours(3));
    (0..count)
        .map(|delivery| Message {
            key: Key {
                alert: 7,
                delivery,
                generation: 0,
            },
            serial: channel::serial_floor(SystemClock::default().now()) + u64::from(delivery),
            variant: variant.clone(),
            address: Address::new(village(u64::from(delivery) + 1)),
            expires,
            repeat: false,
        })
        .collect()
}

pub fn handed(messages: &[Message]) -> Vec<Handed> {
    let one = |message: &Message| Handed {
        message: message.clone(),
        since: message.expires,
        due: message.expires,
        whom: String::new(),
        withdrawn: false,
        sealed: false,
        said: Vec::new(),
    };
    messages.iter().map(one).collect()
}

#[derive(Default)]
pub struct Kept(Mutex<HashMap<usize, Result<Accepted, Failure>>>);

impl Outcomes for Kept {
    fn settle(&self, index: usize, outcome: Result<Accepted, Failure>) {
        let before = self.0.lock().insert(index, outcome);
        assert!(before.is_none(), "{index} is settled twice");
    }
}

/// The outcome of each message of a batch.
pub async fn send(channel: &dyn Channel, batch: &[Message]) -> Vec<Result<Accepted, Failure>> {
    let kept = Kept::default();
    channel.send_all(batch, &kept).await;
    let mut all = kept.0.into_inner();
    (0..batch.len())
        .map(|index| all.remove(&index).expect("each is settled"))
        .collect()
}

/// The name of the message in a reference.
pub fn name_in(outcome: &Result<Accepted, Failure>) -> String {
    let accepted = outcome.as_ref().expect("it was accepted");
    let (name, _) = accepted.references[0]
        .split_once('/')
        .expect("a name and an address");
    name.to_owned()
}

/// Waits until something holds; what is waited for comes from another task.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// The receipts of one place: verdict and code.
pub fn of(inlet: &RecordingInlet, reference: &str) -> Vec<Receipt> {
    let receipts = inlet.receipts.lock();
    let own = receipts
        .iter()
        .filter(|r| r.of == channel::Of::Reference(reference.to_owned()));
    own.cloned().collect()
}
