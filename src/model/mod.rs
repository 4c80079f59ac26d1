//! The nouns of the house: ids, regions, people, endpoints, deliveries and answers. Plain values, shared by every room
//! above. This module must not decide, store or send anything.

mod answer;
mod delivery;
mod people;
mod region;
mod span;

pub use answer::{Answer, Grade, Missed};
pub use delivery::{Delivery, DeliveryNo, State, StreamId};
pub use people::{
    EndpointId, EndpointKind, EndpointRow, HearingRow, HouseholdId, HouseholdRow, PostRow,
    PresenceAtHome, RecipientId, RecipientRow, RegionRow, Role, Rows, SpeakerRow, Tags,
};
pub use region::{RegionCode, RegionLevel};
pub use span::{Rate, Span};
