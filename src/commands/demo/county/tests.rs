//! The demo county keeps what its README promises.

use std::collections::{HashMap, HashSet};

use crate::model::{EndpointKind, PresenceAtHome, RegionLevel, Role, Rows, Tags};
use crate::registry::Registry;

use super::land::boundary;
use super::{code, county, follow};

const HOUSEHOLDS: u32 = 20_000;

fn per_mille(part: usize, whole: usize) -> usize {
    part * 1_000 / whole
}

fn drawn() -> Rows {
    county(HOUSEHOLDS, 7)
}

#[test]
fn the_same_size_and_seed_draw_the_same_county() {
    assert_eq!(county(1_000, 3), county(1_000, 3));
    assert_ne!(county(1_000, 3).households, county(1_000, 4).households);
    let points =
        |rows: Rows| -> Vec<_> { rows.regions.into_iter().map(|r| (r.lat, r.lon)).collect() };
    assert_eq!(points(county(1_000, 3)), points(county(500, 3)));
}

#[test]
fn a_county_of_any_size_is_a_sound_registry() {
    for households in [0, 1, 177, 178, 179, 1_000] {
        let rows = county(households, 11);
        let registry = Registry::build(1, &rows).expect("sound rows");
        let counts = registry.counts();
        assert_eq!(counts.households, households as usize);
        assert_eq!(counts.people, 3 * households as usize);
        assert_eq!((counts.regions, counts.villages), (201, 178));
        assert_eq!(registry.households_under(code()).len(), households as usize);
    }
}

#[test]
fn every_village_has_a_household_and_some_have_very_many() {
    let rows = drawn();
    let registry = Registry::build(1, &rows).expect("sound rows");
    let sizes: Vec<_> = registry
        .villages_under(code())
        .iter()
        .map(|village| registry.households_under(*village).len())
        .collect();
    let (least, most) = (sizes.iter().min(), sizes.iter().max());
    assert!(least >= Some(&1));
    assert!(
        most >= Some(&(4 * sizes.iter().sum::<usize>() / sizes.len())),
        "{most:?}"
    );
    assert!(rows.households.iter().all(|household| household.group >= 1));
}

/// By the angles that the edges span as seen from the point: nothing in common with how the land draws.
fn winds_around(lat: f64, lon: f64, ring: &[(f64, f64)]) -> bool {
    let mut turned = 0.0;
    for pair in ring.windows(2) {
        let angle = |end: (f64, f64)| (end.0 - lat).atan2(end.1 - lon);
        let mut turn = angle(pair[1]) - angle(pair[0]);
        if turn > std::f64::consts::PI {
            turn -= std::f64::consts::TAU;
        } else if turn < -std::f64::consts::PI {
            turn += std::f64::consts::TAU;
        }
        turned += turn;
    }
    turned.abs() > std::f64::consts::PI
}

#[test]
fn every_point_lies_inside_the_boundary() {
    let rings = boundary();
    assert_eq!(rings.len(), 1);
    assert_eq!(rings[0].first(), rings[0].last());
    assert!(
        !winds_around(30.67, 104.06, &rings[0]),
        "Chengdu lies outside"
    );
    for seed in [1, 7] {
        let rows = county(178, seed);
        let mut villages = HashSet::new();
        for region in &rows.regions {
            let level = region.code.level();
            let Some((lat, lon)) = region.lat.zip(region.lon) else {
                assert!(level < RegionLevel::County, "{}", region.code);
                continue;
            };
            assert!(winds_around(lat, lon, &rings[0]), "{}", region.code);
            if level == RegionLevel::Village {
                assert!(
                    villages.insert((lat.to_bits(), lon.to_bits())),
                    "{}",
                    region.code
                );
            }
        }
        assert_eq!(villages.len(), 178);
    }
}

#[test]
fn households_come_in_the_shares_told() {
    let rows = drawn();
    let total = rows.households.len();
    let tagged = |tag| {
        rows.households
            .iter()
            .filter(|home| home.tags.has(tag))
            .count()
    };
    let away = rows
        .households
        .iter()
        .filter(|home| home.presence == PresenceAtHome::Away);
    assert!((230..=270).contains(&per_mille(away.count(), total)));
    assert!((70..=90).contains(&per_mille(tagged(Tags::LIVES_ALONE), total)));
    assert!((25..=35).contains(&per_mille(tagged(Tags::DISABLED), total)));
    assert!((90..=150).contains(&per_mille(tagged(Tags::DANGER_ZONE), total)));
    let mut groups: HashMap<_, (usize, usize)> = HashMap::new();
    for home in &rows.households {
        let group = groups.entry((home.village, home.group)).or_default();
        group.0 += 1;
        group.1 += usize::from(home.tags.has(Tags::DANGER_ZONE));
    }
    let without = groups.values().filter(|group| group.1 == 0).count();
    assert!(
        per_mille(without, groups.len()) > 750,
        "danger is concentrated"
    );
}

#[test]
fn phones_come_in_the_shares_told() {
    let rows = drawn();
    let registry = Registry::build(1, &rows).expect("sound rows");
    let mut by_phones: HashMap<(usize, usize), usize> = HashMap::new();
    for &home in registry.households_under(code()) {
        let kinds: Vec<_> = registry
            .recipients_of(home)
            .iter()
            .flat_map(|&person| registry.endpoints_of(person))
            .map(|endpoint| registry.endpoint(endpoint).expect("it is there").kind)
            .collect();
        let of = |kind| kinds.iter().filter(|own| **own == kind).count();
        let phones = (of(EndpointKind::Mobile), of(EndpointKind::Landline));
        *by_phones.entry(phones).or_default() += 1;
    }
    let share = |phones| per_mille(by_phones[&phones], HOUSEHOLDS as usize);
    assert!((50..=70).contains(&share((0, 0))));
    assert!((32..=48).contains(&share((0, 1))));
    assert!(share((1, 0)) + share((2, 0)) > 880);
    assert_eq!(by_phones.len(), 4);
    let addresses: HashSet<_> = rows.endpoints.iter().map(|end| &end.address).collect();
    assert_eq!(addresses.len(), rows.endpoints.len());
}

#[test]
fn nothing_looks_like_a_real_person_or_number() {
    for endpoint in follow(drawn()).endpoints {
        let address = endpoint.address;
        assert!(match endpoint.kind {
            EndpointKind::Mobile => address.starts_with("000"),
            EndpointKind::Landline => address.starts_with("0816-0"),
            EndpointKind::Mailbox => address.ends_with("@demo.invalid"),
            EndpointKind::Manual => super::OUTLETS.contains(&address.as_str()),
            EndpointKind::Speaker => address.starts_with("PW-"),
            EndpointKind::Openid => address.starts_with("demo-openid-"),
            EndpointKind::Member => address.starts_with("demo.duty-"),
            EndpointKind::Group => address == "demo-group",
            EndpointKind::Satellite => address.starts_with("00510727"),
            EndpointKind::Beidou => address == "0510727",
        });
    }
    let rows = drawn();
    assert!(
        rows.recipients
            .iter()
            .all(|person| person.name.starts_with("合成"))
    );
    assert!(
        rows.households
            .iter()
            .all(|home| home.name.starts_with("合成户"))
    );
    assert!(
        rows.speakers
            .iter()
            .all(|speaker| speaker.name.starts_with("合成"))
    );
}

#[test]
fn speakers_stand_in_every_village_and_most_households_hear_one() {
    let rows = drawn();
    let registry = Registry::build(1, &rows).expect("sound rows");
    let mut full = 0;
    for &village in registry.villages_under(code()) {
        let speakers = registry.speakers_under(village).len();
        assert!((1..=8).contains(&speakers), "{village}");
        full += usize::from(speakers == 8);
    }
    assert!(full > 0 && full < 178);
    let mut heard: HashMap<u32, usize> = HashMap::new();
    for row in &rows.hearing {
        *heard.entry(row.household).or_default() += 1;
    }
    assert!((830..=870).contains(&per_mille(heard.len(), rows.households.len())));
    let twice = heard.values().filter(|lists| **lists == 2).count();
    assert!((5..=40).contains(&per_mille(twice, heard.len())));
    for speaker in &rows.speakers {
        for &home in registry.hearing(speaker.endpoint) {
            let village = registry.household(home).expect("it is there").village;
            assert_eq!(village, speaker.village);
        }
    }
}

#[test]
fn posts_have_the_gaps_and_doubles_told() {
    let rows = drawn();
    let registry = Registry::build(1, &rows).expect("sound rows");
    let villages = registry.villages_under(code());
    let empty = villages
        .iter()
        .filter(|v| registry.officers_at(**v).is_empty())
        .count();
    assert_eq!(empty, 18);
    let mut held: HashMap<u32, usize> = HashMap::new();
    for post in &rows.posts {
        *held.entry(post.recipient).or_default() += 1;
    }
    assert!(held.values().filter(|posts| **posts > 1).count() > 10);
    let duty = |region| {
        let posts = registry.officers_at(region).iter();
        posts.filter(|post| post.role == Role::DUTY).count()
    };
    assert_eq!(duty(code()), 4);
    let towns = registry.children(code());
    assert_eq!(towns.len(), 20);
    assert!(towns.iter().all(|town| duty(*town) == 2));
    for post in &rows.posts {
        let kinds: Vec<_> = registry
            .endpoints_of(post.recipient)
            .map(|endpoint| registry.endpoint(endpoint).expect("it is there").kind)
            .collect();
        assert!(kinds.contains(&EndpointKind::Mobile));
        assert!(post.role != Role::DUTY || kinds.contains(&EndpointKind::Mailbox));
    }
}

#[test]
fn a_person_takes_less_than_a_hundred_bytes() {
    let registry = Registry::build(1, &drawn()).expect("sound rows");
    let each = registry.bytes() / registry.counts().people;
    assert!(each < 100, "{each}");
}
