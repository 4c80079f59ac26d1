//! Releases on a real journal with a clock that stands still.

mod kit;
mod order;
