//! The file against the rows that it was given: every word and column, a save that breaks off, damage, and the way from
//! format 1.

use super::*;
use crate::model::{
    AliasRow, Care, ClosedRow, EndpointKind, EndpointRow, GroupCode, GroupRow, HearingRow,
    HouseholdRow, MemberRow, PostPlace, PostRow, PresenceAtHome, RecipientRow, RegionCode,
    RegionRow, RelationKind, RelationRow, Role, SpeakerRow, TagRow, Tags, UnitRow, ZoneMember,
    ZoneRow,
};

const PRESENCES: [PresenceAtHome; 4] = [
    PresenceAtHome::Home,
    PresenceAtHome::Away,
    PresenceAtHome::Returned,
    PresenceAtHome::Resident,
];
const KINDS: [EndpointKind; 6] = [
    EndpointKind::Mobile,
    EndpointKind::Landline,
    EndpointKind::Satellite,
    EndpointKind::Mailbox,
    EndpointKind::Openid,
    EndpointKind::Speaker,
];

fn open(path: &Path) -> Result<RegistryFile, StoreError> {
    RegistryFile::open(path, Vault::default())
}

/// Every word there is, ids not in order, an empty text and empty cells.
fn rows(households: u32) -> Rows {
    let village: RegionCode = "510727219200".parse().expect("a code");
    Rows {
        regions: vec![RegionRow {
            code: village,
            name: "新桥村".to_owned(),
            lat: Some(32.123_456_789),
            lon: None,
            revision: 0,
            tags: Tags::default(),
        }],
        households: (0..households)
            .rev()
            .map(|id| HouseholdRow {
                id,
                village,
                group: 255,
                name: format!("合成户{id}"),
                presence: PRESENCES[id as usize % 4],
                tags: Tags(u32::MAX - id),
                lat: (id % 2 == 0).then_some(32.5),
                lon: (id % 2 == 0).then_some(-104.25),
            })
            .collect(),
        recipients: (0..3 * households)
            .map(|id| RecipientRow {
                id: u32::MAX - id,
                household: (id % 7 > 0).then_some(id / 3),
                name: String::new(),
                language: "zh-CN".to_owned(),
            })
            .collect(),
        posts: [
            (PostPlace::Region(village), Role::POST_A),
            (
                PostPlace::Group(GroupCode { village, group: 7 }),
                Role::POST_B,
            ),
            (PostPlace::Unit(6), Role::DUTY),
            (
                PostPlace::Zone(3),
                Role::named("zone-keeper").expect("a role"),
            ),
        ]
        .map(|(place, role)| PostRow {
            recipient: 5,
            place,
            role,
        })
        .to_vec(),
        endpoints: (0..2 * households)
            .map(|id| EndpointRow {
                id,
                recipient: (id % 6 < 5).then_some(id),
                kind: KINDS[id as usize % 6],
                address: format!("000{id:08}"),
            })
            .collect(),
        speakers: vec![SpeakerRow {
            endpoint: 5,
            village,
            name: "合成喇叭".to_owned(),
            care: care(),
        }],
        hearing: vec![HearingRow {
            speaker: 5,
            household: 0,
        }],
        ..beside(village)
    }
}

fn care() -> Care {
    Care {
        keeper: "合成管护员".to_owned(),
        phone: "00012345678".to_owned(),
        sim: "0001234567890".to_owned(),
        sim_expires: Some("2027-03-31".parse().expect("a day")),
        power: Some(channel::Power::Battery),
        hours: Some(8),
        volume: Some(70),
        maker: "合成厂".to_owned(),
        lat: Some(32.5),
        lon: Some(104.5),
    }
}

/// What stands beside households and people.
fn beside(village: RegionCode) -> Rows {
    Rows {
        aliases: vec![
            AliasRow {
                code: village,
                old: None,
                name: "新桥".to_owned(),
            },
            AliasRow {
                code: village,
                old: Some("510727217201".parse().expect("a code")),
                name: String::new(),
            },
        ],
        groups: vec![GroupRow {
            village,
            group: 255,
            name: "上社".to_owned(),
        }],
        tags: vec![TagRow {
            bit: 31,
            name: "steep-slope".to_owned(),
            title: "陡坡".to_owned(),
        }],
        units: vec![UnitRow {
            id: 6,
            village,
            name: "合成小学".to_owned(),
            heads: u32::MAX,
            tags: Tags::SCHOOL,
            lat: None,
            lon: Some(-180.0),
        }],
        zones: vec![ZoneRow {
            id: 3,
            code: "sh-014".to_owned(),
            version: 2,
            name: "合成危险区".to_owned(),
            tags: Tags(u32::MAX),
            outline: vec![(32.123_456_789, -104.1), (32.0, 104.0), (-1e-7, 0.0)],
        }],
        members: [
            ZoneMember::Region(village),
            ZoneMember::Group(GroupCode { village, group: 3 }),
            ZoneMember::Household(u32::MAX),
            ZoneMember::Unit(6),
        ]
        .map(|member| MemberRow { zone: 3, member })
        .to_vec(),
        relations: vec![
            RelationRow {
                household: 1,
                recipient: 2,
                kind: RelationKind::Relative,
            },
            RelationRow {
                household: 1,
                recipient: 3,
                kind: RelationKind::Neighbour,
            },
        ],
        closed: vec![ClosedRow {
            id: 90_000,
            recipient: Some(7),
            kind: EndpointKind::Mobile,
            address: "00099999999".to_owned(),
            generation: 2,
        }],
        ..Rows::default()
    }
}

#[test]
fn what_was_saved_is_loaded_after_the_file_was_closed() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let mut file = open(&path).expect("opened");
    assert!(file.load().expect("loaded").is_none());
    file.save(7, &rows(24)).expect("saved");
    drop(file);
    let file = open(&path).expect("opened");
    assert_eq!(file.load().expect("loaded"), Some((7, rows(24))));
}

#[test]
fn a_save_replaces_everything_and_leaves_no_trace_in_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let mut file = open(&path).expect("opened");
    let mut first = rows(24);
    first.households[3].name = "to-be-forgotten".to_owned();
    file.save(1, &first).expect("saved");
    file.save(2, &rows(12)).expect("saved");
    assert_eq!(file.load().expect("loaded"), Some((2, rows(12))));
    for kept in std::fs::read_dir(dir.path()).expect("a folder") {
        let bytes = std::fs::read(kept.expect("a file").path()).expect("read");
        assert!(!bytes.windows(15).any(|text| text == b"to-be-forgotten"));
    }
}

#[test]
fn a_save_that_breaks_off_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let mut file = open(&path).expect("opened");
    file.save(1, &rows(12)).expect("saved");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON endpoints WHEN new.id=9 BEGIN SELECT RAISE(ABORT, 'no'); END";
    file.connection.execute_batch(refuse).expect("a trigger");
    let error = file.save(2, &rows(24)).expect_err("refused");
    assert!(matches!(error, StoreError::Away(SAVE, _)), "{error}");
    assert_eq!(file.load().expect("loaded"), Some((1, rows(12))));
}

#[test]
fn a_damaged_cell_is_told_without_its_text() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let mut file = open(&path).expect("opened");
    for damage in [
        "UPDATE households SET presence='secret' WHERE id=3",
        "UPDATE regions SET code=5",
        "UPDATE households SET grp=256",
        "UPDATE posts SET kind='secret'",
        "UPDATE members SET kind='secret'",
    ] {
        file.save(1, &rows(12)).expect("saved");
        file.connection.execute_batch(damage).expect("damaged");
        let error = file.load().expect_err("damaged");
        assert!(matches!(error, StoreError::Broken(LOAD, _)), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn a_file_of_a_newer_format_or_of_another_kind_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let file = open(&path).expect("opened");
    file.connection
        .pragma_update(None, "user_version", schema::FORMAT + 1)
        .expect("set");
    drop(file);
    let error = open(&path).err().expect("refused");
    assert!(error.to_string().contains("newer"), "{error}");
    let other = dir.path().join("other");
    std::fs::write(
        &other,
        "not a database at all, whatever its name says".repeat(40),
    )
    .expect("written");
    let error = open(&other).err().expect("refused");
    assert!(matches!(error, StoreError::Broken(OPEN, _)), "{error}");
}

#[test]
fn sixty_thousand_households_are_saved_and_loaded_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut file = open(&dir.path().join("registry.sqlite")).expect("opened");
    let county = rows(60_000);
    file.save(1, &county).expect("saved");
    let (_, loaded) = file.load().expect("loaded").expect("one generation");
    assert!(
        loaded == county,
        "sixty thousand households came back changed"
    );
}

/// Tables and rows as format 1 wrote them.
const FORMAT_1: &str = "
CREATE TABLE generation(one INTEGER PRIMARY KEY CHECK(one=1), number INTEGER NOT NULL) STRICT;
CREATE TABLE regions(code INTEGER NOT NULL, name TEXT NOT NULL, lat REAL, lon REAL) STRICT;
CREATE TABLE households(
  id INTEGER NOT NULL, village INTEGER NOT NULL, grp INTEGER NOT NULL, name TEXT NOT NULL,
  presence TEXT NOT NULL, tags INTEGER NOT NULL) STRICT;
CREATE TABLE recipients(
  id INTEGER NOT NULL, household INTEGER, name TEXT NOT NULL, language TEXT NOT NULL) STRICT;
CREATE TABLE posts(recipient INTEGER NOT NULL, region INTEGER NOT NULL, role TEXT NOT NULL) STRICT;
CREATE TABLE endpoints(id INTEGER NOT NULL, recipient INTEGER, kind TEXT NOT NULL, address TEXT NOT NULL) STRICT;
CREATE TABLE speakers(endpoint INTEGER NOT NULL, village INTEGER NOT NULL, name TEXT NOT NULL) STRICT;
CREATE TABLE hearing(speaker INTEGER NOT NULL, household INTEGER NOT NULL) STRICT;
INSERT INTO generation VALUES(1, 9);
INSERT INTO regions VALUES(510727219200, '新桥村', 32.5, 104.5);
INSERT INTO households VALUES(8, 510727219200, 2, '合成户8', 'away', 5), (3, 510727219200, 0, '', 'home', 0);
INSERT INTO recipients VALUES(4, 8, '合成-4', 'zh-CN'), (2, NULL, '', 'en-US');
INSERT INTO posts VALUES(2, 510727219200, 'post-a');
INSERT INTO endpoints VALUES(11, 4, 'mobile', '00012345678'), (10, NULL, 'speaker', 'S-1');
INSERT INTO speakers VALUES(10, 510727219200, '合成喇叭');
INSERT INTO hearing VALUES(10, 8);
PRAGMA user_version=1;
";

#[test]
fn a_file_of_format_1_becomes_one_of_today_with_every_row() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let old = Connection::open(&path).expect("opened");
    old.execute_batch(FORMAT_1).expect("written");
    drop(old);
    for _ in 0..2 {
        let file = open(&path).expect("opened");
        let (generation, rows) = file.load().expect("loaded").expect("a generation");
        assert_eq!(generation, 9);
        let homes: Vec<_> = rows
            .households
            .iter()
            .map(|row| (row.id, row.name.as_str(), row.tags))
            .collect();
        assert_eq!(homes, [(8, "合成户8", Tags(5)), (3, "", Tags(0))]);
        assert_eq!(rows.households[0].presence, PresenceAtHome::Away);
        assert_eq!(
            (rows.regions[0].lat, rows.regions[0].revision),
            (Some(32.5), 0)
        );
        let people: Vec<_> = rows
            .recipients
            .iter()
            .map(|row| (row.id, row.household, row.name.as_str()))
            .collect();
        assert_eq!(people, [(4, Some(8), "合成-4"), (2, None, "")]);
        let place = PostPlace::Region(rows.regions[0].code);
        assert_eq!(
            (rows.posts[0].place, &rows.posts[0].role),
            (place, &Role::POST_A)
        );
        let ways: Vec<_> = rows
            .endpoints
            .iter()
            .map(|row| (row.id, row.kind, row.address.as_str()))
            .collect();
        assert_eq!(
            ways,
            [
                (11, EndpointKind::Mobile, "00012345678"),
                (10, EndpointKind::Speaker, "S-1")
            ]
        );
        assert_eq!(
            (rows.speakers[0].name.as_str(), rows.hearing[0].household),
            ("合成喇叭", 8)
        );
    }
}

#[test]
fn a_file_of_format_2_knows_nothing_of_its_speakers_boxes_and_loses_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let mut file = open(&path).expect("opened");
    file.save(3, &rows(2)).expect("saved");
    drop(file);
    // As format 2 had them.
    let old = Connection::open(&path).expect("opened");
    old.execute_batch(
        "CREATE TABLE kept(endpoint INTEGER NOT NULL, village INTEGER NOT NULL, name BLOB NOT NULL) STRICT;
         INSERT INTO kept SELECT endpoint, village, name FROM speakers;
         DROP TABLE speakers; ALTER TABLE kept RENAME TO speakers; PRAGMA user_version=2;",
    )
    .expect("written");
    drop(old);
    for _ in 0..2 {
        let file = open(&path).expect("opened");
        let (_, loaded) = file.load().expect("loaded").expect("a generation");
        let mut expected = rows(2);
        expected.speakers[0].care = Care::default();
        assert!(loaded == expected);
    }
}

fn bytes_of(dir: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(dir).expect("a folder");
    files
        .flat_map(|file| std::fs::read(file.expect("a file").path()).expect("read"))
        .collect()
}

#[test]
fn with_a_key_no_name_and_no_number_stands_in_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let vault = || Vault::with_key([3; 32]);
    let mut file = open(&path).expect("opened");
    file.save(1, &rows(12)).expect("saved");
    drop(file);
    let found = |text: &str| {
        let bytes = bytes_of(dir.path());
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    let personal = [
        "合成户3",
        "合成喇叭",
        "合成小学",
        "00000000003",
        "00099999999",
    ];
    assert!(
        personal.iter().all(|text| found(text)),
        "plain without a key"
    );
    let mut file = RegistryFile::open(&path, vault()).expect("opened");
    assert_eq!(
        file.load().expect("loaded"),
        Some((1, rows(12))),
        "plain fields are read"
    );
    file.save(2, &rows(12)).expect("saved");
    assert_eq!(file.load().expect("loaded"), Some((2, rows(12))));
    drop(file);
    assert!(
        !personal.iter().any(|text| found(text)),
        "encrypted with a key"
    );
    let locked = open(&path).expect("opened").load().expect_err("no key");
    let told = locked.to_string();
    assert!(matches!(locked, StoreError::Locked(..)), "{told}");
    assert!(told.contains("node.registry_key_file"), "{told}");
}

#[test]
fn a_number_that_was_put_at_another_row_is_noticed_by_its_place() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let mut file = RegistryFile::open(&path, Vault::with_key([3; 32])).expect("opened");
    file.save(1, &rows(12)).expect("saved");
    let moved =
        "UPDATE endpoints SET address=(SELECT address FROM endpoints WHERE id=2) WHERE id=3";
    file.connection.execute_batch(moved).expect("moved");
    let told = file.load().expect_err("moved").to_string();
    assert!(
        told.contains("endpoints 3, address: it was changed, or put where another stood"),
        "{told}"
    );
    assert!(!told.contains("000"), "{told}");
}

#[test]
fn the_rows_of_one_number_have_one_index_and_others_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let mut file = RegistryFile::open(&path, Vault::with_key([3; 32])).expect("opened");
    let mut twice = rows(12);
    twice.endpoints[7].address = twice.endpoints[1].address.clone();
    file.save(1, &twice).expect("saved");
    let seek = file
        .vault
        .index("endpoints", "address", &twice.endpoints[1].address);
    let count = "SELECT count(*) FROM endpoints WHERE seek=?1";
    let count: u32 = file
        .connection
        .query_row(count, [seek.expect("a key").as_slice()], |row| row.get(0))
        .expect("counted");
    assert_eq!(count, 2);
}

#[test]
fn an_erased_address_is_gone_from_the_file_and_its_id_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("registry.sqlite");
    let mut file = open(&path).expect("opened");
    file.save(1, &rows(12)).expect("saved");
    file.erase(&[90_000]).expect("erased");
    let (_, rows) = file.load().expect("loaded").expect("a generation");
    let closed = &rows.closed[0];
    assert_eq!(
        (closed.id, closed.address.as_str(), closed.recipient),
        (90_000, "", None)
    );
    drop(file);
    assert!(
        !bytes_of(dir.path())
            .windows(11)
            .any(|text| text == b"00099999999")
    );
}
