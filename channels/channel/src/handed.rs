//! What a channel asks back of the house when its far end is a person who comes and looks: the message as it was handed,
//! by when it is due, and what was said to it since. The channel itself keeps nothing. This module must not show in
//! `Debug` what anybody wrote.

use std::fmt;

use crate::{Address, Key, Message, Timestamp};

/// Whose messages are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    Key(Key),
    Address(Address),
    /// Everything open of the person whom this message is for, itself among it.
    Beside(Key),
}

#[derive(Clone, Debug)]
pub struct Handed {
    pub message: Message,
    /// When the gateway took the warning.
    pub since: Timestamp,
    /// Until when the plan waits for word of it.
    pub due: Timestamp,
    /// Whom it is handed to, as the registry calls them; empty where it knows nobody any more.
    pub whom: String,
    /// Another warning has taken its place, or it was called off.
    pub withdrawn: bool,
    /// It is over and filed: nothing more can be said to it.
    pub sealed: bool,
    /// What was said to it, in the order it came.
    pub said: Vec<Said>,
}

#[derive(Clone)]
pub struct Said {
    /// Nothing where it was erased.
    pub text: Option<String>,
    pub seen: Timestamp,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}
