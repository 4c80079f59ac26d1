//! Satellite terminals as their tests (拨测) left them: whose each is, what is assumed of it, and what came of the last test.
//! This module must not show a number and must not decide when one is tested.

use channel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::lists::At;
use super::suspects::regions_of;
use crate::ledger::Ledger;
use crate::ledger::test_calls::Test;
use crate::model::{
    EndpointId, EndpointKind, RecipientId, RegionCode, TestResult, TestStanding, shape,
};
use crate::registry::Registry;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SatelliteLine {
    /// Its number stays in the registry.
    #[schema(value_type = u32)]
    pub endpoint: EndpointId,
    /// `satellite` or `beidou`.
    #[schema(value_type = String)]
    pub kind: EndpointKind,
    #[schema(value_type = u32)]
    pub recipient: RecipientId,
    /// Of an officer alone.
    pub name: Option<String>,
    /// The household's village, or the first region that the officer has a post in.
    pub region: RegionCode,
    pub region_name: String,
    /// `off`, `doubtful` or `on`: what is assumed of it.
    pub standing: &'static str,
    pub standing_zh: &'static str,
    /// When a test last found it.
    #[schema(schema_with = shape::maybe_moment)]
    pub proved: Option<At>,
    /// When a person last answered a test.
    #[schema(schema_with = shape::maybe_moment)]
    pub answered: Option<At>,
    pub test: Option<TestLine>,
}

/// The last test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = SatelliteTest)]
pub struct TestLine {
    pub number: u32,
    pub channel: String,
    #[schema(schema_with = shape::moment)]
    pub ordered: At,
    #[schema(schema_with = shape::maybe_moment)]
    pub sent: Option<At>,
    /// `waiting`, `unsent`, `sent`, `unreached`, `silent`, `reached` or `answered`.
    pub result: &'static str,
    pub result_zh: &'static str,
    /// The far end's own short code.
    pub code: String,
}

impl From<Test> for TestLine {
    fn from(test: Test) -> Self {
        let words = test.result.map_or(("waiting", "待发"), TestResult::words);
        Self {
            number: test.number,
            channel: test.channel,
            ordered: At(test.ordered),
            sent: test.sent.map(At),
            result: words.0,
            result_zh: words.1,
            code: test.code,
        }
    }
}

/// By endpoint. `sees`: whose rows may be seen.
pub fn satellites(
    ledger: &Ledger,
    registry: &Registry,
    now: Timestamp,
    sees: impl Fn(RegionCode) -> bool,
) -> Vec<SatelliteLine> {
    let line = |id: EndpointId| {
        let endpoint = registry.endpoint(id)?;
        let recipient = endpoint.recipient?;
        let regions = regions_of(registry, recipient);
        let region = regions.into_iter().find(|region| sees(*region))?;
        let tried = ledger.test_calls.of(id);
        let standing = ledger.test_calls.standing(id, now);
        let (standing, standing_zh) = TestStanding::words(standing);
        Some(SatelliteLine {
            endpoint: id,
            kind: endpoint.kind,
            recipient,
            name: officer(registry, recipient),
            region,
            region_name: registry.full_name(region),
            standing,
            standing_zh,
            proved: tried.as_ref().and_then(|t| t.proved).map(At),
            answered: tried.as_ref().and_then(|t| t.answered).map(At),
            test: tried.map(|t| t.last.into()),
        })
    };
    let kinds = [EndpointKind::Satellite, EndpointKind::Beidou];
    let all = kinds.into_iter().flat_map(|kind| registry.of_kind(kind));
    let mut lines: Vec<_> = all.filter_map(line).collect();
    lines.sort_by_key(|line| line.endpoint);
    lines
}

/// What an officer is called; who lives in a household is not named.
fn officer(registry: &Registry, recipient: RecipientId) -> Option<String> {
    let recipient = registry.recipient(recipient)?;
    let officer = recipient.household.is_none();
    officer.then(|| recipient.name.to_owned())
}
