//! What somebody may ask the API: one path with its parameters, of a gateway that runs, with an alert under way, over a
//! socket. This module must not change anything by asking.

use std::cell::RefCell;
use std::time::Duration;

use channel::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::controller::SEED;
use super::sample::{TABLES, prepared};
use crate::app::{App, REGISTRY};
use crate::config::{self, Read, Tables};
use crate::ledger::Phase;
use crate::plan::Plans;
use crate::store::{RegistryFile, Vault};
use crate::trust;

/// Far more than an answer takes.
const SOON: Duration = Duration::from_secs(20);
const PLAN: &str = "name = \"fuzz\"\nlanguage = \"zh-CN\"\nlifetime = \"4h\"\n\
    [[send]]\naudience = \"public\"\nchannels = [\"sms\"]\nreceipt_window = \"10m\"\n\
    [[send]]\naudience = \"speakers\"\nchannels = [\"horn\"]\nreceipt_window = \"10m\"\n";

struct Far {
    runtime: Runtime,
    gateway: App,
    token: String,
    /// One that the gateway has not closed.
    line: RefCell<Option<TcpStream>>,
}

thread_local! {
    static FAR: Far = Far::start();
}

pub fn queries(bytes: &[u8]) {
    asked(bytes);
}

/// The status of the answer.
pub(super) fn asked(bytes: &[u8]) -> u16 {
    // What a client would not send is escaped, as a client would.
    let plain = |byte: &u8| match byte {
        b'!'..=b'~' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    let path: String = bytes.iter().map(plain).collect();
    let path = format!("/{}", path.strip_prefix('/').unwrap_or(&path));
    FAR.with(|far| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\n");
        let (head, body) = far.call(&request, b"");
        let status = status(&head);
        let away = status == 503 && path.starts_with("/readyz");
        assert!(status < 500 || away, "{path}: {head}");
        let own = path.starts_with("/v1/") && !path.starts_with("/v1/channels/");
        // What is no HTTP at all is refused without a word.
        if own && status >= 400 && !body.is_empty() {
            assert!(head.contains("application/problem+json"), "{path}: {head}");
            let said: serde_json::Value = serde_json::from_slice(&body).expect("it is JSON");
            assert!(said["detail"].as_str().is_some_and(|why| why.len() > 10));
            assert!(body.len() < 4_000 + 12 * path.len(), "{} bytes", body.len());
        }
        status
    })
}

fn status(head: &str) -> u16 {
    let word = head.split(' ').nth(1);
    word.and_then(|word| word.parse().ok()).expect("it is HTTP")
}

impl Far {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (token, token_sha256) = trust::new_token();
        let data = std::env::temp_dir().join(format!("tocsin-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&data).expect("a folder");
        let mut file = RegistryFile::open(&data.join(REGISTRY), Vault::default()).expect("a file");
        file.save(1, &prepared(TABLES).rows).expect("it is kept");
        let settings = format!(
            "[node]\ndata = \"{}\"\nlisten = \"127.0.0.1:0\"\nplans = \"/\"\napi_rate = \"1000000/s\"\n\
             [[bureau]]\nid = \"fuzz\"\nname = \"fuzz\"\nsignature = \"fuzz\"\ntoken_sha256 = \"{token_sha256}\"\n\
             scopes = [\"submit\", \"read\", \"registry\", \"decide\", \"devices\"]\nregions = [\"510727\"]\n\
             [[channel]]\nname = \"sms\"\nkind = \"sms\"\nrate = \"100/s\"\n\
             settings = {{ host = \"127.0.0.1\", port = 9, system_id = \"s\", password = \"p\", source = \"1\" }}\n\
             [[channel]]\nname = \"horn\"\nkind = \"loudspeaker\"\nrate = \"100/s\"\n\
             settings = {{ gateway = \"fuzz\", secret = \"a secret only for these tests\", seed = \"{SEED}\" }}\n",
            data.display()
        );
        let read = Read {
            config: config::of_text(&settings).expect("settings"),
            plans: Plans::parse(vec![("fuzz.toml".into(), PLAN.into())]).expect("a plan"),
            tables: Tables::shipped(),
        };
        let gateway = runtime.block_on(App::start(read)).expect("it starts");
        // Its files are open: nobody comes by to sweep up behind a fuzzer.
        std::fs::remove_dir_all(&data).expect("it is there");
        let far = Self {
            runtime,
            gateway,
            token,
            line: RefCell::default(),
        };
        let warning = warning();
        let length = warning.len();
        let post = format!("POST /v1/alerts HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n");
        let (head, _) = far.call(&post, warning.as_bytes());
        assert_eq!(status(&head), 202, "{head}");
        far.runtime.block_on(async {
            let alert = far.gateway.ledger.alerts().remove(0);
            while alert.phase() != Phase::Planned {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        far
    }

    /// The head of an answer and its body, unless it has no end.
    fn call(&self, request: &str, body: &[u8]) -> (String, Vec<u8>) {
        let request = format!("{request}authorization: Bearer {}\r\n\r\n", self.token);
        let called = async {
            let kept = self.line.take();
            let mut line = match kept {
                Some(line) => line,
                None => TcpStream::connect(self.gateway.address)
                    .await
                    .expect("it listens"),
            };
            let _ = line.write_all(request.as_bytes()).await;
            let _ = line.write_all(body).await;
            let (head, body) = answer(&mut line).await;
            let stays = head.contains("content-length: ") && !head.contains("connection: close");
            if stays {
                self.line.replace(Some(line));
            }
            (head, body)
        };
        let called = async { tokio::time::timeout(SOON, called).await };
        let answered = self.runtime.block_on(called);
        answered.expect("an answer in time")
    }
}

async fn answer(line: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let read = line.read_buf(&mut bytes).await.expect("it goes on");
        assert!(read > 0, "the gateway closed without an answer");
    };
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
    let mut whole = body;
    let read = whole.len();
    whole.resize(read.max(length.unwrap_or(0)), 0);
    let rest = &mut whole[read..];
    line.read_exact(rest).await.expect("the rest of the answer");
    (head, whole)
}

/// Of the whole county, sent this moment.
fn warning() -> String {
    let now = SystemClock::default().now().secs();
    let [sent, expires] = [now, now + 3 * 3600].map(|unix| cap::Time {
        unix,
        offset_minutes: 480,
    });
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>1</identifier><sender>a</sender>\
         <sent>{sent}</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>\
         <info><language>zh-CN</language><category>Met</category><event>山洪</event><urgency>Immediate</urgency>\
         <severity>Extreme</severity><certainty>Observed</certainty><expires>{expires}</expires>\
         <headline>山洪</headline><instruction>请转移</instruction><area><areaDesc>here</areaDesc>\
         <geocode><valueName>CPEAS Geographic Code</valueName><value>510727</value></geocode></area></info></alert>"
    )
}
