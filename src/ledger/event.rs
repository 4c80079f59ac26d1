//! What can happen to an alert or a delivery. The enum only grows at its end: an event's place in it and the order of
//! its fields are the journal's format 1, and a changed meaning is a new event (ADR 2). Fields are ids, enums, numbers
//! and hashes; no name, no number and no free text (law 13). This module must not say what an event does.

use channel::{FailureClass, Level, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

pub use super::answered::{Answered, AnsweredRow, Stray, Strayed, StrayedRow};
pub use super::audience::Audience;
pub use super::barred::{Bar, Barred};
pub use super::bound::{Bound, Coded, Tie};
pub use super::boxes::{Mended, Repair, Tested, Turned, Vouched};
pub use super::class::{Class, ClassRow, Classed, Fate, Kept};
use super::devices::{Done, Enrolled, Invited, Ordered, Rekeyed};
pub use super::frozen::Frozen;
pub use super::identity::Identity;
pub use super::looked::{Believed, Look, Looked};
pub use super::numbered::Numbered;
pub use super::ported::{Learned, LearnedRow};
pub use super::prompted::{Prompted, PromptedRow};
pub use super::quakes::Quaked;
pub use super::receipt::InboxReceipt;
pub use super::recordings::{Heard, Recorded, Retired};
pub use super::rerouted::Rerouted;
use super::seal::Sealed;
pub use super::silence::Silent;
pub use super::spent::{Held, Spent};
pub use super::suspects::{Mark, Marked};
pub use super::test_calls::{Proved, ProvedRow, TestCalled};
pub use super::witness::Witness;
pub use super::word::{Decided, Ruling};
use crate::model::{DeliveryNo, EndpointId, HouseholdId, RegionCode, StreamId, Tags};
use crate::store::DocumentId;

/// What an alert is when it comes: a correction may have come before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Born {
    Live,
    /// An Update or Cancel that we already have speaks of it.
    SupersededBy(StreamId),
    /// Filed and never sent: Draft, System, Ack, Error.
    Filed,
    /// Held for a person's decision.
    Quarantined,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InfoMeta {
    pub language: String,
    pub event: String,
    pub severity: cap::Severity,
    pub urgency: cap::Urgency,
    pub onset: Option<Timestamp>,
    pub expires: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accepted {
    pub identity: Identity,
    /// The bytes as they came.
    pub document: DocumentId,
    /// Hash of the content, whatever its bytes look like.
    pub content: [u8; 32],
    /// The bureau that brought it.
    pub caller: String,
    pub status: cap::Status,
    pub msg_type: cap::MsgType,
    pub level: Level,
    pub references: Vec<Identity>,
    /// The streams that the references name, as far as we know them.
    pub hits: Vec<StreamId>,
    pub born: Born,
    pub infos: Vec<InfoMeta>,
    pub regions: Vec<RegionCode>,
    pub regions_hash: [u8; 32],
    pub plan: DocumentId,
    pub plan_name: String,
    /// The registry's generation at acceptance.
    pub generation: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VariantMeta {
    /// `sms`, `email`, `loudspeaker`.
    pub kind: String,
    pub language: String,
    /// The rendered text.
    pub document: DocumentId,
    pub segments: u32,
    pub expires: Timestamp,
    pub drill: bool,
}

/// The households of one village as they were when the alert was released: the denominator that no import changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ground {
    pub region: RegionCode,
    pub households: Vec<GroundHousehold>,
    pub people: u32,
    pub speakers: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroundHousehold {
    pub id: HouseholdId,
    pub group: u8,
    /// All of it is away: apart from every denominator.
    pub away: bool,
    pub tags: Tags,
}

/// The deliveries of one alert, one step, one region, on one channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Block {
    pub step: u16,
    pub region: RegionCode,
    pub channel: String,
    pub audience: Audience,
    pub first: DeliveryNo,
    pub endpoints: Vec<EndpointId>,
    /// Beside `endpoints`: whose door it is, or `NO_HOUSEHOLD`.
    pub households: Vec<HouseholdId>,
    /// Variants by run: how many deliveries, which variant.
    pub variants: Vec<(u32, u16)>,
    /// Smaller goes first.
    pub rank: u64,
    /// How long a receipt is waited for, in milliseconds.
    pub window: u32,
}

pub const NO_HOUSEHOLD: HouseholdId = HouseholdId::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    First,
    Retry,
    InDoubt,
}

/// Deliveries `lo` to before `hi`, handed together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HandedRange {
    pub lo: DeliveryNo,
    pub hi: DeliveryNo,
    pub attempt: u8,
    pub why: Why,
    /// The serial of `lo`; each following delivery has the next.
    pub serial: u64,
}

/// What the engine does next: the decision, never only its inputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    Await { until: Timestamp },
    Done,
    Due { at: Timestamp, charged: bool },
    Failed,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Accepted { references: Vec<String> },
    Refused { class: FailureClass, code: String },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettledRow {
    pub delivery: DeliveryNo,
    pub attempt: u8,
    pub outcome: Outcome,
    pub next: Next,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    /// By the far end's reference of an attempt that was not noted: as first written.
    Reference,
    Key,
    /// As `Reference`, for a receipt that came before its settlement.
    Inbox,
    /// By the far end's reference of this attempt.
    ReferenceOf(u8),
    InboxOf(u8),
}

impl MatchedBy {
    /// The attempt that the receipt speaks of; our own key is one for all of them.
    pub const fn attempt(self) -> Option<u8> {
        match self {
            Self::ReferenceOf(attempt) | Self::InboxOf(attempt) => Some(attempt),
            Self::Reference | Self::Key | Self::Inbox => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReceiptRow {
    pub delivery: DeliveryNo,
    /// Which part of a long text, from 0.
    pub part: u8,
    pub verdict: Verdict,
    pub code: String,
    pub far: Option<Timestamp>,
    pub seen: Timestamp,
    pub by: MatchedBy,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    Up,
    Paused,
    Probing,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    // The house stream.
    Took {
        epoch: u32,
        format: u8,
    },
    Imported {
        generation: u32,
        households: u32,
        people: u32,
        by: String,
    },
    Link {
        channel: String,
        state: LinkState,
        class: FailureClass,
        code: String,
    },
    Presence {
        device: String,
        state: channel::PresenceState,
    },
    // Alert streams: deciding.
    Accepted(Box<Accepted>),
    Released {
        generation: u32,
        by: String,
    },
    Variants {
        first: u16,
        variants: Vec<VariantMeta>,
    },
    Ground(Ground),
    Block(Block),
    Planned {
        step: u16,
        blocks: u32,
        deliveries: u32,
    },
    Withdrawn {
        by: StreamId,
    },
    // Alert streams: sending.
    Handed {
        channel: String,
        ranges: Vec<HandedRange>,
    },
    Settled {
        channel: String,
        rows: Vec<SettledRow>,
    },
    Returned {
        deliveries: Vec<DeliveryNo>,
        at: Timestamp,
    },
    InDoubt {
        deliveries: Vec<DeliveryNo>,
        epoch: u32,
        due: Timestamp,
    },
    Receipt {
        channel: String,
        rows: Vec<ReceiptRow>,
    },
    Overdue {
        deliveries: Vec<DeliveryNo>,
    },
    Expired {
        variants: Vec<u16>,
    },
    // What the ledger itself does with streams.
    /// On its alert's stream: all of it is over, and its state leaves memory.
    Sealed(Box<Sealed>),
    /// A correction speaks of it: its state is back.
    Unsealed {
        by: StreamId,
    },
    /// On the house stream: where streams ended that have grown since the last of these.
    Witnessed {
        heads: Vec<Witness>,
    },
    /// On its alert's stream, beside the ground and the blocks of a region.
    Frozen(Frozen),
    // Since: decisions that a release makes beside its blocks.
    /// Handled by a higher level than its own.
    Raised {
        level: Level,
    },
    /// When each step of the release is due; the first is the release itself.
    Steps {
        due: Vec<Timestamp>,
    },
    /// A step whose alert was over before it was due: nobody is told by it.
    Dropped {
        step: u16,
    },
    /// A person's word on an alert that waits for one.
    Decided(Decided),
    // Since: how it stands to what it corrects.
    /// As a whole, with the alerts that it was compared with.
    Compared {
        class: Class,
        with: Vec<StreamId>,
    },
    /// Beside the blocks of a region.
    Classed(Classed),
    Kept(Kept),
    // Since, on the house stream: devices that hold a line to us.
    Invited(Invited),
    Enrolled(Enrolled),
    /// Its key and its code are void.
    Revoked {
        device: String,
        by: String,
    },
    Ordered(Box<Ordered>),
    Done(Done),
    // On the house stream.
    Looked(Looked),
    // Since: what people say back.
    Answered(Answered),
    /// On the house stream, as the next.
    Strayed(Strayed),
    Marked(Marked),
    // Since: several accounts of one route. On an alert's stream.
    Rerouted(Rerouted),
    // On the house stream.
    Learned(Learned),
    /// A person's word that a wall clock which jumped is right.
    Believed(Believed),
    // Since: what is filed, and what may be spent.
    /// Before the block that it speaks of.
    Barred(Barred),
    /// On the house stream.
    Spent(Spent),
    /// Beside its `Accepted`.
    Held(Held),
    /// On the house stream.
    Numbered(Numbered),
    // On the house stream.
    Bound(Bound),
    Coded(Coded),
    // Since: who is called to what is done by hand.
    Prompted(Prompted),
    // Since, on the house stream: the boxes at the loudspeakers.
    /// In place of `Presence`, with what there is to be known.
    Turned(Turned),
    /// A device's key gave place to another that it made itself.
    Rekeyed(Rekeyed),
    Tested(Tested),
    Repair(Repair),
    Mended(Mended),
    // On the house stream: tests of satellite terminals (拨测).
    TestCalled(TestCalled),
    Proved(Proved),
    // On the house stream: the recording library.
    Recorded(Box<Recorded>),
    Heard(Heard),
    Retired(Retired),
    // On the house stream: a keeper's word on a loudspeaker.
    Vouched(Vouched),
    // On the house stream: early warnings of earthquakes.
    Quaked(Box<Quaked>),
    // Since, on an alert's stream: villages that nobody is heard from.
    /// When they are looked at, with the release.
    Watched {
        due: Vec<Timestamp>,
    },
    Silent(Silent),
}
