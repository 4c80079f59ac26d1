//! The channel at a modem: the suite that every channel passes, and what is peculiar to modems.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use crate::common::modem::{Running, config, message, reply, said, until};
use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{
    Channel, Context, Evidence, FailureClass, Health, Message, Of, PresenceState, Verdict,
};
use satellite::peer::{Handset, ModemPeer, Reports};
use satellite::{Modem, ModemConfig, Profile, Secret};

struct Phone;

#[async_trait]
impl Fixture for Phone {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let peer = ModemPeer::start(Handset::new(behaviour)).await.unwrap();
        let modem = Modem::new(config(&peer), context).unwrap();
        Some((Arc::new(modem), Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        message(number, "暴雨红色预警")
    }
}

#[tokio::test]
async fn the_channel_passes_the_suite_in_every_behaviour() {
    assert_eq!(exercise(&Phone).await, Behaviour::ALL);
}

async fn pair(change: impl FnOnce(&mut Handset, &mut ModemConfig)) -> (Running, ModemPeer) {
    let peer = ModemPeer::start(Handset::new(Behaviour::Confirm))
        .await
        .unwrap();
    let mut config = config(&peer);
    peer.handset(|handset| change(handset, &mut config));
    (Running::start(config), peer)
}

#[tokio::test]
async fn a_long_text_arrives_whole_and_each_part_is_reported() {
    let (running, peer) = pair(|_, _| {}).await;
    let text = "暴雨红色预警😀".repeat(20);
    let accepted = running.modem.send(&message(1, &text)).await.unwrap();
    assert_eq!(accepted.references.len(), 3);
    until("three reports", || running.inlet.receipts.lock().len() == 3).await;
    let of = |receipt: &channel::Receipt| receipt.of.clone();
    let matched: Vec<_> = running.inlet.receipts.lock().iter().map(of).collect();
    let named = accepted.references.into_iter().map(Of::Reference);
    assert_eq!(matched, named.collect::<Vec<_>>());
    peer.handset(|handset| {
        assert!(handset.texts.iter().all(|submit| submit.report));
        assert_eq!(handset.acknowledged, 3, "each report is acknowledged");
        let units: Vec<u8> = handset
            .texts
            .iter()
            .flat_map(|submit| submit.user.data.clone())
            .collect();
        let units: Vec<u16> = units
            .chunks(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        assert_eq!(String::from_utf16(&units).unwrap(), text);
        let headers: Vec<_> = handset
            .texts
            .iter()
            .map(|submit| submit.user.header.clone())
            .collect();
        assert_eq!(headers, [1, 2, 3].map(|part| vec![5, 0, 3, 1, 3, part]));
    });
    running.stop().await;
}

#[tokio::test]
async fn reports_and_replies_that_are_stored_are_fetched_and_then_deleted() {
    for profile in [Profile::Stored, Profile::Silent] {
        let (running, peer) = pair(|handset, config| {
            handset.reports = Reports::Stored;
            config.profile = profile;
        })
        .await;
        running.modem.send(&message(1, "暴雨")).await.unwrap();
        peer.write_in(&reply("收到"));
        until("a report and a reply", || {
            running.inlet.receipts.lock().len() == 1 && running.inlet.uplinks.lock().len() == 1
        })
        .await;
        until("both are deleted", || {
            peer.handset(|handset| handset.stored()) == 0
        })
        .await;
        let uplinks = running.inlet.uplinks.lock().clone();
        assert!(
            uplinks[0].acknowledges && uplinks[0].far.is_some(),
            "{profile:?}"
        );
        running.stop().await;
    }
}

#[tokio::test]
async fn a_reply_that_comes_by_itself_is_handed_on_at_once_and_shows_that_the_phone_is_on() {
    // Nothing else wakes it: its own arrival does.
    let (running, peer) = pair(|_, config| config.probe = Duration::from_mins(10)).await;
    running.up().await;
    assert_eq!(running.modem.device("17400000001"), None);
    peer.say("^RSSI: 20");
    peer.say("RING");
    peer.write_in_directly(&reply("没有收到"));
    until("a reply", || running.inlet.uplinks.lock().len() == 1).await;
    assert!(!running.inlet.uplinks.lock()[0].acknowledges);
    assert_eq!(running.inlet.uplinks.lock()[0].text, "没有收到");
    until("it is acknowledged", || {
        peer.handset(|handset| handset.acknowledged) == 1
    })
    .await;
    let state = running.modem.device("17400000001").unwrap();
    assert_eq!(state.state, Some(PresenceState::Idle));
    running.stop().await;
}

#[tokio::test]
async fn what_came_while_nobody_listened_is_fetched_at_the_start() {
    let peer = ModemPeer::start(Handset::new(Behaviour::Confirm))
        .await
        .unwrap();
    peer.write_in(&reply("收到"));
    peer.write_in(&reply("1"));
    let running = Running::start(config(&peer));
    until("two replies", || running.inlet.uplinks.lock().len() == 2).await;
    until("both are deleted", || {
        peer.handset(|handset| handset.stored()) == 0
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn nothing_is_forgotten_while_the_journal_takes_nothing() {
    let (running, peer) = pair(|handset, _| handset.reports = Reports::Stored).await;
    running.up().await;
    running
        .inlet
        .away
        .store(true, std::sync::atomic::Ordering::SeqCst);
    running.modem.send(&message(1, "暴雨")).await.unwrap();
    until("the report lies there", || {
        peer.handset(|handset| handset.stored()) == 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        peer.handset(|handset| handset.stored()),
        1,
        "it lies there still"
    );
    running
        .inlet
        .away
        .store(false, std::sync::atomic::Ordering::SeqCst);
    until("it is fetched after all", || {
        running.inlet.receipts.lock().len() == 1
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_report_says_what_became_of_the_text() {
    for (status, verdict) in [
        (0x30, Verdict::Progress),
        (0x46, Verdict::Refused(FailureClass::Transient)),
        (0x00, Verdict::Reached(Evidence::Delivered)),
    ] {
        let (running, _peer) = pair(|handset, _| handset.status = status).await;
        running.modem.send(&message(1, "暴雨")).await.unwrap();
        until("a report", || running.inlet.receipts.lock().len() == 1).await;
        assert_eq!(running.inlet.receipts.lock()[0].verdict, verdict);
        running.stop().await;
    }
}

#[tokio::test]
async fn texts_go_one_at_a_time_with_a_pause_between() {
    let (running, peer) = pair(|_, config| config.pause = Duration::from_millis(200)).await;
    running.up().await;
    let begin = tokio::time::Instant::now();
    let messages: Vec<_> = (1..=4).map(|number| message(number, "暴雨")).collect();
    let one = |message| running.modem.send(message);
    for sent in futures(messages.iter().map(one)).await {
        sent.unwrap();
    }
    assert!(begin.elapsed() >= Duration::from_millis(600));
    assert_eq!(peer.handset(|handset| handset.texts.len()), 4);
    running.stop().await;
}

async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in all.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn without_a_network_nothing_is_given_to_the_modem() {
    let (running, peer) = pair(|handset, config| {
        handset.registration = "0,2".to_owned();
        config.least_signal = 5;
    })
    .await;
    until("it is down", || said(&running).contains("searches")).await;
    let failure = running.modem.send(&message(1, "暴雨")).await.unwrap_err();
    assert_eq!(
        (failure.class, failure.code.as_ref()),
        (FailureClass::LinkDown, "modem:no-network")
    );
    assert_eq!(peer.handset(|handset| handset.texts.len()), 0);
    peer.handset(|handset| handset.registration = "0,5".to_owned());
    running.up().await;
    assert_eq!(running.modem.radio().unwrap().signal, Some(17));
    peer.handset(|handset| handset.signal = "2,99".to_owned());
    until("a weak signal is told", || {
        said(&running).contains("signal is 2")
    })
    .await;
    running.modem.send(&message(1, "暴雨")).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn the_pin_is_given_once_and_a_wrong_one_never_again() {
    let (running, _peer) = pair(|handset, config| {
        handset.pin = Some("4711".to_owned());
        config.pin = Some(Secret::new("4711"));
    })
    .await;
    running.up().await;
    running.stop().await;
    let (running, peer) = pair(|handset, config| {
        handset.pin = Some("4711".to_owned());
        config.pin = Some(Secret::new("1234"));
    })
    .await;
    until("it is refused", || {
        said(&running).contains("did not take `pin`")
    })
    .await;
    // From now on the right one would do, and none is tried.
    peer.handset(|handset| handset.pin = Some("1234".to_owned()));
    let failure = running.modem.send(&message(1, "暴雨")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::LinkDown);
    assert_eq!(
        peer.handset(|handset| handset.pin.clone()).as_deref(),
        Some("1234")
    );
    running.stop().await;
}

#[tokio::test]
async fn a_text_of_too_many_parts_and_an_address_that_is_none_are_refused_unsent() {
    let (running, peer) = pair(|_, config| config.max_segments = 2).await;
    let failure = running
        .modem
        .send(&message(1, &"雨".repeat(135)))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::BadContent);
    let mut nowhere = message(1, "暴雨");
    nowhere.address = channel::Address::new("tiantong");
    let failure = running.modem.send(&nowhere).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::BadAddress);
    assert_eq!(peer.handset(|handset| handset.texts.len()), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_modem_on_a_serial_port_is_spoken_to_as_well() {
    let peer = ModemPeer::start(Handset::new(Behaviour::Confirm))
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cable = crate::common::cable::Cable::lay(folder.path(), peer.address()).await;
    let running = Running::start(ModemConfig {
        port: satellite::Port::serial(cable.device()),
        ..config(&peer)
    });
    let accepted = running.modem.send(&message(1, "暴雨")).await.unwrap();
    until("a report", || running.inlet.receipts.lock().len() == 1).await;
    assert_eq!(
        running.inlet.receipts.lock()[0].of,
        Of::Reference(accepted.references[0].clone())
    );
    assert_eq!(running.modem.health(), Health::Up);
    running.stop().await;
}

#[tokio::test]
async fn a_text_that_the_modem_has_when_the_channel_stops_is_in_doubt() {
    let (running, peer) = pair(|handset, config| {
        handset.behaviour = Behaviour::Stall;
        config.send_timeout = Duration::from_mins(2);
    })
    .await;
    running.up().await;
    let modem = running.modem.clone();
    let sending = tokio::spawn(async move { modem.send(&message(1, "暴雨")).await });
    until("the modem has it", || {
        peer.handset(|handset| handset.stalled)
    })
    .await;
    running.stop().await;
    let failure = sending.await.unwrap().unwrap_err();
    assert_eq!(failure.class, FailureClass::InDoubt);
}

#[tokio::test]
async fn a_long_reply_comes_as_one_text_and_lies_in_the_modem_until_it_is_whole() {
    let (running, peer) = pair(|_, config| {
        config.profile = Profile::Stored;
        config.probe = Duration::from_mins(10);
    })
    .await;
    running.up().await;
    let part = |number: u8, text: &str| {
        let mut part = reply(text);
        part.user.header = vec![5, 0, 3, 9, 2, number];
        part
    };
    peer.write_in(&part(2, "需要船。"));
    peer.write_in(&reply("收到"));
    until("the short one", || running.inlet.uplinks.lock().len() == 1).await;
    until("it is deleted", || {
        peer.handset(|handset| handset.stored()) == 1
    })
    .await;
    assert_eq!(running.inlet.uplinks.lock()[0].text, "收到");
    peer.write_in(&part(1, "水已进屋,"));
    until("the long one", || running.inlet.uplinks.lock().len() == 2).await;
    assert_eq!(running.inlet.uplinks.lock()[1].text, "水已进屋,需要船。");
    until("all is deleted", || {
        peer.handset(|handset| handset.stored()) == 0
    })
    .await;
    running.stop().await;
}
