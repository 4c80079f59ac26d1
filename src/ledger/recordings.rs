//! The recording library: what people have recorded for loudspeakers, who heard it before it is used, and what was taken
//! back. A new recording of the same subject is a new version; the newest that a second person has heard is used. The
//! bytes are documents of the store. This module must not judge a sound and must not say who may.

use std::collections::BTreeMap;

use channel::{Level, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::Event;
use crate::store::DocumentId;

pub type RecordingId = u32;

/// What a recording is for. It is chosen by all of it; what is left open fits anything.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Subject {
    /// The beginning of an event code: `11A51`, `11B`; empty for any event.
    pub event: String,
    pub level: Option<Level>,
    /// What it asks people to do.
    pub response: Option<cap::ResponseType>,
    /// BCP 47: `qxs`, `cmn-x-sichuan`.
    pub language: String,
    /// It says that it is a drill; no other is used in one.
    pub drill: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Wav,
    Mp3,
    M4a,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Wav, Self::Mp3, Self::M4a];

    pub const fn mime(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/mp4",
        }
    }
}

/// A file of sound as it lies among the documents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clip {
    pub document: DocumentId,
    pub format: Format,
    pub bytes: u32,
    pub millis: u32,
}

impl Clip {
    pub fn sound(&self) -> channel::Sound {
        channel::Sound {
            sha256: hex::encode(self.document),
            mime: self.format.mime().to_owned(),
            bytes: self.bytes,
            seconds: self.millis.div_ceil(1000),
        }
    }
}

/// A recording came. Nobody uses it yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recorded {
    pub id: RecordingId,
    pub of: Subject,
    pub clip: Clip,
    /// The bureau.
    pub by: String,
}

/// Somebody else has heard it: it is used from now on (已听).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heard {
    pub id: RecordingId,
    pub by: String,
}

/// It is not used any more; what was ordered with it still sounds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Retired {
    pub id: RecordingId,
    pub by: String,
}

/// Whose act, and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Act {
    pub by: String,
    pub at: Timestamp,
}

/// How far a recording has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nobody but who brought it has heard it.
    Unheard,
    InUse,
    /// A newer version of its subject is used.
    Superseded,
    Retired,
}

impl Standing {
    pub const ALL: [Self; 4] = [Self::Unheard, Self::InUse, Self::Superseded, Self::Retired];

    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unheard => ("unheard", "待复听"),
            Self::InUse => ("in-use", "使用中"),
            Self::Superseded => ("superseded", "已有新版"),
            Self::Retired => ("retired", "已停用"),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Recording {
    pub id: RecordingId,
    pub of: Subject,
    /// Among those of its subject, from 1.
    pub version: u32,
    pub clip: Clip,
    pub recorded: Act,
    pub heard: Option<Act>,
    pub retired: Option<Act>,
}

impl Recording {
    const fn is_good(&self) -> bool {
        self.heard.is_some() && self.retired.is_none()
    }
}

#[derive(Default)]
pub struct Recordings(RwLock<BTreeMap<RecordingId, Recording>>);

impl Recordings {
    /// Whether the event was one of these.
    pub(super) fn apply(&self, time: Timestamp, event: &Event) -> bool {
        let act = |by: &String| Act {
            by: by.clone(),
            at: time,
        };
        let mut held = self.0.write();
        match event {
            Event::Recorded(recorded) => {
                let Recorded { id, of, clip, by } = &**recorded;
                let before = held.values().filter(|other| other.of == *of).count();
                held.entry(*id).or_insert_with(|| Recording {
                    id: *id,
                    of: of.clone(),
                    version: u32::try_from(before + 1).unwrap_or(u32::MAX),
                    clip: *clip,
                    recorded: act(by),
                    heard: None,
                    retired: None,
                });
            }
            // The first word stands.
            Event::Heard(Heard { id, by }) => {
                if let Some(recording) = held.get_mut(id) {
                    recording.heard.get_or_insert_with(|| act(by));
                }
            }
            Event::Retired(Retired { id, by }) => {
                if let Some(recording) = held.get_mut(id) {
                    recording.retired.get_or_insert_with(|| act(by));
                }
            }
            _ => return false,
        }
        true
    }

    pub fn get(&self, id: RecordingId) -> Option<Recording> {
        self.0.read().get(&id).cloned()
    }

    /// The number of the next one.
    pub fn next(&self) -> RecordingId {
        let last = self.0.read().keys().next_back().copied();
        last.map_or(1, |last| last.saturating_add(1))
    }

    /// Whether a document is one of these: no other leaves the house as a sound.
    pub fn holds(&self, document: DocumentId) -> bool {
        let held = self.0.read();
        held.values().any(|r| r.clip.document == document)
    }

    /// Every one with how far it has come, the newest first.
    pub fn all(&self) -> Vec<(Recording, Standing)> {
        let held = self.0.read();
        let used = used(&held);
        let standing = |recording: &Recording| {
            if recording.retired.is_some() {
                Standing::Retired
            } else if recording.heard.is_none() {
                Standing::Unheard
            } else if used.get(&recording.of) == Some(&recording.id) {
                Standing::InUse
            } else {
                Standing::Superseded
            }
        };
        let all = held.values().rev();
        all.map(|recording| (recording.clone(), standing(recording)))
            .collect()
    }

    /// The one of each subject that is used.
    pub fn in_use(&self) -> Vec<Recording> {
        let held = self.0.read();
        let used = used(&held);
        used.values()
            .filter_map(|id| held.get(id))
            .cloned()
            .collect()
    }
}

/// Of each subject the newest that was heard by a second person and not taken back.
fn used(held: &BTreeMap<RecordingId, Recording>) -> BTreeMap<Subject, RecordingId> {
    let good = held.values().filter(|recording| recording.is_good());
    good.map(|recording| (recording.of.clone(), recording.id))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_784_044_800_000);

    fn recorded(id: RecordingId, language: &str) -> Event {
        Event::Recorded(Box::new(Recorded {
            id,
            of: Subject {
                event: "11A51".into(),
                level: Some(Level::Red),
                response: Some(cap::ResponseType::Evacuate),
                language: language.into(),
                drill: false,
            },
            clip: Clip {
                document: [u8::try_from(id).expect("small"); 32],
                format: Format::M4a,
                bytes: 100,
                millis: 1_500,
            },
            by: "water".into(),
        }))
    }

    fn heard(id: RecordingId) -> Event {
        Event::Heard(Heard {
            id,
            by: "duty".into(),
        })
    }

    fn retired(id: RecordingId) -> Event {
        Event::Retired(Retired {
            id,
            by: "duty".into(),
        })
    }

    fn after(events: &[Event]) -> (Vec<RecordingId>, Vec<(RecordingId, u32, &'static str)>) {
        let recordings = Recordings::default();
        for event in events {
            assert!(recordings.apply(AT, event));
        }
        let used = recordings.in_use().iter().map(|r| r.id).collect();
        let all = recordings.all().into_iter();
        let all = all.map(|(r, standing)| (r.id, r.version, standing.words().0));
        (used, all.collect())
    }

    #[test]
    fn a_new_version_is_used_when_a_second_person_has_heard_it_and_the_one_before_until_then() {
        let (one, two) = (recorded(1, "qxs"), recorded(2, "qxs"));
        let story = [one, heard(1), two, heard(2), retired(2)];
        assert_eq!(after(&story[..1]), (vec![], vec![(1, 1, "unheard")]));
        assert_eq!(after(&story[..2]), (vec![1], vec![(1, 1, "in-use")]));
        let waits = vec![(2, 2, "unheard"), (1, 1, "in-use")];
        assert_eq!(after(&story[..3]), (vec![1], waits));
        let taken = vec![(2, 2, "in-use"), (1, 1, "superseded")];
        assert_eq!(after(&story[..4]), (vec![2], taken));
        let back = vec![(2, 2, "retired"), (1, 1, "in-use")];
        assert_eq!(after(&story), (vec![1], back), "the one before is heard");
    }

    #[test]
    fn subjects_are_apart_and_a_word_on_what_is_not_there_changes_nothing() {
        let story = [recorded(1, "qxs"), recorded(2, "bqh"), heard(2), heard(9)];
        let wanted = vec![(2, 1, "in-use"), (1, 1, "unheard")];
        assert_eq!(after(&story), (vec![2], wanted));
        let recordings = Recordings::default();
        assert_eq!(recordings.next(), 1);
        recordings.apply(AT, &story[1]);
        assert_eq!(recordings.next(), 3);
        assert!(recordings.holds([2; 32]) && !recordings.holds([1; 32]));
        let clip = recordings.get(2).expect("it is there").clip;
        assert_eq!(
            (clip.sound().seconds, &*clip.sound().mime),
            (2, "audio/mp4")
        );
    }
}
