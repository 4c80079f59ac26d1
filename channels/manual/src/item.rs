//! One item as a person sees it: the ready text, by when, and everything that was entered, late and contradicting entries
//! beside each other. A pure view over what the house gives back. This module must not drop an entry.

use std::time::Duration;

use channel::{Evidence, Handed, Timestamp, Verdict};
use serde_json::{Value, json};

use crate::entry::{Attachment, Entry, Outcome};
use crate::outlet::Outlet;
use crate::ready::{Ready, ready};

pub struct Item<'a> {
    pub handed: &'a Handed,
    pub outlet: Outlet<'a>,
    pub ready: Ready,
    pub entries: Vec<Shown>,
    pub standing: Standing,
    /// Where it is found.
    pub link: String,
    /// The same for the open network, where that has an address.
    pub short: Option<String>,
}

/// An entry with what is to be known of it.
pub struct Shown {
    /// Nothing where it was erased.
    pub entry: Option<Entry>,
    pub seen: Timestamp,
    /// Done after it was due.
    pub late: bool,
    /// Entered long after it was done: 补录.
    pub backfilled: bool,
}

impl Shown {
    pub fn attachment(&self) -> Option<&Attachment> {
        self.entry.as_ref()?.attachment.as_ref()
    }
}

/// What is told of an item at a glance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nobody has entered anything.
    Open,
    /// Nobody has, and it is past its time.
    Overdue,
    Done,
    Cannot,
    /// Entries contradict each other.
    Disputed,
    /// Called off before anybody entered anything: it is not to be given any more.
    Withdrawn,
    /// Ended before anybody entered anything.
    Over,
}

impl Standing {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Done => "done",
            Self::Cannot => "cannot",
            Self::Disputed => "disputed",
            Self::Withdrawn => "withdrawn",
            Self::Over => "over",
        }
    }

    /// Chinese and English.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("待办", "to do"),
            Self::Overdue => ("逾期未播", "overdue"),
            Self::Done => ("已完成", "done"),
            Self::Cannot => ("报告做不到", "reported as impossible"),
            Self::Disputed => ("填报互相矛盾", "entries contradict"),
            Self::Withdrawn => ("已撤回,勿播", "called off: do not give it"),
            Self::Over => ("已过期,勿播", "over: do not give it"),
        }
    }

    /// Somebody is still waited for.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Open | Self::Overdue)
    }
}

/// From this on an entry is one that was made afterwards.
const AFTERWARDS: Duration = Duration::from_mins(10);

impl<'a> Item<'a> {
    pub fn of(
        handed: &'a Handed,
        outlet: Outlet<'a>,
        limit: Option<usize>,
        (link, short): (String, Option<String>),
        now: Timestamp,
    ) -> Self {
        let said = handed.said.iter();
        let entries: Vec<_> = said
            .map(|said| {
                let text = said.text.as_deref();
                let entry = text.and_then(|text| serde_json::from_str::<Entry>(text).ok());
                let done = entry.as_ref().map(|entry| entry.done);
                Shown {
                    late: done.is_some_and(|done| done > handed.due),
                    backfilled: done.is_some_and(|done| said.seen.since(done) > AFTERWARDS),
                    entry,
                    seen: said.seen,
                }
            })
            .collect();
        Self {
            standing: standing(handed, &entries, now),
            ready: ready(&handed.message.variant, outlet.kind, limit),
            handed,
            outlet,
            entries,
            link,
            short,
        }
    }

    /// As the API gives it.
    pub fn json(&self) -> Value {
        let message = &self.handed.message;
        let (standing_zh, _) = self.standing.words();
        let entry = |shown: &Shown| {
            let entry = shown.entry.as_ref();
            let reported = entry.and_then(|entry| entry.reported.as_ref());
            let attachment = shown.attachment().and_then(Attachment::open);
            json!({
                "outcome": entry.map(|entry| entry.outcome),
                "name": entry.map(|entry| &entry.name),
                "done": entry.map(|entry| entry.done.to_string()),
                "note": entry.map(|entry| &entry.note),
                "erased": entry.is_none(),
                "entered": shown.seen.to_string(),
                "late": shown.late,
                "backfilled": shown.backfilled,
                "reported_by": reported.map(|reported| &reported.by),
                "means": reported.map(|reported| reported.means),
                "attachment": attachment.as_ref().map(|(_, mime, _)| mime),
                "attachment_bytes": attachment.as_ref().map(|(bytes, ..)| bytes.len()),
            })
        };
        json!({
            "link": self.link,
            "short": self.short,
            "picture": format!("{}/picture.svg", self.link),
            "outlet": {
                "kind": self.outlet.kind, "name": self.outlet.name,
                "zh": self.outlet.kind.chinese(), "en": self.outlet.kind.english(),
            },
            "whom": self.handed.whom,
            "title": message.variant.title,
            "text": self.ready.text,
            "screens": self.ready.screens,
            "cut": self.ready.cut,
            "language": message.variant.language,
            "level": message.variant.level,
            "drill": message.variant.drill,
            "since": self.handed.since.to_string(),
            "due": self.handed.due.to_string(),
            "expires": message.expires.to_string(),
            "withdrawn": self.handed.withdrawn,
            "sealed": self.handed.sealed,
            "standing": self.standing.code(),
            "standing_zh": standing_zh,
            "entries": self.entries.iter().map(entry).collect::<Vec<_>>(),
        })
    }
}

fn standing(handed: &Handed, entries: &[Shown], now: Timestamp) -> Standing {
    let outcomes = || {
        entries
            .iter()
            .filter_map(|shown| Some(shown.entry.as_ref()?.outcome))
    };
    let is_done = |outcome: Outcome| matches!(outcome.verdict(), Verdict::Reached(e) if e == Evidence::Acknowledged);
    let done = outcomes().any(is_done);
    let cannot = outcomes().any(|outcome| !is_done(outcome));
    match (done, cannot) {
        (true, true) => Standing::Disputed,
        (true, false) => Standing::Done,
        (false, true) => Standing::Cannot,
        (false, false) if handed.withdrawn => Standing::Withdrawn,
        (false, false) if handed.message.expires <= now => Standing::Over,
        (false, false) if handed.due < now => Standing::Overdue,
        (false, false) => Standing::Open,
    }
}
