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

use crate::config::{ChannelConfig, Config, Journal, Node, Read, Retry};
use crate::coord::{BadRedis, Redis};
use crate::dispatch::{ChannelInlet, Desk, Dispatch, Outlet, Policy};
use crate::http::Gate;
use crate::ingest::Ingest;
use crate::ledger::{Archive, Damage, Event, Ledger, Proposal, Refused, Writer, record, replay};
use crate::model::Rows;
use crate::plan::Plans;
use crate::registry::Registry;
use crate::release::Release;
use crate::store::{Postgres, RegistryFile, Sqlite, Store, StoreError};
use crate::trust::Bureaus;
use crate::{factories, http};
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
    #[error("{}", .0.join("\n"))]
    Channels(Vec<String>),
    #[error("the API cannot listen on {0}: {1}; choose another address in node.listen")]
    Listen(SocketAddr, std::io::Error),
    #[error(transparent)]
    Redis(#[from] BadRedis),
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
        let Read { config, plans } = read;
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
        let registry = Arc::new(RwLock::new(Arc::new(load_registry(data)?)));
        let (desk, damage, serials) = desk(&store, clock).await?;
        let held = registry.read().clone();
        note_import(&desk, &held).await?;
        let channels = Arc::new(channels(&config.channels, &desk)?);
        let (tasks, stop) = (TaskTracker::new(), Stop::new());
        let wiring = Wiring {
            redis: redis(&config.node)?,
            config,
            plans,
            store,
            registry: registry.clone(),
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
fn lock(data: &Path) -> Result<File, StartError> {
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
    let (generation, counts) = (registry.generation(), registry.counts());
    if generation == desk.ledger.generation() {
        return Ok(());
    }
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let event = Event::Imported {
        generation,
        households: small(counts.households),
        people: small(counts.people),
        by: "import".into(),
    };
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
    store: Arc<dyn Store>,
    registry: Arc<RwLock<Arc<Registry>>>,
    desk: Arc<Desk>,
    channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
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
            clock: desk.clock.clone(),
            turn: tokio::sync::Mutex::default(),
        });
        let gate = Arc::new(Gate {
            archive,
            ledger: desk.ledger.clone(),
            store: self.store,
            registry: self.registry,
            bureaus,
            ingest,
            channels: (*self.channels).clone(),
            correlator: desk.correlator.clone(),
            position: desk.writer.position(),
            clock: desk.clock.clone(),
        });
        let stop = stop.clone();
        tasks.spawn(async move {
            if let Err(error) = http::run(listener, gate, stop).await {
                tracing::error!(%error, "the API ended");
            }
        });
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

fn load_registry(data: &Path) -> Result<Registry, StartError> {
    let file = RegistryFile::open(&data.join(REGISTRY))
        .map_err(|e| StartError::Registry(e.to_string()))?;
    let (generation, rows) = file
        .load()
        .map_err(|e| StartError::Registry(e.to_string()))?
        .unwrap_or((0, Rows::default()));
    Registry::build(generation, &rows).map_err(|problems| {
        StartError::Registry(
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    })
}
