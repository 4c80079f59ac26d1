//! An adapter that does not exist, over real TCP: it comes to the gateway or is dialled, keeps what it was told over a restart
//! of the gateway, plays as its manner says and keeps records. It is ours as the link is: that the two understand each other
//! proves the engine, and the protocol no further than its vectors do. For tests and the demo; never a part of the gateway.

mod played;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, Stop, SystemClock};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

use super::bytes::Id;
use super::frame::{Frame, Frames, Way};
use super::params::Set;
use super::report::{Heartbeat, PLAYED, Record, Up};
use crate::signing::{Nobody, Signer, Value};

/// What it does with a start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// Plays it, reports begin and end, and has a record of it.
    Plays,
    /// Takes it, and nothing more is ever heard of it.
    Takes,
    /// Takes it, and its record says that it failed.
    Fails,
    /// Answers with this code of the generic reply.
    Refuses(i32),
    /// Answers that it was not started.
    DoesNotStart,
    /// Reads it and never answers.
    Stalls,
    /// Closes every connection at once.
    HangsUp,
    /// Reads it and closes.
    HangsUpAfterWrite,
}

#[derive(Clone)]
pub struct Settings {
    pub code: String,
    /// Where the gateway listens; nowhere for an adapter that only waits to be dialled.
    pub gateway: Option<SocketAddr>,
    pub manner: Manner,
    pub heartbeat: Duration,
    pub play: Duration,
    /// How far its clock is ahead until it is set, in seconds.
    pub ahead: i64,
    /// Whether it knows the assumed answer to a status query.
    pub lists_status: bool,
    /// Which of its inputs is the platform.
    pub input: u8,
    /// The kind of its fault; 0 is none.
    pub fault: u8,
    /// Who signs what it says, and judges what it is told.
    pub signer: Arc<dyn Signer>,
}

impl Settings {
    /// One that plays, quickly.
    pub fn new(code: &str, gateway: Option<SocketAddr>) -> Self {
        Self {
            code: code.to_owned(),
            gateway,
            manner: Manner::Plays,
            heartbeat: Duration::from_millis(100),
            play: Duration::from_millis(100),
            ahead: 0,
            lists_status: false,
            input: 2,
            fault: 0,
            signer: Arc::new(Nobody),
        }
    }
}

/// A start or stop as it was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    pub ebm: String,
    pub stop: bool,
    pub class: u8,
    pub level: u8,
    pub event: String,
    pub text: String,
    pub codes: Vec<String>,
    pub input: u8,
}

#[derive(Default)]
struct Memory {
    heard: Vec<Heard>,
    records: Vec<Record>,
    volume: Option<u8>,
    ahead: i64,
    /// Every frame that came, by its opcode.
    opcodes: Vec<u8>,
    /// What was set.
    sets: Vec<Set>,
    /// How many were not the gateway's.
    forged: usize,
}

#[derive(Clone)]
enum Words {
    Up(Box<Up>),
    Bytes(Vec<u8>),
}

struct Box089 {
    settings: Settings,
    front: Id,
    memory: Mutex<Memory>,
    clock: SystemClock,
    /// What is said without being asked, on the connection to the gateway.
    says: broadcast::Sender<Words>,
}

/// A running adapter; it stops when this is dropped.
pub struct Peer {
    own: Arc<Box089>,
    stop: Stop,
    /// Where it takes commands.
    pub address: SocketAddr,
}

impl Peer {
    /// # Panics
    /// When its code is none.
    pub async fn start(settings: Settings) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (says, _) = broadcast::channel(64);
        let own = Arc::new(Box089 {
            front: settings.code.parse().expect("a code is digits"),
            memory: Mutex::new(Memory {
                ahead: settings.ahead,
                ..Memory::default()
            }),
            settings,
            clock: SystemClock::default(),
            says,
        });
        let peer = Self {
            own: own.clone(),
            stop: Stop::new(),
            address: listener.local_addr()?,
        };
        // Whoever dials one that hangs up is not let in: gone before anybody can be told where it was.
        let hangs_up = own.settings.manner == Manner::HangsUp;
        let listener = Some(listener).filter(|_| !hangs_up);
        let stop = peer.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = own.clone().comes() => {}
                () = own.is_dialled(listener) => {}
            }
        });
        Ok(peer)
    }

    /// Every start and stop, in the order they came.
    pub fn heard(&self) -> Vec<Heard> {
        self.own.memory.lock().heard.clone()
    }

    /// How many messages it has played to their end.
    pub fn played(&self) -> usize {
        let memory = self.own.memory.lock();
        let played = memory
            .records
            .iter()
            .filter(|record| record.state == PLAYED);
        played.count()
    }

    pub fn volume(&self) -> Option<u8> {
        self.own.memory.lock().volume
    }

    /// The opcodes of all that came.
    pub fn opcodes(&self) -> Vec<u8> {
        self.own.memory.lock().opcodes.clone()
    }

    /// What it was told of reports, callers and amplifiers.
    pub fn sets(&self) -> Vec<Set> {
        self.own.memory.lock().sets.clone()
    }

    /// How many frames it did not take, since they were not signed by the gateway.
    pub fn forged(&self) -> usize {
        self.own.memory.lock().forged
    }

    /// Says something of its own, on the connection to the gateway.
    pub fn say(&self, up: &Up) {
        // Nobody hears it while it is not connected.
        let _ = self.own.says.send(Words::Up(Box::new(up.clone())));
    }

    /// Says any bytes at all.
    pub fn say_bytes(&self, bytes: Vec<u8>) {
        let _ = self.own.says.send(Words::Bytes(bytes));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// As an adapter writes it.
pub fn frame(up: &Up) -> Vec<u8> {
    let (opcode, body) = up.write();
    Frame::new(Way::Up, opcode, body).write()
}

impl Box089 {
    /// Comes to the gateway, again and again.
    async fn comes(self: Arc<Self>) {
        let Some(gateway) = self.settings.gateway else {
            return std::future::pending().await;
        };
        loop {
            if let Ok(socket) = TcpStream::connect(gateway).await {
                self.talk(socket, true).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn is_dialled(self: Arc<Self>, listener: Option<TcpListener>) {
        let Some(listener) = listener else {
            return std::future::pending().await;
        };
        loop {
            if let Ok((socket, _)) = listener.accept().await {
                let own = self.clone();
                tokio::spawn(async move { own.talk(socket, false).await });
            }
        }
    }

    async fn talk(self: &Arc<Self>, mut socket: TcpStream, beats: bool) {
        if self.settings.manner == Manner::HangsUp {
            return;
        }
        let mut said = self.says.subscribe();
        let mut frames = Frames::new(Way::Down);
        let mut buffer = vec![0; 4096];
        let mut heart = tokio::time::interval(self.settings.heartbeat);
        let (mut reader, mut writer) = socket.split();
        loop {
            let mut out = Vec::new();
            tokio::select! {
                _ = heart.tick(), if beats => out.push(Words::Up(Box::new(self.beat()))),
                Ok(words) = said.recv(), if beats => out.push(words),
                read = reader.read(&mut buffer) => {
                    let Ok(length @ 1..) = read else { return };
                    frames.push(&buffer[..length]);
                    while let Some(Ok(frame)) = frames.take() {
                        if !self.believes(&frame).await {
                            self.memory.lock().forged += 1;
                            continue;
                        }
                        match self.told(&frame) {
                            Some(ups) => out.extend(ups.into_iter().map(|up| Words::Up(Box::new(up)))),
                            None => return,
                        }
                    }
                }
            }
            for words in out {
                let bytes = match words {
                    Words::Up(up) => self.signed(&up).await,
                    Words::Bytes(bytes) => bytes,
                };
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn believes(&self, frame: &Frame) -> bool {
        let signer = &self.settings.signer;
        let proved = signer.verify(&frame.covered(), &frame.seal).await;
        !signer.knows_peer() || proved == Ok(true)
    }

    async fn signed(&self, up: &Up) -> Vec<u8> {
        let (opcode, body) = up.write();
        let mut frame = Frame::new(Way::Up, opcode, body);
        let now = self.seconds();
        let sealed = self.settings.signer.sign(&frame.covered(), now).await;
        frame.seal = sealed.ok().flatten().unwrap_or(Value::NONE);
        frame.write()
    }

    fn seconds(&self) -> u32 {
        u32::try_from(self.clock.now().secs()).unwrap_or(u32::MAX)
    }

    fn beat(&self) -> Up {
        let ahead = self.memory.lock().ahead;
        let time = u32::try_from(i64::from(self.seconds()) + ahead).unwrap_or(0);
        Up::Heartbeat(Heartbeat {
            front: self.front.clone(),
            state: if self.settings.fault == 0 { 1 } else { 3 },
            extra: None,
            time,
        })
    }
}
