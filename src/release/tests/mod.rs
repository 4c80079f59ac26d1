//! Releases on a real journal with a clock that stands still.

mod filing;
mod kit;
mod order;
mod prompt;
mod silence;
