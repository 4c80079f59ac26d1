//! What is not taken, and how it is said: every refusal changes nothing.

use serde_json::{Value, json};

use crate::county::{TOWN_A, VILLAGE_A1, VILLAGE_B1};
use crate::gateway::{Answer, DUTY, Setup, TOWN, WATER, World};
use crate::warning::{COUNTY, Warning};

fn said(answer: &Answer) -> (u16, &str) {
    let kind = answer.body["type"].as_str().unwrap_or_default();
    (answer.status, kind.trim_start_matches("/problems/"))
}

#[tokio::test]
async fn the_same_file_twice_is_one_alert_and_the_same_answer() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let warning = Warning::red("a-1", &[COUNTY]);
    let first = gateway.post(WATER, &warning.xml()).await;
    let again = gateway.post(WATER, &warning.xml()).await;
    // Other bytes, the same content.
    let spaced = warning.xml().replace("><", ">\n  <");
    let spaced = gateway.post(WATER, &spaced).await;
    for other in [&again, &spaced] {
        assert_eq!(other.status, 202, "{}", other.body);
        assert_eq!(other.body["repeated"], true);
        for key in ["id", "identity", "born", "level", "regions", "regions_hash"] {
            assert_eq!(other.body[key], first.body[key], "{key}");
        }
    }
    assert_eq!(first.body["repeated"], false);
    gateway.ended(1).await;
    let list = gateway.get("/v1/alerts").await;
    assert_eq!(list["alerts"].as_array().map(Vec::len), Some(1));
    assert_eq!(world.smsc.to("00010000001").len(), 1);
}

#[tokio::test]
async fn other_content_under_one_identity_is_a_conflict() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let warning = Warning::red("a-1", &[VILLAGE_A1]);
    gateway.submit(&warning).await;
    let changed = Warning {
        headline: "山洪灾害橙色预警".into(),
        ..warning
    };
    let answer = gateway.post(WATER, &changed.xml()).await;
    assert_eq!(said(&answer), (409, "conflict"));
    assert_eq!(answer.body["alert"], 1);
}

#[tokio::test]
async fn what_is_no_sound_alert_is_refused_with_every_finding_and_its_place() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let broken = Warning::red("a-1", &[COUNTY])
        .xml()
        .replace("</info></alert>", "</alert>");
    let answer = gateway.post(WATER, &broken).await;
    assert_eq!(said(&answer), (422, "unreadable"));
    let findings = answer.body["findings"].as_array().expect("findings");
    assert!(!findings.is_empty());
    let placed = |finding: &Value| {
        finding["level"].is_string()
            && finding["en"].is_string()
            && finding["zh"].is_string()
            && finding["position"].is_u64()
    };
    assert!(findings.iter().all(placed), "{findings:?}");
    let answer = gateway.post(WATER, "this is no XML").await;
    assert_eq!(said(&answer), (422, "unreadable"));
    assert_eq!(gateway.get("/v1/alerts").await["alerts"], json!([]));
}

#[tokio::test]
async fn regions_are_a_wall_that_names_the_code() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let answer = gateway
        .post(TOWN, &Warning::red("a-1", &[VILLAGE_A1, VILLAGE_B1]).xml())
        .await;
    assert_eq!(said(&answer), (403, "outside-regions"));
    assert_eq!(answer.body["codes"], json!([VILLAGE_B1]));
    assert!(
        answer.body["detail"]
            .as_str()
            .is_some_and(|text| text.contains(VILLAGE_B1))
    );
    let answer = gateway
        .post(TOWN, &Warning::red("a-2", &[COUNTY]).xml())
        .await;
    assert_eq!(
        (said(&answer), &answer.body["codes"]),
        ((403, "outside-regions"), &json!([COUNTY]))
    );
    let answer = gateway
        .post(TOWN, &Warning::red("a-3", &[TOWN_A]).xml())
        .await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let stranger = gateway
        .post(WATER, &Warning::red("a-4", &["510726000000"]).xml())
        .await;
    assert_eq!(said(&stranger), (403, "outside-regions"));
}

#[tokio::test]
async fn a_code_that_nobody_knows_is_never_sent_to_somebody_else() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    for areas in [&["510727199000"][..], &[VILLAGE_A1, "510727101299"], &[]] {
        let answer = gateway.post(WATER, &Warning::red("a-1", areas).xml()).await;
        assert_eq!(
            said(&answer),
            (422, "nowhere"),
            "{areas:?}: {}",
            answer.body
        );
    }
    assert_eq!(gateway.get("/v1/alerts").await["alerts"], json!([]));
}

#[tokio::test]
async fn a_caller_is_proven_and_has_only_its_scopes() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let xml = Warning::red("a-1", &[COUNTY]).xml();
    assert_eq!(said(&gateway.post("", &xml).await), (401, "unproven"));
    assert_eq!(
        said(&gateway.post("token-of-nobody", &xml).await),
        (401, "unproven")
    );
    let reader = gateway.post(DUTY, &xml).await;
    assert_eq!(said(&reader), (403, "no-scope"));
    assert_eq!(reader.body["scope"], "submit");
    assert_eq!(
        said(&gateway.call("GET", "/v1/alerts", "", "").await),
        (401, "unproven")
    );
    for scope in ["Private", "Restricted"] {
        let narrow = Warning {
            scope,
            ..Warning::red("a-2", &[COUNTY])
        };
        assert_eq!(
            said(&gateway.post(WATER, &narrow.xml()).await),
            (403, "not-allowed"),
            "{scope}"
        );
    }
}

#[tokio::test]
async fn a_town_sees_its_own_doors_and_no_others() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    gateway.ended(alert).await;
    let read = async |path: &str| gateway.call("GET", path, TOWN, "").await;
    let own = read(&format!("/v1/alerts/{alert}/coverage")).await;
    assert_eq!(
        (own.status, &own.body["total"]["households"]),
        (200, &json!(7)),
        "{}",
        own.body
    );
    let other = read(&format!("/v1/alerts/{alert}/coverage?under={VILLAGE_B1}")).await;
    assert_eq!(said(&other), (403, "outside-regions"));
    let door = read(&format!("/v1/alerts/{alert}/households/8/deliveries")).await;
    assert_eq!(said(&door), (404, "unknown-household"));
    let delivery = &gateway.deliveries(alert, 8).await[0];
    let events = read(&format!(
        "/v1/alerts/{alert}/deliveries/{}/events",
        delivery["number"]
    ))
    .await;
    assert_eq!(said(&events), (403, "outside-regions"));
    let elsewhere = gateway.submit(&Warning::red("a-2", &[VILLAGE_B1])).await;
    assert_eq!(
        said(&read(&format!("/v1/alerts/{elsewhere}")).await),
        (404, "unknown-alert")
    );
}
