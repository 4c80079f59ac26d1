//! Updates and Cancels: who hears of them, and what becomes of what they correct.

use serde_json::json;

use crate::county::{self, TOWN_A, VILLAGE_A1, VILLAGE_A2, VILLAGE_B1, VILLAGE_B2};
use crate::gateway::{Setup, TOWN, WATER, World, count, within};
use crate::warning::{COUNTY, Warning, now};

const STAYS: &str = "00030000007"; // in village A2
const LEFT: &str = "00010000004"; // in village A1
const COMES: &str = "00040000010"; // in village B1
const LIVES_OUTSIDE: &str = "00010000001"; // in village A1, officer of B1

#[tokio::test]
async fn an_update_tells_who_stays_who_left_and_who_comes_in() {
    // By default nobody of the public is told again that it goes on.
    let setup = Setup::default();
    let plan = setup.plan.clone() + "again = [\"prolonged\"]\n";
    let world = World::start(Setup { plan, ..setup }).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1, VILLAGE_A2]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    assert_eq!(world.smsc.to(COMES), [""; 0]);

    let update = Warning::update("a-2", &first, &[VILLAGE_A2, VILLAGE_B1]);
    let new = gateway.submit(&update).await;
    gateway.ended(new).await;

    let stays = world.smsc.to(STAYS);
    assert_eq!(stays.len(), 2, "{stays:?}");
    assert!(stays[1].contains("续发"), "{stays:?}");
    let left = world.smsc.to(LEFT);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left[1].contains("已不在预警范围内") && !left[1].contains("续发"),
        "{left:?}"
    );
    let comes = world.smsc.to(COMES);
    assert!(
        comes
            .last()
            .is_some_and(|text| text.contains("Walk to high ground")),
        "{comes:?}"
    );
    assert!(
        world.smsc.to("00050000013").is_empty(),
        "village B2 was never meant"
    );
    let view = gateway.get(&format!("/v1/alerts/{old}")).await;
    assert_eq!(
        (&view["state"], &view["withdrawn_by"]),
        (&json!("superseded"), &json!(new))
    );
    assert_eq!(
        gateway.get(&format!("/v1/alerts/{new}")).await["corrects"],
        json!([old])
    );
}

#[tokio::test]
async fn an_officer_who_lives_where_the_update_no_longer_reaches_still_gets_it() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1, VILLAGE_B1]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let new = gateway
        .submit(&Warning::update("a-2", &first, &[VILLAGE_B1]))
        .await;
    gateway.ended(new).await;
    let texts = world.smsc.to(LIVES_OUTSIDE);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[1].contains("续发"),
        "the officer of the village acts on it: {texts:?}"
    );
}

#[tokio::test]
async fn a_correction_withdraws_what_was_not_sent_yet() {
    // Two segments a second: most of it is still unsent when the Cancel comes.
    let setup = Setup {
        files: county::large(30),
        sms_rate: "10/s burst 10",
        ..Setup::default()
    };
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[COUNTY]);
    let old = gateway.submit(&first).await;
    within("some texts are out", async || {
        (world.smsc.taken().len() >= 3).then_some(())
    })
    .await;
    let cancel = gateway.submit(&Warning::cancel("a-2", &first)).await;
    gateway.ended(old).await;
    gateway.ended(cancel).await;

    let line = gateway.channel(old, "sms").await;
    assert!(count(&line["withdrawn"]) > 50, "{line}");
    assert_eq!(
        count(&line["planned"]) + count(&line["due"]) + count(&line["handed"]),
        0
    );
    let told = count(&line["total"]) - count(&line["withdrawn"]);
    let lifted = gateway.channel(cancel, "sms").await;
    assert_eq!(
        count(&lifted["total"]),
        told,
        "exactly those who were handed it: {line} {lifted}"
    );
    for text in world.smsc.texts() {
        let warned = text.body.contains("请立即转移") || text.body.contains("Walk to");
        let lifted = text.body.contains("该预警已撤销");
        assert!(warned != lifted, "{text:?}");
    }
    let numbers = |part: &str| -> std::collections::BTreeSet<String> {
        let texts = world.smsc.texts().into_iter();
        texts
            .filter(|t| t.body.contains(part))
            .map(|t| t.to)
            .collect()
    };
    let mut warned = numbers("请立即转移");
    warned.extend(numbers("Walk to"));
    assert_eq!(
        warned,
        numbers("该预警已撤销"),
        "who has the warning hears that it is over, and nobody else"
    );
    let coverage = gateway.coverage(old, COUNTY).await;
    assert!(
        count(&coverage["total"]["missed"]["withdrawn"]) > 30,
        "{coverage}"
    );
    assert_eq!(
        gateway.get(&format!("/v1/alerts/{old}")).await["state"],
        "lifted"
    );
}

#[tokio::test]
async fn a_cancel_without_info_reaches_exactly_those_who_were_handed_the_warning() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[TOWN_A]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let before = world.smsc.taken();
    let cancel = gateway.submit(&Warning::cancel("a-2", &first)).await;
    gateway.ended(cancel).await;
    let after = world.smsc.taken();
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    for (number, times) in &after {
        assert_eq!(*times, before[number] + 1);
        let texts = world.smsc.to(number);
        assert!(
            texts.last().is_some_and(
                |text| text.contains("关于“山洪灾害红色预警”") && text.contains("已撤销")
            ),
            "{texts:?}"
        );
    }
    assert!(world.smsc.to("00050000013").is_empty());
}

#[tokio::test]
async fn a_cancel_that_comes_before_its_alert_keeps_it_from_being_sent() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[COUNTY]);
    let cancel = gateway.submit(&Warning::cancel("a-2", &first)).await;
    let late = gateway.post(WATER, &first.xml()).await;
    assert_eq!(late.status, 202, "{}", late.body);
    assert_eq!(late.body["born"], "superseded");
    assert_eq!(late.body["superseded_by"], cancel);
    // A later alert is sent to its end: had the first been sent, it would have been sent before.
    let after = gateway.submit(&Warning::red("a-3", &[VILLAGE_B2])).await;
    gateway.ended(after).await;
    let late = late.body["id"].as_u64().expect("an id");
    let view = gateway.get(&format!("/v1/alerts/{late}")).await;
    assert_eq!(
        (&view["deliveries"], &view["state"]),
        (&json!(0), &json!("lifted"))
    );
    assert!(world.smsc.to(LEFT).is_empty());
}

#[tokio::test]
async fn a_bureau_corrects_only_what_is_its_own() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1, VILLAGE_B1]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    for stranger in [
        Warning::update("a-2", &first, &[VILLAGE_A1]),
        Warning::cancel("a-3", &first),
    ] {
        let answer = gateway.post(TOWN, &stranger.xml()).await;
        assert_eq!(
            (answer.status, &answer.body["type"]),
            (403, &json!("/problems/not-allowed"))
        );
    }
    assert_eq!(
        gateway.get(&format!("/v1/alerts/{old}")).await["state"],
        "in-force"
    );
}

#[tokio::test]
async fn a_stranger_s_early_cancel_does_not_silence_a_warning() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    // Another county bureau's alert is not known yet, so nobody can say whose it is.
    let early = gateway
        .post(TOWN, &Warning::cancel("a-0", &first).xml())
        .await;
    assert_eq!(early.status, 202, "{}", early.body);
    let answer = gateway.post(WATER, &first.xml()).await;
    assert_eq!(
        (answer.status, &answer.body["born"]),
        (202, &json!("live")),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn an_exercise_does_not_withdraw_a_real_warning() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[COUNTY]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let drill = Warning {
        status: "Exercise",
        ..Warning::cancel("a-2", &first)
    };
    let drill = gateway.submit(&drill).await;
    // The next alert is released after the drill: then the drill has done what it does.
    let after = gateway.submit(&Warning::red("a-3", &[VILLAGE_B2])).await;
    gateway.ended(after).await;
    assert_eq!(
        gateway.get(&format!("/v1/alerts/{old}")).await["state"],
        "in-force"
    );
    // It names no region, so that only who brought it sees it.
    let path = format!("/v1/alerts/{drill}");
    let view = gateway.call("GET", &path, WATER, "").await;
    assert_eq!(view.body["deliveries"], 0, "{}", view.body);
    let early = Warning::red("a-5", &[VILLAGE_A1]);
    gateway
        .submit(&Warning {
            status: "Test",
            ..Warning::cancel("a-4", &early)
        })
        .await;
    let answer = gateway.post(WATER, &early.xml()).await;
    assert_eq!(answer.body["born"], "live", "{}", answer.body);
}

#[tokio::test]
async fn a_cancel_without_info_needs_no_plan_of_its_own() {
    let setup = Setup::default();
    let plan = setup.plan.replace(
        "lifetime = \"4h\"",
        "lifetime = \"4h\"\nmatch = { levels = [\"red\"] }",
    );
    let world = World::start(Setup { plan, ..setup }).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let cancel = gateway.submit(&Warning::cancel("a-2", &first)).await;
    gateway.ended(cancel).await;
    assert!(world.smsc.to(LEFT)[1].contains("已撤销"));
    let unknown = Warning::red("a-9", &[VILLAGE_A1]);
    let early = gateway
        .post(WATER, &Warning::cancel("a-8", &unknown).xml())
        .await;
    assert_eq!(
        early.status, 202,
        "remembered though nothing is known of it yet: {}",
        early.body
    );
}

#[tokio::test]
async fn an_update_that_has_expired_still_ends_what_it_corrects() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let update = Warning {
        sent: now() - 120,
        expires: now() - 60,
        ..Warning::update("a-2", &first, &[VILLAGE_A1])
    };
    let new = gateway.submit(&update).await;
    within("the old one is ended", async || {
        let view = gateway.get(&format!("/v1/alerts/{old}")).await;
        (view["state"] == "superseded").then_some(())
    })
    .await;
    gateway.ended(new).await;
    assert_eq!(world.smsc.to(LEFT).len(), 1, "nothing more is sent");
}

#[tokio::test]
async fn an_alert_and_its_cancel_that_come_together_never_miss_each_other() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    for n in 0..20 {
        let first = Warning::red(&format!("a-{n}"), &[VILLAGE_B2]);
        let cancel = Warning::cancel(&format!("c-{n}"), &first);
        let (first, cancel) = (first.xml(), cancel.xml());
        let (first, cancel) =
            tokio::join!(gateway.post(WATER, &first), gateway.post(WATER, &cancel));
        assert_eq!((first.status, cancel.status), (202, 202));
        let id = first.body["id"].as_u64().expect("an id");
        gateway.ended(id).await;
        let lifted = within("it is lifted", async || {
            let view = gateway.get(&format!("/v1/alerts/{id}")).await;
            (view["state"] == "lifted").then_some(())
        });
        lifted.await;
    }
}
