//! A person's word on an alert that waits for one, and what the alert is since: live, refused, or still waiting. Only the
//! fold writes here; this module must not judge who may speak.

use std::sync::OnceLock;

use channel::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Phase};
use super::event::{Born, Held};
use super::seal::Known;
use crate::store::DocumentId;

/// What a person may say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    Approve,
    Refuse,
}

/// The event: what was said, by whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decided {
    /// Which of several words is asked for; the one on a quarantined alert is the first.
    pub step: u16,
    /// The bureau that spoke.
    pub by: String,
    pub ruling: Ruling,
    /// What was said with it: a document, since it may name people.
    pub remark: Option<DocumentId>,
}

/// The word as it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Word {
    pub ruling: Ruling,
    pub by: String,
    pub at: Timestamp,
    /// What was said with it lies among the documents.
    pub remark: Option<DocumentId>,
}

/// What was said of an alert that waits, and why it does where its document is not the reason.
#[derive(Default)]
pub(super) struct Words {
    said: OnceLock<Word>,
    held: OnceLock<Held>,
}

impl Alert {
    /// What a person said of it.
    pub fn word(&self) -> Option<Word> {
        self.word.said.get().cloned()
    }

    /// Why it waits, where its document is not the reason.
    pub fn held(&self) -> Option<Held> {
        self.word.held.get().copied()
    }

    pub(super) fn hold(&self, held: Held) {
        // The first stands.
        let _ = self.word.held.set(held);
    }

    /// It was held, and nobody has spoken, and no correction has ended it.
    pub fn waits(&self) -> bool {
        self.meta.born == Born::Quarantined
            && self.phase() == Phase::Accepted
            && self.word().is_none()
    }

    /// It is sent, or was: it came so, or a person let it go.
    pub fn is_live(&self) -> bool {
        match self.meta.born {
            Born::Live => true,
            Born::Quarantined => self
                .word()
                .is_some_and(|word| word.ruling == Ruling::Approve),
            Born::SupersededBy(_) | Born::Filed => false,
        }
    }

    /// The first word stands, and only of what waits.
    pub(super) fn take_word(&self, time: Timestamp, decided: &Decided) {
        if !self.waits() {
            return;
        }
        let word = Word {
            ruling: decided.ruling,
            by: decided.by.clone(),
            at: time,
            remark: decided.remark,
        };
        // The first stands.
        let _ = self.word.said.set(word);
        if decided.ruling == Ruling::Refuse {
            self.set_phase(Phase::Refused);
        }
    }
}

impl Known {
    pub fn waits(&self) -> bool {
        matches!(self, Self::Open(alert) if alert.waits())
    }

    pub fn is_live(&self) -> bool {
        match self {
            Self::Open(alert) => alert.is_live(),
            Self::Sealed(card) => match card.meta.born {
                Born::Live => true,
                Born::Quarantined => matches!(card.phase, Phase::Releasing | Phase::Planned),
                Born::SupersededBy(_) | Born::Filed => false,
            },
        }
    }
}
