//! How people tie an account of theirs to a household or a village by scanning a code, and undo it. This module must not
//! decide who becomes reachable: that is the registry's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Address, Timestamp};

/// What a code that can be scanned stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scene {
    /// The household of this id.
    Household(u32),
    /// The village of this code: whoever scans it belongs to it, and to none of its doors.
    Village(u64),
}

/// As it stands in the code: `h12`, `v510727217201`.
impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Household(id) => write!(f, "h{id}"),
            Self::Village(code) => write!(f, "v{code:012}"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a scene is h and a household's number, or v and a village's twelve digits")]
pub struct NoScene;

impl FromStr for Scene {
    type Err = NoScene;

    fn from_str(text: &str) -> Result<Self, NoScene> {
        let (kind, number) = text.split_at_checked(1).ok_or(NoScene)?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoScene);
        }
        match kind {
            "h" => number.parse().map(Self::Household).map_err(|_| NoScene),
            "v" if number.len() == 12 => number.parse().map(Self::Village).map_err(|_| NoScene),
            _ => Err(NoScene),
        }
    }
}

/// What a person did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// Scanned this code.
    To(Scene),
    /// Asked to be told no more: wrote the word for it, or left the account.
    Undone,
}

/// A person bound an account of theirs, or undid it.
#[derive(Clone)]
pub struct Binding {
    pub who: Address,
    pub bound: Bound,
    /// When, by the far end's clock.
    pub far: Option<Timestamp>,
    /// When we saw it.
    pub seen: Timestamp,
}

/// Not who.
impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("bound", &self.bound)
            .field("far", &self.far)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

/// How somebody stands after it: what they are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tied {
    /// To this place, as it is called, and to this household of it where the code was a door's.
    To {
        place: String,
        household: Option<u32>,
    },
    /// As before: nothing is known of what the code stands for.
    Nowhere,
    Undone,
    /// They had bound nothing.
    Never,
}

/// A code as the far end made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    pub scene: Scene,
    /// What the code says: whoever draws codes needs only this.
    pub url: String,
    /// Where the far end shows it as a picture.
    pub picture: String,
    /// Empty for a code that stays.
    pub until: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_scene_is_read_as_it_was_written(id in any::<u32>(), village in 0_u64..1_000_000_000_000) {
            for scene in [Scene::Household(id), Scene::Village(village)] {
                prop_assert_eq!(scene.to_string().parse(), Ok(scene));
            }
        }

        #[test]
        fn what_is_no_scene_is_refused(text in "\\PC*") {
            if let Ok(scene) = text.parse::<Scene>() {
                let shown = scene.to_string();
                prop_assert_eq!(shown.trim_start_matches(['h', 'v', '0']), text.trim_start_matches(['h', 'v', '0']));
            }
        }
    }

    #[test]
    fn a_binding_does_not_show_who() {
        let binding = Binding {
            who: Address::new("o-demo_1"),
            bound: Bound::To(Scene::Household(12)),
            far: None,
            seen: Timestamp(1),
        };
        assert!(!format!("{binding:?}").contains("o-demo"), "{binding:?}");
        for bad in [
            "",
            "h",
            "x1",
            "v123",
            "h-1",
            "h4294967296",
            "v51072721720a",
            "户1",
        ] {
            assert_eq!(bad.parse::<Scene>(), Err(NoScene), "{bad}");
        }
    }
}
