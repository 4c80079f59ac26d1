//! One session of the peer: reads in batches, decides, keeps, and writes each batch of answers at once. This module
//! must not outlive its socket: whatever is unanswered goes back to the post.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use channel::Clock;
use channel::testing::Behaviour;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::deliver::decimal;
use super::post::Letter;
use super::{Report, Shared, Submit, Verdict};
use crate::pdu::{self, Bind, Body, Pdu, Sm};
use crate::status;

pub(super) const READ: usize = 256 * 1024;
/// Receipts of other sessions are looked for at least this often.
pub(super) const LOOK: Duration = Duration::from_millis(10);

/// The session must end.
struct Over;

/// A receipt in the hands of the other side.
pub(super) struct Sent {
    pub letter: Option<Letter>,
    /// When it goes again.
    pub again: u64,
}

pub(super) struct Session<'a> {
    pub shared: &'a Shared,
    pub bound: bool,
    pub out: Vec<u8>,
    pub letters: Vec<Letter>,
    pub answered: Vec<u64>,
    /// Receipts in the order of their sequence numbers, from `first`.
    pub sent: VecDeque<Sent>,
    pub first: u32,
    pub open: usize,
    pub options: Vec<u8>,
    pub text: Vec<u8>,
    /// When the bytes came that are being read.
    read_at: u64,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let shared = self.shared;
        // What was just read belongs to nobody else either.
        shared.post.keep(&mut self.letters);
        shared
            .post
            .back(self.sent.drain(..).filter_map(|sent| sent.letter));
    }
}

pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

pub(super) async fn serve(mut socket: TcpStream, shared: &Shared) {
    let _ = socket.set_nodelay(true);
    let mut session = Session {
        shared,
        bound: false,
        out: Vec::with_capacity(READ),
        letters: Vec::new(),
        answered: Vec::new(),
        sent: VecDeque::new(),
        first: 1,
        open: 0,
        options: Vec::new(),
        text: Vec::new(),
        read_at: 0,
    };
    let (mut reader, mut writer) = socket.split();
    let mut buffer = BytesMut::with_capacity(READ);
    let (mut writing, mut at) = (Vec::with_capacity(READ), 0);
    let mut over = false;
    loop {
        let wait = if over { LOOK } else { session.deliver() };
        if at == writing.len() {
            if over && session.out.is_empty() {
                return;
            }
            writing.clear();
            at = 0;
            std::mem::swap(&mut writing, &mut session.out);
        }
        tokio::select! {
            biased;
            wrote = writer.write(&writing[at..]), if at < writing.len() => match wrote {
                Ok(bytes @ 1..) => at += bytes,
                _ => return,
            },
            // Answers that the other side does not take must not pile up.
            read = reader.read_buf(&mut buffer), if !over && session.out.len() < 4 * READ => {
                if !matches!(read, Ok(1..)) {
                    return;
                }
                match session.read(&mut buffer) {
                    Ok(unbound) => over = unbound,
                    Err(Over) => return,
                }
            }
            () = tokio::time::sleep(wait), if !over => {}
        }
    }
}

impl Session<'_> {
    pub fn now(&self) -> u64 {
        u64::try_from(self.shared.clock.tick().as_millis()).unwrap_or(u64::MAX)
    }

    /// Acts on every whole PDU. True when the other side said farewell.
    fn read(&mut self, buffer: &mut BytesMut) -> Result<bool, Over> {
        let mut used = 0;
        let mut over = false;
        self.read_at = self.now();
        while let Some(length) = pdu::check(&buffer[used..]).map_err(|_| Over)? {
            let pdu = pdu::parse(&buffer[used..used + length]).map_err(|_| Over)?;
            used += length;
            over |= self.take(&pdu)?;
        }
        buffer.advance(used);
        buffer.reserve(READ / 2);
        // On disk before the answers are written.
        self.shared.post.keep(&mut self.letters);
        self.shared.post.done(&self.answered);
        add(
            &self.shared.counts.receipts_answered,
            self.answered.len() as u64,
        );
        self.answered.clear();
        Ok(over)
    }

    fn take(&mut self, pdu: &Pdu<'_>) -> Result<bool, Over> {
        let sequence = pdu.sequence;
        match pdu.body {
            Body::BindTransceiver(bind) => self.bind(&bind, sequence),
            Body::SubmitSm(_) if !self.bound => {
                self.put(
                    sequence,
                    status::INVALID_BIND_STATUS,
                    Body::SubmitSmResp { message_id: b"" },
                );
            }
            Body::SubmitSm(sm) => self.submit(&sm, sequence)?,
            Body::DeliverSmResp => self.delivered(sequence, pdu.status),
            Body::EnquireLink => {
                add(&self.shared.counts.enquiries, 1);
                self.put(sequence, status::OK, Body::EnquireLinkResp);
            }
            Body::Unbind => {
                self.put(sequence, status::OK, Body::UnbindResp);
                return Ok(true);
            }
            Body::Other(id) if id & pdu::command::ANSWER == 0 => {
                self.put(sequence, status::INVALID_COMMAND, Body::GenericNack);
            }
            _ => {}
        }
        Ok(false)
    }

    fn put(&mut self, sequence: u32, status: u32, body: Body<'_>) {
        pdu::encode(
            &Pdu {
                status,
                sequence,
                body,
            },
            &mut self.out,
        );
    }

    fn bind(&mut self, bind: &Bind<'_>, sequence: u32) {
        let config = &self.shared.config;
        let known = config.account.as_ref().is_none_or(|(system_id, password)| {
            bind.system_id == system_id.as_bytes() && bind.password == password.as_bytes()
        });
        self.bound = known && config.behaviour != Behaviour::RefuseLogin;
        let (counter, status) = if self.bound {
            (&self.shared.counts.binds, status::OK)
        } else {
            (&self.shared.counts.refused_binds, status::INVALID_PASSWORD)
        };
        add(counter, 1);
        self.put(
            sequence,
            status,
            Body::BindTransceiverResp { system_id: b"peer" },
        );
    }

    fn submit(&mut self, sm: &Sm<'_>, sequence: u32) -> Result<(), Over> {
        let shared = self.shared;
        add(&shared.counts.submits, 1);
        let verdict = match shared.config.rate {
            Some(rate) if !shared.post.permits(rate, shared.clock.tick()) => {
                Verdict::refused(status::THROTTLED)
            }
            _ => self.decide(sm)?,
        };
        if !verdict.answered {
            return Ok(());
        }
        if verdict.status != status::OK {
            if verdict.status == status::THROTTLED {
                add(&shared.counts.throttled, 1);
            }
            self.put(
                sequence,
                verdict.status,
                Body::SubmitSmResp { message_id: b"" },
            );
            return Ok(());
        }
        add(&shared.counts.taken, 1);
        let id = shared.post.id();
        if let Some(Report { after, stat, error }) = verdict.receipt
            && sm.registered_delivery & 0x03 != 0
        {
            let due = self.read_at + u64::try_from(after.as_millis()).unwrap_or(u64::MAX / 2);
            // A receipt goes the other way round.
            let (source, dest) = (sm.dest.address.into(), sm.source.address.into());
            self.letters.push(Letter {
                due,
                id,
                stat,
                error,
                source,
                dest,
            });
        }
        let mut digits = [0; 21];
        let start = decimal(id, &mut digits);
        self.put(
            sequence,
            status::OK,
            Body::SubmitSmResp {
                message_id: &digits[start..20],
            },
        );
        Ok(())
    }

    fn decide(&self, sm: &Sm<'_>) -> Result<Verdict, Over> {
        let config = &self.shared.config;
        if let Some(script) = &config.script {
            let (part, text) = parts(sm);
            let dest = String::from_utf8_lossy(sm.dest.address);
            let submit = Submit {
                source: &String::from_utf8_lossy(sm.source.address),
                dest: &dest,
                esm_class: sm.esm_class,
                data_coding: sm.data_coding,
                text,
                part,
                attempt: self.shared.post.attempt(&dest, part.0 == 1),
            };
            return Ok(script(&submit));
        }
        Ok(match config.behaviour {
            Behaviour::Accept => Verdict::lost(),
            Behaviour::Confirm => Verdict::delivered(between(config.receipt_delay)),
            Behaviour::Throttle => Verdict::refused(status::THROTTLED),
            Behaviour::RefuseAddress => Verdict::refused(status::INVALID_DESTINATION),
            Behaviour::RefuseContent => Verdict::refused(status::REJECTED),
            Behaviour::Stall => Verdict::silent(),
            Behaviour::HangUp | Behaviour::HangUpAfterWrite | Behaviour::RefuseLogin => {
                return Err(Over);
            }
        })
    }
}

/// Which part of how many this is, and its text.
fn parts<'a>(sm: &Sm<'a>) -> ((u8, u8), &'a [u8]) {
    match sm.text {
        [0x05, 0x00, 0x03, _, total, number, text @ ..] if sm.esm_class & 0x40 != 0 => {
            ((*number, *total), text)
        }
        text => ((1, 1), text),
    }
}

fn between((least, most): (Duration, Duration)) -> Duration {
    match most.saturating_sub(least) {
        Duration::ZERO => least,
        spread => least + spread.mul_f64(fastrand::f64()),
    }
}
