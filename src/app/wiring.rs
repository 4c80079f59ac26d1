//! The rooms of a running gateway, each handed what it needs, and set going. This module must not read the configuration
//! for itself and must not decide anything about an alert.

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::{Channel, Stop};
use parking_lot::{Mutex, RwLock};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::ticks::Ticks;
use crate::config::{ChannelConfig, Config, Retry};
use crate::console::{Console, Outline};
use crate::coord::{Redis, Steady};
use crate::dispatch::{
    Accounts, ByHand, Desk, Dispatch, Orders, Outlet, Policy, Relay, Replies, TestCalls, TestLine,
};
use crate::http::{Gate, Limits};
use crate::ingest::Ingest;
use crate::ledger::Archive;
use crate::live::Hub;
use crate::media::Library;
use crate::plan::preview::Means;
use crate::plan::quake::Earthquake;
use crate::plan::{Plans, Routes};
use crate::registry::{Intake, Registry};
use crate::release::{Decisions, Release};
use crate::store::{RegistryFile, Store};
use crate::trust::{Bureaus, Entry, Feeds, Keepers};
use crate::{console, http};

/// What the start has made ready.
pub struct Wiring {
    pub redis: Option<Redis>,
    pub time: Arc<Steady>,
    pub config: Config,
    pub plans: Plans,
    pub means: Arc<Means>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub file: RegistryFile,
    pub desk: Arc<Desk>,
    /// Reads sealed alerts back.
    pub archive: Arc<Archive>,
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    pub outline: Outline,
    pub replies: Arc<Replies>,
    pub routes: Arc<Routes>,
    pub library: Arc<Library>,
}

impl Wiring {
    pub fn dispatch(&self) -> Dispatch {
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
            routes: self.routes.clone(),
            outlets: self.config.channels.iter().filter_map(outlet).collect(),
        }
    }

    /// Terminals that are tested.
    fn test_calls(&self, accounts: &Accounts) -> TestCalls {
        let line = |config: &ChannelConfig| {
            let channel = self.channels.get(&config.name)?.clone();
            let account = accounts.get(&config.name)?.clone();
            let tested = channel.capability().speaks_to.is_satellite();
            let line = || TestLine::new(channel, account, config.tests.unwrap_or_default());
            tested.then(|| (config.name.clone(), line()))
        };
        let lines = self.config.channels.iter().filter_map(line).collect();
        TestCalls::new(self.desk.clone(), self.registry.clone(), lines)
    }

    pub fn spawn(
        mut self,
        (listener, accounts): (TcpListener, &Accounts),
        tasks: &TaskTracker,
        stop: &Stop,
    ) {
        for channel in self.channels.values() {
            let (channel, stop) = (channel.clone(), stop.clone());
            tasks.spawn(async move { channel.run(stop).await });
        }
        let bureaus = std::mem::take(&mut self.config.bureaus);
        let bureaus = Arc::new(Bureaus::new(bureaus));
        let archive = self.archive.clone();
        let release = self.release(&archive, &bureaus);
        tasks.spawn(release.run(stop.clone()));
        tasks.spawn(guard(self.store.clone(), stop.clone()));
        let test_calls = Arc::new(self.test_calls(accounts));
        tasks.spawn(test_calls.clone().run(stop.clone()));
        let orders = Arc::new(self.orders());
        let ticks = Ticks {
            test_calls: test_calls.clone(),
            orders: orders.clone(),
            self_test: self.config.speakers.self_test,
            desk: self.desk.clone(),
            registry: self.registry.clone(),
            seal_after: self.config.node.seal_after.0,
            time: self.time.clone(),
        };
        tasks.spawn(ticks.run(stop.clone()));
        tasks.spawn(orders.clone().run(stop.clone()));
        let relay = Arc::new(self.relay());
        let standing = relay.clone();
        tasks.spawn(async move { standing.resume().await });
        let (gate, console) = self.surface((archive, bureaus), (orders, test_calls, relay));
        let pages = console::router(console, stop.clone());
        let stop = stop.clone();
        tasks.spawn(http::run(listener, gate, pages, stop));
    }

    fn orders(&self) -> Orders {
        Orders {
            desk: self.desk.clone(),
            channels: self.channels.clone(),
            registry: self.registry.clone(),
        }
    }

    fn relay(&self) -> Relay {
        let (channels, registry) = (self.channels.clone(), self.registry.clone());
        let settings = (self.config.earthquake.clone(), self.config.speakers.clone());
        Relay::new(self.desk.clone(), channels, registry, settings)
    }

    fn release(&self, archive: &Arc<Archive>, bureaus: &Arc<Bureaus>) -> Release {
        Release {
            archive: archive.clone(),
            correlator: self.desk.correlator.clone(),
            ledger: self.desk.ledger.clone(),
            writer: self.desk.writer.clone(),
            store: self.store.clone(),
            registry: self.registry.clone(),
            channels: self.channels.clone(),
            routes: self.routes.clone(),
            bureaus: bureaus.clone(),
            means: self.means.clone(),
            prompters: self.config.prompters(),
            clock: self.desk.clock.clone(),
            time: self.time.clone(),
        }
    }

    /// What the API and the pages are handed; they share who watches.
    fn surface(
        self,
        (archive, bureaus): (Arc<Archive>, Arc<Bureaus>),
        (orders, test_calls, relay): (Arc<Orders>, Arc<TestCalls>, Arc<Relay>),
    ) -> (Arc<Gate>, Console) {
        let desk = self.desk;
        let turn = Arc::<tokio::sync::Mutex<()>>::default();
        let ingest = Arc::new(Ingest {
            ledger: desk.ledger.clone(),
            archive: archive.clone(),
            writer: desk.writer.clone(),
            registry: self.registry.clone(),
            plans: Arc::new(self.plans),
            store: self.store.clone(),
            channels: self.channels.clone(),
            routes: self.routes,
            bureaus: bureaus.clone(),
            means: self.means,
            clock: desk.clock.clone(),
            turn: turn.clone(),
        });
        let decisions = Arc::new(Decisions {
            ledger: desk.ledger.clone(),
            writer: desk.writer.clone(),
            clock: desk.clock.clone(),
            second: self.config.node.second_person,
            turn,
        });
        let hub = hub(&self.registry, &desk);
        let intake = Arc::new(intake(self.file, &self.registry, &desk));
        let gate = Arc::new(Gate {
            archive,
            ledger: desk.ledger.clone(),
            store: self.store,
            registry: self.registry,
            limits: Limits::new(bureaus.ids(), self.config.node.api_rate, &desk.clock),
            bureaus,
            ingest,
            decisions,
            intake,
            writer: desk.writer.clone(),
            channels: (*self.channels).clone(),
            correlator: desk.correlator.clone(),
            position: desk.writer.position(),
            hub,
            clock: desk.clock.clone(),
            orders,
            feeds: feeds(relay.earthquake.as_ref()),
            relay,
            by_hand: Arc::new(by_hand(&self.channels, &desk)),
            test_calls,
            replies: self.replies,
            time: self.time,
            library: self.library,
            keepers: keepers(&self.config),
        });
        let console = console(&gate, &desk, self.outline);
        (gate, console)
    }
}

fn by_hand(channels: &Arc<BTreeMap<String, Arc<dyn Channel>>>, desk: &Desk) -> ByHand {
    ByHand {
        channels: channels.clone(),
        writer: desk.writer.clone(),
        clock: desk.clock.clone(),
    }
}

fn keepers(config: &Config) -> Option<Arc<Keepers>> {
    let keeping = config.keepers.as_ref();
    keeping.map(|keeping| Arc::new(Keepers::new(keeping)))
}

fn console(gate: &Gate, desk: &Desk, outline: Outline) -> Console {
    let (bureaus, writer) = (gate.bureaus.clone(), desk.writer.clone());
    let entry = Entry::new(bureaus, writer, desk.clock.clone());
    Console {
        ledger: desk.ledger.clone(),
        archive: gate.archive.clone(),
        store: gate.store.clone(),
        registry: gate.registry.clone(),
        bureaus: gate.bureaus.clone(),
        entry,
        clock: desk.clock.clone(),
        channels: gate.channels.clone(),
        house: gate.orders.desk.clone(),
        hub: gate.hub.clone(),
        by_hand: gate.by_hand.clone(),
        relay: gate.relay.clone(),
        library: gate.library.clone(),
        keepers: gate.keepers.clone(),
        outline,
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
        last: Mutex::default(),
    }
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

fn feeds(earthquake: Option<&Earthquake>) -> Feeds {
    let feeds = earthquake
        .into_iter()
        .flat_map(|earthquake| &earthquake.feeds);
    Feeds::new(feeds.filter_map(|feed| Some((feed.name.clone(), feed.public_key()?))))
}
