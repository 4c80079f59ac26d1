//! One connection with an adapter or a terminal, whoever opened it: bytes become frames, frames are proved, and what stands in
//! them goes on. Whoever does not say in time who they are, is not named in the settings, or sends too much that is no
//! frame, is hung up on. This module must not decide what a report means.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use channel::Stop;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, Sleep, sleep};

use super::assumed::ReportAnswer;
use super::bytes::Id;
use super::caller::Caller;
use super::config::Dialect;
use super::desk::Desk;
use super::fefd::Packet;
use super::frame::{Broken, Frame};
use super::link::Session;
use super::plan::seconds;
use super::report::Up;
use super::task::{Down, Generic};
use super::wire::{Incoming, Item};
use crate::signing::Value;

/// How long a caller may be silent on who it is.
const HELLO: Duration = Duration::from_secs(10);
const READ: usize = 16 * 1024;
/// Connections beyond one for each who is named.
const SPARE: usize = 64;
/// Between two tries to listen.
const AGAIN: Duration = Duration::from_secs(2);

/// What a frame calls for.
pub enum Then {
    Nothing,
    Say(Down),
    Packet(Packet),
    HangUp,
}

impl Desk {
    /// Listens until `stop`; where the port is taken it is tried again.
    pub async fn listen(self: &Arc<Self>, stop: &Stop) {
        let Some(wanted) = self.config.listen else {
            *self.listening.lock() = Ok(None);
            return stop.cancelled().await;
        };
        let named: usize = self
            .config
            .adapter
            .iter()
            .map(|a| 1 + a.terminals.len())
            .sum();
        let room = Arc::new(Semaphore::new(2 * named + SPARE));
        loop {
            match TcpListener::bind(wanted).await {
                Ok(listener) => {
                    *self.listening.lock() = Ok(listener.local_addr().ok());
                    return self.accept(&listener, &room, stop).await;
                }
                Err(error) => {
                    let why = format!("cannot listen on {wanted}: {}", error.kind());
                    *self.listening.lock() = Err(why);
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(AGAIN) => {}
            }
        }
    }

    async fn accept(self: &Arc<Self>, listener: &TcpListener, room: &Arc<Semaphore>, stop: &Stop) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((socket, from)) = accepted else {
                // Out of files: they come back.
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Ok(place) = room.clone().try_acquire_owned() else {
                self.refuse("crowded");
                continue;
            };
            let (out, inbox) = mpsc::channel(16);
            let session = Session {
                by: self.connection(),
                out,
                stop: stop.child_token(),
            };
            let desk = self.clone();
            tokio::spawn(async move {
                desk.converse(socket, Caller::stranger(from.ip(), session), inbox)
                    .await;
                drop(place);
            });
        }
    }

    /// Until either side has enough.
    pub async fn converse(
        &self,
        mut socket: TcpStream,
        mut caller: Caller,
        mut inbox: mpsc::Receiver<Vec<u8>>,
    ) {
        // A command is one small frame.
        let _ = socket.set_nodelay(true);
        let (mut reader, mut writer) = socket.split();
        let mut frames = Incoming::Silent;
        let mut buffer = vec![0; READ];
        let patience = self.config.answer_timeout;
        let hello = sleep(HELLO.min(self.config.silent_after));
        let (silence, torn) = (sleep(self.config.silent_after), sleep(patience));
        tokio::pin!(hello, silence, torn);
        let stop = caller.session.stop.clone();
        'talk: loop {
            let bytes = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                bytes = inbox.recv() => bytes,
                read = reader.read(&mut buffer) => {
                    let Ok(length @ 1..) = read else { break };
                    let now = Instant::now();
                    if !frames.is_waiting() {
                        // By its beginning: a length that lies must not swallow what is said after it.
                        torn.as_mut().reset(now + patience);
                    }
                    frames.push(&buffer[..length]);
                    silence.as_mut().reset(now + self.config.silent_after);
                    None
                }
                () = &mut torn, if frames.is_waiting() => {
                    let broken = frames.give_up();
                    torn.as_mut().reset(Instant::now() + patience);
                    if self.broken(&mut caller, broken).is_none() {
                        break;
                    }
                    None
                }
                () = &mut hello, if caller.at.is_none() => {
                    self.refuse("anonymous");
                    break;
                }
                () = &mut silence => break,
            };
            let Some(answers) = self.answers(&mut frames, &mut caller, torn.as_mut()).await else {
                break;
            };
            let said = bytes.into_iter().chain(answers);
            for bytes in said {
                let wrote = tokio::time::timeout(patience, writer.write_all(&bytes)).await;
                if !matches!(wrote, Ok(Ok(()))) {
                    break 'talk;
                }
            }
        }
        self.left(&caller);
    }

    /// What is said to all that has come to its end by now; nothing where it is hung up on. What has begun behind it has its
    /// own time.
    async fn answers(
        &self,
        frames: &mut Incoming,
        caller: &mut Caller,
        mut torn: Pin<&mut Sleep>,
    ) -> Option<Vec<Vec<u8>>> {
        let mut said = Vec::new();
        while let Some(one) = frames.take() {
            let now = Instant::now();
            torn.as_mut().reset(now + self.config.answer_timeout);
            if caller.floods(now) {
                self.refuse("flooding");
                return None;
            }
            match self.heard(one, caller).await {
                Then::Nothing => {}
                Then::Say(down) => said.extend(self.written(&down).await.ok()),
                Then::Packet(packet) => said.extend(self.written_packet(packet).await.ok()),
                Then::HangUp => return None,
            }
        }
        Some(said)
    }

    /// The connection is over.
    fn left(&self, caller: &Caller) {
        let by = caller.session.by;
        if let Some(at) = caller.at {
            self.links[at].close(by);
        }
        if let Some(front) = &caller.front {
            let mut sessions = self.sessions.lock();
            if sessions.get(front).is_some_and(|(other, _)| *other == by) {
                sessions.remove(front);
            }
        }
    }

    /// Counts what is no frame; nothing when there was too much of it.
    fn broken(&self, caller: &mut Caller, broken: Option<Broken>) -> Option<()> {
        let Some(broken) = broken else {
            return Some(());
        };
        self.refuse(broken.name());
        (!caller.faulty()).then_some(())
    }

    async fn heard(&self, one: Result<Item, Broken>, caller: &mut Caller) -> Then {
        let item = match one {
            Ok(item) => item,
            Err(broken) => {
                if self.broken(caller, Some(broken)).is_none() {
                    return Then::HangUp;
                }
                return match broken {
                    Broken::Noise(_) => Then::Nothing,
                    Broken::Version(_) => self.complain(caller, 2),
                    Broken::Oversized(_) | Broken::Block(_) => self.complain(caller, 1),
                    Broken::Crc | Broken::Unfinished => self.complain(caller, -1),
                };
            }
        };
        match item {
            Item::Frame(frame) => self.frame(&frame, caller).await,
            Item::Packet(packet) => self.packet(packet, caller).await,
        }
    }

    /// Whether whoever speaks has signed it, before anything comes of it; why not, as it is counted.
    pub async fn proved(
        &self,
        front: Option<&Id>,
        caller: &Caller,
        covered: impl FnOnce() -> Vec<u8>,
        seal: &Value,
    ) -> Result<(), &'static str> {
        let at = front.and_then(|front| self.routes.serving(front));
        let now = seconds(self.context.clock.now());
        self.seals.judge(at.or(caller.at), covered, seal, now).await
    }

    async fn frame(&self, frame: &Frame, caller: &mut Caller) -> Then {
        let up = match Up::read(frame.opcode, &frame.body) {
            Some(Ok(up)) => up,
            Some(Err(_)) => return self.faulty(caller, "malformed", 1),
            None => return self.faulty(caller, "unknown-opcode", -1),
        };
        let covered = || frame.covered();
        if let Err(why) = self.proved(up.front(), caller, covered, &frame.seal).await {
            return self.faulty(caller, why, -1);
        }
        let admitted = match up.front() {
            Some(front) => self.admit(front, caller),
            None => caller.at.ok_or("anonymous"),
        };
        let old = |at: &usize| self.config.adapter[*at].dialect != Dialect::Gdj089;
        match admitted {
            Ok(at) if old(&at) => self.faulty(caller, "other-dialect", -1),
            Ok(at) => {
                caller.fine();
                self.act(at, up, caller).await
            }
            Err(why) => {
                self.refuse(why);
                caller.overstepped()
            }
        }
    }

    pub fn faulty(&self, caller: &mut Caller, why: &'static str, code: i32) -> Then {
        self.refuse(why);
        if caller.faulty() {
            return Then::HangUp;
        }
        self.complain(caller, code)
    }

    /// The generic reply to what could not be taken, for those who are known.
    fn complain(&self, caller: &Caller, code: i32) -> Then {
        let answers = |at: usize| {
            let adapter = &self.config.adapter[at];
            let generic = adapter.assumed.report_answer == ReportAnswer::Generic;
            generic && adapter.dialect == Dialect::Gdj089
        };
        if caller.at.is_some_and(answers) {
            let text = Vec::new();
            Then::Say(Down::Reply(Generic { code, text }))
        } else {
            Then::Nothing
        }
    }
}
