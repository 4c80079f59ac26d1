//! A seismic centre that does not exist: it signs reports with a key that everybody knows, for the bench and the demo. This
//! module must never be what a gateway that warns people is configured with.

use channel::{HttpClient, Request};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;

use super::Failed;
use crate::plan::quake::Earthquake;

const SEED: [u8; 32] = [0x5e; 32];

pub struct Feed {
    name: &'static str,
    pair: Ed25519KeyPair,
}

impl Feed {
    pub fn new(name: &'static str) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("it has 32 bytes");
        Self { name, pair }
    }

    /// The one feed whose word is relayed; bands and speed as shipped.
    pub fn settings(&self) -> Earthquake {
        let key = hex::encode(self.pair.public_key().as_ref());
        let text = format!("[[feed]]\nname = \"{}\"\nkey = \"{key}\"\n", self.name);
        toml::from_str(&text).expect("settings as written above")
    }

    /// Signs a report and hands it in; the gateway's answer.
    pub async fn hand_in(
        &self,
        http: &HttpClient,
        base: &str,
        report: &Value,
    ) -> Result<Value, Failed> {
        let body = report.to_string();
        let signature = hex::encode(self.pair.sign(body.as_bytes()));
        let proof = format!("Tocsin-Feed {} {signature}", self.name);
        let request = Request {
            method: "POST".into(),
            headers: vec![("authorization".into(), proof)],
            body: body.into(),
            ..Request::default()
        };
        let reply = http.call(&format!("{base}/v1/earthquakes"), request).await;
        let reply = reply.map_err(|e| Failed::Unreachable(e.to_string()))?;
        let said = String::from_utf8_lossy(&reply.body);
        if reply.status != 202 {
            return Err(Failed::No(format!("{}: {said}", reply.status)));
        }
        serde_json::from_str(&said).map_err(|e| Failed::No(e.to_string()))
    }
}
