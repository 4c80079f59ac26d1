//! A signing device behind HTTP: a small server of its own whose key lies with openssl. What it signs is believed by a
//! platform that knows its public half, whatever else it answers sends nothing out, and neither its address, which may carry
//! a PIN, nor what was signed stands in a log.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use channel::{Channel, Clock, FailureClass, Health, Secret, SystemClock};
use loudspeaker::ebd::peer::{Settings, Story};
use loudspeaker::ebd::readers::Body;
use loudspeaker::signing::{Order, Signer, Software, Value};
use parking_lot::Mutex;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::common::{OWN, PLATFORM, messages, pair, send, until};
use super::openssl::{self, USER, key};

const PIN: &str = "no-pin-it-does-not-exist";

/// How the device is today.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mood {
    Signs,
    Short,
    Garbage,
    Broken,
    Stalls,
}

struct Device {
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Device {
    fn url(&self) -> String {
        format!("http://operator:{PIN}@127.0.0.1:{}/hsm/", self.port)
    }
}

/// `own` holds its key, `far` the public half of the platform's.
async fn device(own: PathBuf, far: PathBuf, mood: Mood) -> Device {
    let sign = move |Query(query): Query<HashMap<String, String>>, body: Bytes| {
        let own = own.clone();
        async move {
            let time: u32 = query["time"].parse().expect("seconds");
            match mood {
                Mood::Signs => (StatusCode::OK, STANDARD.encode(signed(&own, time, &body))),
                Mood::Short => (StatusCode::OK, STANDARD.encode([7; 73])),
                Mood::Garbage => (StatusCode::OK, "<html>busy</html>".to_owned()),
                Mood::Broken => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
                Mood::Stalls => std::future::pending().await,
            }
        }
    };
    let verify = move |Query(query): Query<HashMap<String, String>>, body: Bytes| {
        let far = far.clone();
        async move {
            match mood {
                Mood::Signs if holds(&far, &query["value"], &body) => StatusCode::OK,
                Mood::Signs => StatusCode::FORBIDDEN,
                Mood::Stalls => std::future::pending().await,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            }
        }
    };
    let app = axum::Router::new()
        .route("/hsm/sign", post(sign))
        .route("/hsm/verify", post(verify));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let task = tokio::spawn(async move {
        axum::serve(listener, app).await.expect("it serves");
    });
    Device { port, task }
}

fn signed(dir: &Path, time: u32, document: &[u8]) -> [u8; 74] {
    let mut value = Value {
        time,
        serial: [0, 0, 0, 0, 0x33, 0x63],
        signed: [0; 64],
    };
    value.signed = openssl::signs(dir, &Order::default().input(document, &value.prefix()));
    value.write()
}

fn holds(dir: &Path, value: &str, document: &[u8]) -> bool {
    let value = STANDARD.decode(value).expect("base64");
    let value = Value::read(&value).expect("74 bytes");
    let input = Order::default().input(document, &value.prefix());
    openssl::verifies(dir, &input, &value.signed)
}

/// Everything that is logged on this thread, in words.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<String>>);

impl Subscriber for Logged {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("loudspeaker")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Words(&mut self.0.lock()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write as _;
        writeln!(self.0, "{field}={value:?}").expect("a String");
    }
}

fn more(url: &str) -> serde_json::Value {
    json!({ "verify": true, "ask_after": 0, "logs": 0, "signer": { "kind": "http", "url": url, "variant": "A" } })
}

#[tokio::test]
async fn a_platform_believes_what_the_device_signs_and_the_device_judges_the_platform() {
    let (ours, theirs) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let ((_, own), (far, _)) = (key(ours.path()), key(theirs.path()));
    let device = device(ours.path().into(), theirs.path().into(), Mood::Signs).await;
    let platform = |private: &str| {
        let signer = Software::new(
            &Secret::new(private),
            Some(&own),
            USER,
            [9; 6],
            Order::default(),
        );
        Settings {
            signer: Arc::new(signer.expect("a key")) as Arc<dyn Signer>,
            verifies: true,
            ..Settings::new(PLATFORM, OWN)
        }
    };
    let both = pair(platform(&far), more(&device.url())).await;
    let outcomes = send(&*both.channel, &messages(1)).await;
    outcomes[0].as_ref().expect("its signature holds");
    until("what the platform says is believed", || {
        both.inlet.receipts.lock().len() == 3
    })
    .await;

    // Whose key the device does not know is not believed.
    let stranger = platform(&"3".repeat(64));
    let apart = pair(stranger, more(&device.url())).await;
    let body = Body::Other("EBDNotify".into());
    assert_eq!(apart.platform.post(body).await, (200, Some(4)));
}

#[tokio::test]
async fn whatever_else_a_device_answers_sends_nothing_and_shows_nothing() {
    let logged = Logged::default();
    let _guard = tracing::subscriber::set_default(logged.clone());
    let dir = tempfile::tempdir().expect("a directory");
    let (private, _) = key(dir.path());
    let clock = SystemClock::default();
    let message = messages(1).remove(0);
    for (mood, why) in [
        (Mood::Short, "did not answer with the 74 bytes"),
        (Mood::Garbage, "did not answer with the 74 bytes"),
        (Mood::Broken, "it answered 500"),
        (Mood::Stalls, "it took too long"),
    ] {
        let device = device(dir.path().into(), dir.path().into(), mood).await;
        let settings = Settings {
            story: Box::new(|_| Story::Silent),
            ..Settings::new(PLATFORM, OWN)
        };
        let pair = pair(settings, more(&device.url())).await;
        logged.0.lock().clear();
        let before = clock.tick();
        let failure = send(&*pair.channel, std::slice::from_ref(&message))
            .await
            .remove(0)
            .expect_err("never unsigned");
        assert!(clock.tick() < before + Duration::from_secs(3), "{mood:?}");
        assert_eq!(failure.class, FailureClass::LinkDown, "{mood:?}");
        assert_eq!(failure.code, "ebd:signer");
        assert!(pair.platform.came().is_empty(), "{mood:?}");
        // What comes signed by nobody knows whom is refused, not believed.
        let body = Body::Other("EBDNotify".into());
        assert_eq!(pair.platform.post(body).await, (200, Some(4)), "{mood:?}");
        let health = pair.channel.health();
        let shown = format!("{} {failure:?} {health:?}", logged.0.lock());
        assert!(shown.contains(why), "{mood:?}: {shown}");
        for secret in [PIN, private.as_str(), &message.variant.text, "EBMID"] {
            assert!(!shown.contains(secret), "{mood:?}: {secret} in {shown}");
        }
        assert_eq!(health, Health::Up, "the platform itself is there");
    }
}
