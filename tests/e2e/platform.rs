//! A county's broadcast platform on a whole gateway: a warning becomes one message, each village is told apart, what the
//! platform holds is shown with its duty phone, and names and stops stand over a restart.

use std::fmt::Write as _;
use std::time::Duration;

use channel::{Clock, SystemClock};
use loudspeaker::ebd::peer::{Platform, Settings, Story};
use loudspeaker::ebd::readers::{Body, Brd, Content, Ebm};
use serde_json::{Value, json};

use crate::console::{call as open, sign_in, text};
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
repeat = { times = 2, pause = "1s" }
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

    cannot_carry(&world.gateway).await;
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
    officers_see_it(&world.gateway, alert).await;
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
    let related = kept.values().filter(|kept| kept.ebm.is_cancel());
    let ended: Vec<_> = related.filter_map(|k| k.ebm.related.as_deref()).collect();
    assert_eq!(ended, [second[0].as_str()]);
    is_handed(&world.gateway, &platform).await;
    let said = world.gateway.said();
    assert!(!said.contains(PHONE) && !said.contains(SECRET), "{said}");
    let answered = platform.answered();
    assert!(
        answered
            .iter()
            .filter(|(status, _)| *status == 200)
            .all(|(_, code)| *code == Some(1) || *code == Some(5)),
        "{answered:?}"
    );
}

/// That it is held, and whom to call, stands on each page that an officer watches.
async fn officers_see_it(gateway: &Gateway, alert: u64) {
    let cookie = sign_in(gateway, DUTY).await;
    for page in ["/console", &format!("/console/alerts/{alert}")] {
        let page = text(&open(gateway, "GET", page, &cookie, "").await);
        let said = page.contains("data-held=\"1\"") && page.contains("待播控审核 1 条");
        assert!(said && page.contains(&format!("tel:{PHONE}")), "{page}");
    }
}

/// What the platform has no place for is told before anybody releases it.
async fn cannot_carry(gateway: &Gateway) {
    let warning = Warning::red("p-0", &[COUNTY]).xml();
    let path = "/v1/alerts?preview=true";
    let shown = gateway.call("POST", path, EVERYTHING, &warning).await.body;
    let losses = shown["losses"].as_array().expect("a list");
    let own = losses.iter().find(|line| line["reason"] == "repeat");
    let own = own.unwrap_or_else(|| panic!("{shown}"));
    // The county's controllers are handed to it too, and are none of its places.
    let told = (&own["channel"], count(&own["deliveries"]));
    assert_eq!(told, (&"platform".into(), 6));
    assert_eq!(own["zh"], "播放遍数和间隔由平台决定");
    assert!(
        losses.iter().all(|line| line["channel"] == "platform"),
        "{shown}"
    );
}

/// A warning that the platform would have broadcast here: officers see it, and nobody else is told.
async fn is_handed(gateway: &Gateway, platform: &Platform) {
    let now = SystemClock::default().now();
    let ebm = Ebm {
        id: format!("{CODE}202607140007"),
        related: None,
        kind: 1,
        sender_name: "绵阳市气象台".into(),
        sender_code: "51070041600000".into(),
        sent: Some(now),
        event: "11B03".into(),
        severity: Some(2),
        start: Some(now),
        end: Some(now.plus(Duration::from_hours(3))),
        content: Some(Content {
            text: "请立即转移。".into(),
            areas: vec!["510727000000".into()],
            ..Content::default()
        }),
        dispatch: Vec::new(),
    };
    let before = gateway.get("/v1/alerts").await["total"].clone();
    let refused = platform.post(Body::Ebm(Box::new(ebm.clone()))).await;
    assert_eq!(refused, (200, Some(5)));
    let shown = channel(gateway).await;
    let offered = &shown["far_end"]["offered"][0];
    assert_eq!(offered["message"], ebm.id, "{shown}");
    assert_eq!(
        (&offered["event"], &offered["level"]),
        (&"11B03".into(), &"orange".into())
    );
    let cookie = sign_in(gateway, DUTY).await;
    within("officers see it", async || {
        let list = text(&open(gateway, "GET", "/console/platforms", &cookie, "").await);
        let named = list.contains(&format!("data-offered=\"{}\"", ebm.id));
        (named && list.contains("橙色预警 11B03")).then_some(())
    })
    .await;
    let ready = gateway.call_text("/readyz", DUTY).await;
    assert!(ready.contains("offered-far"), "{ready}");
    assert_eq!(gateway.get("/v1/alerts").await["total"], before);
    let said = gateway.said();
    assert!(
        said.contains(&ebm.id) && !said.contains("请立即转移"),
        "{said}"
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
    within("the platform has it for all three villages", async || {
        let line = gateway.channel(alert, "platform").await;
        (line["awaiting"] == 3).then_some(())
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
    // What takes them back is kept there, too.
    let warnings = kept.values().filter(|kept| kept.ebm.related.is_none());
    let states: Vec<_> = warnings.map(|kept| kept.state).collect();
    assert_eq!(states, [Brd::Cancelled]);
}
