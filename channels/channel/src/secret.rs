//! A key or password as an operator wrote it. This module must not show one: `Debug` masks it, and there is no `Display`.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A secret that only the code that needs it can read.
#[derive(Clone)]
pub struct Secret(String);

impl<'de> Deserialize<'de> for Secret {
    /// What cannot be read is not repeated either.
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d);
        text.map(Self)
            .map_err(|_| D::Error::custom("a secret is a text: write it in quotes"))
    }
}

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For the wire and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(masked)")
    }
}
