//! A channel over Mosquitto, a foreign device, and somebody who has broken into the broker.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channel::testing::{RecordingInlet, context};
use channel::{
    Address, Channel, Clock, Enrolment, Inlet, Key, Level, Message, Stop, SystemClock, Timestamp,
    Variant,
};
use loudspeaker::mqtt::{Broker as Settings, Mqtt};
use loudspeaker::order::{Class, Order, PLAY, VERSION};
use loudspeaker::peer::device_key;
use loudspeaker::{Call, Config, Secret};
use parking_lot::Mutex;
use ring::digest::{SHA256, digest};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::broker::{Broker, PASSWORD};

pub const SECRET: &str = "a secret only for these tests";
pub const SEED: &str = "0101010101010101010101010101010101010101010101010101010101010101";
pub const CHANNEL: &str = "horn";
/// The village of `PW-217001-02`.
pub const GROUP: usize = 9;

pub fn now() -> Timestamp {
    SystemClock::default().now()
}

pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("twenty seconds passed without: {what}");
}

pub fn settings(broker: &Broker, user: Option<&str>) -> Settings {
    Settings {
        user: user.map(str::to_owned),
        password: Some(Secret::new(PASSWORD)),
        ca: Some(broker.ca()),
        group: GROUP,
        keep_alive: Duration::from_secs(5),
        ..Settings::new(broker.url())
    }
}

pub fn config(broker: &Broker, fetch_timeout: Duration) -> Config {
    Config {
        fetch_timeout,
        returning: Duration::ZERO,
        broker: Some(settings(broker, Some("gateway"))),
        ..Config::new("pingwu", Secret::new(SECRET), Secret::new(SEED))
    }
}

/// A channel that runs; it stops when this is dropped.
pub struct Gateway {
    pub channel: Arc<Mqtt>,
    pub inlet: Arc<RecordingInlet>,
    stop: Stop,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Gateway {
    pub async fn start(config: Config, devices: &[&str]) -> Self {
        let gateway = Self::unready(config);
        for device in devices {
            enrol(&gateway.inlet, device).await;
        }
        gateway.is_up().await;
        gateway
    }

    /// Without any broker: what comes is given to it by hand.
    pub async fn enrolled(devices: &[&str]) -> Self {
        let gateway = Self::unready(Config {
            broker: Some(Settings::new("mqtt://127.0.0.1:9")),
            ..Config::new("pingwu", Secret::new(SECRET), Secret::new(SEED))
        });
        for device in devices {
            enrol(&gateway.inlet, device).await;
        }
        gateway
    }

    /// Whose broker may not answer.
    pub fn unready(config: Config) -> Self {
        let (context, inlet) = context(CHANNEL);
        let channel = Arc::new(Mqtt::new(config, context).expect("a good configuration"));
        let stop = Stop::new();
        tokio::spawn({
            let (channel, stop) = (channel.clone(), stop.clone());
            async move { channel.run(stop).await }
        });
        Self {
            channel,
            inlet,
            stop,
        }
    }

    pub async fn is_up(&self) {
        let up = || self.channel.health() == channel::Health::Up;
        until("the broker is reached", up).await;
    }

    /// The codes of what was reported at last, without progress.
    pub fn played(&self) -> Vec<String> {
        let receipts = self.inlet.receipts.lock();
        let codes = receipts.iter().map(|receipt| receipt.code.clone());
        codes.filter(|code| code != "playing").collect()
    }

    pub fn refused(&self, why: &str) -> u64 {
        let refused = self.channel.refused();
        let count = refused.into_iter().find(|(known, _)| *known == why);
        count.map_or(0, |(_, count)| count)
    }

    pub fn is_heard(&self, device: &str) -> bool {
        self.channel.device(device).is_some()
    }
}

async fn enrol(inlet: &RecordingInlet, device: &str) {
    let enrolment = Enrolment {
        device: device.to_owned(),
        code: String::new(),
        key: device_key(SECRET, device).public(),
    };
    assert_eq!(inlet.enrol(enrolment).await, Ok(()));
}

pub fn message(alert: u64, device: &str, serial: u64, text: &str) -> Message {
    let mut variant = Variant::new("zh-CN", "山洪灾害红色预警", text);
    variant.level = Level::Red;
    Message {
        key: Key {
            alert,
            delivery: 1,
            generation: 0,
        },
        serial,
        variant: Arc::new(variant),
        address: Address::new(device),
        expires: now().plus(Duration::from_mins(10)),
        repeat: false,
    }
}

pub fn serial() -> u64 {
    channel::serial_floor(now()) + 1
}

/// `tests/foreign/device.py` as a process; it is killed when this is dropped.
pub struct Device {
    child: tokio::process::Child,
    said: PathBuf,
}

impl Device {
    pub fn start(folder: &Path, broker: &Broker, public_keys: &str, device: &str) -> Self {
        let python =
            std::env::var("TOCSIN_PYTHON").expect("TOCSIN_PYTHON names no python: run ./test");
        let (live, drill) = public_keys.split_at(64);
        let seed = digest(&SHA256, format!("{SECRET}\n{device}").as_bytes());
        let it = json!({ "port": broker.port, "ca": broker.ca(), "password": PASSWORD, "device": device,
            "group": GROUP, "channel": CHANNEL, "seed": hex::encode(seed), "live": live, "drill": drill,
            "seconds": 0.2 });
        let said = folder.join(device);
        let out = std::fs::File::create(&said).expect("a file");
        let child = tokio::process::Command::new(python)
            .arg(Path::new("tests/foreign/device.py"))
            .arg(it.to_string())
            .stdin(Stdio::piped())
            .stdout(out)
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        Self { child, said }
    }

    pub fn said(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.said).expect("its output");
        let lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// What it said under this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        let values = self.said().into_iter();
        let text = |value: Value| match value[name].clone() {
            Value::String(text) => Some(text),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        values.filter_map(text).collect()
    }

    pub async fn does(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        let line = format!("{line}\n");
        input.write_all(line.as_bytes()).await.expect("it listens");
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
    }
}

/// A message as the broker passes it on.
#[derive(Clone, Debug)]
pub struct Heard {
    pub topic: String,
    pub payload: Bytes,
    /// Seconds that the broker would keep it.
    pub expiry: Option<u32>,
}

/// Somebody who may read and write everything at the broker. Holds no key.
pub struct Evil {
    client: AsyncClient,
    heard: Arc<Mutex<Vec<Heard>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Evil {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Evil {
    pub async fn start(broker: &Broker) -> Self {
        let mut options = MqttOptions::new("evil", "127.0.0.1", broker.port);
        options.set_credentials("evil", PASSWORD);
        options.set_max_packet_size(Some(10 << 20));
        let ca = std::fs::read(broker.ca()).expect("the certificate");
        let tls = TlsConfiguration::Simple {
            ca,
            alpn: None,
            client_auth: None,
        };
        // The whole process has one provider of TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        options.set_transport(Transport::tls_with_config(tls));
        let (client, mut events) = AsyncClient::new(options, 100);
        let (heard, ready) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(Stop::new()));
        let (keeps, subscribed) = (heard.clone(), ready.clone());
        let task = tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                match event {
                    Event::Incoming(Packet::SubAck(_)) => subscribed.cancel(),
                    Event::Incoming(Packet::Publish(publish)) => {
                        let said = publish.properties.unwrap_or_default();
                        keeps.lock().push(Heard {
                            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                            payload: publish.payload,
                            expiry: said.message_expiry_interval,
                        });
                    }
                    _ => {}
                }
            }
        });
        let asked = client.subscribe("tocsin/#", QoS::AtLeastOnce).await;
        asked.expect("it connects");
        ready.cancelled().await;
        Self {
            client,
            heard,
            task,
        }
    }

    pub async fn says(&self, what: &str, device: &str, payload: impl Into<Bytes>) {
        let topic = format!("tocsin/{CHANNEL}/{what}/{device}");
        let said = self
            .client
            .publish(topic, QoS::AtLeastOnce, false, payload.into());
        said.await.expect("it is connected");
    }

    /// What was published on such topics since it began to listen.
    pub fn heard(&self, what: &str) -> Vec<Heard> {
        let heard = self.heard.lock();
        let own = format!("/{what}/");
        heard
            .iter()
            .filter(|heard| heard.topic.contains(&own))
            .cloned()
            .collect()
    }
}

/// A call as its device would make it, at this time.
pub fn call(device: &str, path: &str, body: &str, time: Timestamp) -> Value {
    let call = Call {
        path,
        device,
        time,
        body: body.as_bytes(),
    };
    let authorization = device_key(SECRET, device).authorization(&call);
    json!({ "call": path, "body": body, "authorization": authorization })
}

/// What nobody ordered.
pub const FALSE: &str = "假的";

/// An order that is right but for who makes it.
pub fn order(to: &str, counter: u64) -> Order {
    Order {
        v: VERSION,
        gateway: "pingwu".into(),
        counter,
        order: format!("{counter}-0-aa-bb"),
        kind: PLAY.into(),
        drill: false,
        class: Class::Emergency,
        authority: channel::Authority::County,
        level: channel::Level::Red,
        event: "11A51".into(),
        language: "zh-CN".into(),
        title: "t".into(),
        text: FALSE.into(),
        parts: Vec::new(),
        repeats: 1,
        pause: 0,
        regions_hash: String::new(),
        target: String::new(),
        value: 0,
        not_before: now(),
        expires: now().plus(Duration::from_mins(10)),
        to: to.into(),
        quake: None,
    }
}
