//! A county's broadcast platform on a whole gateway: a warning becomes one message, each village is told apart, what the
//! platform holds is shown with its duty phone, and names and stops stand over a restart.

use std::fmt::Write as _;

use loudspeaker::ebd::peer::{Platform, Settings, Story};
use loudspeaker::ebd::readers::Brd;
use serde_json::{Value, json};

use crate::county::{self, VILLAGE_A1, VILLAGE_A2, VILLAGE_B1};
use crate::gateway::{DUTY, EVERYTHING, Gateway, Setup, World, count, within};
use crate::warning::{COUNTY, Warning};

const OWN: &str = "45107270000000103010101";
const CODE: &str = "45107270000000101010101";
const SECRET: &str = "no-secret-it-does-not-exist";
const PHONE: &str = "0816-0000000";

const PLAN: &str = r#"name = "all"
language = "zh-CN"
lifetime = "4h"

[[send]]
audience = "speakers"
channels = ["platform"]
receipt_window = "30s"
"#;

/// The villages' own codes are the addresses; the controllers of the small county stand beside them and are none of the
/// platform's.
fn setup(platform: &Platform) -> Setup {
    let mut files = county::small();
    let villages = [VILLAGE_A1, VILLAGE_A2, VILLAGE_B1];
    for (nth, village) in villages.iter().enumerate() {
        let id = 311 + nth;
        let endpoints = files.get_mut("endpoints").expect("a file");
        writeln!(endpoints, "{id},,speaker,{village}").expect("a String");
        let speakers = files.get_mut("speakers").expect("a file");
        writeln!(speakers, "{id},{village},平台{nth}号").expect("a String");
    }
    let url = platform.url();
    let more = format!(
        r#"
[[channel]]
name = "platform"
kind = "loudspeaker-ebd"
rate = "500/s burst 500"
retry = {{ first = "200ms", factor = 2, cap = "1s", attempts = 4 }}
[channel.settings]
url = "{url}"
ebrid = "{OWN}"
platform = "{CODE}"
sender_name = "平武县应急管理局"
sender_code = "51072733200000"
secret = "{SECRET}"
duty_phone = "{PHONE}"
heartbeat = 1
ask_after = 1
"#
    );
    Setup {
        files,
        plan: PLAN.to_owned(),
        more,
        ..Setup::default()
    }
}

/// By village, how its platform speaker stands.
async fn speakers(gateway: &Gateway, alert: u64) -> Vec<(String, String, String)> {
    let path = format!("/v1/alerts/{alert}/speakers?under={COUNTY}");
    let page = gateway.get(&path).await;
    let lines = page["speakers"].as_array().expect("lines").iter();
    let own = lines.filter(|line| (311..314).contains(&count(&line["endpoint"])));
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    own.map(|line| {
        (
            text(line, "village"),
            text(line, "answer"),
            text(line, "state_zh"),
        )
    })
    .collect()
}

async fn channel(gateway: &Gateway) -> Value {
    let all = gateway.get("/v1/channels").await;
    let mut each = all["channels"].as_array().expect("channels").iter();
    let own = each.find(|channel| channel["name"] == "platform");
    own.expect("it is configured").clone()
}

#[tokio::test]
async fn a_platform_plays_holds_and_takes_back_and_its_serials_stand_over_a_restart() {
    let settings = Settings {
        // The first warning fails in one village, the later ones wait for the platform's people.
        story: Box::new(|ebm| {
            if ebm.id.ends_with("0001") {
                Story::FailsAt(vec![VILLAGE_A2.to_owned()])
            } else {
                Story::Held
            }
        }),
        ..Settings::new(CODE, OWN)
    };
    let platform = Platform::start(settings).await.expect("a port");
    let mut world = World::start(setup(&platform)).await;
    platform.calls(format!(
        "{}/v1/channels/platform/{SECRET}",
        world.gateway.base
    ));

    let alert = world.gateway.submit(&Warning::red("p-1", &[COUNTY])).await;
    let wanted = [
        (VILLAGE_A1, "reached"),
        (VILLAGE_A2, "missed"),
        (VILLAGE_B1, "reached"),
    ];
    within("each village is told apart", async || {
        let lines = speakers(&world.gateway, alert).await;
        let lines: Vec<_> = lines
            .iter()
            .map(|(v, a, _)| (v.as_str(), a.as_str()))
            .collect();
        (lines == wanted).then_some(())
    })
    .await;
    let row = world.gateway.coverage(alert, VILLAGE_A1).await["total"]["speakers"].clone();
    // The controller of the same village is no place of the platform.
    assert_eq!(
        (count(&row["played"]), count(&row["failed"])),
        (1, 1),
        "{row}"
    );
    let names: Vec<_> = platform.kept().into_keys().collect();
    assert_eq!(names.len(), 1, "one message for the county");

    world.gateway.kill().await;
    world.gateway.start().await;
    let held = Warning::red("p-2", &[COUNTY]);
    let alert = world.gateway.submit(&held).await;
    within("it is held", async || {
        let lines = speakers(&world.gateway, alert).await;
        let held = lines.iter().filter(|(.., state)| state == "待播控审核");
        (held.count() == 3).then_some(())
    })
    .await;
    let shown = within("its channel says so", async || {
        let shown = channel(&world.gateway).await;
        (shown["far_end"]["held"] == 1).then_some(shown)
    })
    .await;
    assert_eq!(shown["far_end"]["duty_phone"], PHONE, "{shown}");
    let ready = world.gateway.call_text("/readyz", DUTY).await;
    assert!(
        ready.contains("held-far") && !ready.contains(PHONE),
        "{ready}"
    );
    let second: Vec<_> = platform
        .kept()
        .into_keys()
        .filter(|name| !names.contains(name))
        .collect();
    assert!(
        second.len() == 1 && second[0].ends_with("0002"),
        "{second:?}"
    );

    // Whoever takes it back was not there when it went out.
    world.gateway.kill().await;
    world.gateway.start().await;
    let cancel = Warning {
        msg_type: "Cancel",
        references: vec![held.reference()],
        ..Warning::red("p-3", &[COUNTY])
    };
    world.gateway.submit(&cancel).await;
    within("it is taken back", async || {
        let kept = platform.kept();
        (kept[&second[0]].state == Brd::Cancelled).then_some(())
    })
    .await;
    let kept = platform.kept();
    let cancels = kept.values().filter(|kept| kept.ebm.is_cancel());
    let ended: Vec<_> = cancels
        .filter_map(|kept| kept.ebm.related.as_deref())
        .collect();
    assert_eq!(ended, [second[0].as_str()]);
    let said = world.gateway.said();
    assert!(!said.contains(PHONE) && !said.contains(SECRET), "{said}");
    let answered = platform.answered();
    assert!(
        answered
            .iter()
            .all(|(status, code)| *status != 200 || *code == Some(1)),
        "{answered:?}"
    );
}

#[tokio::test]
async fn an_operators_stop_reaches_the_platform_and_what_it_cannot_do_is_said() {
    let settings = Settings {
        story: Box::new(|_| Story::Held),
        ..Settings::new(CODE, OWN)
    };
    let platform = Platform::start(settings).await.expect("a port");
    let world = World::start(setup(&platform)).await;
    let gateway = &world.gateway;
    platform.calls(format!("{}/v1/channels/platform/{SECRET}", gateway.base));
    let alert = gateway.submit(&Warning::red("p-9", &[COUNTY])).await;
    within("the platform has it", async || {
        (platform.kept().len() == 1).then_some(())
    })
    .await;
    let order = async |order: Value| {
        let path = "/v1/devices/orders";
        gateway
            .call("POST", path, EVERYTHING, &order.to_string())
            .await
    };
    let whom = [VILLAGE_A1, VILLAGE_A2, VILLAGE_B1];
    let loud = order(json!({ "kind": "volume", "percent": 60, "devices": whom })).await;
    let detail = loud.body["detail"].as_str().unwrap_or_default();
    assert!(
        loud.status == 422
            && detail.contains("channel platform cannot")
            && detail.contains("`volume`"),
        "{}",
        loud.body
    );
    let given = order(json!({ "kind": "stop", "alert": alert, "devices": whom })).await;
    assert_eq!(given.status, 202, "{}", given.body);
    let path = format!("/v1/devices/orders/{}", given.body["orders"][0]["order"]);
    within("the platform has taken it back", async || {
        let result = gateway.get(&path).await;
        (count(&result["done"]) == 3).then_some(())
    })
    .await;
    let kept = platform.kept();
    let cancelled = kept.values().filter(|kept| kept.state == Brd::Cancelled);
    assert_eq!(cancelled.count(), 1);
}
