//! When, not what: which time is believed, the pacing of each account, and the tokens of far ends that give them. Permits are taken with a rank: whoever has more urgent work marks the
//! account for a second, and others with less urgent work get none while the mark stands. On one machine permits are
//! local; where nodes share accounts they are drawn from Redis, and while that is away each node takes its share. This
//! room must not know what is sent, and nothing that must survive a crash lives here.

mod own;
mod shared;
mod steady;
#[cfg(test)]
mod tests;
mod tokens;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use channel::Clock;
use parking_lot::Mutex;

pub use shared::{BadRedis, Redis};
pub use steady::{Jump, Steady};
pub use tokens::SharedTokens;

use crate::model::Rate;
use own::Own;
use shared::Cell;

/// How long a mark stands after the last word of whoever set it.
const MARK: Duration = Duration::from_secs(1);
/// How long whoever yields to a mark waits at most before it asks again.
const YIELD: Duration = Duration::from_millis(100);

/// What a lane asks of its account.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Who asks; nobody yields to its own mark.
    pub lane: &'a str,
    /// Smaller goes first.
    pub rank: u64,
    /// In the far end's unit: SMS segments.
    pub permits: u32,
    /// There is more of this rank behind: the mark stays when this is granted.
    pub more: bool,
}

/// One account at a far end, as this node draws on it. Several channels may share it.
pub struct Account {
    name: String,
    clock: Arc<dyn Clock>,
    own: Mutex<Own>,
    cell: Option<Cell>,
}

impl Account {
    /// `nodes` draw on it at once; without Redis each of them takes its share.
    pub fn new(
        name: &str,
        rate: Rate,
        nodes: NonZeroU32,
        redis: Option<&Redis>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        if redis.is_none() && nodes.get() > 1 {
            tracing::info!(
                account = name,
                nodes,
                "there is no Redis: this node takes its share of the account's rate"
            );
        }
        Self {
            name: name.to_owned(),
            own: Mutex::new(Own::new(rate, nodes)),
            cell: redis.map(|redis| Cell::new(redis.clone(), name, rate)),
            clock,
        }
    }

    /// `None`: the permits are granted. Otherwise nothing was taken: how long to wait before asking again.
    pub async fn ask(&self, ask: Ask<'_>) -> Option<Duration> {
        if let Some(cell) = &self.cell {
            match cell.ask(ask, self.clock.tick()).await {
                Ok(wait) => return wait,
                Err(told) if told => {}
                Err(_) => tracing::warn!(
                    account = self.name,
                    "Redis is away: this node takes its share of the account's rate"
                ),
            }
        }
        self.own.lock().ask(ask, self.clock.tick())
    }
}
