//! What one import after another makes of a registry: ids that stay, ids that do not, and what is refused.

use super::*;
use crate::model::{EndpointKind, EndpointRow, Tags};
use crate::registry::csv::write_dir;
use crate::registry::tests::{code, sample, whole};

fn next(standing: Option<(u32, Rows)>, rows: &Rows) -> Result<Prepared, Vec<Problem>> {
    let dir = tempfile::tempdir().expect("a folder");
    write_dir(rows, dir.path()).expect("written");
    prepare(standing, Files::of_dir(dir.path()).expect("tables"))
}

fn part(standing: &Rows, name: &str, text: &str) -> Result<Prepared, Vec<Problem>> {
    let parts = [(name, text.as_bytes())];
    let files = Files::of_parts(parts.into_iter()).expect("a table");
    prepare(Some((1, standing.clone())), files)
}

fn sound(prepared: Result<Prepared, Vec<Problem>>) -> Prepared {
    prepared.unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn change(prepared: &Prepared, table: &str) -> (usize, usize, usize) {
    let mut tables = prepared.report.tables.iter();
    let change = tables.find(|change| change.table == table);
    let change = change.expect("a table of the report");
    (change.added, change.changed, change.closed)
}

#[test]
fn the_first_import_adds_everything_and_the_same_again_changes_nothing() {
    let first = sound(next(None, &whole()));
    assert_eq!(first.registry.generation(), 1);
    assert_eq!(change(&first, "households"), (4, 0, 0));
    let again = sound(next(Some((1, first.rows.clone())), &whole()));
    assert_eq!(again.registry.generation(), 2);
    assert!(
        again
            .report
            .tables
            .iter()
            .all(|change| (change.added, change.changed, change.closed) == (0, 0, 0)),
        "{}",
        again.report
    );
    assert_eq!(again.rows, first.rows);
}

#[test]
fn a_changed_number_is_a_new_endpoint_and_the_old_one_stays_resolvable() {
    let mut rows = sample();
    rows.endpoints[1].address = "00087654321".to_owned();
    let prepared = sound(next(Some((4, sample())), &rows));
    let registry = &prepared.registry;
    let new: Vec<_> = registry.endpoints_of(12).collect();
    assert_eq!(
        new,
        [6, 78],
        "the number of 8 has changed; 77 was the highest id"
    );
    assert_eq!(
        registry.endpoint(78).expect("the new one").address,
        "00087654321"
    );
    let old = registry.endpoint(8).expect("the old one");
    assert_eq!((old.address, old.recipient), ("00012345678", Some(12)));
    assert_eq!(change(&prepared, "endpoints"), (1, 0, 1));
    assert_eq!(prepared.report.renumbered, 1);
    // The same file once more: the number keeps the id that it was given.
    let again = sound(next(Some((5, prepared.rows.clone())), &rows));
    assert_eq!(change(&again, "endpoints"), (0, 0, 0));
    assert_eq!(again.registry.endpoints_of(12).collect::<Vec<_>>(), [6, 78]);
    assert_eq!(
        again.registry.endpoint(8).expect("still there").address,
        "00012345678"
    );
}

#[test]
fn a_number_that_comes_back_and_one_that_moves_get_ids_of_their_own() {
    let mut without = sample();
    without.endpoints.remove(1);
    let gone = sound(next(Some((1, sample())), &without));
    assert_eq!(change(&gone, "endpoints"), (0, 0, 1));
    let back = sound(next(Some((2, gone.rows)), &sample()));
    assert_eq!(back.registry.endpoints_of(12).collect::<Vec<_>>(), [6, 78]);
    let mut moved = sample();
    moved.endpoints[1].recipient = Some(13);
    let moved = sound(next(Some((1, sample())), &moved));
    assert_eq!(moved.registry.endpoints_of(13).collect::<Vec<_>>(), [78]);
    assert_eq!(
        moved.registry.endpoint(8).expect("the old one").recipient,
        Some(12)
    );
}

#[test]
fn a_speaker_with_a_new_address_keeps_its_village_and_who_hears_it() {
    let mut rows = sample();
    rows.endpoints[0].address = "PW-219200-9".to_owned();
    let prepared = sound(next(Some((1, sample())), &rows));
    let registry = &prepared.registry;
    assert_eq!(registry.speakers_under(code("510727219200")), [78]);
    assert_eq!(registry.hearing(78), [7, 90]);
    let old = registry.endpoint(77).expect("the old one");
    assert_eq!(
        (old.address, old.kind),
        ("PW-219200-1", EndpointKind::Speaker)
    );
}

#[test]
fn a_table_that_is_not_handed_in_stays_as_it_is() {
    let text = "village,group,name\n510727219200,1,下社\n";
    let prepared = sound(part(&whole(), "groups.csv", text));
    assert_eq!(change(&prepared, "groups"), (1, 0, 1));
    let mut expected = whole();
    expected.groups = prepared.rows.groups.clone();
    assert_eq!(prepared.rows, expected);
    let touched: Vec<_> = prepared.report.touched.into_iter().collect();
    assert_eq!(touched, [(code("510727219200"), 2)]);
}

#[test]
fn what_does_not_fit_together_is_told_by_line_and_column_with_what_cannot_be_read() {
    let text =
        "id,household,name,language\n500,90,a,zh-CN\n12,4000,b,zh-CN\nx,90,c,\n12,90,d,zh-CN\n";
    let problems = part(&sample(), "recipients", text).err().expect("refused");
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "recipients, line 3, column household: names household 4000, which does not exist; add the household, or correct the id",
            "recipients, line 4, column id: cannot be read; give a whole number from 0 to 4294967295",
            "recipients, line 5, column id: occurs more than once; give every row its own and drop the copy",
        ],
        "what the dropped line may have held is missed by nobody"
    );
}

#[test]
fn a_zone_with_another_set_needs_another_version() {
    let mut standing = whole();
    standing.zones[0].version = 2;
    let same_version = "zone,region,group,household,unit\n30,,,40,\n";
    let problems = part(&standing, "zone-members", same_version).err();
    let told = problems.expect("refused")[0].to_string();
    assert!(
        told.starts_with("zones, row 30, column version: is another set than version 2 was"),
        "{told}"
    );
    let mut rows = standing.clone();
    rows.members.truncate(1);
    rows.zones[0].version = 1;
    let told = next(Some((1, standing.clone())), &rows)
        .err()
        .expect("refused")[0]
        .to_string();
    assert!(
        told.starts_with("zones, line 2, column version: is older than version 2"),
        "{told}"
    );
    rows.zones[0].version = 3;
    let prepared = sound(next(Some((1, standing)), &rows));
    let zone = prepared.registry.zone(30).expect("it is there");
    assert_eq!((zone.row.version, zone.members.len()), (3, 1));
}

#[test]
fn a_tag_keeps_its_bit_because_journals_know_it_by_that() {
    let text = "bit,name,title\n4,flat-land,平地\n";
    let problems = part(&whole(), "tags", text).err().expect("refused");
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("tags, line 2, column name: gives another name to a bit"));
    let text = "bit,name,title\n4,steep-slope,陡坡地\n5,flat-land,平地\n";
    let prepared = sound(part(&whole(), "tags", text));
    let names = prepared.registry.tag_names();
    assert_eq!(names.named("flat-land"), Some(Tags(1 << 5)));
    assert_eq!(prepared.report.nowhere, 2);
}

#[test]
fn a_report_names_the_villages_and_nobody() {
    let mut rows = sample();
    rows.households[0].name = "secret".to_owned();
    rows.recipients[0].name = "secret".to_owned();
    rows.endpoints.push(EndpointRow {
        id: 99,
        recipient: Some(13),
        kind: EndpointKind::Mobile,
        address: "00099999999".to_owned(),
    });
    let report = sound(next(Some((1, sample())), &rows)).report;
    let villages: Vec<_> = report
        .villages
        .iter()
        .map(|village| (village.name.as_str(), village.rows))
        .collect();
    assert_eq!(villages, [("平通·新桥村", 2), ("龙安·东皋村", 1)]);
    let shown = format!("{report}{}", serde_json::to_string(&report).expect("JSON"));
    for personal in ["secret", "00099999999", "合成"] {
        assert!(!shown.contains(personal), "{shown}");
    }
    let outside =
        |own: &str| report.outside(&Registry::build(1, &sample()).expect("sound"), &[code(own)]);
    assert_eq!(outside("510727"), []);
    assert_eq!(outside("510727219"), [code("510727100202")]);
}
