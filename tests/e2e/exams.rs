//! The days of an examination: a warning below its level waits at the loudspeakers of its regions and nowhere else, and
//! what waits is dropped and counted when something newer has come or it has expired.

use channel::Timestamp;
use serde_json::{Value, json};

use crate::county::{TOWN_A, VILLAGE_A1, VILLAGE_B1};
use crate::gateway::{EVERYTHING, Gateway, OPERATOR, Setup, World, count, within};
use crate::steps::hours_around_now;
use crate::warning::{COUNTY, Warning, now};

/// Yesterday to tomorrow, at the hours that are now, in one of the two towns.
fn exam() -> String {
    let day = |offset: i64| {
        let local = Timestamp::from_secs(now() + 8 * 3600 + offset * 86_400);
        let (year, month, day, ..) = local.civil();
        format!("{year:04}-{month:02}-{day:02}")
    };
    format!(
        "[[speakers.exam]]\nname = \"合成考试\"\nfrom = \"{}\"\nto = \"{}\"\nhours = \"{}\"\nregions = [\"{}\"]\n",
        day(-1),
        day(1),
        hours_around_now(),
        &TOWN_A[..9],
    )
}

async fn world() -> World {
    let more = exam();
    World::start(Setup {
        more,
        ..Setup::default()
    })
    .await
}

fn yellow(expires: i64) -> Warning {
    Warning {
        severity: "Moderate",
        expires,
        ..Warning::red("a-1", &[COUNTY])
    }
}

/// Which devices have been given an order of this alert.
fn sounded(world: &World, alert: u64) -> Vec<String> {
    let heard = world.horn.heard();
    let alert = format!("{alert}-");
    let own = heard.iter().filter(|heard| heard.order.starts_with(&alert));
    let mut devices: Vec<_> = own.map(|heard| heard.device.clone()).collect();
    devices.sort();
    devices.dedup();
    devices
}

async fn view(gateway: &Gateway, alert: u64) -> Value {
    gateway.get(&format!("/v1/alerts/{alert}")).await
}

/// What the figures say of the loudspeakers of a region: how many there are, and how many have played.
async fn speakers(gateway: &Gateway, alert: u64, region: &str) -> (u64, u64) {
    let total = &gateway.coverage(alert, region).await["total"]["speakers"];
    (count(&total["total"]), count(&total["played"]))
}

#[tokio::test]
async fn a_yellow_warning_waits_at_the_loudspeakers_of_an_examination_and_is_dropped_when_superseded()
 {
    let world = world().await;
    let gateway = &world.gateway;
    let low = yellow(now() + 6 * 3600);
    let preview = gateway
        .call("POST", "/v1/alerts?preview=true", EVERYTHING, &low.xml())
        .await;
    assert_eq!(preview.status, 200, "{}", preview.body);
    let alert = gateway.submit(&low).await;
    let waiting = gateway.ended(alert).await;
    let step = &waiting["steps"][1];
    assert_eq!(
        (
            &step["state"],
            &step["state_zh"],
            count(&step["deliveries"])
        ),
        (&json!("waiting"), &json!("静默暂缓"), 2),
        "{waiting}"
    );
    // People are told all the same, and so is the loudspeaker of the other town.
    assert!(!world.smsc.texts().is_empty());
    within("the other town's sounds", async || {
        (sounded(&world, alert) == ["SP-LOST-3"]).then_some(())
    })
    .await;
    // Red sounds on such a day too, and takes the yellow one's place: what was held is never sounded.
    let red = Warning {
        expires: low.expires,
        ..Warning::update("a-2", &low, &[COUNTY])
    };
    let second = gateway.submit(&red).await;
    gateway.ended(second).await;
    let dropped = view(gateway, alert).await;
    assert_eq!(dropped["steps"][1]["state"], "withdrawn", "{dropped}");
    assert_eq!(count(&dropped["steps"][1]["deliveries"]), 2, "{dropped}");
    assert_eq!(sounded(&world, alert), ["SP-LOST-3"]);
    within("red has sounded", async || {
        sounded(&world, second)
            .contains(&"SP-PLAYS-1".to_owned())
            .then_some(())
    })
    .await;
    assert_eq!(speakers(gateway, alert, TOWN_A).await, (2, 0));
    assert_eq!(view(gateway, second).await["steps"], json!([]));
    assert_eq!(speakers(gateway, second, VILLAGE_A1).await, (1, 1));
}

#[tokio::test]
async fn what_waits_for_an_examination_and_expires_before_its_end_is_dropped_and_counted_over_a_restart()
 {
    let mut world = world().await;
    let low = yellow(now() + 8);
    let alert = world.gateway.submit(&low).await;
    within("it is dropped", async || {
        let view = view(&world.gateway, alert).await;
        (view["steps"][1]["state"] == "dropped").then_some(())
    })
    .await;
    world.gateway.ended(alert).await;
    let counted = async |gateway: &Gateway| {
        let view = view(gateway, alert).await;
        let figures = speakers(gateway, alert, TOWN_A).await;
        (view["steps"][1].clone(), figures)
    };
    let (step, figures) = counted(&world.gateway).await;
    assert_eq!(
        (&step["state_zh"], count(&step["deliveries"])),
        (&json!("过期未发"), 2),
        "{step}"
    );
    assert_eq!(figures, (2, 0));
    let journal = world.gateway.journal().await;
    let own = journal.iter().filter(|line| line["stream"] == alert);
    let dropped = own.filter(|line| line["event"]["dropped"]["step"] == 1);
    assert_eq!(dropped.count(), 1);
    world.gateway.kill().await;
    world.gateway.start().await;
    assert_eq!(counted(&world.gateway).await, (step, figures));
    assert!(!sounded(&world, alert).contains(&"SP-PLAYS-1".to_owned()));
}

#[tokio::test]
async fn a_tone_and_a_drill_keep_silent_at_an_examination_and_a_stop_is_taken() {
    let world = world().await;
    let gateway = &world.gateway;
    let order = |kind: &str, under: &str| json!({ "kind": kind, "under": under }).to_string();
    let tone = gateway
        .call(
            "POST",
            "/v1/devices/orders",
            OPERATOR,
            &order("tone", VILLAGE_A1),
        )
        .await;
    assert_eq!(tone.status, 422, "{}", tone.body);
    let detail = tone.body["detail"].as_str().expect("why");
    assert!(detail.contains("keep silent until"), "{detail}");
    for (kind, under) in [
        ("tone", VILLAGE_B1),
        ("stop-all", VILLAGE_A1),
        ("self-test", VILLAGE_A1),
    ] {
        let answer = gateway
            .call("POST", "/v1/devices/orders", OPERATOR, &order(kind, under))
            .await;
        assert_eq!(answer.status, 202, "{kind}: {}", answer.body);
    }
    let drill = Warning {
        status: "Exercise",
        expires: now() + 6 * 3600,
        ..Warning::red("a-1", &[TOWN_A])
    };
    let alert = gateway.submit(&drill).await;
    gateway.ended(alert).await;
    assert_eq!(sounded(&world, alert), [""; 0], "a red drill can wait");
}
