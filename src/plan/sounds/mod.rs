//! What a loudspeaker plays of an alert: a tone, words before and after, what people have recorded in the village's
//! languages, and the text in Mandarin, which always follows. A playlist and no mixing, decided when the text is rendered
//! and kept with it. This module must not hold a sound's bytes: it names them.

mod languages;
mod playlist;
mod table;
mod telling;

pub use languages::Languages;
pub use playlist::{Spoken, Wanted, pick, playlist};
pub use table::{Row, Table};
pub use telling::{sounded, wanted_of};

/// What is configured of it.
#[derive(Clone, Debug, Default)]
pub struct Sounds {
    pub table: Table,
    pub languages: Languages,
}

impl Sounds {
    pub fn shipped() -> Self {
        Self {
            table: Table::shipped(),
            languages: Languages::default(),
        }
    }
}
