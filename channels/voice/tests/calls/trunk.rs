//! The channel on a trunk against its own peer: the suite that every channel passes, and what is peculiar to calls.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{Running, USER, config, message, until};
use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{Channel, Context, EndpointKind, FailureClass, Health, Message};
use voice::peer::{Exchange, Manner, Settings};
use voice::{Calls, Config, Secret, Trunk, Voice};

const SOON: Duration = Duration::from_millis(900);

struct Telephone;

#[async_trait]
impl Fixture for Telephone {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let manner = match behaviour {
            Behaviour::Accept | Behaviour::HangUp | Behaviour::RefuseLogin => Manner::Listen,
            Behaviour::Confirm => Manner::Press('1', SOON),
            Behaviour::Throttle => Manner::Refuse("503 Service Unavailable", "Retry-After: 1\r\n"),
            Behaviour::RefuseAddress => Manner::Refuse("404 Not Found", ""),
            Behaviour::RefuseContent => Manner::Refuse("488 Not Acceptable Here", ""),
            Behaviour::Stall => Manner::Stall,
            Behaviour::HangUpAfterWrite => Manner::Vanish,
        };
        let settings = Settings {
            port: 0,
            script: Arc::new(move |_| manner),
            refuse_login: behaviour == Behaviour::RefuseLogin,
            silent: behaviour == Behaviour::HangUp,
        };
        let exchange = Exchange::start(settings).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(exchange.port(), folder.path());
        let trunk = config.trunk.as_mut().unwrap();
        trunk.register = true;
        trunk.password = Some(Secret::new("x"));
        let voice = Voice::new(config, context).unwrap();
        Some((Arc::new(voice), Box::new((exchange, folder))))
    }

    fn message(&self, number: u32) -> Message {
        message(number)
    }
}

#[tokio::test]
async fn the_channel_passes_the_suite_in_every_behaviour() {
    assert_eq!(exercise(&Telephone).await, Behaviour::ALL);
}

/// A channel and its exchange; numbers are 0816-0 and six digits.
async fn pair(
    script: impl Fn(&str) -> Manner + Send + Sync + 'static,
    change: impl FnOnce(&mut Config),
) -> (Running, Exchange, tempfile::TempDir) {
    let settings = Settings {
        script: Arc::new(script),
        ..Settings::default()
    };
    let exchange = Exchange::start(settings).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(exchange.port(), folder.path());
    change(&mut config);
    let running = Running::start(config);
    running.up().await;
    (running, exchange, folder)
}

#[tokio::test]
async fn who_listens_hears_the_message_whole_and_in_order() {
    let (running, exchange, _folder) = pair(|_| Manner::Listen, |_| {}).await;
    let accepted = running.voice.send(&message(1)).await.unwrap();
    assert!(accepted.references[0].starts_with("7-1-0-"), "{accepted:?}");
    assert_eq!(running.told(), "ringing; answered; heard 1s=Delivered; ");
    let taken = &exchange.taken()[0];
    assert_eq!(taken.number, "08160000001");
    let codec = taken.codec.unwrap();
    let heard: Vec<i16> = taken.sound.iter().map(|byte| codec.decode(*byte)).collect();
    let tone = crate::common::tone(10);
    let said = tone[44..]
        .chunks(2)
        .map(|two| i16::from_le_bytes([two[0], two[1]]));
    // After the silence in which somebody says 喂 comes the message, sample for sample, as G.711 codes it.
    let begin = heard
        .iter()
        .position(|sample| sample.abs() > 3_000)
        .unwrap();
    let same = said
        .zip(&heard[begin..])
        .all(|(said, heard)| said.abs_diff(*heard) <= 256);
    assert!(
        same && heard.len() >= begin + 8_000,
        "{} of 8000",
        heard.len() - begin
    );
    running.stop().await;
}

#[tokio::test]
async fn each_ending_is_told_and_judged() {
    let script = |number: &str| match number.chars().last() {
        Some('1') => Manner::Press('1', SOON),
        Some('2') => Manner::Press('2', SOON),
        Some('3') => Manner::HangUp(Duration::from_millis(700)),
        Some('4') => Manner::HangUp(Duration::from_millis(1_300)),
        Some('5') => Manner::Machine,
        Some('6') => Manner::Refuse("486 Busy Here", ""),
        Some('7') => Manner::NoAnswer,
        Some('8') => Manner::Refuse("480 Temporarily Unavailable", "Reason: Q.850;cause=20\r\n"),
        _ => Manner::Refuse("404 Not Found", "Reason: Q.850;cause=1\r\n"),
    };
    let (running, exchange, _folder) = pair(script, |config| {
        config.trunk.as_mut().unwrap().machine = Duration::from_millis(800);
    })
    .await;
    let voice = &running.voice;
    for (number, told) in [
        (1, "ringing; answered; key 1 heard 0s=Acknowledged; "),
        (2, "ringing; answered; key 2 heard 0s=Acknowledged; "),
        (4, "ringing; answered; heard 0s=Delivered; "),
    ] {
        voice.send(&message(number)).await.unwrap();
        assert_eq!(running.told(), told);
        running.inlet.receipts.lock().clear();
    }
    for (number, class, code, again) in [
        (3, FailureClass::Transient, "voice:hung-up", Some(120)),
        (5, FailureClass::Transient, "voice:machine", Some(120)),
        (6, FailureClass::Transient, "voice:busy", Some(60)),
        (7, FailureClass::Transient, "voice:no-answer", Some(120)),
        (8, FailureClass::Transient, "voice:off", Some(120)),
        (9, FailureClass::BadAddress, "voice:invalid", None),
    ] {
        let failure = voice.send(&message(number)).await.unwrap_err();
        let found = (failure.class, &*failure.code, failure.retry_after);
        assert_eq!(found, (class, code, again.map(Duration::from_secs)));
        let told = running.told();
        assert!(!told.contains('='), "{number}: {told}");
    }
    until("every call is over at the exchange", || {
        exchange.open() == 0
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn no_more_calls_stand_than_there_are_lines() {
    let (running, exchange, _folder) = pair(|_| Manner::Listen, |config| config.lines = 2).await;
    let exchange = Arc::new(exchange);
    let watched = exchange.clone();
    let most = tokio::spawn(async move {
        let mut most = 0;
        while watched.taken().len() < 4 || watched.open() > 0 {
            most = most.max(watched.open());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        most
    });
    let batch = [1, 2, 3, 4].map(message);
    let sent = batch.each_ref().map(|message| running.voice.send(message));
    for outcome in futures::future::join_all(sent).await {
        outcome.unwrap();
    }
    assert_eq!(most.await.unwrap(), 2);
    assert_eq!(running.voice.capability().window, 2);
    running.stop().await;
}

#[tokio::test]
async fn a_trunk_that_goes_away_is_noticed_and_calls_go_on_when_it_comes_back() {
    let (running, exchange, _folder) = pair(
        |_| Manner::Press('1', SOON),
        |config| config.trunk.as_mut().unwrap().probe = Duration::from_millis(200),
    )
    .await;
    let port = exchange.port();
    running.voice.send(&message(1)).await.unwrap();
    drop(exchange);
    until("the trunk is down", || running.voice.health() != Health::Up).await;
    let failure = running.voice.send(&message(2)).await.unwrap_err();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::LinkDown, "voice:trunk-down")
    );
    let back = loop {
        let settings = Settings {
            port,
            script: Arc::new(|_| Manner::Press('2', SOON)),
            ..Settings::default()
        };
        // The port is free when the last of the exchange before has gone.
        match Exchange::start(settings).await {
            Ok(exchange) => break exchange,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    running.up().await;
    running.inlet.receipts.lock().clear();
    running.voice.send(&message(3)).await.unwrap();
    assert_eq!(
        running.told(),
        "ringing; answered; key 2 heard 0s=Acknowledged; "
    );
    assert_eq!(back.taken().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_channel_that_stops_hangs_up() {
    let (running, exchange, _folder) = pair(|_| Manner::Listen, |_| {}).await;
    let voice = running.voice.clone();
    let call = tokio::spawn(async move { voice.send(&message(1)).await });
    until("somebody listens", || !exchange.taken().is_empty()).await;
    running.stop().await;
    until("the call is over", || exchange.open() == 0).await;
    let failure = call.await.unwrap().unwrap_err();
    assert_eq!(&*failure.code, "voice:hung-up");
}

#[tokio::test]
async fn an_answer_that_the_journal_cannot_take_is_offered_again() {
    let (running, _exchange, _folder) = pair(|_| Manner::Press('2', SOON), |_| {}).await;
    running
        .inlet
        .away
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let voice = running.voice.clone();
    let call = tokio::spawn(async move { voice.send(&message(1)).await });
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!call.is_finished() && running.told().is_empty());
    running
        .inlet
        .away
        .store(false, std::sync::atomic::Ordering::SeqCst);
    call.await.unwrap().unwrap();
    assert_eq!(running.told(), "key 2 heard 0s=Acknowledged; ");
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_number_is_never_dialled() {
    let (running, exchange, _folder) = pair(|_| Manner::Listen, |_| {}).await;
    let mut wrong = message(1);
    wrong.address = channel::Address::new("0816@127.0.0.1;x=y");
    let failure = running.voice.send(&wrong).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::BadAddress);
    assert!(exchange.taken().is_empty());
    running.stop().await;
}

#[test]
fn a_channel_speaks_to_the_kind_of_number_that_it_is_set_to() {
    let (context, _) = channel::testing::context("voice");
    let trunk = Trunk::new("127.0.0.1", 5060, "127.0.0.1".parse().unwrap(), USER);
    let mut config = Config::with_trunk(30, trunk);
    let speaks = |config: &Config| {
        let voice = Voice::new(config.clone(), context.clone()).unwrap();
        voice.capability().speaks_to
    };
    assert_eq!(speaks(&config), EndpointKind::Landline);
    config.calls = Calls::Mobile;
    assert_eq!(speaks(&config), EndpointKind::Mobile);
}
