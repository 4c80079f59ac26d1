//! What references name, in whatever order the messages of a chain come.

use serde_json::json;

use crate::county::{VILLAGE_A1, VILLAGE_B2};
use crate::gateway::{Setup, WATER, World, within};
use crate::warning::Warning;

const TOLD: &str = "00010000004"; // in village A1

#[tokio::test]
async fn a_cancel_that_names_only_an_update_it_came_before_lifts_the_original_too() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let update = Warning::update("a-2", &first, &[VILLAGE_A1]);
    let cancel = gateway.submit(&Warning::cancel("a-3", &update)).await;
    let late = gateway.post(WATER, &update.xml()).await;
    assert_eq!(late.body["superseded_by"], cancel, "{}", late.body);
    let told = within(
        "whoever has the original hears that it is over",
        async || {
            let texts = world.smsc.to(TOLD);
            (texts.len() == 2).then_some(texts)
        },
    );
    assert!(told.await[1].contains("已撤销"));
    for id in [old, late.body["id"].as_u64().expect("an id")] {
        let view = gateway.get(&format!("/v1/alerts/{id}")).await;
        assert_eq!(
            (&view["state"], &view["withdrawn_by"]),
            (&json!("lifted"), &json!(cancel))
        );
    }
}

#[tokio::test]
async fn an_alert_that_comes_last_of_its_chain_is_born_superseded() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let second = Warning::update("a-2", &first, &[VILLAGE_A1]);
    let cancel = gateway.submit(&Warning::cancel("a-3", &second)).await;
    for late in [&second, &first] {
        let answer = gateway.post(WATER, &late.xml()).await;
        assert_eq!(answer.body["superseded_by"], cancel, "{}", answer.body);
    }
}

#[tokio::test]
async fn a_reference_names_one_instant_whatever_clock_it_is_written_by() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let again = Warning {
        sent: first.sent + 60,
        ..first.clone()
    };
    let (old, other) = (gateway.submit(&first).await, gateway.submit(&again).await);
    let utc = cap::Time::new(first.sent, 0);
    let cancel = Warning {
        references: vec![format!("{},{},{utc}", first.sender, first.identifier)],
        ..Warning::cancel("a-2", &first)
    };
    let cancel = gateway.submit(&cancel).await;
    gateway.ended(cancel).await;
    let state = async |id: u64| gateway.get(&format!("/v1/alerts/{id}")).await["state"].clone();
    assert_eq!(state(old).await, "lifted");
    assert_eq!(
        state(other).await,
        "in-force",
        "another instant, another alert"
    );
    // One that is sent after the Cancel is no business of it.
    let later = Warning {
        sent: first.sent + 120,
        ..first.clone()
    };
    let answer = gateway.post(WATER, &later.xml()).await;
    assert_eq!(answer.body["born"], "live", "{}", answer.body);
}

#[tokio::test]
async fn a_reference_to_itself_or_to_nothing_known_changes_nothing() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let mut update = Warning::update("a-2", &first, &[VILLAGE_A1]);
    update.references.push(update.reference());
    let answer = gateway.post(WATER, &update.xml()).await;
    assert_eq!((answer.status, &answer.body["born"]), (202, &json!("live")));
    let rules: Vec<_> = answer.body["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .collect();
    let said = |part: &str| {
        rules
            .iter()
            .any(|f| f["rule"].as_str().is_some_and(|r| r.contains(part)))
    };
    assert!(said("references/self"), "{}", answer.body);
    let id = answer.body["id"].as_u64().expect("an id");
    gateway.ended(id).await;
    assert_eq!(
        world.smsc.to(TOLD).len(),
        1,
        "to everyone it is a new alert"
    );
    let view = gateway.get(&format!("/v1/alerts/{id}")).await;
    assert_eq!(view["corrects"], json!([]));
}

#[tokio::test]
async fn an_ack_and_an_error_are_filed_and_end_nothing() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    for (n, msg_type) in ["Ack", "Error"].into_iter().enumerate() {
        let reply = Warning {
            msg_type,
            ..Warning::cancel(&format!("w-{n}"), &first)
        };
        let answer = gateway.post(WATER, &reply.xml()).await;
        assert_eq!(
            (answer.status, &answer.body["born"]),
            (202, &json!("filed")),
            "{}",
            answer.body
        );
    }
    // What comes after them is sent to its end: had they done anything, it would have been done.
    let after = gateway.submit(&Warning::red("a-3", &[VILLAGE_B2])).await;
    gateway.ended(after).await;
    assert_eq!(
        gateway.get(&format!("/v1/alerts/{old}")).await["state"],
        "in-force"
    );
    assert_eq!(world.smsc.to(TOLD).len(), 1);
}
