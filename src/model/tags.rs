//! What a household, a unit, a region or a zone is, as a set: `lives-alone`, `danger-zone`, `school`. The names are data
//! of the registry; four are known everywhere. This module must not say what follows from a tag: that is a plan's.

use serde::{Deserialize, Serialize};

/// A set of up to 32 tags. The journal keeps these bits, so a bit never changes its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub u32);

impl Tags {
    pub const LIVES_ALONE: Self = Self(1);
    pub const DISABLED: Self = Self(1 << 1);
    pub const DANGER_ZONE: Self = Self(1 << 2);
    pub const SCHOOL: Self = Self(1 << 3);
    /// The names of the first bits, which no registry changes.
    pub const BUILT_IN: [&'static str; 4] = ["lives-alone", "disabled", "danger-zone", "school"];

    /// The tag of one bit.
    pub const fn bit(bit: u8) -> Option<Self> {
        if bit < 32 { Some(Self(1 << bit)) } else { None }
    }

    /// Whether the two sets share a tag.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn bits(self) -> impl Iterator<Item = u8> {
        (0..32).filter(move |bit| self.0 & (1 << bit) != 0)
    }
}

/// A tag that a registry names beside the four built in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TagRow {
    /// 4 to 31.
    pub bit: u8,
    /// What plans and tables call it: `steep-slope`.
    pub name: String,
    /// What officers read: 陡坡.
    pub title: String,
}

/// What each bit is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TagNames {
    names: [Box<str>; 32],
}

impl TagNames {
    /// A bit that is given twice or does not exist is for the registry's check to refuse; here the last name counts.
    pub fn of(rows: &[TagRow]) -> Self {
        let mut names: [Box<str>; 32] = Default::default();
        for (bit, name) in Tags::BUILT_IN.into_iter().enumerate() {
            names[bit] = name.into();
        }
        for row in rows {
            if let Some(name) = names.get_mut(usize::from(row.bit)) {
                *name = row.name.as_str().into();
            }
        }
        Self { names }
    }

    pub fn named(&self, name: &str) -> Option<Tags> {
        let bit = self.names.iter().position(|known| **known == *name);
        let bit = u8::try_from(bit.filter(|_| !name.is_empty())?).ok()?;
        Tags::bit(bit)
    }

    /// The names of a set, by bit; a bit without a name is not told.
    pub fn names(&self, tags: Tags) -> impl Iterator<Item = &str> {
        tags.bits()
            .map(|bit| &*self.names[usize::from(bit)])
            .filter(|name| !name.is_empty())
    }

    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.names.iter().map(|name| name.len()).sum::<usize>()
    }
}

impl Default for TagNames {
    fn default() -> Self {
        Self::of(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_names_tags_beside_those_built_in() {
        let names = TagNames::of(&[TagRow {
            bit: 9,
            name: "steep-slope".to_owned(),
            title: "陡坡".to_owned(),
        }]);
        assert_eq!(names.named("school"), Some(Tags::SCHOOL));
        assert_eq!(names.named("steep-slope"), Some(Tags(1 << 9)));
        assert_eq!(names.named(""), None);
        assert_eq!(names.named("unheard-of"), None);
        let both = Tags(1 << 9).with(Tags::DISABLED).with(Tags(1 << 30));
        assert_eq!(
            names.names(both).collect::<Vec<_>>(),
            ["disabled", "steep-slope"]
        );
    }
}
