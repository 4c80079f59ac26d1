//! The demo's village speakers and who can hear them: about one to forty households, each over a run of neighbouring
//! households, so over its groups.

use std::ops::Range;

use channel::Power;

use crate::model::{Care, EndpointKind, HearingRow, RegionCode, SpeakerRow};

use super::Draft;

const HOUSEHOLDS_PER_SPEAKER: usize = 40;
const SPEAKERS_AT_MOST: usize = 8;

pub(super) fn hang(draft: &mut Draft, villages: &[(RegionCode, Range<usize>)]) {
    for (village, households) in villages {
        let size = households.len();
        let speakers = ((size + HOUSEHOLDS_PER_SPEAKER / 2) / HOUSEHOLDS_PER_SPEAKER)
            .clamp(1, SPEAKERS_AT_MOST);
        let digits = village.number() % 1_000_000;
        let first = draft.endpoints + 1;
        for number in 1..=speakers {
            draft.endpoint(
                None,
                EndpointKind::Speaker,
                format!("PW-{digits:06}-{number}"),
            );
            draft.rows.speakers.push(SpeakerRow {
                endpoint: draft.endpoints,
                village: *village,
                name: format!("合成喇叭-{digits:06}-{number}"),
                care: care(draft.endpoints, number),
            });
        }
        let ids: Vec<_> = (first..=draft.endpoints).collect();
        for (place, at) in households.clone().enumerate() {
            hear(draft, at, &ids, place * speakers / size);
        }
    }
}

/// Made up, and the same in every run: most on mains with a battery, some on the sun, and a few whose card runs out.
fn care(endpoint: u32, number: usize) -> Care {
    let solar = number.is_multiple_of(4);
    let year = if endpoint.is_multiple_of(40) {
        2026
    } else {
        2028
    };
    Care {
        keeper: format!("合成管护员-{endpoint}"),
        phone: format!("000{endpoint:08}"),
        sim: format!("{endpoint:013}"),
        sim_expires: format!("{year}-08-31").parse().ok(),
        power: Some(if solar { Power::Solar } else { Power::Mains }),
        hours: Some(if solar { 72 } else { 8 }),
        volume: Some(80),
        maker: "合成厂".to_owned(),
        ..Care::default()
    }
}

/// 85 % of the households hear the speaker of their place, and a few the next one too.
fn hear(draft: &mut Draft, household: usize, speakers: &[u32], nearest: usize) {
    let household = draft.rows.households[household].id;
    if !draft.chance(850) {
        return;
    }
    let mut add = |speaker| draft.rows.hearing.push(HearingRow { speaker, household });
    add(speakers[nearest]);
    if speakers.len() > 1 && draft.rng.u32(0..1_000) < 30 {
        add(speakers[(nearest + 1) % speakers.len()]);
    }
}
