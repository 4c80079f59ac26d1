//! One connection with an adapter or a terminal, whoever opened it: bytes become frames, frames are proved, and what stands in
//! them goes on. Whoever does not say in time who they are, is not named in the settings, or sends too much that is no
//! frame, is hung up on. This module must not decide what a report means.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use channel::Stop;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep};

use super::assumed::ReportAnswer;
use super::bytes::Id;
use super::desk::Desk;
use super::frame::{Broken, Frame, Frames, Way};
use super::link::Session;
use super::plan::seconds;
use super::report::Up;
use super::task::{Down, Generic};

/// How long a caller may be silent on who it is.
const HELLO: Duration = Duration::from_secs(10);
/// So much in a row that is no good frame, and the connection is not worth keeping.
const FAULTS: u8 = 8;
const READ: usize = 16 * 1024;
/// Connections beyond one for each who is named.
const SPARE: usize = 64;
/// Between two tries to listen.
const AGAIN: Duration = Duration::from_secs(2);

/// Who is at the other end.
pub struct Caller {
    pub session: Session,
    pub from: IpAddr,
    /// The adapter that it is, or belongs to; nothing before it has said so.
    pub at: Option<usize>,
    /// A terminal by itself speaks for itself alone.
    pub alone: Option<Id>,
    /// As what it stands among the sessions.
    pub front: Option<Id>,
    faults: u8,
}

impl Caller {
    pub fn dialled(at: usize, from: IpAddr, session: Session) -> Self {
        Self {
            at: Some(at),
            ..Self::stranger(from, session)
        }
    }

    fn stranger(from: IpAddr, session: Session) -> Self {
        Self {
            session,
            from,
            at: None,
            alone: None,
            front: None,
            faults: 0,
        }
    }
}

/// What a frame calls for.
pub enum Then {
    Nothing,
    Say(Down),
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
        let mut frames = Frames::new(Way::Up);
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
                    frames.push(&buffer[..length]);
                    silence.as_mut().reset(Instant::now() + self.config.silent_after);
                    torn.as_mut().reset(Instant::now() + patience);
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
            let mut said: Vec<_> = bytes.into_iter().collect();
            while let Some(one) = frames.take() {
                match self.heard(one, &mut caller).await {
                    Then::Nothing => {}
                    Then::Say(down) => said.extend(self.written(&down).await.ok()),
                    Then::HangUp => break 'talk,
                }
            }
            for bytes in said {
                let wrote = tokio::time::timeout(patience, writer.write_all(&bytes)).await;
                if !matches!(wrote, Ok(Ok(()))) {
                    break 'talk;
                }
            }
        }
        self.left(&caller);
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
        if let Some(broken) = broken {
            self.refuse(broken.name());
            caller.faults += 1;
        }
        (caller.faults < FAULTS).then_some(())
    }

    async fn heard(&self, one: Result<Frame, Broken>, caller: &mut Caller) -> Then {
        let frame = match one {
            Ok(frame) => frame,
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
        let (now, window) = (seconds(self.context.clock.now()), self.config.time_window);
        let window = u32::try_from(window.as_secs()).unwrap_or(u32::MAX);
        let judged = self.seen.judge(&*self.sealer, &frame, now, window).await;
        let (why, code) = match (judged, Up::read(frame.opcode, &frame.body)) {
            (Ok(()), Some(Ok(up))) => {
                caller.faults = 0;
                return match self.admit(&up, caller) {
                    Ok(at) => self.act(at, up, caller).await,
                    Err(why) => {
                        self.refuse(why);
                        // Who is known and oversteps stays; a stranger does not.
                        if caller.at.is_some() {
                            Then::Nothing
                        } else {
                            Then::HangUp
                        }
                    }
                };
            }
            (Ok(()), Some(Err(_))) => ("malformed", 1),
            (Ok(()), None) => ("unknown-opcode", -1),
            (Err(why), _) => (why, -1),
        };
        self.refuse(why);
        caller.faults += 1;
        if caller.faults >= FAULTS {
            return Then::HangUp;
        }
        self.complain(caller, code)
    }

    /// The generic reply to what could not be taken, for those who are known.
    fn complain(&self, caller: &Caller, code: i32) -> Then {
        let answers =
            |at: usize| self.config.adapter[at].assumed.report_answer == ReportAnswer::Generic;
        if caller.at.is_some_and(answers) {
            let text = Vec::new();
            Then::Say(Down::Reply(Generic { code, text }))
        } else {
            Then::Nothing
        }
    }

    /// For which adapter this may be said on this connection; why not, as it is counted.
    fn admit(&self, up: &Up, caller: &mut Caller) -> Result<usize, &'static str> {
        let Some(front) = up.front() else {
            return caller.at.ok_or("anonymous");
        };
        if let Some(at) = caller.at {
            let own = match &caller.alone {
                Some(alone) => alone == front,
                None => self.routes.serving(front) == Some(at),
            };
            return own.then_some(at).ok_or("not-its-own");
        }
        let at = self.routes.named(front).ok_or("unregistered")?;
        let from = &self.config.adapter[at].from;
        if !from.is_empty() && !from.contains(&caller.from) {
            return Err("wrong-address");
        }
        caller.at = Some(at);
        caller.front = Some(front.clone());
        let session = &caller.session;
        let own = (session.by, session.stop.clone());
        if let Some((_, older)) = self.sessions.lock().insert(front.clone(), own) {
            older.cancel();
        }
        if self.routes.is_adapter(at, front) {
            self.links[at].open(session.clone());
        } else {
            caller.alone = Some(front.clone());
        }
        Ok(at)
    }
}
