//! Who lives where and by what they can be reached: one immutable generation of the registry in memory, columns and
//! sorted indexes instead of objects. This module must not decide whom to warn, must not change a row and must not put a
//! name or an address into an error, a log line or a Debug text.

mod bound;
mod build;
mod check;
mod columns;
pub mod csv;
mod import;
mod intake;
pub mod names;
mod numbers;
mod places;
mod problem;
mod refs;
mod sizes;
mod table;
#[cfg(test)]
mod tests;

pub use bound::BoundRow;
pub use import::{Prepared, Report, prepare};
pub use intake::{Intake, Parts, Unfit, erase, imported, unused};
pub use places::{Resolved, ZoneRef};
pub use problem::Problem;
pub use refs::{Counts, EndpointRef, HouseholdRef, RecipientRef, Spot};

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::model::{
    Care, ClosedRow, EndpointId, EndpointKind, HouseholdId, OWN_ENDPOINTS, PostPlace, PostRow,
    PresenceAtHome, RecipientId, RegionCode, RegionLevel, Rows, Tags,
};
use columns::{ById, Texts};
use places::Places;
use table::Tables;

/// No household, no recipient: a column's empty cell.
const NONE: u32 = u32::MAX;

/// One generation. Hold it in an `Arc`; a new import builds a new one, and what people bind meanwhile stands beside its
/// columns, which are shared.
#[derive(Clone)]
pub struct Registry {
    generation: u32,
    regions: Arc<Regions>,
    households: Arc<Households>,
    recipients: Arc<Recipients>,
    endpoints: Arc<Endpoints>,
    /// By place, role, recipient.
    posts: Arc<Vec<PostRow>>,
    places: Arc<Places>,
    numbers: Arc<numbers::Numbers>,
    bound: bound::Bound,
}

/// By code, so that a region's descendants stand together.
struct Regions {
    codes: Vec<RegionCode>,
    names: Texts,
    /// Latitude and longitude; not a number where unknown.
    points: Vec<(f64, f64)>,
    /// The towns whose short name another town of their county has too.
    ambiguous: Vec<RegionCode>,
    villages: Vec<RegionCode>,
    /// Where each village's households begin, and one more.
    households_from: Vec<u32>,
    speakers_from: Vec<u32>,
}

/// By village, group, id.
struct Households {
    ids: Vec<HouseholdId>,
    by_id: ById,
    groups: Vec<u8>,
    presence: Vec<PresenceAtHome>,
    tags: Vec<Tags>,
    /// Empty where no household has a point of its own.
    spots: Vec<Spot>,
    names: Texts,
    /// Where each household's recipients begin, and one more.
    recipients_from: Vec<u32>,
}

/// By household position, id; who has no household stands at the end.
struct Recipients {
    ids: Vec<RecipientId>,
    by_id: ById,
    /// The household's position.
    households: Vec<u32>,
    names: Texts,
    /// Into `spoken`.
    languages: Vec<u16>,
    spoken: Vec<Box<str>>,
    endpoints_from: Vec<u32>,
}

/// By recipient position, id; then the speakers by village, id.
struct Endpoints {
    ids: Vec<EndpointId>,
    by_id: ById,
    kinds: Vec<EndpointKind>,
    addresses: Texts,
    /// The recipient's position, of everything before the first speaker.
    recipients: Vec<u32>,
    first_speaker: usize,
    /// From here on, of speakers only: the village's position among the villages.
    speaker_villages: Vec<u32>,
    speaker_names: Texts,
    /// What is known about the boxes: few, and short.
    care: Vec<Care>,
    heard_from: Vec<u32>,
    hearing: Vec<HouseholdId>,
    /// Gone, and still to be reached by an alert that was written before; by id.
    closed: Vec<ClosedRow>,
}

impl Registry {
    /// One generation from its rows, or everything that is wrong with them at once.
    pub fn build(generation: u32, rows: &Rows) -> Result<Self, Vec<Problem>> {
        let problems = check::check(rows, Tables::default());
        if problems.is_empty() {
            Ok(Self::of_checked(generation, rows))
        } else {
            Err(problems)
        }
    }

    /// From rows that the check found sound.
    fn of_checked(generation: u32, rows: &Rows) -> Self {
        build::build(generation, rows)
    }

    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Every region, by code.
    pub fn regions(&self) -> &[RegionCode] {
        &self.regions.codes
    }

    pub fn contains(&self, code: RegionCode) -> bool {
        self.region_position(code).is_some()
    }

    pub fn region_name(&self, code: RegionCode) -> Option<&str> {
        Some(self.regions.names.get(self.region_position(code)?))
    }

    /// How a region is shown, spoken and exported: a village always with its town (平通·新桥村), because the same name
    /// occurs twice and three times in a county; anything else by its name; a code unknown here by its digits.
    pub fn full_name(&self, code: RegionCode) -> String {
        let Some(name) = self.region_name(code) else {
            return code.to_string();
        };
        if code.level() != RegionLevel::Village {
            return name.to_owned();
        }
        let village = names::village(name);
        let town = code.at(RegionLevel::Town);
        match self.region_name(town) {
            Some(whole) if self.regions.ambiguous.binary_search(&town).is_ok() => {
                format!("{whole}·{village}")
            }
            Some(whole) => format!("{}·{village}", names::town(whole)),
            None => village.to_owned(),
        }
    }

    /// Latitude and longitude.
    pub fn point(&self, code: RegionCode) -> Option<(f64, f64)> {
        let point = self.regions.points[self.region_position(code)?];
        (!point.0.is_nan()).then_some(point)
    }

    /// The regions directly below, by code. What counts is the table and not the digits: a city without counties has its
    /// towns as children.
    pub fn children(&self, code: RegionCode) -> Vec<RegionCode> {
        let below = &self.regions.codes[range_of(&self.regions.codes, code)];
        let mut children = Vec::new();
        let mut at = below.partition_point(|&region| region == code);
        while let Some(&child) = below.get(at) {
            children.push(child);
            let end = child.range().end;
            at += below[at..].partition_point(|region| region.number() < end);
        }
        children
    }

    /// The villages of a region, by code; a village has itself.
    pub fn villages_under(&self, code: RegionCode) -> &[RegionCode] {
        &self.regions.villages[self.village_range(code)]
    }

    /// The households of a region by village, group, id: contiguous for any region.
    pub fn households_under(&self, code: RegionCode) -> &[HouseholdId] {
        &self.households.ids[cut(&self.regions.households_from, self.village_range(code))]
    }

    /// Beside `households_under`: where each of them stands; empty where no household of the registry has a point.
    pub fn spots_under(&self, code: RegionCode) -> &[Spot] {
        let range = cut(&self.regions.households_from, self.village_range(code));
        self.households.spots.get(range).unwrap_or(&[])
    }

    fn household_position(&self, id: HouseholdId) -> Option<usize> {
        self.households.by_id.find(&self.households.ids, id)
    }

    pub fn household(&self, id: HouseholdId) -> Option<HouseholdRef<'_>> {
        let households = &self.households;
        let at = self.household_position(id)?;
        let village = self
            .regions
            .households_from
            .partition_point(|&start| start as usize <= at)
            - 1;
        Some(HouseholdRef {
            id,
            village: self.regions.villages[village],
            group: households.groups[at],
            presence: households.presence[at],
            tags: households.tags[at],
            point: households.spots.get(at).and_then(|spot| spot.point()),
            name: households.names.get(at),
        })
    }

    pub fn recipients_of(&self, household: HouseholdId) -> &[RecipientId] {
        let households = &self.households;
        match households.by_id.find(&households.ids, household) {
            Some(at) => &self.recipients.ids[cut(&households.recipients_from, at..at + 1)],
            None => &[],
        }
    }

    pub fn recipient(&self, id: RecipientId) -> Option<RecipientRef<'_>> {
        let recipients = &self.recipients;
        let at = recipients.by_id.find(&recipients.ids, id)?;
        let household = recipients.households[at];
        Some(RecipientRef {
            id,
            household: (household != NONE).then(|| self.households.ids[household as usize]),
            name: recipients.names.get(at),
            language: &recipients.spoken[usize::from(recipients.languages[at])],
        })
    }

    pub fn endpoints_of(&self, recipient: RecipientId) -> impl Iterator<Item = EndpointId> + '_ {
        let recipients = &self.recipients;
        let range = match recipients.by_id.find(&recipients.ids, recipient) {
            Some(at) => cut(&recipients.endpoints_from, at..at + 1),
            None => 0..0,
        };
        self.endpoints.ids[range].iter().copied()
    }

    /// Every endpoint of a kind, of people.
    pub fn of_kind(&self, kind: EndpointKind) -> impl Iterator<Item = EndpointId> {
        let of_people = 0..self.endpoints.first_speaker;
        let its = of_people.filter(move |at| self.endpoints.kinds[*at] == kind);
        its.map(|at| self.endpoints.ids[at])
    }

    /// One that is closed too, as long as an alert may need it.
    pub fn endpoint(&self, id: EndpointId) -> Option<EndpointRef<'_>> {
        if id >= OWN_ENDPOINTS {
            return self.bound_endpoint(id);
        }
        let endpoints = &self.endpoints;
        let Some(at) = endpoints.by_id.find(&endpoints.ids, id) else {
            return self.closed_endpoint(id);
        };
        let speaker = at.checked_sub(endpoints.first_speaker);
        Some(EndpointRef {
            id,
            kind: endpoints.kinds[at],
            address: endpoints.addresses.get(at),
            recipient: match speaker {
                Some(_) => None,
                None => Some(self.recipients.ids[endpoints.recipients[at] as usize]),
            },
            village: speaker
                .map(|at| self.regions.villages[endpoints.speaker_villages[at] as usize]),
            name: speaker.map(|at| endpoints.speaker_names.get(at)),
        })
    }

    fn closed_endpoint(&self, id: EndpointId) -> Option<EndpointRef<'_>> {
        let closed = self.closed();
        let at = closed.binary_search_by_key(&id, |row| row.id).ok()?;
        let row = &closed[at];
        Some(EndpointRef {
            id,
            kind: row.kind,
            address: &row.address,
            recipient: row.recipient,
            village: None,
            name: None,
        })
    }

    /// The endpoints that are gone and can still be reached, by id.
    pub fn closed(&self) -> &[ClosedRow] {
        &self.endpoints.closed
    }

    /// The posts of exactly this region, by role and recipient.
    pub fn officers_at(&self, region: RegionCode) -> &[PostRow] {
        self.posts_at(PostPlace::Region(region))
    }

    /// The posts of exactly this region, group, unit or zone, by role and recipient.
    pub fn posts_at(&self, place: PostPlace) -> &[PostRow] {
        let start = self.posts.partition_point(|post| post.place < place);
        let end = start + self.posts[start..].partition_point(|post| post.place == place);
        &self.posts[start..end]
    }

    /// The regions that somebody has a post of, by code.
    pub fn regions_of_posts(&self, recipient: RecipientId) -> Vec<RegionCode> {
        let own = self.posts.iter().filter(|post| post.recipient == recipient);
        let region = |post: &PostRow| match post.place {
            PostPlace::Region(region) => Some(region),
            PostPlace::Group(_) | PostPlace::Unit(_) | PostPlace::Zone(_) => None,
        };
        own.filter_map(region).collect()
    }

    /// The speaker that its platform knows by this id.
    pub fn speaker_called(&self, device: &str) -> Option<EndpointRef<'_>> {
        let mut speakers = self.speakers().iter();
        speakers.find_map(|id| self.endpoint(*id).filter(|e| e.address == device))
    }

    /// Every speaker, by village, id.
    pub fn speakers(&self) -> &[EndpointId] {
        &self.endpoints.ids[self.endpoints.first_speaker..]
    }

    /// The speakers of a region, by village, id.
    pub fn speakers_under(&self, code: RegionCode) -> &[EndpointId] {
        &self.speakers()[cut(&self.regions.speakers_from, self.village_range(code))]
    }

    /// Who looks after a speaker, and what it runs on.
    pub fn care(&self, speaker: EndpointId) -> Option<&Care> {
        let endpoints = &self.endpoints;
        let at = endpoints.by_id.find(&endpoints.ids, speaker)?;
        endpoints.care.get(at.checked_sub(endpoints.first_speaker)?)
    }

    /// The households that can hear a speaker, by id; none where there is no list.
    pub fn hearing(&self, speaker: EndpointId) -> &[HouseholdId] {
        let endpoints = &self.endpoints;
        let at = endpoints.by_id.find(&endpoints.ids, speaker);
        match at.and_then(|at| at.checked_sub(endpoints.first_speaker)) {
            Some(at) => &endpoints.hearing[cut(&endpoints.heard_from, at..at + 1)],
            None => &[],
        }
    }

    fn region_position(&self, code: RegionCode) -> Option<usize> {
        self.regions.codes.binary_search(&code).ok()
    }

    fn village_range(&self, code: RegionCode) -> Range<usize> {
        range_of(&self.regions.villages, code)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("generation", &self.generation)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// Where the codes of a region stand among sorted codes.
fn range_of(codes: &[RegionCode], code: RegionCode) -> Range<usize> {
    let range = code.range();
    let start = codes.partition_point(|region| region.number() < range.start);
    let length = codes[start..].partition_point(|region| region.number() < range.end);
    start..start + length
}

/// The rows of a run of groups.
fn cut(starts: &[u32], groups: Range<usize>) -> Range<usize> {
    starts[groups.start] as usize..starts[groups.end] as usize
}
