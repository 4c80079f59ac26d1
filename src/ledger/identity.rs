//! What one alert is known by, among all that come. This module must not say whether two are the same.

use serde::{Deserialize, Serialize};

/// Sender, identifier and the instant it was sent: what one alert is known by.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Identity {
    pub sender: String,
    pub identifier: String,
    pub sent: i64,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{},{}", self.sender, self.identifier, self.sent)
    }
}
