//! Loudspeakers behind a broker, Mosquitto, on a whole gateway: from the warning to the figures, over a kill of either.

use loudspeaker::mqtt::Broker as Settings;
use serde_json::Value;

use crate::county::DEVICES;
use crate::gateway::{DUTY, Gateway, OPERATOR, Setup, World, within};
use crate::mosquitto::{Broker, PASSWORD};
use crate::peers::{self, GATEWAY_SEED, SPEAKER_SECRET};
use crate::warning::{COUNTY, Warning};

const PLAYS: &str = DEVICES[0];

const PLAN: &str = r#"name = "wide"
language = "zh-CN"
lifetime = "4h"

[[send]]
audience = "speakers"
channels = ["wide"]
receipt_window = "10s"
"#;

fn setup(broker: &Broker) -> Setup {
    let (url, ca) = (broker.url(), broker.ca());
    let ca = ca.display();
    Setup {
        plan: PLAN.to_owned(),
        more: format!(
            r#"[[channel]]
name = "wide"
kind = "loudspeaker-mqtt"
rate = "100/s burst 20"
retry = {{ first = "200ms", factor = 2, cap = "1s", attempts = 4 }}
[channel.settings]
gateway = "e2e"
secret = "{SPEAKER_SECRET}"
seed = "{GATEWAY_SEED}"
fetch_timeout = 5
[channel.settings.broker]
url = "{url}"
user = "gateway"
password = "{PASSWORD}"
ca = "{ca}"
keep_alive = 5
"#
        ),
        ..Setup::default()
    }
}

async fn channel(gateway: &Gateway) -> Value {
    let answer = gateway.get("/v1/channels").await;
    let channels = answer["channels"].as_array().expect("a list");
    let found = channels.iter().find(|channel| channel["name"] == "wide");
    found.expect("it is there").clone()
}

async fn health(gateway: &Gateway, wanted: &str) {
    within(wanted, async || {
        (channel(gateway).await["health"] == wanted).then_some(())
    })
    .await;
}

/// How often its speaker has played this alert.
fn plays(boxes: &loudspeaker::peer::Peer, alert: u64) -> usize {
    let begin = format!("{alert}-");
    let heard = boxes.heard();
    let own = heard.iter().filter(|heard| heard.device == PLAYS);
    own.filter(|heard| heard.order.starts_with(&begin)).count()
}

async fn played(boxes: &loudspeaker::peer::Peer, alert: u64) {
    within("its speaker plays it", async || {
        (plays(boxes, alert) > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_warning_behind_a_broker_is_played_once_and_counted_though_gateway_and_broker_are_killed()
{
    let mut broker = Broker::start(&DEVICES).await;
    let mut world = World::start(setup(&broker)).await;
    // Enrolled over HTTP, by the boxes of the other channel; from here on they are behind the broker.
    within("they are enrolled", async || {
        let answer = world.gateway.call("GET", "/v1/devices", OPERATOR, "").await;
        let devices = answer.body["devices"].as_array()?.clone();
        let all = devices.iter().all(|device| device["enrolled"] == true);
        (all && devices.len() == 3).then_some(())
    })
    .await;
    health(&world.gateway, "up").await;
    let settings = Settings {
        password: Some(loudspeaker::Secret::new(PASSWORD)),
        ca: Some(broker.ca()),
        ..Settings::new(broker.url())
    };
    let boxes = peers::behind(settings, "wide", DEVICES.map(str::to_owned).to_vec());

    let first = world.gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    played(&boxes, first).await;
    // Whether its report is in the journal or not.
    world.gateway.kill().await;
    world.gateway.start().await;
    world.gateway.ended(first).await;
    assert_eq!(plays(&boxes, first), 1, "{:?}", boxes.heard());
    let total = world.gateway.coverage(first, COUNTY).await["total"].clone();
    assert_eq!(total["speakers"]["played"], 1, "{total}");

    health(&world.gateway, "up").await;
    broker.kill();
    health(&world.gateway, "down").await;
    let second = world.gateway.submit(&Warning::red("a-2", &[COUNTY])).await;
    let shown = within("the lane pauses", async || {
        let shown = channel(&world.gateway).await;
        (shown["link"]["state"] == "paused").then_some(shown)
    })
    .await;
    assert!(shown["reason"].is_string(), "{shown}");
    broker.up().await;
    played(&boxes, second).await;
    world.gateway.ended(second).await;
    assert_eq!(plays(&boxes, second), 1, "{:?}", boxes.heard());
    let total = world.gateway.coverage(second, COUNTY).await["total"].clone();
    assert_eq!(total["speakers"]["played"], 1, "{total}");

    let page = world.gateway.call_text("/metrics", DUTY).await;
    let unproven = "tocsin_refused_calls{channel=\"wide\",why=\"unproven\"}";
    assert!(!page.contains(unproven), "{page}");
}
