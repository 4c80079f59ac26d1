//! The wiring: a configuration becomes a running gateway, and stops as one. Here alone the house sleeps between ticks.
//! This module must not decide anything about an alert.

mod ticks;

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use channel::{Channel, Clock, Context, HttpClient, Inlet, Stop, SystemClock};
use parking_lot::{Mutex, RwLock};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::config::{ChannelConfig, Config, Journal, Node, Read, Retry, Tables};
use crate::console::{BadOutline, Console, Outline};
use crate::coord::{BadRedis, Redis};
use crate::dispatch::{ChannelInlet, Desk, Dispatch, Outlet, Policy};
use crate::http::Gate;
use crate::ingest::Ingest;
use crate::ledger::{Archive, Damage, Event, Ledger, Proposal, Refused, Writer, record, replay};
use crate::live::Hub;
use crate::model::Rows;
use crate::plan::{self, Plans};
use crate::registry::{self, Intake, Registry};
use crate::release::Release;
use crate::store::{BadKey, Postgres, RegistryFile, Sqlite, Store, StoreError, Vault};
use crate::trust::Bureaus;
use crate::{console, factories, http};
use ticks::Ticks;

pub const JOURNAL: &str = "journal.sqlite";
pub const REGISTRY: &str = "registry.sqlite";

/// Held by the process that runs on a data folder.
const LOCK: &str = "lock";

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "another gateway runs on the data folder {0}: stop it first, or choose another folder in node.data"
    )]
    Running(String),
    #[error("the data folder {0} cannot be made: {1}")]
    Data(String, std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the registry: {0}")]
    Registry(String),
    #[error("node.registry_key_file: {0}")]
    Key(#[from] BadKey),
    #[error("{}", .0.join("\n"))]
    Channels(Vec<String>),
    #[error("the API cannot listen on {0}: {1}; choose another address in node.listen")]
    Listen(SocketAddr, std::io::Error),
    #[error(transparent)]
    Redis(#[from] BadRedis),
    #[error(transparent)]
    Map(#[from] BadOutline),
    #[error("the journal refused the first record: {0}")]
    Journal(#[from] Refused),
}

/// A gateway that runs until `stop` is called.
pub struct App {
    pub address: SocketAddr,
    pub ledger: Arc<Ledger>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub damage: Damage,
    writer: Writer,
    tasks: TaskTracker,
    stop: Stop,
    _lock: File,
}

impl App {
    pub async fn start(read: Read) -> Result<Self, StartError> {
        let Read {
            config,
            plans,
            tables,
        } = read;
        // Every controller holds a long poll open; what the system refuses is seen when connections fail.
        let _ = rlimit::increase_nofile_limit(1 << 20);
        let data = &config.node.data;
        std::fs::create_dir_all(data)
            .map_err(|e| StartError::Data(data.display().to_string(), e))?;
        let lock = lock(data)?;
        // The port comes before the first record: who cannot serve must not write.
        let listener = TcpListener::bind(config.node.listen).await;
        let listener = listener.map_err(|e| StartError::Listen(config.node.listen, e))?;
        let address = listener
            .local_addr()
            .map_err(|e| StartError::Listen(config.node.listen, e))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let store = open_store(&config.node, clock.clone()).await?;
        let (desk, damage, serials) = desk(&store, clock).await?;
        let (file, held) = load_registry(&config.node, &desk)?;
        note_import(&desk, &held).await?;
        for stranger in plan::strangers(&plans, &held) {
            tracing::warn!("{stranger}");
        }
        let registry = Arc::new(RwLock::new(Arc::new(held)));
        let channels = Arc::new(channels(&config.channels, &desk)?);
        let (tasks, stop) = (TaskTracker::new(), Stop::new());
        let wiring = Wiring {
            redis: redis(&config.node)?,
            outline: console::outline(config.node.map.as_deref())?,
            config,
            plans,
            tables,
            store,
            registry: registry.clone(),
            file,
            desk: desk.clone(),
            channels,
        };
        wiring.dispatch().start(&serials, &tasks, &stop).await?;
        wiring.spawn(listener, &tasks, &stop);
        tasks.close();
        Ok(Self {
            address,
            ledger: desk.ledger.clone(),
            registry,
            damage,
            writer: desk.writer.clone(),
            tasks,
            stop,
            _lock: lock,
        })
    }

    /// Ready when the gateway stops by itself: another node has the journal.
    pub async fn ended(&self) {
        self.stop.cancelled().await;
    }

    /// Stops everything in its order and waits for it, but not for ever.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(Duration::from_secs(10), self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "not everything stopped in ten seconds; the journal is whole, a restart goes on"
            );
        }
        // The last word on where every stream ended. A journal that is away has none, and none is missed.
        let witnessed = self.writer.witness();
        let _ = tokio::time::timeout(Duration::from_secs(2), witnessed).await;
    }
}

fn redis(node: &Node) -> Result<Option<Redis>, BadRedis> {
    node.redis.as_deref().map(Redis::new).transpose()
}

/// One process to a data folder: a second one would write over the first one's numbers.
pub fn lock(data: &Path) -> Result<File, StartError> {
    let shown = || data.display().to_string();
    let file = File::create(data.join(LOCK)).map_err(|e| StartError::Data(shown(), e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::Running(shown())),
        Err(TryLockError::Error(e)) => Err(StartError::Data(shown(), e)),
    }
}

/// A generation that was imported since the last start is in the journal before anything uses it.
async fn note_import(desk: &Desk, registry: &Registry) -> Result<(), Refused> {
    if registry.generation() == desk.ledger.generation() {
        return Ok(());
    }
    let event = registry::imported(registry, "import".into());
    desk.writer.propose(Proposal::of(0, event)).await.map(drop)
}

/// Replays, and opens the journal for this process's own records.
async fn desk(
    store: &Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Result<(Arc<Desk>, Damage, HashMap<String, u64>), StartError> {
    let replayed = replay(&**store).await?;
    let alerts = replayed.ledger.alerts().len();
    tracing::info!(records = replayed.records, alerts, "replayed");
    let (epoch, format) = (replayed.history.epoch, record::FORMAT);
    let (ledger, history) = (replayed.ledger, replayed.history);
    let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), history);
    let took = Proposal::of(0, Event::Took { epoch, format });
    writer.propose(took).await?;
    let correlator = Arc::new(Mutex::new(replayed.correlator));
    let desk = Desk {
        ledger,
        writer,
        clock,
        correlator,
        rounds: watch::Sender::new(0),
    };
    Ok((Arc::new(desk), replayed.damage, replayed.serials))
}

struct Wiring {
    redis: Option<Redis>,
    config: Config,
    plans: Plans,
    tables: Tables,
    store: Arc<dyn Store>,
    registry: Arc<RwLock<Arc<Registry>>>,
    file: RegistryFile,
    desk: Arc<Desk>,
    channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    outline: Outline,
}

impl Wiring {
    fn dispatch(&self) -> Dispatch {
        let outlet = |c: &ChannelConfig| {
            let channel = self.channels.get(&c.name)?.clone();
            Some((
                c.name.clone(),
                Outlet {
                    channel,
                    account: c.account().to_owned(),
                    rate: c.rate,
                    policy: policy(c.retry),
                },
            ))
        };
        Dispatch {
            nodes: self.config.node.nodes,
            redis: self.redis.clone(),
            desk: self.desk.clone(),
            store: self.store.clone(),
            registry: self.registry.clone(),
            outlets: self.config.channels.iter().filter_map(outlet).collect(),
        }
    }

    fn spawn(self, listener: TcpListener, tasks: &TaskTracker, stop: &Stop) {
        for channel in self.channels.values() {
            let (channel, stop) = (channel.clone(), stop.clone());
            tasks.spawn(async move { channel.run(stop).await });
        }
        let desk = self.desk;
        let means = self.tables.means(&self.config.channels);
        let bureaus = Arc::new(Bureaus::new(self.config.bureaus));
        let archive = Arc::new(Archive::new(desk.ledger.clone(), self.store.clone()));
        let release = Release {
            archive: archive.clone(),
            ledger: desk.ledger.clone(),
            writer: desk.writer.clone(),
            store: self.store.clone(),
            registry: self.registry.clone(),
            channels: self.channels.clone(),
            bureaus: bureaus.clone(),
            clock: desk.clock.clone(),
        };
        tasks.spawn(release.run(stop.clone()));
        tasks.spawn(guard(self.store.clone(), stop.clone()));
        let ticks = Ticks {
            desk: desk.clone(),
            registry: self.registry.clone(),
            seal_after: self.config.node.seal_after.0,
        };
        tasks.spawn(ticks.run(stop.clone()));
        let ingest = Arc::new(Ingest {
            ledger: desk.ledger.clone(),
            writer: desk.writer.clone(),
            registry: self.registry.clone(),
            plans: Arc::new(self.plans),
            store: self.store.clone(),
            channels: self.channels.clone(),
            bureaus: bureaus.clone(),
            means,
            clock: desk.clock.clone(),
            turn: tokio::sync::Mutex::default(),
        });
        let intake = Arc::new(intake(self.file, &self.registry, &desk));
        let hub = hub(&self.registry, &desk);
        let gate = Arc::new(Gate {
            archive,
            ledger: desk.ledger.clone(),
            store: self.store,
            registry: self.registry,
            bureaus,
            ingest,
            intake,
            channels: (*self.channels).clone(),
            correlator: desk.correlator.clone(),
            position: desk.writer.position(),
            hub: hub.clone(),
            clock: desk.clock.clone(),
        });
        let pages = console::router(Console {
            ledger: desk.ledger.clone(),
            archive: gate.archive.clone(),
            store: gate.store.clone(),
            registry: gate.registry.clone(),
            bureaus: gate.bureaus.clone(),
            clock: desk.clock.clone(),
            hub,
            outline: self.outline,
        });
        let stop = stop.clone();
        tasks.spawn(async move {
            if let Err(error) = http::run(listener, gate, pages, stop).await {
                tracing::error!(%error, "the API ended");
            }
        });
    }
}

fn hub(registry: &Arc<RwLock<Arc<Registry>>>, desk: &Arc<Desk>) -> Arc<Hub> {
    let (ledger, registry) = (desk.ledger.clone(), registry.clone());
    let (clock, position) = (desk.clock.clone(), desk.writer.position());
    Hub::new(ledger, registry, clock, position)
}

fn intake(file: RegistryFile, registry: &Arc<RwLock<Arc<Registry>>>, desk: &Arc<Desk>) -> Intake {
    Intake {
        file: Arc::new(Mutex::new(file)),
        registry: registry.clone(),
        ledger: desk.ledger.clone(),
        writer: desk.writer.clone(),
        clock: desk.clock.clone(),
        turn: tokio::sync::Mutex::default(),
    }
}

async fn open_store(node: &Node, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match &node.store {
        Journal::Sqlite => Arc::new(Sqlite::open(&node.data.join(JOURNAL))?),
        Journal::Postgres(url) => Arc::new(Postgres::open(url, &node.name, clock).await?),
    })
}

/// A node whose journal another has taken over sends nothing more.
async fn guard(store: Arc<dyn Store>, stop: Stop) {
    tokio::select! {
        why = store.taken_over() => {
            tracing::error!(%why, "stopping");
            stop.cancel();
        }
        () = stop.cancelled() => {}
    }
}

fn policy(retry: Retry) -> Policy {
    Policy {
        first: retry.first.0,
        factor: retry.factor,
        cap: retry.cap.0,
        attempts: retry.attempts,
    }
}

/// Makes every channel; every problem at once.
fn channels(
    configs: &[ChannelConfig],
    desk: &Arc<Desk>,
) -> Result<BTreeMap<String, Arc<dyn Channel>>, StartError> {
    let http = HttpClient::new(Duration::from_secs(30));
    let mut made = BTreeMap::new();
    let mut problems = Vec::new();
    for config in configs {
        let inlet: Arc<dyn Inlet> = Arc::new(ChannelInlet::new(&config.name, desk.clone()));
        let context = Context {
            name: config.name.clone(),
            clock: desk.clock.clone(),
            http: http.clone(),
            inlet,
        };
        match factories::make(&config.kind, config.settings.clone(), context) {
            Ok(channel) => {
                made.insert(config.name.clone(), channel);
            }
            Err(why) => problems.push(format!("channel {:?}: {why}", config.name)),
        }
    }
    if problems.is_empty() {
        Ok(made)
    } else {
        Err(StartError::Channels(problems))
    }
}

/// The keys of the registry's file, or none.
pub fn vault(node: &Node) -> Result<Vault, BadKey> {
    let key = node.registry_key_file.as_deref();
    key.map_or_else(|| Ok(Vault::default()), Vault::from_file)
}

/// The generation that stands, without the addresses that no alert needs any more.
fn load_registry(node: &Node, desk: &Desk) -> Result<(RegistryFile, Registry), StartError> {
    let mut file = RegistryFile::open(&node.data.join(REGISTRY), vault(node)?)?;
    let (generation, mut rows) = file.load()?.unwrap_or((0, Rows::default()));
    let closed = rows.closed.iter().filter(|row| !row.address.is_empty());
    let closed = closed.map(|row| row.id);
    let spent: Vec<_> = registry::unused(closed, &desk.ledger, desk.clock.now()).collect();
    if !spent.is_empty() {
        file.erase(&spent)?;
        registry::erase(&mut rows.closed, &spent.into_iter().collect());
    }
    let built = Registry::build(generation, &rows).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        StartError::Registry(problems.join("\n"))
    })?;
    Ok((file, built))
}
