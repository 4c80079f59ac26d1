//! Whether a person or a machine has picked up. A person says 喂 and waits; a mailbox or an operator's announcement
//! talks on. A guess by loudness alone, stepped every 20 ms and pure; this module must not decide what follows.

use crate::talk::SECOND;

/// The mean loudness above which a frame is speech: about -40 dB of full scale.
const LOUD: u32 = 330;
/// A breath between words does not end a speech.
const BREATH: usize = SECOND * 3 / 10;
/// A machine begins by itself, at once.
const BEGIN: usize = SECOND * 5 / 2;

/// Whether somebody speaks in these samples.
pub fn is_loud(samples: impl ExactSizeIterator<Item = i16>) -> bool {
    let count = u32::try_from(samples.len()).unwrap_or(u32::MAX).max(1);
    let sum: u32 = samples.map(|sample| u32::from(sample.unsigned_abs())).sum();
    sum / count >= LOUD
}

pub struct Ear {
    /// So much speech without a pause is a machine; 0: nothing is.
    limit: usize,
    frames: usize,
    begun: Option<usize>,
    quiet: usize,
    machine: bool,
    person: bool,
}

impl Ear {
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            frames: 0,
            begun: None,
            quiet: 0,
            machine: false,
            person: false,
        }
    }

    /// One frame of the far end.
    pub fn hear(&mut self, loud: bool) {
        self.frames += 1;
        if loud {
            self.begun = self.begun.or(Some(self.frames));
            self.quiet = 0;
        } else {
            self.quiet += 1;
        }
        let Some(begun) = self.begun else { return };
        if self.quiet > BREATH {
            self.begun = None;
        } else if begun <= BEGIN && self.limit > 0 && self.frames - begun >= self.limit {
            self.machine = true;
        }
    }

    /// Somebody pressed a key.
    pub const fn press(&mut self) {
        self.person = true;
    }

    pub const fn is_machine(&self) -> bool {
        self.machine && !self.person
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Speech and silence in turn, in tenths of a second.
    fn heard(tenths: &[usize]) -> bool {
        let mut ear = Ear::new(4 * SECOND);
        for (n, length) in tenths.iter().enumerate() {
            for _ in 0..length * SECOND / 10 {
                ear.hear(n % 2 == 1);
            }
        }
        ear.is_machine()
    }

    #[test]
    fn who_talks_on_is_a_machine_and_who_waits_is_a_person() {
        for (tenths, machine) in [
            (&[5, 6, 200][..], false),       // 喂
            (&[5, 6, 10, 8, 200], false),    // 喂,哪位
            (&[2, 50], true),                // 您拨打的用户……
            (&[2, 15, 2, 15, 2, 15], true),  // the same with breaths
            (&[2, 15, 5, 15, 5, 15], false), // a dialogue
            (&[40, 90], false),              // noise long after: a television
            (&[200], false),
        ] {
            assert_eq!(heard(tenths), machine, "{tenths:?}");
        }
    }

    #[test]
    fn a_key_proves_a_person_and_no_limit_knows_no_machine() {
        let (mut pressed, mut off) = (Ear::new(SECOND), Ear::new(0));
        for _ in 0..10 * SECOND {
            pressed.hear(true);
            off.hear(true);
        }
        assert!(pressed.is_machine() && !off.is_machine());
        pressed.press();
        assert!(!pressed.is_machine());
    }

    #[test]
    fn silence_is_quiet_and_speech_is_loud() {
        assert!(!is_loud([].into_iter()));
        assert!(!is_loud([8_i16; 160].into_iter()));
        assert!(is_loud([-2_000_i16; 160].into_iter()));
        assert!(is_loud([i16::MIN; 400].into_iter()));
    }
}
