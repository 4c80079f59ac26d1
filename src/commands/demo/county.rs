//! The demo county: the real divisions of Pingwu (平武县, 510727) with generated households, people, phones, speakers and
//! officers, the same for the same size and seed. Nothing here may look like a real person or be a number that could
//! ring: `config/demo/pingwu/README.md` says what is real and what is made up.

mod fate;
mod followers;
mod homes;
mod land;
pub use land::BOUNDARY;
mod posts;
pub use posts::OUTLETS;
mod speakers;
mod squares;
#[cfg(test)]
mod tests;

pub use fate::{Fate, SpeakerFate, fate, key, reply, speaker_fate};
use followers::follow;
pub use followers::{GROUP, scans};
pub use squares::is_square;
use squares::squares;

use fastrand::Rng;

use crate::model::{
    EndpointId, EndpointKind, EndpointRow, RecipientId, RecipientRow, RegionCode, RegionLevel,
    RegionRow, Rows, Tags,
};
use crate::registry::names;

const DIVISIONS: &str = include_str!("../../../config/demo/pingwu/divisions.csv");
const EMBEDDED: &str = "the embedded divisions are well formed: a test reads them";

/// 平武县 510727.
pub fn code() -> RegionCode {
    "510727".parse().expect(EMBEDDED)
}

/// The county as the demo runs it.
pub fn whole(households: u32, seed: u64) -> Rows {
    squares(follow(county(households, seed)))
}

/// The demo county with exactly this many households, three people each on average.
pub fn county(households: u32, seed: u64) -> Rows {
    // The land has its own draws, so that a village stays where it is whatever the size.
    let mut regions = divisions();
    land::place(&mut regions, &mut Rng::with_seed(seed ^ 0x01AD));
    let mut draft = Draft::new(regions, seed);
    let villages = homes::settle(&mut draft, households);
    posts::appoint(&mut draft);
    speakers::hang(&mut draft, &villages);
    draft.rows
}

fn divisions() -> Vec<RegionRow> {
    DIVISIONS
        .lines()
        .skip(1)
        .map(|line| {
            let (code, name) = line.split_once(',').expect(EMBEDDED);
            RegionRow {
                code: code.parse().expect(EMBEDDED),
                name: names::village(name).to_owned(),
                lat: None,
                lon: None,
                revision: 0,
                tags: Tags::default(),
            }
        })
        .collect()
}

/// The rows while they are drawn; ids are given from 1 in the order of drawing.
struct Draft {
    rows: Rows,
    rng: Rng,
    recipients: RecipientId,
    endpoints: EndpointId,
    mobiles: u64,
    landlines: u64,
}

impl Draft {
    fn new(regions: Vec<RegionRow>, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self {
            rows: Rows {
                regions,
                ..Rows::default()
            },
            recipients: 0,
            endpoints: 0,
            mobiles: rng.u64(..),
            landlines: rng.u64(..),
            rng,
        }
    }

    fn codes(&self, level: RegionLevel) -> Vec<RegionCode> {
        let regions = self.rows.regions.iter();
        regions
            .map(|region| region.code)
            .filter(|code| code.level() == level)
            .collect()
    }

    fn chance(&mut self, per_mille: u32) -> bool {
        self.rng.u32(0..1_000) < per_mille
    }

    fn recipient(&mut self, household: Option<u32>, name: String) -> RecipientId {
        self.recipients += 1;
        // A few who read English, so that the second language of a warning is used.
        let english = household.is_some() && self.chance(3);
        self.rows.recipients.push(RecipientRow {
            id: self.recipients,
            household,
            name,
            language: if english { "en-US" } else { "zh-CN" }.to_owned(),
        });
        self.recipients
    }

    fn endpoint(&mut self, recipient: Option<RecipientId>, kind: EndpointKind, address: String) {
        self.endpoints += 1;
        self.rows.endpoints.push(EndpointRow {
            id: self.endpoints,
            recipient,
            kind,
            address,
        });
    }

    fn mobile(&mut self, recipient: RecipientId) {
        self.mobiles += 1;
        let address = fate::mobile(self.mobiles);
        self.endpoint(Some(recipient), EndpointKind::Mobile, address);
    }

    fn landline(&mut self, recipient: RecipientId) {
        self.landlines += 1;
        let address = fate::landline(self.landlines);
        self.endpoint(Some(recipient), EndpointKind::Landline, address);
    }
}
