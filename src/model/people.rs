//! Who lives where and by what they can be reached: the registry's rows. Rows are immutable; a changed number is a new
//! endpoint. This module must not hold indexes or lookups: those are the registry's.

use serde::{Deserialize, Serialize};

pub use channel::EndpointKind;

use super::RegionCode;

pub type HouseholdId = u32;
pub type RecipientId = u32;
pub type EndpointId = u32;

/// Where a household is now: 在家, 外出, 返乡, 常住非户籍.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PresenceAtHome {
    Home,
    /// All of it is away (全家外出): a courtesy text, no door, apart from every denominator.
    Away,
    Returned,
    Resident,
}

/// What a household is, as a set: `lives-alone`, `disabled`, `danger-zone`, `school`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub u32);

impl Tags {
    pub const LIVES_ALONE: Self = Self(1);
    pub const DISABLED: Self = Self(1 << 1);
    pub const DANGER_ZONE: Self = Self(1 << 2);
    pub const SCHOOL: Self = Self(1 << 3);
    pub const NAMES: [(&'static str, Self); 4] = [
        ("lives-alone", Self::LIVES_ALONE),
        ("disabled", Self::DISABLED),
        ("danger-zone", Self::DANGER_ZONE),
        ("school", Self::SCHOOL),
    ];

    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, t)| *t)
    }

    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter(move |(_, t)| self.has(*t))
            .map(|(n, _)| n)
    }
}

/// An officer's role for a region.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// 灾害信息员 A岗
    PostA,
    /// 灾害信息员 B岗
    PostB,
    /// 值班员 of a town or county
    Duty,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RegionRow {
    pub code: RegionCode,
    pub name: String,
    /// Where it lies, where that is known: latitude, longitude.
    pub lat: Option<f64>,
    pub lon: Option<f64>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HouseholdRow {
    pub id: HouseholdId,
    pub village: RegionCode,
    /// The local level below the village (社, 组), 1 and up; 0 where there is none.
    pub group: u8,
    /// How the door is called on a list.
    pub name: String,
    pub presence: PresenceAtHome,
    pub tags: Tags,
}

/// A person of a household, or an officer (then `household` may be empty).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecipientRow {
    pub id: RecipientId,
    pub household: Option<HouseholdId>,
    pub name: String,
    pub language: String,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct PostRow {
    pub recipient: RecipientId,
    pub region: RegionCode,
    pub role: Role,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EndpointRow {
    pub id: EndpointId,
    /// Empty for a speaker.
    pub recipient: Option<RecipientId>,
    pub kind: EndpointKind,
    pub address: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SpeakerRow {
    /// Its endpoint, of kind speaker.
    pub endpoint: EndpointId,
    pub village: RegionCode,
    pub name: String,
}

/// This household can hear this speaker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HearingRow {
    pub speaker: EndpointId,
    pub household: HouseholdId,
}

/// One whole generation of the registry, as imported and as stored.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Rows {
    pub regions: Vec<RegionRow>,
    pub households: Vec<HouseholdRow>,
    pub recipients: Vec<RecipientRow>,
    pub posts: Vec<PostRow>,
    pub endpoints: Vec<EndpointRow>,
    pub speakers: Vec<SpeakerRow>,
    pub hearing: Vec<HearingRow>,
}
