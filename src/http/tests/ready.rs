//! The three states of readiness, and every reason of the second.

use channel::{FailureClass, Verdict};

use super::*;
use crate::ledger::event::{Believed, InboxReceipt, LinkState};
use crate::ledger::record::unpack;
use crate::model::Rows;

impl Surface {
    /// The reasons, after a look at the rest of the answer.
    async fn reasons(&self) -> Vec<String> {
        let reply = self.call("GET", "/readyz", "", b"").await;
        assert_eq!(reply.status, 200);
        let body = json_of(&reply);
        let reasons = body["reasons"].as_array().expect("a list");
        let (status, zh) = if reasons.is_empty() {
            ("ready", "就绪")
        } else {
            ("degraded", "降级运行")
        };
        assert_eq!(
            (&body["status"], &body["status_zh"]),
            (&json!(status), &json!(zh))
        );
        let of = |reason: &Value| {
            let text = |key: &str| reason[key].as_str().expect("a text").to_owned();
            assert!(text("en").is_ascii(), "{reason}");
            assert!(text("zh").contains(|c: char| c > '\u{4e00}'), "{reason}");
            match reason["channel"].as_str() {
                Some(channel) => format!("{} {channel}", text("reason")),
                None => text("reason"),
            }
        };
        reasons.iter().map(of).collect()
    }

    async fn link(&self, state: LinkState) {
        let event = Event::Link {
            channel: "echo".into(),
            state,
            class: FailureClass::LinkDown,
            code: "bind".into(),
        };
        self.propose(0, vec![event]).await;
    }
}

#[tokio::test]
async fn a_gateway_that_lacks_nothing_is_ready() {
    let surface = Surface::start().await;
    surface.up.store(true, SeqCst);
    assert_eq!(surface.reasons().await, [""; 0]);
    let body = json_of(&surface.call("GET", "/readyz", "", b"").await);
    assert_eq!(body["generation"], 1);
    surface.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_down_or_paused_degrades() {
    let surface = Surface::start().await;
    assert_eq!(surface.reasons().await, ["channel-down echo"]);
    surface.up.store(true, SeqCst);
    surface.link(LinkState::Paused).await;
    assert_eq!(surface.reasons().await, ["channel-paused echo"]);
    surface.link(LinkState::Probing).await;
    assert_eq!(surface.reasons().await, ["channel-paused echo"]);
    surface.link(LinkState::Up).await;
    assert_eq!(surface.reasons().await, [""; 0]);
    surface.stop().await;
}

#[tokio::test]
async fn a_registry_without_villages_degrades() {
    let surface = Surface::start().await;
    surface.up.store(true, SeqCst);
    let empty = Registry::build(2, &Rows::default()).expect("nothing holds");
    *surface.gate.registry.write() = Arc::new(empty);
    assert_eq!(surface.reasons().await, ["empty-registry"]);
    surface.stop().await;
}

#[tokio::test]
async fn a_damaged_stream_degrades() {
    let surface = Surface::with_alert().await;
    surface.up.store(true, SeqCst);
    surface.gate.ledger.mark(1, "a record is wrong".into());
    assert_eq!(surface.reasons().await, ["damaged-streams"]);
    surface.stop().await;
}

#[tokio::test]
async fn a_receipt_that_nothing_waits_for_degrades_after_a_minute() {
    let surface = Surface::start().await;
    surface.up.store(true, SeqCst);
    let receipt = |age: u64| InboxReceipt {
        channel: "echo".into(),
        reference: format!("m-{age}"),
        key: None,
        verdict: Verdict::Reached(Evidence::Delivered),
        code: "DELIVRD".into(),
        far: None,
        seen: START.minus(Duration::from_secs(age)),
    };
    surface.gate.correlator.lock().keep(receipt(59));
    assert_eq!(surface.reasons().await, [""; 0]);
    surface.gate.correlator.lock().keep(receipt(60));
    assert_eq!(surface.reasons().await, ["orphan-receipts echo"]);
    let lack = surface.get("/readyz").await["reasons"][0].clone();
    let says =
        |language: &str, what: &str| lack[language].as_str().is_some_and(|t| t.contains(what));
    assert!(
        says("en", "check that nobody else uses the account")
            && says("zh", "核对账号是否被他人使用"),
        "and what to do: {lack}"
    );
    surface.stop().await;
}

#[tokio::test]
async fn a_gateway_whose_store_is_away_is_not_ready() {
    let surface = Surface::start().await;
    surface.up.store(true, SeqCst);
    surface.store.away.store(true, SeqCst);
    let reply = surface.call("GET", "/readyz", "", b"").await;
    assert_eq!(reply.status, 503);
    assert_eq!(
        header(&reply, "content-type"),
        Some("application/problem+json")
    );
    assert_eq!(json_of(&reply)["type"], "/problems/store-away");
    surface.store.away.store(false, SeqCst);
    assert_eq!(surface.reasons().await, [""; 0]);
    surface.stop().await;
}

#[tokio::test]
async fn a_clock_that_jumped_degrades_until_a_person_has_confirmed_it() {
    let surface = Surface::start().await;
    surface.up.store(true, SeqCst);
    surface.clock.jump(7_200_000);
    assert_eq!(surface.reasons().await, ["clock-jumped"]);
    let standing = surface.get("/v1/clock").await;
    assert_eq!(
        standing,
        json!({ "now": START.to_string(), "jumped_by_seconds": 7200, "believed_in_seconds": 600, "confirmed": null })
    );
    let stranger = surface.call("POST", "/v1/clock", "water", b"").await;
    assert_eq!(
        stranger.status, 403,
        "who may not keep the gateway may not say so"
    );
    assert_eq!(surface.reasons().await, ["clock-jumped"]);
    let said = surface.call("POST", "/v1/clock", "keeper", b"").await;
    let later = START.plus(Duration::from_hours(2)).to_string();
    let confirmed = json!({ "at": START.to_string(), "by": "keeper", "jumped_by_seconds": 7200 });
    let settled = json!({
        "now": later, "jumped_by_seconds": null, "believed_in_seconds": null, "confirmed": confirmed,
    });
    assert_eq!(json_of(&said), settled);
    assert_eq!(surface.reasons().await, [""; 0]);
    // The word is in the journal once, and a start knows it; where nothing jumped nothing is noted.
    let again = surface.call("POST", "/v1/clock", "keeper", b"").await;
    assert_eq!(json_of(&again), settled);
    let records = surface.store.stream(0).await.expect("the house stream");
    let words = records.iter().flat_map(|r| unpack(r).expect("whole"));
    let words: Vec<_> = words.filter(|e| matches!(e, Event::Believed(_))).collect();
    let by = "keeper".to_owned();
    let word = Believed { by, seconds: 7200 };
    assert_eq!(words, [Event::Believed(word)]);
    let started = replay(&*surface.store).await.expect("reads");
    assert_eq!(started.ledger.believed(), surface.gate.ledger.believed());
    surface.stop().await;
}

#[tokio::test]
async fn a_word_on_the_clock_that_cannot_be_noted_is_not_believed() {
    let surface = Surface::start().await;
    surface.clock.jump(7_200_000);
    assert_eq!(surface.get("/v1/clock").await["jumped_by_seconds"], 7200);
    surface.store.away.store(true, SeqCst);
    let said = surface.call("POST", "/v1/clock", "keeper", b"").await;
    assert_eq!(
        (said.status, &json_of(&said)["type"]),
        (503, &json!("/problems/store-away"))
    );
    assert_eq!(surface.get("/v1/clock").await["jumped_by_seconds"], 7200);
    surface.store.away.store(false, SeqCst);
    let said = surface.call("POST", "/v1/clock", "keeper", b"").await;
    assert_eq!(json_of(&said)["jumped_by_seconds"], Value::Null);
    surface.stop().await;
}
