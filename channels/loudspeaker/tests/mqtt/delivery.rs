//! Orders out and proofs back: to a foreign device, to many, through a broker that dies and a gateway that restarts.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use channel::{
    Accepted, Action, Authority, Channel, Clock, Command, Failure, FailureClass, Key, Message,
    Outcomes, Power, PresenceState, SystemClock,
};
use loudspeaker::peer::{Manner, Peer, Settings};
use parking_lot::Mutex;

use crate::broker::Broker;
use crate::kit::{
    CHANNEL, Device, Evil, Gateway, SECRET, call, config, message, now, serial, settings, until,
};

const DEVICE: &str = "PW-217001-02";
const TEXT: &str = "请立即向高处转移。";

#[derive(Default)]
struct Told(Mutex<Vec<(usize, Result<Accepted, Failure>)>>);

impl Outcomes for Told {
    fn settle(&self, index: usize, outcome: Result<Accepted, Failure>) {
        self.0.lock().push((index, outcome));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_over_mqtt_is_played_by_a_foreign_device_and_its_report_answered_once_it_is_kept()
{
    let broker = Broker::start(&[DEVICE]).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(10)), &[DEVICE]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let keys = gateway.channel.public_keys();
    let mut device = Device::start(folder.path(), &broker, &keys, DEVICE);
    until("it is heard", || gateway.is_heard(DEVICE)).await;
    // The journal takes nothing: what is reported is not answered as kept.
    gateway.inlet.away.store(true, SeqCst);
    let order = message(7, DEVICE, serial(), TEXT);
    let accepted = gateway.channel.send(&order).await.expect("it has it");
    assert_eq!(accepted.references.len(), 1);
    until("it is told that nothing is kept", || {
        !device.all("unkept").is_empty()
    })
    .await;
    assert!(gateway.played().is_empty() && device.all("reported").is_empty());
    gateway.inlet.away.store(false, SeqCst);
    until("it is told that all is kept", || {
        device.all("reported") == ["playing", "played"]
    })
    .await;
    assert_eq!(gateway.played(), ["played 7"]);
    assert_eq!(device.all("text"), [TEXT]);
    // What it says of itself, and who used its microphone.
    device.does("local microphone 5").await;
    let said = || gateway.channel.device(DEVICE).expect("it was heard");
    until("the microphone is told", || {
        said().sounded.map(|sounded| sounded.source) == Some("microphone")
    })
    .await;
    let said = said();
    assert_eq!((said.volume, said.power), (Some(80), Some(Power::Solar)));
    assert_eq!(
        gateway.channel.refused(),
        [("not-kept", gateway.refused("not-kept"))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_over_mqtt_goes_once_to_a_village_and_is_proved_by_each_of_its_devices() {
    let devices = [DEVICE, "PW-217001-03", "PW-218001-01"];
    let broker = Broker::start(&devices).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(10)), &devices).await;
    let folder = tempfile::tempdir().expect("a folder");
    let keys = gateway.channel.public_keys();
    let boxes = devices.map(|device| Device::start(folder.path(), &broker, &keys, device));
    until("all are heard", || {
        devices.iter().all(|device| gateway.is_heard(device))
    })
    .await;
    let evil = Evil::start(&broker).await;
    let first = serial();
    let shared = message(7, DEVICE, first, TEXT);
    let batch: Vec<Message> = (0_u32..)
        .zip(devices)
        .map(|(delivery, device)| Message {
            key: Key {
                delivery,
                ..shared.key
            },
            variant: shared.variant.clone(),
            expires: shared.expires,
            ..message(7, device, first + u64::from(delivery), TEXT)
        })
        .collect();
    let told = Told::default();
    gateway.channel.send_all(&batch, &told).await;
    assert!(told.0.lock().iter().all(|(_, outcome)| outcome.is_ok()));
    until("all have played", || gateway.played().len() == 3).await;
    let (groups, single) = (evil.heard("groups"), evil.heard("orders"));
    assert_eq!(groups.len(), 1, "once for both: {groups:?}");
    assert_eq!(groups[0].topic, "tocsin/horn/groups/PW-217001");
    let kept = groups[0].expiry.expect("the broker forgets it in time");
    assert!((590..=600).contains(&kept), "with the order: {kept}");
    assert_eq!(single.len(), 1, "{single:?}");
    assert_eq!(groups[0].payload, single[0].payload, "the very bytes");
    for one in boxes {
        assert_eq!(one.all("text"), [TEXT]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_loses_nothing_over_mqtt_and_nothing_is_played_twice() {
    let mut broker = Broker::start(&[DEVICE]).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(10)), &[DEVICE]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let keys = gateway.channel.public_keys();
    let device = Device::start(folder.path(), &broker, &keys, DEVICE);
    until("it is heard", || gateway.is_heard(DEVICE)).await;
    let order = message(7, DEVICE, serial(), TEXT);
    gateway.channel.send(&order).await.expect("it has it");
    // It has begun to sound, or is about to: what it reports finds nobody.
    broker.kill();
    until("the gateway sees it", || !gateway.channel.health().takes()).await;
    let next = message(8, DEVICE, serial(), TEXT);
    let down = gateway.channel.send(&next).await.expect_err("no broker");
    assert_eq!(
        (down.class, &*down.code),
        (FailureClass::LinkDown, "mqtt:no-broker")
    );
    broker.up().await;
    gateway.is_up().await;
    // It has made its calls more than once meanwhile: a report counts as often as it comes, as one.
    until("the report comes after all", || {
        device.all("reported") == ["playing", "played"]
    })
    .await;
    // As the engine hands what is in doubt: the same order under a new counter.
    let again = Message {
        serial: serial(),
        repeat: true,
        ..order
    };
    gateway.channel.send(&again).await.expect("it has it");
    until("it says so again", || device.all("reported").len() == 3).await;
    assert!(gateway.played().iter().all(|code| code == "played 7"));
    assert_eq!(device.all("text"), [TEXT], "heard once");
    let refused = gateway.channel.refused();
    assert!(
        refused.iter().all(|(why, _)| *why == "replayed"),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_network_is_cut_is_silent_by_its_last_will_over_mqtt_and_gets_what_it_missed()
 {
    let broker = Broker::start(&[DEVICE]).await;
    let settings = config(&broker, Duration::from_secs(1));
    let gateway = Gateway::start(settings.clone(), &[DEVICE]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let keys = gateway.channel.public_keys();
    let device = Device::start(folder.path(), &broker, &keys, DEVICE);
    until("it is heard", || gateway.is_heard(DEVICE)).await;
    device.kill().await;
    let is_silent = |gateway: &Gateway| {
        let presences = gateway.inlet.presences.lock();
        presences.iter().any(|seen| {
            seen.device == DEVICE && seen.state == PresenceState::Silent && seen.code.is_empty()
        })
    };
    until("its last will is read", || is_silent(&gateway)).await;
    drop(gateway);
    // The broker keeps the last will: a gateway that starts knows at once.
    let gateway = Gateway::start(settings, &[DEVICE]).await;
    until("it is known to be gone", || is_silent(&gateway)).await;
    let order = message(7, DEVICE, serial(), TEXT);
    let failed = gateway.channel.send(&order).await.expect_err("it is gone");
    assert_eq!(
        (failed.class, &*failed.code),
        (FailureClass::Transient, "speaker:silent")
    );
    let device = Device::start(folder.path(), &broker, &keys, DEVICE);
    until("it plays what lay there", || {
        gateway.played() == ["played 7"]
    })
    .await;
    assert_eq!(device.all("text"), [TEXT]);
    let presences = gateway.inlet.presences.lock();
    let back = |seen: &channel::Presence| seen.state == PresenceState::Idle;
    assert!(presences.iter().any(back), "{presences:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_restarts_is_missed_over_mqtt_and_what_it_gives_again_is_not_played_again() {
    let broker = Broker::start(&[DEVICE]).await;
    let settings = config(&broker, Duration::from_secs(10));
    let gateway = Gateway::start(settings.clone(), &[DEVICE]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let keys = gateway.channel.public_keys();
    let device = Device::start(folder.path(), &broker, &keys, DEVICE);
    until("it is heard", || gateway.is_heard(DEVICE)).await;
    let order = message(7, DEVICE, serial(), TEXT);
    gateway.channel.send(&order).await.expect("it has it");
    until("it has played", || gateway.played().len() == 1).await;
    drop(gateway);
    until("it hears that the gateway is gone", || {
        device
            .all("gateway")
            .last()
            .is_some_and(|last| last == "offline")
    })
    .await;
    let gateway = Gateway::start(settings, &[DEVICE]).await;
    until("it asks the new one", || gateway.is_heard(DEVICE)).await;
    let again = Message {
        serial: serial(),
        repeat: true,
        ..order
    };
    gateway.channel.send(&again).await.expect("it has it");
    until("it says that it has played", || {
        gateway.played() == ["played 7"]
    })
    .await;
    assert_eq!(device.all("text"), [TEXT], "heard once");
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_devices_of_every_manner_settle_each_by_its_own_over_mqtt() {
    let devices: Vec<String> = (1..=30).map(|n| format!("PW-2170{n:02}-01")).collect();
    let names: Vec<&str> = devices.iter().map(String::as_str).collect();
    let broker = Broker::start(&names).await;
    let gateway = Gateway::start(config(&broker, Duration::from_secs(6)), &names).await;
    let keys = gateway.channel.public_keys();
    let mut peers = Settings::new("", SECRET, &keys, devices.clone());
    peers.script = Arc::new(|id: &str| match id {
        "PW-217003-01" => Manner::Dead,
        "PW-217004-01" => Manner::Fails("no-speaker".into()),
        "PW-217005-01" => Manner::PlaysPart(40),
        _ => Manner::Plays,
    });
    peers.wait = Duration::from_secs(2);
    peers.broker = Some((settings(&broker, None), CHANNEL.into()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let peer = Peer::start(&peers, &clock);
    until("all but the dead one are heard", || {
        names.iter().filter(|id| gateway.is_heard(id)).count() == 29
    })
    .await;
    let first = message(7, &devices[0], serial(), TEXT);
    let batch: Vec<Message> = (0_u32..)
        .zip(&devices)
        .map(|(delivery, device)| Message {
            key: Key {
                delivery,
                ..first.key
            },
            serial: first.serial + u64::from(delivery),
            variant: first.variant.clone(),
            expires: first.expires,
            ..message(7, device, 0, TEXT)
        })
        .collect();
    let told = Told::default();
    gateway.channel.send_all(&batch, &told).await;
    let failed: Vec<_> = told
        .0
        .lock()
        .iter()
        .filter_map(|(index, outcome)| Some((*index, outcome.clone().err()?.code)))
        .collect();
    // It never subscribed: the broker said so, and nothing is in doubt.
    assert_eq!(failed, [(2, "speaker:silent".into())]);
    let count = |code: &str| {
        gateway
            .played()
            .iter()
            .filter(|known| known.starts_with(code))
            .count()
    };
    until("all have reported", || gateway.played().len() == 29).await;
    assert_eq!(
        (
            count("played 0"),
            count("failed no-speaker"),
            count("played-part")
        ),
        (27, 1, 1)
    );
    assert_eq!(peer.heard().len(), 29);
    // An order without a text: once for all whom it names.
    let command = Command {
        serial: serial(),
        action: Action::StopAll,
        authority: Authority::County,
        devices: devices.clone(),
        not_before: now(),
        expires: now().plus(Duration::from_mins(1)),
    };
    assert!(gateway.channel.command(&command) && gateway.channel.command(&command));
    until("all have obeyed", || {
        gateway.inlet.obeyed.lock().len() == 29
    })
    .await;
    assert!(gateway.inlet.obeyed.lock().iter().all(|obeyed| obeyed.done));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_falls_silent_over_mqtt_while_the_broker_is_away_but_after_it_is_back() {
    let mut broker = Broker::start(&[]).await;
    let quick = loudspeaker::Config {
        silent_after: Duration::from_millis(2_500),
        ..config(&broker, Duration::from_secs(1))
    };
    let gateway = Gateway::start(quick, &[DEVICE]).await;
    let evil = Evil::start(&broker).await;
    let beat = call(DEVICE, "heartbeats", r#"{"state":"idle"}"#, now());
    evil.says("calls", DEVICE, beat.to_string()).await;
    until("it is heard", || gateway.is_heard(DEVICE)).await;
    broker.kill();
    let begin = now();
    let is_silent = || {
        let presences = gateway.inlet.presences.lock();
        presences
            .iter()
            .any(|seen| seen.state == PresenceState::Silent)
    };
    until("its time is long over", || {
        now().since(begin) > Duration::from_secs(4)
    })
    .await;
    assert!(!is_silent(), "nobody could be heard");
    broker.up().await;
    gateway.is_up().await;
    assert!(!is_silent(), "it has not had its time yet");
    until("it has not come back", is_silent).await;
}
