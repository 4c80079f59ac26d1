//! The pieces of one telling in their order, and which recording is the one. Pure over what is given. This module must not
//! leave Mandarin out, must not put a recording in the text's place, and must not let a drill sound live.

use channel::{Level, Part};

use super::Row;
use crate::ledger::recordings::Recording;
use crate::model::{MANDARIN, is_mandarin, same_tongue};

/// What a drill begins and ends with, whatever a table says.
pub const DRILL_BEGINS: &str = "演练，这是演练。";
pub const DRILL_ENDS: &str = "演练完毕，以上是演练。";

/// What a recording would have to be about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub event: String,
    pub level: Level,
    /// The strictest that is asked for.
    pub response: Option<cap::ResponseType>,
    pub drill: bool,
}

/// The recording that says most of what is wanted in a language: the longest event, then the level, then the response.
pub fn pick<'r>(
    recordings: &'r [Recording],
    wanted: &Wanted,
    language: &str,
) -> Option<&'r Recording> {
    // That something is over is said by a recording that says so, and by no other.
    let alarms = wanted.response != Some(cap::ResponseType::AllClear);
    let fits = |recording: &&Recording| {
        let of = &recording.of;
        of.drill == wanted.drill
            && same_tongue(&of.language, language)
            && wanted.event.starts_with(&of.event)
            && of.level.is_none_or(|level| level == wanted.level)
            && (of.response == wanted.response || (of.response.is_none() && alarms))
    };
    let said = |recording: &&Recording| {
        let of = &recording.of;
        let named = (of.event.len(), of.level.is_some(), of.response.is_some());
        (named, recording.id)
    };
    recordings.iter().filter(fits).max_by_key(said)
}

/// What one telling says in words.
pub struct Spoken<'a> {
    /// The text as everybody has it.
    pub text: &'a str,
    pub language: &'a str,
    /// What the alert itself says in another language, where it does.
    pub own: &'a dyn Fn(&str) -> Option<String>,
    /// Nothing where there is nothing to record: that a warning is over.
    pub wanted: Option<Wanted>,
    pub drill: bool,
    /// What the village hears before Mandarin.
    pub languages: &'a [String],
}

#[derive(Default)]
struct List(Vec<Part>);

impl List {
    /// What follows in the same language goes on in the same breath.
    fn say(&mut self, language: &str, words: &str) {
        if words.is_empty() {
            return;
        }
        if let Some(Part::Text {
            text,
            language: last,
        }) = self.0.last_mut()
            && last == language
        {
            text.push_str(words);
            return;
        }
        self.0.push(Part::Text {
            text: words.to_owned(),
            language: language.to_owned(),
        });
    }

    fn sound(&mut self, recording: &Recording) {
        self.0.push(Part::Sound {
            sound: recording.clip.sound(),
            language: recording.of.language.clone(),
        });
    }
}

/// Tone, opening, the village's languages, Mandarin, closing. Empty where it is nothing but the text.
pub fn playlist(row: &Row, recordings: &[Recording], telling: &Spoken<'_>) -> Vec<Part> {
    let Spoken { language, text, .. } = *telling;
    let mut list = List::default();
    if telling.drill {
        list.say(MANDARIN_TAG, DRILL_BEGINS);
    }
    if let Some((name, seconds)) = &row.tone {
        let (name, seconds) = (name.clone(), *seconds);
        list.0.push(Part::Tone { name, seconds });
    }
    list.say(language, row.opening(language));
    let wanted = telling.wanted.as_ref();
    let picked = |tag: &str| pick(recordings, wanted?, tag);
    for tag in telling.languages.iter().filter(|tag| !is_mandarin(tag)) {
        if let Some(recording) = picked(tag) {
            list.sound(recording);
        } else if !same_tongue(tag, language)
            && let Some(words) = (telling.own)(tag)
        {
            list.say(tag, &words);
        }
    }
    if let Some(recording) = picked(MANDARIN) {
        list.sound(recording);
    }
    list.say(language, text);
    if !is_mandarin(language)
        && let Some(words) = (telling.own)(MANDARIN)
    {
        list.say(MANDARIN_TAG, &words);
    }
    list.say(language, row.closing(language));
    if telling.drill {
        list.say(MANDARIN_TAG, DRILL_ENDS);
    }
    match &list.0[..] {
        [Part::Text { .. }] if !telling.drill => Vec::new(),
        _ => list.0,
    }
}

/// As texts carry it.
const MANDARIN_TAG: &str = "zh-CN";

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
