//! Far ends that behave as they are told, on this machine only: an exchange at the other end of a trunk, and a provider's
//! desk. For tests and the demo; nothing here must ever call a telephone.

mod desk;
mod exchange;
mod handset;
mod words;

pub use desk::{Desk, Take};
pub use exchange::{Exchange, Settings};
pub use handset::{Manner, Taken};
