//! Why a loudspeaker does not work, most probably: pure over what it said last and how its neighbours stand. A guess that
//! an officer can check; this module must not read anything and must not claim more than the facts bear.

use channel::{CLOCK_WRONG, MUTED, ON_BATTERY, PresenceState};
use serde_json::json;
use utoipa::openapi::schema::Schema;

use crate::model::shape;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// 停电
    Power,
    SimExpired,
    /// Of a carrier, or of a whole town.
    Network,
    /// The box's own.
    Fault,
    Clock,
    Muted,
    Unknown,
}

impl Cause {
    pub const ALL: [Self; 7] = [
        Self::Power,
        Self::SimExpired,
        Self::Network,
        Self::Fault,
        Self::Clock,
        Self::Muted,
        Self::Unknown,
    ];

    pub const fn name(self) -> &'static str {
        [
            "power",
            "sim-expired",
            "network",
            "fault",
            "clock",
            "muted",
            "unknown",
        ][self as usize]
    }

    pub const fn zh(self) -> &'static str {
        [
            "停电",
            "卡到期",
            "网络中断",
            "设备故障",
            "时钟不准",
            "被静音",
            "原因不明",
        ][self as usize]
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// The names, for the API's document.
    pub fn shape() -> Schema {
        let names = Self::ALL.map(Self::name);
        shape::written(json!({
            "type": "string",
            "description": "Only those that do not work for this reason",
            "enum": names,
        }))
    }
}

/// How the other loudspeakers of a village, a town or a carrier stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Near {
    /// So many others were ever heard.
    pub others: u32,
    /// So many of them fell silent at the same time.
    pub with_it: u32,
    /// So many of them have lost the mains, and say so still or said so last.
    pub dark: u32,
}

impl Near {
    /// All but one in ten, and enough of them that it is no chance.
    const fn all_at_once(self, least: u32) -> bool {
        self.others >= least && self.with_it * 10 >= self.others * 9
    }
}

/// What is known of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts<'a> {
    pub state: PresenceState,
    /// The short word that it said of itself last.
    pub code: &'a str,
    /// Its card's last day was over when it fell silent.
    pub sim_over: bool,
    pub village: Near,
    pub town: Near,
    pub carrier: Near,
}

/// A cause, and what it is concluded from, in Chinese and in English.
pub type Guess = (Cause, &'static str, &'static str);

/// Fewer say nothing of a town or of a carrier.
const MANY: u32 = 3;
/// A village has few.
const FEW: u32 = 2;

/// Nothing where it works.
pub fn cause(facts: &Facts<'_>) -> Option<Guess> {
    match facts.state {
        PresenceState::Enrolled => None,
        PresenceState::Fault => Some((Cause::Fault, "设备自报故障", "it reports a fault")),
        PresenceState::Idle | PresenceState::Playing => of_itself(facts.code),
        PresenceState::Silent => Some(of_silence(facts)),
    }
}

/// It is there and is not well.
fn of_itself(code: &str) -> Option<Guess> {
    Some(match code {
        CLOCK_WRONG => (
            Cause::Clock,
            "时钟偏差超过30秒",
            "its clock is off by more than 30 s",
        ),
        MUTED => (Cause::Muted, "音量为零", "its volume is 0"),
        ON_BATTERY => (Cause::Power, "正用电池供电", "it runs on its battery"),
        _ => return None,
    })
}

/// What it said itself goes before what its neighbours show; a card that is over before any outage.
fn of_silence(facts: &Facts<'_>) -> Guess {
    let Facts {
        village,
        town,
        carrier,
        ..
    } = facts;
    let said_fault = !["", ON_BATTERY, CLOCK_WRONG, MUTED].contains(&facts.code);
    if facts.code == ON_BATTERY {
        (
            Cause::Power,
            "失联前已用电池",
            "it ran on its battery before",
        )
    } else if said_fault {
        (Cause::Fault, "失联前自报故障", "it reported a fault before")
    } else if facts.sim_over {
        (Cause::SimExpired, "流量卡已到期", "its card is over")
    } else if village.dark > 0 {
        (
            Cause::Power,
            "同村喇叭已用电池",
            "others of its village run on their batteries",
        )
    } else if town.dark * 4 >= town.others && town.dark > 0 {
        (
            Cause::Power,
            "同镇喇叭已用电池",
            "others of its town run on their batteries",
        )
    } else if carrier.all_at_once(MANY) {
        (
            Cause::Network,
            "同一运营商的喇叭同时失联",
            "all of its carrier fell silent at once",
        )
    } else if town.all_at_once(MANY) {
        (
            Cause::Network,
            "全镇喇叭同时失联",
            "all of its town fell silent at once",
        )
    } else if village.all_at_once(FEW) {
        (
            Cause::Power,
            "全村喇叭同时失联，邻村正常",
            "all of its village fell silent at once, and no other",
        )
    } else {
        (
            Cause::Unknown,
            "只有它失联，请管护员到场查看",
            "it alone is silent: its keeper should look",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Near = Near {
        others: 7,
        with_it: 0,
        dark: 0,
    };
    const SILENT: Facts<'_> = Facts {
        state: PresenceState::Silent,
        code: "",
        sim_over: false,
        village: ALONE,
        town: Near {
            others: 70,
            ..ALONE
        },
        carrier: Near {
            others: 900,
            ..ALONE
        },
    };

    fn guessed(facts: Facts<'_>) -> Option<Cause> {
        cause(&facts).map(|(cause, zh, en)| {
            assert!(!zh.is_empty() && !en.is_empty());
            cause
        })
    }

    #[test]
    fn one_that_works_has_no_cause() {
        for state in [
            PresenceState::Idle,
            PresenceState::Playing,
            PresenceState::Enrolled,
        ] {
            assert_eq!(guessed(Facts { state, ..SILENT }), None, "{state:?}");
        }
    }

    #[test]
    fn one_that_ran_on_its_battery_is_without_power() {
        let facts = Facts {
            code: ON_BATTERY,
            sim_over: true,
            ..SILENT
        };
        assert_eq!(guessed(facts), Some(Cause::Power));
        let there = Facts {
            state: PresenceState::Idle,
            ..facts
        };
        assert_eq!(guessed(there), Some(Cause::Power), "and is still there");
    }

    #[test]
    fn one_without_a_battery_is_without_power_where_its_neighbours_run_on_theirs() {
        let near = |village, town| Facts {
            village: Near {
                dark: village,
                ..SILENT.village
            },
            town: Near {
                dark: town,
                ..SILENT.town
            },
            ..SILENT
        };
        assert_eq!(guessed(near(1, 1)), Some(Cause::Power));
        assert_eq!(guessed(near(0, 18)), Some(Cause::Power));
        assert_eq!(
            guessed(near(0, 17)),
            Some(Cause::Unknown),
            "less than a quarter of the town"
        );
    }

    #[test]
    fn a_village_that_fell_silent_at_once_beside_others_that_did_not_is_without_power() {
        let facts = |others, with_it| Facts {
            village: Near {
                others,
                with_it,
                dark: 0,
            },
            ..SILENT
        };
        assert_eq!(guessed(facts(7, 7)), Some(Cause::Power));
        assert_eq!(guessed(facts(7, 6)), Some(Cause::Unknown));
        assert_eq!(
            guessed(facts(1, 1)),
            Some(Cause::Unknown),
            "two may be chance"
        );
    }

    #[test]
    fn a_card_that_is_over_goes_before_what_its_neighbours_show() {
        let facts = Facts {
            sim_over: true,
            village: Near { dark: 3, ..ALONE },
            ..SILENT
        };
        assert_eq!(guessed(facts), Some(Cause::SimExpired));
    }

    #[test]
    fn all_of_a_carrier_or_of_a_town_at_once_is_the_network() {
        let all = Near {
            others: 20,
            with_it: 18,
            dark: 0,
        };
        let one = |village, town, carrier| Facts {
            village,
            town,
            carrier,
            ..SILENT
        };
        assert_eq!(guessed(one(ALONE, ALONE, all)), Some(Cause::Network));
        assert_eq!(guessed(one(all, all, ALONE)), Some(Cause::Network));
        let most = Near { with_it: 17, ..all };
        assert_eq!(guessed(one(ALONE, most, most)), Some(Cause::Unknown));
        let two = Near {
            others: 2,
            with_it: 2,
            dark: 0,
        };
        assert_eq!(
            guessed(one(ALONE, two, two)),
            Some(Cause::Unknown),
            "too few"
        );
    }

    #[test]
    fn a_fault_is_a_fault_whether_it_is_still_there_or_not() {
        let fault = Facts {
            state: PresenceState::Fault,
            code: "amplifier",
            ..SILENT
        };
        assert_eq!(guessed(fault), Some(Cause::Fault));
        let silent = Facts {
            state: PresenceState::Silent,
            ..fault
        };
        assert_eq!(guessed(silent), Some(Cause::Fault));
    }

    #[test]
    fn a_clock_or_a_volume_is_shown_while_it_is_there_and_explains_no_silence() {
        for (code, cause) in [(CLOCK_WRONG, Cause::Clock), (MUTED, Cause::Muted)] {
            let there = Facts {
                state: PresenceState::Idle,
                code,
                ..SILENT
            };
            assert_eq!(guessed(there), Some(cause));
            assert_eq!(guessed(Facts { code, ..SILENT }), Some(Cause::Unknown));
        }
    }

    #[test]
    fn one_alone_is_of_unknown_cause() {
        assert_eq!(guessed(SILENT), Some(Cause::Unknown));
    }

    #[test]
    fn every_cause_is_found_by_its_name() {
        for cause in Cause::ALL {
            assert_eq!(Cause::named(cause.name()), Some(cause));
        }
        assert_eq!(Cause::named("secret"), None);
    }
}
