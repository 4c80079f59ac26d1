//! A county's front-end adapter behind a whole gateway: from the alert to the start on the wire, its record, and the village's
//! speaker in the officers' figures; over a kill, and with a stranger at the port. The adapter is simulated: real ones have
//! not been met.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use channel::testing::free_port;
use loudspeaker::gdj089::peer::{Peer, Settings};
use serde_json::{Value, json};

use crate::county::{self, VILLAGE_B1, VILLAGE_B2};
use crate::gateway::{EVERYTHING, Gateway, Mail, Setup, World, count, within};
use crate::warning::{COUNTY, Warning};

const PLAN: &str = r#"name = "by-adapters"
language = "zh-CN"
lifetime = "4h"

[[send]]
audience = "speakers"
channels = ["adapters"]
receipt_window = "30s"
"#;

const ADAPTER: &str = "45107270000000314010201";

/// A port that was free just now.
fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

/// The speaker of one village is called by its area, that of another by its resource code.
fn setup(listen: SocketAddr) -> Setup {
    let mut files = county::small();
    let endpoints = files.get_mut("endpoints").expect("a file");
    endpoints.push_str("401,,speaker,65107271022010314010401\n402,,speaker,510727102202\n");
    let speakers = files.get_mut("speakers").expect("a file");
    speakers.push_str("401,510727102201,合成喇叭丙二\n402,510727102202,合成喇叭丁\n");
    let settings = format!(
        r#"tls = "none"

[[channel]]
name = "adapters"
kind = "loudspeaker-089"
rate = "50/s burst 50"
retry = {{ first = "200ms", factor = 2, cap = "1s", attempts = 8 }}
[channel.settings]
platform = "45107270000000103010101"
agency = "平武县"
listen = "{listen}"
answer_timeout = 2
records_every = 0.2
[[channel.settings.adapter]]
code = "{ADAPTER}"
"#
    );
    Setup {
        files,
        plan: PLAN.to_owned(),
        mail: Mail {
            port: None,
            settings,
        },
        ..Setup::default()
    }
}

async fn adapter(listen: SocketAddr, play: Duration) -> Peer {
    let mut settings = Settings::new(ADAPTER, Some(listen));
    settings.play = play;
    Peer::start(settings).await.expect("a free port")
}

async fn speakers(gateway: &Gateway, alert: u64, village: &str) -> Value {
    let coverage = gateway.coverage(alert, village).await;
    coverage["total"]["speakers"].clone()
}

async fn played(gateway: &Gateway, alert: u64, village: &str) -> Value {
    within("its speaker has played", async || {
        let row = speakers(gateway, alert, village).await;
        (count(&row["played"]) == 1).then_some(row)
    })
    .await
}

#[tokio::test]
async fn an_alert_becomes_one_start_and_the_record_of_it_reaches_the_villages_figures() {
    let listen = free();
    let peer = adapter(listen, Duration::from_millis(100)).await;
    let world = World::start(setup(listen)).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("089-1", &[COUNTY])).await;
    let of_village = played(gateway, alert, VILLAGE_B2).await;
    assert_eq!(
        of_village,
        json!({ "total": 1, "played": 1, "failed": 0, "unknown": 0, "pending": 0, "not_called": 0 })
    );
    played(gateway, alert, VILLAGE_B1).await;
    let heard = peer.heard();
    for start in &heard {
        assert!(!start.stop && start.class == 4 && start.level == 1);
        assert!(start.text.contains("山洪"), "{}", start.text);
    }
    let mut codes: Vec<_> = heard.into_iter().flat_map(|start| start.codes).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        ["05107271022020314010400", "65107271022010314010401"]
    );
    // Who is not named in the settings is hung up on, and counted.
    let stranger = Settings::new("45107280000000314010201", Some(listen));
    let _stranger = Peer::start(stranger).await.expect("a free port");
    within("the stranger is counted", async || {
        let metrics = gateway.call_text("/metrics", EVERYTHING).await;
        let counted = metrics
            .lines()
            .find(|line| line.contains("\"unregistered\""));
        counted
            .filter(|line| line.contains("tocsin_refused_calls"))
            .map(drop)
    })
    .await;
}

#[tokio::test]
async fn what_was_played_while_the_gateway_was_down_is_asked_for_when_it_is_back() {
    let listen = free();
    let peer = adapter(listen, Duration::from_secs(2)).await;
    let mut world = World::start(setup(listen)).await;
    let alert = world
        .gateway
        .submit(&Warning::red("089-2", &[COUNTY]))
        .await;
    within(
        "the adapter has its start and the gateway knows",
        async || {
            let line = world.gateway.channel(alert, "adapters").await;
            (line["awaiting"] == 2).then_some(())
        },
    )
    .await;
    assert_eq!(
        count(&speakers(&world.gateway, alert, VILLAGE_B2).await["played"]),
        0
    );
    world.gateway.kill().await;
    within("the adapter has played it, unheard", async || {
        let begun = peer.heard().len();
        (begun > 0 && peer.played() == begun).then_some(())
    })
    .await;
    world.gateway.start().await;
    played(&world.gateway, alert, VILLAGE_B2).await;
    played(&world.gateway, alert, VILLAGE_B1).await;
    // Nothing that was settled is said again, and what is new has a number of its own.
    let before = peer.heard();
    let said: usize = before.iter().map(|start| start.codes.len()).sum();
    assert_eq!(said, 2, "{before:?}");
    let later = world
        .gateway
        .submit(&Warning::red("089-3", &[COUNTY]))
        .await;
    played(&world.gateway, later, VILLAGE_B2).await;
    let heard = peer.heard();
    assert_eq!(heard[..before.len()], before);
    let ebms: BTreeSet<_> = heard.iter().map(|heard| &heard.ebm).collect();
    assert_eq!(ebms.len(), heard.len(), "{ebms:?}");
}

#[tokio::test]
async fn a_cancelled_warning_is_stopped_by_its_own_name_over_a_restart() {
    let listen = free();
    let peer = adapter(listen, Duration::from_hours(1)).await;
    let mut world = World::start(setup(listen)).await;
    let warning = Warning::red("089-4", &[COUNTY]);
    let alert = world.gateway.submit(&warning).await;
    within("the gateway knows that it was started", async || {
        let line = world.gateway.channel(alert, "adapters").await;
        (line["awaiting"] == 2).then_some(())
    })
    .await;
    let named = |stop: bool| -> BTreeSet<_> {
        let heard = peer.heard().into_iter().filter(|heard| heard.stop == stop);
        heard.map(|heard| (heard.ebm, heard.codes)).collect()
    };
    let started = named(false);
    world.gateway.kill().await;
    world.gateway.start().await;
    let cancel = Warning {
        msg_type: "Cancel",
        references: vec![warning.reference()],
        ..Warning::red("089-5", &[COUNTY])
    };
    world.gateway.submit(&cancel).await;
    within("each start is stopped", async || {
        started.is_subset(&named(true)).then_some(())
    })
    .await;
}

async fn ordered(gateway: &Gateway, body: Value) -> (u16, Value) {
    let answer = gateway
        .call("POST", "/v1/devices/orders", EVERYTHING, &body.to_string())
        .await;
    (answer.status, answer.body)
}

/// What came of an order, once each of its devices has answered.
async fn result(gateway: &Gateway, given: &Value) -> Value {
    assert_eq!(given["orders"][0]["channel"], "adapters", "{given}");
    let path = format!("/v1/devices/orders/{}", given["orders"][0]["order"]);
    within("each device has answered", async || {
        let result = gateway.get(&path).await;
        let answered = count(&result["done"]) + count(&result["failed"]);
        (answered == count(&result["devices"])).then_some(result)
    })
    .await
}

#[tokio::test]
async fn operators_orders_reach_terminals_behind_an_adapter_and_what_it_cannot_do_is_said() {
    let listen = free();
    let peer = adapter(listen, Duration::from_hours(1)).await;
    let world = World::start(setup(listen)).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("089-6", &[COUNTY])).await;
    within("both villages sound", async || {
        let line = gateway.channel(alert, "adapters").await;
        (line["awaiting"] == 2).then_some(())
    })
    .await;
    let both = ["510727102202", "65107271022010314010401"];
    let order = json!({ "kind": "volume", "percent": 60, "devices": both });
    let (status, given) = ordered(gateway, order).await;
    assert_eq!(status, 202, "{given}");
    assert_eq!(given["not_enrolled"], json!([]), "{given}");
    let done = result(gateway, &given).await;
    assert_eq!(
        (count(&done["done"]), peer.volume()),
        (2, Some(60)),
        "{done}"
    );

    // One village's is stopped, and the other's sounds on.
    let order = json!({ "kind": "stop", "alert": alert, "devices": [both[0]] });
    let (_, given) = ordered(gateway, order).await;
    assert_eq!(count(&result(gateway, &given).await["done"]), 1);
    let stops = || {
        let heard = peer.heard().into_iter().filter(|heard| heard.stop);
        heard
            .map(|heard| (heard.ebm, heard.codes))
            .collect::<Vec<_>>()
    };
    let group = "05107271022020314010400".to_owned();
    let own = peer.heard().into_iter().find(|h| h.codes.contains(&group));
    let own = own.expect("it was started").ebm;
    assert_eq!(stops(), [(own, vec![group])]);
    let order = json!({ "kind": "stop-all", "under": VILLAGE_B1 });
    let (_, given) = ordered(gateway, order).await;
    let done = result(gateway, &given).await;
    assert_eq!(done["speakers"][0]["result"], "done", "{done}");
    assert_eq!(
        stops().last().map(|(ebm, _)| ebm.clone()),
        Some("0".repeat(36))
    );

    // A self-test is nothing that an adapter knows; of a controller that has not enrolled nothing can be said at all.
    let order = json!({ "kind": "self-test", "devices": both });
    let (status, problem) = ordered(gateway, order).await;
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(
        status == 422
            && detail.contains("channel adapters cannot")
            && detail.contains("`self-test`"),
        "{problem}"
    );
    assert!(!peer.opcodes().contains(&0x3F));
}

#[tokio::test]
async fn adapters_have_their_row_in_the_preview_and_among_the_channels_with_their_best_proof() {
    let port = free();
    let _peer = adapter(port, Duration::from_millis(100)).await;
    let world = World::start(setup(port)).await;
    let gateway = &world.gateway;
    let warning = Warning::red("089-7", &[COUNTY]);
    let (path, xml) = ("/v1/alerts?preview=true", warning.xml());
    let shown = gateway.call("POST", path, EVERYTHING, &xml).await.body;
    let reach = shown["reach"].as_array().expect("rows");
    let own: Vec<_> = reach
        .iter()
        .filter(|row| row["channel"] == "adapters")
        .collect();
    assert!(
        !own.is_empty() && own.iter().all(|row| row["grade"] == "played"),
        "{shown}"
    );
    let deliveries: u64 = own.iter().map(|row| count(&row["deliveries"])).sum();
    // Both terminals, and the small county's three controllers, which no adapter finds.
    assert_eq!(deliveries, 5, "{shown}");
    let channels = gateway.get("/v1/channels").await;
    let mut listed = channels["channels"].as_array().expect("a list").iter();
    let line = listed.find(|line| line["name"] == "adapters").expect("it");
    assert_eq!(
        (&line["kind"], &line["best_evidence"]),
        (&json!("loudspeaker"), &json!("acknowledged")),
        "{channels}"
    );
    let alert = gateway.submit(&warning).await;
    within("both are proved in its row", async || {
        let line = gateway.channel(alert, "adapters").await;
        (line["total"] == 5 && line["reached"] == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_plan_by_controllers_and_adapters_tries_each_loudspeaker_where_it_is_known() {
    let port = free();
    let _peer = adapter(port, Duration::from_hours(1)).await;
    let mut setup = setup(port);
    setup.plan = setup
        .plan
        .replace("[\"adapters\"]", "[\"horn\", \"adapters\"]");
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    let xml = Warning::red("089-8", &[COUNTY]).xml();
    let path = "/v1/alerts?preview=true";
    within("three by controllers, two by the adapter", async || {
        let shown = gateway.call("POST", path, EVERYTHING, &xml).await.body;
        let reach = shown["reach"].as_array().expect("rows");
        let by = |channel: &str| -> u64 {
            let rows = reach.iter().filter(|row| row["channel"] == channel);
            rows.map(|row| count(&row["deliveries"])).sum()
        };
        (by("horn") == 3 && by("adapters") == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_one_channel_cannot_do_another_does_and_each_order_has_a_number_of_its_own() {
    let listen = free();
    let peer = adapter(listen, Duration::from_hours(1)).await;
    // A platform that nobody answers for: orders to it wait.
    let more = r#"
[[channel]]
name = "platform"
kind = "loudspeaker-ebd"
rate = "50/s burst 50"
[channel.settings]
url = "http://127.0.0.1:9/"
ebrid = "45107270000000103010101"
platform = "45107270000000101010101"
sender_name = "平武县"
sender_code = "51072733200000"
secret = "no-secret-it-does-not-exist"
"#;
    let mut setup = setup(listen);
    setup.mail.settings += more;
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    within("the adapter is there", async || {
        (!peer.opcodes().is_empty()).then_some(())
    })
    .await;
    let whom = ["510727102202"];
    let (status, given) = ordered(
        gateway,
        json!({ "kind": "volume", "percent": 70, "devices": whom }),
    )
    .await;
    assert_eq!(status, 202, "{given}");
    let cannot = &given["cannot"][0];
    assert_eq!(
        (&cannot["channel"], &cannot["devices"]),
        (&json!("platform"), &json!(whom))
    );
    assert_eq!(given["orders"].as_array().map(Vec::len), Some(1), "{given}");
    assert_eq!(count(&result(gateway, &given).await["done"]), 1);
    assert_eq!(peer.volume(), Some(70));
    let (_, given) = ordered(gateway, json!({ "kind": "stop-all", "devices": whom })).await;
    let orders = given["orders"].as_array().expect("orders");
    let channels: BTreeSet<_> = orders.iter().map(|o| o["channel"].to_string()).collect();
    let numbers: BTreeSet<_> = orders.iter().map(|o| count(&o["order"])).collect();
    assert_eq!((channels.len(), numbers.len()), (2, 2), "{given}");
    for order in orders {
        let path = format!("/v1/devices/orders/{}", order["order"]);
        let found = gateway.get(&path).await;
        assert_eq!(found["channel"], order["channel"], "{found}");
    }
}
