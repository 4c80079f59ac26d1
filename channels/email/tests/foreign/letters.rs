//! The channel against a mail server that we did not write, and its letters read by a parser that we did not write.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use channel::testing::context;
use channel::{Address, Attachment, Channel, FailureClass, Key, Message, Timestamp, Variant};
use email::{Config, Email, Tls};

use crate::postfix::{Ports, Postfix, Settings};
use crate::returns;

const ALERT: &str =
    "<?xml version=\"1.0\"?>\n<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">平武</alert>\n";

fn channel(postfix: &Postfix, change: impl FnOnce(&mut Config)) -> Email {
    let mut config = Config::new(
        "localhost",
        postfix.ports.open,
        "县预警中心 <warning@example.net>",
    );
    config.tls = Tls::Starttls;
    config.ca_file = Some(postfix.path("authority"));
    config.timeout = Duration::from_secs(10);
    config.connections = 1;
    change(&mut config);
    Email::new(config, context("email").0).expect("a good configuration")
}

fn message(delivery: u32, recipient: &str, variant: Variant) -> Message {
    Message {
        key: Key {
            alert: 5,
            delivery,
            generation: 0,
        },
        serial: delivery.into(),
        variant: Arc::new(variant),
        address: Address::new(recipient),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    }
}

fn short() -> Variant {
    Variant::new("zh-CN", "山洪灾害红色预警", "请立即向高处转移。")
}

const READ: &str = r#"
import email, email.policy, json, sys
letter = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
text, html = letter.get_body(("plain",)), letter.get_body(("html",))
files = [(part.get_filename(), part.get_content_type(), part.get_payload(decode=True).decode())
         for part in letter.iter_attachments()]
assert not letter.defects, letter.defects
headers = ("Subject", "From", "To", "Message-ID", "Auto-Submitted", "X-Tocsin-Key", "Return-Path", "Received")
print(json.dumps({name: str(letter[name]) for name in headers} | {
    "text": text.get_content(), "html": html.get_content(), "files": files}))
"#;

fn read(letter: &Path) -> serde_json::Value {
    let output = Command::new("python3")
        .args(["-c", READ])
        .arg(letter)
        .output()
        .expect("no python3: run ./test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn a_letter_arrives_whole_through_postfix_over_tls() {
    let postfix = Postfix::start(Ports::free(), &Settings::default(), |_| ());
    let channel = channel(&postfix, |config| {
        config.bounces = Some(returns::bounces(false));
    });
    let text = "请立即向高处转移。\n.\n不要返回取物。\n".repeat(40);
    let mut variant = Variant::new(
        "zh-CN",
        "平武县山洪灾害红色预警:平通镇、豆叩镇 26 个村立即转移",
        text.clone(),
    );
    variant.attachment = Some(Attachment {
        name: "预警.xml".into(),
        mime: "application/cap+xml".into(),
        bytes: ALERT.as_bytes().to_vec().into(),
    });
    let title = variant.title.clone();
    let accepted = channel
        .send(&message(1, "resident@example.org", variant))
        .await
        .expect("Postfix takes it");
    assert_eq!(accepted.references, ["5-1-0.email@example.net"]);

    let letter = read(&postfix.mails("resident", 1)[0]);
    assert_eq!(letter["Subject"], title);
    assert_eq!(letter["From"], "县预警中心 <warning@example.net>");
    assert_eq!(letter["To"], "resident@example.org");
    assert_eq!(letter["Message-ID"], "<5-1-0.email@example.net>");
    assert_eq!(letter["Auto-Submitted"], "auto-generated");
    assert_eq!(letter["X-Tocsin-Key"], "5-1-0");
    let path = letter["Return-Path"].as_str().expect("a return address");
    assert!(
        path.starts_with("<b+5-1-0-1-") && path.ends_with("@bounce.example.net>"),
        "{path}"
    );
    assert!(
        letter["Received"]
            .as_str()
            .is_some_and(|by| by.contains("ESMTPS")),
        "{}",
        letter["Received"]
    );
    assert_eq!(
        letter["text"].as_str().map(|got| got.replace("\r\n", "\n")),
        Some(text)
    );
    let page = letter["html"].as_str().expect("a page");
    assert_eq!(page.matches("请立即向高处转移。").count(), 40, "{page}");
    assert_eq!(
        letter["files"],
        serde_json::json!([["预警.xml", "application/cap+xml", ALERT]])
    );
}

#[tokio::test]
async fn what_postfix_refuses_has_the_class_that_the_engine_needs() {
    let postfix = Postfix::start(Ports::free(), &Settings::default(), |_| ());
    let channel = channel(&postfix, |_| {});
    let long = Variant::new("en", "t", "x".repeat(60_000));
    let refused = [
        (
            "nobody@example.org",
            short(),
            FailureClass::BadAddress,
            "smtp:550 5.1.1",
        ),
        (
            "resident@elsewhere.example",
            short(),
            FailureClass::BadContent,
            "smtp:554 5.7.1",
        ),
        (
            "resident@example.org",
            long,
            FailureClass::BadContent,
            "smtp:552 5.3.4",
        ),
    ];
    for (number, (recipient, variant, class, code)) in (1..).zip(refused) {
        let failure = channel
            .send(&message(number, recipient, variant))
            .await
            .expect_err("it is refused");
        assert_eq!((failure.class, &*failure.code), (class, code));
        assert!(!format!("{failure:?}").contains('@'), "{failure:?}");
    }
    channel
        .send(&message(9, "resident@example.org", short()))
        .await
        .expect("the session still serves");
}
