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

use super::deliver::Sent;
use super::post::Letter;
use super::tongue::{self, Ask, Login, Say, Scratch};
use super::{Report, Shared, Submit, Verdict};
use crate::codec::cmpp::Dests;
use crate::text::part;

pub(super) const READ: usize = 256 * 1024;
/// Receipts of other sessions are looked for at least this often.
pub(super) const LOOK: Duration = Duration::from_millis(10);

/// The session must end.
struct Over;

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
    pub scratch: Scratch,
    /// When the bytes came that are being read.
    read_at: u64,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let shared = self.shared;
        // What was just read belongs to nobody else either.
        shared.post.keep(&mut self.letters);
        shared.back(self.sent.drain(..).filter_map(|sent| sent.mail));
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
        scratch: Scratch::default(),
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
        let shared = self.shared;
        let (tongue, account) = (&*shared.tongue, shared.config.account.as_ref());
        while let Some(length) = tongue.check(&buffer[used..]).map_err(|_| Over)? {
            let frame = &buffer[used..used + length];
            let (sequence, ask) = tongue.read(frame, account).map_err(|_| Over)?;
            used += length;
            over |= self.take(ask, sequence)?;
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

    fn take(&mut self, ask: Ask<'_>, sequence: u32) -> Result<bool, Over> {
        match ask {
            Ask::Login(login) => self.login(login, sequence),
            Ask::Submit(_) if !self.bound => {
                let status = self.shared.tongue.codes().unbound;
                self.say(Say::Submitted { status, id: 0 }, sequence);
            }
            Ask::Submit(sent) => self.submit(&sent, sequence)?,
            Ask::Answered(taken) => self.delivered(sequence, taken),
            Ask::Alive => {
                add(&self.shared.counts.enquiries, 1);
                self.say(Say::Alive, sequence);
            }
            Ask::Farewell => {
                self.say(Say::Farewell, sequence);
                return Ok(true);
            }
            Ask::Unknown => self.say(Say::Unknown, sequence),
            Ask::Nothing => {}
        }
        Ok(false)
    }

    fn say(&mut self, say: Say<'_>, sequence: u32) {
        self.shared.tongue.say(say, sequence, &mut self.out);
    }

    fn login(&mut self, login: Login, sequence: u32) {
        let shared = self.shared;
        let refused = match shared.config.behaviour {
            Behaviour::RefuseLogin => Some(shared.tongue.codes().login),
            _ => login.refused,
        };
        self.bound = refused.is_none();
        let counter = if self.bound {
            &shared.counts.binds
        } else {
            &shared.counts.refused_binds
        };
        add(counter, 1);
        let status = refused.unwrap_or(0);
        self.say(Say::LoggedIn { status, login }, sequence);
    }

    fn submit(&mut self, sent: &tongue::Sent<'_>, sequence: u32) -> Result<(), Over> {
        let shared = self.shared;
        add(&shared.counts.submits, 1);
        let throttled = shared.tongue.codes().throttled;
        let verdict = match shared.config.rate {
            Some(rate) if !shared.post.permits(rate, shared.clock.tick()) => {
                Verdict::refused(throttled)
            }
            _ => self.decide(sent)?,
        };
        if !verdict.answered {
            return Ok(());
        }
        if verdict.status != 0 {
            if verdict.status == throttled {
                add(&shared.counts.throttled, 1);
            }
            let status = verdict.status;
            self.say(Say::Submitted { status, id: 0 }, sequence);
            return Ok(());
        }
        add(&shared.counts.taken, 1);
        let id = shared.post.id();
        if let Some(Report { after, stat, error }) = verdict.receipt
            && sent.wants_receipt
        {
            let due = self.read_at + u64::try_from(after.as_millis()).unwrap_or(u64::MAX / 2);
            // A receipt goes the other way round.
            let dest = sent.source.into();
            for source in sent.dests.iter().map(Into::into) {
                self.letters.push(Letter {
                    due,
                    id,
                    stat,
                    error,
                    source,
                    dest,
                });
            }
        }
        self.say(Say::Submitted { status: 0, id }, sequence);
        Ok(())
    }

    fn decide(&self, sent: &tongue::Sent<'_>) -> Result<Verdict, Over> {
        let config = &self.shared.config;
        let codes = self.shared.tongue.codes();
        if let Some(script) = &config.script {
            let parted = part(sent.data).filter(|_| sent.header);
            let (part, text) = parted.unwrap_or(((1, 1), sent.data));
            let dest = first(sent.dests);
            let submit = Submit {
                source: &String::from_utf8_lossy(sent.source),
                dest: &dest,
                esm_class: if sent.header { 0x40 } else { 0 },
                data_coding: sent.coding,
                text,
                part,
                attempt: self.shared.post.attempt(&dest, part.0 == 1),
            };
            return Ok(script(&submit));
        }
        Ok(match config.behaviour {
            Behaviour::Accept => Verdict::lost(),
            Behaviour::Confirm => Verdict::delivered(between(config.receipt_delay)),
            Behaviour::Throttle => Verdict::refused(codes.throttled),
            Behaviour::RefuseAddress => Verdict::refused(codes.address),
            Behaviour::RefuseContent => Verdict::refused(codes.content),
            Behaviour::Stall => Verdict::silent(),
            Behaviour::HangUp | Behaviour::HangUpAfterWrite | Behaviour::RefuseLogin => {
                return Err(Over);
            }
        })
    }
}

fn first(dests: Dests<'_>) -> String {
    let first = dests.iter().next().unwrap_or_default();
    String::from_utf8_lossy(first).into_owned()
}

fn between((least, most): (Duration, Duration)) -> Duration {
    match most.saturating_sub(least) {
        Duration::ZERO => least,
        spread => least + spread.mul_f64(fastrand::f64()),
    }
}
