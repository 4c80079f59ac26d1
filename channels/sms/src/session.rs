//! The session: one task connects, binds, owns the socket and comes back when it is lost. Receipts are handed on by a
//! task beside it, in order, so that a slow store never holds up the answers to what we sent. This module must not
//! retry a message: it only says what became of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use channel::{Context, Failure, FailureClass, Receipt, Stop};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::WriteHalf;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::bind::{BIND_SEQUENCE, open};
use crate::config::Config;
use crate::hand_on::{Handed, hand_on};
use crate::link::{AGES, Counts, Freed, Live};
use crate::pdu::{self, Body, Pdu, Sm};
use crate::quiet::Quiet;
use crate::receipt::{self, Reading};
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

/// What one read brought, to be acted on once.
struct Tray {
    freed: Freed,
    answers: Vec<(u32, u32, Body<'static>)>,
    sequences: Vec<u32>,
    receipts: Vec<Receipt>,
    end: Option<Failure>,
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
        let (mut out, mut at) = (Vec::with_capacity(READ), 0);
        let mut age = tokio::time::interval(self.config.answer_timeout() / AGES);
        age.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        age.reset();
        let patience = tokio::time::sleep(FAREWELL);
        tokio::pin!(patience);
        let mut quiet = Quiet::new(self.config);
        let (mut stopping, mut unbinding) = (false, false);
        // The far end may have sent more behind its bind's answer.
        if let Some(end) = self.read() {
            self.last_words(&mut writer, &[]).await;
            return end;
        }
        loop {
            if at == out.len() {
                self.live.swap(&mut out);
                at = 0;
            }
            if stopping
                && !unbinding
                && self.live.waiting() == 0
                && self.live.unanswered.load(Ordering::Acquire) == 0
            {
                unbinding = true;
                self.live.put(std::iter::once((
                    pdu::MAX_SEQUENCE,
                    status::OK,
                    Body::Unbind,
                )));
            }
            tokio::select! {
                read = reader.read_buf(&mut self.buffer) => {
                    if !matches!(read, Ok(1..)) {
                        return down("tcp:closed", "the far end closed the connection");
                    }
                    quiet.heard();
                    if let Some(end) = self.read() {
                        self.last_words(&mut writer, &out[at..]).await;
                        return end;
                    }
                }
                wrote = writer.write(&out[at..]), if at < out.len() => match wrote {
                    Ok(1..) => {
                        let bytes = wrote.unwrap_or_default();
                        at += bytes;
                        self.written += bytes as u64;
                    }
                    _ => return down("tcp:closed", "the far end closed the connection"),
                },
                () = self.live.wake.notified(), if at == out.len() => {}
                _ = age.tick() => {
                    if self.grow(&mut quiet) {
                        self.code = "smpp:dead";
                        return down("smpp:dead", "the far end did not answer enquire_link in time");
                    }
                }
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
                    self.live.put(std::iter::once((pdu::MAX_SEQUENCE, status::OK, Body::Unbind)));
                    patience.as_mut().reset(tokio::time::Instant::now() + FAREWELL);
                }
            }
        }
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
        let mut freed = Freed::new();
        let dead = self.live.grow(&mut freed);
        freed.done(&self.live);
        if quiet.grow() {
            self.live.enquire();
        }
        dead
    }

    /// Acts on every whole PDU in the buffer. Returns why the session must end, if it must.
    fn read(&mut self) -> Option<Failure> {
        let mut tray = Tray {
            freed: Freed::new(),
            answers: Vec::new(),
            sequences: Vec::new(),
            receipts: Vec::new(),
            end: None,
        };
        let mut used = 0;
        while tray.end.is_none() {
            match pdu::check(&self.buffer[used..]) {
                Ok(Some(length)) => {
                    let frame = &self.buffer[used..used + length];
                    used += length;
                    match pdu::parse(frame) {
                        Ok(pdu) => self.take(&pdu, &mut tray),
                        Err(_) => self.unreadable(frame, &mut tray),
                    }
                }
                Ok(None) => break,
                Err(malformed) => tray.end = Some(no_smpp(malformed)),
            }
        }
        self.buffer.advance(used);
        self.buffer.reserve(READ / 2);
        tray.freed.done(&self.live);
        if !tray.answers.is_empty() {
            self.live.put(tray.answers.into_iter());
        }
        if !tray.receipts.is_empty() {
            self.live
                .unanswered
                .fetch_add(tray.receipts.len(), Ordering::AcqRel);
            let handed = Handed {
                live: self.live.clone(),
                sequences: tray.sequences,
                receipts: tray.receipts,
            };
            // The other side lives as long as `run`.
            let _ = self.receipts.send(handed);
        }
        tray.end
    }

    fn take(&self, pdu: &Pdu<'_>, tray: &mut Tray) {
        let Pdu {
            status,
            sequence,
            body,
        } = *pdu;
        match body {
            Body::SubmitSmResp { message_id } => {
                let result = match status {
                    status::OK => Ok(receipt::reference(message_id, self.config.receipt_id)),
                    _ => Err(status::refused(status)),
                };
                self.answered(sequence, result, tray);
                if status == status::INVALID_BIND_STATUS {
                    tray.end = Some(down(
                        status::code(status),
                        "the far end holds this session for unbound",
                    ));
                }
            }
            Body::GenericNack => self.answered(sequence, Err(status::refused(status)), tray),
            Body::EnquireLinkResp => self.answered(sequence, Ok(String::new()), tray),
            Body::DeliverSm(sm) => self.deliver(&sm, sequence, tray),
            Body::EnquireLink => tray
                .answers
                .push((sequence, status::OK, Body::EnquireLinkResp)),
            Body::Unbind => {
                tray.answers.push((sequence, status::OK, Body::UnbindResp));
                tray.end = Some(down("smpp:unbound", "the far end ended the session"));
            }
            Body::UnbindResp => tray.end = Some(down("smpp:stopped", "the channel was stopped")),
            // The one request that has no answer.
            Body::Other(pdu::command::ALERT_NOTIFICATION) => {}
            Body::Other(id) if id & pdu::command::ANSWER == 0 => {
                tray.answers
                    .push((sequence, status::INVALID_COMMAND, Body::GenericNack));
            }
            Body::SubmitSm(_) | Body::BindTransceiver(_) => {
                tray.answers
                    .push((sequence, status::INVALID_COMMAND, Body::GenericNack));
            }
            Body::Other(_) | Body::BindTransceiverResp { .. } | Body::DeliverSmResp => {}
        }
    }

    fn answered(&self, sequence: u32, result: Result<String, Failure>, tray: &mut Tray) {
        if !self.live.answer(sequence, result, &mut tray.freed) {
            Counts::add(&self.counts.late);
        }
    }

    fn deliver(&self, sm: &Sm<'_>, sequence: u32, tray: &mut Tray) {
        if !sm.is_receipt() {
            Counts::add(&self.counts.replies);
            tray.answers
                .push((sequence, status::OK, Body::DeliverSmResp));
            return;
        }
        let reading = Reading {
            id: self.config.receipt_id,
            utc_offset_minutes: self.config.receipt_utc_offset_minutes,
        };
        let Some(receipt) = receipt::read(sm, reading, self.context.clock.now()) else {
            // It would come again for ever; there is nothing that it could be matched to.
            Counts::add(&self.counts.unreadable);
            tray.answers
                .push((sequence, status::OK, Body::DeliverSmResp));
            return;
        };
        if self.live.unanswered.load(Ordering::Acquire) + tray.receipts.len() >= UNANSWERED {
            Counts::add(&self.counts.overflow);
            return;
        }
        tray.sequences.push(sequence);
        tray.receipts.push(receipt);
    }

    /// A PDU of the right length whose inside is wrong: the stream still stands, so the session does.
    fn unreadable(&self, frame: &[u8], tray: &mut Tray) {
        Counts::add(&self.counts.unreadable);
        if let Some((pdu::command::DELIVER_SM, sequence)) = pdu::head(frame) {
            tray.answers
                .push((sequence, status::PERMANENT, Body::DeliverSmResp));
        }
    }
}
