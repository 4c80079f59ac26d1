//! The channel against simulated controllers over real HTTP.

mod gateway;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, RecordingInlet, context, exercise};
use channel::{
    Accepted, Address, Channel, Clock, Context, Enrolment, Evidence, Failure, FailureClass, Key,
    Level, Message, Outcomes, Stop, SystemClock, Timestamp, Variant, Verdict,
};
use loudspeaker::peer::{Manner, Peer, Settings, device_key};
use loudspeaker::{Config, Loudspeaker, Secret};
use parking_lot::Mutex;

const SECRET: &str = "a secret only for these tests";
const SEED: &str = "0101010101010101010101010101010101010101010101010101010101010101";

fn config(fetch_timeout: Duration) -> Config {
    Config {
        fetch_timeout,
        returning: Duration::ZERO,
        ..Config::new("test", Secret::new(SECRET), Secret::new(SEED))
    }
}

fn device(number: u32) -> String {
    format!("5107272170{number:05}")
}

fn message(number: u32) -> Message {
    let mut variant = Variant::new("zh-CN", "山洪灾害红色预警", "演练:请立即向高处转移。");
    (variant.level, variant.event, variant.drill) = (Level::Red, "11A51".into(), true);
    Message {
        key: Key {
            alert: 7,
            delivery: number,
            generation: 0,
        },
        serial: u64::from(number),
        variant: Arc::new(variant),
        address: Address::new(device(number)),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    }
}

struct Running {
    channel: Arc<Loudspeaker>,
    inlet: Arc<RecordingInlet>,
    peer: Peer,
    _gateway: gateway::Gateway,
}

async fn start(
    config: Config,
    context: Context,
    devices: u32,
    script: fn(&str) -> Manner,
) -> (Arc<Loudspeaker>, Peer, gateway::Gateway) {
    for device in (1..=devices).map(device) {
        let key = device_key(SECRET, &device).public();
        let enrolment = Enrolment {
            device,
            code: String::new(),
            key,
        };
        let enrolled = context.inlet.enrol(enrolment).await;
        assert_eq!(enrolled, Ok(()));
    }
    let channel = Arc::new(Loudspeaker::new(config, context).expect("a good configuration"));
    let gateway = gateway::listen(channel.clone()).await;
    let mut settings = Settings::new(
        &gateway.base,
        SECRET,
        &channel.public_keys(),
        (1..=devices).map(device).collect(),
    );
    (settings.script, settings.wait) = (Arc::new(script), Duration::from_secs(5));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let peer = Peer::start(&settings, &clock);
    (channel, peer, gateway)
}

async fn running(timeout: u64, devices: u32, script: fn(&str) -> Manner) -> Running {
    let (context, inlet) = context("speakers");
    let (channel, peer, gateway) = start(
        config(Duration::from_secs(timeout)),
        context,
        devices,
        script,
    )
    .await;
    Running {
        channel,
        inlet,
        peer,
        _gateway: gateway,
    }
}

struct Controllers;

#[async_trait]
impl Fixture for Controllers {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn std::any::Any + Send>)> {
        let script: fn(&str) -> Manner = match behaviour {
            Behaviour::Accept => |_| Manner::ReportLost,
            Behaviour::Confirm => |_| Manner::Plays,
            Behaviour::Stall => |_| Manner::Stalls,
            Behaviour::HangUp => |_| Manner::Dead,
            Behaviour::HangUpAfterWrite => |_| Manner::Vanishes,
            // A controller cannot answer an order with these: it says them later, in a report, and the key of one
            // device is no login of the channel.
            Behaviour::Throttle
            | Behaviour::RefuseAddress
            | Behaviour::RefuseContent
            | Behaviour::RefuseLogin => return None,
        };
        let (channel, peer, gateway) =
            start(config(Duration::from_secs(1)), context, 1, script).await;
        Some((channel, Box::new((peer, gateway))))
    }

    fn message(&self, number: u32) -> Message {
        message(number)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_keeps_the_contract_with_every_kind_of_controller() {
    let ran = exercise(&Controllers).await;
    assert_eq!(ran.len(), 5, "{ran:?}");
}

#[derive(Default)]
struct Told(Mutex<Vec<(usize, Result<Accepted, Failure>)>>);

impl Outcomes for Told {
    fn settle(&self, index: usize, outcome: Result<Accepted, Failure>) {
        self.0.lock().push((index, outcome));
    }
}

impl Told {
    fn codes(&self) -> Vec<String> {
        let mut told = self.0.lock().clone();
        told.sort_by_key(|(index, _)| *index);
        let code = |outcome: Result<Accepted, Failure>| match outcome {
            Ok(accepted) => format!("{} reference", accepted.references.len()),
            Err(failure) => failure.code.into_owned(),
        };
        told.into_iter().map(|(_, outcome)| code(outcome)).collect()
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("ten seconds passed without: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_over_mixed_devices_settles_each_by_its_own() {
    let script = |id: &str| match id.as_bytes().last() {
        Some(b'2') => Manner::Dead,
        Some(b'3') => Manner::Fails("forged".into()),
        Some(b'4') => Manner::PlaysPart(40),
        Some(b'5') => Manner::Slow,
        _ => Manner::Plays,
    };
    let running = running(2, 5, script).await;
    let batch: Vec<_> = (1..=5).map(message).collect();
    let told = Told::default();
    running.channel.send_all(&batch, &told).await;
    assert_eq!(
        told.codes(),
        [
            "1 reference",
            "speaker:silent",
            "1 reference",
            "1 reference",
            "1 reference"
        ]
    );
    let inlet = running.inlet.clone();
    let last = move || {
        let receipts = inlet.receipts.lock();
        let mut last: Vec<_> = receipts
            .iter()
            .filter(|receipt| receipt.verdict != Verdict::Progress)
            .map(|receipt| (format!("{:?}", receipt.of), receipt.verdict))
            .collect();
        last.sort_by(|a, b| a.0.cmp(&b.0));
        last.into_iter()
            .map(|(_, verdict)| verdict)
            .collect::<Vec<_>>()
    };
    until("four last reports", || last().len() == 4).await;
    let played = Verdict::Reached(Evidence::Acknowledged);
    let (gone, part) = (
        Verdict::Refused(FailureClass::BadAddress),
        Verdict::Refused(FailureClass::Transient),
    );
    assert_eq!(last(), [played, gone, part, played]);
    assert!(running.peer.heard().iter().all(|heard| heard.drill));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_kept_is_reported_again_until_it_is() {
    let running = running(2, 1, |_| Manner::Plays).await;
    running
        .inlet
        .away
        .store(true, std::sync::atomic::Ordering::SeqCst);
    running
        .channel
        .send(&message(1))
        .await
        .expect("a report proves the fetch, kept or not");
    until("the play is over", || !running.peer.heard().is_empty()).await;
    assert!(running.inlet.receipts.lock().is_empty());
    running
        .inlet
        .away
        .store(false, std::sync::atomic::Ordering::SeqCst);
    let played = || {
        running
            .inlet
            .receipts
            .lock()
            .iter()
            .any(|receipt| receipt.code.starts_with("played "))
    };
    until("the report is kept", played).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_hundred_controllers_take_one_order_each() {
    const DEVICES: u32 = 1_500;
    let running = running(15, DEVICES, |_| Manner::Plays).await;
    let batch: Vec<_> = (1..=DEVICES).map(message).collect();
    let told = Told::default();
    running.channel.send_all(&batch, &told).await;
    let fetched = told
        .0
        .lock()
        .iter()
        .filter(|(_, outcome)| outcome.is_ok())
        .count();
    assert_eq!(fetched, DEVICES as usize);
    let played = || {
        running
            .inlet
            .receipts
            .lock()
            .iter()
            .filter(|receipt| receipt.code.starts_with("played "))
            .count()
    };
    until("every play is reported", || played() == DEVICES as usize).await;
    assert!(running.peer.refused().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_stops_calling_is_told_to_be_silent_once() {
    let (context, inlet) = context("speakers");
    let config = Config {
        silent_after: Duration::from_millis(200),
        ..config(Duration::from_secs(2))
    };
    let (channel, peer, _gateway) = start(config, context, 1, |_| Manner::Plays).await;
    let stop = Stop::new();
    let run = tokio::spawn({
        let (channel, stop) = (channel.clone(), stop.clone());
        async move { channel.run(stop).await }
    });
    channel.send(&message(1)).await.expect("it is there");
    drop(peer);
    let silent = || {
        inlet
            .presences
            .lock()
            .iter()
            .filter(|p| p.state == channel::PresenceState::Silent)
            .count()
    };
    until("it is told silent", || silent() > 0).await;
    stop.cancel();
    run.await.expect("run ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_handed_again_with_a_new_counter_is_played_once_and_reported_twice() {
    let running = running(3, 1, |_| Manner::Plays).await;
    let reports = || {
        running
            .inlet
            .receipts
            .lock()
            .iter()
            .filter(|receipt| receipt.code.starts_with("played "))
            .count()
    };
    running.channel.send(&message(1)).await.expect("fetched");
    until("it is played", || reports() == 1).await;
    let again = Message {
        serial: 2,
        repeat: true,
        ..message(1)
    };
    running.channel.send(&again).await.expect("fetched again");
    until("it is reported again", || reports() == 2).await;
    assert_eq!(running.peer.heard().len(), 1);
}
