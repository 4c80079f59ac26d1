//! What a preview shows, and that it is what happens.

use serde_json::{Value, json};

use crate::county::{TOWN_A, TOWN_B, VILLAGE_A1, VILLAGE_B1};
use crate::gateway::{Setup, TOWN, WATER, World, count};
use crate::sealed::{sealed, seals_soon};
use crate::warning::{COUNTY, Warning, now};

async fn preview(world: &World, warning: &Warning) -> Value {
    let path = "/v1/alerts?preview=true";
    let answer = world
        .gateway
        .call("POST", path, WATER, &warning.xml())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// Deliveries by channel.
fn by_channel(preview: &Value, channel: &str) -> u64 {
    let lines = items(&preview["reach"]).iter();
    let own = lines.filter(|line| line["channel"] == channel);
    own.map(|line| count(&line["deliveries"])).sum()
}

/// The figures of a preview are those of the alert that is then written.
async fn holds(world: &World, shown: &Value, alert: u64) {
    let gateway = &world.gateway;
    gateway.ended(alert).await;
    let view = gateway.get(&format!("/v1/alerts/{alert}")).await;
    for key in ["regions_hash", "plan", "level", "handled", "regions"] {
        assert_eq!(shown[key], view[key], "{key}");
    }
    let mut all = 0;
    for channel in ["sms", "mail", "horn"] {
        let line = gateway.channel(alert, channel).await;
        let written = line["total"].as_u64().unwrap_or(0);
        assert_eq!(by_channel(shown, channel), written, "{channel}");
        all += written;
    }
    assert_eq!(count(&view["deliveries"]), all);
    let texts = items(&shown["texts"]).iter();
    let told: u64 = texts.map(|text| count(&text["deliveries"])).sum();
    assert_eq!(told, all);
    if count(&shown["homes"]["households"]) > 0 {
        let total = &gateway.coverage(alert, COUNTY).await["total"];
        for key in ["households", "away", "at_home", "people"] {
            assert_eq!(shown["homes"][key], total[key], "{key}");
        }
    }
}

#[tokio::test]
async fn a_preview_shows_what_is_then_written_and_keeps_nothing() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let warning = Warning::red("a-1", &[COUNTY]);
    let shown = preview(&world, &warning).await;
    assert_eq!(shown["preview"], true);
    assert_eq!(
        (&shown["born"], &shown["known"]),
        (&json!("live"), &Value::Null)
    );
    assert_eq!(shown["events"][0]["zh"], "山洪");
    // Nothing was sent or kept.
    let list = gateway.get("/v1/alerts").await;
    assert_eq!(list["alerts"], json!([]));
    assert!(world.smsc.texts().is_empty() && world.horn.heard().is_empty());
    let journal = gateway.journal().await;
    assert!(
        journal.iter().all(|line| line["stream"] == 0),
        "{journal:?}"
    );

    let alert = gateway.submit(&warning).await;
    holds(&world, &shown, alert).await;

    // The Update leaves one town; whoever had the first is told that it is over for them.
    let update = Warning::update("a-2", &warning, &[TOWN_A]);
    let shown = preview(&world, &update).await;
    let closing = items(&shown["reach"])
        .iter()
        .filter(|l| l["closing"] == true);
    assert!(closing.count() > 0, "{shown:#}");
    let alert = gateway.submit(&update).await;
    holds(&world, &shown, alert).await;

    let cancel = Warning::cancel("a-3", &update);
    let shown = preview(&world, &cancel).await;
    let reach = items(&shown["reach"]);
    assert!(!reach.is_empty() && reach.iter().all(|line| line["closing"] == true));
    let alert = gateway.submit(&cancel).await;
    holds(&world, &shown, alert).await;
}

#[tokio::test]
async fn a_preview_names_who_cannot_be_reached() {
    let world = World::start(Setup::default()).await;
    let shown = preview(&world, &Warning::red("a-1", &[COUNTY])).await;
    let homes = &shown["homes"];
    assert_eq!(count(&homes["villages"]), 4);
    let graded = ["confirmed", "delivered", "played", "sent", "no_means"];
    let sum: u64 = graded.iter().map(|key| count(&homes[*key])).sum();
    assert_eq!(sum, count(&homes["at_home"]), "{homes}");
    // 丁二 has neither telephone nor speaker; 丁村 has no speaker at all.
    assert_eq!(count(&homes["no_means"]), 1, "{homes}");
    let numbers = &shown["numbers"][0];
    assert_eq!(numbers["channel"], "sms");
    assert_eq!(numbers["unfiled"], Value::Null, "nobody has said");
    assert!(
        count(&numbers["by_carrier"]["unknown"]) > 0,
        "000 is nobody's"
    );
    assert!(shown["last_first_text"].is_string());
    // What it refuses, it refuses as a submission would.
    let path = "/v1/alerts?preview=true";
    let outside = Warning::red("a-2", &[TOWN_B]).xml();
    let answer = world.gateway.call("POST", path, TOWN, &outside).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let said = world.gateway.said();
    assert!(!said.contains("00010000001"), "no number in a log");
    assert!(
        !shown.to_string().contains("00010000001"),
        "nor in a preview"
    );
}

#[tokio::test]
async fn the_command_line_shows_a_preview_and_tries_the_plans_without_a_gateway() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let warning = Warning::red("a-1", &[VILLAGE_A1, VILLAGE_B1]);
    gateway.write("a.xml", &warning.xml());
    let args = [
        "submit",
        "a.xml",
        "--preview",
        "--to",
        &gateway.base,
        "--token",
        WATER,
    ];
    let output = gateway.run(&args).await;
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{said}");
    for words in [
        "未发送、未保存",
        "no means",
        "510727101201",
        "last first text",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let args = [
        "plan",
        "test",
        "--alert",
        "a.xml",
        "--config",
        "tocsin.toml",
    ];
    let output = gateway.run(&args).await;
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{said}");
    for words in ["all: 接收 takes it", "大喇叭", "at once", "sms"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let list = gateway.get("/v1/alerts").await;
    assert_eq!(list["alerts"], json!([]));
}

#[tokio::test]
async fn a_preview_of_an_update_counts_whoever_has_what_is_sealed_by_now() {
    let mut world = World::start(Setup::default()).await;
    seals_soon(&mut world.gateway).await;
    let first = Warning {
        expires: now() + 4,
        ..Warning::red("a-1", &[TOWN_A])
    };
    let old = world.gateway.submit(&first).await;
    sealed(&world.gateway, old).await;
    let cancel = Warning::cancel("a-2", &first);
    let shown = preview(&world, &cancel).await;
    assert!(
        items(&shown["reach"])
            .iter()
            .all(|line| line["closing"] == true)
            && by_channel(&shown, "sms") > 0,
        "{shown}"
    );
    assert_eq!(
        (&shown["class"], &shown["handled"]),
        (&json!("lifted"), &json!("red"))
    );
    let update = Warning::update("a-3", &first, &[VILLAGE_A1]);
    let shown = preview(&world, &update).await;
    let closing: u64 = items(&shown["reach"])
        .iter()
        .filter(|line| line["closing"] == true)
        .map(|line| count(&line["deliveries"]))
        .sum();
    assert!(closing > 0, "who drops out of the area: {shown}");
    let view = world.gateway.get(&format!("/v1/alerts/{old}")).await;
    assert_eq!(view["sealed"], true, "a preview brings nothing back");
    let alert = world.gateway.submit(&update).await;
    holds(&world, &shown, alert).await;
}
