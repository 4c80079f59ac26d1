//! Far ends that are away, slow or of two minds: nothing is lost, and it is shown.

use serde_json::{Value, json};

use crate::county;
use crate::gateway::{Gateway, Setup, World, count, within};
use crate::warning::{COUNTY, Warning};

async fn sms(gateway: &Gateway) -> Value {
    let answer = gateway.get("/v1/channels").await;
    let channels = answer["channels"].as_array().expect("a list");
    channels
        .iter()
        .find(|c| c["name"] == "sms")
        .expect("sms")
        .clone()
}

#[tokio::test]
async fn an_smsc_that_is_down_pauses_the_lane_is_shown_and_goes_on_when_it_is_back() {
    let mut world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    within("the SMSC is bound", async || {
        (sms(gateway).await["health"] == "up").then_some(())
    })
    .await;
    world.smsc.down().await;
    within("the SMSC is seen to be down", async || {
        (sms(gateway).await["health"] == "down").then_some(())
    })
    .await;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    let shown = within("the lane pauses", async || {
        let shown = sms(gateway).await;
        (shown["link"]["state"] == "paused").then_some(shown)
    })
    .await;
    assert!(shown["reason"].is_string(), "{shown}");
    // The other channels go on meanwhile.
    within("the mails are out", async || {
        (world.mail.count() == 3).then_some(())
    })
    .await;
    let line = gateway.channel(alert, "sms").await;
    assert_eq!(
        line["planned"], line["total"],
        "nothing is handed to a link that is down: {line}"
    );

    world.smsc.up().await;
    gateway.ended(alert).await;
    let total = &gateway.coverage(alert, COUNTY).await["total"];
    assert_eq!(count(&total["reached"]["delivered"]), 3, "{total}");
    assert!(world.smsc.taken().values().all(|times| *times == 1));
    within("the link is shown as up", async || {
        (sms(gateway).await["link"]["state"] == "up").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_smsc_that_hangs_up_in_the_middle_loses_nothing() {
    let setup = Setup {
        files: county::large(20),
        sms_rate: "100/s burst 20",
        ..Setup::default()
    };
    let numbers = county::mobiles(&setup.files);
    let mut world = World::start(setup).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    within("a third is out", async || {
        (world.smsc.texts().len() > 30).then_some(())
    })
    .await;
    world.smsc.down().await;
    within("the link is seen to be down", async || {
        (sms(gateway).await["health"] == "down").then_some(())
    })
    .await;
    world.smsc.up().await;
    let view = gateway.ended(alert).await;
    let seen: std::collections::BTreeSet<_> =
        world.smsc.texts().into_iter().map(|text| text.to).collect();
    assert!(
        numbers.iter().all(|number| seen.contains(number)),
        "every number was tried"
    );
    let twice = world
        .smsc
        .taken()
        .values()
        .filter(|times| **times > 1)
        .count();
    assert!(
        u64::try_from(twice).expect("few") <= count(&view["doubts"]),
        "{twice} twice, {}",
        view["doubts"]
    );
    assert_eq!(count(&gateway.channel(alert, "sms").await["expired"]), 0);
}

#[tokio::test]
async fn throttling_slows_and_loses_nothing() {
    let setup = Setup {
        files: county::large(20),
        sms_rate: "400/s burst 40",
        smsc_rate: Some(60),
        ..Setup::default()
    };
    let numbers = county::mobiles(&setup.files);
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    let view = gateway.ended(alert).await;
    assert!(
        world.smsc.counters().throttled > 0,
        "{:?}",
        world.smsc.counters()
    );
    let seen: std::collections::BTreeSet<_> =
        world.smsc.texts().into_iter().map(|text| text.to).collect();
    assert!(numbers.iter().all(|number| seen.contains(number)));
    let line = gateway.channel(alert, "sms").await;
    let dead = numbers.iter().filter(|n| n.starts_with("0002")).count();
    let off = numbers.iter().filter(|n| n.starts_with("0005")).count();
    assert_eq!(
        count(&line["failed"]),
        u64::try_from(dead + off).expect("few"),
        "only the dead and those switched off: {line}"
    );
    assert_eq!(
        (count(&line["expired"]), count(&view["doubts"])),
        (0, 0),
        "{line}"
    );
    // A complaint about the pace is no attempt.
    let first = &gateway.deliveries(alert, 1).await;
    let own = first
        .iter()
        .find(|d| d["speaker"] == false)
        .expect("its own");
    assert_eq!(
        (&own["attempts"], &own["answer"]),
        (&json!(1), &json!("reached")),
        "{own}"
    );
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_doubt_and_sent_again() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    within("the SMSC is bound", async || {
        (sms(gateway).await["health"] == "up").then_some(())
    })
    .await;
    world.smsc.mute(true);
    let alert = gateway
        .submit(&Warning::red("a-1", &[county::VILLAGE_B2]))
        .await;
    within("a text came in", async || {
        (!world.smsc.texts().is_empty()).then_some(())
    })
    .await;
    world.smsc.mute(false);
    let view = gateway.ended(alert).await;
    assert!(count(&view["doubts"]) > 0, "{view}");
    let doubted = &gateway.deliveries(alert, 13).await[0];
    assert_eq!(doubted["in_doubt"], true, "{doubted}");
    assert!(world.smsc.to("00050000013").len() >= 2);
}
