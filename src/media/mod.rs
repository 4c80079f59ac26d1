//! The house's sounds: speech that a configured command makes of a text, once and kept by its hash, and the library of
//! what people have recorded. Whatever comes from outside is looked at before it is kept. This room must not choose what
//! is played: plan does, and it must not know who hears it.

mod clip;
mod library;
mod shelf;
mod speech;

#[cfg(any(test, fuzzing))]
pub use clip::examine;
pub use clip::{BadSound, LARGEST, LONGEST};
pub use library::{Asked, Denied, Library};
pub use shelf::BadShelf;
pub use speech::{Speech, Studio};
