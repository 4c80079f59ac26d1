//! What a plan sends at another moment than the release: after a while, or when the night is over.

use channel::{Clock, SystemClock};
use serde_json::json;

use crate::gateway::{Setup, World, count, within};
use crate::warning::{COUNTY, Warning};

const HEAD: &str = "name = \"stepped\"\nlanguage = \"zh-CN\"\nlifetime = \"4h\"\n";

/// Hours of Beijing that hold this moment.
pub fn hours_around_now() -> String {
    let hour = |from_now: i64| {
        let secs = SystemClock::default().now().secs() + 8 * 3600 + from_now * 3600;
        secs.div_euclid(3600).rem_euclid(24)
    };
    format!("{:02}:00-{:02}:00", hour(-1), hour(2))
}

#[tokio::test]
async fn a_later_step_is_sent_at_its_time_and_a_restart_changes_nothing() {
    let plan = format!(
        "{HEAD}[[send]]\naudience = \"officers\"\nchannels = [\"sms\"]\nreceipt_window = \"3s\"\n\
         [[send]]\naudience = \"public\"\nchannels = [\"sms\"]\nreceipt_window = \"3s\"\nafter = \"4s\"\n"
    );
    let mut world = World::start(Setup {
        plan,
        ..Setup::default()
    })
    .await;
    let alert = world.gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    world.gateway.ended(alert).await;
    assert!(world.smsc.to("00010000101").is_empty());
    let officers = world.smsc.texts().len();
    assert!(officers > 0);
    let view = world.gateway.get(&format!("/v1/alerts/{alert}")).await;
    assert_eq!(view["steps"][0]["state"], "planned");
    assert_eq!(view["steps"][1]["state"], "waiting", "{view}");
    let total = &world.gateway.coverage(alert, COUNTY).await["total"];
    assert_eq!(
        count(&total["missed"]["no_endpoint"]),
        0,
        "nobody can say so yet: {total}"
    );
    world.gateway.kill().await;
    world.gateway.start().await;
    within("the second step is out", async || {
        (world.smsc.texts().len() > officers).then_some(())
    })
    .await;
    within("it is planned", async || {
        let view = world.gateway.get(&format!("/v1/alerts/{alert}")).await;
        (view["steps"][1]["state"] == "planned").then_some(())
    })
    .await;
    world.gateway.ended(alert).await;
    let view = world.gateway.get(&format!("/v1/alerts/{alert}")).await;
    assert_eq!(view["steps"][1]["due"], due_again(&world, alert).await);
    // An officer who lives here was told as one and is not told again.
    assert_eq!(world.smsc.to("00010000001").len(), 1);
    let total = &world.gateway.coverage(alert, COUNTY).await["total"];
    assert!(count(&total["missed"]["no_endpoint"]) > 0, "{total}");
}

/// When the second step is due, as the journal has it.
async fn due_again(world: &World, alert: u64) -> String {
    let journal = world.gateway.journal().await;
    let mut of = journal.iter().filter(|line| line["stream"] == alert);
    let due = of.find_map(|line| line["event"]["steps"]["due"][1].as_i64());
    channel::Timestamp(due.expect("it is journaled")).to_string()
}

#[tokio::test]
async fn a_low_warning_waits_for_the_morning_and_is_dropped_when_superseded() {
    let quiet = hours_around_now();
    let send = |audience: &str, channel: &str| {
        format!(
            "[[send]]\naudience = \"{audience}\"\nchannels = [\"{channel}\"]\nreceipt_window = \"3s\"\n"
        )
    };
    let held = format!("quiet = \"{quiet}\"\n");
    let plan = [
        HEAD.to_owned(),
        send("speakers", "horn") + &held,
        send("public", "sms") + &held,
        send("officers", "mail"),
    ]
    .concat();
    let world = World::start(Setup {
        plan,
        ..Setup::default()
    })
    .await;
    let gateway = &world.gateway;
    let low = Warning {
        severity: "Moderate",
        expires: crate::warning::now() + 6 * 3600,
        ..Warning::red("a-1", &[COUNTY])
    };
    let alert = gateway.submit(&low).await;
    let view = gateway.ended(alert).await;
    assert_eq!(view["steps"][1]["state"], "waiting", "{view}");
    assert!(world.smsc.texts().is_empty() && world.horn.heard().is_empty());
    let total = &gateway.coverage(alert, COUNTY).await["total"];
    assert_eq!(total["pending"], total["at_home"], "{total}");
    assert_eq!(total["held"], total["at_home"], "{total}");
    // Red does not wait, and takes the low one's place: what was held is never sent.
    let red = Warning {
        expires: low.expires,
        ..Warning::update("a-2", &low, &[COUNTY])
    };
    let second = gateway.submit(&red).await;
    gateway.ended(second).await;
    assert!(!world.smsc.texts().is_empty());
    let view = gateway.get(&format!("/v1/alerts/{alert}")).await;
    assert_eq!(view["steps"][1]["state"], "withdrawn");
    let total = &gateway.coverage(alert, COUNTY).await["total"];
    assert_eq!(total["missed"]["withdrawn"], total["at_home"], "{total}");
    let view = gateway.get(&format!("/v1/alerts/{second}")).await;
    assert_eq!(view["steps"], json!([]));
}

#[tokio::test]
async fn a_raised_level_is_shown_beside_the_warnings_own() {
    let plan = format!(
        "{HEAD}raise = \"orange\"\n[match]\nlevels = [\"yellow\"]\nregions = [\"510727101\"]\n\
         [[send]]\naudience = \"officers\"\nchannels = [\"sms\"]\nreceipt_window = \"3s\"\n"
    );
    let world = World::start(Setup {
        plan,
        ..Setup::default()
    })
    .await;
    let gateway = &world.gateway;
    let yellow = Warning {
        severity: "Moderate",
        ..Warning::red("a-1", &[crate::county::TOWN_A])
    };
    let answer = gateway.post(crate::gateway::WATER, &yellow.xml()).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(
        (&answer.body["level"], &answer.body["handled"]),
        (&json!("yellow"), &json!("orange"))
    );
    let view = gateway.ended(1).await;
    assert_eq!(
        (&view["level_zh"], &view["handled_zh"]),
        (&json!("黄色"), &json!("橙色"))
    );
    // Elsewhere no plan takes it.
    let elsewhere = Warning {
        severity: "Moderate",
        ..Warning::red("a-2", &[crate::county::TOWN_B])
    };
    let answer = gateway.post(crate::gateway::WATER, &elsewhere.xml()).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
}
