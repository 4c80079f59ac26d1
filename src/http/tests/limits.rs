//! Each bureau has permits of its own: whoever asks too often is told how long to wait, others are not slowed by it, and
//! a far end's receipts are never turned away.

use super::*;

#[tokio::test]
async fn whoever_asks_too_often_waits_and_nobody_else_does() {
    let surface = Surface::with(|want| want.rate = "2/s burst 3".parse().expect("a rate")).await;
    for _ in 0..3 {
        surface.get("/v1/alerts").await;
    }
    let reply = surface.call("GET", "/v1/alerts", "water", b"").await;
    let said = json_of(&reply);
    assert_eq!(
        (reply.status, &said["type"]),
        (429, &json!("/problems/too-many-requests"))
    );
    assert_eq!(header(&reply, "retry-after"), Some("1"));
    assert_eq!(
        surface.call("GET", "/v1/alerts", "town", b"").await.status,
        200
    );
    for _ in 0..20 {
        let call = surface
            .call("POST", "/v1/channels/echo/receipt", "water", b"r")
            .await;
        assert_eq!(call.status, 207, "a receipt is taken");
        assert_eq!(surface.call("GET", "/healthz", "", b"").await.status, 200);
    }
    surface.clock.advance(Duration::from_secs(1));
    assert_eq!(
        surface.call("GET", "/v1/alerts", "water", b"").await.status,
        200,
        "it may go on"
    );
    surface.stop().await;
}

#[tokio::test]
async fn what_is_turned_away_is_not_taken_and_can_be_sent_again() {
    let surface = Surface::with(|want| want.rate = "1/s burst 1".parse().expect("a rate")).await;
    surface.get("/v1/alerts").await;
    let body = cap("a-1", "510727");
    let reply = surface
        .call("POST", "/v1/alerts", "water", body.as_bytes())
        .await;
    assert_eq!(reply.status, 429);
    assert!(surface.gate.ledger.every().is_empty());
    surface.clock.advance(Duration::from_secs(1));
    let reply = surface
        .call("POST", "/v1/alerts", "water", body.as_bytes())
        .await;
    assert_eq!(
        (reply.status, &json_of(&reply)["repeated"]),
        (202, &json!(false))
    );
    surface.stop().await;
}
