//! A county's platform that does not exist: it takes packets as its script says, keeps what came, and tells later what
//! became of each message. For tests and the demo; it must not be reachable from another machine.

mod http;
mod memory;
mod story;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use channel::{Clock, HttpClient, Reply, Request, Stop, SystemClock};
use parking_lot::Mutex;

use super::archive::Archive;
use super::body::{Body, Response};
use super::inventory::LOG;
use super::message::Ebm;
use super::multipart;
use super::names::{Sort, ebdid};
use super::packet::Packet;
use super::profile::Profile;
use super::signature::{Signature, Variant};
use super::state::{Brd, StateReport};
use crate::signing::{Nobody, Signer};

/// What happens to a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Take {
    /// A receipt with this `ResultCode`.
    Receipt(u8),
    /// No receipt: this status alone.
    Status(u16),
    /// Something that is no receipt.
    Garbage,
    /// Reads it and never answers.
    Stall,
    /// Hangs up before it has read the packet.
    HangUp,
    /// Takes it, and hangs up before it has answered.
    HangUpAfterWrite,
}

/// What becomes of a message that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Story {
    /// Each place is named with what its terminal did: waiting, playing, played.
    Plays,
    /// The same, told of all places at once.
    PlaysSomewhere,
    /// Each place is named; these fail.
    FailsAt(Vec<String>),
    /// 待播控审核: it lies there until `let_go`.
    Held,
    /// Somebody there takes it off.
    TakenOff,
    /// Nothing is told before it is asked for.
    Silent,
    /// Nothing is told of it, asked for or not: its log alone has what became of it.
    Logged,
}

type Script = dyn Fn(&Packet) -> Take + Send + Sync;
type Stories = dyn Fn(&Ebm) -> Story + Send + Sync;

/// What the platform is.
pub struct Settings {
    pub ebrid: String,
    /// Who may send to it.
    pub gateway: String,
    pub profile: Profile,
    /// Between one state and the next.
    pub pause: Duration,
    pub signer: Arc<dyn Signer>,
    /// Checks what comes, as a strict platform does.
    pub verifies: bool,
    pub take: Box<Script>,
    pub story: Box<Stories>,
    /// A folder for what it has, where that outlives it.
    pub memory: Option<PathBuf>,
}

impl Settings {
    /// A platform that takes and plays everything.
    pub fn new(ebrid: &str, gateway: &str) -> Self {
        Self {
            ebrid: ebrid.into(),
            gateway: gateway.into(),
            profile: Profile::default(),
            pause: Duration::from_millis(5),
            signer: Arc::new(Nobody),
            verifies: false,
            take: Box::new(|_| Take::Receipt(Response::GOOD)),
            story: Box::new(|_| Story::Plays),
            memory: None,
        }
    }
}

/// A message as it stands at the platform.
#[derive(Clone, Debug)]
pub struct Kept {
    pub ebm: Ebm,
    pub state: Brd,
    /// How often it was posted.
    pub posted: u32,
    last: Option<StateReport>,
    logged: Option<StateReport>,
}

impl Kept {
    fn new(ebm: Ebm) -> Self {
        Self {
            ebm,
            state: Brd::Held,
            posted: 0,
            last: None,
            logged: None,
        }
    }
}

struct Inner {
    settings: Settings,
    http: HttpClient,
    clock: SystemClock,
    callback: Mutex<Option<String>>,
    kept: Mutex<BTreeMap<String, Kept>>,
    came: Mutex<Vec<Packet>>,
    answered: Mutex<Vec<(u16, Option<u8>)>>,
    sequence: AtomicU64,
    stop: Stop,
}

/// A running platform; it stops when this is dropped.
pub struct Platform {
    port: u16,
    inner: Arc<Inner>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.inner.stop.cancel();
    }
}

impl Platform {
    pub async fn start(settings: Settings) -> io::Result<Self> {
        Self::start_at(settings, 0).await
    }

    /// On a port of its own, as one that comes back.
    pub async fn start_at(settings: Settings, port: u16) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let port = listener.local_addr()?.port();
        let kept = settings.memory.as_deref().map(memory::kept).transpose()?;
        let inner = Arc::new(Inner {
            settings,
            http: HttpClient::new(Duration::from_secs(5)),
            clock: SystemClock::default(),
            callback: Mutex::default(),
            kept: Mutex::new(kept.unwrap_or_default()),
            came: Mutex::default(),
            answered: Mutex::default(),
            sequence: AtomicU64::new(1),
            stop: Stop::new(),
        });
        tokio::spawn(http::listen(listener, inner.clone()));
        Ok(Self { port, inner })
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/linkage/access", self.port)
    }

    /// Where it calls the gateway.
    pub fn calls(&self, url: impl Into<String>) {
        *self.inner.callback.lock() = Some(url.into());
    }

    /// All packets that came whole, in their order.
    pub fn came(&self) -> Vec<Packet> {
        self.inner.came.lock().clone()
    }

    /// The messages that it has taken, by their names.
    pub fn kept(&self) -> BTreeMap<String, Kept> {
        self.inner.kept.lock().clone()
    }

    /// How its own calls were answered: the status, and the code of the receipt.
    pub fn answered(&self) -> Vec<(u16, Option<u8>)> {
        self.inner.answered.lock().clone()
    }

    /// What was held goes on by this story now.
    pub async fn let_go(&self, id: &str, story: &Story) {
        let kept = self.inner.kept.lock().get(id).map(|kept| kept.ebm.clone());
        if let Some(ebm) = kept {
            self.inner.tell(&ebm, story).await;
        }
    }

    /// Posts a body of its own; the status and the receipt's code.
    pub async fn post(&self, body: Body) -> (u16, Option<u8>) {
        let packet = self.inner.packet(body);
        self.inner.post(packet).await
    }

    pub async fn post_packet(&self, packet: Packet) -> (u16, Option<u8>) {
        self.inner.post(packet).await
    }

    /// Posts the log of all that it has, and something that is not ours.
    pub async fn log(&self) {
        self.inner.log().await;
    }

    /// A packet of its own, to be changed before it is posted.
    pub fn packet(&self, body: Body) -> Packet {
        self.inner.packet(body)
    }
}

/// The terminal of a place, as this platform codes it.
pub fn terminal(area: &str) -> String {
    if area.len() == 12 {
        format!("6{area}0314010401")
    } else {
        area.to_owned()
    }
}

impl Inner {
    fn packet(&self, body: Body) -> Packet {
        let sequence = self.sequence.fetch_add(1, SeqCst);
        Packet {
            id: ebdid(Sort::Other, &self.settings.ebrid, sequence),
            source: self.settings.ebrid.clone(),
            url: None,
            target: Some(self.settings.gateway.clone()),
            time: Some(self.clock.now()),
            related: None,
            body,
        }
    }

    async fn pack(&self, packet: Packet) -> Vec<u8> {
        let document = packet.write(self.settings.profile);
        let now = u32::try_from(self.clock.now().secs()).unwrap_or(0);
        let value = self
            .settings
            .signer
            .sign(&document, now)
            .await
            .ok()
            .flatten();
        let of = packet.id.clone();
        let signature = value
            .map(|value| Signature { of, value }.write(Variant::A, &[0; 6], self.settings.profile));
        let archive = Archive {
            packet,
            document,
            signature,
            resources: Vec::new(),
        };
        archive.write()
    }

    async fn post(&self, packet: Packet) -> (u16, Option<u8>) {
        let Some(url) = self.callback.lock().clone() else {
            return (0, None);
        };
        let name = packet.archive_name();
        let (kind, form) = multipart::write(&name, &self.pack(packet).await);
        let request = Request {
            method: "POST".into(),
            headers: vec![("content-type".into(), kind)],
            body: form.into(),
            ..Request::default()
        };
        let answer = match self.http.call(&url, request).await {
            Ok(reply) => (reply.status, code(&reply)),
            Err(_) => (0, None),
        };
        self.answered.lock().push(answer);
        answer
    }

    /// What it makes of a packet that came.
    fn takes(&self, archive: &Archive) -> Take {
        if archive.packet.source != self.settings.gateway {
            return Take::Receipt(Response::OTHER);
        }
        (self.settings.take)(&archive.packet)
    }

    async fn is_signed(&self, archive: &Archive) -> bool {
        if !self.settings.verifies || matches!(archive.packet.body, Body::Check { .. }) {
            return true;
        }
        let signature = archive.signature.as_deref().map(Signature::read);
        let Some(Ok(signature)) = signature else {
            return false;
        };
        let held = self
            .settings
            .signer
            .verify(&archive.document, &signature.value);
        held.await.unwrap_or(false)
    }

    /// The receipt for a packet, and what it sets going.
    async fn taken(self: &Arc<Self>, archive: &Archive, code: u8) -> Vec<u8> {
        let code = if self.is_signed(archive).await {
            code
        } else {
            Response::SIGNATURE
        };
        if code <= Response::GOOD {
            self.goes_on(&archive.packet);
        }
        let response = Response {
            code,
            words: String::new(),
        };
        let mut packet = self.packet(Body::Response(response));
        packet.related = Some(archive.packet.id.clone());
        self.pack(packet).await
    }

    fn goes_on(self: &Arc<Self>, packet: &Packet) {
        let own = self.clone();
        match packet.body.clone() {
            Body::Ebm(ebm) if ebm.is_cancel() => {
                let of = ebm.related.clone().unwrap_or_default();
                self.keep(&ebm);
                let known = self.kept.lock().contains_key(&of);
                if known {
                    tokio::spawn(
                        async move { own.report(&of, Brd::Cancelled, None, Vec::new()).await },
                    );
                }
            }
            // A name that is known is the same message: it is not played twice.
            Body::Ebm(ebm) if self.keep(&ebm) => {
                let story = (self.settings.story)(&ebm);
                tokio::spawn(async move { own.tell(&ebm, &story).await });
            }
            Body::StateRequest { ebm } => {
                tokio::spawn(async move { own.repeat(&ebm).await });
            }
            Body::Omd(omd) if omd.wanted == LOG => {
                tokio::spawn(async move { own.log().await });
            }
            Body::Omd(omd) => {
                tokio::spawn(async move { own.terminals(&omd.wanted).await });
            }
            _ => {}
        }
    }
}

fn code(reply: &Reply) -> Option<u8> {
    match super::outcome::opened(reply)?.packet.body {
        Body::Response(response) => Some(response.code),
        _ => None,
    }
}
