//! The sessions of one account: a task a connection connects, logs in, owns the socket and comes back when it is lost.
//! Receipts are handed on by a task beside them, in order, so that a slow store never holds up the answers to what we
//! sent. What differs between protocols is in their `Dialect`. This module must not retry a message: it only says what
//! became of it.

mod account;
mod group;
mod hand_on;
mod incoming;
mod link;
mod open;
mod pending;
mod quiet;
mod submit;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use channel::{Context, Failure, Stop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;

pub(crate) use account::Account;
use hand_on::Handed;
use link::{AGES, Counts, Freed, Live};
use quiet::Quiet;
pub(crate) use submit::{no_number, too_long};

use crate::config::Line;
use crate::dialect::{Dialect, Words, down};

/// Receipts that may wait for the store; more are left unanswered, and come again.
const UNANSWERED: usize = 10_000;
const READ: usize = 64 * 1024;
/// How long a stop waits for answers, and then for the end of the session.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// What became of one connection.
#[derive(Clone)]
pub(crate) enum State {
    /// The first login is not decided.
    Starting,
    Bound(Arc<Live>),
    Down(Failure),
}

fn stopped(words: &Words) -> State {
    State::Down(down(words.stopped, "the channel does not run"))
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
    line: &'a Line,
    dialect: &'a dyn Dialect,
    context: &'a Context,
    counts: &'a Counts,
    live: Arc<Live>,
    handed: &'a mpsc::UnboundedSender<Handed>,
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
        // The far end may have sent more behind its login's answer.
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
        let mut age = tokio::time::interval(self.line.answer_timeout() / AGES);
        age.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        age.reset();
        let patience = tokio::time::sleep(FAREWELL);
        tokio::pin!(patience);
        let mut quiet = Quiet::new(self.line);
        let (mut stopping, mut parting) = (false, false);
        loop {
            if begun.rest().is_empty() {
                self.live.swap(&mut begun.bytes);
                begun.at = 0;
            }
            if stopping && !parting && self.settled() {
                parting = true;
                self.live.farewell();
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
                    return self.dead();
                },
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    self.live.shut();
                    patience.as_mut().reset(tokio::time::Instant::now() + FAREWELL);
                }
                () = &mut patience, if stopping => {
                    if parting {
                        return down(self.dialect.words().stopped, "the channel was stopped");
                    }
                    parting = true;
                    self.live.farewell();
                    patience.as_mut().reset(tokio::time::Instant::now() + FAREWELL);
                }
            }
        }
    }

    /// Nothing is under way in either direction.
    fn settled(&self) -> bool {
        self.live.waiting() == 0 && self.live.unanswered.load(Ordering::Acquire) == 0
    }

    fn dead(&mut self) -> Failure {
        let words = self.dialect.words();
        self.code = words.dead;
        down(
            words.dead,
            format!("the far end did not answer {} in time", words.enquire),
        )
    }

    /// Writes what is left, our answer to a farewell above all, if the socket takes it soon.
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
