//! Far ends that play along or do not: a modem with a network behind it, and a terminal with a satellite above it. For tests and
//! for trying out; these modules must not be used by a gateway.

mod handset;
pub mod modem;
mod terminal;

pub use handset::Handset;
pub use modem::{ModemPeer, Reports};
pub use terminal::{Scene, TerminalPeer};
