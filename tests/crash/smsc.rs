//! The SMSC of these tests. It remembers every text by its mark and number, and what it remembers can be forked, so that
//! two images of one gateway go on from the same moment with a far end each. A number's last two digits tell what becomes
//! of its texts. This module must not know what the gateway thinks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sms::peer::{Peer, PeerConfig, PeerCounters, Report, Submit, Verdict};

use crate::gateway::within;
use crate::node::Victim;
use crate::peers::{ACCOUNT, PASSWORD};

const ESME_RSYSERR: u32 = 0x08;
const ESME_RINVDSTADR: u32 = 0x0B;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Delivers,
    /// Refused for good.
    Dead,
    /// Taken, and the receipt says EXPIRED.
    Off,
    /// Taken, and no receipt ever comes.
    Silent,
    /// Refused once for the moment, then delivered.
    Busy,
}

pub fn fate(number: &str) -> Fate {
    match number
        .get(number.len() - 2..)
        .and_then(|end| end.parse().ok())
    {
        Some(0..=2) => Fate::Dead,
        Some(3..=5) => Fate::Off,
        Some(6 | 7) => Fate::Silent,
        Some(8 | 9) => Fate::Busy,
        _ => Fate::Delivers,
    }
}

/// A text: the mark in its headline, and to whom.
pub type Text = (u32, String);

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Seen {
    pub times: u32,
    pub refused: u32,
}

impl Seen {
    /// Whether it came more often than the script made it come.
    pub fn twice(self, number: &str) -> bool {
        let scripted = if fate(number) == Fate::Busy {
            self.refused.min(1)
        } else {
            0
        };
        self.times > 1 + scripted
    }
}

#[derive(Clone, Default)]
pub struct Memory {
    pub seen: BTreeMap<Text, Seen>,
    /// The marks of the texts whose receipt is to come, by number, in the order they were taken.
    promised: BTreeMap<String, Vec<u32>>,
}

/// Kills at the so-many-th text.
#[derive(Default)]
struct Trap {
    left: u64,
    victim: Victim,
}

#[derive(Default)]
struct Shared {
    memory: Mutex<Memory>,
    trap: Mutex<Trap>,
}

pub struct Smsc {
    shared: Arc<Shared>,
    peer: Peer,
    spool: PathBuf,
}

fn mark(submit: &Submit<'_>) -> Option<u32> {
    let units = submit
        .text
        .chunks_exact(2)
        .map(|u| u16::from_be_bytes([u[0], u[1]]));
    let text = String::from_utf16_lossy(&units.collect::<Vec<_>>());
    text.split_once('<')?.1.split_once('>')?.0.parse().ok()
}

impl Shared {
    fn take(&self, submit: &Submit<'_>) -> Verdict {
        let number = submit.dest.to_owned();
        let mark = mark(submit).expect("every text of these tests is one part and bears its mark");
        let mut memory = self.memory.lock();
        let seen = memory.seen.entry((mark, number.clone())).or_default();
        seen.times += 1;
        let after = Duration::from_millis(fastrand::u64(0..400));
        let verdict = match fate(&number) {
            Fate::Dead => Verdict::refused(ESME_RINVDSTADR),
            Fate::Busy if seen.refused == 0 => Verdict::refused(ESME_RSYSERR),
            Fate::Silent => Verdict::lost(),
            Fate::Off => Verdict::reported(Report {
                after,
                stat: "EXPIRED",
                error: 27,
            }),
            Fate::Busy | Fate::Delivers => Verdict::delivered(after),
        };
        seen.refused += u32::from(verdict.status != 0);
        if verdict.receipt.is_some() {
            memory.promised.entry(number).or_default().push(mark);
        }
        drop(memory);
        let mut trap = self.trap.lock();
        if trap.left > 0 {
            trap.left -= 1;
            if trap.left == 0 {
                trap.victim.kill();
            }
        }
        verdict
    }
}

impl Smsc {
    /// On any port, or on that of an earlier one; with its memory and its spool.
    pub async fn start(memory: Memory, spool: &Path, port: u16) -> Self {
        let shared = Arc::new(Shared {
            memory: Mutex::new(memory),
            ..Shared::default()
        });
        let script = shared.clone();
        let config = PeerConfig {
            account: Some((ACCOUNT.into(), PASSWORD.into())),
            port,
            script: Some(Arc::new(move |submit: &Submit<'_>| script.take(submit))),
            spool: Some(spool.to_owned()),
            resend: Duration::from_secs(1),
            ..PeerConfig::default()
        };
        let peer = Peer::start(config).await.expect("a free port");
        Self {
            shared,
            peer,
            spool: spool.to_owned(),
        }
    }

    pub fn port(&self) -> u16 {
        self.peer.addr().port()
    }

    pub fn trap(&self, left: u64, victim: Victim) {
        *self.shared.trap.lock() = Trap { left, victim };
    }

    pub fn memory(&self) -> Memory {
        self.shared.memory.lock().clone()
    }

    pub fn counters(&self) -> PeerCounters {
        self.peer.counters()
    }

    /// Receipts that are not answered yet.
    pub fn outstanding(&self) -> usize {
        self.peer.outstanding()
    }

    /// Until what a killed gateway left in the socket is read.
    pub async fn settled(&self) {
        let (mut last, mut same) = (self.counters(), 0);
        within("the SMSC has read all", async || {
            let now = self.counters();
            same = if (now.submits, now.receipts_answered) == (last.submits, last.receipts_answered)
            {
                same + 1
            } else {
                0
            };
            last = now;
            (same >= 3).then_some(())
        })
        .await;
    }

    /// Ends it; its memory, and the texts whose receipts the gateway has answered with what they said.
    pub async fn end(self) -> (Memory, Vec<(Text, String)>) {
        self.peer.stop().await;
        let memory = self.shared.memory.lock().clone();
        let spool = std::fs::read_to_string(&self.spool).expect("the spool");
        let answered = answered(&memory, &spool);
        (memory, answered)
    }
}

/// A number's lines stand in the spool in the order in which its texts were taken.
fn answered(memory: &Memory, spool: &str) -> Vec<(Text, String)> {
    let mut open: BTreeMap<u64, (Text, String)> = BTreeMap::new();
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let mut answered = Vec::new();
    for line in spool.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let id = words
            .get(1)
            .and_then(|id| id.parse().ok())
            .unwrap_or_default();
        match (words[0], words.get(2), words.get(4)) {
            ("+", Some(said), Some(number)) => {
                let at = place.entry(number).or_default();
                let mark = memory.promised[*number][*at];
                *at += 1;
                open.insert(id, ((mark, (*number).to_owned()), (*said).to_owned()));
            }
            ("-", ..) => answered.extend(open.remove(&id)),
            _ => {}
        }
    }
    answered
}
