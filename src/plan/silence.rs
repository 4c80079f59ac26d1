//! `[[silent]]` of a plan: when villages that nobody is heard from are looked at, and who is told of them: their own officers
//! by another way, or those above, who find out. A look is one more round of sends, over those villages alone. This
//! module must not say which villages are silent.

use channel::Timestamp;
use serde::Deserialize;

use super::confirm::Confirm;
use super::rules::{Plan, Send};
use crate::ledger::event::Audience;
use crate::model::{RegionLevel, Role, Span};

/// One look at the silent villages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// So long after the release.
    pub after: Span,
    /// Officers of which levels are told: a village's own get the warning again, those above the names of the villages.
    pub at: Vec<RegionLevel>,
    /// Only officers with one of these roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    pub channels: Vec<String>,
    pub receipt_window: Span,
    #[serde(default)]
    pub confirm: Confirm,
}

impl Look {
    /// What one look sends: to a village's own officers, to those above, or to both.
    pub fn sends(&self) -> impl Iterator<Item = Send> + '_ {
        let own = |level: &RegionLevel| *level == RegionLevel::Village;
        let (villages, above): (Vec<_>, Vec<_>) = self.at.iter().copied().partition(own);
        let sends = [(Audience::Officers, villages), (Audience::Seekers, above)];
        let sends = sends.into_iter().filter(|(_, at)| !at.is_empty());
        sends.map(|(audience, at)| Send {
            audience,
            channels: self.channels.clone(),
            receipt_window: self.receipt_window,
            tags: Vec::new(),
            roles: self.roles.clone(),
            at,
            after: None,
            quiet: None,
            repeat: None,
            again: None,
            confirm: self.confirm,
        })
    }
}

/// A release has few looks; their steps lie apart from its own.
const MOST: usize = 16;

impl Plan {
    /// When each look is due.
    pub fn looks(&self, released: Timestamp) -> Vec<Timestamp> {
        let looks = self.silent.iter();
        looks.map(|look| released.plus(look.after.0)).collect()
    }

    /// The plan of one look alone.
    pub fn of_look(&self, look: u16) -> Option<Self> {
        let look = self.silent.get(usize::from(look))?;
        Some(Self {
            send: look.sends().collect(),
            silent: Vec::new(),
            ..self.clone()
        })
    }

    /// What no `[[silent]]` may say.
    pub(super) fn silence_problem(&self) -> Option<String> {
        let looks = &self.silent;
        let rising = looks.windows(2).all(|two| two[0].after.0 < two[1].after.0);
        let what = match () {
            () if looks.is_empty() => return None,
            () if self.send.is_empty() => {
                "it has no [[send]], so nobody is told who could be heard from"
            }
            () if looks.len() > MOST => "there are at most 16",
            () if looks.iter().any(|look| look.after.0.is_zero()) => {
                "after is missing time: nobody answers at once"
            }
            () if !rising => "each after is later than the one before",
            () if looks.iter().any(|look| look.at.is_empty()) => {
                "at names the levels whose officers are told, as at = [\"town\", \"county\"]"
            }
            () if looks.iter().any(|look| look.channels.is_empty()) => {
                "channels names by what they are told"
            }
            () => return None,
        };
        Some(format!("[[silent]]: {what}"))
    }
}

/// So many villages are named; of more their number is said, and the page has them all.
const NAMED: usize = 20;

/// What whoever is to find out about silent villages is told of them.
pub(super) fn unheard(villages: &[String], language: &str) -> String {
    let named = &villages[..villages.len().min(NAMED)];
    let (count, more) = (villages.len(), villages.len() > NAMED);
    if language.split('-').next() == Some("en") {
        let more = if more { " and others" } else { "" };
        return format!(
            " Nobody heard from in {count} villages: {}{more}. Get through to them, or send somebody, and report back.",
            named.join(", ")
        );
    }
    let more = if more { "等" } else { "" };
    format!(
        "以下{count}个村至今无人应答:{}{more}。请设法联系,联系不上的派人到场查看,并回报。",
        named.join("、")
    )
}

#[cfg(test)]
mod tests {
    use RegionLevel::{County, Town, Village};

    use super::*;
    use crate::plan::fixture::plan;

    fn with(looks: &str) -> Result<Plan, String> {
        let text = format!("{}\n{looks}", plan(&[("officers", "sms", "")]));
        Plan::parse(text.as_bytes())
    }

    const WINDOW: &str = "channels = [\"voice\"]\nreceipt_window = \"5m\"\n";

    #[test]
    fn a_look_tells_the_villages_own_officers_and_those_above_in_different_words() {
        let looks = format!(
            "[[silent]]\nafter = \"5m\"\nat = [\"village\"]\n{WINDOW}\
             [[silent]]\nafter = \"15m\"\nat = [\"village\", \"town\", \"county\"]\nroles = [\"duty\"]\n{WINDOW}"
        );
        let plan = with(&looks).expect("a plan");
        let at = Timestamp::from_secs;
        assert_eq!(plan.looks(at(100)), [at(400), at(1_000)]);
        let sends = |look| plan.of_look(look).map(|plan| plan.send).unwrap_or_default();
        let whom = |look| -> Vec<_> {
            let sends = sends(look).into_iter();
            sends
                .map(|send| (send.audience, send.at, send.roles.len()))
                .collect()
        };
        assert_eq!(whom(0), [(Audience::Officers, vec![Village], 0)]);
        assert_eq!(
            whom(1),
            [
                (Audience::Officers, vec![Village], 1),
                (Audience::Seekers, vec![Town, County], 1)
            ]
        );
        assert!(plan.of_look(2).is_none());
    }

    #[test]
    fn what_would_look_at_nothing_or_tell_nobody_is_refused() {
        let look = |keys: &str| with(&format!("[[silent]]\n{keys}\nreceipt_window = \"5m\"\n"));
        let whole = "after = \"5m\"\nat = [\"town\"]\nchannels = [\"sms\"]";
        assert!(look(whole).is_ok());
        for (from, to, said) in [
            ("5m", "0s", "nobody answers at once"),
            ("[\"town\"]", "[]", "names the levels"),
            ("[\"sms\"]", "[]", "by what they are told"),
        ] {
            let refused = look(&whole.replace(from, to)).expect_err(said);
            assert!(
                refused.starts_with("[[silent]]: ") && refused.contains(said),
                "{refused}"
            );
        }
        let twice = format!("[[silent]]\n{whole}\nreceipt_window = \"5m\"\n").repeat(2);
        assert!(
            with(&twice)
                .expect_err("not later")
                .contains("later than the one before")
        );
        let alone = b"name = \"p\"\nraise = \"red\"\n[[silent]]\nafter = \"5m\"\nat = [\"town\"]\nchannels = [\"sms\"]\nreceipt_window = \"5m\"\n";
        assert!(
            Plan::parse(alone)
                .expect_err("nobody is told")
                .contains("no [[send]]")
        );
    }
}
