//! What persons do to the house that is answered for, as its stream holds it: what officers do at the pages, a word on the
//! clock, imports. This module must not say who may.

use channel::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::Event;
use crate::model::StreamId;

/// What officers do at the pages that is answered for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    SignedIn,
    SignedOut,
    /// A token that is nobody's.
    Refused,
    /// Another one, from a place that had shown too many.
    Locked,
    /// A list of doors left the house as a file.
    Exported,
    /// What somebody else did by hand was taken down for them (代报).
    Reported,
    /// Somebody's name and number were shown.
    Unmasked,
}

impl Look {
    pub const ALL: [Self; 7] = [
        Self::SignedIn,
        Self::SignedOut,
        Self::Refused,
        Self::Locked,
        Self::Exported,
        Self::Reported,
        Self::Unmasked,
    ];
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Looked {
    /// The bureau; nobody where the token was wrong.
    pub officer: Option<String>,
    pub what: Look,
    /// The alert of what was exported or taken down, the endpoint of whose keeper was shown.
    pub subject: Option<StreamId>,
    /// Tells places apart while one process runs, and says nothing else about them.
    pub from: u64,
}

/// A person's word that a wall clock which jumped is right.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Believed {
    /// The bureau.
    pub by: String,
    /// How far it was ahead of the time that was believed until then; behind it where negative.
    pub seconds: i64,
}

/// One generation of the registry as it came into use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Import {
    pub generation: u32,
    pub at: Timestamp,
    pub by: String,
    pub households: u32,
    pub people: u32,
}

/// What is remembered of it. Nothing follows from a word on the clock: a process that starts believes its clock.
#[derive(Default)]
pub(super) struct House {
    imports: RwLock<Vec<Import>>,
    believed: RwLock<Option<(Timestamp, Believed)>>,
}

impl House {
    /// Whether the event was one of these.
    pub fn apply(&self, time: Timestamp, event: &Event) -> bool {
        match event {
            Event::Imported {
                generation,
                households,
                people,
                by,
            } => self.imports.write().push(Import {
                generation: *generation,
                at: time,
                by: by.clone(),
                households: *households,
                people: *people,
            }),
            Event::Believed(believed) => *self.believed.write() = Some((time, believed.clone())),
            _ => return false,
        }
        true
    }

    /// The registry's generation that was imported last.
    pub fn generation(&self) -> u32 {
        let imports = self.imports.read();
        imports.last().map_or(0, |import| import.generation)
    }

    pub fn imports(&self) -> Vec<Import> {
        self.imports.read().clone()
    }

    pub fn believed(&self) -> Option<(Timestamp, Believed)> {
        self.believed.read().clone()
    }
}
