//! Whom the deliveries of a block are for, as the journal names them. The enum only grows at its end. This module must not
//! choose anybody.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    Public,
    Officers,
    Speakers,
    /// 亲属 of households that are hit, wherever they live: told for somebody else's door, which is not told by it.
    Relatives,
    /// 邻居 who can knock, in the same way.
    Neighbours,
    /// Who is responsible for an outlet that is served by hand: called to it, and told nothing else by that.
    Keepers,
    /// Who is to find out about villages that nobody is heard from: told their names, and nothing else by that.
    Seekers,
}

impl Audience {
    /// As plans and answers name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Officers => "officers",
            Self::Speakers => "speakers",
            Self::Relatives => "relatives",
            Self::Neighbours => "neighbours",
            Self::Keepers => "keepers",
            Self::Seekers => "seekers",
        }
    }

    /// Whether who is told has the warning by that.
    pub const fn is_warned(self) -> bool {
        !matches!(self, Self::Keepers | Self::Seekers)
    }
}
