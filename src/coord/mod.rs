//! When, not what: the pacing of each account. On one machine the permits are local. This room must not know what is
//! sent, and nothing that must survive a crash lives here.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::model::Rate;

/// Permits of one account, in the far end's unit (SMS segments).
pub struct Pacer {
    limiter: DefaultDirectRateLimiter,
    burst: u32,
}

impl Pacer {
    pub fn new(rate: Rate) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self {
            limiter: RateLimiter::direct(quota),
            burst: rate.burst.get(),
        }
    }

    /// Ready when `permits` have been granted. A request over the burst is taken in slices.
    pub async fn take(&self, permits: u32) {
        let mut left = permits;
        while let Some(slice) = NonZeroU32::new(left.min(self.burst)) {
            // A slice is never over the burst, so it is granted in time.
            let _ = self.limiter.until_n_ready(slice).await;
            left -= slice.get();
        }
    }
}
