//! The figures of a preview as programs and people read them. This module must not count.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::super::note::Note;
use super::losses::LossLine;
use super::sounds::SoundFigures;
use crate::ledger::event::Class;
use crate::model::{EndpointId, RegionCode, RegionLevel, shape};

#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewFigures)]
pub struct Figures {
    /// One for each step, channel, audience and level of region.
    pub reach: Vec<Line>,
    pub channels: Vec<ChannelLine>,
    pub homes: HomeFigures,
    pub steps: Vec<StepLine>,
    /// Deliveries that whoever has the earlier warning is spared, by how this one stands to it.
    #[schema(value_type = BTreeMap<String, u32>)]
    pub spared: BTreeMap<&'static str, u32>,
    pub texts: Vec<TextLine>,
    /// What of the texts a channel's far end has no place for: 平台无法承载的内容.
    pub losses: Vec<LossLine>,
    /// Villages of which only a part is hit.
    pub partial: Vec<Partial>,
    /// Villages with fewer than two independent kinds of channel.
    pub thin: Vec<Thin>,
    pub dead_speakers: Vec<Dead>,
    /// Speakers that were never heard of.
    pub unheard_speakers: u32,
    pub sounds: SoundFigures,
    /// Endpoints that would be tried and of which a far end has said that nobody is there: 存疑号码. They count as no means.
    pub suspect_numbers: u32,
    /// Satellite terminals that would be tried, by what their last test (拨测) says; those that are not on count as no means.
    pub satellites: Vec<Satellite>,
    pub numbers: Vec<Numbers>,
    /// Ways of several accounts, and those that serve some carriers alone.
    pub routes: Vec<RouteLine>,
    /// Landline numbers of the homes: a text does not reach them.
    pub landlines: Landlines,
    pub notes: Vec<Note>,
    /// When the last first text message leaves, at today's rates.
    #[schema(schema_with = shape::maybe_moment)]
    pub last_first_text: Option<String>,
}

/// Deliveries that go out together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewLine)]
pub struct Line {
    pub step: u16,
    pub channel: String,
    pub kind: &'static str,
    pub audience: &'static str,
    pub audience_zh: &'static str,
    /// The level of the region that they are told in.
    #[schema(schema_with = shape::region_levels)]
    pub level: RegionLevel,
    pub level_zh: &'static str,
    /// The best that can be proved.
    pub grade: &'static str,
    pub grade_zh: &'static str,
    pub deliveries: u32,
    /// Numbers beside these that are not sent to: `numbers` says why.
    pub refused: u32,
    /// How the alert stands to what they last got.
    #[schema(schema_with = Class::shape)]
    pub class: &'static str,
    /// What they cost in the channel's unit: of text messages, segments.
    pub cost: u64,
    /// They had an earlier warning and are told that it is over for them.
    pub closing: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewChannel)]
pub struct ChannelLine {
    pub channel: String,
    pub kind: &'static str,
    pub deliveries: u32,
    pub cost: u64,
    pub rate: String,
    /// At that rate, beginning now; what waits for its step not counted.
    pub minutes: f64,
    /// When its last first message leaves.
    #[schema(schema_with = shape::moment)]
    pub last: String,
    /// Of a channel of telephone lines.
    pub calls: Option<CallLine>,
}

/// Calls take turns at the lines: 最后一个电话几点打出.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewCalls)]
pub struct CallLine {
    pub lines: u32,
    /// How long a call is reckoned at.
    pub call_seconds: u64,
    /// When the last of the first calls starts.
    #[schema(schema_with = shape::moment)]
    pub last_first_call: String,
    /// Within which every first call of a step should have begun.
    pub within_seconds: u64,
    /// How many lines that takes.
    pub lines_needed: u32,
}

/// Households, by the best proof that could be had. The denominator is who is at home.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct HomeFigures {
    pub households: u32,
    pub away: u32,
    pub at_home: u32,
    pub people: u32,
    pub villages: u32,
    pub confirmed: u32,
    pub delivered: u32,
    pub played: u32,
    pub sent: u32,
    /// Nothing of this plan reaches them: doors.
    pub no_means: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewStep)]
pub struct StepLine {
    pub step: u16,
    #[schema(schema_with = shape::moment)]
    pub due: String,
    /// It waits for the end of the quiet hours.
    pub held: bool,
    pub deliveries: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewText)]
pub struct TextLine {
    pub kind: &'static str,
    pub language: String,
    pub text: String,
    /// Under which id the account has it on file.
    pub template: Option<String>,
    pub cost: u32,
    pub deliveries: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Place {
    pub code: RegionCode,
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Partial {
    #[serde(flatten)]
    pub village: Place,
    pub households: u32,
    pub of: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Thin {
    #[serde(flatten)]
    pub village: Place,
    pub kinds: Vec<&'static str>,
    /// Its households at home that nothing of this plan reaches.
    pub no_means: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Dead {
    #[schema(value_type = u32)]
    pub endpoint: EndpointId,
    #[serde(flatten)]
    pub village: Place,
    pub speaker: String,
    /// `silent`, `fault`, or `repair`: one is open for it.
    pub state: &'static str,
}

/// The mobile numbers of one channel by the carrier that their prefix names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Numbers {
    pub channel: String,
    #[schema(value_type = BTreeMap<String, u32>)]
    pub by_carrier: BTreeMap<&'static str, u32>,
    /// Carriers with which the signature is filed; nothing where the configuration does not say.
    pub filed: Option<Vec<&'static str>>,
    /// Numbers of other carriers; nothing where the configuration does not say.
    pub unfiled: Option<u32>,
    /// Numbers that are not sent to, by why.
    pub refused: Vec<Refusal>,
}

/// Numbers that are not sent to, since the far end would not take what is not filed (报备).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Refusal {
    /// `filing:not-filed`, `filing:not-in-force`, `filing:no-template`, `filing:link` or `filing:no-uplink`: the code that
    /// their deliveries will have.
    pub reason: &'static str,
    pub numbers: u32,
    #[schema(value_type = BTreeMap<String, u32>)]
    pub by_carrier: BTreeMap<&'static str, u32>,
    /// Why, and what to do.
    pub en: &'static str,
    pub zh: &'static str,
}

/// Of one satellite terminal that would be tried.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewSatellite)]
pub struct Satellite {
    #[schema(value_type = u32)]
    pub endpoint: EndpointId,
    /// Of an officer alone.
    pub name: Option<String>,
    pub region: Place,
    pub channel: String,
    /// `off`, `doubtful` or `on`.
    pub standing: &'static str,
    pub standing_zh: &'static str,
    /// When a test last found it.
    #[schema(schema_with = shape::maybe_moment)]
    pub proved: Option<String>,
    /// Whole days since.
    pub days: Option<u64>,
}

/// How many numbers go by which account of a route, as their prefixes and what far ends have answered tell.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[schema(as = PreviewRoute)]
pub struct RouteLine {
    pub route: String,
    pub accounts: Vec<AccountLine>,
    /// Numbers that no account of it serves: nobody is told by them.
    pub unserved: u32,
    /// The same by the carrier that they are believed to be with.
    #[schema(value_type = BTreeMap<String, u32>)]
    pub unserved_by: BTreeMap<&'static str, u32>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewAccount)]
pub struct AccountLine {
    pub channel: String,
    /// Whose numbers it serves; nothing where it serves everybody's.
    pub serves: Option<Vec<&'static str>>,
    pub deliveries: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct Landlines {
    pub numbers: u32,
    /// Whether this plan calls them; else nothing of it reaches them.
    pub called: bool,
}
