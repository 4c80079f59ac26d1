//! The channel at a Beidou terminal: the suite that every channel passes, and what is peculiar to this one.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use crate::common::modem::until;
use crate::common::terminal::{KEY, Running, config, message, scene};
use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{Address, Channel, Context, Evidence, FailureClass, Health, Message, Of, Verdict};
use satellite::compact::{Body, Compact, Key};
use satellite::peer::TerminalPeer;
use satellite::rdss::{Assumed, Shape, Version};
use satellite::{Rdss, RdssConfig};

struct Terminal(Version);

/// What the terminal's peer brings, where the layout of the new form's messages is set.
const SET: Assumed = Assumed {
    hanzi: satellite::rdss::Hanzi::Hex,
    icp_interval: Some(2),
    tci_sender: Some(1),
    tci_content: Some(6),
    mixed_mark: None,
};

#[async_trait]
impl Fixture for Terminal {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        // A terminal knows neither whether a card is there nor what a message says.
        if matches!(
            behaviour,
            Behaviour::RefuseAddress | Behaviour::RefuseContent
        ) {
            return None;
        }
        let peer = TerminalPeer::start(scene(behaviour, self.0)).await.unwrap();
        let config = RdssConfig {
            assumed: SET,
            ..config(&peer, self.0)
        };
        let rdss = Rdss::new(config, context).unwrap();
        Some((Arc::new(rdss), Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        message(number, "山洪红色预警。")
    }
}

const KNOWN: [Behaviour; 7] = [
    Behaviour::Accept,
    Behaviour::Confirm,
    Behaviour::Throttle,
    Behaviour::Stall,
    Behaviour::HangUp,
    Behaviour::HangUpAfterWrite,
    Behaviour::RefuseLogin,
];

#[tokio::test]
async fn the_channel_passes_the_suite_in_the_old_form() {
    assert_eq!(exercise(&Terminal(Version::Two)).await, KNOWN);
}

#[tokio::test]
async fn assumed_the_channel_passes_the_suite_in_the_new_form_where_its_layout_is_set() {
    assert_eq!(exercise(&Terminal(Version::Three)).await, KNOWN);
}

async fn pair(
    behaviour: Behaviour,
    change: impl FnOnce(&mut RdssConfig),
) -> (Running, TerminalPeer) {
    let peer = TerminalPeer::start(scene(behaviour, Version::Two))
        .await
        .unwrap();
    let mut config = config(&peer, Version::Two);
    change(&mut config);
    (Running::start(config).await, peer)
}

#[tokio::test]
async fn a_village_that_sends_its_status_back_acknowledges_that_message() {
    let (running, peer) = pair(Behaviour::Confirm, |_| {}).await;
    let accepted = running
        .rdss
        .send(&message(1, "山洪红色预警。"))
        .await
        .unwrap();
    until("a receipt", || running.inlet.receipts.lock().len() == 1).await;
    let receipts = running.inlet.receipts.lock().clone();
    assert_eq!(
        receipts[0].of,
        Of::Reference(accepted.references[0].clone())
    );
    assert_eq!(
        receipts[0].verdict,
        Verdict::Reached(Evidence::Acknowledged)
    );
    assert_eq!(receipts[0].code, "status 03");
    let taken = peer.taken();
    assert_eq!(taken[0].0, "0242287");
    assert!(taken[0].1.len() <= 78 && Key::new(KEY).proves(&taken[0].1));
    let Body::Alert(alert) = Compact::read(&taken[0].1).unwrap().body else {
        panic!("it is an alert");
    };
    assert_eq!(
        (alert.event.as_str(), alert.text.as_str()),
        ("11A51", "山洪红色预警。")
    );
    assert!(
        !accepted.references[0].contains("242287"),
        "a reference names nobody"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_status_that_nobody_proved_acknowledges_nothing() {
    let (running, peer) = pair(Behaviour::Accept, |_| {}).await;
    running
        .rdss
        .send(&message(1, "山洪红色预警。"))
        .await
        .unwrap();
    let status = Compact {
        drill: false,
        body: Body::Status {
            number: 0x1001,
            code: 3,
            area: None,
        },
    };
    let forged = hex::encode(
        status
            .write(&Key::new("another key of others"), 78)
            .unwrap(),
    );
    peer.say(format!("BDTXR,1,0242287,1,0020,{forged}").as_bytes());
    until("it is counted", || running.rdss.useless().unproved == 1).await;
    until("it is shown", || running.inlet.uplinks.lock().len() == 1).await;
    assert!(running.inlet.receipts.lock().is_empty());
    assert!(!running.inlet.uplinks.lock()[0].acknowledges);
    running.stop().await;
}

#[tokio::test]
async fn a_text_that_comes_back_is_a_reply_to_the_last_message() {
    let (running, peer) = pair(Behaviour::Accept, |config| config.shape = Shape::Text).await;
    let accepted = running
        .rdss
        .send(&message(1, "【平武】山洪红色预警,20时前撤离。"))
        .await
        .unwrap();
    let text = encoding_rs::GBK
        .encode("【平武】山洪红色预警,20时前撤离。")
        .0
        .into_owned();
    assert_eq!(peer.taken()[0].1, text, "a mixed text loses its mark");
    peer.say(b"BDTXR,1,0242287,0,0020,CAD5B5BD");
    peer.say(b"BDTXR,1,0242299,0,0020,A43033");
    until("two replies", || running.inlet.uplinks.lock().len() == 2).await;
    let uplinks = running.inlet.uplinks.lock().clone();
    assert!(uplinks[0].acknowledges && uplinks[0].text == "收到");
    assert_eq!(
        uplinks[0].of,
        Some(Of::Reference(accepted.references[0].clone()))
    );
    assert_eq!((uplinks[1].text.as_str(), &uplinks[1].of), ("03", &None));
    assert!(running.rdss.device("0242287").unwrap().heard.is_some());
    running.stop().await;
}

#[tokio::test]
async fn the_cards_own_interval_is_kept_and_nothing_is_sent_while_it_rests() {
    let mut scene = scene(Behaviour::Accept, Version::Two);
    scene.interval = 60;
    let peer = TerminalPeer::start(scene).await.unwrap();
    let running = Running::start(config(&peer, Version::Two)).await;
    running.rdss.send(&message(1, "山洪。")).await.unwrap();
    let failure = running.rdss.send(&message(2, "山洪。")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Throttled);
    let left = failure.retry_after.unwrap();
    assert!(
        left > Duration::from_secs(50) && left <= Duration::from_mins(1),
        "{left:?}"
    );
    assert_eq!(peer.taken().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn without_a_satellite_the_channel_is_down_and_says_so() {
    let (running, peer) = pair(Behaviour::Accept, |_| {}).await;
    peer.say(b"BDBSI,03,04,0,0,0,0,0,0,0,0,0,0");
    let is = |word: &str| matches!(running.rdss.health(), Health::Down(why) if why.contains(word));
    until("it is down", || is("no satellite")).await;
    peer.say(b"BDBSI,03,04,0,3,0,0,0,0,0,0,0,0");
    until("it is up", || running.rdss.health() == Health::Up).await;
    running.stop().await;
}

#[tokio::test]
async fn a_card_of_another_length_and_a_drill_that_does_not_say_so_are_refused_unsent() {
    let (running, peer) = pair(Behaviour::Accept, |config| config.shape = Shape::Text).await;
    let mut phone = message(1, "山洪。");
    phone.address = Address::new("17400000001");
    assert_eq!(
        running.rdss.send(&phone).await.unwrap_err().class,
        FailureClass::BadAddress
    );
    assert_eq!(
        running.rdss.send(&phone).await.unwrap_err().code,
        channel::MISSHAPEN
    );
    let drill = |text: &str| {
        let mut message = message(1, text);
        Arc::get_mut(&mut message.variant).unwrap().drill = true;
        message
    };
    let unmarked = running.rdss.send(&drill("山洪。")).await.unwrap_err();
    assert_eq!(
        (unmarked.class, unmarked.code.as_ref()),
        (FailureClass::BadContent, "rdss:unmarked-drill")
    );
    assert!(peer.taken().is_empty());
    running.rdss.send(&drill("【演练】山洪。")).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn assumed_a_message_of_the_new_form_is_counted_where_its_layout_is_not_set() {
    let peer = TerminalPeer::start(scene(Behaviour::Confirm, Version::Three))
        .await
        .unwrap();
    let running = Running::start(config(&peer, Version::Three)).await;
    assert_eq!(running.rdss.capability().best, Evidence::Accepted);
    running
        .rdss
        .send(&message(1, "山洪红色预警。"))
        .await
        .unwrap();
    until("it is counted", || running.rdss.useless().unread == 1).await;
    assert!(running.inlet.receipts.lock().is_empty() && running.inlet.uplinks.lock().is_empty());
    running.stop().await;
}

/// What the terminal was given, read back.
fn said(peer: &TerminalPeer, nth: usize) -> Compact {
    let taken = peer.taken();
    assert!(taken[nth].1.len() <= 78 && Key::new(KEY).proves(&taken[nth].1));
    Compact::read(&taken[nth].1).unwrap()
}

fn changed(number: u32, change: impl FnOnce(&mut channel::Variant)) -> Message {
    let mut message = message(number, "山洪红色预警。");
    change(Arc::get_mut(&mut message.variant).unwrap());
    message
}

#[tokio::test]
async fn an_alert_says_where_from_when_and_what_to_do_and_too_many_places_name_the_terminals_own_alone()
 {
    let (running, peer) = pair(Behaviour::Accept, |_| {}).await;
    let onset = channel::Clock::now(&channel::SystemClock::default()).plus(Duration::from_mins(90));
    let two = changed(1, |variant| {
        variant.areas = vec!["510727216000".into(), "510727217201".into()];
        variant.onset = Some(onset);
        variant.response = Some("Evacuate".into());
    });
    running.rdss.send(&two).await.unwrap();
    let Body::Alert(alert) = said(&peer, 0).body else {
        panic!("it is an alert");
    };
    let areas: Vec<_> = alert
        .areas
        .iter()
        .map(satellite::compact::Area::code)
        .collect();
    assert_eq!(areas, ["510727216", "510727217201"]);
    assert_eq!(alert.instruction, satellite::compact::Instruction::Evacuate);
    assert!(
        alert.onset.unwrap() >= onset && alert.onset.unwrap().since(onset) < Duration::from_mins(2)
    );
    let many = changed(2, |variant| {
        variant.areas = (100..200).map(|n| format!("510727{n}000")).collect();
    });
    running.rdss.send(&many).await.unwrap();
    let Body::Alert(alert) = said(&peer, 1).body else {
        panic!("it is an alert");
    };
    assert!(alert.areas.is_empty() && alert.text == "山洪红色预警。");
    let nowhere = changed(3, |variant| variant.areas = vec!["平通镇".into()]);
    let failure = running.rdss.send(&nowhere).await.unwrap_err();
    assert_eq!(
        failure.class,
        FailureClass::BadContent,
        "no code is no place"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_test_goes_out_as_a_test_and_its_number_comes_back() {
    let (running, peer) = pair(Behaviour::Confirm, |_| {}).await;
    let test = changed(1, |variant| {
        variant.test = Some(9);
        variant.drill = true;
    });
    let accepted = running.rdss.send(&test).await.unwrap();
    assert!(matches!(
        said(&peer, 0).body,
        Body::Test { number: 0x1001, .. }
    ));
    until("a receipt", || running.inlet.receipts.lock().len() == 1).await;
    let receipt = running.inlet.receipts.lock()[0].clone();
    assert_eq!(receipt.of, Of::Reference(accepted.references[0].clone()));
    assert_eq!(receipt.verdict, Verdict::Reached(Evidence::Acknowledged));
    running.stop().await;
}
