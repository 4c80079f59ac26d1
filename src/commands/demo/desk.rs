//! The demo's providers over HTTP: one takes texts (云MAS), one places calls (外呼). Both call the gateway back over HTTP, as
//! theirs do, and act out the fate that a number tells. Beside them sit the people who give a warning by hand. This module must not reach into the gateway otherwise.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::Behaviour;
use channel::{
    Accepted, Capability, Channel, EndpointKind, Evidence, Failure, FailureClass, Health,
    HttpClient, Message, Reply, Request, Secret, Stop, Style, SystemClock,
};
use manual::peer::Person;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sms::peer::{Interface, Provider, ProviderConfig};
use tokio::sync::watch;
use tokio_util::sync::DropGuard;
use voice::peer::{Desk, Take};

use super::county::{Fate, OUTLETS, fate, key};

pub const MAS_SECRET: &str = "the demo's provider keeps no secret";
/// Where the providers call back: known to everyone, for this county is made up.
pub const CALLS_PATH: &str = "demo-calls-come-back-here";
pub const TEXTS_PATH: &str = "demo-texts-are-told-of-here-0123456789";

/// Proves the links of what is given by hand.
pub const OUTLETS_SECRET: &str = "the demo's outlets keep no secret";
pub const OUTLETS_CHANNEL: &str = "outlets";

/// A channel of the gateway as its far end sees it: an address.
struct Door {
    http: HttpClient,
    name: &'static str,
    /// Where the gateway listens, once it does.
    base: watch::Receiver<Option<String>>,
}

#[async_trait]
impl Channel for Door {
    fn capability(&self) -> Capability {
        Capability {
            kind: "door",
            speaks_to: EndpointKind::Mobile,
            style: Style::Short,
            best: Evidence::None,
            batch: 1,
            window: 1,
            repeat_is_harmless: true,
        }
    }

    async fn send(&self, _: &Message) -> Result<Accepted, Failure> {
        let why = "a far end's way in takes no message";
        Err(Failure::new(FailureClass::LinkDown, "demo:door", why))
    }

    async fn serve(&self, request: Request) -> Reply {
        let mut base = self.base.clone();
        let base = match base.wait_for(Option::is_some).await {
            Ok(base) => base.clone().unwrap_or_default(),
            Err(_) => return Reply::status(503),
        };
        let url = format!("{base}/v1/channels/{}/{}", self.name, request.path);
        let answer = self.http.call(&url, request).await;
        answer.unwrap_or_else(|_| Reply::status(503))
    }

    fn health(&self) -> Health {
        Health::Up
    }
}

pub struct Desks {
    base: watch::Sender<Option<String>>,
    texts: Provider,
    calls: Desk,
    /// The desk knows it weakly.
    _door: Arc<dyn Channel>,
    /// They go home when this is dropped.
    _people: DropGuard,
}

impl Desks {
    pub async fn start() -> std::io::Result<Self> {
        let base = watch::Sender::new(None);
        let door = |name| -> Arc<dyn Channel> {
            Arc::new(Door {
                http: HttpClient::new(Duration::from_secs(10)),
                name,
                base: base.subscribe(),
            })
        };
        let texts = Provider::start(ProviderConfig {
            interface: Interface::Mas,
            behaviour: Behaviour::Confirm,
            key: "demo".into(),
            secret: MAS_SECRET.into(),
            delay: Duration::from_millis(50),
            delivers: |number| matches!(fate(number), Fate::Delivers | Fate::RefusedOnce),
        })
        .await?;
        texts.calls(door("mas"), TEXTS_PATH);
        let busy = Mutex::new(HashSet::new());
        let calls = Desk::start(move |body| take(body, &busy)).await?;
        let back = door("calls");
        calls.connect(&back);
        let home = Stop::new();
        people(&door(OUTLETS_CHANNEL), &home);
        Ok(Self {
            base,
            texts,
            calls,
            _door: back,
            _people: home.drop_guard(),
        })
    }

    /// The gateway listens here.
    pub fn open(&self, base: &str) {
        self.base.send_replace(Some(base.to_owned()));
    }

    pub fn texts(&self) -> String {
        self.texts.url()
    }

    pub fn calls(&self) -> String {
        self.calls.url()
    }
}

/// Somebody at each outlet, who looks at its page and enters what was given.
fn people(door: &Arc<dyn Channel>, home: &Stop) {
    let secret = Secret::new(OUTLETS_SECRET);
    let links = manual::Links::new(&secret, OUTLETS_CHANNEL);
    for outlet in OUTLETS {
        let link = links.outlet(outlet);
        let person = Person {
            channel: door.clone(),
            // What stands behind /v1/channels/NAME/.
            link: link.splitn(5, '/').last().unwrap_or_default().to_owned(),
            clock: Arc::new(SystemClock::default()),
            looks: Duration::from_millis(500),
        };
        tokio::spawn(person.work(home.clone()));
    }
}

/// What becomes of one call.
fn take(body: &str, busy: &Mutex<HashSet<String>>) -> Take {
    let asked: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let (number, id) = (text("to"), text("id"));
    let taken = || json!({ "code": "0", "call": format!("c-{id}") }).to_string();
    let told = |word: Value| {
        let told = word.to_string();
        Take::CallBack(200, taken(), CALLS_PATH.to_owned(), told)
    };
    match fate(&number) {
        Fate::Dead => told(json!({ "id": id, "status": "invalid" })),
        Fate::Off => told(json!({ "id": id, "status": "off" })),
        Fate::ReceiptLost => Take::Answer(200, taken()),
        Fate::RefusedOnce if busy.lock().insert(number.clone()) => {
            Take::Answer(200, json!({ "code": "busy" }).to_string())
        }
        Fate::Delivers | Fate::RefusedOnce => {
            let key = key(&number).map(String::from).unwrap_or_default();
            told(json!({ "id": id, "status": "answered", "seconds": 12, "key": key }))
        }
    }
}
