//! The nouns of the house: ids, regions, people, endpoints, deliveries and answers. Plain values, shared by every room
//! above. This module must not decide, store or send anything.

mod answer;
mod area;
mod carrier;
mod day;
mod delivery;
mod name;
mod people;
mod region;
pub mod shape;
mod span;
mod speaker;
mod tags;
mod test_call;
mod tongue;

pub use answer::{Answer, Denial, Grade, Missed, Ranks};
pub use area::{AreaCode, GroupCode};
pub use carrier::Carrier;
pub use day::{Day, Month};
pub use delivery::{Delivery, DeliveryNo, State, StreamId};
pub use name::is_name;
pub use people::{
    AliasRow, ClosedRow, EndpointId, EndpointKind, EndpointRow, GroupRow, HearingRow, HouseholdId,
    HouseholdRow, MemberRow, OWN_ENDPOINTS, PostPlace, PostRow, PresenceAtHome, RecipientId,
    RecipientRow, RegionRow, RelationKind, RelationRow, Role, Rows, UnitId, UnitRow, ZoneId,
    ZoneMember, ZoneRow, is_word,
};
pub use region::{RegionCode, RegionLevel};
pub use span::{Rate, Span};
pub use speaker::{Care, SpeakerRow};
pub use tags::{TagNames, TagRow, Tags};
pub use test_call::{TestResult, TestStanding};
pub use tongue::{KNOWN as TONGUES, MANDARIN, is_mandarin, same_tongue, tongue, tongue_names};
