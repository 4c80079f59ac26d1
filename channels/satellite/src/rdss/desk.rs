//! What the channel and its session share: who waits for an answer, when the card may send again, what came last to whom.
//! This module must not read or write a port.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use channel::{
    Address, Context, Evidence, Health, Of, Receipt, Timestamp, Unavailable, Uplink, Verdict,
};
use encoding_rs::GB18030;
use parking_lot::Mutex;
use ring::digest;
use tokio::sync::oneshot;

use super::config::RdssConfig;
use crate::compact::{Body, Compact, Key};
use crate::standing::Standing;

/// Whether the terminal sent a message, and if not why and for how long.
pub type Feedback = (bool, Option<u8>, Duration);

pub struct Desk {
    pub config: RdssConfig,
    pub context: Context,
    pub key: Option<Key>,
    pub standing: Mutex<Standing>,
    pub health: Mutex<Health>,
    /// Who waits for the terminal's answer.
    pub waiting: Mutex<Option<oneshot::Sender<Feedback>>>,
    rest: Mutex<Rest>,
    last: Mutex<VecDeque<Last>>,
    counts: Counts,
}

struct Rest {
    interval: Duration,
    /// By `tick`.
    until: Duration,
}

/// The last message to one card.
struct Last {
    who: u16,
    reference: String,
    at: Duration,
}

#[derive(Default)]
struct Counts {
    unread: AtomicU64,
    unproved: AtomicU64,
    broken: AtomicU64,
}

/// What came in and was of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Useless {
    /// Messages whose layout is not known.
    pub unread: u64,
    /// What looks like a compact message and has no right proof: handed on as a text.
    pub unproved: u64,
    /// Sentences with a wrong checksum.
    pub broken: u64,
}

/// Cards whose last message is kept, and for how long a text without a number answers it.
const MOST: usize = 4_096;
const ANSWERS: Duration = Duration::from_hours(24);

impl Desk {
    pub fn new(config: RdssConfig, context: Context) -> Self {
        Self {
            key: config.key.as_ref().map(|key| Key::new(key.expose())),
            standing: Mutex::new(Standing::default()),
            health: Mutex::new(Health::Down("not opened yet".to_owned())),
            waiting: Mutex::new(None),
            rest: Mutex::new(Rest {
                interval: config.interval,
                until: Duration::ZERO,
            }),
            last: Mutex::default(),
            counts: Counts::default(),
            config,
            context,
        }
    }

    /// How long the card still rests.
    pub fn rests(&self) -> Option<Duration> {
        let until = self.rest.lock().until;
        until
            .checked_sub(self.context.clock.tick())
            .filter(|left| !left.is_zero())
    }

    pub fn begin_rest(&self) {
        let mut rest = self.rest.lock();
        rest.until = self.context.clock.tick() + rest.interval;
    }

    /// The terminal knows better.
    pub fn rest_for(&self, left: Duration) {
        self.rest.lock().until = self.context.clock.tick() + left;
    }

    pub fn set_interval(&self, interval: Duration) {
        self.rest.lock().interval = interval;
    }

    pub fn set(&self, health: Health) {
        *self.health.lock() = health;
    }

    pub fn useless(&self) -> Useless {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Useless {
            unread: read(&self.counts.unread),
            unproved: read(&self.counts.unproved),
            broken: read(&self.counts.broken),
        }
    }

    pub fn count_unread(&self) {
        self.counts.unread.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_broken(&self) {
        self.counts.broken.fetch_add(1, Ordering::Relaxed);
    }

    /// Under which the journal knows a message: the number that a card sends back, and two octets of who it is.
    pub fn reference(&self, number: u16, card: &str) -> String {
        format!("{number:04x}-{:04x}", self.who(card))
    }

    fn who(&self, card: &str) -> u16 {
        let text = format!("{}\n{card}", self.context.name);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        u16::from_be_bytes([hash.as_ref()[0], hash.as_ref()[1]])
    }

    pub fn note(&self, card: &str, reference: &str) {
        let who = self.who(card);
        let mut last = self.last.lock();
        last.retain(|one| one.who != who);
        if last.len() >= MOST {
            last.pop_front();
        }
        last.push_back(Last {
            who,
            reference: reference.to_owned(),
            at: self.context.clock.tick(),
        });
    }

    fn last(&self, card: &str) -> Option<String> {
        let (who, tick) = (self.who(card), self.context.clock.tick());
        let last = self.last.lock();
        let found = last.iter().find(|one| one.who == who);
        found
            .filter(|one| tick.saturating_sub(one.at) <= ANSWERS)
            .map(|one| one.reference.clone())
    }

    /// A message from a card: a proved status is a receipt, and a text is a reply. Nothing on this link can be asked for
    /// again, so the journal is offered it until it takes it, for ten seconds.
    pub async fn take(&self, sender: &str, content: &[u8]) {
        let now = self.context.clock.now();
        let status = match (&self.key, Compact::read(content)) {
            (Some(key), Ok(compact)) if key.proves(content) => match compact.body {
                Body::Status { number, code, .. } => Some((number, code)),
                // Our own kinds do not come back.
                Body::Alert(_) | Body::Test { .. } => return self.count_unread(),
            },
            (Some(_), Ok(_)) => {
                // Or a person's text that looks like one: it is handed on as what was written.
                self.counts.unproved.fetch_add(1, Ordering::Relaxed);
                None
            }
            (_, _) => None,
        };
        self.standing.lock().heard(sender, now);
        for _ in 0..OFFERS {
            if self.offer(sender, content, status, now).await.is_ok() {
                return;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        tracing::debug!(channel = %self.context.name, "the journal took nothing for ten seconds; a message of a terminal is lost");
    }

    async fn offer(
        &self,
        sender: &str,
        content: &[u8],
        status: Option<(u16, u8)>,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        if let Some((number, code)) = status {
            let receipt = Receipt {
                of: Of::Reference(self.reference(number, sender)),
                verdict: Verdict::Reached(Evidence::Acknowledged),
                code: format!("status {code:02}"),
                far: None,
                seen: now,
            };
            return self.context.inlet.receipts(vec![receipt]).await;
        }
        let text = GB18030
            .decode_without_bom_handling(unmarked(content))
            .0
            .into_owned();
        let uplink = Uplink {
            from: Address::new(sender),
            to: String::new(),
            acknowledges: self.config.acknowledge.accepts(&text),
            text,
            of: self.last(sender).map(Of::Reference),
            far: None,
            seen: now,
        };
        self.context.inlet.uplinks(vec![uplink]).await
    }
}

/// How often, and how long between, a message is offered to a journal that takes nothing.
const OFFERS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(500);

/// Mixed data in 2.1 begins with a mark that is no character.
fn unmarked(content: &[u8]) -> &[u8] {
    content
        .strip_prefix(&[0xA4])
        .filter(|rest| !rest.is_empty())
        .unwrap_or(content)
}
