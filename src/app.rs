//! The wiring: a configuration becomes a running gateway, and stops as one. Here alone the house sleeps between ticks.
//! This module must not decide anything about an alert.

mod ticks;
mod wiring;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use channel::{Channel, Clock, Context, HttpClient, Inlet, Stop, SystemClock};
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::config::{ChannelConfig, Config, Journal, Node, Read};
use crate::console::BadOutline;
use crate::coord::{BadRedis, Redis, SharedTokens, Steady};
use crate::dispatch::quakes::pinned;
use crate::dispatch::{Bindings, ChannelInlet, Desk, Letters, Memory, Replies};
use crate::ledger::{Archive, Damage, Event, Ledger, Proposal, Refused, Writer, record, replay};
use crate::media::{BadShelf, Library, Studio};
use crate::model::Rows;
use crate::plan;
use crate::plan::quake::Earthquake;
use crate::registry::{self, Registry};
use crate::store::{BadKey, Postgres, RegistryFile, Sqlite, Store, StoreError, Vault};
use crate::{console, factories};
use wiring::Wiring;

pub const JOURNAL: &str = "journal.sqlite";
pub const REGISTRY: &str = "registry.sqlite";

/// The folder of speech that was made; it may be emptied while no gateway runs.
pub const SPEECH: &str = "speech";

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
    #[error(transparent)]
    Speech(#[from] BadShelf),
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
        let (config, plans, tables) = (read.config, read.plans, read.tables);
        // Every controller holds a long poll open; what the system refuses is seen when connections fail.
        let _ = rlimit::increase_nofile_limit(1 << 20);
        let lock = lock(&config.node.data)?;
        // The port comes before the first record: who cannot serve must not write.
        let listener = TcpListener::bind(config.node.listen).await;
        let unheard = |e| StartError::Listen(config.node.listen, e);
        let listener = listener.map_err(unheard)?;
        let address = listener.local_addr().map_err(unheard)?;
        let time = Arc::new(Steady::new(Arc::new(SystemClock::default())));
        let clock: Arc<dyn Clock> = time.clone();
        let store = open_store(&config.node, clock.clone()).await?;
        let (desk, damage) = desk(&store, clock).await?;
        let (file, held) = load_registry(&config.node, &desk)?;
        note_import(&desk, &held).await?;
        for stranger in plan::strangers(&plans, &held) {
            tracing::warn!(%stranger, "a plan names what the registry does not have");
        }
        let registry = Arc::new(RwLock::new(Arc::new(held)));
        let archive = Arc::new(Archive::new(desk.ledger.clone(), store.clone()));
        let inlets = Inlets::open(&config, &desk, &archive, &registry, &store).await?;
        let replies = inlets.memory.replies().clone();
        let (tasks, stop, redis) = (TaskTracker::new(), Stop::new(), redis(&config.node)?);
        let sounds = studio(&config, &store, &desk)?;
        let channels = channels(&config.channels, (&inlets, &sounds), redis.clone())?;
        let channels = Arc::new(channels);
        let wiring = Wiring {
            redis,
            routes: config.routes(&tables.carriers),
            outline: console::outline(config.node.map.as_deref())?,
            registry: registry.clone(),
            desk: desk.clone(),
            archive,
            time,
            means: Arc::new(tables.means(&config)),
            config,
            plans,
            store,
            file,
            channels,
            replies,
            library: sounds.library(),
        };
        let accounts = wiring.dispatch().start(&tasks, &stop).await?;
        wiring.spawn((listener, &accounts), &tasks, &stop);
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

fn studio(
    config: &Config,
    store: &Arc<dyn Store>,
    desk: &Arc<Desk>,
) -> Result<Arc<Studio>, BadShelf> {
    let library = Library::new(desk.ledger.clone(), desk.writer.clone(), store.clone());
    let (speech, folder) = (config.speech.clone(), config.node.data.join(SPEECH));
    let studio = Studio::open(speech, &folder, Arc::new(library), desk.clock.clone());
    studio.map(Arc::new)
}

fn redis(node: &Node) -> Result<Option<Redis>, BadRedis> {
    node.redis.as_deref().map(Redis::new).transpose()
}

/// One process to a data folder, which is made where there is none: a second one would write over the first one's numbers.
pub fn lock(data: &Path) -> Result<File, StartError> {
    let shown = || data.display().to_string();
    std::fs::create_dir_all(data).map_err(|e| StartError::Data(shown(), e))?;
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
) -> Result<(Arc<Desk>, Damage), StartError> {
    let replayed = replay(&**store).await?;
    let alerts = replayed.ledger.alerts().len();
    tracing::info!(records = replayed.records, alerts, "replayed");
    let (epoch, format) = (replayed.history.epoch, record::FORMAT);
    let (ledger, history) = (replayed.ledger, replayed.history);
    let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), history);
    let took = Proposal::of(0, Event::Took { epoch, format });
    writer.propose(took).await?;
    let (mut correlator, serials) = (replayed.correlator, replayed.serials);
    correlator.let_go(clock.now());
    let desk = Desk::new((ledger, writer), clock, correlator, serials);
    Ok((Arc::new(desk), replayed.damage))
}

async fn open_store(node: &Node, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match &node.store {
        Journal::Sqlite => Arc::new(Sqlite::open(&node.data.join(JOURNAL))?),
        Journal::Postgres(url) => Arc::new(Postgres::open(url, &node.name, clock).await?),
    })
}

/// What every channel's inlet has.
struct Inlets {
    desk: Arc<Desk>,
    memory: Arc<Memory>,
    bindings: Arc<Bindings>,
    earthquake: Option<Earthquake>,
}

impl Inlets {
    /// With what people have bound before.
    async fn open(
        config: &Config,
        desk: &Arc<Desk>,
        archive: &Arc<Archive>,
        registry: &Arc<RwLock<Arc<Registry>>>,
        store: &Arc<dyn Store>,
    ) -> Result<Self, StartError> {
        let node = &config.node;
        let letters = Letters::new(vault(node)?);
        let replies = Arc::new(Replies::new(registry.clone(), letters));
        let bindings = Bindings::new(registry.clone(), vault(node)?);
        bindings.resume(&desk.ledger, &**store).await?;
        Ok(Self {
            desk: desk.clone(),
            memory: Arc::new(Memory::new(store.clone(), archive.clone(), replies)),
            bindings: Arc::new(bindings),
            earthquake: config.earthquake.clone(),
        })
    }

    fn of(&self, config: &ChannelConfig) -> Arc<dyn Inlet> {
        let inlet = ChannelInlet::new(&config.name, self.desk.clone());
        let inlet = inlet
            .recalling(self.memory.clone())
            .binding(self.bindings.clone())
            .pinning(pinned(self.earthquake.as_ref(), &config.name));
        Arc::new(match factories::family(&config.kind) {
            Some(kind) => inlet.hearing(kind, self.memory.replies().clone()),
            None => inlet,
        })
    }
}

/// Makes every channel; every problem at once.
fn channels(
    configs: &[ChannelConfig],
    (inlets, sounds): (&Inlets, &Arc<Studio>),
    redis: Option<Redis>,
) -> Result<BTreeMap<String, Arc<dyn Channel>>, StartError> {
    let http = HttpClient::new(Duration::from_secs(30));
    let clock = &inlets.desk.clock;
    let tokens = Arc::new(SharedTokens::new(redis, clock.clone()));
    let mut made = BTreeMap::new();
    let mut problems = Vec::new();
    for config in configs {
        let context = Context {
            name: config.name.clone(),
            clock: clock.clone(),
            http: http.clone(),
            tokens: tokens.clone(),
            inlet: inlets.of(config),
            sounds: sounds.clone(),
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
