//! What would happen if this alert were handed in now: whom it reaches by which means and with which proof at best, how
//! long that takes at today's rates, and whom it cannot reach. It counts the very drafts that a release writes. Nothing is
//! written, sent or kept; this module must not show an address.

mod figures;
mod filing;
mod losses;
mod satellite;
mod sounds;
mod speakers;
mod sum;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::{Channel, Lines, Loss, Timestamp, Variant};

pub use figures::{Figures, Place};

use super::carriers::Carriers;
use super::draft::{Draft, Filed};
use super::events::Events;
use super::filing::Filings;
use super::hush::Hush;
use super::sounds::Sounds;
use super::text::Source;
use crate::ledger::Ledger;
use crate::model::Rate;

/// What is known of the ways out beside what they can do.
pub struct Means {
    /// By channel.
    pub rates: BTreeMap<String, Rate>,
    pub filings: Filings,
    pub carriers: Carriers,
    pub events: Events,
    pub hush: Hush,
    pub sounds: Sounds,
}

impl Means {
    /// What is filed of a signature.
    pub fn filed<'a>(&'a self, signature: &'a str) -> Filed<'a> {
        Filed {
            filings: &self.filings,
            carriers: &self.carriers,
            signature,
        }
    }
}

/// What besides its rate paces a channel.
#[derive(Clone, Copy, Default)]
pub struct Pace {
    /// Its telephone lines, where it has them.
    pub lines: Option<Lines>,
    /// All that it is given at once is one message at its far end.
    pub gathers: bool,
}

impl Pace {
    pub fn of(channel: Option<&Arc<dyn Channel>>) -> Self {
        channel.map_or_else(Self::default, |channel| Self {
            lines: channel.lines(),
            gathers: channel.gathers(),
        })
    }
}

/// Everything that a preview is made of.
pub struct Scene<'a> {
    pub draft: Draft<'a>,
    pub source: Source<'a>,
    pub ledger: &'a Ledger,
    pub means: &'a Means,
    /// What one message of a text costs on a channel, by its name.
    pub cost: &'a dyn Fn(&str, &Variant) -> u32,
    /// What a channel's far end has no place for of a text.
    pub losses: &'a dyn Fn(&str, &Variant) -> Vec<Loss>,
    pub pace: &'a dyn Fn(&str) -> Pace,
    pub now: Timestamp,
    /// Until when a text without its own end stands.
    pub lifetime: Timestamp,
}

pub fn preview(scene: &Scene<'_>) -> Figures {
    tally::Tally::of(scene).figures()
}
