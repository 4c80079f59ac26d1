//! What a channel is handed: a finished, self-contained `Message`. A variant is rendered once and shared by all its
//! deliveries; a channel may keep its own encoding of it in `prepared`. This module must not know how any protocol
//! encodes, and an address must not reach a log.

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Authority, Part, Timestamp};

/// What the far end may use to recognise a repeat: the same for a retry and in doubt, new for a redial or a repeat.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key {
    /// The alert's stream.
    pub alert: u64,
    pub delivery: u32,
    /// Rises with each redial or repeat.
    pub generation: u16,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.alert, self.delivery, self.generation)
    }
}

impl FromStr for Key {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(());
        let key = Self {
            alert: next()?.parse().map_err(drop)?,
            delivery: next()?.parse().map_err(drop)?,
            generation: next()?.parse().map_err(drop)?,
        };
        if parts.next().is_some() {
            Err(())
        } else {
            Ok(key)
        }
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse()
            .map_err(|()| serde::de::Error::custom("a key is ALERT-DELIVERY-GENERATION"))
    }
}

/// A phone number, mailbox or device id. Neither `Debug` nor `Display` show it; only a channel asks for `expose`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(Box<str>);

impl Address {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The address itself, for the wire and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(masked)")
    }
}

/// The level that a person sees: 红橙黄蓝. Ordered, red first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Red,
    Orange,
    Yellow,
    Blue,
    Unknown,
}

#[derive(Clone, Debug)]
pub struct Attachment {
    pub name: String,
    pub mime: String,
    pub bytes: Bytes,
}

/// One finished text of an alert.
pub struct Variant {
    /// BCP 47, as CAP gives it: `zh-CN`.
    pub language: String,
    pub title: String,
    /// Everything that is to be sent, signature and drill marking included.
    pub text: String,
    pub html: Option<String>,
    pub attachment: Option<Attachment>,
    pub level: Level,
    /// The event's code, for channels that choose a tone by it.
    pub event: String,
    /// Hash of the canonical region list, echoed by every channel that can.
    pub regions_hash: String,
    /// A test or an exercise: nothing of it may look or sound live.
    pub drill: bool,
    /// How often a loudspeaker plays it and with which pause; its own settings say so where this is empty.
    pub repeat: Option<(u32, Duration)>,
    /// Whose warning it is: a device that can sound one thing at a time goes by it.
    pub authority: Authority,
    /// Under which id the account has this text on file (报备的模板), where its texts go by templates.
    pub template: Option<String>,
    /// Codes of the regions that it names, none covered by another; none where it names none.
    pub areas: Vec<String>,
    /// When what it warns of begins, where that is told.
    pub onset: Option<Timestamp>,
    /// The strictest of CAP's response types that it asks for: `Evacuate`.
    pub response: Option<String>,
    /// A test of the way itself (拨测), by its number. It is no alert: nobody is warned by it.
    pub test: Option<u16>,
    /// What a loudspeaker plays, piece by piece, as often as `repeat` says; its text alone where this is empty.
    pub parts: Vec<Part>,
    prepared: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Variant {
    pub fn new(
        language: impl Into<String>,
        title: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            language: language.into(),
            title: title.into(),
            text: text.into(),
            html: None,
            attachment: None,
            level: Level::Unknown,
            event: String::new(),
            regions_hash: String::new(),
            drill: false,
            repeat: None,
            authority: Authority::County,
            template: None,
            areas: Vec::new(),
            onset: None,
            response: None,
            test: None,
            parts: Vec::new(),
            prepared: OnceLock::new(),
        }
    }

    /// The same with another text: what is added for one person alone.
    #[must_use]
    pub fn with_text(&self, text: impl Into<String>) -> Self {
        Self {
            language: self.language.clone(),
            title: self.title.clone(),
            text: text.into(),
            html: None,
            attachment: self.attachment.clone(),
            level: self.level,
            event: self.event.clone(),
            regions_hash: self.regions_hash.clone(),
            drill: self.drill,
            repeat: self.repeat,
            authority: self.authority,
            template: self.template.clone(),
            areas: self.areas.clone(),
            onset: self.onset,
            response: self.response.clone(),
            test: self.test,
            parts: Vec::new(),
            prepared: OnceLock::new(),
        }
    }

    /// The channel's own encoding of this text, made once and shared by all its deliveries. A variant belongs to one
    /// channel kind; where two kinds asked for different types the second is made afresh.
    pub fn prepared<T: Clone + Send + Sync + 'static>(&self, make: impl Fn(&Self) -> T) -> T {
        let kept = self.prepared.get_or_init(|| Box::new(make(self)));
        kept.downcast_ref::<T>()
            .cloned()
            .unwrap_or_else(|| make(self))
    }
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant")
            .field("language", &self.language)
            .field("level", &self.level)
            .field("drill", &self.drill)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
pub struct Message {
    pub key: Key,
    /// Durable, rising per far end: a speaker's counter, an EBMID's serial.
    pub serial: u64,
    pub variant: Arc<Variant>,
    pub address: Address,
    /// Handed to the far end wherever its protocol can.
    pub expires: Timestamp,
    /// It may have been sent before: in doubt.
    pub repeat: bool,
}
