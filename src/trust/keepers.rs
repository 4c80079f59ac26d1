//! The short signed link by which a keeper (喇叭管护员) enters a repair without a login: made for one loudspeaker and whoever
//! looks after it now, proved before anything is looked up, and bounded in how often it is used. A link names a device and
//! never a person. This module must not know what is entered.

use std::collections::HashMap;
use std::time::Duration;

use channel::link::{Seal, is_base, put, take};
use channel::{Secret, Timestamp};
use parking_lot::Mutex;
use serde::Deserialize;

/// `[keepers]` of the configuration: without it there are no links.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keeping {
    /// Every link is proved by it; a new one revokes them all.
    pub secret: Secret,
    /// Where people reach the gateway from the open network. Links begin with it.
    pub base: String,
    /// How many days a link opens.
    #[serde(default = "days")]
    pub days: u16,
}

const fn days() -> u16 {
    30
}

impl Keeping {
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        // 16 bytes is the least that no one tries out.
        if self.secret.expose().len() < 16 {
            problems.push("keepers.secret is shorter than 16 characters; set 32 random bytes in hex 请改用 32 字节随机数的十六进制".into());
        }
        if !is_base(&self.base) {
            problems.push("keepers.base is https:// (or http://) and a name or address, at most 60 characters; https://w.example.cn 请填写管护员能打开的网址".into());
        }
        if !(1..=366).contains(&self.days) {
            problems.push(format!(
                "keepers.days is {}; a link opens for 1 to 366 days 链接有效期为 1 至 366 天",
                self.days
            ));
        }
        problems
    }
}

/// Why a link opens nothing, or nothing more is taken by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Shut {
    /// Not made here, or changed since.
    Forged,
    Expired,
    /// Somebody else looks after the loudspeaker now, or it is gone.
    Changed,
    /// Its loudspeaker has been told of too often within an hour.
    TooMany,
}

impl Shut {
    pub const ALL: [Self; 4] = [Self::Forged, Self::Expired, Self::Changed, Self::TooMany];

    pub const fn name(self) -> &'static str {
        [
            "forged-link",
            "expired-link",
            "changed-keeper",
            "too-many-entries",
        ][self as usize]
    }
}

/// What a link that was made here is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    pub device: String,
    /// Tells whether the same person looks after it still.
    whose: [u8; WHOSE],
}

/// Of a keyed hash: it tells nothing to whom has not the secret.
const WHOSE: usize = 4;
/// So many words of one loudspeaker are taken within an hour.
const MOST: usize = 12;
const WHILE: Duration = Duration::from_hours(1);

/// Makes and proves the links, and counts what is refused.
pub struct Keepers {
    seal: Seal,
    base: String,
    lasts: Duration,
    /// When each was told of lately.
    taken: Mutex<HashMap<String, Vec<Duration>>>,
    refused: Mutex<[u64; Shut::ALL.len()]>,
}

impl Keepers {
    pub fn new(keeping: &Keeping) -> Self {
        Self {
            seal: Seal::new(&keeping.secret, "tocsin-keeper-1"),
            base: keeping.base.trim_end_matches('/').to_owned(),
            lasts: Duration::from_hours(24 * u64::from(keeping.days)),
            taken: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// For whoever looks after it now, from now on.
    pub fn link(&self, device: &str, keeper: (&str, &str), now: Timestamp) -> String {
        let mut payload = Vec::with_capacity(8 + device.len());
        let until = u64::try_from(now.plus(self.lasts).secs()).unwrap_or(0);
        put(&mut payload, until.div_ceil(60));
        payload.extend_from_slice(&self.whose(device, keeper));
        payload.extend_from_slice(device.as_bytes());
        format!("{}/k/{}", self.base, self.seal.code(&payload))
    }

    /// What a code is for. Whether its keeper is still the same, `is_whose` says.
    pub fn open(&self, code: &str, now: Timestamp) -> Result<Opened, Shut> {
        let payload = self.seal.open(code).ok_or(Shut::Forged)?;
        // What is proved was written here, so it can be read.
        let mut rest = payload.as_slice();
        let minutes = take(&mut rest).and_then(|minutes| i64::try_from(minutes).ok());
        let until = Timestamp::from_secs(minutes.ok_or(Shut::Forged)?.saturating_mul(60));
        let (whose, device) = rest.split_first_chunk().ok_or(Shut::Forged)?;
        let device = std::str::from_utf8(device).map_err(|_| Shut::Forged)?;
        if now > until {
            return Err(Shut::Expired);
        }
        Ok(Opened {
            device: device.to_owned(),
            whose: *whose,
        })
    }

    pub fn is_whose(&self, opened: &Opened, keeper: (&str, &str)) -> bool {
        opened.whose == self.whose(&opened.device, keeper)
    }

    fn whose(&self, device: &str, (name, phone): (&str, &str)) -> [u8; WHOSE] {
        let mac = self.seal.mac(&["whose", device, name, phone]);
        std::array::from_fn(|at| mac.as_bytes()[at])
    }

    /// Takes one word of this loudspeaker, unless there were too many within an hour.
    pub fn takes(&self, device: &str, tick: Duration) -> Result<(), Shut> {
        let mut taken = self.taken.lock();
        taken.retain(|_, times| {
            times.retain(|at| tick.saturating_sub(*at) < WHILE);
            !times.is_empty()
        });
        let times = taken.entry(device.to_owned()).or_default();
        if times.len() >= MOST {
            return Err(Shut::TooMany);
        }
        times.push(tick);
        Ok(())
    }

    pub fn count(&self, shut: Shut) {
        self.refused.lock()[shut as usize] += 1;
    }

    /// Since the start, by why.
    pub fn refused(&self) -> [(&'static str, u64); Shut::ALL.len()] {
        let counts = *self.refused.lock();
        Shut::ALL.map(|shut| (shut.name(), counts[shut as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_784_041_080_000);
    const KEEPER: (&str, &str) = ("合成管护员", "00012345678");

    fn keeping() -> Keeping {
        Keeping {
            secret: Secret::new("only for these tests"),
            base: "https://w.example.cn/".into(),
            days: 30,
        }
    }

    fn code(link: &str) -> &str {
        link.strip_prefix("https://w.example.cn/k/").expect("ours")
    }

    #[test]
    fn a_link_opens_its_loudspeaker_for_thirty_days_and_for_its_keeper_alone() {
        let keepers = Keepers::new(&keeping());
        let link = keepers.link("PW-217001-02", KEEPER, NOW);
        assert!(link.len() < 64, "{link}");
        let opened = keepers.open(code(&link), NOW).expect("opens");
        assert_eq!(opened.device, "PW-217001-02");
        assert!(keepers.is_whose(&opened, KEEPER));
        for other in [("别人", KEEPER.1), (KEEPER.0, "00012345679"), ("", "")] {
            assert!(!keepers.is_whose(&opened, other), "{other:?}");
        }
        let last = NOW.plus(Duration::from_hours(24 * 30));
        assert!(keepers.open(code(&link), last).is_ok());
        let later = last.plus(Duration::from_mins(1));
        assert_eq!(keepers.open(code(&link), later), Err(Shut::Expired));
    }

    #[test]
    fn a_changed_link_another_secret_and_a_link_of_another_purpose_are_forged() {
        let keepers = Keepers::new(&keeping());
        let link = keepers.link("PW-1", KEEPER, NOW);
        let own = code(&link);
        for at in 0..own.len() {
            let mut changed = own.to_owned().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("letters");
            assert_eq!(keepers.open(&changed, NOW), Err(Shut::Forged), "{changed}");
        }
        let other = Keeping {
            secret: Secret::new("another secret!!"),
            ..keeping()
        };
        assert_eq!(Keepers::new(&other).open(own, NOW), Err(Shut::Forged));
        let outlets = Seal::new(&keeping().secret, "tocsin-manual-1\ntv");
        let foreign = outlets.code(b"\x01\x02\x03\x04\x05PW-1");
        assert_eq!(keepers.open(&foreign, NOW), Err(Shut::Forged));
        for nonsense in ["", "信", "AAAA", "../k"] {
            assert_eq!(keepers.open(nonsense, NOW), Err(Shut::Forged), "{nonsense}");
        }
    }

    #[test]
    fn a_loudspeaker_is_told_of_twelve_times_an_hour_and_another_does_not_wait_for_it() {
        let (keepers, minute) = (Keepers::new(&keeping()), Duration::from_mins(1));
        for n in 0..12 {
            assert_eq!(keepers.takes("PW-1", minute * n), Ok(()));
        }
        assert_eq!(keepers.takes("PW-1", minute * 30), Err(Shut::TooMany));
        assert_eq!(keepers.takes("PW-2", minute * 30), Ok(()));
        assert_eq!(
            keepers.takes("PW-1", minute * 60),
            Ok(()),
            "the first is over"
        );
        keepers.count(Shut::TooMany);
        assert_eq!(keepers.refused()[3], ("too-many-entries", 1));
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        assert_eq!(keeping().problems(), Vec::<String>::new());
        let wrong = Keeping {
            secret: Secret::new("short"),
            base: "w.example.cn".into(),
            days: 0,
        };
        let problems = wrong.problems();
        for (problem, key) in problems.iter().zip(["secret", "base", "days"]) {
            assert!(problem.starts_with(&format!("keepers.{key} ")), "{problem}");
        }
        assert_eq!(problems.len(), 3);
        assert!(!format!("{wrong:?}").contains("short"));
    }
}
