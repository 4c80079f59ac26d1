//! What a broadcast platform may send, and what may be sent in its name: the first line names the reader (`call`, `form`,
//! `answer`, `document`, `signature`, `tar`), the rest is what it reads. This module must not reach a platform.

use std::sync::Arc;
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{
    Address, Channel, Clock, Evidence, Handed, Key, Message, Numbering, Of, Reply, Request,
    SystemClock, Variant, Verdict,
};
use futures::FutureExt;
use loudspeaker::ebd::Ebd;
use loudspeaker::ebd::readers::{
    self, Archive, Body, Edition, Packet, Profile, Signature, outcome, tar, untar,
};

use super::sample::context;

const OWN: &str = "43415230000000103010101";
const PLATFORM: &str = "43415230000000314010201";
const SECRET: &str = "0123456789abcdef";
/// The message that is at the platform, and the villages that it went to.
const NAME: &str = "43415230000000103010101202507010001";
const VILLAGES: [&str; 2] = ["341523100001", "341523100002"];

pub fn ebd(bytes: &[u8]) {
    told(bytes);
}

/// How many receipts came of a call.
pub(super) fn told(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (reader, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let rest = rest.get(1..).unwrap_or_default();
    match reader {
        b"call" => return called(rest),
        b"form" => formed(rest),
        b"answer" => answered(rest),
        b"document" => documented(rest),
        b"signature" => signed(rest),
        b"tar" => packed(rest),
        _ => {}
    }
    0
}

/// A channel that has sent its one message before this start of it.
fn channel() -> (Ebd, Arc<RecordingInlet>) {
    let (context, inlet) = context("ebd-fuzz");
    let expires = SystemClock::default().now().plus(Duration::from_hours(1));
    let variant = Arc::new(Variant::new("zh-CN", "t", "t"));
    let message = |(delivery, village): (u32, &&str)| Message {
        key: Key {
            alert: 1,
            delivery,
            generation: 0,
        },
        serial: 1,
        variant: variant.clone(),
        address: Address::new(*village),
        expires,
        repeat: false,
    };
    let handed = (0..).zip(&VILLAGES).map(message).map(|message| Handed {
        message,
        since: expires,
        due: expires,
        whom: String::new(),
        withdrawn: false,
        sealed: false,
        said: Vec::new(),
    });
    inlet.handed.lock().extend(handed);
    let wanted = Numbering {
        series: OWN.into(),
        day: 20_250_701,
        key: 7,
        alert: 1,
        deliveries: vec![0, 1],
        expires,
    };
    inlet.issued.lock().push((wanted, 1));
    let text = format!(
        r#"{{"url":"http://127.0.0.1:1/","ebrid":"{OWN}","platform":"{PLATFORM}","sender_name":"n","sender_code":"c",
            "secret":"{SECRET}","oldest":9e9}}"#
    );
    let config = serde_json::from_str(&text).expect("a configuration");
    let channel = Ebd::new(config, context).expect("a good configuration");
    (channel, inlet)
}

fn called(body: &[u8]) -> usize {
    let (channel, inlet) = channel();
    let call = |path: &str| {
        let request = Request {
            method: "POST".into(),
            path: path.into(),
            body: body.to_vec().into(),
            ..Request::default()
        };
        let reply = channel.serve(request).now_or_never();
        reply.expect("nothing is waited for")
    };
    assert_eq!(call("0123456789abcdee").status, 404);
    assert!(inlet.receipts.lock().is_empty(), "without the path");
    let reply = call(SECRET);
    assert!([200, 413].contains(&reply.status));
    if reply.status == 200 {
        let receipt = Archive::read(&reply.body).expect("an archive");
        assert!(matches!(receipt.packet.body, Body::Response(_)));
    }
    let first = inlet.receipts.lock().len();
    assert!([200, 413].contains(&call(SECRET).status));
    let receipts = inlet.receipts.lock();
    assert_eq!(receipts.len(), first, "the same once more is no news");
    // What it hands over is shown by its codes, and nothing is sent of it.
    let offered = channel.notice().expect("a platform").offered;
    assert!(offered.len() <= 1 && offered.iter().all(|o| o.event.len() <= 5));
    assert_eq!(inlet.issued.lock().len(), 1);
    for receipt in receipts.iter() {
        let Of::Reference(reference) = &receipt.of else {
            panic!("a platform does not know our keys");
        };
        let (name, village) = reference.split_once('/').expect("a name and a village");
        assert!(name == NAME && VILLAGES.contains(&village), "{reference}");
        assert!(!matches!(receipt.verdict, Verdict::Reached(e) if e != Evidence::Acknowledged));
        assert!(receipt.code.len() <= 20 && receipt.code.is_ascii());
    }
    receipts.len()
}

fn formed(body: &[u8]) {
    let kind = Some("multipart/form-data; boundary=b");
    if let Ok(file) = readers::form(kind, body) {
        assert!(file.bytes.len() < body.len());
    }
}

fn answered(body: &[u8]) {
    for status in [200, 400, 401, 429, 503] {
        let reply = Reply {
            status,
            body: body.to_vec().into(),
            ..Reply::default()
        };
        if let Err(failure) = outcome(Some(Ok(reply))) {
            assert!(failure.code.starts_with("ebd:") && failure.code.len() <= 16);
        } else {
            assert_eq!(status, 200);
        }
    }
}

/// What is read is written so that it reads the same, in either edition.
fn documented(body: &[u8]) {
    let Ok(packet) = Packet::read(body) else {
        return;
    };
    for edition in [Edition::Of2018, Edition::Draft2016] {
        let again = Packet::read(&packet.write(Profile::of(edition)));
        assert_eq!(again.as_ref(), Ok(&packet));
    }
}

fn signed(body: &[u8]) {
    let Ok(signature) = Signature::read(body) else {
        return;
    };
    for variant in [readers::Variant::A, readers::Variant::B] {
        let again = signature.write(variant, &[0; 6], Profile::default());
        assert_eq!(Signature::read(&again), Ok(signature.clone()));
    }
}

fn packed(body: &[u8]) {
    if let Ok(members) = untar(body, 1 << 20) {
        let sum: usize = members.iter().map(|member| member.bytes.len()).sum();
        assert!(sum <= body.len() && members.iter().all(|m| !m.name.contains('/')));
        assert_eq!(untar(&tar(&members, 0), 1 << 21), Ok(members));
    }
}
