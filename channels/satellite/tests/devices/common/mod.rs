//! What the tests of this crate share.

pub mod cable;
pub mod modem;
pub mod terminal;
