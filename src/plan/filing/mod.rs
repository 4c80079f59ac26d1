//! What of the bureaus' signatures and templates is filed (报备) with whom: by account, carrier and signature. A text that
//! is not filed is refused by the far end, or silently lost; whoever hands in a warning is told before. This module must
//! not read a registry or know how a text came about.

mod lacks;
mod link;
mod template;

use channel::Timestamp;
use serde::Deserialize;

pub use lacks::{Lack, lacks, of_bar};
pub use template::Template;

use super::confirm::Confirm;
use crate::ledger::event::Bar;
use crate::model::{Carrier, Day};

/// One `[[channel.filing]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filing {
    /// Left out: whatever carrier the account reaches.
    #[serde(default)]
    pub carrier: Option<Carrier>,
    /// Without its brackets.
    pub signature: String,
    pub state: FilingState,
    /// The last day on which it holds.
    #[serde(default)]
    pub until: Option<Day>,
    /// None: any text may be sent.
    #[serde(default)]
    pub templates: Vec<Template>,
    /// Replies come back.
    #[serde(default)]
    pub uplink: bool,
    /// Texts may hold links.
    #[serde(default)]
    pub links: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilingState {
    Filed,
    /// Handed in, and not answered: seven to ten working days.
    Pending,
    Refused,
    Expired,
}

impl FilingState {
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Filed => ("filed", "已报备"),
            Self::Pending => ("pending", "报备中"),
            Self::Refused => ("refused", "报备被拒"),
            Self::Expired => ("expired", "报备过期"),
        }
    }
}

impl Filing {
    /// How it stands at a moment: what is over has expired, whatever is written.
    pub fn state_at(&self, now: Timestamp) -> FilingState {
        match (self.state, self.until) {
            (FilingState::Filed, Some(until)) if until.end() <= now => FilingState::Expired,
            (state, _) => state,
        }
    }

    /// Which of its templates a text is, where it has any; `text` comes with its signature.
    pub fn judge(&self, text: &str) -> Result<Option<&str>, Bar> {
        let body = text
            .strip_prefix('【')
            .and_then(|rest| rest.split_once('】'))
            .map_or(text, |(_, body)| body);
        if !self.links && link::has_link(body) {
            return Err(Bar::Link);
        }
        if self.templates.is_empty() {
            return Ok(None);
        }
        let fit = self.templates.iter().find(|one| one.fits(body));
        fit.map(|one| Some(one.id.as_str())).ok_or(Bar::NoTemplate)
    }

    fn is_of(&self, carrier: Option<Carrier>) -> bool {
        // Of a number that no prefix knows nothing better can be said.
        self.carrier.is_none() || carrier.is_none() || self.carrier == carrier
    }
}

/// How a text may go to one number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Way {
    /// Nothing is said of the account's filings.
    Unsaid,
    /// By this place in the list.
    Filed(u16),
    Barred(Bar),
}

/// Every filing, with the channel that it is of.
#[derive(Clone, Debug, Default)]
pub struct Filings(Vec<(String, Filing)>);

impl Filings {
    pub fn new(filings: impl Iterator<Item = (String, Filing)>) -> Self {
        Self(filings.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the channel's filings are told.
    pub fn says(&self, channel: &str) -> bool {
        self.0.iter().any(|(of, _)| of == channel)
    }

    pub fn get(&self, place: u16) -> Option<&Filing> {
        self.0.get(usize::from(place)).map(|(_, filing)| filing)
    }

    /// Those of a signature on a channel, each with its place.
    pub fn of<'a>(
        &'a self,
        channel: &'a str,
        signature: &'a str,
    ) -> impl Iterator<Item = (u16, &'a Filing)> {
        let places = (0_u16..).zip(&self.0);
        places
            .filter(move |(_, (of, filing))| of == channel && filing.signature == signature)
            .map(|(place, (_, filing))| (place, filing))
    }

    /// How a text of this signature may go to a number of this carrier: what is in force goes before what is not, and the
    /// carrier's own filing before one for all.
    pub fn way(
        &self,
        channel: &str,
        signature: &str,
        carrier: Option<Carrier>,
        now: Timestamp,
    ) -> Way {
        if !self.says(channel) {
            return Way::Unsaid;
        }
        let fitting = self
            .of(channel, signature)
            .filter(|(_, f)| f.is_of(carrier));
        let holds = |filing: &Filing| filing.state_at(now) == FilingState::Filed;
        let best = fitting.min_by_key(|(_, f)| (!holds(f), f.carrier != carrier));
        match best {
            Some((place, filing)) if holds(filing) => Way::Filed(place),
            Some(_) => Way::Barred(Bar::NotInForce),
            None => Way::Barred(Bar::NotFiled),
        }
    }

    /// A way for a text whose plan may ask for a reply, and whether it does: only where one comes back.
    pub fn confirms(&self, way: Way, confirm: Confirm) -> (Way, bool) {
        let filing = match way {
            Way::Filed(place) => self.get(place),
            Way::Unsaid => None,
            Way::Barred(_) => return (way, false),
        };
        let comes = filing.is_some_and(|filing| filing.uplink);
        match confirm {
            Confirm::No => (way, false),
            Confirm::Required if !comes => (Way::Barred(Bar::NoUplink), false),
            Confirm::Asked | Confirm::Required => (way, comes),
        }
    }

    /// What is soon over or not in force, each with its channel: for whoever can do something about it.
    pub fn lapsing(&self, now: Timestamp) -> impl Iterator<Item = (&str, &Filing)> {
        let lapses = move |filing: &Filing| {
            filing.state_at(now) != FilingState::Filed || filing.ends_within(now, NOTICE)
        };
        let all = self.0.iter().filter(move |(_, filing)| lapses(filing));
        all.map(|(channel, filing)| (channel.as_str(), filing))
    }
}

/// A filing is renewed in seven to ten working days: so long before its end somebody is told.
const NOTICE: std::time::Duration = std::time::Duration::from_hours(30 * 24);

impl Filing {
    fn ends_within(&self, now: Timestamp, wait: std::time::Duration) -> bool {
        self.until
            .is_some_and(|until| until.end() <= now.plus(wait))
    }
}

#[cfg(test)]
mod tests;
