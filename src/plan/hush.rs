//! When a loudspeaker keeps silent: at night, and on the days of an examination in its region. Programmes, tones, tests and
//! drills never sound then, and a warning below the level of an examination waits for its end. This module must not read a
//! clock, and must not hold back what nobody has graded.

use std::time::Duration;

use channel::{Level, Timestamp};
use serde::Deserialize;

use super::quiet::Quiet;
use super::wall::is_drill;
use crate::model::{Day, RegionCode};

/// `[speakers]` of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hush {
    #[serde(default = "night")]
    pub night: Quiet,
    /// In which each controller is asked, once a night, to look at itself without a sound; never where it is left out.
    #[serde(default)]
    pub self_test: Option<Quiet>,
    #[serde(default, rename = "exam")]
    pub exams: Vec<Exam>,
}

/// The days of an examination (高考、中考) somewhere.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exam {
    /// What people call it.
    pub name: String,
    /// The first day, and the last.
    pub from: Day,
    pub to: Day,
    /// Of each of these days.
    pub hours: Quiet,
    pub regions: Vec<RegionCode>,
    /// A warning of this level or a graver one sounds all the same.
    #[serde(default = "grave")]
    pub level: Level,
}

fn night() -> Quiet {
    "22:00-06:30".parse().expect("these are hours")
}

const fn grave() -> Level {
    Level::Orange
}

impl Default for Hush {
    fn default() -> Self {
        Self {
            night: night(),
            self_test: None,
            exams: Vec::new(),
        }
    }
}

/// What would sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sound {
    /// A warning that is meant, as it is handled. Its own plan has its night.
    Warning(Level),
    /// A drill, a test, a tone, a programme: nothing that cannot wait.
    Other,
}

/// An alert as the hush looks at it: what it is, and where it goes.
#[derive(Clone, Copy)]
pub struct Silence<'a> {
    pub hush: &'a Hush,
    pub status: cap::Status,
    pub regions: &'a [RegionCode],
}

impl Silence<'_> {
    /// Every end that something of it may wait for which is due at one of these moments.
    pub fn ends(self, handled: Level, due: &[Timestamp]) -> Vec<Timestamp> {
        let sound = Sound::of(self.status, handled);
        let ends = due
            .iter()
            .flat_map(|at| self.hush.ends(sound, self.regions, *at));
        ends.collect()
    }
}

impl Sound {
    /// A drill or a test can wait, whatever its level.
    pub fn of(status: cap::Status, handled: Level) -> Self {
        if is_drill(status) {
            Self::Other
        } else {
            Self::Warning(handled)
        }
    }
}

impl Exam {
    fn until(&self, at: Timestamp) -> Option<Timestamp> {
        let in_it = self.from.start() <= at && at < self.to.end();
        self.hours.until(at).filter(|_| in_it)
    }

    fn is_in(&self, region: RegionCode) -> bool {
        let touches = |own: &RegionCode| own.covers(region) || region.covers(*own);
        self.regions.iter().any(touches)
    }

    fn holds(&self, sound: Sound) -> bool {
        match sound {
            Sound::Warning(level) => level > self.level && level != Level::Unknown,
            Sound::Other => true,
        }
    }
}

impl Hush {
    pub const fn silence<'a>(
        &'a self,
        status: cap::Status,
        regions: &'a [RegionCode],
    ) -> Silence<'a> {
        Silence {
            hush: self,
            status,
            regions,
        }
    }

    /// The end of what is silent there at this time; nothing where it may sound.
    pub fn until(&self, sound: Sound, region: RegionCode, at: Timestamp) -> Option<Timestamp> {
        let night = (sound == Sound::Other).then_some(self.night);
        let mut end = at;
        // One may begin where another ends; each step is to a later time, and there are few.
        loop {
            let exams = self.exams.iter();
            let exams = exams.filter(|exam| exam.is_in(region) && exam.holds(sound));
            let ends = exams.filter_map(|exam| exam.until(end));
            let latest = ends.chain(night.and_then(|night| night.until(end))).max();
            match latest {
                Some(later) if later > end => end = later,
                _ => break,
            }
        }
        (end > at).then_some(end)
    }

    /// The first minute from `from` on, before `to`, in which it is silent there.
    pub fn begins(
        &self,
        sound: Sound,
        region: RegionCode,
        (from, to): (Timestamp, Timestamp),
    ) -> Option<Timestamp> {
        const MINUTE: Duration = Duration::from_mins(1);
        // Silence begins with a whole minute.
        let whole = Timestamp::from_secs(from.secs() - from.secs().rem_euclid(60));
        let minutes = std::iter::successors(Some(whole), |at| Some(at.plus(MINUTE)));
        let mut minutes = minutes.take_while(|at| *at < to);
        minutes.find(|at| self.until(sound, region, *at).is_some())
    }

    /// Every end that something which is due then may wait for, somewhere in these regions.
    pub fn ends(&self, sound: Sound, regions: &[RegionCode], at: Timestamp) -> Vec<Timestamp> {
        // Each examination by itself, and all that touch the regions: a village lies in some of them.
        let touched: Vec<_> = regions
            .iter()
            .copied()
            .chain(self.exams.iter().flat_map(|exam| exam.regions.clone()))
            .collect();
        let mut ends: Vec<_> = touched
            .into_iter()
            .filter(|code| {
                regions
                    .iter()
                    .any(|own| own.covers(*code) || code.covers(*own))
            })
            .filter_map(|code| self.until(sound, code, at))
            .collect();
        // A village of one examination alone waits for that one's end.
        let own = self.exams.iter().filter(|exam| exam.holds(sound));
        ends.extend(own.filter_map(|exam| exam.until(at)));
        // And one of none for the night's.
        let night = (sound == Sound::Other).then(|| self.night.until(at));
        ends.extend(night.flatten());
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let time = text.parse::<cap::Time>().expect("a moment");
        Timestamp::from_secs(time.unix)
    }

    fn code(text: &str) -> RegionCode {
        text.parse().expect("a code")
    }

    fn hush() -> Hush {
        toml::from_str(
            "self_test = \"02:40-04:40\"\n\
             [[exam]]\nname = \"高考\"\nfrom = \"2027-06-07\"\nto = \"2027-06-09\"\nhours = \"06:30-18:00\"\nregions = [\"510727217\"]\n",
        )
        .expect("a section")
    }

    #[test]
    fn what_can_wait_is_silent_at_night_and_a_warning_has_the_night_of_its_plan() {
        let hush = Hush::default();
        let (night, village) = (at("2026-07-14T23:00:00+08:00"), code("510727217201"));
        let morning = Some(at("2026-07-15T06:30:00+08:00"));
        assert_eq!(hush.until(Sound::Other, village, night), morning);
        for level in [Level::Red, Level::Blue, Level::Unknown] {
            assert_eq!(hush.until(Sound::Warning(level), village, night), None);
        }
        let noon = at("2026-07-14T12:00:00+08:00");
        assert_eq!(hush.until(Sound::Other, village, noon), None);
    }

    #[test]
    fn on_the_days_of_an_examination_its_regions_hear_the_grave_alone() {
        let hush = hush();
        let (inside, outside) = (code("510727217201"), code("510727216201"));
        let noon = at("2027-06-08T12:00:00+08:00");
        let evening = Some(at("2027-06-08T18:00:00+08:00"));
        let warning = |level, region| hush.until(Sound::Warning(level), region, noon);
        for level in [Level::Yellow, Level::Blue] {
            assert_eq!(warning(level, inside), evening, "{level:?}");
            assert_eq!(warning(level, outside), None, "{level:?}");
        }
        for level in [Level::Red, Level::Orange, Level::Unknown] {
            assert_eq!(warning(level, inside), None, "{level:?}");
        }
        assert_eq!(hush.until(Sound::Other, inside, noon), evening);
        assert_eq!(hush.until(Sound::Other, outside, noon), None);
        for day in ["06", "10"] {
            let other = at(&format!("2027-06-{day}T12:00:00+08:00"));
            assert_eq!(hush.until(Sound::Warning(Level::Blue), inside, other), None);
        }
    }

    #[test]
    fn a_night_that_ends_in_an_examination_lasts_until_that_ends() {
        let (hush, inside) = (hush(), code("510727217201"));
        let night = at("2027-06-07T23:00:00+08:00");
        let evening = Some(at("2027-06-08T18:00:00+08:00"));
        assert_eq!(hush.until(Sound::Other, inside, night), evening);
    }

    #[test]
    fn the_ends_hold_every_one_that_a_village_waits_for() {
        let hush = hush();
        let county = [code("510727")];
        let sound = Sound::Warning(Level::Blue);
        let noon = at("2027-06-08T12:00:00+08:00");
        let ends = hush.ends(sound, &county, noon);
        assert_eq!(ends, [at("2027-06-08T18:00:00+08:00")]);
        assert!(
            hush.ends(Sound::Warning(Level::Red), &county, noon)
                .is_empty()
        );
        let both = hush.ends(Sound::Other, &county, at("2027-06-07T23:00:00+08:00"));
        for village in ["510727217201", "510727216201"] {
            let until = hush.until(Sound::Other, code(village), at("2027-06-07T23:00:00+08:00"));
            assert!(
                until.is_some_and(|until| both.contains(&until)),
                "{village}: {both:?}"
            );
        }
    }

    #[test]
    fn an_order_that_waits_ends_where_the_silence_begins() {
        let (hush, village) = (Hush::default(), code("510727217201"));
        let within = |from: &str, to: &str| hush.begins(Sound::Other, village, (at(from), at(to)));
        let evening = "2026-07-14T21:55:30+08:00";
        let night = Some(at("2026-07-14T22:00:00+08:00"));
        assert_eq!(within(evening, "2026-07-14T22:05:30+08:00"), night);
        assert_eq!(within(evening, "2026-07-14T21:59:30+08:00"), None);
    }

    #[test]
    fn a_misspelt_key_is_an_error() {
        assert!(toml::from_str::<Hush>("nihgt = \"22:00-06:30\"").is_err());
        assert!(toml::from_str::<Hush>("self_test = \"02:40\"").is_err());
    }
}
