//! The registry: how long an import takes from files to a generation on disk, and what a person costs in memory. This
//! module must not skip a step of an import.

use std::time::Duration;

use channel::{Clock, SystemClock};

use super::median;
use super::table::Table;
use crate::commands::Failed;
use crate::commands::demo::county;
use crate::model::{
    EndpointKind, EndpointRow, HearingRow, HouseholdRow, PresenceAtHome, RecipientRow, RegionCode,
    RegionLevel, Rows, Tags,
};
use crate::registry::csv::{Files, write_dir};
use crate::registry::{Registry, prepare};
use crate::store::{RegistryFile, Vault};

const HOUSEHOLDS: u32 = 100_000;
const PEOPLE: u32 = 5_000_000;

pub async fn run(table: &mut Table, runs: usize) -> Result<(), Failed> {
    let work = move || -> Result<(f64, f64, Registry), Failed> {
        let (first, again) = imports(runs)?;
        tell!("{PEOPLE} people");
        let registry = Registry::build(1, &province())
            .map_err(|problems| Failed::No(format!("{} problems", problems.len())))?;
        Ok((first, again, registry))
    };
    let done = tokio::task::spawn_blocking(work).await;
    let (first, again, registry) = done.map_err(|e| Failed::Unreachable(e.to_string()))??;
    for (what, took) in [("first", first), ("next", again)] {
        table.row(
            format!("import of {HOUSEHOLDS} households, {what}"),
            format!("{took:.2} s"),
            "5 s",
            took < 5.0,
        );
    }
    let counts = registry.counts();
    let each = registry.bytes() / counts.people;
    table.row(
        format!(
            "memory a person, {} people, {} endpoints",
            counts.people,
            counts.endpoints()
        ),
        format!("{each} B"),
        "100 B",
        each <= 100,
    );
    Ok(())
}

/// Files → rows → checks → difference → columns → disk: into an empty file, and over the same county once more.
fn imports(runs: usize) -> Result<(f64, f64), Failed> {
    let away = |e: &dyn std::fmt::Display| Failed::Unreachable(e.to_string());
    let folder = std::env::temp_dir().join(format!("tocsin-bench-{}-import", std::process::id()));
    write_dir(&county::county(HOUSEHOLDS, 1), &folder).map_err(|e| away(&e))?;
    let clock = SystemClock::default();
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let path = folder.join(format!("registry-{run}.sqlite"));
        for times in [&mut first, &mut again] {
            let start = clock.tick();
            import(&path, &folder)?;
            times.push(seconds(clock.tick().saturating_sub(start)));
        }
    }
    std::fs::remove_dir_all(&folder).map_err(|e| away(&e))?;
    Ok((median(first), median(again)))
}

fn import(path: &std::path::Path, folder: &std::path::Path) -> Result<(), Failed> {
    let away = |e: &dyn std::fmt::Display| Failed::Unreachable(e.to_string());
    let no = |problems: Vec<_>| Failed::No(format!("{} problems", problems.len()));
    let mut file = RegistryFile::open(path, Vault::default()).map_err(|e| away(&e))?;
    let standing = file.load().map_err(|e| away(&e))?;
    let files = Files::of_dir(folder).map_err(no)?;
    let prepared = prepare(standing, files).map_err(no)?;
    file.save(prepared.report.generation, &prepared.rows)
        .map_err(|e| away(&e))
}

fn seconds(took: Duration) -> f64 {
    took.as_secs_f64()
}

/// Three people a household, two of three with a mobile number, every household with a point of its own and in hearing
/// of a speaker, in the villages of the demo county.
fn province() -> Rows {
    let mut rows = county::county(0, 1);
    let villages: Vec<RegionCode> = rows
        .regions
        .iter()
        .map(|region| region.code)
        .filter(|code| code.level() == RegionLevel::Village)
        .collect();
    let speaker = rows.speakers.first().map(|speaker| speaker.endpoint);
    let first = rows.endpoints.iter().map(|row| row.id).max().unwrap_or(0) + 1;
    let officers = rows.recipients.iter().map(|row| row.id).max().unwrap_or(0) + 1;
    for person in 0..PEOPLE {
        let household = person / 3;
        if person % 3 == 0 {
            let village = villages[household as usize % villages.len()];
            rows.households.push(house(household, village));
            rows.hearing
                .extend(speaker.map(|speaker| HearingRow { speaker, household }));
        }
        rows.recipients.push(RecipientRow {
            id: officers + person,
            household: Some(household),
            name: "合成人".to_owned(),
            language: "zh-CN".to_owned(),
        });
        if person % 3 < 2 {
            rows.endpoints.push(EndpointRow {
                id: first + person,
                recipient: Some(officers + person),
                kind: EndpointKind::Mobile,
                address: format!("000{person:08}"),
            });
        }
    }
    rows
}

fn house(id: u32, village: RegionCode) -> HouseholdRow {
    HouseholdRow {
        id,
        village,
        group: 1,
        name: format!("合成户{id}"),
        presence: PresenceAtHome::Home,
        tags: Tags::default(),
        lat: Some(32.4 + f64::from(id % 1_000) / 10_000.0),
        lon: Some(104.5),
    }
}
