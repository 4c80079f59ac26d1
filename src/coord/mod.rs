//! When, not what: the pacing of each account. On one machine the permits are local; where nodes share accounts they are
//! drawn from Redis, and while that is away each node goes by its own limiter. This room must not know what is sent, and
//! nothing that must survive a crash lives here.

mod shared;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

pub use shared::{BadRedis, Redis};

use crate::model::Rate;
use shared::Cell;

/// Permits of one account, in the far end's unit (SMS segments).
pub struct Pacer {
    limiter: DefaultDirectRateLimiter,
    cell: Option<Cell>,
    burst: u32,
}

impl Pacer {
    pub fn new(account: &str, rate: Rate, redis: Option<&Redis>) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self {
            limiter: RateLimiter::direct(quota),
            cell: redis.map(|redis| Cell::new(redis.clone(), account, rate)),
            burst: rate.burst.get(),
        }
    }

    /// Ready when `permits` have been granted. A request over the burst is taken in slices.
    pub async fn take(&self, permits: u32) {
        let mut left = permits;
        while let Some(slice) = NonZeroU32::new(left.min(self.burst)) {
            self.slice(slice).await;
            left -= slice.get();
        }
    }

    async fn slice(&self, permits: NonZeroU32) {
        while let Some(cell) = &self.cell {
            match cell.ask(permits.get()).await {
                Some(wait) if wait.is_zero() => return,
                Some(wait) => tokio::time::sleep(wait).await,
                None => break,
            }
        }
        // A slice is never over the burst, so it is granted in time.
        let _ = self.limiter.until_n_ready(permits).await;
    }
}
