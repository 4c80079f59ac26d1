//! The demo's squares: in one village of each town a loudspeaker that hangs on the county's broadcast platform and not on a box of
//! ours. Its address is its village's code. Nothing here could be anybody's.

use std::collections::HashSet;

use channel::Power;

use crate::model::{
    Care, EndpointKind, EndpointRow, HearingRow, RegionCode, RegionLevel, Rows, SpeakerRow,
};

/// The first village of each town.
fn villages(rows: &Rows) -> Vec<RegionCode> {
    let mut towns = HashSet::new();
    let codes = rows.regions.iter().map(|region| region.code);
    let villages = codes.filter(|code| code.level() == RegionLevel::Village);
    villages
        .filter(|village| towns.insert(village.parent()))
        .collect()
}

/// The county with its squares; what was drawn before keeps its ids. Whoever lives in the first group hears them.
pub fn squares(mut rows: Rows) -> Rows {
    let last = rows.endpoints.iter().map(|row| row.id).max().unwrap_or(0);
    for (id, village) in (last + 1..).zip(villages(&rows)) {
        rows.endpoints.push(EndpointRow {
            id,
            recipient: None,
            kind: EndpointKind::Speaker,
            address: village.to_string(),
        });
        rows.speakers.push(SpeakerRow {
            endpoint: id,
            village,
            name: format!("合成广场喇叭-{:06}", village.number() % 1_000_000),
            care: Care {
                keeper: format!("合成管护员-{id}"),
                phone: format!("000{id:08}"),
                power: Some(Power::Mains),
                maker: "合成平台".to_owned(),
                ..Care::default()
            },
        });
        let homes = rows.households.iter();
        let near = homes.filter(|home| home.village == village && home.group == 1);
        rows.hearing.extend(near.map(|home| HearingRow {
            speaker: id,
            household: home.id,
        }));
    }
    rows
}

/// Whether a loudspeaker of the demo is the platform's.
pub fn is_square(address: &str) -> bool {
    address.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::county;
    use super::*;
    use crate::registry::Registry;

    #[test]
    fn each_town_has_one_square_in_a_county_that_stays_as_it_was() {
        let before = county(2_000, 3);
        let after = squares(before.clone());
        assert_eq!(after.speakers[..before.speakers.len()], before.speakers[..]);
        let added = &after.endpoints[before.endpoints.len()..];
        assert!(added.iter().all(|row| is_square(&row.address)));
        let boxes = before.endpoints.iter();
        let mut boxes = boxes.filter(|row| row.kind == EndpointKind::Speaker);
        assert!(boxes.all(|row| !is_square(&row.address)));
        Registry::build(1, &after).expect("sound rows");
        let regions = before.regions.iter().map(|region| region.code);
        let villages = regions.filter(|code| code.level() == RegionLevel::Village);
        let towns: HashSet<_> = villages.map(RegionCode::parent).collect();
        assert_eq!(added.len(), towns.len());
    }
}
