//! Every problem type is told by a request that meets it, and none is missing from this list.

use std::collections::BTreeSet;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::problem::KINDS;
use super::*;
use crate::coverage::fixture::accepted;
use crate::ledger::Identity;

/// One request and the problem it meets. Alert 1 is released, its sender is `water@pingwu.example`.
const TOLD: [(&str, &str, &str, &str); 24] = [
    ("unproven", "GET", "/v1/alerts", ""),
    ("unproven", "GET", "/v1/alerts", "wrong"),
    ("unproven", "POST", "/v1/alerts", ""),
    ("unproven", "GET", "/v1/alerts/1/coverage", ""),
    ("unproven", "GET", "/v1/channels", ""),
    ("no-scope", "GET", "/v1/alerts", "mute"),
    ("no-scope", "POST", "/v1/alerts", "mute"),
    (
        "bad-parameter",
        "GET",
        "/v1/alerts/1/coverage?under=5107271",
        "water",
    ),
    (
        "bad-parameter",
        "GET",
        "/v1/alerts/1/coverage?udner=510727",
        "water",
    ),
    (
        "bad-parameter",
        "GET",
        "/v1/alerts/1/households?answer=perhaps",
        "water",
    ),
    (
        "outside-regions",
        "GET",
        "/v1/alerts/1/coverage?under=51",
        "water",
    ),
    (
        "outside-regions",
        "GET",
        "/v1/alerts/1/households?under=510727216",
        "town",
    ),
    (
        "outside-regions",
        "GET",
        "/v1/alerts/1/deliveries/12/events",
        "town",
    ),
    ("unknown-alert", "GET", "/v1/alerts/77", "water"),
    ("unknown-alert", "GET", "/v1/alerts/one", "water"),
    ("unknown-alert", "GET", "/v1/alerts/1", "far"),
    (
        "unknown-household",
        "GET",
        "/v1/alerts/1/households/12/deliveries",
        "town",
    ),
    (
        "unknown-delivery",
        "GET",
        "/v1/alerts/1/deliveries/999/events",
        "water",
    ),
    (
        "unknown-recording",
        "GET",
        "/v1/recordings/9/sound",
        "water",
    ),
    ("unknown-earthquake", "GET", "/v1/earthquakes/f/e", "water"),
    ("unknown-channel", "POST", "/v1/channels/none/x", ""),
    ("unknown-problem", "GET", "/problems/none", ""),
    ("unknown-path", "GET", "/v2/alerts", "water"),
    ("wrong-method", "DELETE", "/v1/alerts/1", "water"),
];

/// Told by a test of their own below.
const APART: [&str; 26] = [
    "bad-entry",
    "filed",
    // The end-to-end tests have a feed.
    "bad-report",
    "too-many-requests",
    "too-slow",
    "decided",
    "bad-body",
    "bad-order",
    "bad-recording",
    "unknown-device",
    "unknown-order",
    "unknown-repair",
    "closed",
    "unfit-tables",
    "not-allowed",
    "unknown-region",
    "conflict",
    "too-large",
    "unreadable",
    "nowhere",
    "not-filed",
    // The end-to-end tests have a far end that is away.
    "far-end",
    "damaged",
    "store-away",
    "stopping",
    "timed-out",
];

/// The slug of a problem, after its shape is proved.
fn slug(reply: &Reply) -> String {
    let body = json_of(reply);
    let shown = body.to_string();
    assert_eq!(
        header(reply, "content-type"),
        Some("application/problem+json"),
        "{shown}"
    );
    assert_eq!(body["status"], reply.status, "{shown}");
    for name in ["title", "title_zh", "detail"] {
        assert!(
            body[name].as_str().is_some_and(|text| !text.is_empty()),
            "{name} in {shown}"
        );
    }
    assert_eq!(
        header(reply, "www-authenticate").is_some(),
        reply.status == 401,
        "{shown}"
    );
    assert_eq!(
        header(reply, "retry-after").is_some(),
        [429, 503].contains(&reply.status),
        "{shown}"
    );
    let kind = body["type"]
        .as_str()
        .and_then(|t| t.strip_prefix("/problems/"));
    kind.expect("a type").to_owned()
}

#[tokio::test]
async fn each_request_meets_its_problem() {
    let surface = Surface::with_alert().await;
    for (expected, method, path, token) in TOLD {
        let reply = surface.call(method, path, token, b"").await;
        assert_eq!(slug(&reply), expected, "{method} {path} as {token:?}");
    }
    surface.stop().await;
}

#[tokio::test]
async fn no_problem_type_is_left_without_a_test_and_each_can_be_looked_up() {
    let tested: BTreeSet<&str> = TOLD.iter().map(|told| told.0).chain(APART).collect();
    let surface = Surface::start().await;
    let types = json_of(&surface.call("GET", "/problems/none", "", b"").await)["types"].clone();
    let types: Vec<String> = serde_json::from_value(types).expect("a list");
    assert_eq!(types.len(), KINDS.len());
    assert_eq!(
        types.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        tested
    );
    for name in types {
        assert_eq!(
            surface
                .call("GET", &format!("/problems/{name}"), "", b"")
                .await
                .status,
            200,
            "{name}"
        );
    }
    surface.stop().await;
}

#[test]
fn every_problem_type_stands_in_the_documentation_with_its_status() {
    let page = include_str!("../../../docs/api.md");
    let (_, table) = page
        .split_once("| type | status | more |")
        .expect("the table");
    for kind in KINDS {
        let named = format!("`{}`", kind.slug);
        let row = table.lines().find(|line| line.contains(&named));
        let row = row.unwrap_or_else(|| panic!("{named} is not in docs/api.md"));
        assert!(row.contains(&format!("| {} |", kind.status)), "{row}");
    }
}

async fn submit(surface: &Surface, token: &str, body: &[u8]) -> (u16, String, Value) {
    let reply = surface.call("POST", "/v1/alerts", token, body).await;
    (reply.status, slug(&reply), json_of(&reply))
}

#[tokio::test]
async fn an_alert_that_is_not_taken_says_why_and_what_to_do() {
    let surface = Surface::with_alert().await;
    let (status, kind, body) = submit(&surface, "water", b"<alert").await;
    assert_eq!((status, kind.as_str()), (422, "unreadable"));
    assert!(
        body["findings"].as_array().is_some_and(|f| !f.is_empty()),
        "{body}"
    );

    let other = cap("a-2", "510727").replace("water@pingwu.example", "other@pingwu.example");
    let (status, kind, _) = submit(&surface, "water", other.as_bytes()).await;
    assert_eq!((status, kind.as_str()), (403, "not-allowed"));

    let (status, kind, body) = submit(&surface, "town", cap("a-2", "510727").as_bytes()).await;
    assert_eq!((status, kind.as_str()), (403, "outside-regions"));
    insta::assert_json_snapshot!(body, @r#"
    {
      "codes": [
        "510727000000"
      ],
      "detail": "the alert names 510727000000, which is not inside what your bureau is responsible for; leave it out or have the bureau's regions changed",
      "status": 403,
      "title": "Outside the bureau's regions",
      "title_zh": "超出责任区域",
      "type": "/problems/outside-regions"
    }
    "#);

    let (status, kind, _) = submit(&surface, "water", cap("a-2", "510727299").as_bytes()).await;
    assert_eq!((status, kind.as_str()), (422, "nowhere"));

    let changed = cap("a-1", "510727").replace("特大暴雨", "大暴雨");
    let (status, kind, body) = submit(&surface, "water", changed.as_bytes()).await;
    assert_eq!(
        (status, kind.as_str(), &body["alert"]),
        (409, "conflict", &json!(1))
    );

    assert_eq!(
        surface.get("/v1/alerts").await["alerts"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    surface.stop().await;
}

#[tokio::test]
async fn a_body_over_five_megabytes_is_refused_whoever_sends_it() {
    let surface = Surface::start().await;
    let large = vec![b' '; BODY + 1];
    for path in ["/v1/alerts", "/v1/channels/echo/x"] {
        let reply = surface.call("POST", path, "water", &large).await;
        assert_eq!(
            (reply.status, slug(&reply).as_str()),
            (413, "too-large"),
            "{path}"
        );
    }
    surface.stop().await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_told_so() {
    let surface = Surface::start().await;
    let address = surface.base.strip_prefix("http://").expect("a base");
    let mut socket = tokio::net::TcpStream::connect(address)
        .await
        .expect("connects");
    let head = "POST /v1/alerts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer water\r\ncontent-length: 10\r\n\r\nabc";
    socket.write_all(head.as_bytes()).await.expect("written");
    socket.shutdown().await.expect("half closed");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("/problems/bad-body"),
        "{answer}"
    );
    surface.stop().await;
}

#[tokio::test]
async fn without_its_store_the_gateway_takes_nothing_and_says_so() {
    let surface = Surface::with_alert().await;
    surface.store.away.store(true, SeqCst);
    let (status, kind, body) = submit(&surface, "water", cap("a-2", "510727").as_bytes()).await;
    assert_eq!((status, kind.as_str()), (503, "store-away"));
    assert!(
        body["detail"]
            .as_str()
            .is_some_and(|d| d.contains("the disk is full")),
        "{body}"
    );
    for path in ["/v1/alerts/1/document", "/v1/alerts/1/deliveries/0/events"] {
        assert_eq!(
            slug(&surface.call("GET", path, "water", b"").await),
            "store-away",
            "{path}"
        );
    }
    assert_eq!(
        surface.get("/v1/alerts/1").await["state"],
        "in-force",
        "memory still answers"
    );
    surface.store.away.store(false, SeqCst);
    let reply = surface
        .call(
            "POST",
            "/v1/alerts",
            "water",
            cap("a-2", "510727").as_bytes(),
        )
        .await;
    assert_eq!(reply.status, 202, "it goes on");
    surface.stop().await;
}

#[tokio::test]
async fn a_store_that_never_answers_holds_nobody_for_ever() {
    let surface = Surface::with_patience(Duration::from_millis(200)).await;
    surface.store.silent.store(true, SeqCst);
    let (status, kind, _) = submit(&surface, "water", cap("a-1", "510727").as_bytes()).await;
    assert_eq!((status, kind.as_str()), (503, "timed-out"));
    surface.stop().await;
}

#[tokio::test]
async fn a_long_poll_outlives_the_patience_and_ends_when_the_gateway_stops() {
    let surface = Surface::with_patience(Duration::from_millis(1)).await;
    let url = format!("{}/v1/channels/echo/hang", surface.base);
    let http = surface.http.clone();
    let poll = tokio::spawn(async move {
        http.call(
            &url,
            Request {
                method: "GET".into(),
                ..Request::default()
            },
        )
        .await
    });
    assert!(
        tokio::time::timeout(Duration::from_millis(300), surface.stop.cancelled())
            .await
            .is_err()
    );
    assert!(!poll.is_finished(), "it waits on purpose");
    surface.stop.cancel();
    let reply = poll.await.expect("no panic").expect("an answer");
    assert_eq!((reply.status, slug(&reply).as_str()), (503, "stopping"));
}

#[tokio::test]
async fn what_is_missing_from_the_store_is_damage_and_not_absence() {
    let surface = Surface::start().await;
    let meta = accepted("a-9", &["510727"]);
    let claim: Option<(Identity, [u8; 32])> = Some((meta.identity.clone(), meta.content));
    let events = vec![(Proposal::NEW, Event::Accepted(Box::new(meta)))];
    surface
        .writer
        .propose(Proposal {
            events,
            claim,
            ..Proposal::default()
        })
        .await
        .expect("committed");
    let reply = surface
        .call("GET", "/v1/alerts/1/document", "water", b"")
        .await;
    assert_eq!((reply.status, slug(&reply).as_str()), (500, "damaged"));
    surface.stop().await;
}

#[tokio::test]
async fn a_region_that_the_alert_does_not_speak_of_is_not_answered_with_zeros() {
    let surface = Surface::start().await;
    let reply = surface
        .call(
            "POST",
            "/v1/alerts",
            "water",
            cap("a-1", "510727216").as_bytes(),
        )
        .await;
    assert_eq!(reply.status, 202);
    let reply = surface
        .call("GET", "/v1/alerts/1/coverage?under=510727217", "water", b"")
        .await;
    assert_eq!(
        (reply.status, slug(&reply).as_str()),
        (404, "unknown-region")
    );
    surface.stop().await;
}
