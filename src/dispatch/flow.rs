//! How fast a lane may go now: cut by an eighth when the far end says slower, raised step by step when it is content, paused while
//! the channel is down, with probes between. This module must not read a clock: it is given ticks.

use std::time::Duration;

pub struct Flow {
    /// Share of the configured rate, in thousandths.
    share: u32,
    until: Duration,
    /// Doubles with every failed probe.
    backoff: Duration,
    probing: bool,
    content: u32,
}

const FULL: u32 = 1000;
const LEAST: u32 = 50;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// So many acceptances raise the share by a hundredth.
const STEP: u32 = 20;

impl Default for Flow {
    fn default() -> Self {
        Self {
            share: FULL,
            until: Duration::ZERO,
            backoff: FIRST_PAUSE,
            probing: false,
            content: 0,
        }
    }
}

impl Flow {
    pub fn paused(&self, tick: Duration) -> bool {
        tick < self.until
    }

    pub fn pause_left(&self, tick: Duration) -> Duration {
        self.until.saturating_sub(tick)
    }

    pub fn pause(&mut self, tick: Duration, wait: Duration) {
        self.until = self.until.max(tick + wait);
    }

    /// Many complaints of one moment count as one.
    pub fn slower(&mut self, tick: Duration, wait: Duration) {
        if !self.paused(tick) {
            self.share = (self.share * 7 / 8).max(LEAST);
            self.content = 0;
            self.pause(tick, wait);
        }
    }

    pub fn down(&mut self, tick: Duration) {
        if !self.paused(tick) {
            self.pause(tick, self.backoff);
            self.backoff = (self.backoff * 2).min(LONGEST_PAUSE);
            self.probing = true;
        }
    }

    pub fn fine(&mut self) {
        self.probing = false;
        self.backoff = FIRST_PAUSE;
        self.content += 1;
        if self.content >= STEP && self.share < FULL {
            self.content = 0;
            self.share = (self.share + FULL / 100).min(FULL);
        }
    }

    pub fn probing(&self) -> bool {
        self.probing
    }

    /// A paused link is tried with one message first.
    pub fn shrink(&self, slice: usize) -> usize {
        if self.probing { 1 } else { slice }
    }

    /// Permits taken for so many at the present share.
    pub fn stretch(&self, permits: u32) -> u32 {
        u32::try_from(u64::from(permits) * u64::from(FULL) / u64::from(self.share))
            .unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_complaint_cuts_the_share_once_and_contentment_restores_it() {
        let mut flow = Flow::default();
        flow.slower(S, S);
        flow.slower(S, S);
        assert_eq!(flow.stretch(875), 1000);
        assert!(flow.paused(S) && !flow.paused(2 * S));
        for _ in 0..STEP * 13 {
            flow.fine();
        }
        assert_eq!(flow.stretch(875), 875);
    }

    #[test]
    fn a_downed_link_is_probed_at_growing_intervals() {
        let mut flow = Flow::default();
        let mut tick = S;
        let mut waits = Vec::new();
        for _ in 0..8 {
            flow.down(tick);
            waits.push(flow.pause_left(tick));
            tick += flow.pause_left(tick);
        }
        assert!(waits.windows(2).all(|w| w[0] <= w[1]));
        assert_eq!(waits.last(), Some(&LONGEST_PAUSE));
        assert_eq!(flow.shrink(100), 1);
        flow.fine();
        assert_eq!(flow.shrink(100), 100);
    }
}
