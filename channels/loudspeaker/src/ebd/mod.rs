//! The link to a county's emergency broadcast platform (应急广播平台, GD/J 082 and 083): packets as archives over HTTP, posted
//! both ways. The platform belongs to others: it may hold a message, and what it says is all that is known of its
//! speakers. This module must not claim conformance: no official text was available, and the README says what is assumed.

mod archive;
mod asking;
mod body;
mod book;
mod config;
mod defaults;
mod door;
mod inventory;
mod link;
mod loss;
mod mapped;
mod message;
mod multipart;
mod names;
mod offers;
mod outcome;
mod packet;
pub mod peer;
mod profile;
mod questions;
pub mod readers;
mod refusal;
mod send;
mod session;
mod signature;
mod state;
mod tar;
#[cfg(test)]
mod tests;
mod told;
mod xml;

use async_trait::async_trait;
use channel::{
    Accepted, Action, Capability, Channel, Command, Context, DeviceState, EndpointKind, Evidence,
    Failure, Found, Health, Message, Notice, Outcomes, PresenceState, Reply, Request, Stop, Style,
    Timestamp, Variant,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use book::Book;
pub use config::{Config, ConfigError, FileSigner};
use door::Door;
use inventory::Device;
use link::{Link, told};
use loss::Loss;
use names::place;
use offers::Offers;
use questions::Questions;
use session::{Standing, Terminals};

/// One platform.
pub struct Ebd {
    link: Link,
    book: Mutex<Book>,
    door: Door,
    standing: Mutex<Vec<Standing>>,
    bell: Notify,
    terminals: Mutex<Terminals>,
    offers: Mutex<Offers>,
    questions: Questions,
}

/// What the platform says of one of its terminals.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    name: String,
    /// Longitude and latitude, as they were written.
    place: [String; 2],
    /// When it was last in an inventory.
    told: Option<Timestamp>,
    state: Option<PresenceState>,
    /// The same in the platform's own word.
    said: Option<Device>,
    heard: Option<Timestamp>,
}

impl Ebd {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        let door = Door::new().ok_or(ConfigError::Wrong {
            key: "secret",
            why: "cannot be compared: the machine gives no random bytes",
        })?;
        let channel = Self {
            link: Link::new(config, context)?,
            book: Mutex::default(),
            door,
            standing: Mutex::default(),
            bell: Notify::new(),
            terminals: Mutex::default(),
            offers: Mutex::default(),
            questions: Questions::default(),
        };
        channel.recall();
        Ok(channel)
    }

    /// The terminals that the platform has told of, by their codes, with what it calls them.
    pub fn terminals(&self) -> Vec<(String, String)> {
        let terminals = self.terminals.lock();
        let each = terminals.iter();
        each.map(|(id, terminal)| (id.clone(), terminal.name.clone()))
            .collect()
    }
}

#[async_trait]
impl Channel for Ebd {
    fn capability(&self) -> Capability {
        Capability {
            kind: "loudspeaker",
            speaks_to: EndpointKind::Speaker,
            style: Style::Spoken,
            best: Evidence::Acknowledged,
            // One message has room for a county's villages.
            batch: self.link.config.most_areas.max(100),
            window: self
                .link
                .config
                .most_areas
                .saturating_mul(self.link.config.connections),
            repeat_is_harmless: true,
        }
    }

    fn losses(&self, variant: &Variant) -> Vec<channel::Loss> {
        let losses = mapped::losses(variant).into_iter();
        losses.map(Loss::told).collect()
    }

    /// The platform's people let each message go by hand (播控审核).
    fn gathers(&self) -> bool {
        true
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let told = Mutex::new(None);
        self.send_all(std::slice::from_ref(message), &One(&told))
            .await;
        told.into_inner().expect("send_all settles each index")
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        self.batch(batch, outcomes).await;
    }

    async fn run(&self, stop: Stop) {
        self.session(stop).await;
    }

    /// A message is taken back as a whole; of tones, volumes and later ends the protocol knows nothing.
    fn command(&self, command: &Command) -> bool {
        let mut standing = self.standing.lock();
        if standing
            .iter()
            .all(|one| one.command.serial != command.serial)
        {
            standing.push(Standing::new(command.clone()));
        }
        drop(standing);
        self.bell.notify_one();
        self.obeys(command.action)
    }

    fn finds(&self, device: &str) -> Found {
        let told = || told(&self.link.config.terminal_areas, device).is_some();
        match self.place(device) {
            // Where a terminal stands may be missing in the settings: that has to show.
            Err(_) if place(device, self.link.config.profile().ebrid()).is_some() => Found::Unknown,
            Err(_) => Found::Never,
            Ok(_) if told() || self.terminals.lock().contains_key(device) => Found::Named,
            Ok(_) => Found::Perhaps,
        }
    }

    fn obeys(&self, action: Action) -> bool {
        matches!(action, Action::Stop { .. } | Action::StopAll)
    }

    fn device(&self, device: &str) -> Option<DeviceState> {
        let terminals = self.terminals.lock();
        let terminal = terminals.get(device)?;
        Some(DeviceState {
            heard: terminal.heard,
            state: terminal.state,
            ..DeviceState::default()
        })
    }

    fn refused(&self) -> Vec<(&'static str, u64)> {
        self.door.refused()
    }

    fn notice(&self) -> Option<Notice> {
        let held = self.book.lock().held();
        Some(Notice {
            held: held.map_or(0, |(count, _)| count),
            since: held.map(|(_, since)| since),
            phone: self.link.config.duty_phone.clone(),
            offered: self.offers.lock().all(self.link.context.clock.now()),
        })
    }

    async fn serve(&self, request: Request) -> Reply {
        self.called(&request).await
    }

    fn health(&self) -> Health {
        self.link.health()
    }
}

struct One<'a>(&'a Mutex<Option<Result<Accepted, Failure>>>);

impl Outcomes for One<'_> {
    fn settle(&self, _index: usize, outcome: Result<Accepted, Failure>) {
        *self.0.lock() = Some(outcome);
    }
}
