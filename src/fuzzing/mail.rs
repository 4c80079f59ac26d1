//! A mail that somebody posts as a bounce: of a letter of ours, and of none. This module must not know how a notification
//! is written.

use std::cell::RefCell;
use std::sync::Arc;

use channel::testing::RecordingInlet;
use channel::{Channel, Key, Of, Request};
use email::{Bounces, Config, Email, Secret};
use futures::FutureExt;
use tokio::runtime::Runtime;

use super::sample::context;

const TOKEN: &str = "token-of-the-mail-server";
/// The return address of one letter under the secret below: it names `LETTER` and proves itself.
pub(super) const ADDRESS: &str = "b+7-15-1-63-b749d72bb4c8ab@bounce.example.net";
pub(super) const LETTER: Key = Key {
    alert: 7,
    delivery: 21,
    generation: 1,
};

struct World {
    channel: Email,
    inlet: Arc<RecordingInlet>,
    /// The channel keeps its sessions with a task.
    _runtime: Runtime,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(start());
}

fn start() -> World {
    let mut config = Config::new("127.0.0.1", 25, "warning@example.org");
    config.bounces = Some(Bounces {
        domain: "bounce.example.net".into(),
        secret: Secret::new("only a test, thirty-two characters"),
        token_sha256: "f2218a1db86a25f1edbe8a75f92c881feeb5edc4f865e98a6444f93b65442468".into(),
        mailbox_counts: true,
    });
    let (context, inlet) = context("email-fuzz");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let channel = {
        let _inside = runtime.enter();
        Email::new(config, context).expect("a good configuration")
    };
    World {
        channel,
        inlet,
        _runtime: runtime,
    }
}

pub fn mail(bytes: &[u8]) {
    post(bytes);
    // Whatever it says, it belongs to a letter of ours.
    let ours = [format!("To: <{ADDRESS}>\r\n").as_bytes(), bytes].concat();
    let taken = post(&ours);
    assert_ne!(taken, "stranger", "the address proves itself");
}

/// What a mail was taken as; nothing where it was refused.
pub(super) fn post(mail: &[u8]) -> String {
    WORLD.with_borrow(|World { channel, inlet, .. }| {
        inlet.receipts.lock().clear();
        let request = Request {
            method: "POST".into(),
            path: "dsn".into(),
            headers: vec![("authorization".into(), format!("Bearer {TOKEN}"))],
            body: mail.to_vec().into(),
            ..Request::default()
        };
        let reply = channel.serve(request).now_or_never();
        let reply = reply.expect("nothing to wait for");
        assert!([200, 413].contains(&reply.status), "{}", reply.status);
        let body: serde_json::Value = serde_json::from_slice(&reply.body).expect("it is JSON");
        let taken = body["taken_as"].as_str().unwrap_or_default().to_owned();
        let receipts = inlet.receipts.lock();
        let kept = ["receipt", "unread-bounce"].contains(&taken.as_str());
        assert_eq!(receipts.len(), usize::from(kept), "{taken}");
        for receipt in receipts.iter() {
            assert_eq!(receipt.of, Of::Key(LETTER), "proved by its address alone");
            assert!(is_code(&receipt.code), "{}", receipt.code);
        }
        taken
    })
}

/// An action and an enhanced code, and nothing that stood in a mail.
fn is_code(code: &str) -> bool {
    let Some(rest) = code.strip_prefix("dsn:") else {
        return code == "bounce:unread";
    };
    let (action, status) = rest.split_once(' ').unwrap_or((rest, ""));
    let actions = ["failed", "delayed", "relayed", "expanded", "delivered"];
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    actions.contains(&action) && status.len() <= 9 && status.chars().all(digits)
}
