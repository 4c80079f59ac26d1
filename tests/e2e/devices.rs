//! Loudspeakers' controllers and their operator: enrolment, stops, orders without a text, and a gateway restored from an
//! older journal. These tests must not ask a controller what the gateway thinks.

use std::time::Duration;

use crate::county::{DEVICES, VILLAGE_A1};
use crate::gateway::{DUTY, Gateway, OPERATOR, Setup, World, both, within};
use crate::warning::{COUNTY, Warning};

const PLAYS: &str = DEVICES[0];

async fn heard(world: &World, alert: u64) -> u64 {
    let begin = format!("{alert}-");
    within("its speaker plays it", async || {
        let heard = world.horn.heard();
        let mut own = heard.iter().filter(|h| h.device == PLAYS);
        let found = own.find(|h| h.order.starts_with(&begin));
        found.map(|h| h.counter)
    })
    .await
}

async fn obeyed(world: &World, kind: &str) {
    let wanted = (PLAYS.to_owned(), kind.to_owned());
    within("its speaker obeys", async || {
        world.horn.obeyed().contains(&wanted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_warning_is_stopped_where_it_may_sound_once_and_over_a_restart() {
    let mut world = World::start(Setup::default()).await;
    let first = Warning::red("a-1", &[COUNTY]);
    let alert = world.gateway.submit(&first).await;
    heard(&world, alert).await;
    let cancel = Warning {
        msg_type: "Cancel",
        references: vec![first.reference()],
        ..Warning::red("a-2", &[COUNTY])
    };
    world.gateway.submit(&cancel).await;
    obeyed(&world, "stop").await;
    world.gateway.kill().await;
    world.gateway.start().await;
    // Whatever was laid down again is behind this one.
    let later = world.gateway.submit(&Warning::red("a-3", &[COUNTY])).await;
    heard(&world, later).await;
    let stops = world.horn.obeyed();
    let stops = stops.iter().filter(|(id, _)| id == PLAYS).count();
    assert_eq!(stops, 1, "{:?}", world.horn.obeyed());
    let journal = world.gateway.journal().await;
    let ordered = journal
        .iter()
        .filter_map(|line| line["event"]["ordered"].as_object());
    let actions: Vec<_> = ordered
        .map(|o| o["action"]["stop"]["alert"].clone())
        .collect();
    assert_eq!(actions, [serde_json::json!(alert)]);
}

async fn device(gateway: &Gateway, args: &[&str]) -> serde_json::Value {
    let mut all = vec!["device", "--to", &gateway.base, "--token", OPERATOR];
    all.extend(args);
    let output = gateway.run(&all).await;
    assert!(output.status.success(), "{}", both(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn an_operator_orders_from_the_command_line_and_sees_what_each_speaker_did() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    // Who has no key yet is not ordered.
    within("its speaker is enrolled", async || {
        let list = device(gateway, &["list", "--under", VILLAGE_A1]).await;
        (list["devices"][0]["enrolled"] == true).then_some(())
    })
    .await;
    let given = device(gateway, &["volume", "60", "--device", PLAYS]).await;
    obeyed(&world, "volume").await;
    let order = given["orders"][0]["order"].to_string();
    let done = within("its result is known", async || {
        let result = device(gateway, &["result", &order]).await;
        (result["done"] == 1).then_some(result)
    })
    .await;
    assert_eq!(done["by"], "operator");
    let list = device(gateway, &["list", "--under", VILLAGE_A1]).await;
    let row = &list["devices"][0];
    assert_eq!(
        (&row["device"], &row["enrolled"]),
        (&PLAYS.into(), &true.into()),
        "{row}"
    );
    assert!(
        row["heard"].is_string() && row["silent_seconds"].as_u64().is_some_and(|s| s < 60),
        "{row}"
    );
    // Its key is void at once: the next call is refused, and the next order finds nobody.
    device(gateway, &["revoke", PLAYS]).await;
    let answer = gateway
        .call(
            "POST",
            "/v1/devices/orders",
            OPERATOR,
            &format!("{{\"kind\":\"tone\",\"devices\":[\"{PLAYS}\"]}}"),
        )
        .await;
    assert_eq!(
        answer.body["not_enrolled"],
        serde_json::json!([PLAYS]),
        "{}",
        answer.body
    );
    let refused = within("its call is refused", async || {
        let page = gateway.call_text("/metrics", DUTY).await;
        page.lines()
            .find(|line| {
                line.starts_with("tocsin_refused_calls{channel=\"horn\",why=\"not-enrolled\"}")
            })
            .map(str::to_owned)
    })
    .await;
    assert!(!refused.ends_with(" 0"), "{refused}");
}

#[tokio::test]
async fn a_gateway_restored_from_an_older_journal_is_obeyed_at_once() {
    let mut world = World::start(Setup::default()).await;
    let first = world.gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    heard(&world, first).await;
    assert!(world.gateway.terminate().await.success());
    let (data, copy) = (world.gateway.path("data"), world.gateway.path("copy"));
    copied(&data, &copy);
    world.gateway.start().await;
    let mut last = 0;
    for identifier in ["a-2", "a-3", "a-4"] {
        let alert = world
            .gateway
            .submit(&Warning::red(identifier, &[COUNTY]))
            .await;
        last = heard(&world, alert).await;
    }
    assert!(world.gateway.terminate().await.success());
    std::fs::remove_dir_all(&data).expect("it goes");
    copied(&copy, &data);
    world.gateway.start().await;
    let before = world.horn.heard().len();
    let alert = world.gateway.submit(&Warning::red("a-5", &[COUNTY])).await;
    let heard_it = within("its speaker plays it", async || {
        let heard = world.horn.heard();
        let mut new = heard[before..].iter().filter(|h| h.device == PLAYS);
        new.find(|h| h.counter > last).map(|h| h.order.clone())
    });
    let order = tokio::time::timeout(Duration::from_secs(40), heard_it).await;
    assert!(order.expect("in time").starts_with(&format!("{alert}-")));
    assert_eq!(world.horn.refused(), []);
}

fn copied(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}
