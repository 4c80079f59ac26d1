//! Stops of every kind: a kill at any moment, and a polite end. Whatever comes, the figures are those of a run that was
//! never disturbed.

use std::time::Duration;

use channel::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::county::{self, VILLAGE_A1, VILLAGE_A2, VILLAGE_B1, VILLAGE_B2};
use crate::gateway::{Gateway, Setup, World, count, within};
use crate::warning::{COUNTY, Warning};

fn setup() -> Setup {
    Setup {
        files: county::large(50),
        sms_rate: "120/s burst 20",
        ..Setup::default()
    }
}

/// All that an alert came to, without times and without what only a crash can add.
async fn outcome(gateway: &Gateway, alert: u64) -> Vec<Value> {
    let mut all = Vec::new();
    for under in [
        COUNTY,
        county::TOWN_A,
        county::TOWN_B,
        VILLAGE_A1,
        VILLAGE_A2,
        VILLAGE_B1,
        VILLAGE_B2,
    ] {
        all.push(gateway.coverage(alert, under).await);
    }
    for village in [VILLAGE_A1, VILLAGE_A2, VILLAGE_B1, VILLAGE_B2] {
        let path = format!("/v1/alerts/{alert}/households?under={village}&limit=5000");
        all.push(gateway.get(&path).await);
        all.push(
            gateway
                .get(&format!("/v1/alerts/{alert}/speakers?under={village}"))
                .await,
        );
    }
    all.push(gateway.get(&format!("/v1/alerts/{alert}/channels")).await);
    all.iter_mut().for_each(plain);
    all
}

fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for key in ["as_of", "at", "doubts"] {
                fields.remove(key);
            }
            fields.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

/// How far an alert is: deliveries that are over or wait for their receipt.
async fn progress(gateway: &Gateway, alert: u64) -> (u64, u64) {
    let line = gateway.channel(alert, "sms").await;
    if line.is_null() {
        return (0, 0);
    }
    let of = |key: &str| count(&line[key]);
    (
        of("total") - of("planned") - of("due"),
        of("done") + of("failed"),
    )
}

#[tokio::test]
async fn kills_at_any_moment_end_as_if_nothing_had_happened() {
    let setup_calm = setup();
    let numbers = county::mobiles(&setup_calm.files);
    let (calm, mut shaken) = tokio::join!(World::start(setup_calm), World::start(setup()));
    let warning = Warning::red("a-1", &[COUNTY]);
    let alert = calm.gateway.submit(&warning).await;
    assert_eq!(shaken.gateway.submit(&warning).await, alert);

    let seed = u64::try_from(SystemClock::default().now().0).expect("after 1970");
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    // At once, so that the plan is hardly begun; then at growing shares of what is handed, and while receipts come.
    let total = u64::try_from(numbers.len()).expect("few");
    for share in [0, 0, 10, 30, 50, 70, 90, 100] {
        let gateway = &shaken.gateway;
        within("it is far enough to be killed", async || {
            (progress(gateway, alert).await.0 * 100 >= total * share).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(random.u64(0..120))).await;
        shaken.gateway.kill().await;
        shaken.gateway.start().await;
    }
    let view = shaken.gateway.ended(alert).await;
    calm.gateway.ended(alert).await;

    let (wanted, found) = (
        outcome(&calm.gateway, alert).await,
        outcome(&shaken.gateway, alert).await,
    );
    for (wanted, found) in wanted.iter().zip(&found) {
        assert_eq!(found, wanted, "seed {seed}");
    }
    let tried: std::collections::BTreeSet<String> =
        shaken.smsc.texts().into_iter().map(|t| t.to).collect();
    let lost: Vec<_> = numbers
        .iter()
        .filter(|number| !tried.contains(*number))
        .collect();
    assert!(lost.is_empty(), "never sent, seed {seed}: {lost:?}");
    let twice = shaken
        .smsc
        .taken()
        .into_values()
        .filter(|times| *times > 1)
        .count();
    let doubts = count(&view["doubts"]);
    assert!(
        u64::try_from(twice).expect("few") <= doubts,
        "{twice} numbers were sent to twice, {doubts} doubts, seed {seed}"
    );
    println!("{twice} numbers twice, {doubts} doubts");
    let played = shaken.horn.heard();
    assert_eq!(
        played.iter().filter(|h| h.device == "SP-PLAYS-1").count(),
        1,
        "no text is played twice: {played:?}"
    );
    assert_eq!(
        calm.smsc
            .taken()
            .into_values()
            .filter(|times| *times > 1)
            .count(),
        0
    );
    assert_eq!(
        calm.gateway.get(&format!("/v1/alerts/{alert}")).await["doubts"],
        json!(0)
    );
}

#[tokio::test]
async fn a_correction_survives_a_kill_right_behind_its_202() {
    let mut world = World::start(setup()).await;
    let first = Warning::red("a-1", &[COUNTY]);
    let old = world.gateway.submit(&first).await;
    let smsc = &world.smsc;
    within("some texts are out", async || {
        (smsc.taken().len() > 20).then_some(())
    })
    .await;
    let cancel = world.gateway.submit(&Warning::cancel("a-2", &first)).await;
    world.gateway.kill().await;
    world.gateway.start().await;
    world.gateway.ended(old).await;
    world.gateway.ended(cancel).await;
    let numbers = |part: &str| -> std::collections::BTreeSet<String> {
        let texts = world.smsc.texts().into_iter();
        texts
            .filter(|t| t.body.contains(part))
            .map(|t| t.to)
            .collect()
    };
    let mut warned = numbers("请立即转移");
    warned.extend(numbers("Walk to"));
    let told = numbers("该预警已撤销");
    let left: Vec<_> = warned.difference(&told).collect();
    assert!(
        left.is_empty(),
        "these hold a warning that was lifted: {left:?}"
    );
}

#[tokio::test]
async fn a_polite_stop_takes_seconds_and_a_restart_goes_on() {
    let mut world = World::start(setup()).await;
    let alert = world.gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    let smsc = &world.smsc;
    within("it is half way", async || {
        (smsc.taken().len() > 40).then_some(())
    })
    .await;
    let clock = SystemClock::default();
    let begin = clock.tick();
    let status = world.gateway.terminate().await;
    let took = clock.tick().saturating_sub(begin);
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(6), "{took:?}");
    world.gateway.start().await;
    let view = world.gateway.ended(alert).await;
    let taken = world.smsc.taken();
    let twice = taken.values().filter(|times| **times > 1).count();
    assert!(
        u64::try_from(twice).expect("few") <= count(&view["doubts"]),
        "{twice}, {}",
        view["doubts"]
    );
    assert_eq!(view["state"], "in-force");
}

#[tokio::test]
async fn the_counters_of_speakers_orders_rise_over_kills_and_no_controller_refuses_one() {
    let mut world = World::start(Setup::default()).await;
    let mut last = 0;
    for identifier in ["a-1", "a-2", "a-3"] {
        world
            .gateway
            .submit(&Warning::red(identifier, &[COUNTY]))
            .await;
        let horn = &world.horn;
        let counter = within("the order is played", async || {
            let heard = horn.heard();
            let counters = heard
                .iter()
                .filter(|h| h.device == "SP-PLAYS-1")
                .map(|h| h.counter);
            counters.max().filter(|counter| *counter > last)
        })
        .await;
        last = counter;
        // The desk, and with it all that was told of counters, is gone.
        world.gateway.kill().await;
        world.gateway.start().await;
    }
    let heard = world.horn.heard();
    let mut orders: Vec<_> = heard.iter().map(|h| (h.counter, h.order.clone())).collect();
    orders.sort();
    orders.dedup();
    assert!(
        orders.windows(2).all(|pair| pair[0].0 != pair[1].0),
        "no counter is given to two orders: {orders:?}"
    );
    assert_eq!(world.horn.refused(), [], "{heard:?}");
}
