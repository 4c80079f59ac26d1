//! The provincial seismic centre: it signs with openssl, which we did not write. This module must not know what a report
//! does.

use std::path::PathBuf;
use std::process::Command;

use channel::{Clock, HttpClient, Request, SystemClock};
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway};

/// Milliseconds since 1970.
pub fn now() -> i64 {
    SystemClock::default().now().0
}

/// 平武, 15 km deep.
pub const EPICENTRE: (f64, f64) = (32.65, 103.75);

pub struct Feed {
    folder: tempfile::TempDir,
}

fn openssl(args: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(args).output();
    let output = output.expect("openssl is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

impl Feed {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let feed = Self { folder };
        openssl(&[
            "genpkey",
            "-algorithm",
            "ed25519",
            "-out",
            &feed.file("key.pem"),
        ]);
        feed
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().expect("a plain path").to_owned()
    }

    /// As the configuration pins it.
    pub fn key(&self) -> String {
        let public = openssl(&[
            "pkey",
            "-in",
            &self.file("key.pem"),
            "-pubout",
            "-outform",
            "DER",
        ]);
        hex::encode(&public[public.len() - 32..])
    }

    /// The header for these bytes.
    pub fn sign(&self, body: &str) -> String {
        std::fs::write(self.file("body"), body).expect("written");
        let (key, body) = (self.file("key.pem"), self.file("body"));
        let signed = openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", &key, "-in", &body]);
        format!("Tocsin-Feed province {}", hex::encode(signed))
    }

    /// A report that is sent now.
    pub fn report(&self, event: &str, number: u32, origin: i64, magnitude: f64) -> String {
        self.report_sent(event, number, (origin, now()), magnitude)
    }

    #[expect(clippy::unused_self, reason = "it is the feed that says it")]
    pub fn report_sent(
        &self,
        event: &str,
        number: u32,
        (origin, sent): (i64, i64),
        magnitude: f64,
    ) -> String {
        let (latitude, longitude) = EPICENTRE;
        json!({
            "v": 1, "event": event, "report": number, "status": "Actual", "kind": "warning",
            "sent": sent, "origin": origin, "latitude": latitude, "longitude": longitude,
            "depth": 15.0, "magnitude": magnitude,
        })
        .to_string()
    }

    #[expect(clippy::unused_self, reason = "it is the feed that says it")]
    pub fn change(&self, report: &str, field: &str, value: Value) -> String {
        let mut changed: Value = serde_json::from_str(report).expect("JSON");
        changed[field] = value;
        changed.to_string()
    }

    pub async fn hand_in(&self, gateway: &Gateway, report: &str) -> Value {
        let answer = post(gateway, &self.sign(report), report).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.body
    }
}

pub async fn post(gateway: &Gateway, authorization: &str, body: &str) -> Answer {
    let mut request = Request {
        method: "POST".into(),
        body: body.to_owned().into(),
        ..Request::default()
    };
    if !authorization.is_empty() {
        request
            .headers
            .push(("authorization".into(), authorization.to_owned()));
    }
    let http = HttpClient::of_the_house(std::time::Duration::from_secs(10));
    let reply = http
        .call(&format!("{}/v1/earthquakes", gateway.base), request)
        .await;
    let reply = reply.expect("it answers");
    Answer {
        status: reply.status,
        body: serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
    }
}
