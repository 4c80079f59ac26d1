//! The way back for the tests: a configuration of return addresses, and mails posted as a mail server posts them.

use channel::{Channel, Request};
use email::{Bounces, Email, Secret};

pub const TOKEN: &str = "token-of-the-mail-server";

pub fn bounces(mailbox_counts: bool) -> Bounces {
    Bounces {
        domain: "bounce.example.net".into(),
        secret: Secret::new("only a test, thirty-two characters"),
        token_sha256: "f2218a1db86a25f1edbe8a75f92c881feeb5edc4f865e98a6444f93b65442468".into(),
        mailbox_counts,
    }
}

pub fn call(mail: impl Into<Vec<u8>>) -> Request {
    Request {
        method: "POST".into(),
        path: "dsn".into(),
        headers: vec![("authorization".into(), format!("Bearer {TOKEN}"))],
        body: mail.into().into(),
        ..Request::default()
    }
}

/// The status, and what the mail was taken as.
pub async fn post(channel: &Email, mail: impl Into<Vec<u8>>) -> (u16, String) {
    let reply = channel.serve(call(mail)).await;
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let taken = body["taken_as"].as_str().unwrap_or_default();
    (reply.status, taken.to_owned())
}
