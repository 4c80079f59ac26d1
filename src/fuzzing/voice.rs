//! What a telephone's far end may send: the first line names the reader (`callback`, `form`, `answer`, `sdp`, `rtp`,
//! `info`, `reason`, `wav`), the rest is what it reads. This module must not place a call.

use std::sync::{Arc, LazyLock};

use channel::testing::RecordingInlet;
use channel::{Channel, Of, Reply, Request};
use futures::FutureExt;
use voice::readers::{self, Codec, Ending, Keys, Packet};
use voice::{AnswerShape, Config, ProviderConfig, Voice};

use super::sample::context;

const PATH: &str = "0123456789abcdef";
/// The provider sends back our own id, or tells its own.
const WAYS: [&str; 2] = ["id", "call"];

fn provider(way: &str) -> ProviderConfig {
    let text = format!(
        r#"{{"url":"https://calls.example/","secret":"account-key","body":{{"to":"{{number}}","ref":"{{id}}"}},
            "answer":{{"call":"/id","code":"/code","ok":["OK"],"classes":{{"LIMIT":"throttled"}}}},
            "callback":{{"path":"{PATH}","{way}":"/{way}","status":"/state","seconds":"/secs","key":"/keys",
                "statuses":{{"ring":"ringing","talk":"answered","busy":"busy","box":"machine"}}}}}}"#
    );
    serde_json::from_str(&text).expect("a shape")
}

static SHAPES: LazyLock<[ProviderConfig; 2]> = LazyLock::new(|| WAYS.map(provider));

pub fn voice(bytes: &[u8]) {
    told(bytes);
}

/// How many receipts came of a callback where our own id comes back, and where theirs does.
pub(super) fn told(bytes: &[u8]) -> [usize; 2] {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (reader, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let rest = rest.get(1..).unwrap_or_default();
    match reader {
        b"callback" => return called(rest, "application/json"),
        b"form" => return called(rest, "application/x-www-form-urlencoded"),
        b"answer" => answered(&SHAPES[0].answer, rest),
        b"sdp" => described(rest),
        b"rtp" => heard(rest),
        b"info" => assert!(readers::key_in_info(rest).is_none_or(is_key)),
        b"reason" => reasoned(&String::from_utf8_lossy(rest)),
        b"wav" => spoken(rest),
        _ => {}
    }
    [0; 2]
}

fn called(body: &[u8], kind: &str) -> [usize; 2] {
    SHAPES.each_ref().map(|shape| {
        let (context, inlet) = context("voice-fuzz");
        let config = Config::with_provider(4, shape.clone());
        let channel = Voice::new(config, context).expect("a good configuration");
        let call = |path: &str| {
            let request = Request {
                method: "POST".into(),
                path: path.into(),
                headers: vec![("content-type".into(), kind.into())],
                body: body.to_vec().into(),
                ..Request::default()
            };
            let reply = channel.serve(request).now_or_never();
            reply.expect("nothing is waited for")
        };
        assert_eq!(call("0123456789abcdee").status, 404);
        assert!(inlet.receipts.lock().is_empty(), "without the path");
        taken(&call(PATH), &inlet, shape.callback.id.is_some())
    })
}

fn taken(reply: &Reply, inlet: &Arc<RecordingInlet>, ours: bool) -> usize {
    let receipts = inlet.receipts.lock();
    assert!([200, 400, 413].contains(&reply.status));
    assert!(receipts.len() <= 500 && (reply.status == 200 || receipts.is_empty()));
    for receipt in receipts.iter() {
        match &receipt.of {
            Of::Key(_) => assert!(ours),
            Of::Reference(call) => assert!(!ours && (1..=128).contains(&call.len())),
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || " :-".contains(c);
        assert!(receipt.code.len() <= 40 && receipt.code.chars().all(plain));
    }
    receipts.len()
}

fn answered(shape: &AnswerShape, body: &[u8]) {
    for status in [200, 400, 401, 429, 503] {
        match readers::answer(shape, status, body) {
            Ok(accepted) => assert!(accepted.references[0].len() <= 128),
            Err(failure) => {
                let plain = |b: u8| b.is_ascii_graphic();
                assert!(failure.code.len() <= 46 && failure.code.bytes().all(plain));
            }
        }
    }
}

fn described(body: &[u8]) {
    let Some(media) = readers::media(body) else {
        return;
    };
    assert!(media.to.port() != 0 && media.events.is_none_or(|number| number < 128));
}

/// Packets, each behind a byte that tells its length.
fn heard(mut bytes: &[u8]) {
    let (mut keys, mut packets, mut pressed) = (Keys::default(), 0, 0);
    while let Some((length, rest)) = bytes.split_first() {
        let (one, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        let Some(packet) = Packet::read(one) else {
            continue;
        };
        assert!(packet.payload.len() + 12 <= one.len());
        assert_eq!(Packet::read(&packet.write()), Some(packet));
        packets += 1;
        if let Some(key) = keys.hear(&packet) {
            assert!(is_key(key));
            pressed += 1;
        }
        if let Some(codec) = Codec::of(packet.payload_type) {
            let loud = packet.payload.iter().map(|byte| codec.decode(*byte));
            assert!(loud.map(i16::unsigned_abs).all(|sample| sample < 32_768));
        }
    }
    assert!(pressed <= packets);
}

fn is_key(key: char) -> bool {
    key.is_ascii_digit() || "*#".contains(key)
}

/// The headers of a refusal, one a line.
fn reasoned(text: &str) {
    let (reason, after) = text.split_once('\n').unwrap_or((text, ""));
    for status in [100, 404, 486, 503, 603, 699] {
        let Ending::Missed { after, .. } = readers::refused(status, reason, after) else {
            panic!("a refusal is no answer");
        };
        assert!(after.is_none_or(|wait| wait.as_secs() <= 3_600));
    }
}

fn spoken(bytes: &[u8]) {
    match readers::wav(bytes) {
        Ok(samples) => {
            assert!(!samples.is_empty() && samples.len() <= 2 * bytes.len());
            assert_eq!(readers::wav(&readers::put_wav(&samples)), Ok(samples));
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}
