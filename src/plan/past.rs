//! An alert that a correction speaks of, as it is read back: what it said, to whom, and by which plan. This module must not
//! read a store: the papers are handed in.

use std::sync::Arc;

use channel::{Level, Timestamp};

use super::compare::{Gist, Said, cancels, whole};
use super::hush::Silence;
use super::rules::Plan;
use super::schedule::Schedule;
use super::text;
use crate::ledger::event::{Audience, Class};
use crate::ledger::{Alert, Papers};
use crate::model::{RegionCode, StreamId};

pub struct Past {
    pub alert: Arc<Alert>,
    pub cap: cap::Alert,
    pub plan: Plan,
    /// What each of its texts said, beside its variants.
    pub said: Vec<Said>,
}

impl Past {
    /// The missing paper's name where it cannot be read.
    pub fn of(alert: Arc<Alert>, papers: &Papers) -> Result<Self, &'static str> {
        let document = papers.document.as_deref().ok_or("its document")?;
        let cap = cap::read(document).alert.ok_or("its document")?;
        let plan = papers.plan.as_deref().ok_or("its plan")?;
        let plan = Plan::parse(plan).map_err(|_| "its plan")?;
        let mut past = Self {
            alert,
            cap,
            plan,
            said: Vec::new(),
        };
        // A text of before texts were compared says what the whole alert said.
        let whole = Said::Warned(past.gist());
        let said = |text: &Option<Vec<u8>>| {
            let said = text.as_deref().and_then(text::said);
            said.unwrap_or_else(|| whole.clone())
        };
        past.said = papers.texts.iter().map(said).collect();
        Ok(past)
    }

    /// Of all of it.
    pub fn gist(&self) -> Gist {
        let lifetime = self.alert.at.plus(self.plan.lifetime.0);
        text::gist(&self.cap, &self.plan.language, (u64::MAX, ""), lifetime)
    }

    pub fn headline(&self) -> Option<&str> {
        self.cap.infos.iter().find_map(|i| i.headline.as_deref())
    }
}

/// How a correction stands to what it ends, and with which alerts that was compared: with those that stand, else with the
/// last of its chain. What has ended by then is nothing to compare with. `usual` is its plan's language and the end of
/// what says none.
pub fn compared(
    (cap, regions): (&cap::Alert, &[RegionCode]),
    usual: (&str, Timestamp),
    (past, standing): (&[Past], &[StreamId]),
    now: Timestamp,
) -> (Class, Vec<StreamId>) {
    let stands = |old: &&Past| standing.contains(&old.alert.stream);
    let mut with: Vec<&Past> = past.iter().filter(stands).collect();
    if with.is_empty() {
        with.extend(past.last());
    }
    let streams = with.iter().map(|old| old.alert.stream).collect();
    if cap.msg_type == cap::MsgType::Cancel {
        return (cancels(cap), streams);
    }
    let had: Vec<_> = with
        .iter()
        .map(|old| (old.gist(), old.alert.meta.regions.clone()))
        .filter(|(gist, _)| gist.ends > now)
        .collect();
    let gist = text::gist(cap, usual.0, (u64::MAX, ""), usual.1);
    (whole((&gist, regions), &had), streams)
}

/// A Cancel that has a lower level than what it ends, or none, is handled as the highest of that.
pub fn raised(
    cap: &cap::Alert,
    handled: Level,
    past: &[Past],
    standing: &[StreamId],
) -> Option<Level> {
    let ends = |old: &&Past| standing.contains(&old.alert.stream);
    let levels = past.iter().filter(ends).map(|old| old.alert.handled());
    let highest = levels.min()?;
    (cap.msg_type == cap::MsgType::Cancel && highest < handled).then_some(highest)
}

/// Every moment at which somebody may be told: by this plan, in the nights of those by which people were warned before, and
/// where loudspeakers keep silent.
pub fn moments(
    plan: &Plan,
    past: &[Past],
    (handled, corrects): (Level, bool),
    silence: Silence<'_>,
    released: Timestamp,
) -> Schedule {
    let mut all = plan.moments(handled, released, corrects);
    let sends = past.iter().flat_map(|old| &old.plan.send);
    all.extend(sends.filter_map(|send| send.quiet?.until(released)));
    let spoken = past.iter().flat_map(|old| &old.plan.send);
    let mut spoken = spoken.chain(&plan.send);
    if spoken.any(|send| send.audience == Audience::Speakers) {
        let due: Vec<_> = all.iter().copied().chain([released]).collect();
        all.extend(silence.ends(handled, &due));
    }
    Schedule::of(released, all)
}
