//! A small county and an alert in it, for the tests of this room and of the rooms above. Everything in it is made up.
//! This module must not stand in for the writer: it folds events as the writer does after a commit.

use channel::{Level, Timestamp};

use crate::ledger::event::{
    Accepted, Audience, Block, Born, Event, Ground, GroundHousehold, Identity, InfoMeta,
    NO_HOUSEHOLD, VariantMeta,
};
use crate::model::{
    Care, EndpointKind, EndpointRow, HearingRow, HouseholdRow, PostPlace, PostRow, PresenceAtHome,
    RecipientRow, RegionCode, RegionRow, Role, Rows, SpeakerRow, Tags,
};
use crate::registry::Registry;

/// 2026-07-14 09:00 in Beijing.
pub const START: Timestamp = Timestamp(1_783_990_800_000);

pub fn code(text: &str) -> RegionCode {
    text.parse().expect("a code")
}

pub const VILLAGES: [&str; 3] = ["510727217201", "510727217202", "510727216201"];
/// Households in each village.
pub const DOORS: u32 = 6;
/// The first officer; the first officer's endpoint is the same number.
pub const OFFICER: u32 = 9_000;
/// The first speaker's endpoint.
pub const SPEAKER: u32 = 8_000;

/// Three villages in two towns, six doors each in groups 1 and 2, a person with a phone in every door but the last, the
/// fifth away; a speaker in each village, heard by its last three doors; an officer with posts in the first two villages.
pub fn rows() -> Rows {
    let mut rows = Rows::default();
    for (text, name) in [
        ("510727", "平武县"),
        ("510727216", "豆叩羌族乡"),
        ("510727217", "平通羌族镇"),
        (VILLAGES[0], "新桥村村民委员会"),
        (VILLAGES[1], "牛飞村村民委员会"),
        (VILLAGES[2], "新桥村村民委员会"),
    ] {
        rows.regions.push(RegionRow {
            code: code(text),
            name: name.into(),
            lat: None,
            lon: None,
            revision: 0,
            tags: Tags::default(),
        });
    }
    for (nth, village) in (0..).zip(VILLAGES) {
        let village = code(village);
        for door in 0..DOORS {
            add_door(&mut rows, village, nth * DOORS + door, door);
        }
        add_speaker(&mut rows, village, nth);
    }
    add_officer(&mut rows);
    rows
}

fn add_speaker(rows: &mut Rows, village: RegionCode, nth: u32) {
    let endpoint = SPEAKER + nth;
    let address = format!("speaker-{nth}");
    rows.endpoints.push(EndpointRow {
        id: endpoint,
        recipient: None,
        kind: EndpointKind::Speaker,
        address,
    });
    rows.speakers.push(SpeakerRow {
        endpoint,
        village,
        name: format!("{nth}号"),
        care: Care::default(),
    });
    let heard = (nth * DOORS + 3..nth * DOORS + 6).map(|household| HearingRow {
        speaker: endpoint,
        household,
    });
    rows.hearing.extend(heard);
}

fn add_officer(rows: &mut Rows) {
    let officer = RecipientRow {
        id: OFFICER,
        household: None,
        name: "张某".into(),
        language: "zh-CN".into(),
    };
    rows.recipients.push(officer);
    let (kind, address) = (EndpointKind::Mobile, "10000009000".into());
    rows.endpoints.push(EndpointRow {
        id: OFFICER,
        recipient: Some(OFFICER),
        kind,
        address,
    });
    for village in &VILLAGES[..2] {
        rows.posts.push(PostRow {
            recipient: OFFICER,
            place: PostPlace::Region(code(village)),
            role: Role::POST_A,
        });
    }
}

fn add_door(rows: &mut Rows, village: RegionCode, id: u32, door: u32) {
    rows.households.push(HouseholdRow {
        id,
        village,
        group: if door < 3 { 1 } else { 2 },
        name: format!("{}号院", id + 1),
        presence: if door == 4 {
            PresenceAtHome::Away
        } else {
            PresenceAtHome::Home
        },
        tags: if door == 0 {
            Tags::LIVES_ALONE
        } else {
            Tags::default()
        },
        lat: None,
        lon: None,
    });
    rows.recipients.push(RecipientRow {
        id,
        household: Some(id),
        name: "某人".into(),
        language: "zh-CN".into(),
    });
    if door != 5 {
        rows.endpoints.push(EndpointRow {
            id,
            recipient: Some(id),
            kind: EndpointKind::Mobile,
            address: format!("1000000{id:04}"),
        });
    }
}

pub fn registry() -> Registry {
    Registry::build(1, &rows()).expect("the rows hold")
}

pub fn accepted(identifier: &str, regions: &[&str]) -> Accepted {
    Accepted {
        identity: Identity {
            sender: "water@pingwu.example".into(),
            identifier: identifier.into(),
            sent: START.secs(),
        },
        document: [7; 32],
        content: [8; 32],
        caller: "water".into(),
        status: cap::Status::Actual,
        msg_type: cap::MsgType::Alert,
        level: Level::Red,
        references: Vec::new(),
        hits: Vec::new(),
        born: Born::Live,
        infos: vec![InfoMeta {
            language: "zh-CN".into(),
            event: "11A51".into(),
            severity: cap::Severity::Extreme,
            urgency: cap::Urgency::Immediate,
            onset: None,
            expires: START.plus(std::time::Duration::from_hours(3)),
        }],
        regions: regions.iter().map(|text| code(text)).collect(),
        regions_hash: [9; 32],
        plan: [0; 32],
        plan_name: "flood".into(),
        generation: 1,
    }
}

pub fn ground(village: &str) -> Ground {
    let village = code(village);
    let rows = rows();
    let own: Vec<GroundHousehold> = rows
        .households
        .iter()
        .filter(|h| h.village == village)
        .map(|h| GroundHousehold {
            id: h.id,
            group: h.group,
            away: h.presence == PresenceAtHome::Away,
            tags: h.tags,
        })
        .collect();
    let speakers = rows
        .speakers
        .iter()
        .filter(|s| s.village == village)
        .count();
    Ground {
        region: village,
        people: DOORS,
        households: own,
        speakers: u32::try_from(speakers).expect("few"),
    }
}

pub fn variant(kind: &str) -> VariantMeta {
    VariantMeta {
        kind: kind.into(),
        language: "zh-CN".into(),
        document: [0; 32],
        segments: 1,
        expires: START.plus(std::time::Duration::from_hours(3)),
        drill: false,
    }
}

/// One block; `to` names endpoints and whose door each is.
pub fn block(region: &str, audience: Audience, first: u32, to: &[(u32, Option<u32>)]) -> Block {
    let (channel, variant) = match audience {
        Audience::Public => ("sms-mobile", 0),
        Audience::Speakers => ("horns", 1),
        Audience::Officers
        | Audience::Relatives
        | Audience::Neighbours
        | Audience::Keepers
        | Audience::Seekers => ("sms-officers", 0),
    };
    Block {
        step: 0,
        region: code(region),
        channel: channel.into(),
        audience,
        first,
        endpoints: to.iter().map(|(endpoint, _)| *endpoint).collect(),
        households: to
            .iter()
            .map(|(_, door)| door.unwrap_or(NO_HOUSEHOLD))
            .collect(),
        variants: vec![(u32::try_from(to.len()).expect("few"), variant)],
        rank: 1,
        window: 60_000,
    }
}

/// How many deliveries `released` writes for each village: five phones, a speaker.
pub const PER_VILLAGE: u32 = DOORS;

/// The events that release all three villages: phones, speakers, and the officer once.
pub fn released() -> Vec<Event> {
    let mut events = vec![
        Event::Released {
            generation: 1,
            by: "water".into(),
        },
        Event::Variants {
            first: 0,
            variants: vec![variant("sms"), variant("loudspeaker")],
        },
    ];
    for (nth, village) in (0..).zip(VILLAGES) {
        let doors = nth * DOORS..(nth + 1) * DOORS - 1;
        let phones: Vec<_> = doors.map(|id| (id, Some(id))).collect();
        let first = nth * PER_VILLAGE;
        events.push(Event::Ground(ground(village)));
        events.push(Event::Block(block(
            village,
            Audience::Public,
            first,
            &phones,
        )));
        let speaker = [(SPEAKER + nth, None)];
        events.push(Event::Block(block(
            village,
            Audience::Speakers,
            first + DOORS - 1,
            &speaker,
        )));
    }
    let officer = [(OFFICER, None)];
    events.push(Event::Block(block(
        VILLAGES[0],
        Audience::Officers,
        3 * PER_VILLAGE,
        &officer,
    )));
    events.push(Event::Planned {
        step: 0,
        blocks: 7,
        deliveries: 3 * PER_VILLAGE + 1,
    });
    events
}
