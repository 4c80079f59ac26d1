//! What anybody may send to an outlet's page: links that were not given, forms and JSON of an item's own link and of an
//! officer's desk. The first byte says which. This module must not know what an entry means.

use std::sync::Arc;
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{
    Address, Channel, Context, Evidence, Handed, Key, ManualClock, Message, Reply, Request, Secret,
    Timestamp, Variant, Verdict,
};
use futures::FutureExt;
use manual::{Config, Manual};

use super::sample::context;

const NOW: Timestamp = Timestamp(1_784_041_080_000);
const KEY: Key = Key {
    alert: 7,
    delivery: 2,
    generation: 0,
};
const BUREAU: &str = "duty";

struct World {
    channel: Manual,
    inlet: Arc<RecordingInlet>,
}

thread_local! {
    static WORLD: World = start();
}

fn start() -> World {
    let (context, inlet) = context("tv");
    let clock = Arc::new(ManualClock::new(NOW));
    let context = Context { clock, ..context };
    let mut config = Config::new(Secret::new("no secret, these outlets do not exist"));
    config.attachment_kib = 1;
    let since = NOW.minus(Duration::from_mins(30));
    inlet.handed.lock().push(Handed {
        message: Message {
            key: KEY,
            serial: 0,
            variant: Arc::new(Variant::new("zh-CN", "山洪红色预警", "请立即转移。")),
            address: Address::new("tv:pingwu"),
            expires: NOW.plus(Duration::from_hours(2)),
            repeat: false,
        },
        since,
        due: NOW,
        whom: "合成播控".into(),
        withdrawn: false,
        sealed: false,
        said: Vec::new(),
    });
    World {
        channel: Manual::new(config, context).expect("good settings"),
        inlet,
    }
}

/// What came of one call: its status, and how many entries it brought.
pub fn told(bytes: &[u8]) -> (u16, usize) {
    let Some((which, rest)) = bytes.split_first() else {
        return (0, 0);
    };
    WORLD.with(|world| match which % 6 {
        0 => world.strange("GET", rest),
        1 => world.strange("POST", rest),
        2 => world.posted(None, "application/x-www-form-urlencoded", rest),
        3 => world.posted(None, "application/json", rest),
        4 => world.posted(Some(BUREAU), "application/json", rest),
        _ => world.shown(rest),
    })
}

pub fn manual(bytes: &[u8]) {
    told(bytes);
}

impl World {
    fn call(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Reply {
        let json = "application/json".to_owned();
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![
                ("accept".into(), json),
                ("content-type".into(), kind.to_owned()),
            ],
            body: body.to_vec().into(),
            ..Request::default()
        };
        let reply = self.channel.serve(request).now_or_never();
        reply.expect("nothing to wait for")
    }

    fn own(&self, operator: Option<&str>) -> String {
        let until = NOW.plus(Duration::from_hours(1));
        let page = self.channel.page(KEY, until, operator).expect("a page");
        page.splitn(5, '/').last().unwrap_or_default().to_owned()
    }

    /// Nobody guesses a link: whatever is asked for is shown to nobody, but the pages' own style and script.
    fn strange(&self, method: &str, path: &[u8]) -> (u16, usize) {
        let path = String::from_utf8_lossy(path);
        let reply = self.call(method, &path, "application/json", b"{}");
        let open = ["manual.css", "manual.js"].contains(&&*path);
        assert!(
            open || [403, 404, 405].contains(&reply.status),
            "{path}: {}",
            reply.status
        );
        assert_eq!(self.brought(), 0, "a link was guessed: {path}");
        (reply.status, 0)
    }

    /// One entry at most of one call, and no word of it in the receipt.
    fn posted(&self, operator: Option<&str>, kind: &str, body: &[u8]) -> (u16, usize) {
        let reply = self.call("POST", &self.own(operator), kind, body);
        let taken = reply.status == 200;
        assert!(
            taken || [400, 413, 422].contains(&reply.status),
            "{}",
            reply.status
        );
        let brought = self.brought();
        assert_eq!(brought, usize::from(taken));
        (reply.status, brought)
    }

    /// Whatever lies among the documents is shown as an entry, or as one that was erased.
    fn shown(&self, text: &[u8]) -> (u16, usize) {
        let said = channel::Said {
            text: std::str::from_utf8(text).ok().map(str::to_owned),
            seen: NOW,
        };
        self.inlet.handed.lock()[0].said = vec![said];
        let path = self.own(Some(BUREAU));
        let reply = self.call("GET", &path, "", b"");
        assert_eq!(reply.status, 200);
        let shown: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!(shown["entries"].as_array().map(Vec::len), Some(1));
        let attached = self.call("GET", &format!("{path}/attachment/0"), "", b"");
        assert!([200, 404].contains(&attached.status));
        self.inlet.handed.lock()[0].said.clear();
        (attached.status, 0)
    }

    fn brought(&self) -> usize {
        let receipts = std::mem::take(&mut *self.inlet.receipts.lock());
        let uplinks = std::mem::take(&mut *self.inlet.uplinks.lock());
        assert_eq!(receipts.len(), uplinks.len());
        for receipt in &receipts {
            let word = receipt.code.split(':').next().unwrap_or_default();
            assert!(["played", "relayed", "cannot"].contains(&word));
            let best = Verdict::Reached(Evidence::Acknowledged);
            assert_eq!(receipt.verdict == best, word != "cannot");
        }
        receipts.len()
    }
}
