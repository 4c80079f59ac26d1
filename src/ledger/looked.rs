//! What officers do at the pages that is answered for, as the house stream holds it. This module must not say who may.

use serde::{Deserialize, Serialize};

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
}

impl Look {
    pub const ALL: [Self; 5] = [
        Self::SignedIn,
        Self::SignedOut,
        Self::Refused,
        Self::Locked,
        Self::Exported,
    ];
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Looked {
    /// The bureau; nobody where the token was wrong.
    pub officer: Option<String>,
    pub what: Look,
    /// The alert of what was exported.
    pub subject: Option<StreamId>,
    /// Tells places apart while one process runs, and says nothing else about them.
    pub from: u64,
}
