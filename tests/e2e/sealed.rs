//! An alert that is over leaves memory and not the answers: sealed, over a restart, and back when a correction speaks of it.

use serde_json::{Value, json};

use crate::county::{VILLAGE_A1, VILLAGE_A2};
use crate::gateway::{Gateway, Setup, World, both, within};
use crate::warning::{COUNTY, Warning, now};

const STAYS: &str = "00030000007"; // in village A2

async fn is_sealed(gateway: &Gateway, alert: u64) -> bool {
    gateway.get(&format!("/v1/alerts/{alert}")).await["sealed"] == true
}

pub async fn sealed(gateway: &Gateway, alert: u64) {
    within("it is sealed", async || {
        is_sealed(gateway, alert).await.then_some(())
    })
    .await;
}

/// From its next start on what is over is sealed at once.
pub async fn seals_soon(gateway: &mut Gateway) {
    gateway.terminate().await;
    let config = std::fs::read_to_string(gateway.path("tocsin.toml")).expect("a file");
    let soon = config.replace("[node]\n", "[node]\nseal_after = \"1s\"\n");
    gateway.write("tocsin.toml", &soon);
    gateway.start().await;
}

/// The figures of a county and the curve, without the moment they were asked for.
async fn figures(gateway: &Gateway, alert: u64) -> Value {
    let mut answer = gateway.coverage(alert, COUNTY).await;
    answer["as_of"] = Value::Null;
    let curve = gateway.get(&format!("/v1/alerts/{alert}/curve")).await;
    let points = curve["points"].as_array().expect("points");
    assert!(!points.is_empty(), "somebody was reached: {curve}");
    json!([answer, curve["released"], points])
}

fn events(journal: &[Value], stream: u64, name: &str) -> usize {
    let its = |line: &&Value| line["stream"] == stream && !line["event"][name].is_null();
    journal.iter().filter(its).count()
}

#[tokio::test]
async fn a_sealed_alert_answers_over_a_restart_and_comes_back_for_its_update() {
    let mut world = World::start(Setup::default()).await;
    let gateway = &mut world.gateway;
    let first = Warning {
        expires: now() + 5,
        ..Warning::red("a-1", &[VILLAGE_A1, VILLAGE_A2])
    };
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    within("its texts have expired", async || {
        let view = gateway.get(&format!("/v1/alerts/{old}")).await;
        (view["state"] == "expired").then_some(())
    })
    .await;
    let before = figures(gateway, old).await;
    assert!(
        !is_sealed(gateway, old).await,
        "not before a day has passed"
    );

    seals_soon(gateway).await;
    sealed(gateway, old).await;
    assert_eq!(figures(gateway, old).await, before);

    gateway.terminate().await;
    let verdict = gateway.run(&["journal", "verify"]).await;
    assert!(verdict.status.success(), "{}", both(&verdict));
    assert!(both(&verdict).contains("1 sealed"), "{}", both(&verdict));
    gateway.start().await;
    assert_eq!(figures(gateway, old).await, before);
    assert!(is_sealed(gateway, old).await);

    let update = Warning::update("a-2", &first, &[VILLAGE_A2]);
    let new = gateway.submit(&update).await;
    gateway.ended(new).await;
    let texts = world.smsc.to(STAYS);
    assert_eq!(texts.len(), 2, "{texts:?}");
    let gateway = &mut world.gateway;
    let view = gateway.get(&format!("/v1/alerts/{old}")).await;
    assert_eq!(
        (&view["state"], &view["withdrawn_by"]),
        (&json!("superseded"), &json!(new))
    );
    sealed(gateway, old).await;
    let journal = gateway.journal().await;
    assert_eq!(events(&journal, old, "unsealed"), 1);
    assert_eq!(events(&journal, old, "sealed"), 2);
    assert_eq!(events(&journal, old, "withdrawn"), 1);
    gateway.terminate().await;
    let verdict = gateway.run(&["journal", "verify"]).await;
    assert!(verdict.status.success(), "{}", both(&verdict));
}

#[tokio::test]
async fn a_cancel_of_a_sealed_alert_reaches_whoever_was_handed_it() {
    let mut world = World::start(Setup::default()).await;
    let gateway = &mut world.gateway;
    seals_soon(gateway).await;
    let first = Warning {
        expires: now() + 5,
        ..Warning::red("a-1", &[VILLAGE_A1, VILLAGE_A2])
    };
    let old = gateway.submit(&first).await;
    sealed(gateway, old).await;
    assert_eq!(world.smsc.to(STAYS).len(), 1);
    let gateway = &mut world.gateway;
    let cancel = gateway.submit(&Warning::cancel("a-2", &first)).await;
    gateway.ended(cancel).await;
    let view = gateway.get(&format!("/v1/alerts/{old}")).await;
    assert_eq!(view["state"], "lifted");
    let texts = world.smsc.to(STAYS);
    assert!(
        texts.len() == 2 && texts[1].contains("该预警已撤销"),
        "{texts:?}"
    );
}
