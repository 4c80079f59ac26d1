//! Whether a far end still takes anything. It is silent from the last answer on, but only while something waits for it; an
//! account that was silent for too long is out until it answers again. This module must not read a clock: it is given
//! ticks.

use std::time::Duration;

#[derive(Default)]
pub struct Pulse {
    /// It answered last, or nothing was wanted of it.
    heard: Duration,
    /// What is in hand was handed since.
    tried: Duration,
    out: bool,
}

impl Pulse {
    /// It took something, or refused it for good.
    pub fn heard(&mut self, tick: Duration) {
        *self = Self {
            heard: tick,
            tried: tick,
            out: false,
        };
    }

    /// Nothing is wanted of it, or what is wanted waits for ourselves. Who was out stays out: nothing tells otherwise.
    pub fn idle(&mut self, tick: Duration) {
        if !self.out {
            self.heard = tick;
        }
    }

    /// It is tried again while it is out.
    pub fn tried(&mut self, tick: Duration) {
        if self.out {
            self.tried = tick;
        }
    }

    /// For how long it has taken nothing.
    pub fn silent(&self, tick: Duration) -> Duration {
        tick.saturating_sub(self.heard)
    }

    /// For how long what is in hand hangs there.
    pub fn hangs(&self, tick: Duration) -> Duration {
        tick.saturating_sub(self.heard.max(self.tried))
    }

    /// True once, when its silence has come to this.
    pub fn goes_out(&mut self, tick: Duration, patience: Duration) -> bool {
        let goes = !self.out && self.silent(tick) >= patience;
        self.out |= goes;
        goes
    }

    pub const fn is_out(&self) -> bool {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn an_account_is_out_after_silence_and_in_again_with_an_answer() {
        let mut pulse = Pulse::default();
        pulse.idle(S * 100);
        assert!(!pulse.goes_out(S * 114, S * 15));
        assert!(pulse.goes_out(S * 115, S * 15));
        assert!(!pulse.goes_out(S * 116, S * 15), "it is told once");
        pulse.idle(S * 200);
        assert!(pulse.is_out() && pulse.silent(S * 200) == S * 100);
        pulse.heard(S * 210);
        assert!(!pulse.is_out() && pulse.silent(S * 212) == S * 2);
    }

    #[test]
    fn what_is_tried_while_it_is_out_hangs_for_as_long_again() {
        let mut pulse = Pulse::default();
        pulse.tried(S * 3);
        assert_eq!(
            pulse.hangs(S * 15),
            S * 15,
            "before that everything hangs alike"
        );
        assert!(pulse.goes_out(S * 15, S * 15));
        pulse.tried(S * 20);
        assert_eq!(pulse.hangs(S * 30), S * 10);
        assert_eq!(pulse.silent(S * 30), S * 30);
    }
}
