//! What a line of each table means. This module must not know what stands in other tables.

use std::io::Read;

use crate::model::{
    AliasRow, AreaCode, EndpointRow, GroupCode, GroupRow, HearingRow, HouseholdRow, MemberRow,
    PostPlace, PostRow, RecipientRow, RegionRow, RelationRow, Role, TagNames, TagRow, UnitRow,
    ZoneMember, ZoneRow, is_word,
};

use super::super::table::Table;
use super::line::{Line, OrEmpty, degrees};
use super::speaker::speaker;
use super::{Draft, each};

pub fn read(table: Table, file: impl Read, names: &TagNames, draft: &mut Draft) {
    match table {
        Table::Regions => draft.rows.regions = each(table, file, names, draft, region),
        Table::Aliases => draft.rows.aliases = each(table, file, names, draft, alias),
        Table::Groups => draft.rows.groups = each(table, file, names, draft, group),
        Table::Tags => draft.rows.tags = each(table, file, names, draft, tag),
        Table::Households => draft.rows.households = each(table, file, names, draft, household),
        Table::Units => draft.rows.units = each(table, file, names, draft, unit),
        Table::Zones => draft.rows.zones = each(table, file, names, draft, zone),
        Table::Members => draft.rows.members = each(table, file, names, draft, member),
        Table::Recipients => draft.rows.recipients = each(table, file, names, draft, recipient),
        Table::Posts => draft.rows.posts = each(table, file, names, draft, post),
        Table::Relations => draft.rows.relations = each(table, file, names, draft, relation),
        Table::Endpoints => draft.rows.endpoints = each(table, file, names, draft, endpoint),
        Table::Speakers => draft.rows.speakers = each(table, file, names, draft, speaker),
        Table::Hearing => draft.rows.hearing = each(table, file, names, draft, hearing),
    }
}

fn region(line: &mut Line<'_>) -> Option<RegionRow> {
    let (code, name) = (line.code(0), line.text(1));
    let (point, tags) = (line.point(2, 3), line.tags(5));
    let year = |text: &str| text.parse().ok();
    let revision = line.or_empty(4, year, "give the year of the code list, or leave it empty");
    let point = point?.0.unzip();
    Some(RegionRow {
        code: code?,
        name: name?,
        lat: point.0,
        lon: point.1,
        revision: revision?.0.unwrap_or(0),
        tags: tags?,
    })
}

fn alias(line: &mut Line<'_>) -> Option<AliasRow> {
    let (code, name) = (line.code(0), line.text(2));
    let remedy = "give 2, 4, 6, 9 or 12 digits of a region code, or leave it empty";
    let old = line.or_empty(1, |text| text.parse().ok(), remedy);
    let (old, name) = (old?.0, name?);
    if old.is_some() == name.is_empty() {
        return Some(AliasRow {
            code: code?,
            old,
            name,
        });
    }
    let remedy = "give an old code or another name, one in a line";
    line.problem(1, "is not the only one", remedy);
    None
}

fn group(line: &mut Line<'_>) -> Option<GroupRow> {
    let (village, group, name) = (line.code(0), group_number(line, 1), line.text(2));
    Some(GroupRow {
        village: village?,
        group: group?,
        name: name?,
    })
}

/// 1 to 255.
fn group_number(line: &mut Line<'_>, column: usize) -> Option<u8> {
    let parse = |text: &str| text.parse().ok().filter(|group| *group > 0);
    line.cell(column, parse, "give a whole number from 1 to 255")
}

fn tag(line: &mut Line<'_>) -> Option<TagRow> {
    let bit = |text: &str| text.parse().ok().filter(|bit| (4..32).contains(bit));
    let remedy = "give a whole number from 4 to 31; 0 to 3 are built in";
    let bit = line.cell(0, bit, remedy);
    let name = line.cell(1, word, WORD);
    let title = line.text(2);
    Some(TagRow {
        bit: bit?,
        name: name?,
        title: title?,
    })
}

const WORD: &str = "give 1 to 32 small letters, digits and hyphens, a letter first";

fn word(text: &str) -> Option<String> {
    is_word(text).then(|| text.to_owned())
}

fn household(line: &mut Line<'_>) -> Option<HouseholdRow> {
    let (id, village, name) = (line.id(0), line.code(1), line.text(3));
    let group = |text: &str| text.parse().ok();
    let group = line.cell(2, group, "give a whole number from 0 to 255, 0 for none");
    let presence = line.word(4, "give home, away, returned or resident");
    let (tags, point) = (line.tags(5), line.point(6, 7));
    let point = point?.0.unzip();
    Some(HouseholdRow {
        id: id?,
        village: village?,
        group: group?,
        name: name?,
        presence: presence?,
        tags: tags?,
        lat: point.0,
        lon: point.1,
    })
}

fn unit(line: &mut Line<'_>) -> Option<UnitRow> {
    let (id, village, name) = (line.id(0), line.code(1), line.text(2));
    let (heads, tags, point) = (line.id(3), line.tags(4), line.point(5, 6));
    let point = point?.0.unzip();
    Some(UnitRow {
        id: id?,
        village: village?,
        name: name?,
        heads: heads?,
        tags: tags?,
        lat: point.0,
        lon: point.1,
    })
}

fn zone(line: &mut Line<'_>) -> Option<ZoneRow> {
    let (id, code) = (line.id(0), line.cell(1, word, WORD));
    let version = |text: &str| text.parse().ok().filter(|version| *version > 0);
    let version = line.cell(2, version, "give a whole number from 1");
    let (name, tags) = (line.text(3), line.tags(4));
    let remedy = "give three points or more as lat,lon lat,lon …, or leave it empty";
    let outline = line.or_empty(5, outline, remedy);
    Some(ZoneRow {
        id: id?,
        code: code?,
        version: version?,
        name: name?,
        tags: tags?,
        outline: outline?.0.unwrap_or_default(),
    })
}

fn outline(text: &str) -> Option<Vec<(f64, f64)>> {
    let point = |text: &str| {
        let (lat, lon) = text.split_once(',')?;
        Some((degrees(lat, 90.0)?, degrees(lon, 180.0)?))
    };
    let points: Option<Vec<_>> = text.split_ascii_whitespace().map(point).collect();
    points.filter(|points| points.len() >= 3)
}

/// A region, or a group of it: by 14 digits, or by the column of the group.
fn area(line: &mut Line<'_>, region: usize, group: usize) -> Option<OrEmpty<AreaCode>> {
    let remedy = "give 2, 4, 6, 9, 12 or 14 digits, or leave it empty";
    let area = line.or_empty(region, |text| text.parse().ok(), remedy);
    let number = |text: &str| text.parse().ok().filter(|group| *group > 0);
    let number = line.or_empty(group, number, "give a whole number from 1 to 255");
    match (area?.0, number?.0) {
        (area, None) => Some(OrEmpty(area)),
        (Some(AreaCode::Region(village)), Some(group)) => {
            let group = GroupCode { village, group };
            Some(OrEmpty(Some(AreaCode::Group(group))))
        }
        (_, Some(_)) => {
            let remedy = "give its village in the column region, by 12 digits";
            line.problem(group, "is a group of nothing", remedy);
            None
        }
    }
}

/// The one thing that a line speaks of.
fn only<T, const N: usize>(
    line: &mut Line<'_>,
    column: usize,
    found: [Option<T>; N],
    remedy: &'static str,
) -> Option<T> {
    let mut found = found.into_iter().flatten();
    let first = found.next();
    if first.is_some() && found.next().is_none() {
        return first;
    }
    let what = if first.is_none() {
        "and the columns beside it are empty"
    } else {
        "is not the only one"
    };
    line.problem(column, what, remedy);
    None
}

fn member(line: &mut Line<'_>) -> Option<MemberRow> {
    let (zone, area) = (line.id(0), area(line, 1, 2));
    let (household, unit) = (line.id_or_empty(3), line.id_or_empty(4));
    let found = [
        area?.0.map(|area| match area {
            AreaCode::Region(region) => ZoneMember::Region(region),
            AreaCode::Group(group) => ZoneMember::Group(group),
        }),
        household?.0.map(ZoneMember::Household),
        unit?.0.map(ZoneMember::Unit),
    ];
    let remedy = "give a region or group, a household or a unit, one in a line";
    let member = only(line, 1, found, remedy);
    Some(MemberRow {
        zone: zone?,
        member: member?,
    })
}

fn recipient(line: &mut Line<'_>) -> Option<RecipientRow> {
    let (id, household) = (line.id(0), line.id_or_empty(1));
    let (name, language) = (line.text(2), line.text(3));
    Some(RecipientRow {
        id: id?,
        household: household?.0,
        name: name?,
        language: language?,
    })
}

fn post(line: &mut Line<'_>) -> Option<PostRow> {
    let (recipient, area) = (line.id(0), area(line, 1, 3));
    let role = line.cell(2, Role::named, WORD);
    let (unit, zone) = (line.id_or_empty(4), line.id_or_empty(5));
    let found = [
        area?.0.map(|area| match area {
            AreaCode::Region(region) => PostPlace::Region(region),
            AreaCode::Group(group) => PostPlace::Group(group),
        }),
        unit?.0.map(PostPlace::Unit),
        zone?.0.map(PostPlace::Zone),
    ];
    let remedy = "give a region or group, a unit or a zone, one in a line";
    let place = only(line, 1, found, remedy);
    Some(PostRow {
        recipient: recipient?,
        place: place?,
        role: role?,
    })
}

fn relation(line: &mut Line<'_>) -> Option<RelationRow> {
    let (household, recipient) = (line.id(0), line.id(1));
    let kind = line.word(2, "give relative or neighbour");
    Some(RelationRow {
        household: household?,
        recipient: recipient?,
        kind: kind?,
    })
}

fn endpoint(line: &mut Line<'_>) -> Option<EndpointRow> {
    let (id, recipient) = (line.id(0), line.id_or_empty(1));
    let kind = line.word(
        2,
        "give mobile, landline, satellite, mailbox, openid, speaker, member, group, manual or beidou",
    );
    let address = line.text(3);
    Some(EndpointRow {
        id: id?,
        recipient: recipient?.0,
        kind: kind?,
        address: address?,
    })
}

fn hearing(line: &mut Line<'_>) -> Option<HearingRow> {
    let (speaker, household) = (line.id(0), line.id(1));
    Some(HearingRow {
        speaker: speaker?,
        household: household?,
    })
}
