//! How fast a lane may go now: cut by an eighth when the far end says slower, raised bit by bit while it is content, paused
//! while the channel is down, with one message at growing intervals to probe it. This module must not read a clock: it
//! is given ticks.

use std::time::Duration;

pub struct Flow {
    /// Share of the configured rate, in thousandths.
    share: u32,
    until: Duration,
    /// Doubles with every failed probe.
    backoff: Duration,
    probing: bool,
    /// Up to when contentment has raised the share.
    raised: Duration,
}

const FULL: u32 = 1000;
const LEAST: u32 = 50;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// While the far end is content the share rises by a two-hundredth in this time: from half to all in ten seconds.
const STEP: Duration = Duration::from_millis(100);
const RISE: u32 = FULL / 200;

impl Default for Flow {
    fn default() -> Self {
        Self {
            share: FULL,
            until: Duration::ZERO,
            backoff: FIRST_PAUSE,
            probing: false,
            raised: Duration::ZERO,
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
            self.pause(tick, wait);
            self.raised = self.until;
        }
    }

    pub fn down(&mut self, tick: Duration) {
        if !self.paused(tick) {
            self.pause(tick, self.backoff);
            self.backoff = (self.backoff * 2).min(LONGEST_PAUSE);
            self.probing = true;
        }
    }

    /// Something was taken without a complaint.
    pub fn fine(&mut self, tick: Duration) {
        self.probing = false;
        self.backoff = FIRST_PAUSE;
        // Time in which nothing was sent says nothing of the far end: it raises by one step.
        if tick >= self.raised + STEP && self.share < FULL {
            self.raised = tick;
            self.share = (self.share + RISE).min(FULL);
        }
    }

    pub fn probing(&self) -> bool {
        self.probing
    }

    /// So much of a slice at the present share. A paused link is tried with one message first.
    pub fn shrink(&self, slice: usize) -> usize {
        if self.probing {
            return 1;
        }
        (slice * self.share as usize / FULL as usize).max(1)
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
    fn a_complaint_cuts_the_share_once_and_time_in_content_restores_it() {
        let mut flow = Flow::default();
        flow.slower(S, S);
        flow.slower(S, S);
        assert_eq!((flow.stretch(875), flow.shrink(1_000)), (1000, 875));
        assert!(flow.paused(S) && !flow.paused(2 * S));
        // However many are taken in a moment: what restores the share is time.
        for _ in 0..10_000 {
            flow.fine(2 * S);
        }
        assert_eq!(flow.stretch(875), 1000);
        let mut tick = 2 * S;
        while flow.stretch(875) > 875 {
            tick += STEP;
            flow.fine(tick);
        }
        assert_eq!(tick, 2 * S + STEP * 25);
    }

    #[test]
    fn a_far_end_that_takes_less_than_was_agreed_is_used_at_what_it_takes() {
        // 1,000 a second were agreed; it takes 300, with a burst of a tenth of a second.
        let mut flow = Flow::default();
        let (mut next, mut allowed, mut taken) = (Duration::ZERO, Duration::ZERO, 0);
        for millis in 0..60_000 {
            let tick = Duration::from_millis(millis);
            if flow.paused(tick) {
                next = tick;
                continue;
            }
            while next <= tick && !flow.paused(tick) {
                next += Duration::from_micros(flow.stretch(1_000).into());
                if allowed > tick + S / 10 {
                    flow.slower(tick, S / 10);
                } else {
                    allowed = allowed.max(tick) + S / 300;
                    flow.fine(tick);
                    taken += 1;
                }
            }
        }
        assert!(
            (240 * 60..=301 * 60).contains(&taken),
            "{taken} of {}",
            300 * 60
        );
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
        flow.fine(tick);
        assert_eq!(flow.shrink(100), 100);
    }
}
