//! An alert expires, and so does every effort for it.

use crate::county;
use crate::gateway::{Setup, World, count, within};
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
