//! Who is to be called to an outlet that is served by hand, now: as its text is handed, and again while nobody has entered
//! anything. What falls due together for one person is one text, and of what is only said again there are not more than so
//! many an hour. Pure over the ledger, the registry and now. This module must not write and must not choose words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use channel::{Evidence, Level, Timestamp};

use crate::ledger::{Alert, Block, FAR_REFUSED, Ledger, Phase};
use crate::model::{DeliveryNo, RecipientId, State, StreamId};
use crate::plan::Prompting;
use crate::registry::Registry;

/// By the channels whose outlets are meant.
pub type Prompters = BTreeMap<String, Prompting>;

/// One delivery to an outlet that nobody has entered anything of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    pub stream: StreamId,
    pub number: DeliveryNo,
    /// Which of its moments has come.
    pub nth: u8,
    pub level: Level,
    pub due: Timestamp,
    pub expires: Timestamp,
}

/// One text to one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    pub whom: RecipientId,
    /// Whose outlets they are.
    pub channel: String,
    /// The most urgent first.
    pub items: Vec<Item>,
}

const HOUR: Duration = Duration::from_hours(1);

pub fn owed(
    now: Timestamp,
    ledger: &Ledger,
    registry: &Registry,
    prompters: &Prompters,
) -> Vec<Owed> {
    if prompters.is_empty() {
        return Vec::new();
    }
    let alerts = ledger.alerts();
    let mut people: BTreeMap<(RecipientId, String), Vec<Item>> = BTreeMap::new();
    for alert in &alerts {
        if alert.phase() != Phase::Planned || alert.withdrawn_by().is_some() {
            continue;
        }
        alert.each_block(|block| {
            let Some(prompting) = prompters.get(&block.channel) else {
                return;
            };
            for i in 0..block.len() as usize {
                let item = item(now, alert, (block, i), prompting);
                let owner = || registry.endpoint(block.endpoint(i))?.recipient;
                if let Some((item, whom)) = item.and_then(|item| Some((item, owner()?))) {
                    let key = (whom, block.channel.clone());
                    people.entry(key).or_default().push(item);
                }
            }
        });
    }
    let mut owed = Vec::new();
    for ((whom, channel), mut items) in people {
        let most = usize::from(prompters[&channel].per_hour);
        // What is new is said whatever was said before, and takes the rest with it.
        let is_new = items.iter().any(|item| item.nth == 0);
        if is_new || lately(now, &alerts, whom) < most {
            items.sort_by_key(|item| (item.level, item.due, item.stream, item.number));
            owed.push(Owed {
                whom,
                channel,
                items,
            });
        }
    }
    owed
}

/// Nothing where it is not handed yet, somebody has entered something, or its next moment is still to come.
fn item(
    now: Timestamp,
    alert: &Alert,
    (block, i): (&Block, usize),
    prompting: &Prompting,
) -> Option<Item> {
    let waits = matches!(block.state(i), State::Awaiting | State::Done)
        && block.evidence(i) == Evidence::Accepted
        && !block.flag(i, FAR_REFUSED);
    let expires = alert.expiry_of(block.variant(i))?;
    if !waits || expires <= now || block.due(i) == 0 {
        return None;
    }
    let due = alert.at.plus(millis(block.due(i)));
    let begun = due.minus(millis(block.window));
    let next = alert
        .prompts
        .last(block.number(i))
        .map_or(0, |last| last.saturating_add(1));
    let moments = std::iter::once(&0).chain(&prompting.again);
    let comes = |percent: &u16| begun.plus(share(block.window, *percent)) <= now;
    let come = moments.zip(0_u8..).filter(|(percent, _)| comes(percent));
    let nth = come.map(|(_, nth)| nth).max().filter(|nth| *nth >= next)?;
    Some(Item {
        stream: alert.stream,
        number: block.number(i),
        nth,
        level: alert.handled(),
        due,
        expires,
    })
}

fn millis(count: u32) -> Duration {
    Duration::from_millis(count.into())
}

fn share(window: u32, percent: u16) -> Duration {
    Duration::from_millis(u64::from(window) * u64::from(percent) / 100)
}

/// How many texts a person was sent within the hour, of whatever alerts.
fn lately(now: Timestamp, alerts: &[Arc<Alert>], whom: RecipientId) -> usize {
    let mut texts = BTreeSet::new();
    for alert in alerts {
        alert.prompts.after(whom, now.minus(HOUR), &mut texts);
    }
    texts.len()
}

/// Whether anything may fall due by time alone.
pub fn any_waits(ledger: &Ledger, prompters: &Prompters) -> bool {
    let waits = |alert: &Arc<Alert>| {
        let mut any = false;
        alert.each_block(|block| {
            any |= prompters.contains_key(&block.channel)
                && (block.tally(State::Awaiting) > 0 || block.tally(State::Done) > 0);
        });
        any && alert.withdrawn_by().is_none()
    };
    !prompters.is_empty() && ledger.alerts().iter().any(waits)
}
