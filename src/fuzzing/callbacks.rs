//! What calls itself a provider of SMS: `receipts` or `uplinks`, a line feed and a body, to an account of each interface,
//! on the right path and on another; and the same body as an answer to a request. This module must not sign a request.

use std::sync::{Arc, LazyLock};

use channel::testing::RecordingInlet;
use channel::{Channel, Evidence, Of, Reply, Request, Verdict};
use futures::FutureExt;
use sms::{HttpConfig, HttpSms, MasConfig};

use super::sample::context;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const MAS: &str = "url = \"https://mas.example/\"\nec_name = \"e\"\nap_id = \"a\"\nsecret_key = \"s\"\nsign = \"S1\"\n\
    [callback]\nsecret = \"0123456789abcdef0123456789abcdef\"\n";

/// Of each interface, as an operator would write it.
static SHAPES: LazyLock<[HttpConfig; 3]> = LazyLock::new(|| {
    let shape = |text: &str| {
        let text = text.replace("32 OR MORE RANDOM LETTERS AND DIGITS", SECRET);
        toml::from_str(&text).expect("a shape as shipped")
    };
    let mas: MasConfig = toml::from_str(MAS).expect("an account");
    [
        shape(include_str!("../../channels/sms/shapes/aliyun.toml")),
        shape(include_str!("../../channels/sms/shapes/tencent.toml")),
        mas.shape().expect("a good account"),
    ]
});

pub fn callbacks(bytes: &[u8]) {
    brought(bytes);
}

/// How many receipts and replies each account took.
pub(super) fn brought(bytes: &[u8]) -> [(usize, usize); 3] {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (what, body) = bytes.split_at(end.unwrap_or(bytes.len()));
    let (what, body) = (
        String::from_utf8_lossy(what),
        body.get(1..).unwrap_or_default(),
    );
    SHAPES.each_ref().map(|shape| {
        let (context, inlet) = context("http-fuzz");
        let channel = HttpSms::new(shape.clone(), context).expect("a good shape");
        answered(&channel, body);
        for stranger in ["", "0123456789abcdef0123456789abcdee", &what] {
            let reply = called(&channel, format!("{stranger}/{what}"), body);
            assert_eq!(reply.status, 404, "without the secret path");
        }
        let reply = called(&channel, format!("{SECRET}/{what}"), body);
        taken(&reply, &inlet)
    })
}

fn called(channel: &HttpSms, path: String, body: &[u8]) -> Reply {
    let request = Request {
        method: "POST".into(),
        path,
        body: body.to_vec().into(),
        ..Request::default()
    };
    let reply = channel.serve(request).now_or_never();
    reply.expect("nothing is waited for")
}

fn taken(reply: &Reply, inlet: &Arc<RecordingInlet>) -> (usize, usize) {
    assert!([200, 400, 404, 413].contains(&reply.status));
    let (receipts, uplinks) = (inlet.receipts.lock(), inlet.uplinks.lock());
    assert!(reply.status == 200 || receipts.is_empty() && uplinks.is_empty());
    for receipt in receipts.iter() {
        let Of::Reference(reference) = &receipt.of else {
            panic!("a provider does not know our keys");
        };
        // An id lies in the journal, alone or with the mark of its number.
        assert!((1..=117).contains(&reference.len()));
        let digits = receipt.code.bytes().filter(u8::is_ascii_digit).count();
        assert!(receipt.code.len() <= 64 && receipt.code.is_ascii() && digits < 11);
        assert!(!matches!(receipt.verdict, Verdict::Reached(e) if e != Evidence::Delivered));
    }
    for uplink in uplinks.iter() {
        assert!((1..=32).contains(&uplink.from.expose().len()));
    }
    (receipts.len(), uplinks.len())
}

/// Whatever a provider answers, each number has one outcome, and none tells a number.
fn answered(channel: &HttpSms, body: &[u8]) {
    let numbers = ["00000000001", "00000000002"].map(str::to_owned);
    for status in [200, 400, 429, 500] {
        let reply = Reply {
            status,
            body: body.to_vec().into(),
            ..Reply::default()
        };
        let outcomes = channel.outcomes(&reply, &numbers);
        assert_eq!(outcomes.len(), numbers.len());
        for outcome in outcomes {
            match outcome {
                Ok(accepted) => {
                    let mut references = accepted.references.iter();
                    assert!(references.all(|id| (1..=117).contains(&id.len())));
                }
                Err(failure) => {
                    assert!(failure.code.starts_with("http:") && failure.code.len() <= 69);
                }
            }
        }
    }
}
