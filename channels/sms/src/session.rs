//! The session: one task connects, binds, owns the socket and comes back when it is lost. Receipts are handed on by a
//! task beside it, in order, so that a slow store never holds up the answers to what we sent. This module must not
//! retry a message: it only says what became of it.

mod incoming;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use channel::{Context, Failure, FailureClass, Stop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::bind::{BIND_SEQUENCE, open};
use crate::config::Config;
use crate::hand_on::{Handed, hand_on};
use crate::link::{AGES, Counts, Freed, Live};
use crate::pdu::{self, Body};
use crate::quiet::Quiet;
use crate::status;

/// Receipts that may wait for the store; more are left unanswered, and come again.
const UNANSWERED: usize = 10_000;
pub(crate) const READ: usize = 64 * 1024;
/// How long a stop waits for answers, and then for the end of the session.
const FAREWELL: Duration = Duration::from_millis(1_500);

#[derive(Clone)]
pub(crate) enum State {
    /// The first bind is not decided.
    Starting,
    Bound(Arc<Live>),
    Down(Failure),
}

pub(crate) fn down(
    code: impl Into<std::borrow::Cow<'static, str>>,
    detail: &'static str,
) -> Failure {
    Failure::new(FailureClass::LinkDown, code, detail)
}

/// Says that the link is down, also when the task is aborted.
struct Farewell<'a>(&'a watch::Sender<State>);

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        self.0.send_replace(State::Down(down(
            "smpp:stopped",
            "the channel does not run",
        )));
    }
}

pub(crate) async fn run(
    config: &Config,
    context: &Context,
    state: &watch::Sender<State>,
    counts: &Arc<Counts>,
    stop: &Stop,
) {
    let _farewell = Farewell(state);
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut beside = JoinSet::new();
    beside.spawn(hand_on(context.inlet.clone(), receiver));
    let mut wait = config.reconnect_min_millis;
    while !stop.is_cancelled() {
        let opened = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            opened = open(config) => opened,
        };
        let why = match opened {
            Ok((socket, buffer)) => {
                wait = config.reconnect_min_millis;
                tracing::info!(channel = %context.name, "bound");
                let live = Arc::new(Live::new(config.window, BIND_SEQUENCE + 1));
                let mut session = Session {
                    config,
                    context,
                    counts,
                    live: live.clone(),
                    receipts: &sender,
                    written: 0,
                    code: "tcp:closed",
                    told: false,
                    buffer,
                };
                state.send_replace(State::Bound(live));
                session.run(socket, stop).await
            }
            Err(why) => {
                // Nothing but a person changes a refused password; ask seldom, so that the account is not locked.
                if matches!(&*why.code, "smpp:0x0D" | "smpp:0x0E" | "smpp:0x0F") {
                    wait = config.reconnect_max_millis;
                }
                why
            }
        };
        if stop.is_cancelled() {
            return;
        }
        tracing::warn!(channel = %context.name, code = %why.code, "no session: {}", why.detail);
        state.send_replace(State::Down(why));
        // Half to the whole of the wait, so that many gateways do not come back at once.
        let jittered = Duration::from_millis(fastrand::u64(wait / 2..=wait));
        wait = wait.saturating_mul(2).min(config.reconnect_max_millis);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(jittered) => {}
        }
    }
}

pub(crate) fn no_smpp(_: pdu::Malformed) -> Failure {
    down(
        "smpp:malformed",
        "the far end sent bytes that are no SMPP; check host and port",
    )
}

/// Bytes that the socket is taking.
struct Begun {
    bytes: Vec<u8>,
    at: usize,
}

impl Begun {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }
}

fn closed() -> Failure {
    down("tcp:closed", "the far end closed the connection")
}

struct Session<'a> {
    config: &'a Config,
    context: &'a Context,
    counts: &'a Counts,
    live: Arc<Live>,
    receipts: &'a mpsc::UnboundedSender<Handed>,
    /// Bytes that the socket took.
    written: u64,
    code: &'static str,
    /// The far end still listens at the end: there are last words for it.
    told: bool,
    buffer: BytesMut,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.live.close(self.written, self.code);
    }
}

impl Session<'_> {
    /// Returns why the session ended.
    async fn run(&mut self, mut socket: TcpStream, stop: &Stop) -> Failure {
        let (mut reader, mut writer) = socket.split();
        let mut begun = Begun {
            bytes: Vec::with_capacity(READ),
            at: 0,
        };
        // The far end may have sent more behind its bind's answer.
        let end = match self.read() {
            Some(end) => end,
            None => self.serve(&mut reader, &mut writer, &mut begun, stop).await,
        };
        if self.told {
            self.last_words(&mut writer, begun.rest()).await;
        }
        end
    }

    async fn serve(
        &mut self,
        reader: &mut ReadHalf<'_>,
        writer: &mut WriteHalf<'_>,
        begun: &mut Begun,
        stop: &Stop,
    ) -> Failure {
        let mut age = tokio::time::interval(self.config.answer_timeout() / AGES);
        age.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        age.reset();
        let patience = tokio::time::sleep(FAREWELL);
        tokio::pin!(patience);
        let mut quiet = Quiet::new(self.config);
        let (mut stopping, mut unbinding) = (false, false);
        loop {
            if begun.rest().is_empty() {
                self.live.swap(&mut begun.bytes);
                begun.at = 0;
            }
            if stopping && !unbinding && self.settled() {
                unbinding = true;
                self.unbind();
            }
            tokio::select! {
                read = reader.read_buf(&mut self.buffer) => {
                    if !matches!(read, Ok(1..)) {
                        return closed();
                    }
                    quiet.heard();
                    if let Some(end) = self.read() {
                        return end;
                    }
                }
                wrote = writer.write(begun.rest()), if !begun.rest().is_empty() => {
                    let Ok(bytes @ 1..) = wrote else { return closed() };
                    begun.at += bytes;
                    self.written += bytes as u64;
                }
                () = self.live.wake.notified(), if begun.rest().is_empty() => {}
                _ = age.tick() => if self.grow(&mut quiet) {
                    self.code = "smpp:dead";
                    return down("smpp:dead", "the far end did not answer enquire_link in time");
                },
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    self.live.shut();
                    patience.as_mut().reset(tokio::time::Instant::now() + FAREWELL);
                }
                () = &mut patience, if stopping => {
                    if unbinding {
                        return down("smpp:stopped", "the channel was stopped");
                    }
                    unbinding = true;
                    self.unbind();
                    patience.as_mut().reset(tokio::time::Instant::now() + FAREWELL);
                }
            }
        }
    }

    /// Nothing is under way in either direction.
    fn settled(&self) -> bool {
        self.live.waiting() == 0 && self.live.unanswered.load(Ordering::Acquire) == 0
    }

    fn unbind(&self) {
        let farewell = (pdu::MAX_SEQUENCE, status::OK, Body::Unbind);
        self.live.put(std::iter::once(farewell));
    }

    /// Writes what is left, our answer to an `unbind` above all, if the socket takes it soon.
    async fn last_words(&mut self, writer: &mut WriteHalf<'_>, begun: &[u8]) {
        let mut rest = Vec::new();
        self.live.shut();
        self.live.swap(&mut rest);
        for bytes in [begun, &rest] {
            let done = tokio::time::timeout(FAREWELL / 3, writer.write_all(bytes)).await;
            // Counted as written even if cut short: then it is in doubt rather than sent twice unnoticed.
            self.written += bytes.len() as u64;
            if !matches!(done, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// One age passes: silence becomes doubt, and a quiet link is asked. True when the link is dead.
    fn grow(&self, quiet: &mut Quiet) -> bool {
        let mut freed = Freed::default();
        let dead = self.live.grow(&mut freed);
        freed.done(&self.live);
        if quiet.grow() {
            self.live.enquire();
        }
        dead
    }
}
