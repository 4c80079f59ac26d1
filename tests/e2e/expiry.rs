//! An alert expires, and so does every effort for it.

use crate::county::{self, VILLAGE_A1, VILLAGE_B1};
use crate::gateway::{Setup, WATER, World, count, within};
use crate::warning::{COUNTY, Warning, now};

#[tokio::test]
async fn an_alert_past_its_expiry_sends_nothing_and_its_households_are_missed_as_expired() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let late = Warning {
        sent: now() - 7_200,
        expires: now() - 60,
        ..Warning::red("a-1", &[COUNTY])
    };
    let alert = gateway.submit(&late).await;
    let total = within("its households have their answer", async || {
        let total = gateway.coverage(alert, COUNTY).await["total"].clone();
        (count(&total["at_home"]) == 12 && count(&total["pending"]) == 0).then_some(total)
    })
    .await;
    // Everyone who has an endpoint: seven by phone, one by mail; who only hears a speaker is without one.
    assert_eq!(count(&total["missed"]["expired"]), 8, "{total}");
    assert_eq!(count(&total["missed"]["no_endpoint"]), 4, "{total}");
    assert_eq!(
        gateway.get(&format!("/v1/alerts/{alert}")).await["state"],
        "expired"
    );
    assert!(
        world.smsc.texts().is_empty() && world.mail.count() == 0 && world.horn.heard().is_empty()
    );
}

#[tokio::test]
async fn expiry_in_the_middle_of_sending_closes_what_is_open() {
    let setup = Setup {
        files: county::large(30),
        sms_rate: "10/s burst 10",
        ..Setup::default()
    };
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    let short = Warning {
        expires: now() + 5,
        ..Warning::red("a-1", &[COUNTY])
    };
    let alert = gateway.submit(&short).await;
    gateway.ended(alert).await;
    let line = gateway.channel(alert, "sms").await;
    let (expired, total) = (count(&line["expired"]), count(&line["total"]));
    assert!(expired > 50 && expired < total, "{line}");
    let sent = world
        .smsc
        .texts()
        .iter()
        .map(|text| text.to.clone())
        .collect::<std::collections::BTreeSet<_>>();
    let not_sent = total - u64::try_from(sent.len()).expect("few");
    // One that was refused for the moment may expire before it is tried again.
    assert!(
        expired >= not_sent && expired <= not_sent + 5,
        "{expired} expired, {not_sent} never sent"
    );
    let total = &gateway.coverage(alert, COUNTY).await["total"];
    assert_eq!(count(&total["pending"]), 0, "{total}");
    let before = world.smsc.texts().len();
    let other = gateway
        .submit(&Warning::red("a-2", &[county::VILLAGE_B2]))
        .await;
    gateway.ended(other).await;
    let of_first = world.smsc.texts().len() - before;
    assert!(
        of_first <= 40,
        "{of_first}: nothing of the first goes out behind the second"
    );
}

#[tokio::test]
async fn each_info_ends_at_its_own_time_and_the_others_go_on() {
    // Three texts a second: neither village is through when the first of the two infos ends.
    let setup = Setup {
        files: county::large(25),
        sms_rate: "3/s burst 10",
        ..Setup::default()
    };
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    let first = Warning {
        expires: now() + 3,
        ..Warning::red("a-1", &[VILLAGE_A1])
    };
    let second = Warning::red("a-1", &[VILLAGE_B1]);
    let (head, _) = first
        .xml()
        .split_once("</alert>")
        .map(own)
        .expect("its end");
    let (_, infos) = second.xml().split_once("<info>").map(own).expect("an info");
    let answer = gateway.post(WATER, &format!("{head}<info>{infos}")).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let alert = answer.body["id"].as_u64().expect("an id");

    let village = async |code: &str| gateway.coverage(alert, code).await["total"].clone();
    let total = within("nobody of the first village waits any longer", async || {
        let total = village(VILLAGE_A1).await;
        (count(&total["at_home"]) > 0 && count(&total["pending"]) == 0).then_some(total)
    })
    .await;
    assert!(count(&total["missed"]["expired"]) > 0, "{total}");
    let out = |village: &str| {
        let texts = world.smsc.texts().into_iter();
        // Households of the first village have numbers that end in 10000 and the next, of the third in 30000.
        let own = texts.filter(|text| text.to.len() == 11 && &text.to[6..8] == village);
        own.map(|text| text.to)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let (told, later) = (out("10").len(), out("30").len());
    assert!(told < 25, "not all of them: {told}");
    assert!(later < 25, "the second is not through yet: {later}");
    // The alert is not over: its second info goes on to the last of its people.
    let view = gateway.get(&format!("/v1/alerts/{alert}")).await;
    assert_eq!(view["state"], "in-force", "{view}");
    gateway.ended(alert).await;
    assert_eq!(out("30").len(), 25);
    assert_eq!(out("10").len(), told, "nothing of the first after its time");
    let total = village(VILLAGE_B1).await;
    assert_eq!(count(&total["missed"]["expired"]), 0, "{total}");
    let view = gateway.get(&format!("/v1/alerts/{alert}")).await;
    assert_eq!(view["state"], "in-force", "{view}");
}

fn own((before, after): (&str, &str)) -> (String, String) {
    (before.to_owned(), after.to_owned())
}
