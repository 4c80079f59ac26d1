//! The registry's files: seven tables in one folder, one CSV file each, read all or nothing. This module must not judge
//! what the rows mean together: that is the build's. Its problems name file, line and column and never what stood there.

use std::fs::File;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};
use serde::Serialize;
use serde::de::value::{Error as NoVariant, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::model::{
    AreaCode, EndpointRow, HearingRow, HouseholdRow, PostPlace, PostRow, RecipientRow, RegionRow,
    Role, Rows, SpeakerRow, TagNames, Tags,
};

use super::problem::{Place, Problem, Table};

impl Table {
    pub fn file_name(self) -> String {
        format!("{}.csv", self.name())
    }

    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Regions => &["code", "name", "lat", "lon"],
            Self::Households => &["id", "village", "group", "name", "presence", "tags"],
            Self::Recipients => &["id", "household", "name", "language"],
            Self::Posts => &["recipient", "region", "role"],
            Self::Endpoints => &["id", "recipient", "kind", "address"],
            Self::Speakers => &["endpoint", "village", "name"],
            Self::Hearing => &["speaker", "household"],
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("could not write {path}: {source}; check the folder and the space left")]
pub struct WriteError {
    path: PathBuf,
    source: csv::Error,
}

/// All seven files of a folder, or everything that cannot be read in them.
pub fn read_dir(dir: &Path) -> Result<Rows, Vec<Problem>> {
    let mut problems = Vec::new();
    let found = &mut problems;
    let rows = Rows {
        regions: read(dir, Table::Regions, found, region),
        households: read(dir, Table::Households, found, household),
        recipients: read(dir, Table::Recipients, found, recipient),
        posts: read(dir, Table::Posts, found, post),
        endpoints: read(dir, Table::Endpoints, found, endpoint),
        speakers: read(dir, Table::Speakers, found, speaker),
        hearing: read(dir, Table::Hearing, found, hearing),
        ..Rows::default()
    };
    if problems.is_empty() {
        Ok(rows)
    } else {
        Err(problems)
    }
}

/// All seven files, in place of what stood there.
pub fn write_dir(rows: &Rows, dir: &Path) -> Result<(), WriteError> {
    std::fs::create_dir_all(dir).map_err(|source| WriteError {
        path: dir.to_owned(),
        source: source.into(),
    })?;
    let names = TagNames::of(&rows.tags);
    let regions = rows.regions.iter();
    let regions = regions.map(|region| (region.code, &region.name, region.lat, region.lon));
    let posts = rows.posts.iter().filter_map(|post| match post.place {
        PostPlace::Region(region) => Some((post.recipient, region.to_string(), &post.role)),
        PostPlace::Group(group) => Some((post.recipient, group.to_string(), &post.role)),
        PostPlace::Unit(_) | PostPlace::Zone(_) => None,
    });
    let households = rows.households.iter().map(|household| {
        let tags: Vec<_> = names.names(household.tags).collect();
        (
            household.id,
            household.village,
            household.group,
            household.name.as_str(),
            household.presence,
            tags.join("|"),
        )
    });
    write(dir, Table::Regions, regions)?;
    write(dir, Table::Households, households)?;
    write(dir, Table::Recipients, rows.recipients.iter())?;
    write(dir, Table::Posts, posts)?;
    write(dir, Table::Endpoints, rows.endpoints.iter())?;
    write(dir, Table::Speakers, rows.speakers.iter())?;
    write(dir, Table::Hearing, rows.hearing.iter())
}

fn write<R: Serialize>(
    dir: &Path,
    table: Table,
    rows: impl Iterator<Item = R>,
) -> Result<(), WriteError> {
    let path = dir.join(table.file_name());
    let written = || -> Result<(), csv::Error> {
        let mut file = WriterBuilder::new().has_headers(false).from_path(&path)?;
        file.write_record(table.columns())?;
        for row in rows {
            file.serialize(row)?;
        }
        file.flush()?;
        Ok(())
    };
    written().map_err(|source| WriteError { path, source })
}

/// One line of a file, whose cells are asked for by column. What cannot be read is noted and the line dropped: a file with
/// a problem is not taken anyway.
struct Line<'a> {
    table: Table,
    /// Where each column stands in this file.
    places: &'a [usize],
    record: &'a ByteRecord,
    problems: &'a mut Vec<Problem>,
}

impl Line<'_> {
    fn number(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn problem(&mut self, column: usize, what: &'static str, remedy: &'static str) {
        let place = Place::Cell {
            line: self.number(),
            column: self.table.columns()[column],
        };
        self.problems
            .push(Problem::new(self.table, place, what, remedy));
    }

    fn cell<T>(
        &mut self,
        column: usize,
        parse: impl FnOnce(&str) -> Option<T>,
        remedy: &'static str,
    ) -> Option<T> {
        // A line that is too short was noted by the reader.
        let bytes = self.record.get(self.places[column])?;
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.problem(column, "is not UTF-8", "save the file as UTF-8");
            return None;
        };
        let value = parse(text);
        if value.is_none() {
            self.problem(column, "cannot be read", remedy);
        }
        value
    }

    fn text(&mut self, column: usize) -> Option<String> {
        self.cell(column, |text| Some(text.to_owned()), "")
    }

    fn id(&mut self, column: usize) -> Option<u32> {
        let parse = |text: &str| text.parse().ok();
        self.cell(column, parse, "give a whole number from 0 to 4294967295")
    }

    fn id_or_empty(&mut self, column: usize) -> Option<OrEmpty<u32>> {
        let remedy = "give a whole number, or leave it empty";
        self.cell(column, |text| or_empty(text, |id| id.parse().ok()), remedy)
    }

    fn code<T: std::str::FromStr>(&mut self, column: usize) -> Option<T> {
        let remedy = "give 2, 4, 6, 9 or 12 digits of a region code";
        self.cell(column, |text| text.parse().ok(), remedy)
    }

    fn degrees(&mut self, column: usize) -> Option<OrEmpty<f64>> {
        let finite = |text: &str| {
            text.parse()
                .ok()
                .filter(|degrees: &f64| degrees.is_finite())
        };
        let remedy = "give degrees with a decimal point, or leave it empty";
        self.cell(column, |text| or_empty(text, finite), remedy)
    }

    /// One of a closed set of words, as the model names them.
    fn word<T: DeserializeOwned>(&mut self, column: usize, remedy: &'static str) -> Option<T> {
        let parse = |text: &str| {
            let word: StrDeserializer<'_, NoVariant> = text.into_deserializer();
            T::deserialize(word).ok()
        };
        self.cell(column, parse, remedy)
    }
}

/// A cell that may be empty.
struct OrEmpty<T>(Option<T>);

fn or_empty<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<OrEmpty<T>> {
    if text.is_empty() {
        Some(OrEmpty(None))
    } else {
        parse(text).map(|value| OrEmpty(Some(value)))
    }
}

fn read<R>(
    dir: &Path,
    table: Table,
    problems: &mut Vec<Problem>,
    row: fn(&mut Line<'_>) -> Option<R>,
) -> Vec<R> {
    let Ok(file) = File::open(dir.join(table.file_name())) else {
        let what = format!("{} cannot be opened", table.file_name());
        let remedy = "put all seven files into the folder; a table without rows is its header line";
        problems.push(Problem::new(table, Place::Whole, what, remedy));
        return Vec::new();
    };
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
    let Some(places) = places(&mut reader, table, problems) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    let width = reader.byte_headers().map_or(0, ByteRecord::len);
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return rows,
            Err(_) => {
                let what = format!("{} broke off while read", table.file_name());
                let remedy = "check the disk and copy the file again";
                problems.push(Problem::new(table, Place::Whole, what, remedy));
                return rows;
            }
        }
        let mut line = Line {
            table,
            places: &places,
            record: &record,
            problems,
        };
        if record.len() != width {
            let what = format!("has {} cells where the header has {width}", record.len());
            let place = Place::Line(line.number());
            let remedy = "check its commas and quotes";
            problems.push(Problem::new(table, place, what, remedy));
        } else if let Some(row) = row(&mut line) {
            rows.push(row);
        }
    }
}

/// Where the columns stand, in any order; a column we do not know is passed over.
fn places(
    reader: &mut csv::Reader<File>,
    table: Table,
    problems: &mut Vec<Problem>,
) -> Option<Vec<usize>> {
    let headers = reader.byte_headers().cloned().unwrap_or_default();
    let mut places = Vec::new();
    for &column in table.columns() {
        let mut found =
            (0..headers.len()).filter(|&at| headers[at].trim_ascii() == column.as_bytes());
        match (found.next(), found.next()) {
            (Some(at), None) => places.push(at),
            (None, _) => problems.push(Problem::new(
                table,
                Place::Cell { line: 1, column },
                "is missing",
                "name the column in the header line",
            )),
            (Some(_), Some(_)) => problems.push(Problem::new(
                table,
                Place::Cell { line: 1, column },
                "stands there twice",
                "name each column once",
            )),
        }
    }
    (places.len() == table.columns().len()).then_some(places)
}

fn region(line: &mut Line<'_>) -> Option<RegionRow> {
    let (code, name) = (line.code(0), line.text(1));
    let (lat, lon) = (line.degrees(2), line.degrees(3));
    Some(RegionRow {
        code: code?,
        name: name?,
        lat: lat?.0,
        lon: lon?.0,
        revision: 0,
        tags: Tags::default(),
    })
}

fn household(line: &mut Line<'_>) -> Option<HouseholdRow> {
    let (id, village, name) = (line.id(0), line.code(1), line.text(3));
    let group = |text: &str| text.parse().ok();
    let group = line.cell(2, group, "give a whole number from 0 to 255, 0 for none");
    let presence = line.word(4, "give home, away, returned or resident");
    let tags = |text: &str| {
        text.split('|')
            .filter(|name| !name.is_empty())
            .try_fold(Tags::default(), |tags, name| {
                Some(tags.with(TagNames::default().named(name)?))
            })
    };
    let tags = line.cell(
        5,
        tags,
        "give lives-alone, disabled, danger-zone or school, separated by |",
    );
    Some(HouseholdRow {
        id: id?,
        village: village?,
        group: group?,
        name: name?,
        presence: presence?,
        tags: tags?,
        lat: None,
        lon: None,
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
    let recipient = line.id(0);
    let area = line.code(1);
    let place = area.map(|area| match area {
        AreaCode::Region(region) => PostPlace::Region(region),
        AreaCode::Group(group) => PostPlace::Group(group),
    });
    let role = line.cell(2, Role::named, "give post-a, post-b or duty");
    Some(PostRow {
        recipient: recipient?,
        place: place?,
        role: role?,
    })
}

fn endpoint(line: &mut Line<'_>) -> Option<EndpointRow> {
    let (id, recipient) = (line.id(0), line.id_or_empty(1));
    let kind = line.word(
        2,
        "give mobile, landline, satellite, mailbox, openid or speaker",
    );
    let address = line.text(3);
    Some(EndpointRow {
        id: id?,
        recipient: recipient?.0,
        kind: kind?,
        address: address?,
    })
}

fn speaker(line: &mut Line<'_>) -> Option<SpeakerRow> {
    let (endpoint, village, name) = (line.id(0), line.code(1), line.text(2));
    Some(SpeakerRow {
        endpoint: endpoint?,
        village: village?,
        name: name?,
    })
}

fn hearing(line: &mut Line<'_>) -> Option<HearingRow> {
    let (speaker, household) = (line.id(0), line.id(1));
    Some(HearingRow {
        speaker: speaker?,
        household: household?,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::super::tests::{sample, sound_rows};
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let dir = tempfile::tempdir().expect("a folder");
        write_dir(&sample(), dir.path()).expect("written");
        assert_eq!(read_dir(dir.path()).expect("read"), sample());
    }

    #[test]
    fn columns_may_stand_in_any_order_behind_a_byte_order_mark() {
        let dir = tempfile::tempdir().expect("a folder");
        write_dir(&sample(), dir.path()).expect("written");
        let text = "\u{feff}note,household,speaker\r\n\"a, b\",90,77\r\n,7,77\r\n";
        fs::write(dir.path().join("hearing.csv"), text).expect("written");
        assert_eq!(read_dir(dir.path()).expect("read"), sample());
    }

    #[test]
    fn every_bad_cell_is_told_with_file_line_and_column_and_never_its_text() {
        let dir = tempfile::tempdir().expect("a folder");
        write_dir(&sample(), dir.path()).expect("written");
        let put =
            |file: &str, text: &[u8]| fs::write(dir.path().join(file), text).expect("written");
        put(
            "households.csv",
            b"id,village,group,name,presence,tags\n\
              1,510727219200,1,secret,home,\n\
              x,5107272192001,300,secret,asleep,lives-alone|secret\n\
              2,510727219200,1,\xb0\xb2,home,\n\
              3,510727219200,1\n",
        );
        put("posts.csv", b"recipient,region\n1,51\n");
        put("regions.csv", b"code,name,lat,lon\n51,secret,NaN,east\n");
        fs::remove_file(dir.path().join("hearing.csv")).expect("removed");
        let problems = read_dir(dir.path()).expect_err("many problems");
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let begins = [
            "regions, line 2, column lat: cannot be read",
            "regions, line 2, column lon: cannot be read",
            "households, line 3, column id: cannot be read; give a whole number",
            "households, line 3, column village: cannot be read; give 2, 4, 6, 9 or 12 digits",
            "households, line 3, column group: cannot be read",
            "households, line 3, column presence: cannot be read; give home, away",
            "households, line 3, column tags: cannot be read; give lives-alone",
            "households, line 4, column name: is not UTF-8",
            "households, line 5: has 3 cells where the header has 6",
            "posts, line 1, column role: is missing",
            "hearing, as a whole: hearing.csv cannot be opened",
        ];
        for expected in begins {
            assert!(
                told.iter().any(|told| told.starts_with(expected)),
                "{expected} is not among {told:#?}"
            );
        }
        assert_eq!(told.len(), begins.len(), "{told:#?}");
        assert!(!told.join("\n").contains("secret"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_rows_survive_the_files(rows in sound_rows()) {
            let dir = tempfile::tempdir().expect("a folder");
            write_dir(&rows, dir.path()).expect("written");
            prop_assert_eq!(read_dir(dir.path()).expect("read"), rows);
        }
    }
}
