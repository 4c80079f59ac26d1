//! A call of WeChat's or WeCom's: in plain, inside an envelope for us, and from somebody who has no key. This module must
//! not know what a call means.

use std::cell::Cell;
use std::sync::Arc;

use channel::testing::RecordingInlet;
use channel::{Channel, Context, ManualClock, Request, Secret, Timestamp};
use futures::FutureExt;
use serde::Deserialize;
use wechat::crypt::{AesKey, signature};
use wechat::{Callback, OfficialAccount, WorkApp, WorkConfig};

use super::sample::context;

const TOKEN: &str = "token-of-the-calls";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const CORP: &str = "ww0000000000000001";

/// Every code that a receipt can have.
const CODES: [&str; 6] = [
    "success",
    "user-block",
    "system-failed",
    "freq-limit",
    "unknown",
    "button",
];

struct World {
    account: OfficialAccount,
    work: WorkApp,
    inlets: [Arc<RecordingInlet>; 2],
    key: AesKey,
    at: String,
    calls: Cell<u64>,
}

thread_local! {
    static WORLD: World = start();
}

fn standing() -> (Context, Arc<RecordingInlet>) {
    let (context, inlet) = context("wechat-fuzz");
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_783_980_000)));
    (Context { clock, ..context }, inlet)
}

fn start() -> World {
    let settings = "appid = 'wx0'\nsecret = 's'\ntemplate = 't'\n[fields]\nthing1 = '{text}'\n[callback]\ntoken = 'token-of-the-calls'\n";
    let read = toml::Deserializer::parse(settings).expect("it is TOML");
    let account = Deserialize::deserialize(read).expect("good settings");
    let settings = format!(
        "corpid = '{CORP}'\nsecret = 's'\nagent = 1\nbutton = 'ok'\n[callback]\ntoken = ''\n"
    );
    let read = toml::Deserializer::parse(&settings).expect("it is TOML");
    let mut work: WorkConfig = Deserialize::deserialize(read).expect("good settings");
    work.callback = Some(Callback {
        token: Secret::new(TOKEN),
        aes_key: Some(Secret::new(KEY)),
        window_seconds: 300,
    });
    let [(one, first), (two, second)] = [standing(), standing()];
    World {
        at: one.clock.now().secs().to_string(),
        account: OfficialAccount::new(account, one).expect("good settings"),
        work: WorkApp::new(work, two).expect("good settings"),
        inlets: [first, second],
        key: AesKey::new(KEY).expect("43 characters"),
        calls: Cell::new(0),
    }
}

pub fn wechat(bytes: &[u8]) {
    WORLD.with(|world| {
        let nonce = world.calls.replace(world.calls.get() + 1).to_string();
        let plain = signature(&[TOKEN, &world.at, &nonce]);
        let status = world.post(&world.account, ("signature", &plain), &nonce, bytes);
        assert!([200, 400, 413].contains(&status), "{status}");
        world.brought(0, status);

        let envelope = world.key.seal(bytes, CORP);
        let signed = signature(&[TOKEN, &world.at, &nonce, &envelope]);
        let body = format!("<xml><Encrypt><![CDATA[{envelope}]]></Encrypt></xml>");
        let status = world.post(
            &world.work,
            ("msg_signature", &signed),
            &nonce,
            body.as_bytes(),
        );
        assert!([200, 400, 413].contains(&status), "{status}");
        world.brought(1, status);

        // Who signs in plain has no key.
        let status = world.post(&world.work, ("msg_signature", &plain), &nonce, bytes);
        assert!([400, 403, 413].contains(&status), "{status}");
        world.brought(1, status);
    });
}

impl World {
    fn post(&self, channel: &dyn Channel, proof: (&str, &str), nonce: &str, body: &[u8]) -> u16 {
        let words = [proof, ("timestamp", &self.at), ("nonce", nonce)];
        let request = Request {
            method: "POST".into(),
            query: words.map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
            body: body.to_vec().into(),
            ..Request::default()
        };
        let reply = channel.serve(request).now_or_never();
        reply.expect("nothing to wait for").status
    }

    /// One thing at most, of a call that was taken; and no word of it in a receipt.
    fn brought(&self, which: usize, status: u16) {
        let inlet = &self.inlets[which];
        let receipts = std::mem::take(&mut *inlet.receipts.lock());
        let uplinks = std::mem::take(&mut *inlet.uplinks.lock());
        let bindings = std::mem::take(&mut *inlet.bindings.lock());
        let all = receipts.len() + uplinks.len() + bindings.len();
        assert!(
            all <= usize::from(status == 200),
            "{all} of a call that got {status}"
        );
        assert!(
            receipts
                .iter()
                .all(|receipt| CODES.contains(&receipt.code.as_str()))
        );
        assert!(which == 0 || bindings.is_empty(), "a member is not bound");
    }
}
