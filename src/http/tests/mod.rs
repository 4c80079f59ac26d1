//! The whole surface over a real socket, with a real writer on a store of its own and a clock that stands still.

mod answers;
mod bad_input;
mod by_hand;
mod devices;
mod filing;
mod limits;
mod live;
mod live_all;
mod metrics;
mod pages;
mod problems;
mod quarantine;
mod queries;
mod ready;
mod recordings;
mod registry_import;
mod repairs;
mod replies;
mod sealed;
mod slow;
mod tables;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, EndpointKind, Evidence, Failure, Health, HttpClient,
    ManualClock, Message, Reply, Request, Stop, Style,
};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

use super::*;
use crate::coord::Steady;
use crate::coverage::fixture::{START, registry, released, rows};
use crate::dispatch::{ByHand, Desk, Letters, TestCalls};
use crate::ledger::record::sha256;
use crate::ledger::{Event, Proposal, replay};
use crate::media::Library;
use crate::model::{Rate, StreamId};
use crate::plan::preview::Means;
use crate::plan::{Carriers, Events, Filings, Hush, Plans};
use crate::store::{
    Append, DocumentId, IdentityRow, InboxRow, Open, Record, RegistryFile, SealedHousehold, Sqlite,
    StoreError, Vault,
};
use crate::trust::{Budget, Bureau, Keeping, Scope, token_hash};

fn keeping() -> Keeping {
    Keeping {
        secret: channel::Secret::new("only for these tests"),
        base: "https://w.example.cn".into(),
        days: 30,
    }
}

/// A store that can be taken away, or made to answer never.
struct Moody {
    inner: Sqlite,
    away: AtomicBool,
    silent: AtomicBool,
}

impl Moody {
    fn of(inner: Sqlite) -> Self {
        let (away, silent) = (AtomicBool::new(false), AtomicBool::new(false));
        Self {
            inner,
            away,
            silent,
        }
    }
}

impl Moody {
    async fn mood(&self) -> Result<(), StoreError> {
        if self.silent.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.away.load(SeqCst) {
            return Err(StoreError::Away("answer", "the disk is full".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Moody {
    async fn append(&self, append: Append) -> Result<(), StoreError> {
        self.mood().await?;
        self.inner.append(append).await
    }

    async fn records(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.inner.records(after, limit).await
    }

    async fn open(&self) -> Result<Open, StoreError> {
        self.inner.open().await
    }

    async fn at(&self, places: &[u64]) -> Result<Vec<Record>, StoreError> {
        self.inner.at(places).await
    }

    async fn sealed_households(
        &self,
        stream: StreamId,
    ) -> Result<Vec<SealedHousehold>, StoreError> {
        self.inner.sealed_households(stream).await
    }

    async fn stream(&self, stream: StreamId) -> Result<Vec<Record>, StoreError> {
        self.mood().await?;
        self.inner.stream(stream).await
    }

    async fn document(&self, id: DocumentId) -> Result<Option<Vec<u8>>, StoreError> {
        self.mood().await?;
        self.inner.document(id).await
    }

    async fn identities(&self) -> Result<Vec<IdentityRow>, StoreError> {
        self.inner.identities().await
    }

    async fn inbox(&self) -> Result<Vec<InboxRow>, StoreError> {
        self.inner.inbox().await
    }
}

/// Replies with what it was called with; `hang` is never answered.
struct Echo {
    up: Arc<AtomicBool>,
}

#[async_trait]
impl Channel for Echo {
    fn capability(&self) -> Capability {
        Capability {
            kind: "echo",
            speaks_to: EndpointKind::Mobile,
            style: Style::Short,
            best: Evidence::Delivered,
            batch: 1,
            window: 1,
            repeat_is_harmless: true,
        }
    }

    async fn send(&self, _: &Message) -> Result<Accepted, Failure> {
        Ok(Accepted::default())
    }

    async fn serve(&self, request: Request) -> Reply {
        if request.path == "hang" {
            std::future::pending::<()>().await;
        }
        let mut reply = Reply::json(
            207,
            &json!({
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "signature": request.header("x-signature"),
                "body": String::from_utf8_lossy(&request.body),
            }),
        );
        reply.headers.push(("x-echo".into(), "yes".into()));
        reply
    }

    fn health(&self) -> Health {
        if self.up.load(SeqCst) {
            return Health::Up;
        }
        Health::Down("not connected yet".into())
    }
}

struct Surface {
    base: String,
    http: HttpClient,
    store: Arc<Moody>,
    writer: Writer,
    gate: Arc<Gate>,
    /// Whether the channel says that it is up.
    up: Arc<AtomicBool>,
    /// What the machine says; the gateway works by what it believes.
    clock: Arc<ManualClock>,
    stop: Stop,
    serving: JoinHandle<()>,
    dir: tempfile::TempDir,
}

fn bureau(id: &str, region: &str, scopes: &[Scope]) -> Bureau {
    Bureau {
        id: id.into(),
        name: format!("{id}局"),
        signature: id.into(),
        token_sha256: token_hash(id),
        scopes: scopes.to_vec(),
        regions: vec![region.parse().expect("a code")],
        senders: vec!["water@pingwu.example".into()],
        strict: false,
        budget: None,
    }
}

const PLAN: &str = "name = \"flood\"\nlanguage = \"zh-CN\"\nlifetime = \"4h\"\n[[send]]\naudience = \"public\"\nchannels = [\"echo\"]\nreceipt_window = \"15s\"\n";

fn plans() -> Plans {
    Plans::parse(vec![("flood.toml".into(), PLAN.into())]).expect("a plan")
}

fn means(filings: Filings) -> Means {
    let rate = "50/s burst 50".parse().expect("a rate");
    Means {
        rates: BTreeMap::from([("echo".to_owned(), rate)]),
        filings,
        carriers: Carriers::shipped(),
        events: Events::shipped(),
        hush: Hush::default(),
        sounds: crate::plan::Sounds::shipped(),
    }
}

fn bureaus(want: &Want) -> Arc<Bureaus> {
    let both = [Scope::Submit, Scope::Read];
    let mut all = vec![
        bureau("water", "510727", &both),
        bureau("town", "510727217", &both),
        bureau("far", "510726", &both),
        bureau("mute", "510727", &[]),
        bureau("operator", "510727", &[Scope::Devices, Scope::Read]),
        bureau("town-operator", "510727217", &[Scope::Devices, Scope::Read]),
        bureau("recorder", "510727", &[Scope::Recordings, Scope::Read]),
        bureau("listener", "510727", &[Scope::Recordings, Scope::Read]),
        bureau("keeper", "510727", &[Scope::Registry]),
        bureau("clerk", "510727", &[Scope::Registry, Scope::Read]),
        bureau("decider", "510727", &[Scope::Decide, Scope::Read]),
        bureau("town-decider", "510727217", &[Scope::Decide]),
        bureau("far-decider", "510726", &[Scope::Decide]),
        bureau("both", "510727", &[Scope::Decide, Scope::Submit]),
        bureau("reporter", "510727", &[Scope::Report, Scope::Read]),
        bureau("town-keeper", "510727217", &[Scope::Registry]),
    ];
    for bureau in &mut all {
        (bureau.budget, bureau.strict) = (want.budget, want.strict);
    }
    Arc::new(Bureaus::new(all))
}

fn channels(up: &Arc<AtomicBool>, by_hand: bool) -> BTreeMap<String, Arc<dyn Channel>> {
    let echo: Arc<dyn Channel> = Arc::new(Echo { up: up.clone() });
    let mut channels = BTreeMap::from([("echo".to_owned(), echo)]);
    if by_hand {
        let outlets: Arc<dyn Channel> = Arc::new(by_hand::Outlets);
        channels.insert("sms-mobile".to_owned(), outlets);
    }
    channels
}

/// What a test may want otherwise.
struct Want {
    patience: Duration,
    /// Nobody releases their own.
    second: bool,
    bounds: Bounds,
    rate: Rate,
    /// How much of an answer the system keeps for who does not read; its own measure where nothing is said.
    kept: Option<u32>,
    filings: Filings,
    /// The texts of alert 1 are for outlets that a person serves.
    by_hand: bool,
    /// Of every bureau.
    budget: Option<Budget>,
    strict: bool,
}

impl Default for Want {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(20),
            second: false,
            bounds: Bounds {
                grace: Duration::from_secs(1),
                ..Bounds::default()
            },
            rate: "10000/s".parse().expect("a rate"),
            kept: None,
            filings: Filings::default(),
            by_hand: false,
            budget: None,
            strict: false,
        }
    }
}

impl Surface {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with_patience(patience: Duration) -> Self {
        Self::with(|want| want.patience = patience).await
    }

    async fn with(how: impl FnOnce(&mut Want)) -> Self {
        let mut want = Want::default();
        how(&mut want);
        let dir = tempfile::tempdir().expect("a directory");
        let inner = Sqlite::open(&dir.path().join("journal.sqlite")).expect("opens");
        let store = Arc::new(Moody::of(inner));
        let empty = replay(&*store).await.expect("reads");
        let ledger = empty.ledger;
        let wall = Arc::new(ManualClock::new(START));
        let time = Arc::new(Steady::new(wall.clone()));
        let clock: Arc<dyn Clock> = time.clone();
        let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), empty.history);
        let registry = Arc::new(RwLock::new(Arc::new(registry())));
        let bureaus = bureaus(&want);
        let up = Arc::new(AtomicBool::new(false));
        let channels = channels(&up, want.by_hand);
        let turn = Arc::<tokio::sync::Mutex<()>>::default();
        let archive = Arc::new(Archive::new(ledger.clone(), store.clone()));
        let ingest = Ingest {
            store: store.clone(),
            archive: archive.clone(),
            channels: Arc::new(channels.clone()),
            routes: Arc::default(),
            bureaus: bureaus.clone(),
            means: Arc::new(means(want.filings)),
            ledger: ledger.clone(),
            writer: writer.clone(),
            registry: registry.clone(),
            plans: Arc::new(plans()),
            clock: clock.clone(),
            turn: turn.clone(),
        };
        let decisions = Decisions {
            ledger: ledger.clone(),
            writer: writer.clone(),
            clock: clock.clone(),
            second: want.second,
            turn,
        };
        let intake = intake(dir.path(), (&ledger, &writer), &clock, &registry);
        let hub = hub((&ledger, &writer), &clock, &registry);
        let library = Library::new(ledger.clone(), writer.clone(), store.clone());
        let orders = orders((&ledger, &writer), &clock, &channels, &registry);
        let gate = Arc::new(Gate {
            relay: relay(&orders),
            feeds: Feeds::new([]),
            orders,
            by_hand: Arc::new(ByHand {
                channels: Arc::new(channels.clone()),
                writer: writer.clone(),
                clock: clock.clone(),
            }),
            test_calls: test_calls((&ledger, &writer), &clock, &registry),
            replies: letters(&registry),
            archive,
            ledger,
            store: store.clone(),
            registry,
            limits: Limits::new(bureaus.ids(), want.rate, &clock),
            bureaus,
            ingest: Arc::new(ingest),
            decisions: Arc::new(decisions),
            intake: Arc::new(intake),
            writer: writer.clone(),
            channels,
            correlator: Arc::default(),
            position: writer.position(),
            hub,
            clock,
            time,
            library: Arc::new(library),
            keepers: Some(Arc::new(Keepers::new(&keeping()))),
        });
        let stop = Stop::new();
        let listener = listener(want.kept);
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let house = House {
            gate: gate.clone(),
            stop: stop.clone(),
            patience: want.patience,
            bounds: want.bounds,
        };
        let serving = tokio::spawn(serve(listener, house, axum::Router::new()));
        let http = HttpClient::of_the_house(Duration::from_secs(30));
        Self {
            base,
            http,
            store,
            writer,
            gate,
            up,
            clock: wall,
            stop,
            serving,
            dir,
        }
    }

    /// One call with a token, as curl would make it.
    async fn call(&self, method: &str, path: &str, token: &str, body: &[u8]) -> Reply {
        let mut headers = vec![("x-signature".to_owned(), "s".to_owned())];
        if !token.is_empty() {
            headers.push(("authorization".into(), format!("Bearer {token}")));
        }
        let request = Request {
            method: method.into(),
            headers,
            body: body.to_vec().into(),
            ..Request::default()
        };
        self.http
            .call(&format!("{}{path}", self.base), request)
            .await
            .expect("an answer")
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path, "water", b"").await;
        assert_eq!(
            reply.status,
            200,
            "{path}: {}",
            String::from_utf8_lossy(&reply.body)
        );
        json_of(&reply)
    }

    async fn propose(&self, stream: StreamId, events: Vec<Event>) {
        let events = events.into_iter().map(|event| (stream, event)).collect();
        self.writer
            .propose(Proposal {
                events,
                ..Proposal::default()
            })
            .await
            .expect("committed");
    }

    async fn with_alert() -> Self {
        Self::start().await.alerted().await
    }

    /// Alert 1, submitted and released.
    async fn alerted(self) -> Self {
        let surface = self;
        let reply = surface
            .call(
                "POST",
                "/v1/alerts",
                "water",
                cap("a-1", "510727").as_bytes(),
            )
            .await;
        assert_eq!(
            reply.status,
            202,
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
        surface.propose(1, released()).await;
        surface
    }

    async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(10), self.serving).await;
        ended.expect("stops in time").expect("no panic");
    }
}

fn intake(
    dir: &std::path::Path,
    (ledger, writer): (&Arc<Ledger>, &Writer),
    clock: &Arc<dyn Clock>,
    registry: &Arc<RwLock<Arc<Registry>>>,
) -> Intake {
    let file = dir.join("registry.sqlite");
    let mut file = RegistryFile::open(&file, Vault::default()).expect("opens");
    file.save(1, &rows()).expect("saved");
    Intake {
        file: Arc::new(Mutex::new(file)),
        registry: registry.clone(),
        ledger: ledger.clone(),
        writer: writer.clone(),
        clock: clock.clone(),
        turn: tokio::sync::Mutex::default(),
        last: Mutex::default(),
    }
}

/// Connections have what their listener has.
fn listener(kept: Option<u32>) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    if let Some(bytes) = kept {
        socket.set_send_buffer_size(bytes).expect("set");
    }
    let any = "127.0.0.1:0".parse().expect("an address");
    socket.bind(any).expect("a port");
    socket.listen(64).expect("it listens")
}

fn letters(registry: &Arc<RwLock<Arc<Registry>>>) -> Arc<Replies> {
    let letters = Letters::new(Vault::default());
    Arc::new(Replies::new(registry.clone(), letters))
}

fn orders(
    (ledger, writer): (&Arc<Ledger>, &Writer),
    clock: &Arc<dyn Clock>,
    channels: &BTreeMap<String, Arc<dyn Channel>>,
    registry: &Arc<RwLock<Arc<Registry>>>,
) -> Arc<Orders> {
    let parts = (ledger.clone(), writer.clone());
    let desk = Desk::new(parts, clock.clone(), Correlator::default(), HashMap::new());
    Arc::new(Orders {
        desk: Arc::new(desk),
        channels: Arc::new(channels.clone()),
        registry: registry.clone(),
    })
}

fn hub(
    (ledger, writer): (&Arc<Ledger>, &Writer),
    clock: &Arc<dyn Clock>,
    registry: &Arc<RwLock<Arc<Registry>>>,
) -> Arc<Hub> {
    let (house, position) = (registry.clone(), writer.position());
    Hub::new(ledger.clone(), house, clock.clone(), position)
}

/// No feed is relayed.
fn relay(orders: &Orders) -> Arc<Relay> {
    let Orders {
        desk,
        channels,
        registry,
    } = orders;
    let (desk, channels, registry) = (desk.clone(), channels.clone(), registry.clone());
    Arc::new(Relay::new(
        desk,
        channels,
        registry,
        (None, Hush::default()),
    ))
}

/// Nothing is tested: there is no channel to terminals.
fn test_calls(
    (ledger, writer): (&Arc<Ledger>, &Writer),
    clock: &Arc<dyn Clock>,
    registry: &Arc<RwLock<Arc<Registry>>>,
) -> Arc<TestCalls> {
    let parts = (ledger.clone(), writer.clone());
    let desk = Desk::new(parts, clock.clone(), Correlator::default(), HashMap::new());
    let calls = TestCalls::new(Arc::new(desk), registry.clone(), BTreeMap::new());
    Arc::new(calls)
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply
        .headers
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value.as_str())
}

/// A warning for one region.
fn cap(identifier: &str, region: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{identifier}</identifier><sender>water@pingwu.example</sender>
  <sent>2026-07-14T09:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
  <info>
    <language>zh-CN</language><category>Met</category><event>山洪灾害</event><responseType>Evacuate</responseType>
    <urgency>Immediate</urgency><severity>Extreme</severity><certainty>Likely</certainty>
    <eventCode><valueName>GB/T 35561</valueName><value>11A51</value></eventCode>
    <expires>2026-07-14T12:00:00+08:00</expires><senderName>平武县水利局</senderName>
    <headline>山洪灾害红色预警</headline><description>预计有特大暴雨。</description><instruction>请立即转移。</instruction>
    <area><areaDesc>平武县</areaDesc>
      <geocode><valueName>CPEAS Geographic Code</valueName><value>{region}</value></geocode></area>
  </info>
</alert>"#
    )
}

/// What the store would call these bytes.
fn name_of(bytes: &[u8]) -> DocumentId {
    sha256(bytes)
}
