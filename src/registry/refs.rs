//! What a lookup gives back: one row, borrowed from its generation. The Debug texts must not show names or addresses.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{
    EndpointId, EndpointKind, HouseholdId, PresenceAtHome, RecipientId, RegionCode, Tags,
};

#[derive(Clone, Copy, PartialEq)]
pub struct HouseholdRef<'a> {
    pub id: HouseholdId,
    pub village: RegionCode,
    pub group: u8,
    pub presence: PresenceAtHome,
    pub tags: Tags,
    /// Its own latitude and longitude.
    pub point: Option<(f64, f64)>,
    pub name: &'a str,
}

#[derive(Clone, Copy, PartialEq)]
pub struct RecipientRef<'a> {
    pub id: RecipientId,
    pub household: Option<HouseholdId>,
    pub name: &'a str,
    pub language: &'a str,
}

#[derive(Clone, Copy, PartialEq)]
pub struct EndpointRef<'a> {
    pub id: EndpointId,
    pub kind: EndpointKind,
    pub address: &'a str,
    /// Of everything but a speaker.
    pub recipient: Option<RecipientId>,
    /// Of a speaker, and of an account that somebody bound to a place that is there.
    pub village: Option<RegionCode>,
    /// Of a speaker.
    pub name: Option<&'a str>,
}

impl fmt::Debug for HouseholdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "household {} of {}", self.id, self.village)
    }
}

impl fmt::Debug for RecipientRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recipient {}", self.id)
    }
}

impl fmt::Debug for EndpointRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "endpoint {} ({:?})", self.id, self.kind)
    }
}

/// A point as kept: ten millionths of a degree, a centimetre on the ground.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    lat: i32,
    lon: i32,
}

impl Spot {
    /// A place without a point.
    pub const NOWHERE: Self = Self {
        lat: i32::MIN,
        lon: i32::MIN,
    };

    #[expect(
        clippy::cast_possible_truncation,
        reason = "degrees that are checked fit: 180 times ten million is below 2^31"
    )]
    pub fn at(lat: f64, lon: f64) -> Self {
        let kept = |degrees: f64| (degrees * 1e7).round() as i32;
        Self {
            lat: kept(lat),
            lon: kept(lon),
        }
    }

    /// Latitude and longitude.
    pub fn point(self) -> Option<(f64, f64)> {
        let degrees = |kept: i32| f64::from(kept) / 1e7;
        (self != Self::NOWHERE).then(|| (degrees(self.lat), degrees(self.lon)))
    }
}

/// How much a generation holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct Counts {
    pub regions: usize,
    pub villages: usize,
    pub households: usize,
    /// People of households and officers.
    pub recipients: usize,
    /// People of households alone.
    pub people: usize,
    pub posts: usize,
    pub groups: usize,
    pub units: usize,
    pub zones: usize,
    pub relations: usize,
    pub mobiles: usize,
    pub landlines: usize,
    pub satellites: usize,
    pub mailboxes: usize,
    pub openids: usize,
    pub speakers: usize,
    pub wecom_members: usize,
    pub wecom_groups: usize,
    /// Outlets that a person serves by hand.
    pub manuals: usize,
    /// Accounts that people bound to a household or a village themselves, by scanning its code; not among the openids.
    pub bound: usize,
    /// Those of them whose place is not in this generation: nothing is sent to them until it is again.
    pub bound_nowhere: usize,
    /// Beidou cards.
    pub beidou: usize,
}

impl Counts {
    pub fn endpoints(&self) -> usize {
        [
            EndpointKind::Mobile,
            EndpointKind::Landline,
            EndpointKind::Satellite,
            EndpointKind::Mailbox,
            EndpointKind::Openid,
            EndpointKind::Speaker,
            EndpointKind::Member,
            EndpointKind::Group,
            EndpointKind::Manual,
            EndpointKind::Beidou,
        ]
        .into_iter()
        .map(|kind| self.of(kind))
        .sum()
    }

    pub fn of(&self, kind: EndpointKind) -> usize {
        match kind {
            EndpointKind::Mobile => self.mobiles,
            EndpointKind::Landline => self.landlines,
            EndpointKind::Satellite => self.satellites,
            EndpointKind::Mailbox => self.mailboxes,
            EndpointKind::Openid => self.openids,
            EndpointKind::Speaker => self.speakers,
            EndpointKind::Member => self.wecom_members,
            EndpointKind::Group => self.wecom_groups,
            EndpointKind::Manual => self.manuals,
            EndpointKind::Beidou => self.beidou,
        }
    }

    pub(super) fn count(&mut self, kind: EndpointKind) {
        match kind {
            EndpointKind::Mobile => self.mobiles += 1,
            EndpointKind::Landline => self.landlines += 1,
            EndpointKind::Satellite => self.satellites += 1,
            EndpointKind::Mailbox => self.mailboxes += 1,
            EndpointKind::Openid => self.openids += 1,
            EndpointKind::Speaker => self.speakers += 1,
            EndpointKind::Member => self.wecom_members += 1,
            EndpointKind::Group => self.wecom_groups += 1,
            EndpointKind::Manual => self.manuals += 1,
            EndpointKind::Beidou => self.beidou += 1,
        }
    }
}
