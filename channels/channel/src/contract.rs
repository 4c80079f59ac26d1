//! What a channel is and what it is given. This module must not know any kind of channel by name.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::{
    Action, Address, Binding, Clock, Code, Command, DeviceState, Enrolment, Evidence, Failure,
    FailureClass, Handed, HttpClient, Issued, Key, Level, Loss, Message, NoSerial, NotEnrolled,
    Numbering, Obeyed, Presence, PublicKey, Quake, Receipt, Rekeying, Reply, Request, Scene,
    Sounds, Stop, Tied, Timestamp, Tokens, Uplink, Variant, Whose,
};

/// The far end took a message. A long text has several references, in the order of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    pub references: Vec<String>,
}

/// Where the outcomes of a batch go, as soon as each is known. `index` is the message's place in its batch; a channel
/// settles each index exactly once. Never blocks.
pub trait Outcomes: Send + Sync {
    fn settle(&self, index: usize, outcome: Result<Accepted, Failure>);

    /// Many that are known at once; leaves the list empty.
    fn settle_all(&self, outcomes: &mut Vec<(usize, Result<Accepted, Failure>)>) {
        for (index, outcome) in outcomes.drain(..) {
            self.settle(index, outcome);
        }
    }
}

/// The store cannot take anything now. The channel does not answer the far end, which will come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal takes nothing now; do not answer the far end, it will come again")]
pub struct Unavailable;

#[async_trait]
pub trait Inlet: Send + Sync + 'static {
    /// Ready when every receipt of the batch is durable; only then is the far end answered.
    async fn receipts(&self, batch: Vec<Receipt>) -> Result<(), Unavailable>;
    /// What people wrote; as with receipts, the far end is answered when it is durable. A house that keeps no replies
    /// takes them and lets them go.
    async fn uplinks(&self, _batch: Vec<Uplink>) -> Result<(), Unavailable> {
        Ok(())
    }
    /// Who bound an account of theirs to a door, or undid it: how each stands once that is durable. A house that keeps no
    /// bindings answers so, and nobody is told that they are bound.
    async fn bindings(&self, _batch: Vec<Binding>) -> Result<Vec<Tied>, Unavailable> {
        Err(Unavailable)
    }
    /// A device was heard.
    fn presence(&self, seen: Presence);
    /// The key that a device has enrolled with, until it is revoked.
    fn key_of(&self, _device: &str) -> Option<PublicKey> {
        None
    }
    /// Ready when the enrolment is durable; its code is used up then.
    async fn enrol(&self, _enrolment: Enrolment) -> Result<(), NotEnrolled> {
        Err(NotEnrolled::Unavailable)
    }
    /// Judges a device's change of its key; ready when it is durable. Nothing signed by the old one holds from then on.
    async fn rekey(&self, _rekeying: Rekeying) -> Result<(), NotEnrolled> {
        Err(NotEnrolled::Unavailable)
    }
    /// What devices did with orders that carry no text; ready when it is durable.
    async fn obeyed(&self, _batch: Vec<Obeyed>) -> Result<(), Unavailable> {
        Err(Unavailable)
    }
    /// To whom this channel was handed messages since then: once for each try, and when at the latest. For far ends that
    /// drop what is too much without a word: their count outlives this process.
    fn tried(&self, _since: Timestamp) -> Vec<(Address, Timestamp)> {
        Vec::new()
    }
    /// What was handed to this channel and is still open, the newest first: for a channel whose far end is a person who
    /// comes and looks.
    async fn handed(&self, _whose: &Whose) -> Result<Vec<Handed>, Unavailable> {
        Ok(Vec::new())
    }
    /// A day's serial; durable when it is there, and the same again for the same key.
    async fn number(&self, _wanted: Numbering) -> Result<u16, NoSerial> {
        Err(NoSerial::Unavailable)
    }
    /// The serials that this channel was given in the last days.
    fn numbered(&self) -> Vec<Issued> {
        Vec::new()
    }
}

/// What every channel is given at its making.
#[derive(Clone)]
pub struct Context {
    /// The configured instance: `sms-mobile`.
    pub name: String,
    pub clock: Arc<dyn Clock>,
    pub http: HttpClient,
    pub tokens: Arc<dyn Tokens>,
    pub inlet: Arc<dyn Inlet>,
    pub sounds: Arc<dyn Sounds>,
}

/// What a channel speaks to.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum EndpointKind {
    Mobile,
    Landline,
    /// A telephone that speaks to satellites, by its number.
    Satellite,
    Mailbox,
    Openid,
    Speaker,
    /// A member of a WeCom directory: its user id.
    Member,
    /// A group of officers that a robot writes to: the robot's name in its channel's settings.
    Group,
    /// A place that a person serves by hand: `tv:pingwu`.
    Manual,
    /// A Beidou terminal (北斗), by its card's seven digits.
    Beidou,
}

impl EndpointKind {
    /// A terminal that is taken to be off until a test has found it.
    pub const fn is_satellite(self) -> bool {
        matches!(self, Self::Satellite | Self::Beidou)
    }
}

/// How texts for a channel are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Style {
    /// Every character costs: what to do, under the bureau's signature.
    Short,
    /// To be spoken aloud: all of it, without signature.
    Spoken,
    /// To be read: all of it, with the CAP file.
    Letter,
}

#[derive(Clone, Copy, Debug)]
pub struct Capability {
    /// `sms`, `loudspeaker`, `email`.
    pub kind: &'static str,
    pub speaks_to: EndpointKind,
    pub style: Style,
    /// The best evidence that this channel can ever give.
    pub best: Evidence,
    /// How many messages it is useful to hand over at once.
    pub batch: usize,
    /// How many may be unanswered at the far end.
    pub window: usize,
    /// The far end drops a repeat under one key.
    pub repeat_is_harmless: bool,
}

/// Telephone lines. Each holds one message for as long as a call lasts, so what is handed over beyond them waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lines {
    pub count: u32,
    /// How long a call is reckoned at.
    pub each: Duration,
    /// Within which every first call should have begun.
    pub within: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Up,
    /// The last try failed, and nothing but another try can tell whether the far end is back: a channel without a
    /// session.
    Failing(String),
    /// Not connected yet, or no longer; why, in words without addresses. The channel itself comes back.
    Down(String),
}

impl Health {
    /// Whether there is any use in handing it a message.
    pub const fn takes(&self) -> bool {
        !matches!(self, Self::Down(_))
    }
}

/// How well a far end is known to have a device, the better behind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Found {
    /// Its address is none that the far end could have.
    Never,
    /// The address says nothing: who has not enrolled yet may do so.
    Unknown,
    /// Its address is one that the far end could serve.
    Perhaps,
    /// The settings name it, or the far end has told of it.
    Named,
}

/// What people have to do about a far end that belongs to others: it keeps messages until somebody there lets them go.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Messages that lie there.
    pub held: u32,
    /// Since when the longest does.
    pub since: Option<Timestamp>,
    /// Whom to call.
    pub phone: Option<Address>,
    /// Warnings that it handed to this gateway, which plays nothing for others.
    pub offered: Vec<Offered>,
}

/// A warning that a far end would have this gateway send: it was refused, and a bureau has to issue it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offered {
    /// As the far end calls it.
    pub name: String,
    /// Its event's code; empty where it gave none.
    pub event: String,
    pub level: Level,
    pub since: Timestamp,
    pub until: Timestamp,
}

#[async_trait]
pub trait Channel: Send + Sync + 'static {
    fn capability(&self) -> Capability;

    /// Whether the far end may still speak of a message that it took: then its receipt is awaited.
    fn is_told_more(&self) -> bool {
        self.capability().best > Evidence::Accepted
    }

    /// What one message of this text costs at the far end, in its pacing unit (SMS segments).
    fn cost(&self, _variant: &Variant) -> u32 {
        1
    }

    /// What of this text its far end has no place for.
    fn losses(&self, _variant: &Variant) -> Vec<Loss> {
        Vec::new()
    }

    /// Its lines, where a message takes one until its outcome is known: the house hands it no more than are free, so that
    /// whatever is more urgent has the next.
    fn lines(&self) -> Option<Lines> {
        None
    }

    /// Whether one of its messages covers all that it is given at once, and people at the far end have to see to each: the
    /// house gives it all of a step together, and all of it again where it did not go.
    fn gathers(&self) -> bool {
        false
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure>;

    /// Sends a batch; each outcome goes out as soon as it is known. Returns when all are settled.
    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        let window = self.capability().window.max(1);
        let mut waiting = batch.iter().enumerate();
        let mut under_way = FuturesUnordered::new();
        let one = |(index, message)| async move { (index, self.send(message).await) };
        under_way.extend(waiting.by_ref().take(window).map(one));
        while let Some((index, outcome)) = under_way.next().await {
            outcomes.settle(index, outcome);
            under_way.extend(waiting.next().map(one));
        }
    }

    /// Keeps the session alive until `stop`; returns when it is closed.
    async fn run(&self, stop: Stop) {
        stop.cancelled().await;
    }

    /// Lays an order for devices down, where the channel has such orders. It is in the journal before; the same again
    /// changes nothing.
    fn command(&self, _command: &Command) -> bool {
        false
    }

    /// Whether a message or an order finds this device by its address alone: the far end knows it by its own code, and nobody
    /// enrols.
    fn finds(&self, _device: &str) -> Found {
        Found::Unknown
    }

    /// Whether the far end's protocol has this order at all.
    fn obeys(&self, _action: Action) -> bool {
        true
    }

    /// Gives a report on an earthquake to the terminals that it names, at once, where the channel has such orders. It is in
    /// the journal before; the same again changes nothing.
    fn shake(&self, _quake: &Quake) -> bool {
        false
    }

    /// Has the far end make a code by which people bind themselves to this place; without `valid` it stays.
    async fn code(&self, _scene: Scene, _valid: Option<Duration>) -> Result<Code, Failure> {
        let detail = "this kind of channel has no codes to scan; name a service account";
        Err(Failure::new(
            FailureClass::BadContent,
            "channel:no-codes",
            detail,
        ))
    }

    /// What a device said of itself last.
    fn device(&self, _device: &str) -> Option<DeviceState> {
        None
    }

    /// How many calls of far ends were refused, by why.
    fn refused(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// What lies at a far end that may hold it, and whom to call there; nothing of a far end that holds nothing back.
    fn notice(&self) -> Option<Notice> {
        None
    }

    /// The path of one message's page, where the far end is a person who comes and looks: whoever has it may look, and enter
    /// what was done, until then. With `operator` it is that bureau's desk, and what is entered there is what somebody else
    /// has told it.
    fn page(&self, _key: Key, _until: Timestamp, _operator: Option<&str>) -> Option<String> {
        None
    }

    /// A short address of the same page for the open network, to be sent to whom it is for; it stands a while longer than
    /// the text does. Nothing where the channel was not told where people reach the gateway.
    fn link(&self, _key: Key, _expires: Timestamp) -> Option<String> {
        None
    }

    /// Answers a call that the far end makes to us, after the commit of what it brought.
    async fn serve(&self, _request: Request) -> Reply {
        Reply::status(404)
    }

    fn health(&self) -> Health;
}
