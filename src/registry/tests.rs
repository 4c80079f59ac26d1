//! The registry against a naive search over the same rows, and every refusal.

use proptest::prelude::*;

use crate::model::{
    AliasRow, Care, EndpointKind, EndpointRow, GroupCode, GroupRow, HearingRow, HouseholdRow,
    MemberRow, OWN_ENDPOINTS, PostPlace, PostRow, PresenceAtHome, RecipientRow, RegionCode,
    RegionLevel, RegionRow, RelationKind, RelationRow, Role, Rows, SpeakerRow, TagRow, Tags,
    UnitRow, ZoneMember, ZoneRow,
};

use super::Registry;
use super::table::Table;

pub fn code(text: &str) -> RegionCode {
    text.parse().expect("a code")
}

/// Two towns, four villages, a few of everything; ids neither dense nor in order.
pub fn sample() -> Rows {
    let region = |code_: &str, name: &str, point: Option<(f64, f64)>| RegionRow {
        code: code(code_),
        name: name.to_owned(),
        lat: point.map(|point| point.0),
        lon: point.map(|point| point.1),
        revision: 0,
        tags: Tags::default(),
    };
    let household = |id, village: &str, group, tags| HouseholdRow {
        id,
        village: code(village),
        group,
        name: format!("合成户{id}"),
        presence: PresenceAtHome::Home,
        tags,
        lat: None,
        lon: None,
    };
    let recipient = |id, household| RecipientRow {
        id,
        household,
        name: format!("合成-{id}"),
        language: if id % 2 == 0 { "zh-CN" } else { "en-US" }.to_owned(),
    };
    let endpoint = |id, recipient, kind, address: &str| EndpointRow {
        id,
        recipient,
        kind,
        address: address.to_owned(),
    };
    Rows {
        regions: vec![
            region("510727219", "平通羌族乡", None),
            region("510727", "平武县", Some((32.4, 104.5))),
            region("510727219200", "新桥村村民委员会", Some((32.1, 104.6))),
            region("510727219201", "牛飞村", None),
            region("510727100", "龙安镇", None),
            region("510727100201", "新桥村", None),
            region("510727100202", "东皋村", None),
        ],
        households: vec![
            household(90, "510727219200", 2, Tags::LIVES_ALONE),
            household(7, "510727219200", 1, Tags::default()),
            household(40, "510727219200", 1, Tags::DANGER_ZONE),
            household(3, "510727100202", 1, Tags::default()),
        ],
        recipients: vec![
            recipient(500, Some(90)),
            recipient(12, Some(90)),
            recipient(13, Some(3)),
            recipient(1, None),
        ],
        posts: vec![
            PostRow {
                recipient: 1,
                place: PostPlace::Region(code("510727219200")),
                role: Role::POST_B,
            },
            PostRow {
                recipient: 1,
                place: PostPlace::Region(code("510727219200")),
                role: Role::POST_A,
            },
            PostRow {
                recipient: 1,
                place: PostPlace::Region(code("510727219")),
                role: Role::DUTY,
            },
        ],
        endpoints: vec![
            endpoint(77, None, EndpointKind::Speaker, "PW-219200-1"),
            endpoint(8, Some(12), EndpointKind::Mobile, "00012345678"),
            endpoint(6, Some(12), EndpointKind::Landline, "0816-0123456"),
            endpoint(9, Some(1), EndpointKind::Mailbox, "duty@demo.invalid"),
            endpoint(70, None, EndpointKind::Speaker, "PW-100202-1"),
        ],
        speakers: vec![
            hung(77, "510727219200", "合成喇叭-1"),
            hung(70, "510727100202", "合成喇叭-2"),
        ],
        hearing: vec![
            HearingRow {
                speaker: 77,
                household: 90,
            },
            HearingRow {
                speaker: 77,
                household: 7,
            },
        ],
        ..Rows::default()
    }
}

fn hung(endpoint: u32, village: &str, name: &str) -> SpeakerRow {
    SpeakerRow {
        endpoint,
        village: code(village),
        name: name.to_owned(),
        care: Care::default(),
    }
}

/// All that can be known about a box, made up.
pub fn care(id: u32) -> Care {
    Care {
        keeper: "合成管护员".to_owned(),
        phone: "00012345678".to_owned(),
        sim: format!("{id:013}"),
        sim_expires: Some("2027-03-31".parse().expect("a day")),
        power: Some(channel::Power::Solar),
        hours: Some(48),
        volume: Some(80),
        maker: "合成, 厂".to_owned(),
        lat: Some(32.5),
        lon: Some(104.25),
    }
}

#[test]
fn a_speaker_tells_who_looks_after_it_and_another_that_nothing_is_known() {
    let registry = Registry::build(1, &whole()).expect("sound");
    assert_eq!(registry.care(77), Some(&care(77)));
    assert_eq!(registry.care(70), Some(&Care::default()));
    assert_eq!(registry.care(8), None, "a telephone is no speaker");
}

#[test]
fn every_wrong_word_about_a_box_is_found_and_none_is_repeated() {
    let mut rows = whole();
    rows.speakers[0].care = Care {
        keeper: String::new(),
        phone: "secret".to_owned(),
        sim: String::new(),
        power: None,
        volume: Some(101),
        lat: Some(91.0),
        ..care(77)
    };
    let told: Vec<_> = Registry::build(1, &rows)
        .expect_err("problems")
        .iter()
        .map(ToString::to_string)
        .collect();
    let columns = ["phone", "keeper", "sim", "power", "volume", "lat"];
    for column in columns {
        let begins = format!("speakers, row 77, column {column}: ");
        assert!(
            told.iter().any(|told| told.starts_with(&begins)),
            "{column}: {told:#?}"
        );
    }
    assert_eq!(told.len(), columns.len(), "{told:#?}");
    assert!(!told.join(" ").contains("secret"));
    rows.speakers[0].care = care(77);
    rows.speakers[1].care = care(77);
    let told = Registry::build(1, &rows).expect_err("one card in two boxes");
    assert!(
        told[0]
            .to_string()
            .contains("is the card of another speaker too"),
        "{told:?}"
    );
}

/// The sample with one of everything that stands beside the columns.
pub fn whole() -> Rows {
    let mut rows = sample();
    let alias = |code_: &str, old: Option<&str>, name: &str| AliasRow {
        code: code(code_),
        old: old.map(code),
        name: name.to_owned(),
    };
    rows.aliases = vec![
        alias("510727219201", Some("510727217201"), ""),
        alias("510727219200", Some("510727217201"), ""),
        alias("510727219201", None, "牛飞"),
    ];
    rows.groups = vec![GroupRow {
        village: code("510727219200"),
        group: 2,
        name: "上社".to_owned(),
    }];
    rows.tags = vec![TagRow {
        bit: 4,
        name: "steep-slope".to_owned(),
        title: "陡坡".to_owned(),
    }];
    rows.speakers[0].care = care(77);
    rows.regions[3].tags = Tags(1 << 4);
    rows.regions[3].revision = 2023;
    rows.units = vec![UnitRow {
        id: 5,
        village: code("510727219201"),
        name: "合成小学".to_owned(),
        heads: 86,
        tags: Tags::SCHOOL,
        lat: None,
        lon: None,
    }];
    rows.zones = vec![ZoneRow {
        id: 30,
        code: "sh-014".to_owned(),
        version: 2,
        name: "合成危险区".to_owned(),
        tags: Tags::DANGER_ZONE,
        outline: vec![(32.0, 104.0), (32.0, 104.1), (32.1, 104.0)],
    }];
    rows.members = [
        ZoneMember::Unit(5),
        ZoneMember::Household(40),
        ZoneMember::Group(GroupCode {
            village: code("510727219200"),
            group: 1,
        }),
        ZoneMember::Region(code("510727100202")),
    ]
    .map(|member| MemberRow { zone: 30, member })
    .to_vec();
    rows.relations = vec![RelationRow {
        household: 90,
        recipient: 13,
        kind: RelationKind::Neighbour,
    }];
    (rows.households[1].lat, rows.households[1].lon) = (Some(32.123_456_7), Some(-104.5));
    rows
}

#[test]
fn a_village_is_named_with_its_town() {
    let registry = Registry::build(1, &sample()).expect("sound rows");
    assert_eq!(registry.full_name(code("510727219200")), "平通·新桥村");
    assert_eq!(registry.full_name(code("510727100201")), "龙安·新桥村");
    assert_eq!(registry.full_name(code("510727219")), "平通羌族乡");
    assert_eq!(registry.full_name(code("510726")), "510726000000");
}

#[test]
fn a_short_name_that_two_towns_share_is_not_used() {
    let mut rows = sample();
    rows.regions[4].name = "平通镇".to_owned();
    let registry = Registry::build(1, &rows).expect("sound rows");
    assert_eq!(
        registry.full_name(code("510727219200")),
        "平通羌族乡·新桥村"
    );
    assert_eq!(registry.full_name(code("510727100201")), "平通镇·新桥村");
}

#[test]
fn households_stand_by_village_group_and_id() {
    let registry = Registry::build(3, &sample()).expect("sound rows");
    assert_eq!(registry.generation(), 3);
    assert_eq!(registry.households_under(code("51")), [3, 7, 40, 90]);
    assert_eq!(registry.households_under(code("510727219")), [7, 40, 90]);
    assert!(registry.households_under(code("510727219201")).is_empty());
    let household = registry.household(90).expect("it is there");
    assert_eq!(household.village, code("510727219200"));
    assert_eq!((household.group, household.tags), (2, Tags::LIVES_ALONE));
    assert_eq!(household.name, "合成户90");
    assert!(registry.household(91).is_none());
}

#[test]
fn people_endpoints_and_posts_are_found_from_either_side() {
    let registry = Registry::build(1, &sample()).expect("sound rows");
    assert_eq!(registry.recipients_of(90), [12, 500]);
    assert!(registry.recipients_of(7).is_empty());
    assert_eq!(registry.endpoints_of(12).collect::<Vec<_>>(), [6, 8]);
    assert_eq!(registry.endpoints_of(500).count(), 0);
    let mobile = registry.endpoint(8).expect("it is there");
    assert_eq!((mobile.recipient, mobile.village), (Some(12), None));
    assert_eq!(mobile.address, "00012345678");
    assert_eq!(registry.recipient(1).expect("an officer").household, None);
    assert_eq!(registry.recipient(500).expect("a person").language, "zh-CN");
    assert_eq!(registry.recipient(13).expect("a person").language, "en-US");
    let roles = |region| -> Vec<_> {
        let posts = registry.officers_at(code(region));
        posts.iter().map(|post| post.role.clone()).collect()
    };
    assert_eq!(roles("510727219200"), [Role::POST_A, Role::POST_B]);
    assert_eq!(roles("510727219"), [Role::DUTY]);
    assert!(roles("510727").is_empty());
}

#[test]
fn speakers_know_their_village_and_who_hears_them() {
    let registry = Registry::build(1, &sample()).expect("sound rows");
    assert_eq!(registry.speakers_under(code("510727")), [70, 77]);
    assert_eq!(registry.speakers_under(code("510727219200")), [77]);
    assert_eq!(registry.hearing(77), [7, 90]);
    assert!(registry.hearing(70).is_empty());
    assert!(registry.hearing(8).is_empty());
    let speaker = registry.endpoint(77).expect("it is there");
    assert_eq!(speaker.village, Some(code("510727219200")));
    assert_eq!(
        (speaker.recipient, speaker.name),
        (None, Some("合成喇叭-1"))
    );
}

#[test]
fn children_are_the_next_level_of_the_table() {
    let registry = Registry::build(1, &sample()).expect("sound rows");
    assert_eq!(
        registry.children(code("510727")),
        [code("510727100"), code("510727219")]
    );
    assert_eq!(registry.children(code("51")), [code("510727")]);
    assert!(registry.children(code("510727219200")).is_empty());
    assert_eq!(registry.point(code("510727")), Some((32.4, 104.5)));
    assert_eq!(registry.point(code("510727219")), None);
    assert!(!registry.contains(code("51")));
}

#[test]
fn an_empty_registry_answers_nothing() {
    let registry = Registry::build(0, &Rows::default()).expect("sound rows");
    assert!(registry.households_under(code("51")).is_empty());
    assert!(registry.speakers_under(code("51")).is_empty());
    assert_eq!(registry.counts(), super::Counts::default());
}

#[test]
fn every_problem_is_told_at_once_without_names_or_addresses() {
    let mut rows = sample();
    rows.regions.remove(4); // 龙安镇, whose villages stay
    rows.households[0].village = code("510727219");
    rows.households[1].id = 40;
    rows.recipients[2].household = Some(4_000);
    rows.recipients[3].id = 12;
    rows.posts[2].place = PostPlace::Region(code("510728"));
    rows.endpoints[1].address = "13800".to_owned();
    rows.endpoints[2].recipient = None;
    rows.endpoints[3].recipient = Some(9_999);
    rows.speakers.remove(1);
    rows.hearing[0].speaker = 8;
    rows.hearing[1].household = 4_001;
    let problems = Registry::build(1, &rows).expect_err("a dozen problems");
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    for expected in [
        "regions, row 510727100201, column code: lies in 510727100000, which is not in the table",
        "regions, row 510727100202, column code: lies in 510727100000",
        "households, row 90, column village: is put into 510727219000, which is no village",
        "households, row 40, column id: occurs more than once",
        "recipients, row 13, column household: names household 4000, which does not exist",
        "recipients, row 12, column id: occurs more than once",
        "posts, row 1, column recipient: names recipient 1, which does not exist",
        "posts, row 1, column region: names 510728000000, which is not a region here",
        "endpoints, row 8, column address: has no mobile number; give 11 digits",
        "endpoints, row 6, column recipient: belongs to nobody",
        "endpoints, row 9, column recipient: names recipient 9999, which does not exist",
        "endpoints, row 70, column id: is a speaker without village",
        "hearing, row 8/90, column speaker: names speaker 8, which does not exist",
        "hearing, row 77/4001, column household: names household 4001, which does not exist",
    ] {
        let hits = told.iter().filter(|told| told.starts_with(expected));
        assert!(hits.count() >= 1, "{expected} is not among {told:#?}");
    }
    let all = told.join("\n");
    for personal in ["合成", "13800", "0816", "demo.invalid"] {
        assert!(!all.contains(personal), "{personal} in {all}");
    }
}

#[test]
fn what_zones_posts_and_neighbours_name_has_to_exist() {
    let mut rows = whole();
    rows.aliases[0].old = Some(code("510727219200"));
    rows.aliases[1].code = code("510727219209");
    rows.groups[0].village = code("510727219");
    let tag = |bit, name: &str| TagRow {
        bit,
        name: name.to_owned(),
        title: String::new(),
    };
    rows.tags
        .extend([tag(4, "other"), tag(3, "own"), tag(6, "school")]);
    rows.units[0].village = code("510727219209");
    rows.members[0].member = ZoneMember::Unit(6);
    rows.members[1].member = ZoneMember::Household(41);
    rows.members[2].member = ZoneMember::Group(GroupCode {
        village: code("510727219200"),
        group: 9,
    });
    rows.members[3].zone = 31;
    rows.zones.push(rows.zones[0].clone());
    rows.posts[0].place = PostPlace::Unit(6);
    rows.posts[1].place = PostPlace::Zone(31);
    rows.relations[0].household = 91;
    rows.households[0].lat = Some(1.0);
    let problems = Registry::build(1, &rows).expect_err("many problems");
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let begins = [
        "aliases, row 510727219201, column old: says that 510727219200 is old",
        "aliases, row 510727219209, column code: is another name of 510727219209",
        "groups, row 510727219000/2, column village: is put into 510727219000",
        "tags, row 4, column bit: is the bit of another tag",
        "tags, row 3, column bit: is no bit of a registry's own",
        "tags, row 6, column name: is the name of another tag",
        "households, row 90, column lat: has no sound point",
        "units, row 5, column village: is put into 510727219209",
        "zones, row 30, column id: occurs more than once",
        "zones, row 30, column code: occurs more than once",
        "zone-members, row 30, column unit: names unit 6",
        "zone-members, row 30, column household: names household 41",
        "zone-members, row 30, column region: names group 9 of 510727219200",
        "zone-members, row 31, column zone: names zone 31",
        "posts, row 1, column unit: names unit 6",
        "posts, row 1, column zone: names zone 31",
        "relations, row 91/13, column household: names household 91",
    ];
    for expected in begins {
        assert!(
            told.iter().any(|told| told.starts_with(expected)),
            "{expected} is not among {told:#?}"
        );
    }
    assert_eq!(told.len(), begins.len(), "{told:#?}");
}

#[test]
fn trees_that_leave_a_level_out_are_sound_and_answer_alike() {
    let tree = |codes: &[&str]| {
        let regions = codes.iter().map(|text| RegionRow {
            code: code(text),
            name: format!("地{text}"),
            lat: None,
            lon: None,
            revision: 2023,
            tags: Tags::default(),
        });
        let rows = Rows {
            regions: regions.collect(),
            ..Rows::default()
        };
        Registry::build(1, &rows).unwrap_or_else(|problems| panic!("{problems:?}"))
    };
    // A county-level city directly under its province (仙桃), and a city whose towns have no county (东莞).
    let xiantao = tree(&["42", "429004", "429004001", "429004001002"]);
    assert_eq!(xiantao.children(code("42")), [code("429004")]);
    assert_eq!(xiantao.villages_under(code("42")), [code("429004001002")]);
    let dongguan = tree(&["44", "4419", "441900003", "441900003001"]);
    assert_eq!(dongguan.children(code("4419")), [code("441900003")]);
    assert_eq!(dongguan.children(code("44")), [code("4419")]);
    assert_eq!(
        dongguan.villages_under(code("4419")),
        [code("441900003001")]
    );
    assert_eq!(
        dongguan.full_name(code("441900003001")),
        "地441900003·地441900003001"
    );
}

#[test]
fn an_address_needs_the_shape_of_its_kind() {
    let shapes = [
        (EndpointKind::Mobile, "00012345678", true),
        (EndpointKind::Mobile, "+8600012345678", true),
        (EndpointKind::Mobile, "0001234567", false),
        (EndpointKind::Mobile, "000 1234567", false),
        (EndpointKind::Landline, "0816-0123456", true),
        (EndpointKind::Landline, "08160123456", true),
        (EndpointKind::Landline, "0816-", false),
        (EndpointKind::Mailbox, "a@demo.invalid", true),
        (EndpointKind::Mailbox, "a@b@demo.invalid", false),
        (EndpointKind::Mailbox, "a@demo.invalid\r\n", false),
        (EndpointKind::Satellite, "17400000001", true),
        (EndpointKind::Satellite, "+8817400000001", true),
        (EndpointKind::Satellite, "0001-2345", false),
        (EndpointKind::Satellite, "0001234", false),
        (EndpointKind::Beidou, "0001234", true),
        (EndpointKind::Beidou, "+0001234", false),
        (EndpointKind::Beidou, "17400000001", false),
        (EndpointKind::Openid, "o-demo_1", true),
        (EndpointKind::Openid, "", false),
        (EndpointKind::Member, "demo-officer.1@x", true),
        (EndpointKind::Member, "@all", false),
        (EndpointKind::Member, "a|b", false),
        (EndpointKind::Group, "值班群", true),
        (EndpointKind::Group, "two words", false),
        (EndpointKind::Manual, "tv:pingwu-1", true),
        (EndpointKind::Manual, "radio370:217", true),
        (EndpointKind::Manual, "tv", false),
        (EndpointKind::Manual, "tv:张三", false),
        (EndpointKind::Manual, "tv:a/b", false),
    ];
    for (kind, address, sound) in shapes {
        let mut rows = sample();
        rows.endpoints[1].kind = kind;
        rows.endpoints[1].address = address.to_owned();
        if kind == EndpointKind::Group {
            rows.endpoints[1].recipient = Some(1);
        }
        let built = Registry::build(1, &rows);
        assert_eq!(built.is_ok(), sound, "{kind:?} {address:?}");
        if let Err(problems) = built {
            assert_eq!(problems[0].table, Table::Endpoints);
        }
    }
}

#[test]
fn a_group_belongs_to_somebody_with_a_post() {
    let mut rows = sample();
    rows.endpoints[1].kind = EndpointKind::Group;
    rows.endpoints[1].address = "值班群".to_owned();
    let problems = Registry::build(1, &rows).expect_err("it is a villager's");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].table, Table::Endpoints);
    assert!(
        problems[0].what.contains("nobody with a post"),
        "{}",
        problems[0].what
    );
}

#[test]
fn debug_texts_show_no_person() {
    let registry = Registry::build(1, &sample()).expect("sound rows");
    let shown = format!(
        "{registry:?} {:?} {:?} {:?}",
        registry.household(90),
        registry.recipient(12),
        registry.endpoint(8)
    );
    for personal in ["合成", "00012345678"] {
        assert!(!shown.contains(personal), "{shown}");
    }
}

/// Sound rows over the sample's regions, with sparse ids in any order.
pub fn sound_rows() -> impl Strategy<Value = Rows> {
    let villages = [
        "510727219200",
        "510727219201",
        "510727100201",
        "510727100202",
    ];
    let homes = prop::collection::btree_map(any::<u32>(), (0..4_usize, 0..5_u8, 0..16_u32), 0..25);
    let people = prop::collection::btree_map(any::<u32>(), (any::<Option<u8>>(), ".{0,12}"), 0..30);
    let phones = prop::collection::btree_map(0..OWN_ENDPOINTS, any::<(u8, bool)>(), 0..40);
    let heard = prop::collection::btree_set(any::<(u8, u8)>(), 0..30);
    let drawn = (homes, people, phones, heard, any::<u64>());
    drawn.prop_map(move |(homes, people, phones, heard, seed)| {
        let mut rows = Rows {
            regions: sample().regions,
            ..Rows::default()
        };
        for (id, (village, group, tags)) in homes {
            rows.households.push(HouseholdRow {
                id,
                village: code(villages[village]),
                group,
                name: format!("户,\"{id}\"\n"),
                presence: PresenceAtHome::Returned,
                tags: Tags(tags),
                lat: None,
                lon: None,
            });
        }
        for (id, (home, name)) in people {
            let count = rows.households.len();
            let home = home
                .filter(|_| count > 0)
                .map(|home| usize::from(home) % count);
            rows.recipients.push(RecipientRow {
                id,
                household: home.map(|home| rows.households[home].id),
                name,
                language: format!("l{}", id % 3),
            });
        }
        for (id, (owner, speaker)) in phones {
            add_endpoint(&mut rows, id, usize::from(owner), speaker);
        }
        for (speaker, household) in heard {
            let (speakers, homes) = (rows.speakers.len(), rows.households.len());
            if speakers > 0 && homes > 0 {
                let row = HearingRow {
                    speaker: rows.speakers[usize::from(speaker) % speakers].endpoint,
                    household: rows.households[usize::from(household) % homes].id,
                };
                if !rows.hearing.contains(&row) {
                    rows.hearing.push(row);
                }
            }
        }
        let mut rng = fastrand::Rng::with_seed(seed);
        rng.shuffle(&mut rows.regions);
        rng.shuffle(&mut rows.households);
        rng.shuffle(&mut rows.recipients);
        rng.shuffle(&mut rows.endpoints);
        rng.shuffle(&mut rows.hearing);
        rows
    })
}

fn add_endpoint(rows: &mut Rows, id: u32, owner: usize, speaker: bool) {
    let people = rows.recipients.len();
    if speaker || people == 0 {
        let village = rows.regions.iter().map(|region| region.code);
        let mut villages = village.filter(|code| code.level() == RegionLevel::Village);
        rows.speakers.push(SpeakerRow {
            endpoint: id,
            village: villages.nth(owner % 4).expect("four villages"),
            name: format!("喇叭 {id}"),
            care: if id.is_multiple_of(3) {
                Care::default()
            } else {
                care(id)
            },
        });
    } else {
        rows.posts.push(PostRow {
            recipient: rows.recipients[owner % people].id,
            place: PostPlace::Region(rows.regions[id as usize % 7].code),
            role: Role::POST_B,
        });
        rows.posts.dedup();
    }
    let personal = !speaker && people > 0;
    rows.endpoints.push(EndpointRow {
        id,
        recipient: personal.then(|| rows.recipients[owner % people].id),
        kind: if personal {
            EndpointKind::Mobile
        } else {
            EndpointKind::Speaker
        },
        address: if personal {
            format!("+00{id:010}")
        } else {
            format!("S{id}")
        },
    });
}

proptest! {
    #[test]
    fn lookups_equal_the_naive_search(mut rows in sound_rows()) {
        rows.posts.sort_by_key(|post| (post.place, post.role.clone(), post.recipient));
        rows.posts.dedup();
        let registry = Registry::build(1, &rows).expect("sound rows");
        for region in rows.regions.iter().map(|region| region.code).chain([code("51"), code("52")]) {
            let mut homes: Vec<_> = rows.households.iter().filter(|home| region.covers(home.village)).collect();
            homes.sort_by_key(|home| (home.village, home.group, home.id));
            let homes: Vec<_> = homes.into_iter().map(|home| home.id).collect();
            prop_assert_eq!(registry.households_under(region), homes);
            let mut speakers: Vec<_> = rows.speakers.iter().filter(|speaker| region.covers(speaker.village)).collect();
            speakers.sort_by_key(|speaker| (speaker.village, speaker.endpoint));
            let speakers: Vec<_> = speakers.into_iter().map(|speaker| speaker.endpoint).collect();
            prop_assert_eq!(registry.speakers_under(region), speakers);
            let posts: Vec<_> = rows.posts.iter().filter(|post| post.place == PostPlace::Region(region)).cloned().collect();
            prop_assert_eq!(registry.officers_at(region), posts);
        }
        for home in &rows.households {
            let found = registry.household(home.id).expect("it is there");
            prop_assert_eq!((found.village, found.group, found.name), (home.village, home.group, home.name.as_str()));
            prop_assert_eq!((found.tags, found.presence), (home.tags, home.presence));
            let mut people: Vec<_> = rows.recipients.iter().filter(|one| one.household == Some(home.id)).map(|one| one.id).collect();
            people.sort_unstable();
            prop_assert_eq!(registry.recipients_of(home.id), people);
        }
        for one in &rows.recipients {
            let found = registry.recipient(one.id).expect("it is there");
            prop_assert_eq!((found.household, found.name, found.language), (one.household, one.name.as_str(), one.language.as_str()));
            let mut endpoints: Vec<_> = rows.endpoints.iter().filter(|end| end.recipient == Some(one.id)).map(|end| end.id).collect();
            endpoints.sort_unstable();
            prop_assert_eq!(registry.endpoints_of(one.id).collect::<Vec<_>>(), endpoints);
        }
        for end in &rows.endpoints {
            let found = registry.endpoint(end.id).expect("it is there");
            prop_assert_eq!((found.kind, found.address, found.recipient), (end.kind, end.address.as_str(), end.recipient));
            let village = rows.speakers.iter().find(|speaker| speaker.endpoint == end.id).map(|speaker| speaker.village);
            prop_assert_eq!(found.village, village);
            let mut heard: Vec<_> = rows.hearing.iter().filter(|row| row.speaker == end.id).map(|row| row.household).collect();
            heard.sort_unstable();
            prop_assert_eq!(registry.hearing(end.id), heard);
        }
        let counts = registry.counts();
        prop_assert_eq!(counts.endpoints(), rows.endpoints.len());
        prop_assert_eq!(counts.recipients, rows.recipients.len());
        prop_assert_eq!(counts.people, rows.recipients.iter().filter(|one| one.household.is_some()).count());
    }
}
