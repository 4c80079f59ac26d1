//! The demo's officers: duty officers of the county and its towns, information officers (posts A and B) of its villages.
//! Gaps and double posts are on purpose: a warning has to get past them.

use crate::model::{EndpointKind, PostPlace, PostRow, RecipientId, RegionCode, RegionLevel, Role};

use super::Draft;

const COUNTY_DUTY: usize = 4;
const TOWN_DUTY: usize = 2;

/// What the county's first duty officer and the first town's serve by hand: a crawl of the station, and a gong.
pub const OUTLETS: [&str; 2] = ["tv:pingwu", "gong:longan"];

pub(super) fn appoint(draft: &mut Draft) {
    let mut outlets = OUTLETS.into_iter();
    let mut serve = |draft: &mut Draft, on_duty: &[RecipientId]| {
        if let Some((keeper, outlet)) = on_duty.first().zip(outlets.next()) {
            draft.endpoint(Some(*keeper), EndpointKind::Manual, outlet.to_owned());
        }
    };
    for county in draft.codes(RegionLevel::County) {
        let on_duty = duty(draft, county, COUNTY_DUTY);
        serve(draft, &on_duty);
    }
    let villages = draft.codes(RegionLevel::Village);
    let mut number = 0_usize;
    for (place, town) in draft.codes(RegionLevel::Town).into_iter().enumerate() {
        let on_duty = duty(draft, town, TOWN_DUTY);
        serve(draft, &on_duty);
        // In every fourth town a duty officer is post A of the first village too.
        let mut lent = on_duty.first().copied().filter(|_| place % 4 == 0);
        let mut neighbour = None;
        for &village in villages.iter().filter(|village| town.covers(**village)) {
            number += 1;
            // One village in ten has no officer of its own.
            if number % 10 == 7 {
                continue;
            }
            let first = lent.take().unwrap_or_else(|| officer(draft));
            let second = match (number % 15, neighbour) {
                (3, _) => first,
                (8, Some(neighbour)) => neighbour,
                _ => officer(draft),
            };
            post(draft, first, village, Role::POST_A);
            post(draft, second, village, Role::POST_B);
            neighbour = Some(first);
        }
    }
}

fn duty(draft: &mut Draft, region: RegionCode, officers: usize) -> Vec<RecipientId> {
    let digits = region.to_string();
    let digits = digits.trim_end_matches("000");
    (1..=officers)
        .map(|place| {
            let recipient = officer(draft);
            let mailbox = format!("duty-{digits}-{place}@demo.invalid");
            draft.endpoint(Some(recipient), EndpointKind::Mailbox, mailbox);
            if place == 1 {
                overhead(draft, region, recipient);
            }
            post(draft, recipient, region, Role::DUTY);
            recipient
        })
        .collect()
}

/// What works without base stations: the county's first duty officer has a Beidou card, each town's a satellite phone. The
/// last digits of the code tell them apart; none of these is a number.
fn overhead(draft: &mut Draft, region: RegionCode, recipient: RecipientId) {
    let digits = region.to_string();
    let (kind, address) = match region.level() {
        RegionLevel::County => (EndpointKind::Beidou, format!("0{}", &digits[..6])),
        _ => (EndpointKind::Satellite, format!("00{}", &digits[..9])),
    };
    draft.endpoint(Some(recipient), kind, address);
}

fn officer(draft: &mut Draft) -> RecipientId {
    let recipient = draft.recipient(None, format!("合成干部-{}", draft.recipients + 1));
    draft.mobile(recipient);
    recipient
}

fn post(draft: &mut Draft, recipient: RecipientId, region: RegionCode, role: Role) {
    draft.rows.posts.push(PostRow {
        recipient,
        place: PostPlace::Region(region),
        role,
    });
}
