//! The suite that every channel passes against its own misbehaving peer. It proves the engine's side of the contract,
//! not the protocol: the protocol is proved against software that we did not write. This module must not be used
//! outside tests and the demo.

mod port;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    Address, Binding, Bound, Channel, Clock, Context, Enrolment, Evidence, FailureClass, Handed,
    HttpClient, Inlet, Issued, Message, Mute, NoSerial, NotEnrolled, Numbering, Obeyed, Of,
    OwnTokens, Presence, PublicKey, Receipt, Rekeying, SERIALS_A_DAY, Said, Scene, Stop,
    SystemClock, Tied, Timestamp, Unavailable, Uplink, Verdict, Whose,
};

pub use port::free_port;

/// How a peer meets the messages that reach it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
    /// Takes it; no receipt follows.
    Accept,
    /// Takes it and sends the best receipt it can.
    Confirm,
    Throttle,
    RefuseAddress,
    RefuseContent,
    /// Reads the message and never answers.
    Stall,
    /// Closes the connection instead of serving it.
    HangUp,
    /// Takes the message, then closes without an answer.
    HangUpAfterWrite,
    RefuseLogin,
}

impl Behaviour {
    pub const ALL: [Self; 9] = [
        Self::Accept,
        Self::Confirm,
        Self::Throttle,
        Self::RefuseAddress,
        Self::RefuseContent,
        Self::Stall,
        Self::HangUp,
        Self::HangUpAfterWrite,
        Self::RefuseLogin,
    ];
}

/// Keeps what a channel brings in. While `away` is set it behaves as a store that takes nothing.
#[derive(Default)]
pub struct RecordingInlet {
    pub receipts: Mutex<Vec<Receipt>>,
    pub uplinks: Mutex<Vec<Uplink>>,
    pub bindings: Mutex<Vec<Binding>>,
    pub presences: Mutex<Vec<Presence>>,
    pub obeyed: Mutex<Vec<Obeyed>>,
    /// What a channel is told when it asks; what was said since comes from `uplinks`.
    pub handed: Mutex<Vec<Handed>>,
    /// By device: its code until it enrols, its key from then on. Where no code is, an empty one does.
    pub codes: Mutex<HashMap<String, String>>,
    pub keys: Mutex<HashMap<String, PublicKey>>,
    /// Serials that were given, in their order; addresses come from `handed`.
    pub issued: Mutex<Vec<(Numbering, u16)>>,
    /// What a channel is told that it was handed before it was made.
    pub tried: Mutex<Vec<(Address, Timestamp)>>,
    pub away: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Inlet for RecordingInlet {
    async fn receipts(&self, batch: Vec<Receipt>) -> Result<(), Unavailable> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Unavailable);
        }
        self.receipts.lock().extend(batch);
        Ok(())
    }

    async fn uplinks(&self, batch: Vec<Uplink>) -> Result<(), Unavailable> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Unavailable);
        }
        self.uplinks.lock().extend(batch);
        Ok(())
    }

    /// Every village is called 新桥村 here, and household 0 is nobody's.
    async fn bindings(&self, batch: Vec<Binding>) -> Result<Vec<Tied>, Unavailable> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Unavailable);
        }
        let mut kept = self.bindings.lock();
        let mut tied = Vec::with_capacity(batch.len());
        for binding in batch {
            let place = || "新桥村".to_owned();
            tied.push(match binding.bound {
                Bound::To(Scene::Household(0)) => Tied::Nowhere,
                Bound::To(Scene::Household(id)) => Tied::To {
                    place: place(),
                    household: Some(id),
                },
                Bound::To(Scene::Village(_)) => Tied::To {
                    place: place(),
                    household: None,
                },
                Bound::Undone if kept.is_empty() => Tied::Never,
                Bound::Undone => Tied::Undone,
            });
            kept.push(binding);
        }
        Ok(tied)
    }

    fn tried(&self, since: Timestamp) -> Vec<(Address, Timestamp)> {
        let mut tried = self.tried.lock().clone();
        tried.retain(|(_, at)| *at >= since);
        tried
    }

    fn presence(&self, seen: Presence) {
        self.presences.lock().push(seen);
    }

    fn key_of(&self, device: &str) -> Option<PublicKey> {
        self.keys.lock().get(device).copied()
    }

    async fn enrol(&self, enrolment: Enrolment) -> Result<(), NotEnrolled> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(NotEnrolled::Unavailable);
        }
        let mut codes = self.codes.lock();
        let wanted = codes.get(&enrolment.device).map_or("", String::as_str);
        if wanted != enrolment.code {
            return Err(NotEnrolled::BadCode);
        }
        codes.remove(&enrolment.device);
        self.keys.lock().insert(enrolment.device, enrolment.key);
        Ok(())
    }

    async fn rekey(&self, rekeying: Rekeying) -> Result<(), NotEnrolled> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(NotEnrolled::Unavailable);
        }
        let mut keys = self.keys.lock();
        if keys.get(&rekeying.device) != Some(&rekeying.old) {
            return Err(NotEnrolled::BadCode);
        }
        keys.insert(rekeying.device, rekeying.new);
        Ok(())
    }

    async fn obeyed(&self, batch: Vec<Obeyed>) -> Result<(), Unavailable> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Unavailable);
        }
        self.obeyed.lock().extend(batch);
        Ok(())
    }

    async fn number(&self, wanted: Numbering) -> Result<u16, NoSerial> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(NoSerial::Unavailable);
        }
        let mut issued = self.issued.lock();
        if let Some((_, serial)) = issued.iter().find(|(one, _)| one.key == wanted.key) {
            return Ok(*serial);
        }
        let of_day = issued.iter().filter(|(one, _)| one.day == wanted.day);
        let serial = u16::try_from(of_day.count() + 1).unwrap_or(u16::MAX);
        if serial > SERIALS_A_DAY {
            return Err(NoSerial::Spent);
        }
        issued.push((wanted, serial));
        Ok(serial)
    }

    fn numbered(&self) -> Vec<Issued> {
        let handed = self.handed.lock();
        let one = |(wanted, serial): &(Numbering, u16)| {
            let messages = handed.iter().map(|handed| &handed.message);
            let own = messages.filter(|message| {
                message.key.alert == wanted.alert
                    && wanted.deliveries.contains(&message.key.delivery)
            });
            Issued {
                series: wanted.series.clone(),
                day: wanted.day,
                serial: *serial,
                key: wanted.key,
                alert: wanted.alert,
                to: own.map(|m| (m.key, m.address.clone())).collect(),
                at: crate::Timestamp(0),
                expires: wanted.expires,
            }
        };
        self.issued.lock().iter().map(one).collect()
    }

    async fn handed(&self, whose: &Whose) -> Result<Vec<Handed>, Unavailable> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Unavailable);
        }
        let (handed, uplinks) = (self.handed.lock(), self.uplinks.lock());
        let meant = |handed: &&Handed| match whose {
            Whose::Key(key) => handed.message.key == *key,
            Whose::Address(address) => handed.message.address == *address,
            // Who is whom is the registry's to know: here all are one person's.
            Whose::Beside(_) => true,
        };
        let with_said = |handed: &Handed| {
            let key = Of::Key(handed.message.key);
            let own = uplinks.iter().filter(|up| up.of.as_ref() == Some(&key));
            let mut handed = handed.clone();
            handed.said.extend(own.map(|uplink| Said {
                text: Some(uplink.text.clone()),
                seen: uplink.seen,
            }));
            handed
        };
        Ok(handed.iter().filter(meant).map(with_said).collect())
    }
}

/// A context whose inlet records, for the tests of one channel.
pub fn context(name: &str) -> (Context, Arc<RecordingInlet>) {
    let inlet = Arc::new(RecordingInlet::default());
    let clock = Arc::new(SystemClock::default()) as Arc<dyn Clock>;
    let context = Context {
        name: name.to_owned(),
        tokens: Arc::new(OwnTokens::new(clock.clone())),
        clock,
        http: HttpClient::new(Duration::from_secs(5)),
        inlet: inlet.clone(),
        sounds: Arc::new(Mute),
    };
    (context, inlet)
}

/// What one kind of channel brings to the suite.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Starts a peer with this behaviour and a channel that speaks to it, with an answer timeout of about a second.
    /// `None` where the protocol has no such thing. What must live as long as the channel goes into the box.
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn std::any::Any + Send>)>;
    /// A message to an address that the peer serves.
    fn message(&self, number: u32) -> Message;
}

fn expected(behaviour: Behaviour) -> &'static [FailureClass] {
    use FailureClass::{BadAddress, BadContent, InDoubt, LinkDown, Throttled, Transient};
    match behaviour {
        Behaviour::Accept | Behaviour::Confirm => &[],
        Behaviour::Throttle => &[Throttled],
        Behaviour::RefuseAddress => &[BadAddress],
        Behaviour::RefuseContent => &[BadContent],
        Behaviour::Stall | Behaviour::HangUpAfterWrite => &[InDoubt],
        Behaviour::HangUp => &[LinkDown, Transient],
        Behaviour::RefuseLogin => &[LinkDown],
    }
}

/// Runs every behaviour that the kind knows, and returns which were run.
///
/// # Panics
/// When the channel breaks the contract.
pub async fn exercise(fixture: &dyn Fixture) -> Vec<Behaviour> {
    let mut ran = Vec::new();
    for behaviour in Behaviour::ALL {
        let (context, inlet) = context("exercise");
        let Some((channel, guard)) = fixture.start(behaviour, context).await else {
            continue;
        };
        let stop = Stop::new();
        let running = tokio::spawn({
            let (channel, stop) = (channel.clone(), stop.clone());
            async move { channel.run(stop).await }
        });
        one(fixture, behaviour, &*channel, &inlet).await;
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), running)
            .await
            .unwrap_or_else(|_| panic!("{behaviour:?}: run must return soon after stop"))
            .expect("run does not panic");
        drop(guard);
        ran.push(behaviour);
    }
    ran
}

async fn one(
    fixture: &dyn Fixture,
    behaviour: Behaviour,
    channel: &dyn Channel,
    inlet: &RecordingInlet,
) {
    let message = fixture.message(1);
    let outcome = tokio::time::timeout(Duration::from_secs(10), channel.send(&message))
        .await
        .unwrap_or_else(|_| panic!("{behaviour:?}: send must be bounded in time"));
    match outcome {
        Ok(accepted) => {
            assert!(
                expected(behaviour).is_empty(),
                "{behaviour:?}: was accepted"
            );
            if behaviour == Behaviour::Confirm {
                confirmed(channel, &message, &accepted.references, inlet).await;
            }
        }
        Err(failure) => {
            assert!(
                expected(behaviour).contains(&failure.class),
                "{behaviour:?}: {failure}"
            );
            let shown = format!("{failure} {failure:?} {message:?}");
            assert!(
                !shown.contains(message.address.expose()),
                "{behaviour:?}: an address in {failure}"
            );
        }
    }
}

async fn confirmed(
    channel: &dyn Channel,
    message: &Message,
    references: &[String],
    inlet: &RecordingInlet,
) {
    let best = channel.capability().best;
    let wanted = references.len().max(1);
    for _ in 0..500 {
        let matched = |r: &&Receipt| match &r.of {
            Of::Reference(reference) => references.contains(reference),
            Of::Key(key) => *key == message.key,
        };
        let reached = inlet
            .receipts
            .lock()
            .iter()
            .filter(matched)
            .filter(|r| matches!(r.verdict, Verdict::Reached(e) if e == best))
            .count();
        if best <= Evidence::Accepted || reached >= wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no receipt with {best:?} came for {}", message.key);
}
