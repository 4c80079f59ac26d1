//! What an order can be, and whose goes first at one loudspeaker. A table of pure decisions: this module must not keep
//! anything, so that any controller decides alike.

use channel::{Action, Authority, Level};
use serde::{Deserialize, Serialize};

use super::{Order, QUAKE, QUAKE_CANCEL};

pub const PLAY: &str = "play";
/// A test tone, which sounds like any other order and carries no text.
pub const TONE: &str = "tone";
pub const STOP: &str = "stop";
pub const STOP_ALL: &str = "stop-all";
pub const VOLUME: &str = "volume";
/// What is held, played or not, stands longer: until this order's own end. It makes no sound.
pub const PROLONG: &str = "prolong";

/// The device looks at its amplifier, storage, clock and volume. It makes no sound, whatever it finds.
pub const SELF_TEST: &str = "self-test";

/// The longest test tone, in seconds.
pub const LONGEST_TONE: u32 = 60;

/// 应急 before 日常.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Emergency,
    #[default]
    Daily,
}

/// What is over in seconds waits for nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Urgency {
    /// An earthquake that is on its way. An exercise of one is as any other order: it cuts no warning off.
    Quake,
    Usual,
}

/// Who sounds first: the smaller one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rank {
    pub urgency: Urgency,
    pub class: Class,
    pub authority: Authority,
    pub level: Level,
}

impl Rank {
    /// Somebody at the loudspeaker itself.
    pub const LOCAL: Self = Self {
        urgency: Urgency::Usual,
        class: Class::Daily,
        authority: Authority::Village,
        level: Level::Unknown,
    };
}

/// What becomes of an order that comes to a loudspeaker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meeting {
    /// Nothing sounds: it starts.
    Start,
    /// It cuts off what sounds, which goes on when it is over.
    PreEmpt,
    /// Its turn comes when what sounds is over.
    Wait,
}

/// Among equals whoever came first plays to its end.
pub fn meet(sounding: Option<Rank>, comes: Rank) -> Meeting {
    match sounding {
        None => Meeting::Start,
        Some(now) if comes < now => Meeting::PreEmpt,
        Some(_) => Meeting::Wait,
    }
}

impl Order {
    pub fn rank(&self) -> Rank {
        let urgency = if self.is_quake() && !self.drill {
            Urgency::Quake
        } else {
            Urgency::Usual
        };
        Rank {
            urgency,
            class: self.class,
            authority: self.authority,
            level: self.level,
        }
    }

    /// Whether it is one of those that sound.
    pub fn sounds(&self) -> bool {
        [PLAY, TONE].contains(&self.kind.as_str())
    }

    /// Whether its text is spoken, so that a drill has to say so.
    pub(super) fn speaks(&self) -> bool {
        self.kind == PLAY || self.is_quake()
    }

    /// A kind that is known, with what it needs.
    pub(super) fn is_whole(&self) -> bool {
        if self.quake.is_some() != (self.kind == QUAKE) {
            return false;
        }
        match self.kind.as_str() {
            PLAY => self.repeats > 0,
            TONE => (1..=LONGEST_TONE).contains(&self.value),
            STOP | PROLONG | QUAKE_CANCEL => !self.target.is_empty(),
            STOP_ALL | SELF_TEST => true,
            VOLUME => self.value <= 100,
            QUAKE => !self.target.is_empty() && self.quake.is_some_and(|of| of.is_sound(self)),
            _ => false,
        }
    }

    /// Whether this order is about the order of that id: its own, or one of the alert that the id begins with.
    fn is_about(&self, id: &str) -> bool {
        let rest = id.strip_prefix(&*self.target);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    pub fn stops(&self, id: &str) -> bool {
        self.kind == STOP_ALL || (self.kind == STOP && self.is_about(id))
    }

    pub fn prolongs(&self, id: &str) -> bool {
        self.kind == PROLONG && self.is_about(id)
    }
}

/// The kind, the target and the value of what an operator orders.
pub(crate) fn parts(action: Action) -> (&'static str, String, u32) {
    match action {
        Action::Stop { alert } => (STOP, alert.to_string(), 0),
        Action::StopAll => (STOP_ALL, String::new(), 0),
        Action::Tone { seconds } => (TONE, String::new(), seconds.into()),
        Action::Volume { percent } => (VOLUME, String::new(), percent.into()),
        Action::Prolong { alert, .. } => (PROLONG, alert.to_string(), 0),
        Action::SelfTest => (SELF_TEST, String::new(), 0),
    }
}

#[cfg(test)]
mod tests {
    use Authority::{County, Town, Village};
    use Class::{Daily, Emergency};
    use Level::{Blue, Orange, Red, Unknown};
    use Meeting::{PreEmpt, Start, Wait};

    use super::*;

    const fn rank(class: Class, authority: Authority, level: Level) -> Rank {
        Rank {
            urgency: Urgency::Usual,
            class,
            authority,
            level,
        }
    }

    #[test]
    fn an_earthquake_goes_before_all_else_and_an_exercise_of_one_before_nothing_graver() {
        let quake = |drill| Order {
            kind: QUAKE.into(),
            level: Unknown,
            drill,
            ..super::super::tests::order()
        };
        let red = rank(Emergency, County, Red);
        assert_eq!(meet(Some(red), quake(false).rank()), PreEmpt);
        assert_eq!(meet(Some(Rank::LOCAL), quake(false).rank()), PreEmpt);
        assert_eq!(meet(Some(quake(false).rank()), red), Wait);
        assert_eq!(meet(Some(red), quake(true).rank()), Wait);
        let graver = Order {
            level: Red,
            ..quake(false)
        };
        assert_eq!(meet(Some(quake(false).rank()), graver.rank()), PreEmpt);
    }

    #[test]
    fn emergency_goes_before_daily_then_county_before_town_before_village_then_the_graver_level() {
        let table = [
            (None, rank(Daily, Village, Unknown), Start),
            (
                Some(rank(Daily, County, Unknown)),
                rank(Emergency, Village, Blue),
                PreEmpt,
            ),
            (
                Some(rank(Emergency, Village, Blue)),
                rank(Daily, County, Unknown),
                Wait,
            ),
            (
                Some(rank(Emergency, Town, Red)),
                rank(Emergency, County, Blue),
                PreEmpt,
            ),
            (
                Some(rank(Emergency, County, Blue)),
                rank(Emergency, Town, Red),
                Wait,
            ),
            (
                Some(rank(Emergency, Village, Red)),
                rank(Emergency, Town, Red),
                PreEmpt,
            ),
            (
                Some(rank(Emergency, County, Orange)),
                rank(Emergency, County, Red),
                PreEmpt,
            ),
            (
                Some(rank(Emergency, County, Red)),
                rank(Emergency, County, Orange),
                Wait,
            ),
            (
                Some(rank(Emergency, County, Red)),
                rank(Emergency, County, Red),
                Wait,
            ),
            (Some(Rank::LOCAL), rank(Daily, Town, Unknown), PreEmpt),
            (Some(Rank::LOCAL), Rank::LOCAL, Wait),
            (Some(rank(Daily, Town, Unknown)), Rank::LOCAL, Wait),
        ];
        for (sounding, comes, wanted) in table {
            assert_eq!(meet(sounding, comes), wanted, "{sounding:?} {comes:?}");
        }
    }

    #[test]
    fn a_stop_is_about_one_order_or_all_of_one_alert() {
        let stop = |target: &str| Order {
            kind: STOP.into(),
            target: target.into(),
            ..super::super::tests::order()
        };
        assert!(stop("7").stops("7-0-aa-bb") && stop("7-0-aa-bb").stops("7-0-aa-bb"));
        assert!(!stop("7").stops("71-0-aa-bb") && !stop("7-0-aa").stops("7-0-aabb-c"));
        let all = Order {
            kind: STOP_ALL.into(),
            ..stop("")
        };
        assert!(all.stops("7-0-aa-bb") && all.stops("0-9-tone-cc"));
        assert!(!super::super::tests::order().stops("1-0-aa-bb"));
        let longer = Order {
            kind: PROLONG.into(),
            ..stop("7")
        };
        assert!(longer.prolongs("7-0-aa-bb") && !longer.prolongs("71-0-aa-bb"));
        assert!(!longer.stops("7-0-aa-bb") && !stop("7").prolongs("7-0-aa-bb"));
        assert!(longer.is_whole() && !longer.sounds());
        assert!(
            !Order {
                kind: PROLONG.into(),
                ..stop("")
            }
            .is_whole()
        );
    }
}
