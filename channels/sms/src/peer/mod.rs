//! A carrier's centre for tests, the demo and load, an SMSC or an ISMG of CMPP: it binds, takes, throttles, refuses, stalls, hangs up, sends receipts, and
//! with a spool it is store-and-forward as real ones are. This module must not be used to prove the protocol: it
//! shares its codec with the channel.

mod cmpp;
mod deliver;
mod interface;
mod post;
mod provider;
mod serve;
mod smpp;
mod spool;
mod tongue;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use channel::testing::Behaviour;
use channel::{Clock, Stop, SystemClock};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use deliver::Mail;
use post::Post;
use tongue::{Mo, Tongue};

pub use interface::Interface;
pub use provider::{Provider, ProviderConfig, ProviderCounters};
pub use tongue::Speaks;

/// What a script is shown of one submitted part.
#[derive(Clone, Copy, Debug)]
pub struct Submit<'a> {
    pub source: &'a str,
    pub dest: &'a str,
    /// 0x40 where a concatenation header came first.
    pub esm_class: u8,
    /// `data_coding`, or CMPP's `Msg_Fmt`.
    pub data_coding: u8,
    /// Text bytes, without the concatenation header.
    pub text: &'a [u8],
    /// Number of this part and how many there are: `(1, 1)` for a short text.
    pub part: (u8, u8),
    /// The how-many-th message to this address this is, from 1; all parts of one text count once.
    pub attempt: u32,
}

/// The later word about a taken message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    pub after: Duration,
    /// `DELIVRD`, `UNDELIV`, `EXPIRED`, `REJECTD`, …
    pub stat: &'static str,
    pub error: u16,
}

/// What a script decides about one submitted part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The `command_status` or `Result` of the answer; 0 takes the message.
    pub status: u32,
    /// `None`: the receipt is lost.
    pub receipt: Option<Report>,
    /// False: the message is read and never answered.
    pub answered: bool,
}

impl Verdict {
    /// Taken, and delivered after this time.
    pub const fn delivered(after: Duration) -> Self {
        Self::reported(Report {
            after,
            stat: "DELIVRD",
            error: 0,
        })
    }

    pub const fn reported(report: Report) -> Self {
        Self {
            status: 0,
            receipt: Some(report),
            answered: true,
        }
    }

    /// Taken; its receipt is lost.
    pub const fn lost() -> Self {
        Self {
            status: 0,
            receipt: None,
            answered: true,
        }
    }

    pub const fn refused(status: u32) -> Self {
        Self {
            status,
            receipt: None,
            answered: true,
        }
    }

    /// Read and never answered.
    pub const fn silent() -> Self {
        Self {
            status: 0,
            receipt: None,
            answered: false,
        }
    }
}

pub type Script = Arc<dyn Fn(&Submit<'_>) -> Verdict + Send + Sync>;

#[derive(Clone)]
pub struct PeerConfig {
    pub speaks: Speaks,
    pub behaviour: Behaviour,
    /// Who alone may log in, and with which password or secret; `None` lets any account in.
    pub account: Option<(String, String)>,
    /// Where to listen: a port that a restart must find again, or 0.
    pub port: u16,
    /// Segments a second; more are answered with `ESME_RTHROTTLED` or `Result` 8.
    pub rate: Option<u32>,
    /// How long after the answer a receipt comes: evenly between these two.
    pub receipt_delay: (Duration, Duration),
    /// Decides instead of `behaviour` and `receipt_delay`.
    pub script: Option<Script>,
    /// Messages whose receipt is not answered are kept here over a restart.
    pub spool: Option<PathBuf>,
    /// A receipt that is not answered in this time is sent again.
    pub resend: Duration,
    /// Receipts that may be unanswered in one session.
    pub receipt_window: usize,
}

impl Default for PeerConfig {
    fn default() -> Self {
        Self {
            speaks: Speaks::Smpp,
            behaviour: Behaviour::Confirm,
            account: None,
            port: 0,
            rate: None,
            receipt_delay: (Duration::ZERO, Duration::ZERO),
            script: None,
            spool: None,
            resend: Duration::from_secs(5),
            receipt_window: 5_000,
        }
    }
}

/// What a peer has seen, since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCounters {
    pub binds: u64,
    pub refused_binds: u64,
    /// Submits read.
    pub submits: u64,
    pub taken: u64,
    pub throttled: u64,
    /// Receipts written, repeats included.
    pub receipts: u64,
    pub receipts_answered: u64,
    pub replies_answered: u64,
    pub enquiries: u64,
}

#[derive(Default)]
struct Counts {
    binds: AtomicU64,
    refused_binds: AtomicU64,
    submits: AtomicU64,
    taken: AtomicU64,
    throttled: AtomicU64,
    receipts: AtomicU64,
    receipts_answered: AtomicU64,
    replies_answered: AtomicU64,
    enquiries: AtomicU64,
}

/// What all sessions of one peer share.
struct Shared {
    config: PeerConfig,
    tongue: Box<dyn Tongue>,
    clock: SystemClock,
    counts: Counts,
    post: Post,
    replies: Mutex<VecDeque<Box<Mo>>>,
}

impl Shared {
    /// Handed to a session and not answered: they go again.
    fn back(&self, mails: impl Iterator<Item = Mail>) {
        let mut letters = Vec::new();
        for mail in mails {
            match mail {
                Mail::Receipt(letter) => letters.push(letter),
                Mail::Reply(mo) => self.replies.lock().push_back(mo),
            }
        }
        self.post.back(letters.into_iter());
    }
}

/// A running centre on 127.0.0.1.
pub struct Peer {
    addr: SocketAddr,
    stop: Stop,
    tasks: TaskTracker,
    shared: Arc<Shared>,
}

impl Peer {
    /// # Errors
    /// When the port is taken or the spool cannot be read or written.
    pub async fn start(config: PeerConfig) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", config.port)).await?;
        let addr = listener.local_addr()?;
        let clock = SystemClock::default();
        let post = Post::open(&config, clock.now())?;
        let tongue: Box<dyn Tongue> = match config.speaks {
            Speaks::Smpp => Box::new(smpp::Smpp),
            Speaks::Cmpp(version) => {
                let secret = config.account.as_ref().map(|(_, secret)| secret.clone());
                let secret = secret.unwrap_or_default();
                Box::new(cmpp::Cmpp { version, secret })
            }
        };
        let shared = Arc::new(Shared {
            config,
            tongue,
            clock,
            counts: Counts::default(),
            post,
            replies: Mutex::default(),
        });
        let (stop, tasks) = (Stop::new(), TaskTracker::new());
        tasks.spawn(accept(
            listener,
            shared.clone(),
            stop.clone(),
            tasks.clone(),
        ));
        Ok(Self {
            addr,
            stop,
            tasks,
            shared,
        })
    }

    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes the port and every session, without a word.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// A person writes from this number to that one; it goes to whichever session asks first, until it is answered.
    pub fn reply(&self, from: &str, to: &str, text: &str) {
        let mo = Mo {
            id: self.shared.post.id(),
            from: from.to_owned(),
            to: to.to_owned(),
            text: text.to_owned(),
        };
        self.shared.replies.lock().push_back(Box::new(mo));
    }

    /// Receipts that are not answered yet, due or not.
    pub fn outstanding(&self) -> usize {
        self.shared.post.outstanding()
    }

    pub fn counters(&self) -> PeerCounters {
        let counts = &self.shared.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PeerCounters {
            binds: read(&counts.binds),
            refused_binds: read(&counts.refused_binds),
            submits: read(&counts.submits),
            taken: read(&counts.taken),
            throttled: read(&counts.throttled),
            receipts: read(&counts.receipts),
            receipts_answered: read(&counts.receipts_answered),
            replies_answered: read(&counts.replies_answered),
            enquiries: read(&counts.enquiries),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: Stop, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else { continue };
        if shared.config.behaviour == Behaviour::HangUp {
            continue;
        }
        let (shared, stop) = (shared.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = serve::serve(socket, &shared) => {}
            }
        });
    }
}
