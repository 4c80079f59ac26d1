//! Files there and back, and every way in which a file can be wrong.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::model::Care;
use crate::registry::tests::{sample, sound_rows, whole};

fn read(dir: &Path) -> Result<Rows, Vec<Problem>> {
    let draft = Files::of_dir(dir)?.read(&TagNames::default());
    if draft.problems.is_empty() {
        Ok(draft.rows)
    } else {
        Err(draft.problems)
    }
}

fn told(dir: &Path) -> Vec<String> {
    let problems = read(dir).expect_err("problems");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_was_written_is_read_again() {
    let dir = tempfile::tempdir().expect("a folder");
    write_dir(&whole(), dir.path()).expect("written");
    assert_eq!(read(dir.path()).expect("read"), whole());
}

#[test]
fn columns_may_stand_in_any_order_behind_a_byte_order_mark() {
    let dir = tempfile::tempdir().expect("a folder");
    write_dir(&sample(), dir.path()).expect("written");
    let text = "\u{feff}note,household,speaker\r\n\"a, b\",90,77\r\n,7,77\r\n";
    fs::write(dir.path().join("hearing.csv"), text).expect("written");
    assert_eq!(read(dir.path()).expect("read"), sample());
}

#[test]
fn speakers_of_before_have_three_columns_and_nothing_is_known_about_their_boxes() {
    let dir = tempfile::tempdir().expect("a folder");
    write_dir(&whole(), dir.path()).expect("written");
    let text = "endpoint,village,name\n77,510727219200,合成喇叭-1\n";
    fs::write(dir.path().join("speakers.csv"), text).expect("written");
    let rows = read(dir.path()).expect("read");
    assert_eq!(rows.speakers.len(), 1);
    assert_eq!(rows.speakers[0].care, Care::default());
}

#[test]
fn every_bad_cell_about_a_box_is_told_by_its_column() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = "endpoint,village,name,keeper,phone,sim,sim_expires,power,hours,volume,maker,lat,lon\n\
                77,510727219200,a,b,secret,secret,2027-02-30,wind,1000,101,secret,91,1\n";
    fs::write(
        dir.path().join("speakers.csv"),
        text.replace("101,secret", &format!("101,{}", "secret".repeat(11))),
    )
    .expect("written");
    let told = told(dir.path());
    let columns = [
        "phone",
        "sim",
        "sim_expires",
        "power",
        "hours",
        "volume",
        "maker",
        "lat",
    ];
    for column in columns {
        let begins = format!("speakers, line 2, column {column}: cannot be read; give ");
        assert!(
            told.iter().any(|told| told.starts_with(&begins)),
            "{column}: {told:#?}"
        );
    }
    assert_eq!(told.len(), columns.len(), "{told:#?}");
    assert!(!told.join(" ").contains("secret"));
}

#[test]
fn every_bad_cell_is_told_with_file_line_and_column_and_never_its_text() {
    let dir = tempfile::tempdir().expect("a folder");
    let put = |file: &str, text: &[u8]| fs::write(dir.path().join(file), text).expect("written");
    put(
        "households.csv",
        b"id,village,group,name,presence,tags,lat,lon\n\
          1,510727219200,1,secret,home,,,\n\
          x,5107272192001,300,secret,asleep,lives-alone|secret,32.1,\n\
          2,510727219200,1,\xb0\xb2,home,,91,secret\n\
          3,510727219200,1\n",
    );
    put("posts.csv", b"recipient,region\n1,51\n");
    put("regions.csv", b"code,name,lat,lon\n51,secret,NaN,east\n");
    put("tags.csv", b"bit,name,title\n3,Secret,\n");
    put("aliases.csv", b"code,old,name\n51,,\n");
    put(
        "zones.csv",
        "id,code,version,name,outline\n1,危,0,secret,\"1,2 3,4\"\n".as_bytes(),
    );
    put(
        "zone-members.csv",
        b"zone,region,group,household,unit\n1,,,,\n1,51,,7,\n1,,3,,\n",
    );
    put("relations.csv", b"household,recipient,kind\n1,2,secret\n");
    let told = told(dir.path());
    let begins = [
        "tags, line 2, column bit: cannot be read; give a whole number from 4 to 31",
        "tags, line 2, column name: cannot be read",
        "regions, line 2, column lat: cannot be read",
        "regions, line 2, column lon: cannot be read",
        "aliases, line 2, column old: is not the only one",
        "households, line 3, column id: cannot be read; give a whole number",
        "households, line 3, column village: cannot be read; give 2, 4, 6, 9 or 12 digits",
        "households, line 3, column group: cannot be read",
        "households, line 3, column presence: cannot be read; give home, away",
        "households, line 3, column tags: cannot be read; give lives-alone",
        "households, line 3, column lon: is empty; give latitude and longitude, or neither",
        "households, line 4, column name: is not UTF-8",
        "households, line 4, column lat: cannot be read; give degrees",
        "households, line 4, column lon: cannot be read",
        "households, line 5: has 3 cells where the header has 8",
        "zones, line 2, column code: cannot be read; give 1 to 32 small letters",
        "zones, line 2, column version: cannot be read",
        "zones, line 2, column outline: cannot be read; give three points or more",
        "zone-members, line 2, column region: and the columns beside it are empty",
        "zone-members, line 3, column region: is not the only one",
        "zone-members, line 4, column group: is a group of nothing",
        "posts, line 1, column role: is missing",
        "relations, line 2, column kind: cannot be read; give relative or neighbour",
    ];
    for expected in begins {
        assert!(
            told.iter().any(|told| told.starts_with(expected)),
            "{expected} is not among {told:#?}"
        );
    }
    assert_eq!(told.len(), begins.len(), "{told:#?}");
    assert!(!told.join("\n").to_lowercase().contains("secret"));
}

#[test]
fn a_file_that_is_no_table_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(
        told(dir.path()),
        [
            "regions, as a whole: there is no table in the folder; hand in at least one table, such as households.csv"
        ]
    );
    fs::write(dir.path().join("household.csv"), "id\n").expect("written");
    fs::write(dir.path().join("notes.txt"), "of no concern").expect("written");
    let told = told(dir.path());
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("household.csv is none of the tables"),
        "{told:?}"
    );
}

#[test]
fn parts_are_tables_with_or_without_csv_and_each_once() {
    let part = ("groups", &b"village,group,name\n510727219200,2,a\n"[..]);
    let files = Files::of_parts([part].into_iter()).expect("one table");
    let draft = files.read(&TagNames::default());
    assert_eq!(draft.rows.groups.len(), 1);
    assert!(draft.given.has(Table::Groups) && !draft.given.has(Table::Regions));
    let twice = Files::of_parts([part, ("groups.csv", part.1)].into_iter());
    let problems = twice.err().expect("refused");
    assert!(problems[0].to_string().contains("was handed in twice"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_rows_survive_the_files(rows in sound_rows()) {
        let dir = tempfile::tempdir().expect("a folder");
        write_dir(&rows, dir.path()).expect("written");
        prop_assert_eq!(read(dir.path()).expect("read"), rows);
    }
}
