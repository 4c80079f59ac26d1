//! Earthquakes over a broker: each terminal's own order on its own topic, a cancel once for a village, and nothing of what
//! has been replaced while the broker was away.

use std::sync::Arc;
use std::time::Duration;

use channel::{AFTER_ARRIVAL, Alarm, Channel, Clock, Quake, Shaking, Shock, Stop, SystemClock};
use loudspeaker::mqtt::Mqtt;
use loudspeaker::order::{Order, Orders, QUAKE, QUAKE_CANCEL, Verifier, Window};
use loudspeaker::peer::{Peer, Settings};

use crate::broker::Broker;
use crate::kit::{CHANNEL, Evil, Gateway, Heard, SECRET, config, now, serial, settings, until};

const DEVICES: [&str; 3] = ["PW-217001-02", "PW-217001-03", "PW-218001-01"];

/// A report for all three, the last shaken last.
fn report(number: u32, serial: u64) -> Quake {
    let origin = now();
    let shock = |(n, device): (u64, &&str)| Shock {
        serial: serial + n,
        device: (*device).to_owned(),
        intensity: 7,
        arrival: origin.plus(Duration::from_secs(20 + n)),
        alarm: Alarm::Red,
    };
    Quake {
        event: "sc-1".into(),
        report: number,
        drill: false,
        what: Shaking::Comes {
            origin,
            magnitude: 63,
            shocks: (0..).zip(&DEVICES).map(shock).collect(),
        },
        text: "地震预警。".into(),
        since: origin,
    }
}

fn cancel(number: u32, serial: u64) -> Quake {
    Quake {
        what: Shaking::CalledOff {
            serial,
            devices: DEVICES.map(str::to_owned).to_vec(),
            until: now().plus(Duration::from_mins(2)),
        },
        text: "地震预警取消。".into(),
        ..report(number, 0)
    }
}

/// The one order in a message, as the device checks it that its topic names.
fn order(heard: &Heard, gateway: &Gateway, device: &str) -> Order {
    let orders: Orders = serde_json::from_slice(&heard.payload).expect("orders");
    let [signed] = &orders.orders[..] else {
        panic!("{orders:?}")
    };
    let verifier = Verifier::new(device, &gateway.channel.public_keys()).expect("two keys");
    let order = verifier.verify(signed, &Window::default(), now());
    order.expect("a good order")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_terminal_hears_its_own_earthquake_on_its_own_topic_until_it_is_over() {
    let broker = Broker::start(&DEVICES).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(5)), &DEVICES).await;
    let evil = Evil::start(&broker).await;
    let first = serial();
    let quake = report(1, first);
    assert!(gateway.channel.shake(&quake) && gateway.channel.shake(&quake));
    until("all is published", || evil.heard("orders").len() == 3).await;
    for (device, heard) in DEVICES.iter().zip(evil.heard("orders")) {
        assert!(
            heard.topic.ends_with(device),
            "the first to be shaken first"
        );
        let order = order(&heard, &gateway, device);
        assert_eq!((&*order.kind, &*order.to), (QUAKE, *device));
        let left = order.expires.since(now()).as_secs();
        let expiry = u64::from(heard.expiry.expect("it ends"));
        assert!(expiry.abs_diff(left) <= 3, "{expiry} {left}");
    }
    assert!(evil.heard("groups").is_empty(), "each has its own");
    assert!(gateway.channel.shake(&cancel(1, first + 10)));
    until("the cancel is published", || {
        evil.heard("groups").len() == 1 && evil.heard("orders").len() == 4
    })
    .await;
    let of_village = order(&evil.heard("groups")[0], &gateway, DEVICES[1]);
    let of_one = order(&evil.heard("orders")[3], &gateway, DEVICES[2]);
    assert_eq!(of_village, of_one);
    assert_eq!((&*of_one.kind, of_one.value), (QUAKE_CANCEL, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_replaced_before_there_was_a_broker_is_not_published_any_more() {
    let broker = Broker::start(&DEVICES).await;
    let evil = Evil::start(&broker).await;
    let (context, _) = channel::testing::context(CHANNEL);
    let config = config(&broker, Duration::from_secs(5));
    let channel = Arc::new(Mqtt::new(config, context).expect("a good configuration"));
    let first = serial();
    for quake in [
        report(1, first),
        report(2, first + 10),
        cancel(1, first + 20),
        cancel(2, first + 30),
    ] {
        assert!(channel.shake(&quake));
    }
    let stop = Stop::new();
    let run = tokio::spawn({
        let (channel, stop) = (channel.clone(), stop.clone());
        async move { channel.run(stop).await }
    });
    until("the last cancel is published", || {
        !evil.heard("groups").is_empty() && !evil.heard("orders").is_empty()
    })
    .await;
    let all = [evil.heard("groups"), evil.heard("orders")].concat();
    let bodies: Vec<_> = all
        .iter()
        .map(|heard| String::from_utf8_lossy(&heard.payload).into_owned())
        .collect();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    for body in &bodies {
        assert!(
            body.contains(QUAKE_CANCEL) && body.contains(r#"\"value\":2"#),
            "{body}"
        );
    }
    stop.cancel();
    run.await.expect("run ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_controllers_over_mqtt_take_an_earthquake_and_its_cancel_and_say_so() {
    let broker = Broker::start(&DEVICES).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(5)), &DEVICES).await;
    let devices = DEVICES.map(str::to_owned).to_vec();
    let mut peers = Settings::new("", SECRET, &gateway.channel.public_keys(), devices);
    peers.broker = Some((settings(&broker, None), CHANNEL.to_owned()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let peer = Peer::start(&peers, &clock);
    until("all are heard", || {
        DEVICES.iter().all(|device| gateway.is_heard(device))
    })
    .await;
    let first = serial();
    let quake = report(1, first);
    assert!(gateway.channel.shake(&quake));
    until("all have it", || gateway.inlet.obeyed.lock().len() == 3).await;
    for one in peer.shaken() {
        let tremor = one.tremor.expect("a report");
        assert!(tremor.arrival > one.at.minus(AFTER_ARRIVAL));
    }
    assert!(gateway.channel.shake(&cancel(1, first + 10)));
    until("all have the cancel", || {
        gateway.inlet.obeyed.lock().len() == 6
    })
    .await;
    let codes: Vec<_> = {
        let obeyed = gateway.inlet.obeyed.lock();
        obeyed.iter().map(|one| one.code.clone()).collect()
    };
    let wanted = [["sounds"; 3], ["stopped"; 3]].concat();
    assert_eq!(codes, wanted);
    assert!(peer.refused().is_empty());
}
