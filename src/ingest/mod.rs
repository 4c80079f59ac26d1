//! Bytes become a proven, checked, targeted `Accepted`, or a precise refusal that changes nothing. The 202 waits for
//! the commit of `Accepted` alone. This room must not write blocks and must not send: what follows is release's.

mod accept;
mod budget;
mod filing;
mod judge;
mod names;
mod preview;
mod walls;

pub use accept::{Ingest, Rejection, Submitted};
pub use preview::{EventView, Preview};
