//! The code lists of CAP as enums: closed, ordered with the most severe, most urgent and most certain first, written
//! exactly as the schema writes them. This module must not guess: an unknown word is an error, what to do about it is
//! the reader's business.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is not in its code list.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("reading {list}: the word is not one of {}", allowed.join(", "))]
pub struct UnknownCode {
    pub list: &'static str,
    pub allowed: &'static [&'static str],
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum $name {
            $(#[serde(rename = $text)] $variant),+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub const WORDS: &'static [&'static str] = &[$($text),+];

            /// The word as CAP writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(word: &str) -> Result<Self, UnknownCode> {
                match word {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownCode { list: stringify!($name), allowed: Self::WORDS }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}

codes! {
    /// The version that a message was written in; the model is always CAP 1.2's.
    Version { V1_2 = "1.2", V1_1 = "1.1", V1_0 = "1.0", Gbt = "GB/T 35965.1" }
    Status { Actual = "Actual", Exercise = "Exercise", System = "System", Test = "Test", Draft = "Draft" }
    MsgType { Alert = "Alert", Update = "Update", Cancel = "Cancel", Ack = "Ack", Error = "Error" }
    Scope { Public = "Public", Restricted = "Restricted", Private = "Private" }
    Category {
        Geo = "Geo", Met = "Met", Safety = "Safety", Security = "Security", Rescue = "Rescue", Fire = "Fire",
        Health = "Health", Env = "Env", Transport = "Transport", Infra = "Infra", Cbrne = "CBRNE", Other = "Other",
    }
    ResponseType {
        Shelter = "Shelter", Evacuate = "Evacuate", Prepare = "Prepare", Execute = "Execute", Avoid = "Avoid",
        Monitor = "Monitor", Assess = "Assess", AllClear = "AllClear", None = "None",
    }
    Urgency { Immediate = "Immediate", Expected = "Expected", Future = "Future", Past = "Past", Unknown = "Unknown" }
    Severity { Extreme = "Extreme", Severe = "Severe", Moderate = "Moderate", Minor = "Minor", Unknown = "Unknown" }
    Certainty {
        Observed = "Observed", Likely = "Likely", Possible = "Possible", Unlikely = "Unlikely", Unknown = "Unknown",
    }
}

impl Version {
    /// The version that a namespace names, if it is one of CAP's.
    pub fn of_namespace(namespace: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|version| version.namespace() == Some(namespace))
    }

    /// The national standard's messages have none that could tell them.
    pub const fn namespace(self) -> Option<&'static str> {
        match self {
            Self::V1_2 => Some("urn:oasis:names:tc:emergency:cap:1.2"),
            Self::V1_1 => Some("urn:oasis:names:tc:emergency:cap:1.1"),
            Self::V1_0 => Some("http://www.incident.com/cap/1.0"),
            Self::Gbt => None,
        }
    }

    /// Whether a word of a code list came into CAP after this version.
    pub(crate) fn lacks(self, word: &str) -> bool {
        match self {
            Self::V1_2 | Self::Gbt => false,
            Self::V1_1 => matches!(word, "Avoid" | "AllClear"),
            Self::V1_0 => matches!(word, "Avoid" | "AllClear" | "Draft" | "CBRNE" | "Observed"),
        }
    }
}

/// Whether a text has the form of an RFC 3066 tag, as XML Schema's `language` has it.
pub(crate) fn is_language(tag: &str) -> bool {
    tag.split('-').enumerate().all(|(n, part)| {
        let allowed = |c: char| c.is_ascii_alphabetic() || (n > 0 && c.is_ascii_digit());
        (1..=8).contains(&part.len()) && part.chars().all(allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_its_code() {
        for &severity in Severity::ALL {
            assert_eq!(severity.as_str().parse(), Ok(severity));
        }
        assert_eq!("CBRNE".parse(), Ok(Category::Cbrne));
        assert_eq!("Exercise".parse(), Ok(Status::Exercise));
        assert!("Excercise".parse::<Status>().is_err());
        assert!("actual".parse::<Status>().is_err());
    }

    #[test]
    fn the_most_severe_sorts_first() {
        let mut all = [
            Severity::Unknown,
            Severity::Minor,
            Severity::Extreme,
            Severity::Severe,
        ];
        all.sort();
        assert_eq!(
            all,
            [
                Severity::Extreme,
                Severity::Severe,
                Severity::Minor,
                Severity::Unknown
            ]
        );
    }
}
