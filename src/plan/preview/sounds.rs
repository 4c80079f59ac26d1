//! In which languages the villages of an alert would hear a person, and which of them the text alone. This module must not
//! pick a recording by rules of its own: the playlist's are used.

use std::collections::{BTreeMap, BTreeSet};

use channel::Level;
use serde::Serialize;
use utoipa::ToSchema;

use super::figures::Place;
use super::tally::{Tally, small};
use crate::ledger::recordings::Recording;
use crate::model::{MANDARIN, RegionCode, same_tongue, tongue_names};
use crate::plan::sounds::{Wanted, pick, wanted_of};

/// What loudspeakers would play beside the text.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[schema(as = PreviewSounds)]
pub struct SoundFigures {
    /// One for each language that a village of it hears, Mandarin last.
    pub languages: Vec<LanguageLine>,
    /// Villages with a loudspeaker of this plan that hear no recording.
    pub text_only: Vec<Place>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewLanguage)]
pub struct LanguageLine {
    pub language: String,
    pub language_zh: Option<&'static str>,
    /// The recording that they would hear.
    pub recording: Option<u32>,
    /// Levels for which there is one of this event: `any` is for all.
    pub levels: Vec<&'static str>,
    /// Villages that hear it before Mandarin; of Mandarin, all with a loudspeaker.
    pub villages: u32,
}

impl Tally<'_> {
    pub(super) fn sounds(&self) -> SoundFigures {
        let draft = &self.scene.draft;
        let villages: BTreeSet<RegionCode> = self
            .spoken
            .iter()
            .filter_map(|id| draft.registry.endpoint(*id)?.village)
            .collect();
        if villages.is_empty() {
            return SoundFigures::default();
        }
        let mut hearing: BTreeMap<String, u32> = BTreeMap::new();
        let mut text_only = Vec::new();
        let wanted = wanted_of(draft.alert);
        for village in &villages {
            let languages = draft.languages.of(*village);
            let heard = |tag: &String| self.recording(wanted.as_ref(), tag).is_some();
            if !languages.iter().any(heard) && !heard(&MANDARIN.to_owned()) {
                text_only.push(self.place(*village));
            }
            for language in languages {
                *hearing.entry(language).or_default() += 1;
            }
        }
        let mut languages: Vec<_> = hearing.into_iter().collect();
        languages.push((MANDARIN.to_owned(), small(villages.len())));
        let line = |(language, villages): (String, u32)| LanguageLine {
            language_zh: tongue_names(&language).map(|(zh, _)| zh),
            recording: self.recording(wanted.as_ref(), &language).map(|r| r.id),
            levels: self.levels(wanted.as_ref(), &language),
            language,
            villages,
        };
        SoundFigures {
            languages: languages.into_iter().map(line).collect(),
            text_only,
        }
    }

    fn recording(&self, wanted: Option<&Wanted>, language: &str) -> Option<&Recording> {
        pick(self.scene.source.recordings, wanted?, language)
    }

    /// The levels of the recordings of this event in a language, the gravest first.
    fn levels(&self, wanted: Option<&Wanted>, language: &str) -> Vec<&'static str> {
        let Some(wanted) = wanted else {
            return Vec::new();
        };
        let of_event = |recording: &&Recording| {
            let of = &recording.of;
            of.drill == wanted.drill
                && same_tongue(&of.language, language)
                && wanted.event.starts_with(&of.event)
        };
        let found = self.scene.source.recordings.iter().filter(of_event);
        let levels: BTreeSet<_> = found.map(|recording| recording.of.level).collect();
        levels.into_iter().map(word).collect()
    }
}

const fn word(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::Red) => "red",
        Some(Level::Orange) => "orange",
        Some(Level::Yellow) => "yellow",
        Some(Level::Blue) => "blue",
        Some(Level::Unknown) | None => "any",
    }
}
