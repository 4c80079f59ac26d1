//! What the officers' pages show beside the course of an alert: what waits for a person, who still holds an earlier text,
//! and the last word of an alert that is over.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::console::{api_file, call, opened, sign_in, text};
use crate::county::{TOWN_A, TOWN_B, VILLAGE_A1, VILLAGE_A2};
use crate::gateway::{DUTY, EVERYTHING, Gateway, PATIENCE, Setup, TOWN, World, count};
use crate::quarantine::held;
use crate::sealed::{sealed, seals_soon};
use crate::warning::{COUNTY, Warning, now};

async fn page(gateway: &Gateway, path: &str, cookie: &str) -> String {
    let reply = call(gateway, "GET", path, cookie, "").await;
    assert_eq!(reply.status, 200, "{path}");
    text(&reply)
}

#[tokio::test]
async fn what_waits_for_a_person_stands_above_what_runs_until_somebody_has_decided() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let duty = sign_in(gateway, DUTY).await;
    let town = sign_in(gateway, TOWN).await;
    let runs = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    let none = page(gateway, "/console", &duty).await;
    assert!(!none.contains("暂存待核"), "nothing waits: {none}");
    let waits = held(&world, &Warning::red("q-1", &[TOWN_B])).await;

    for path in ["/console", "/console/list"] {
        let seen = page(gateway, path, &duty).await;
        let (_, list) = seen.split_once("<h2>暂存待核").expect("its head");
        let (held, running) = list.split_once("<h2>生效预警").expect("what runs");
        let link = |alert: u64| format!("href=\"/console/alerts/{alert}\"");
        assert!(held.contains("<span class=\"count\">1</span>"), "{held}");
        assert!(
            held.contains(&link(waits)) && held.contains("山洪灾害红色预警"),
            "{held}"
        );
        assert!(held.contains("尚未发布") && !held.contains(&link(runs)));
        assert!(
            running.contains(&link(runs)) && !running.contains(&link(waits)),
            "what nobody is told runs nowhere: {running}"
        );
        // It is of another town.
        let seen = page(gateway, path, &town).await;
        assert!(!seen.contains("暂存待核"), "{seen}");
    }
    let body = json!({ "decision": "release" }).to_string();
    let path = format!("/v1/alerts/{waits}/decision");
    let said = gateway.call("POST", &path, EVERYTHING, &body).await;
    assert_eq!(said.status, 200, "{}", said.body);
    let seen = page(gateway, "/console/list", &duty).await;
    assert!(!seen.contains("暂存待核"), "it has its word: {seen}");
}

#[tokio::test]
async fn who_still_holds_the_earlier_text_stands_on_the_page_of_the_correction_and_in_its_file() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning {
        severity: "Severe",
        ..Warning::red("a-1", &[VILLAGE_A1, VILLAGE_A2])
    };
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let update = Warning::update("a-2", &first, &[VILLAGE_A1, VILLAGE_A2]);
    let new = gateway.submit(&update).await;
    gateway.ended(new).await;
    let duty = sign_in(gateway, DUTY).await;

    let api = format!("/v1/alerts/{new}/stale");
    let said = gateway.get(&api).await;
    let total = count(&said["total"]["households"]);
    assert!(total > 0, "one loses its receipts: {said}");
    let seen = page(gateway, &format!("/console/alerts/{new}"), &duty).await;
    let (_, section) = seen.split_once("仍持旧信息").expect("its section");
    let (section, _) = section.split_once("</section>").expect("its end");
    assert!(
        section.contains(&format!("data-stale=\"{total}\"")),
        "{section}"
    );
    assert!(
        section.contains("试一·乙村") && section.contains("合计 total"),
        "by village: {section}"
    );
    assert!(!section.contains("00030000007"), "and nobody's number");

    let path = format!("/console/alerts/{new}/stale.csv?under={TOWN_A}");
    let reply = call(gateway, "GET", &path, &duty, "").await;
    assert_eq!(reply.status, 200);
    let (file, lines) = (text(&reply), text(&reply).lines().count());
    assert_eq!(
        text(&api_file(gateway, &api).await),
        file,
        "byte for byte what a program gets"
    );
    assert!(lines > 2 && file.contains("乙村"), "{file}");

    // The earlier one corrects nothing.
    let seen = page(gateway, &format!("/console/alerts/{old}"), &duty).await;
    assert!(!seen.contains("仍持旧信息"), "{seen}");
}

#[tokio::test]
async fn the_page_of_a_sealed_alert_is_told_the_whole_once_and_then_no_more() {
    let mut world = World::start(Setup::default()).await;
    seals_soon(&mut world.gateway).await;
    let gateway = &world.gateway;
    let short = Warning {
        expires: now() + 4,
        ..Warning::red("a-1", &[VILLAGE_A1])
    };
    let alert = gateway.submit(&short).await;
    sealed(gateway, alert).await;
    let duty = sign_in(gateway, DUTY).await;
    let told = whole_line(gateway, alert, &duty, None).await;
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    assert_eq!(told.matches("event: ").count(), 1, "{told}");
    let (_, data) = told.split_once("data: ").expect("figures");
    let data = data.lines().next().expect("a line");
    let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(data["state"], "expired");
    let total = gateway.coverage(alert, VILLAGE_A1).await["total"].clone();
    let village = &data["villages"][VILLAGE_A1];
    assert_eq!(
        (&village[0], &village[5]),
        (&total["at_home"], &total["unknown"])
    );
    // A browser comes back by itself: it is told to stay away.
    let again = whole_line(gateway, alert, &duty, Some("1")).await;
    assert!(again.starts_with("HTTP/1.1 204"), "{again}");
    let seen = page(gateway, &format!("/console/alerts/{alert}"), &duty).await;
    assert!(seen.contains("id=\"state\""), "the page stands as well");
}

/// All of a live line, to its end.
async fn whole_line(gateway: &Gateway, alert: u64, cookie: &str, last: Option<&str>) -> String {
    let mut line = opened(gateway, alert, cookie, last).await;
    let mut told = Vec::new();
    let mut part = [0; 4_096];
    let reading = async {
        loop {
            let read = line.read(&mut part).await.expect("bytes");
            told.extend_from_slice(&part[..read]);
            let is_over = told.ends_with(b"0\r\n\r\n") || told.starts_with(b"HTTP/1.1 204");
            if read == 0 || is_over {
                return;
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE.min(Duration::from_secs(20)), reading).await;
    ended.expect("it ends by itself");
    String::from_utf8(told).expect("UTF-8")
}
