//! One failure vocabulary for every channel. The class decides what the engine does next; it is also the metric
//! label and the API field. This module must not carry addresses: a failure's text is shown and logged.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Try later: network, 5xx, SMTP 4xx, queue full. Backoff, charged.
    Transient,
    /// Too fast: 429, `ESME_RTHROTTLED`. Waits, slows the lane, not charged.
    Throttled,
    /// The whole channel: bind refused, 401, DNS. Gives back, pauses the lane, alarms, probes.
    LinkDown,
    /// This endpoint never.
    BadAddress,
    /// This message never; its siblings will fail too.
    BadContent,
    /// Sent, the answer lost. Sent again, marked as a possible duplicate.
    InDoubt,
}

impl FailureClass {
    pub const ALL: [Self; 6] = [
        Self::Transient,
        Self::Throttled,
        Self::LinkDown,
        Self::BadAddress,
        Self::BadContent,
        Self::InDoubt,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::LinkDown => "link-down",
            Self::BadAddress => "bad-address",
            Self::BadContent => "bad-content",
            Self::InDoubt => "in-doubt",
        }
    }
}

/// The code with which a channel refuses, unsent, what is no address of its own kind: nothing is said of who is there.
pub const MISSHAPEN: &str = "address:shape";

/// Why a message was not taken. `code` is the far end's own short code (`smpp:0x58`, `smtp:550 5.1.1`); `detail`
/// says what was attempted, in words, without address or text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} ({code}): {detail}", class.label())]
pub struct Failure {
    pub class: FailureClass,
    pub code: Cow<'static, str>,
    pub detail: Cow<'static, str>,
    pub retry_after: Option<Duration>,
    /// This account does not serve the number; another may.
    pub not_served: bool,
}

impl Failure {
    pub fn new(
        class: FailureClass,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            class,
            code: code.into(),
            detail: detail.into(),
            retry_after: None,
            not_served: false,
        }
    }

    #[must_use]
    pub fn not_served(mut self) -> Self {
        self.not_served = true;
        self
    }

    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}
