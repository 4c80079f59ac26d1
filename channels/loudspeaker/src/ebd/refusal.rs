//! Why a call of the platform is refused, and what it is told. This module must not judge a call.

use super::body::Response;

/// Why a call was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    Nothing,
    Method,
    Address,
    TooLong,
    Form,
    Unreadable,
    Missing,
    Unregistered,
    NotOurs,
    Signature,
    Stale,
    Replayed,
    UnknownMessage,
    NotServed,
    /// A warning that the platform would have us play.
    NotPlayed,
    /// A message of our own, come back.
    OwnMessage,
    /// A message that was over before it came.
    Over,
    /// Data of a kind that this gateway has none of.
    NoData,
    /// A message of which nothing has been heard yet.
    NoWord,
    Busy,
}

impl Why {
    pub const ALL: [Self; 20] = [
        Self::Nothing,
        Self::Method,
        Self::Address,
        Self::TooLong,
        Self::Form,
        Self::Unreadable,
        Self::Missing,
        Self::Unregistered,
        Self::NotOurs,
        Self::Signature,
        Self::Stale,
        Self::Replayed,
        Self::UnknownMessage,
        Self::NotServed,
        Self::NotPlayed,
        Self::OwnMessage,
        Self::Over,
        Self::NoData,
        Self::NoWord,
        Self::Busy,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "no-path",
            Self::Method => "method",
            Self::Address => "address",
            Self::TooLong => "too-long",
            Self::Form => "form",
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::Unregistered => "unregistered",
            Self::NotOurs => "not-ours",
            Self::Signature => "signature",
            Self::Stale => "stale",
            Self::Replayed => "replayed",
            Self::UnknownMessage => "unknown-message",
            Self::NotServed => "not-served",
            Self::NotPlayed => "not-played",
            Self::OwnMessage => "own-message",
            Self::Over => "over",
            Self::NoData => "no-data",
            Self::NoWord => "no-word",
            Self::Busy => "busy",
        }
    }

    /// What a stranger is told is a status; what a platform is told is a receipt.
    pub const fn answer(self) -> Result<(u8, &'static str), u16> {
        Ok(match self {
            Self::Nothing => return Err(404),
            Self::Method => return Err(405),
            Self::Address => return Err(403),
            Self::TooLong => return Err(413),
            Self::Form => (Response::UNREADABLE, "the form holds no file"),
            Self::Unreadable => (Response::UNREADABLE, "the packet cannot be parsed"),
            Self::Missing => (Response::MISSING, "the packet lacks what its type needs"),
            Self::Unregistered => (Response::OTHER, "SRC/EBRID is not registered here"),
            Self::NotOurs => (Response::OTHER, "DEST/EBRID is another's"),
            Self::Signature => (Response::SIGNATURE, "the signature does not hold"),
            Self::Stale => (Response::OTHER, "EBDTime is too far from now"),
            Self::Replayed => (Response::OTHER, "EBDID was used for another packet"),
            Self::UnknownMessage => (Response::OTHER, "EBMID is none of this gateway's"),
            Self::NotServed => (Response::OTHER, "this gateway does not serve this type"),
            Self::NotPlayed => (
                Response::OTHER,
                "not broadcast: this gateway plays nothing for a platform; its officers are shown it, and a bureau has to issue it",
            ),
            Self::OwnMessage => (Response::OTHER, "EBMID is this gateway's own"),
            Self::Over => (Response::OTHER, "EndTime has passed"),
            Self::NoData => (Response::OTHER, "this gateway has no data of this kind"),
            Self::NoWord => (
                Response::OTHER,
                "nothing has been heard of this message yet",
            ),
            Self::Busy => (Response::OTHER, "too many questions wait; ask again later"),
        })
    }
}
