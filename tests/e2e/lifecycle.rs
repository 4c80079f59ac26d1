//! What an Update or Cancel is to each who has the earlier warning: who is told again, by what, when, and who still holds
//! the old text.

use serde_json::{Value, json};

use crate::county::{VILLAGE_A1, VILLAGE_A2, VILLAGE_B1};
use crate::gateway::{Gateway, Setup, World, count, within};
use crate::steps::hours_around_now;
use crate::warning::{COUNTY, Warning, now};

const AT_HOME: &str = "00010000004"; // in village A1
const NO_RECEIPT: &str = "00030000007"; // in village A2
const OFFICER: &str = "00010000024"; // of village A1

async fn one(gateway: &Gateway, alert: u64) -> Value {
    gateway.get(&format!("/v1/alerts/{alert}")).await
}

/// What a class, a channel and an audience come to, by a key.
fn of(view: &Value, class: &str, audience: &str, key: &str) -> u64 {
    let lines = view["classes"].as_array().expect("a list").iter();
    let own = lines.filter(|l| l["class"] == class && l["audience"] == audience);
    own.map(|line| count(&line[key])).sum()
}

#[tokio::test]
async fn a_prolonged_warning_tells_officers_and_nobody_becomes_stale() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1, VILLAGE_A2]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let before = gateway.coverage(old, COUNTY).await["total"].clone();
    let update = Warning {
        expires: first.expires + 3_600,
        ..Warning::update("a-2", &first, &[VILLAGE_A1, VILLAGE_A2])
    };
    let new = gateway.submit(&update).await;
    gateway.ended(new).await;
    let view = one(gateway, new).await;
    assert_eq!(
        (&view["class"], &view["class_zh"]),
        (&json!("prolonged"), &json!("续发"))
    );
    assert_eq!(view["compared"], json!([old]));
    assert_eq!(world.smsc.to(AT_HOME).len(), 1, "no public text");
    assert_eq!(world.smsc.to(NO_RECEIPT).len(), 1, "nor where nobody knows");
    assert_eq!(world.smsc.to(OFFICER).len(), 2);
    // The speaker that has played does not sound again; the one that failed gets the order with the later end.
    let speakers = |class, key| of(&view, class, "speakers", key);
    assert_eq!(
        (
            speakers("prolonged", "spared"),
            speakers("prolonged", "told")
        ),
        (1, 0),
        "{view}"
    );
    assert_eq!(speakers("widened", "told"), 1, "{view}");
    assert!(of(&view, "prolonged", "public", "spared") > 0, "{view}");
    assert_eq!(of(&view, "prolonged", "public", "told"), 0, "{view}");
    let after = gateway.coverage(new, COUNTY).await["total"].clone();
    for key in ["at_home", "reached", "unknown"] {
        assert_eq!(
            after[key], before[key],
            "what they have still counts: {key} {after}"
        );
    }
    let stale = gateway.get(&format!("/v1/alerts/{new}/stale")).await;
    assert_eq!(stale["total"]["households"], 0, "{stale}");
    assert_eq!(stale["total"]["channels"], json!([]), "{stale}");
}

#[tokio::test]
async fn an_upgrade_tells_everyone_again_and_who_has_not_got_it_holds_the_old_one() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning {
        severity: "Severe",
        ..Warning::red("a-1", &[VILLAGE_A1, VILLAGE_A2])
    };
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let new = gateway
        .submit(&Warning::update("a-2", &first, &[VILLAGE_A1, VILLAGE_A2]))
        .await;
    gateway.ended(new).await;
    let view = one(gateway, new).await;
    assert_eq!(view["class"], "upgraded", "{view}");
    for number in [AT_HOME, NO_RECEIPT, OFFICER] {
        assert_eq!(world.smsc.to(number).len(), 2, "{number}");
    }
    let path = format!("/v1/alerts/{new}/stale");
    let stale = gateway.get(&path).await;
    let rows = stale["rows"].as_array().expect("rows").iter();
    let villages: Vec<_> = rows.filter(|r| count(&r["households"]) > 0).collect();
    assert!(
        villages.iter().any(|row| row["region"] == VILLAGE_A2),
        "whose receipt never comes: {stale}"
    );
    let csv = gateway
        .call(
            "GET",
            &format!("{path}?format=csv"),
            crate::gateway::DUTY,
            "",
        )
        .await;
    assert_eq!(csv.status, 200);
    // The old one is superseded; asked there, nobody is stale by it.
    let none = gateway.get(&format!("/v1/alerts/{old}/stale")).await;
    assert_eq!(none["total"]["channels"], json!([]));
}

#[tokio::test]
async fn less_time_than_they_think_is_a_correction_and_a_wider_area_tells_only_who_comes_in() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let wider = Warning::update("a-2", &first, &[VILLAGE_A1, VILLAGE_B1]);
    let new = gateway.submit(&wider).await;
    gateway.ended(new).await;
    let view = one(gateway, new).await;
    assert_eq!(view["class"], "widened", "{view}");
    assert_eq!(world.smsc.to(AT_HOME).len(), 1);
    assert!(of(&view, "widened", "public", "told") > 0, "{view}");
    assert!(of(&view, "prolonged", "public", "spared") > 0, "{view}");
    let shorter = Warning {
        expires: first.expires - 600,
        ..Warning::update("a-3", &wider, &[VILLAGE_A1])
    };
    let last = gateway.submit(&shorter).await;
    gateway.ended(last).await;
    let view = one(gateway, last).await;
    assert_eq!(view["class"], "corrected", "{view}");
    assert_eq!(
        world.smsc.to(AT_HOME).len(),
        2,
        "compared with what they last got"
    );
    assert!(of(&view, "narrowed", "public", "told") > 0, "{view}");
}

#[tokio::test]
async fn who_dropped_out_hears_it_once_and_at_the_end_a_last_word() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1, VILLAGE_A2]);
    let narrower = Warning::update("a-2", &first, &[VILLAGE_A2]);
    let again = Warning::update("a-3", &narrower, &[VILLAGE_A2]);
    let mut alerts = Vec::new();
    for warning in [&first, &narrower, &again] {
        let alert = gateway.submit(warning).await;
        gateway.ended(alert).await;
        alerts.push(alert);
    }
    assert_eq!(one(gateway, alerts[1]).await["class"], "narrowed");
    let told = world.smsc.to(AT_HOME);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("已不在预警范围内"), "{told:?}");
    // It comes back, as to somebody who has nothing.
    let back = Warning::update("a-4", &again, &[VILLAGE_A1, VILLAGE_A2]);
    let back_id = gateway.submit(&back).await;
    gateway.ended(back_id).await;
    assert_eq!(world.smsc.to(AT_HOME).len(), 3);
    let cancel = gateway.submit(&Warning::cancel("a-5", &back)).await;
    gateway.ended(cancel).await;
    let told = world.smsc.to(AT_HOME);
    assert!(told.len() == 4 && told[3].contains("已撤销"), "{told:?}");
    assert_eq!(one(gateway, cancel).await["class"], "lifted");
    for alert in alerts {
        assert_ne!(one(gateway, alert).await["withdrawn_by"], Value::Null);
    }
}

#[tokio::test]
async fn a_warning_in_error_is_taken_back_as_one() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let cancel = Warning {
        note: "误发撤销：选错了区域。",
        ..Warning::cancel("a-2", &first)
    };
    let cancel = gateway.submit(&cancel).await;
    gateway.ended(cancel).await;
    let view = one(gateway, cancel).await;
    assert_eq!(
        (&view["class"], &view["handled"]),
        (&json!("revoked"), &json!("red")),
        "{view}"
    );
    let view = one(gateway, old).await;
    assert_eq!(
        (&view["state"], &view["state_zh"]),
        (&json!("revoked"), &json!("误发撤销"))
    );
    let told = world.smsc.to(AT_HOME);
    assert!(told[1].contains("误发"), "{told:?}");
}

/// A red warning that is out, at an hour at which the public is let sleep.
async fn red_by_night() -> (World, Warning, u64) {
    let setup = Setup::default();
    let plan = setup.plan.clone() + &format!("quiet = \"{}\"\n", hours_around_now());
    let world = World::start(Setup { plan, ..setup }).await;
    let first = Warning {
        expires: now() + 6 * 3600,
        ..Warning::red("a-1", &[VILLAGE_A1])
    };
    let alert = world.gateway.submit(&first).await;
    world.gateway.ended(alert).await;
    (world, first, alert)
}

#[tokio::test]
async fn good_news_waits_for_the_morning_and_is_dropped_when_better_comes() {
    let (world, first, old) = red_by_night().await;
    let gateway = &world.gateway;
    assert_eq!(world.smsc.to(AT_HOME).len(), 1, "red never waits");
    assert_eq!(one(gateway, old).await["steps"], json!([]));
    let lower = Warning {
        severity: "Severe",
        expires: first.expires,
        ..Warning::update("a-2", &first, &[VILLAGE_A1])
    };
    let lower_id = gateway.submit(&lower).await;
    gateway.ended(lower_id).await;
    let view = one(gateway, lower_id).await;
    assert_eq!(view["class"], "downgraded");
    let step = &view["steps"][1];
    assert_eq!(
        (&step["state"], &step["state_zh"], &step["held"]),
        (&json!("waiting"), &json!("静默暂缓"), &json!(true)),
        "{view}"
    );
    let held = of(&view, "downgraded", "public", "held");
    assert!(held > 0 && count(&step["deliveries"]) == held, "{view}");
    assert_eq!(world.smsc.to(AT_HOME).len(), 1);
    assert_eq!(world.smsc.to(OFFICER).len(), 2, "officers hear at any hour");
    let stale = gateway.get(&format!("/v1/alerts/{lower_id}/stale")).await;
    let sms = &stale["total"]["channels"];
    let sms = sms
        .as_array()
        .expect("a list")
        .iter()
        .find(|l| l["channel"] == "sms");
    assert_eq!(count(&sms.expect("a line")["held"]), held, "{stale}");
    // The end comes first: what was held is never sent, and the end itself waits for whoever sleeps.
    let cancel = gateway.submit(&Warning::cancel("a-3", &lower)).await;
    gateway.ended(cancel).await;
    let view = one(gateway, lower_id).await;
    assert_eq!(view["steps"][1]["state"], "withdrawn", "{view}");
    assert_eq!(of(&view, "downgraded", "public", "dropped"), held, "{view}");
    assert_eq!(world.smsc.to(AT_HOME).len(), 1);
    assert_eq!(world.smsc.to(OFFICER).len(), 3);
    let view = one(gateway, cancel).await;
    assert!(of(&view, "lifted", "public", "held") > 0, "{view}");
}

#[tokio::test]
async fn whom_a_late_update_leaves_asleep_is_counted_as_held() {
    let (world, first, _) = red_by_night().await;
    let gateway = &world.gateway;
    let public = world.smsc.to(AT_HOME).len();
    // The end of an update that nobody knows yet, and then that update: with it all that it corrects is over.
    let update = Warning {
        expires: first.expires,
        ..Warning::update("a-2", &first, &[VILLAGE_A1])
    };
    let cancel = Warning {
        bare: false,
        areas: first.areas.clone(),
        expires: first.expires,
        ..Warning::cancel("a-3", &update)
    };
    let cancel = gateway.submit(&cancel).await;
    gateway.ended(cancel).await;
    let late = gateway.post(crate::gateway::WATER, &update.xml()).await;
    assert_eq!(late.body["superseded_by"], cancel, "{}", late.body);
    within("the officers hear that it is over", async || {
        (world.smsc.to(OFFICER).len() == 2).then_some(())
    })
    .await;
    gateway.ended(cancel).await;
    assert_eq!(world.smsc.to(AT_HOME).len(), public, "the public sleeps");
    let view = one(gateway, cancel).await;
    let held = of(&view, "lifted", "public", "held");
    assert!(held > 0, "{view}");
    let steps = view["steps"].as_array().expect("steps").iter();
    let waiting: Vec<_> = steps.filter(|s| s["state"] == "waiting").collect();
    assert_eq!(waiting.len(), 1, "{view}");
    let lines = view["classes"].as_array().expect("a list");
    let all: u64 = lines.iter().map(|line| count(&line["held"])).sum();
    assert_eq!(
        (&waiting[0]["held"], count(&waiting[0]["deliveries"])),
        (&json!(true), all),
        "{view}"
    );
    let lifted = lines.iter().filter(|line| line["class"] == "lifted");
    let held: u64 = lifted.map(|line| count(&line["held"])).sum();
    let stale = gateway.get(&format!("/v1/alerts/{cancel}/stale")).await;
    let lines = stale["total"]["channels"]
        .as_array()
        .expect("a list")
        .iter();
    let asleep: u64 = lines.map(|line| count(&line["held"])).sum();
    assert_eq!(asleep, held, "{stale}");
}

const PLAYS: &str = "SP-PLAYS-1";

#[tokio::test]
async fn a_speaker_that_has_played_holds_its_order_longer_without_a_sound() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let first = Warning::red("a-1", &[VILLAGE_A1, VILLAGE_A2]);
    let old = gateway.submit(&first).await;
    gateway.ended(old).await;
    let obeyed = || world.horn.obeyed();
    let does = |device: &str, kind: &str| (device.to_owned(), kind.to_owned());
    let longer = Warning {
        expires: first.expires + 3_600,
        ..Warning::update("a-2", &first, &[VILLAGE_A1, VILLAGE_A2, VILLAGE_B1])
    };
    let new = gateway.submit(&longer).await;
    gateway.ended(new).await;
    assert_eq!(one(gateway, new).await["class"], "widened");
    within(
        "who has played holds it longer, and who has not is told anew",
        async || {
            let all = obeyed();
            let both = [does(PLAYS, "prolong"), does("SP-FAILS-2", "stop")];
            both.iter().all(|one| all.contains(one)).then_some(())
        },
    )
    .await;
    let plays = |device: &str| {
        let heard = world.horn.heard().into_iter();
        heard.filter(|heard| heard.device == device).count()
    };
    assert_eq!(plays(PLAYS), 1, "nothing sounds by it");
    assert!(!obeyed().contains(&does(PLAYS, "stop")));
    let stale = gateway.get(&format!("/v1/alerts/{new}/stale")).await;
    assert_eq!(stale["total"]["households"], 0, "{stale}");
    let done = within("its result is in the journal", async || {
        let journal = gateway.journal().await;
        let of = |name: &str| -> Vec<Value> {
            let events = journal.iter().map(|line| line["event"][name].clone());
            events.filter(|event| !event.is_null()).collect()
        };
        let ordered = of("ordered")
            .into_iter()
            .find(|o| !o["action"]["prolong"].is_null())?;
        let done = of("done")
            .into_iter()
            .find(|d| d["serial"] == ordered["serial"])?;
        Some((ordered, done))
    })
    .await;
    assert_eq!(
        (&done.0["action"], &done.0["devices"], &done.0["by"]),
        (
            &json!({ "prolong": { "alert": old, "drill": false } }),
            &json!([PLAYS]),
            &json!("correction")
        )
    );
    assert_eq!(done.1["rows"][0]["done"], true);
    // Its end stops what was prolonged, too.
    let cancel = gateway.submit(&Warning::cancel("a-3", &longer)).await;
    gateway.ended(cancel).await;
    within("it is stopped", async || {
        obeyed().contains(&does(PLAYS, "stop")).then_some(())
    })
    .await;
}
