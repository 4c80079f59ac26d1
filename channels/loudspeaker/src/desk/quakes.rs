//! What is said of earthquakes, terminal by terminal: of each earthquake the newest word alone lies here, so that whoever
//! comes back in time hears that and nothing that it has replaced. This module must not know what a word says.

use std::sync::Arc;

use channel::Timestamp;
use tokio::sync::Notify;

use super::{Desk, Device};
use crate::sheet::Sheet;

/// What one word is about, and how new it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct About {
    pub event: Arc<str>,
    /// An exercise never takes the place of a real one.
    pub drill: bool,
    pub report: u32,
    /// It takes the place of its own report and of all before.
    pub called_off: bool,
}

impl About {
    fn is_of(&self, other: &Self) -> bool {
        (&self.event, self.drill) == (&other.event, other.drill)
    }

    fn is_newer(&self, other: &Self) -> bool {
        (self.report, self.called_off) > (other.report, other.called_off)
    }
}

/// The newest word on one earthquake for one terminal.
pub(super) struct Word {
    pub about: About,
    pub sheet: Arc<Sheet>,
}

impl Device {
    fn has_newest(&self, about: &About) -> bool {
        let mut words = self.quakes.iter();
        words.any(|word| word.about.is_of(about) && !about.is_newer(&word.about))
    }
}

impl Desk {
    /// Whether this would be news there.
    pub(crate) fn is_news(&self, device: &str, about: &About) -> bool {
        let known = self.devices.get(device);
        known.is_none_or(|device| !device.has_newest(about))
    }

    /// Lays a word down for a terminal in the place of an older one, and gives its bell; nothing where it is no news.
    pub(crate) fn shake(
        &mut self,
        device: &str,
        about: &About,
        sheet: &Arc<Sheet>,
    ) -> Option<Arc<Notify>> {
        self.highest = self.highest.max(sheet.counter);
        let device = self.device(device);
        if device.has_newest(about) {
            return None;
        }
        device.quakes.retain(|word| !word.about.is_of(about));
        device.quakes.push(Word {
            about: about.clone(),
            sheet: sheet.clone(),
        });
        Some(device.bell.clone())
    }

    /// Whether this order still lies here, for this device.
    pub(crate) fn lies(&self, device: &str, counter: u64, now: Timestamp) -> bool {
        let words = self.devices.get(device).map(|device| &device.quakes);
        let mut words = words.into_iter().flatten();
        let here = |word: &Word| word.sheet.counter == counter && word.sheet.expires > now;
        words.any(here) || self.stands(counter)
    }
}
