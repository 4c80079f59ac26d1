//! Plans: alerts like this go by these channels to these audiences. A plan is a TOML file; the first whose conditions
//! hold takes the alert. A file without a [[send]] only raises the level by which the files after it are tried. This
//! module must not know any channel's protocol.

use std::time::Duration;

use channel::Level;
use serde::Deserialize;

use super::confirm::Confirm;
use super::quiet::Quiet;
use super::silence::Look;
use crate::ledger::event::{Audience, Class};
use crate::model::{RegionCode, RegionLevel, Role, Span};

/// One plan, as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub name: String,
    #[serde(default, rename = "match")]
    pub when: When,
    /// What it matches is handled as this level from here on, and shown beside the warning's own. It never lowers.
    #[serde(default)]
    pub raise: Option<Level>,
    /// The language for whom no info speaks theirs.
    #[serde(default)]
    pub language: String,
    /// How long an alert without `expires` stands.
    #[serde(default = "no_time")]
    pub lifetime: Span,
    #[serde(default)]
    pub send: Vec<Send>,
    /// When villages that nobody is heard from are looked at.
    #[serde(default)]
    pub silent: Vec<Look>,
}

/// Empty means any; but of scopes, empty means `Public`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    #[serde(default)]
    pub levels: Vec<Level>,
    /// Event codes, by prefix: `11A` is all floods and droughts.
    #[serde(default)]
    pub events: Vec<String>,
    #[serde(default)]
    pub statuses: Vec<cap::Status>,
    #[serde(default)]
    pub scopes: Vec<cap::Scope>,
    #[serde(default)]
    pub senders: Vec<String>,
    /// Any part of the alert lies in one of these, or holds it.
    #[serde(default)]
    pub regions: Vec<RegionCode>,
    /// Anything of one of these zones is hit.
    #[serde(default)]
    pub zones: Vec<String>,
    /// A region that is hit, one above it, or a zone of which anything is hit, has one of these tags.
    #[serde(default)]
    pub tags: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    pub audience: Audience,
    /// Configured channels, by name. Each is used.
    pub channels: Vec<String>,
    /// How long a receipt is waited for before the answer is *unknown*.
    pub receipt_window: Span,
    /// Only households with one of these tags; of speakers, those that such a household hears.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Only officers with one of these roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Only officers of regions of these levels.
    #[serde(default)]
    pub at: Vec<RegionLevel>,
    /// So long after the release.
    #[serde(default)]
    pub after: Option<Span>,
    /// What is not handled as red or orange waits for the end of these hours, and whatever is good news.
    #[serde(default)]
    pub quiet: Option<Quiet>,
    /// How often a loudspeaker plays it, and with which pause.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// By which Updates whoever has the earlier warning is told again.
    #[serde(default)]
    pub again: Option<Vec<Class>>,
    /// Whether text messages ask for a reply.
    #[serde(default)]
    pub confirm: Confirm,
}

/// What an Update can be to whoever has the earlier warning and is still meant.
pub const AGAIN: [Class; 4] = [
    Class::Upgraded,
    Class::Downgraded,
    Class::Prolonged,
    Class::Corrected,
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    pub times: u32,
    #[serde(default = "no_time")]
    pub pause: Span,
}

const fn no_time() -> Span {
    Span(Duration::ZERO)
}

/// All plans with their bytes, which are journaled with every alert that they take.
pub struct Plans(Vec<(Plan, Vec<u8>)>);

impl Plans {
    pub fn parse(files: Vec<(String, Vec<u8>)>) -> Result<Self, Vec<String>> {
        let mut plans: Vec<(Plan, Vec<u8>)> = Vec::new();
        let mut problems = Vec::new();
        for (file, bytes) in files {
            match Plan::parse(&bytes) {
                // An alert remembers its plan by name: a short Cancel goes by the plan of what it corrects.
                Ok(plan) if plans.iter().any(|(other, _)| other.name == plan.name) => {
                    problems.push(format!(
                        "plan {file}: another plan before it is named {:?} too; give each its own name",
                        plan.name
                    ));
                }
                Ok(plan) => plans.push((plan, bytes)),
                Err(why) => problems.push(format!("plan {file}: {why}")),
            }
        }
        if plans.is_empty() && problems.is_empty() {
            problems.push("there is no plan: put one into the plans folder".into());
        }
        if problems.is_empty() {
            Ok(Self(plans))
        } else {
            Err(problems)
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.0.iter().map(|(plan, _)| plan)
    }

    pub(super) fn with_bytes(&self) -> impl Iterator<Item = (&Plan, &[u8])> {
        self.0.iter().map(|(plan, bytes)| (plan, bytes.as_slice()))
    }

    pub fn named(&self, name: &str) -> Option<(&Plan, &[u8])> {
        self.with_bytes().find(|(plan, _)| plan.name == name)
    }

    /// The first that sends anything.
    pub fn first(&self) -> Option<(&Plan, &[u8])> {
        self.with_bytes().find(|(plan, _)| !plan.send.is_empty())
    }
}

impl Plan {
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|e| format!("it is not UTF-8: {e}"))?;
        let plan: Self = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
        match plan.problem() {
            Some(problem) => Err(problem),
            None => Ok(plan),
        }
    }

    /// What no key may say, whatever is configured beside it.
    fn problem(&self) -> Option<String> {
        let told = !self.language.is_empty() || !self.lifetime.0.is_zero();
        let what = match (self.raise, self.send.is_empty()) {
            (None, true) => "it has no [[send]] and raises nothing; it would do nothing",
            (Some(_), true) if told => {
                "it only raises the level, so language and lifetime act on nothing; take them out or add a [[send]]"
            }
            (_, false) if self.language.is_empty() => {
                "language is missing; write language = \"zh-CN\""
            }
            (_, false) if self.lifetime.0.is_zero() => {
                "lifetime is missing; write lifetime = \"6h\""
            }
            _ => {
                let silence = self.silence_problem();
                return silence.or_else(|| self.send.iter().find_map(Send::problem));
            }
        };
        Some(what.to_owned())
    }
}

impl Send {
    /// Whether it tells people of this class. Who comes in, who drops out and who is told that it is over always is.
    pub fn tells(&self, class: Class) -> bool {
        if !AGAIN.contains(&class) {
            return true;
        }
        let usual = class != Class::Prolonged || self.audience == Audience::Officers;
        self.again
            .as_ref()
            .map_or(usual, |again| again.contains(&class))
    }

    /// A key that acts on nothing is a mistake.
    fn problem(&self) -> Option<String> {
        let officers = self.audience == Audience::Officers;
        let what = match () {
            () if self.audience == Audience::Keepers => {
                "whoever keeps an outlet is called by [channel.prompt], not by a plan"
            }
            () if self.audience == Audience::Seekers => {
                "whoever finds out about silent villages is told by [[silent]]"
            }
            () if officers && !self.tags.is_empty() => {
                "tags choose households; officers have roles"
            }
            () if !(officers || self.roles.is_empty() && self.at.is_empty()) => {
                "roles and at choose officers; the public and speakers have tags"
            }
            () if officers && self.quiet.is_some() => {
                "quiet is for the public and for speakers; officers are told at any hour"
            }
            () if self.repeat.is_some() && self.audience != Audience::Speakers => {
                "repeat is for speakers; nobody else is told twice"
            }
            () if self.repeat.is_some_and(|r| !(1..=20).contains(&r.times)) => {
                "repeat.times is 1 to 20"
            }
            () if self
                .repeat
                .is_some_and(|r| r.pause.0 > Duration::from_mins(30)) =>
            {
                "repeat.pause is at most 30m"
            }
            () if self.confirm != Confirm::No && self.audience == Audience::Speakers => {
                "confirm is for people who can reply; a speaker cannot"
            }
            () if self.again.iter().flatten().any(|c| !AGAIN.contains(c)) => {
                "again lists upgraded, downgraded, prolonged and corrected; who comes in, drops out or is told that it is over always is"
            }
            () => return None,
        };
        Some(format!("a [[send]] to {}: {what}", self.audience.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Plan::parse(text.as_bytes()).expect_err("refused")
    }

    const HEAD: &str = "name = \"p\"\nlanguage = \"zh-CN\"\nlifetime = \"6h\"\n";

    #[test]
    fn a_key_that_would_act_on_nothing_is_refused() {
        let send = |keys: &str| {
            format!("{HEAD}[[send]]\nchannels = [\"sms\"]\nreceipt_window = \"5m\"\n{keys}")
        };
        for (keys, said) in [
            (
                "audience = \"officers\"\ntags = [\"school\"]",
                "tags choose",
            ),
            ("audience = \"public\"\nroles = [\"duty\"]", "roles and at"),
            ("audience = \"speakers\"\nat = [\"town\"]", "roles and at"),
            (
                "audience = \"officers\"\nquiet = \"22:00-06:30\"",
                "any hour",
            ),
            (
                "audience = \"public\"\nrepeat = { times = 2 }",
                "repeat is for",
            ),
            ("audience = \"speakers\"\nrepeat = { times = 0 }", "1 to 20"),
            ("audience = \"public\"\norder = 1", "unknown field"),
            ("audience = \"speakers\"\nconfirm = true", "can reply"),
            (
                "audience = \"public\"\nagain = [\"widened\"]",
                "who comes in",
            ),
            (
                "audience = \"public\"\nagain = [\"later\"]",
                "unknown variant",
            ),
        ] {
            let refused = refusal(&send(keys));
            assert!(refused.contains(said), "{keys}: {refused}");
        }
        assert!(refusal("name = \"p\"").contains("would do nothing"));
        assert!(refusal(&format!("{HEAD}raise = \"red\"")).contains("act on nothing"));
        assert!(Plan::parse(b"name = \"p\"\nraise = \"red\"").is_ok());
        assert!(Plan::parse(send("audience = \"public\"").as_bytes()).is_ok());
    }

    #[test]
    fn the_plan_says_who_is_told_again_and_by_default_a_prolonged_warning_is_for_officers() {
        use Class::{Closed, Lifted, Narrowed, Original, Revoked, Widened};
        let send = |keys: &str| {
            let text =
                format!("{HEAD}[[send]]\nchannels = [\"c\"]\nreceipt_window = \"5m\"\n{keys}");
            Plan::parse(text.as_bytes()).expect("a plan").send.remove(0)
        };
        for audience in ["public", "speakers", "officers", "relatives", "neighbours"] {
            let usual = send(&format!("audience = \"{audience}\""));
            let left: Vec<_> = Class::ALL
                .into_iter()
                .filter(|c| !usual.tells(*c))
                .collect();
            let officers = audience == "officers";
            assert_eq!(
                left,
                if officers {
                    vec![]
                } else {
                    vec![Class::Prolonged]
                },
                "{audience}"
            );
            let never = send(&format!("audience = \"{audience}\"\nagain = []"));
            let told: Vec<_> = Class::ALL.into_iter().filter(|c| never.tells(*c)).collect();
            assert_eq!(
                told,
                [Original, Widened, Narrowed, Lifted, Revoked, Closed],
                "{audience}"
            );
        }
        let prolonged = send("audience = \"public\"\nagain = [\"prolonged\"]");
        assert!(prolonged.tells(Class::Prolonged) && !prolonged.tells(Class::Upgraded));
    }

    #[test]
    fn two_plans_of_one_name_are_refused_by_file() {
        let plan = |file: &str, name: &str| {
            let text = format!("name = \"{name}\"\nraise = \"red\"");
            (file.to_owned(), text.into_bytes())
        };
        assert!(Plans::parse(vec![plan("a.toml", "one"), plan("b.toml", "two")]).is_ok());
        let same = Plans::parse(vec![plan("a.toml", "one"), plan("b.toml", "one")]);
        let problems = same.map(drop).expect_err("they cannot be told apart");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("plan b.toml:") && problems[0].contains("\"one\""));
    }
}
