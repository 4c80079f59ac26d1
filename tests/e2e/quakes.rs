//! Earthquake early warning from end to end: reports that openssl has signed, controllers that play what they are told, and
//! the story of 平武 at 02:17:30 (docs/earthquakes.md). Who hears what is judged by an oracle of its own. These tests must
//! not ask the gateway what it meant.

#[path = "quakes/feed.rs"]
mod feed;
#[path = "quakes/page.rs"]
mod page;
#[path = "quakes/story.rs"]
mod story;
#[path = "quakes/terminal.rs"]
mod terminal;

use serde_json::json;

use crate::gateway::{DUTY, Gateway, TOWN, WATER, World, within};
use crate::warning::{COUNTY, Warning};
use feed::{Feed, now};
use terminal::{Box_, Field};

fn kind(answer: &crate::gateway::Answer) -> (u16, String) {
    let kind = answer.body["type"].as_str().unwrap_or_default();
    (
        answer.status,
        kind.rsplit('/').next().unwrap_or_default().to_owned(),
    )
}

async fn standing(gateway: &Gateway, event: &str) -> serde_json::Value {
    gateway
        .get(&format!("/v1/earthquakes/province/{event}"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_pinned_feed_has_signed_now_is_relayed_and_once() {
    let feed = Feed::new();
    let field = Field::new(&feed, &[("near", 25.0)], &[]);
    let world = World::start(field.setup()).await;
    let gateway = &world.gateway;
    let _boxes = field.connect(gateway, &["near"]).await;
    let origin = now() - 5_600;
    let first = feed.report("e1", 1, origin, 5.9);
    let good = feed.sign(&first);
    let post = async |header: &str, body: &str| feed::post(gateway, header, body).await;

    // Nobody else's word.
    let other = Feed::new();
    assert_eq!(
        kind(&post(&other.sign(&first), &first).await),
        (401, "unproven".into())
    );
    assert_eq!(kind(&post("", &first).await), (401, "unproven".into()));
    let longer = format!("{first} ");
    assert_eq!(kind(&post(&good, &longer).await), (401, "unproven".into()));
    for token in [WATER, TOWN, DUTY] {
        let stolen = post(&format!("Bearer {token}"), &first).await;
        assert_eq!(
            kind(&stolen),
            (403, "not-allowed".into()),
            "{}",
            stolen.body
        );
    }
    // Nothing that no earthquake has, nothing old, nothing ahead of the clock.
    let unfit = feed.change(&first, "magnitude", json!(12));
    let answer = post(&feed.sign(&unfit), &unfit).await;
    assert_eq!(kind(&answer), (422, "bad-report".into()));
    assert!(
        answer.body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("`magnitude`"))
    );
    for apart in [-61_000, 8_000] {
        let report = feed.report_sent("e0", 1, (now() + apart - 1_000, now() + apart), 5.9);
        assert_eq!(
            kind(&post(&feed.sign(&report), &report).await),
            (422, "bad-report".into())
        );
    }
    assert_eq!(
        gateway.get("/v1/earthquakes").await["earthquakes"],
        json!([])
    );

    let taken = post(&good, &first).await;
    assert_eq!(
        (taken.status, &taken.body["told"]),
        (202, &json!(1)),
        "{}",
        taken.body
    );
    assert_eq!(
        (&taken.body["orange"], &taken.body["repeated"]),
        (&json!(1), &json!(false))
    );
    let again = post(&good, &first).await;
    assert_eq!((again.status, &again.body["repeated"]), (202, &json!(true)));
    let changed = feed.change(&first, "magnitude", json!(7.0));
    assert_eq!(
        kind(&post(&feed.sign(&changed), &changed).await),
        (409, "conflict".into())
    );
    within("it says that it sounds", async || {
        let one = standing(gateway, "e1").await;
        (one["figures"]["sounded"] == 1).then_some(())
    })
    .await;
    let missing = gateway
        .call("GET", "/v1/earthquakes/province/e9", DUTY, "")
        .await;
    assert_eq!(kind(&missing), (404, "unknown-earthquake".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bureau_composes_or_alters_an_early_warning_and_a_bulletin_goes_its_way() {
    let feed = Feed::new();
    let field = Field::new(&feed, &[("near", 25.0)], &[]);
    let world = World::start(field.setup()).await;
    let gateway = &world.gateway;
    for warning in [
        Warning::red("quake-1", &[COUNTY]),
        Warning::update("quake-2", &Warning::red("quake-1", &[COUNTY]), &[COUNTY]),
    ] {
        let cap = warning.xml().replace("11A51", "11C02");
        assert!(cap.contains("11C02"), "{cap}");
        for path in ["/v1/alerts", "/v1/alerts?preview=true"] {
            let refused = gateway.call("POST", path, WATER, &cap).await;
            assert_eq!(
                kind(&refused),
                (403, "not-allowed".into()),
                "{}",
                refused.body
            );
        }
    }
    let cap = Warning::red("bulletin", &[COUNTY]).xml();
    let cap = cap.replace("11A51", "11C02");
    let past = cap.replace("<urgency>Immediate</urgency>", "<urgency>Past</urgency>");
    let taken = gateway.call("POST", "/v1/alerts", WATER, &past).await;
    assert_eq!(taken.status, 202, "{}", taken.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_what_sounds_which_says_so_and_what_has_not_begun_never_does() {
    let feed = Feed::new();
    let horns = [("near", 25.0), ("far", 60.0), ("late", 40.0)];
    let field = Field::new(&feed, &horns, &["gas"]);
    let world = World::start(field.setup()).await;
    let gateway = &world.gateway;
    let codes = field.codes(gateway).await;
    let near = Box_::start(gateway, &field, "near", &codes).await;
    let far = Box_::start(gateway, &field, "far", &codes).await;
    // Enrolled, and away while it matters.
    let late = Box_::enrolled(gateway, &field, "late", &codes).await;
    let origin = now() - 2_000;
    let first = feed.report("e1", 1, origin, 5.9);
    let taken = feed.hand_in(gateway, &first).await;
    assert_eq!(
        (&taken["told"], &taken["machines"]),
        (&json!(4), &json!(1)),
        "{taken}"
    );
    within("both sound", async || {
        (near.sounds() && far.sounds()).then_some(())
    })
    .await;
    let cancel = feed.change(&feed.report("e1", 2, origin, 5.9), "kind", json!("cancel"));
    let taken = feed.hand_in(gateway, &cancel).await;
    assert_eq!(taken["told"], json!(4));
    within("both have said that it was called off", async || {
        let said = |one: &Box_| {
            one.said()
                .last()
                .is_some_and(|word| word.contains("地震预警取消"))
        };
        (said(&near) && said(&far) && !near.sounds() && !far.sounds()).then_some(())
    })
    .await;
    let late = late.go(gateway, &field);
    within("the third has taken the cancel alone", async || {
        let one = standing(gateway, "e1").await;
        (one["figures"]["taken"] == 3).then_some(())
    })
    .await;
    assert_eq!(late.said(), Vec::<String>::new(), "it never begins");
    let one = standing(gateway, "e1").await;
    assert_eq!(
        (&one["called_off"], &one["figures"]["stopped"]),
        (&json!(true), &json!(2)),
        "{one}"
    );
    // Report 1 once more, by whatever way, wakes nobody.
    let again = feed.hand_in(gateway, &first).await;
    assert_eq!(again["repeated"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_gives_again_what_stands_and_nothing_that_is_over() {
    let feed = Feed::new();
    let field = Field::new(&feed, &[("near", 60.0)], &[]);
    let mut world = World::start(field.setup()).await;
    let codes = field.codes(&world.gateway).await;
    let away = Box_::enrolled(&world.gateway, &field, "near", &codes).await;
    let report = feed.report("e1", 1, now() - 1_000, 6.3);
    feed.hand_in(&world.gateway, &report).await;
    world.gateway.kill().await;
    world.gateway.start().await;
    let near = away.go(&world.gateway, &field);
    within("it sounds all the same", async || {
        near.sounds().then_some(())
    })
    .await;
    within("it says so", async || {
        let one = standing(&world.gateway, "e1").await;
        (one["figures"]["sounded"] == 1).then_some(())
    })
    .await;
}
