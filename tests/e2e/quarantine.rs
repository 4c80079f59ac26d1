//! Quarantine from outside: what a person has to look at first goes nowhere before their word, across restarts, and then
//! goes its way as any other.

use serde_json::{Value, json};

use crate::gateway::{EVERYTHING, Gateway, Setup, WATER, World, both};
use crate::warning::{COUNTY, Warning};

/// A warning with a time that says no zone.
fn doubtful(warning: &Warning) -> String {
    let xml = warning.xml();
    let (before, after) = xml.split_once("<effective>").expect("it has one");
    let (_, after) = after.split_once("</effective>").expect("it ends");
    format!("{before}<effective>2026-07-14T09:00:00</effective>{after}")
}

pub async fn held(world: &World, warning: &Warning) -> u64 {
    let answer = world.gateway.post(WATER, &doubtful(warning)).await;
    assert_eq!(
        (answer.status, &answer.body["born"]),
        (202, &json!("quarantined")),
        "{}",
        answer.body
    );
    answer.body["id"].as_u64().expect("an id")
}

async fn decide(gateway: &Gateway, alert: u64, decision: &str) -> (u16, Value) {
    let body = json!({ "decision": decision, "remark": "已电话核实" }).to_string();
    let path = format!("/v1/alerts/{alert}/decision");
    let answer = gateway.call("POST", &path, EVERYTHING, &body).await;
    (answer.status, answer.body)
}

async fn state(gateway: &Gateway, alert: u64) -> Value {
    gateway.get(&format!("/v1/alerts/{alert}")).await["state"].clone()
}

#[tokio::test]
async fn nothing_is_sent_before_the_word_and_all_of_it_after_it_whatever_restarts_between() {
    let mut world = World::start(Setup::default()).await;
    let alert = held(&world, &Warning::red("q-1", &[COUNTY])).await;
    // Another alert goes its way meanwhile.
    world.gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    world.gateway.ended(2).await;
    assert_eq!(world.smsc.to("00010000001").len(), 1);
    world.gateway.kill().await;
    world.gateway.start().await;
    assert_eq!(state(&world.gateway, alert).await, "quarantined");
    let (status, said) = decide(&world.gateway, alert, "release").await;
    assert_eq!(status, 200, "{said}");
    world.gateway.kill().await;
    world.gateway.start().await;
    world.gateway.ended(alert).await;
    assert_eq!(world.smsc.to("00010000001").len(), 2);
    let (status, again) = decide(&world.gateway, alert, "release").await;
    assert_eq!(
        (status, &again["repeated"], &again["at"]),
        (200, &json!(true), &said["at"])
    );
}

#[tokio::test]
async fn what_is_refused_is_never_sent() {
    let mut world = World::start(Setup::default()).await;
    let alert = held(&world, &Warning::red("q-1", &[COUNTY])).await;
    let base = world.gateway.base.clone();
    let args = [
        "decide",
        &alert.to_string(),
        "refuse",
        "--remark",
        "已撤稿",
        "--to",
        &base,
        "--token",
        EVERYTHING,
    ];
    let done = world.gateway.run(&args).await;
    assert!(done.status.success(), "{}", both(&done));
    let other = [
        "decide",
        &alert.to_string(),
        "release",
        "--to",
        &base,
        "--token",
        EVERYTHING,
    ];
    let other = world.gateway.run(&other).await;
    assert_eq!(other.status.code(), Some(1), "{}", both(&other));
    world.gateway.kill().await;
    world.gateway.start().await;
    assert_eq!(state(&world.gateway, alert).await, "refused");
    world.gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    world.gateway.ended(2).await;
    assert_eq!(world.smsc.to("00010000001").len(), 1, "the other one alone");
}

#[tokio::test]
async fn a_cancel_that_comes_while_it_waits_ends_it_and_tells_nobody() {
    let world = World::start(Setup::default()).await;
    let warning = Warning::red("q-1", &[COUNTY]);
    let alert = held(&world, &warning).await;
    let cancel = Warning::cancel("q-2", &warning);
    let answer = world.gateway.post(WATER, &cancel.xml()).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    world.gateway.ended(2).await;
    assert_eq!(state(&world.gateway, alert).await, "lifted");
    let (status, said) = decide(&world.gateway, alert, "release").await;
    assert_eq!(
        (status, &said["type"]),
        (409, &json!("/problems/decided")),
        "{said}"
    );
    assert!(world.smsc.to("00010000001").is_empty());
}

#[tokio::test]
async fn an_update_that_comes_while_it_waits_goes_to_everyone_as_the_first_word() {
    let world = World::start(Setup::default()).await;
    let warning = Warning::red("q-1", &[COUNTY]);
    let alert = held(&world, &warning).await;
    let update = Warning::update("q-2", &warning, &[COUNTY]);
    let answer = world.gateway.post(WATER, &update.xml()).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    world.gateway.ended(2).await;
    assert_eq!(state(&world.gateway, alert).await, "superseded");
    assert_eq!(world.smsc.to("00010000001").len(), 1);
    let (status, _) = decide(&world.gateway, alert, "release").await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn an_update_that_waits_ends_nothing_before_its_word() {
    let world = World::start(Setup::default()).await;
    let warning = Warning::red("a-1", &[COUNTY]);
    world.gateway.submit(&warning).await;
    world.gateway.ended(1).await;
    let alert = held(&world, &Warning::update("a-2", &warning, &[COUNTY])).await;
    assert_eq!(state(&world.gateway, 1).await, "in-force");
    let (status, said) = decide(&world.gateway, alert, "release").await;
    assert_eq!(status, 200, "{said}");
    world.gateway.ended(alert).await;
    assert_eq!(state(&world.gateway, 1).await, "superseded");
    assert_eq!(world.smsc.to("00010000001").len(), 2);
}

#[tokio::test]
async fn a_correction_that_waited_ends_what_came_meanwhile_with_its_release() {
    let mut world = World::start(Setup::default()).await;
    let first = Warning {
        severity: "Severe",
        ..Warning::red("a-1", &[COUNTY])
    };
    // The correction comes before what it corrects, and waits.
    let update = Warning {
        sent: first.sent + 1,
        ..Warning::update("a-2", &first, &[COUNTY])
    };
    let waits = held(&world, &update).await;
    let old = world.gateway.submit(&first).await;
    world.gateway.ended(old).await;
    assert_eq!(state(&world.gateway, old).await, "in-force");
    assert_eq!(world.smsc.to("00010000001").len(), 1);
    let (status, said) = decide(&world.gateway, waits, "release").await;
    assert_eq!(status, 200, "{said}");
    // The word and the end of the earlier one are one commit.
    world.gateway.kill().await;
    world.gateway.start().await;
    world.gateway.ended(waits).await;
    let gateway = &world.gateway;
    let view = gateway.get(&format!("/v1/alerts/{old}")).await;
    assert_eq!(
        (&view["state"], &view["withdrawn_by"]),
        (&json!("superseded"), &json!(waits))
    );
    let view = gateway.get(&format!("/v1/alerts/{waits}")).await;
    assert_eq!(
        (&view["class"], &view["compared"]),
        (&json!("upgraded"), &json!([old])),
        "{view}"
    );
    let told = world.smsc.to("00010000001");
    assert!(told.len() == 2 && told[1].contains("续发"), "{told:?}");
}

#[tokio::test]
async fn a_cancel_that_waited_is_handled_as_high_as_what_it_ends() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[COUNTY]);
    let cancel = Warning {
        bare: false,
        severity: "Minor",
        areas: first.areas.clone(),
        ..Warning::cancel("a-2", &first)
    };
    let waits = held(&world, &cancel).await;
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let (status, said) = decide(gateway, waits, "release").await;
    assert_eq!(status, 200, "{said}");
    gateway.ended(waits).await;
    assert_eq!(state(gateway, old).await, "lifted");
    let view = gateway.get(&format!("/v1/alerts/{waits}")).await;
    assert_eq!(
        (&view["level"], &view["handled"]),
        (&json!("blue"), &json!("red"))
    );
    let told = world.smsc.to("00010000001");
    assert!(told.len() == 2, "{told:?}");
}
