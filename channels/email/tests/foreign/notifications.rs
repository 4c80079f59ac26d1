//! What a Postfix tells about letters that it took, read off its own notifications.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use channel::testing::{RecordingInlet, context};
use channel::{
    Address, Channel, Evidence, FailureClass, Key, Message, Of, Timestamp, Variant, Verdict,
};
use email::{Config, Email};

use crate::postfix::{Ports, Postfix, Settings};
use crate::returns;

fn channel(postfix: &Postfix) -> (Email, Arc<RecordingInlet>) {
    let mut config = Config::new("localhost", postfix.ports.late, "warning@example.net");
    config.timeout = Duration::from_secs(10);
    config.bounces = Some(returns::bounces(true));
    let (context, inlet) = context("email");
    let channel = Email::new(config, context).expect("a good configuration");
    (channel, inlet)
}

fn message(delivery: u32, recipient: &str) -> Message {
    Message {
        key: Key {
            alert: 5,
            delivery,
            generation: 0,
        },
        serial: delivery.into(),
        variant: Arc::new(Variant::new(
            "zh-CN",
            "山洪灾害红色预警",
            "请立即向高处转移。",
        )),
        address: Address::new(recipient),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    }
}

#[tokio::test]
async fn what_became_of_each_letter_is_read_off_the_notifications_of_postfix() {
    let settings = Settings {
        main: "delay_warning_time = 1s\nrelay_domains = slow.example.org full.example.org\n\
               transport_maps = inline:{ {slow.example.org = retry:4.4.1 nobody answers} {full.example.org = error:5.2.2 mailbox full} }\n\
               smtpd_delay_reject = no\n"
            .into(),
        ..Settings::default()
    };
    let postfix = Postfix::start(Ports::free(), &settings, |_| ());
    let (channel, inlet) = channel(&postfix);
    let letters = [
        (
            "resident@example.org",
            Verdict::Reached(Evidence::Delivered),
            "dsn:delivered 2.0.0",
        ),
        (
            "nobody@example.org",
            Verdict::Refused(FailureClass::BadAddress),
            "dsn:failed 5.1.1",
        ),
        ("a@slow.example.org", Verdict::Progress, "dsn:delayed 4.4.1"),
        (
            "a@full.example.org",
            Verdict::Refused(FailureClass::Transient),
            "dsn:failed 5.2.2",
        ),
    ];
    let mut wanted = BTreeMap::new();
    for (delivery, (recipient, verdict, code)) in (1..).zip(letters) {
        let message = message(delivery, recipient);
        channel.send(&message).await.expect("it is taken");
        wanted.insert(message.key, (verdict, code.to_owned()));
    }
    for mail in postfix.mails("bounces", letters.len()) {
        let mail = std::fs::read(mail).expect("a mail");
        assert_eq!(
            returns::post(&channel, mail).await,
            (200, "receipt".to_owned())
        );
    }
    let receipts = inlet.receipts.lock();
    let got = receipts.iter().map(|receipt| {
        assert!(receipt.far.is_some(), "{receipt:?}");
        let Of::Key(key) = &receipt.of else {
            panic!("by the key: {receipt:?}");
        };
        (*key, (receipt.verdict, receipt.code.clone()))
    });
    assert_eq!(got.collect::<BTreeMap<_, _>>(), wanted);
}
