//! When to ask the far end for a sign of life. This module must not send anything.

use super::link::AGES;
use crate::config::Line;

/// How long nothing was heard, and whether the far end was asked for a sign of life.
pub(crate) struct Quiet {
    ages: u32,
    limit: u32,
    asked: bool,
}

impl Quiet {
    pub fn new(line: &Line) -> Self {
        let limit =
            line.quiet_seconds.saturating_mul(u64::from(AGES)) / line.answer_timeout_seconds;
        Self {
            ages: 0,
            limit: u32::try_from(limit).unwrap_or(u32::MAX).max(1),
            asked: false,
        }
    }

    pub fn heard(&mut self) {
        (self.ages, self.asked) = (0, false);
    }

    /// One age passes; true when it is time to ask.
    pub fn grow(&mut self) -> bool {
        self.ages = self.ages.saturating_add(1);
        let ask = self.ages >= self.limit && !self.asked;
        self.asked |= ask;
        ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SmppConfig;

    #[test]
    fn a_quiet_link_is_asked_once_and_again_after_it_was_heard() {
        let config = SmppConfig {
            enquire_link_seconds: 2,
            answer_timeout_seconds: 10,
            ..SmppConfig::new("smsc.example", 2775, "bureau", "secret", "12379")
        };
        let mut quiet = Quiet::new(&config.line());
        let asked: Vec<bool> = (0..5).map(|_| quiet.grow()).collect();
        assert_eq!(asked, [false, true, false, false, false]);
        quiet.heard();
        assert_eq!((quiet.grow(), quiet.grow()), (false, true));
    }
}
