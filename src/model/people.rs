//! Who lives where and by what they can be reached: the registry's rows. Rows are immutable; a changed number is a new
//! endpoint. This module must not hold indexes or lookups: those are the registry's.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use channel::EndpointKind;

use super::{GroupCode, RegionCode, SpeakerRow, TagRow, Tags};

pub type HouseholdId = u32;
pub type UnitId = u32;
pub type ZoneId = u32;
pub type RecipientId = u32;
pub type EndpointId = u32;

/// From here on the ids of endpoints are the gateway's own: no table may have one.
pub const OWN_ENDPOINTS: EndpointId = 4_200_000_000;

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

/// What somebody is responsible as, by a name that the registry's rows bring: `post-a`, `grid-keeper`, `unit-contact-a`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(Cow<'static, str>);

impl Role {
    /// 灾害信息员 A岗
    pub const POST_A: Self = Self(Cow::Borrowed("post-a"));
    /// 灾害信息员 B岗
    pub const POST_B: Self = Self(Cow::Borrowed("post-b"));
    /// 值班员 of a town or county
    pub const DUTY: Self = Self(Cow::Borrowed("duty"));

    /// 1 to 32 small letters, digits and hyphens, a letter first.
    pub fn named(name: &str) -> Option<Self> {
        is_word(name).then(|| Self(Cow::Owned(name.to_owned())))
    }

    pub fn name(&self) -> &str {
        &self.0
    }
}

/// How roles, tags and zones are written in tables and plans.
pub fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// How somebody outside a household stands to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// 亲属, wherever they live.
    Relative,
    /// 邻居 who can knock.
    Neighbour,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RegionRow {
    pub code: RegionCode,
    pub name: String,
    /// Where it lies, where that is known: latitude, longitude.
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    /// The edition of the code list that it is from, as a year; 0 where nobody said.
    pub revision: u16,
    pub tags: Tags,
}

/// What a region was called before, or is called too: an old code, another name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AliasRow {
    /// As it is now.
    pub code: RegionCode,
    /// A code that was split stands once for each part.
    pub old: Option<RegionCode>,
    pub name: String,
}

/// A local group of a village that has a name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupRow {
    pub village: RegionCode,
    pub group: u8,
    pub name: String,
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
    /// Its own point, where that is known.
    pub lat: Option<f64>,
    pub lon: Option<f64>,
}

/// A key unit (重点单位): a school, a mine, a hospital, a hostel. Its contacts are posts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UnitRow {
    pub id: UnitId,
    pub village: RegionCode,
    pub name: String,
    /// How many people are there on a full day.
    pub heads: u32,
    pub tags: Tags,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
}

/// A named zone (山洪危险区, 水库下游, 化工园区): a set that is addressed by its code. Another set is another version.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ZoneRow {
    pub id: ZoneId,
    /// What alerts and plans call it.
    pub code: String,
    pub version: u32,
    pub name: String,
    pub tags: Tags,
    /// Its outline as latitude and longitude, closed or not; empty where there is none. What belongs to the zone are its
    /// members, wherever the outline runs.
    pub outline: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ZoneMember {
    Region(RegionCode),
    Group(GroupCode),
    Household(HouseholdId),
    Unit(UnitId),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MemberRow {
    pub zone: ZoneId,
    pub member: ZoneMember,
}

/// A person of a household, or an officer (then `household` may be empty).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecipientRow {
    pub id: RecipientId,
    pub household: Option<HouseholdId>,
    pub name: String,
    pub language: String,
}

/// What a post is responsible for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum PostPlace {
    Region(RegionCode),
    Group(GroupCode),
    Unit(UnitId),
    Zone(ZoneId),
}

/// One person may hold several.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PostRow {
    pub recipient: RecipientId,
    pub place: PostPlace,
    pub role: Role,
}

/// Somebody who can tell a household what it has not heard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RelationRow {
    pub household: HouseholdId,
    pub recipient: RecipientId,
    pub kind: RelationKind,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EndpointRow {
    pub id: EndpointId,
    /// Empty for a speaker.
    pub recipient: Option<RecipientId>,
    pub kind: EndpointKind,
    pub address: String,
}

/// An endpoint that is gone from the tables: an alert that was written before may still need it. Its id is never given
/// again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClosedRow {
    pub id: EndpointId,
    pub recipient: Option<RecipientId>,
    pub kind: EndpointKind,
    /// Empty once nobody needs it.
    pub address: String,
    /// The generation that closed it.
    pub generation: u32,
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
    pub aliases: Vec<AliasRow>,
    pub groups: Vec<GroupRow>,
    pub tags: Vec<TagRow>,
    pub households: Vec<HouseholdRow>,
    pub units: Vec<UnitRow>,
    pub zones: Vec<ZoneRow>,
    pub members: Vec<MemberRow>,
    pub recipients: Vec<RecipientRow>,
    pub posts: Vec<PostRow>,
    pub relations: Vec<RelationRow>,
    pub endpoints: Vec<EndpointRow>,
    /// No table of an import: an import makes them.
    pub closed: Vec<ClosedRow>,
    pub speakers: Vec<SpeakerRow>,
    pub hearing: Vec<HearingRow>,
}
