//! What a message may cost before it is refused: an order of magnitude above anything met in the field. Everything is
//! counted while tokens come in, so refusal is cheap. This module must not hold policy about content.

/// How much may be handed in; the limits below are fixed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of one message.
    pub message: usize,
    /// Bytes of a file that holds messages.
    pub file: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 5 << 20,
            file: 64 << 20,
        }
    }
}

/// Elements below elements; real messages reach 8 within a signature.
pub(crate) const DEPTH: usize = 32;
pub(crate) const ELEMENTS: usize = 200_000;
pub(crate) const ATTRIBUTES: usize = 64;
/// Bytes of an element's name.
pub(crate) const TAG: usize = 128;
/// Bytes of one text.
const TEXT: usize = 128 << 10;
/// Bytes of identifier and sender.
const NAME: usize = 1_024;
pub(crate) const INFOS: usize = 200;
/// Of one kind below one info or area.
pub(crate) const SIBLINGS: usize = 5_000;
/// Points of all polygons of a message.
pub(crate) const POINTS: usize = 200_000;
/// Tokens of references, addresses or incidents.
pub(crate) const TOKENS: usize = 5_000;

/// Bytes of text in an element of that name; content and coordinates are bounded by the message and `POINTS` alone.
pub(crate) fn of_text(name: &str, message: usize) -> usize {
    match name {
        "derefUri" | "polygon" => message,
        "identifier" | "sender" => NAME,
        _ => TEXT,
    }
}
