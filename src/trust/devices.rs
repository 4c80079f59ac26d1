//! The one-time codes by which devices are enrolled, and how often somebody may guess one. Pure over what it is handed:
//! this module must not read a clock, keep a code, or say which part of a guess was wrong.

use std::collections::HashMap;
use std::time::Duration;

use channel::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::same;

/// Without letters and digits that are taken for one another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Of five bits each: 80 bits, so that a plain hash of it tells nothing.
const LENGTH: usize = 16;
const GROUP: usize = 4;

/// A new code, as an installer types it: `7Q2M-…`.
///
/// # Panics
/// When the machine gives no random bytes.
pub fn new_code() -> String {
    let mut bytes = [0; LENGTH];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the machine gives random bytes");
    let letters: Vec<_> = bytes
        .iter()
        .map(|byte| LETTERS[usize::from(byte % 32)])
        .collect();
    let groups = letters.chunks(GROUP).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("-")
}

/// What the journal keeps of a code. The device is part of it, so that one code is for one device.
pub fn code_hash(device: &str, code: &str) -> [u8; 32] {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = letters.map(|c| c.to_ascii_uppercase()).collect();
    let hash = digest(&SHA256, format!("{device}\n{letters}").as_bytes());
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Whether this code may enrol this device now. `stands` is the code that was made for it last, if it was not used.
pub fn admits(
    stands: Option<([u8; 32], Timestamp)>,
    device: &str,
    code: &str,
    now: Timestamp,
) -> bool {
    let shown = code_hash(device, code);
    stands.is_some_and(|(hash, until)| same(&shown, &hash) && now < until)
}

/// So many wrong codes for one device are let through in a while, and so many for all devices together.
const TRIES: u32 = 5;
const ALL_TRIES: u32 = 100;
const WHILE: Duration = Duration::from_mins(10);
/// More devices than this are not told apart: what is tried on them counts for all.
const TRIED: usize = 1_000;

#[derive(Default)]
struct Count {
    since: Duration,
    wrong: u32,
}

impl Count {
    fn left(&self, tick: Duration, most: u32) -> Option<Duration> {
        let passed = tick.saturating_sub(self.since);
        (self.wrong >= most && passed < WHILE).then(|| WHILE.saturating_sub(passed))
    }

    fn add(&mut self, tick: Duration) {
        if self.wrong == 0 || tick.saturating_sub(self.since) >= WHILE {
            *self = Self {
                since: tick,
                wrong: 0,
            };
        }
        self.wrong += 1;
    }
}

/// Wrong codes, by device.
#[derive(Default)]
pub struct Guesses {
    devices: HashMap<String, Count>,
    all: Count,
}

impl Guesses {
    /// How long nothing more is tried for this device.
    pub fn wait(&self, device: &str, tick: Duration) -> Option<Duration> {
        let own = self.devices.get(device);
        let own = own.and_then(|count| count.left(tick, TRIES));
        own.max(self.all.left(tick, ALL_TRIES))
    }

    pub fn wrong(&mut self, device: &str, tick: Duration) {
        self.all.add(tick);
        self.devices
            .retain(|_, count| tick.saturating_sub(count.since) < WHILE);
        if self.devices.len() < TRIED || self.devices.contains_key(device) {
            self.devices.entry(device.to_owned()).or_default().add(tick);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_783_990_800_000);
    const UNTIL: Timestamp = Timestamp(1_783_990_900_000);

    #[test]
    fn a_code_holds_for_its_device_until_its_time_however_it_was_typed() {
        let code = new_code();
        assert_eq!((code.len(), code.matches('-').count()), (19, 3), "{code}");
        assert_ne!(code, new_code());
        let stands = Some((code_hash("PW-1", &code), UNTIL));
        let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
        for shown in [&code, &typed] {
            assert!(admits(stands, "PW-1", shown, NOW), "{shown}");
        }
        assert!(!admits(stands, "PW-2", &code, NOW));
        assert!(!admits(stands, "PW-1", &code, UNTIL));
        assert!(!admits(stands, "PW-1", &code[..18], NOW));
        assert!(!admits(stands, "PW-1", "", NOW));
        assert!(!admits(None, "PW-1", &code, NOW));
    }

    #[test]
    fn after_five_wrong_codes_a_device_waits_and_another_does_not() {
        let (mut guesses, s) = (Guesses::default(), Duration::from_secs);
        for n in 0..5 {
            assert_eq!(guesses.wait("PW-1", s(n)), None);
            guesses.wrong("PW-1", s(n));
        }
        assert_eq!(guesses.wait("PW-1", s(60)), Some(s(540)));
        assert_eq!(guesses.wait("PW-2", s(60)), None);
        assert_eq!(guesses.wait("PW-1", s(600)), None);
        guesses.wrong("PW-1", s(600));
        assert_eq!(guesses.wait("PW-1", s(601)), None, "it begins anew");
    }

    #[test]
    fn who_goes_from_device_to_device_is_stopped_too_and_takes_no_memory() {
        let (mut guesses, tick) = (Guesses::default(), Duration::from_secs(1));
        for n in 0..100 {
            guesses.wrong(&n.to_string(), tick);
        }
        assert_eq!(guesses.wait("PW-1", tick), Some(WHILE));
        for n in 0..2_000 {
            guesses.wrong(&n.to_string(), tick);
        }
        assert_eq!(guesses.devices.len(), TRIED);
    }
}
