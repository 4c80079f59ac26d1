//! What a feed may say, and who is told what by it. The distances here are an oracle of their own: plain trigonometry on a
//! sphere, of which the program uses none.

use std::collections::BTreeMap;

use channel::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::ledger::quakes::{Quake, Quaked, Relayed, ShockRow, Shown, Status, Terminal as Told};

const ORIGIN: Timestamp = Timestamp(1_784_053_050_000);
/// 平武, 15 km deep.
const EPICENTRE: (f64, f64) = (32.65, 103.75);

fn settings(more: &str) -> Earthquake {
    let text = format!(
        "{more}\n[[feed]]\nname = \"province\"\nkey = \"{}\"\n",
        "ab".repeat(32)
    );
    toml::from_str(&text).expect("settings")
}

fn report(number: u32, magnitude: f64) -> Report {
    Report {
        v: 1,
        event: "20260715021730".into(),
        number,
        status: Status::Actual,
        kind: Kind::Warning,
        sent: Timestamp(ORIGIN.0 + 5_600),
        origin: ORIGIN,
        latitude: EPICENTRE.0,
        longitude: EPICENTRE.1,
        depth: 15.0,
        magnitude,
    }
}

/// So many kilometres due north.
fn north(kilometres: f64) -> (f64, f64) {
    (EPICENTRE.0 + kilometres / 110.91, EPICENTRE.1)
}

fn horn(name: &str, at: (f64, f64)) -> Terminal {
    Terminal {
        device: name.into(),
        channel: "horn".into(),
        at,
        role: Role::Loudspeaker("510727217001".parse().expect("a village")),
    }
}

fn machine(name: &str, at: (f64, f64), from: u8) -> Terminal {
    Terminal {
        role: Role::Machine(from),
        ..horn(name, at)
    }
}

fn shown(shocks: &[(&Terminal, ShockRow)]) -> BTreeMap<String, (u8, Shown)> {
    let one = |(_, row): &(&Terminal, ShockRow)| (row.device.clone(), (row.intensity, row.shown));
    shocks.iter().map(one).collect()
}

#[test]
fn each_terminal_has_its_own_intensity_and_arrival_and_the_first_to_be_shaken_is_first() {
    let at = [12.0, 25.0, 40.0, 60.0, 78.0, 110.0, 130.0];
    let horns: Vec<_> = at
        .iter()
        .map(|km| horn(&format!("{km:03}"), north(*km)))
        .collect();
    let first = estimate(&settings(""), &report(1, 5.9), &horns, false);
    let expected = [(12, 7), (25, 6), (40, 6), (60, 5), (78, 4), (110, 4)];
    let found: Vec<_> = first
        .iter()
        .map(|(_, row)| (row.device.parse().expect("a number"), row.intensity))
        .collect();
    assert_eq!(found, expected);
    // √(d² + 15²) / 3.5, as the story says, to a tenth of a second.
    for ((_, row), km) in first.iter().zip(at) {
        let wanted = f64::hypot(km, 15.0) / 3.5;
        let arrival = row.arrival.since(ORIGIN).as_secs_f64();
        assert!(
            (arrival - wanted).abs() < 0.1,
            "{km} km: {arrival} {wanted}"
        );
    }
    // The seconds that are left at T+5.8.
    let left = |km: usize| (first[km].1.arrival.0 - ORIGIN.0 - 5_800).div_euclid(1_000);
    assert_eq!((left(0), left(1), left(2), left(3)), (-1, 2, 6, 11));
    let second = estimate(&settings(""), &report(2, 6.3), &horns, false);
    assert_eq!(shown(&second)["078"], (5, Shown::Orange));
    assert_eq!(shown(&second)["025"], (7, Shown::Red));
    assert_eq!(shown(&second)["130"], (4, Shown::Notice));
}

#[test]
fn a_notice_wakes_nobody_at_night_and_a_drill_reaches_who_is_named_alone() {
    let village = horn("v", north(10.0));
    let (far, gas) = (horn("far", north(100.0)), machine("gas", north(30.0), 6));
    let bell = machine("bell", north(100.0), 6);
    let all = [village, far, gas, bell];
    let set = |settings: &Earthquake, status, night| {
        let report = Report {
            status,
            ..report(1, 5.9)
        };
        let shocks = estimate(settings, &report, &all, night);
        shown(&shocks).into_keys().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(set(&settings(""), Status::Actual, false), "far gas v");
    assert_eq!(set(&settings(""), Status::Actual, true), "gas v");
    assert_eq!(set(&settings(""), Status::Exercise, false), "gas");
    assert_eq!(set(&settings(""), Status::Test, false), "gas");
    let town = settings("exercise = [\"510727217\"]");
    assert_eq!(set(&town, Status::Exercise, false), "far gas v");
    assert_eq!(set(&town, Status::Test, false), "gas");
}

/// What the journal would know after this report.
fn known(before: Option<Quake>, report: &Report, rows: &[ShockRow]) -> Quake {
    let quaked = Quaked {
        feed: "province".into(),
        event: report.event.clone(),
        report: report.number,
        status: report.status,
        cancel: report.kind == Kind::Cancel,
        sent: report.sent,
        origin: report.origin,
        north: 0,
        east: 0,
        depth: 0,
        magnitude: 0,
        document: [0; 32],
        relayed: vec![Relayed {
            channel: "horn".into(),
            serial: 1,
            rows: rows.to_vec(),
        }],
    };
    let mut quake = before.unwrap_or(Quake {
        reports: BTreeMap::new(),
        terminals: BTreeMap::new(),
    });
    quake.reports.insert(report.number, (quaked, report.sent));
    if report.kind == Kind::Warning {
        for row in rows {
            let told = Told {
                channel: "horn".into(),
                report: report.number,
                intensity: row.intensity,
                arrival: row.arrival,
                shown: row.shown,
                said: Vec::new(),
                seconds: 0,
            };
            quake.terminals.insert(row.device.clone(), told);
        }
    }
    quake
}

fn rows(shocks: Vec<(&Terminal, ShockRow)>) -> Vec<ShockRow> {
    shocks.into_iter().map(|(_, row)| row).collect()
}

#[test]
fn a_newer_report_tells_who_is_new_and_whose_estimate_changed_and_an_older_one_nobody() {
    let horns: Vec<_> = [10.0, 25.0, 40.0, 78.0]
        .map(|km| horn(&format!("{km}"), north(km)))
        .into();
    let settings = settings("");
    let now = Timestamp(ORIGIN.0 + 5_800);
    let told = |report: &Report, known: Option<&Quake>| {
        rows(news(
            estimate(&settings, report, &horns, true),
            report.number,
            known,
            now,
        ))
    };
    let names = |rows: &[ShockRow]| {
        rows.iter()
            .map(|row| row.device.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let first = told(&report(1, 5.9), None);
    assert_eq!(names(&first), "10 25 40");
    let after = known(None, &report(1, 5.9), &first);
    let second = told(&report(2, 6.3), Some(&after));
    // 10 and 40 km are told nothing new; 25 km turns red; 78 km comes in.
    assert_eq!(names(&second), "25 78");
    let after = known(Some(after), &report(2, 6.3), &second);
    assert_eq!(names(&told(&report(3, 6.2), Some(&after))), "");
    // It overtakes: report 1 comes behind report 2.
    let only = known(
        None,
        &report(2, 6.3),
        &rows(estimate(&settings, &report(2, 6.3), &horns, true)),
    );
    assert_eq!(names(&told(&report(1, 5.9), Some(&only))), "");
}

#[test]
fn an_estimate_takes_no_siren_away_and_moves_its_arrival() {
    let horns = [horn("near", north(25.0)), horn("edge", north(60.0))];
    let settings = settings("");
    let now = Timestamp(ORIGIN.0 + 5_800);
    let strong = rows(estimate(&settings, &report(1, 6.3), &horns, false));
    let after = known(None, &report(1, 6.3), &strong);
    let weak = Report {
        depth: 40.0,
        ..report(2, 5.0)
    };
    let told = news(
        estimate(&settings, &weak, &horns, false),
        2,
        Some(&after),
        now,
    );
    let shown = shown(&told);
    assert_eq!(shown["near"], (5, Shown::Red));
    assert_eq!(shown["edge"], (4, Shown::Orange));
    assert!(
        told.iter()
            .all(|(_, row)| row.arrival > after.terminals[&row.device].arrival)
    );
}

#[test]
fn what_is_called_off_is_told_to_who_was_told_and_a_later_report_tells_it_anew() {
    let horns = [horn("near", north(10.0)), horn("far", north(60.0))];
    let settings = settings("");
    let first = rows(estimate(&settings, &report(1, 5.9), &horns, false));
    let after = known(None, &report(1, 5.9), &first);
    let cancel = Report {
        kind: Kind::Cancel,
        ..report(2, 5.9)
    };
    let at = |millis| Timestamp(ORIGIN.0 + millis);
    let told = |now| {
        called_off(2, Some(&after), now)
            .into_iter()
            .map(|(_, row)| row.device)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(at(9_000)), ["far", "near"]);
    // Near, it fell silent 10 s after the wave.
    assert_eq!(told(at(16_000)), ["far"]);
    assert!(
        called_off(1, Some(&after), at(9_000)).is_empty(),
        "it is older"
    );
    assert!(called_off(2, None, at(9_000)).is_empty(), "nobody was told");
    let off = known(Some(after), &cancel, &[]);
    let now = at(9_500);
    let again = news(
        estimate(&settings, &report(3, 5.9), &horns, false),
        3,
        Some(&off),
        now,
    );
    assert_eq!(again.len(), 2, "it comes after all");
    assert!(
        news(
            estimate(&settings, &report(1, 5.9), &horns, false),
            1,
            Some(&off),
            now
        )
        .is_empty()
    );
}

#[test]
fn nobody_is_told_whose_time_is_over() {
    let horns = [horn("near", north(10.0)), horn("far", north(100.0))];
    let now = Timestamp(ORIGIN.0 + 20_000);
    let told = news(
        estimate(&settings(""), &report(1, 6.3), &horns, false),
        1,
        None,
        now,
    );
    assert_eq!(shown(&told).into_keys().collect::<Vec<_>>(), ["far"]);
}

#[test]
fn a_report_that_no_earthquake_has_is_refused_by_its_field() {
    let good = serde_json::to_value(report(1, 5.9)).expect("JSON");
    let read = |value: &serde_json::Value| Report::read(value.to_string().as_bytes());
    assert_eq!(read(&good), Ok(report(1, 5.9)));
    for (field, value) in [
        ("v", 2.into()),
        ("event", "a b".into()),
        ("event", "".into()),
        ("event", "x".repeat(65).into()),
        ("report", 0.into()),
        ("report", 1001.into()),
        ("latitude", 90.1.into()),
        ("longitude", serde_json::json!(-180.5)),
        ("depth", serde_json::json!(-1)),
        ("magnitude", 10.5.into()),
        ("origin", (ORIGIN.0 + 6_000).into()),
        ("origin", (ORIGIN.0 - 600_000).into()),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let refused = read(&bad).expect_err(field).to_string();
        assert!(refused.starts_with(&format!("`{field}`")), "{refused}");
    }
    for (field, value) in [("status", "Draft"), ("kind", "alert")] {
        let mut bad = good.clone();
        bad[field] = value.into();
        assert!(read(&bad).expect_err(field).to_string().contains("line 1"));
    }
    let mut more = good.clone();
    more["text"] = "go out".into();
    assert!(read(&more).is_err(), "nothing is composed in it");
    assert!(Report::read(b"{").is_err() && Report::read(b"\xff").is_err());
}

#[test]
fn every_problem_of_the_settings_is_named() {
    let good = settings("");
    assert_eq!(good.problems(&["horn"]), Vec::<String>::new());
    let text = "speed = 0.1\n[[band]]\nmagnitude = 6.0\nkm = [[5, 10.0], [6, 20.0]]\n[[band]]\nmagnitude = 5.0\nkm = [[13, 1.0]]\n\
                [[feed]]\nname = \"a b\"\nkey = \"00\"\n[[feed]]\nname = \"a b\"\nkey = \"00\"\n\
                [[subscriber]]\ndevice = \"\"\nname = \"x\"\nchannel = \"sms\"\nkey = \"\"\nlat = 91.0\nlon = 0.0\nintensity = 0\n";
    let bad: Earthquake = toml::from_str(text).expect("it can be read");
    let said = bad.problems(&["horn"]).join("\n");
    for word in [
        "speed",
        "smallest first",
        "12 down to 1",
        "letters, digits",
        "stands twice",
        "64 hex",
        "channel \"sms\"",
        "degrees",
    ] {
        assert!(said.contains(word), "{word} in {said}");
    }
    assert!(
        toml::from_str::<Earthquake>("").is_err(),
        "a feed is needed"
    );
}

#[test]
fn a_drill_says_so_first_and_last() {
    for cancel in [false, true] {
        let words = words(true, cancel);
        assert!(
            words.starts_with("演练") && words.ends_with("演练。"),
            "{words}"
        );
        assert!(!super::words(false, cancel).contains("演练"));
    }
}

proptest! {
    /// The set that is alarmed is that of an oracle over the points, after each report.
    #[test]
    fn who_is_alarmed_is_who_the_oracle_says(
        points in prop::collection::vec((-1.2_f64..1.2, -1.4_f64..1.4), 1..60),
        magnitudes in prop::collection::vec(4.0_f64..7.9, 1..4),
    ) {
        let horns: Vec<_> = (0..).zip(&points)
            .map(|(n, (a, b))| horn(&format!("h{n}"), (EPICENTRE.0 + a, EPICENTRE.1 + b)))
            .collect();
        let settings = settings("");
        for magnitude in magnitudes {
            let found = shown(&estimate(&settings, &report(1, magnitude), &horns, true));
            for (horn, point) in horns.iter().zip(&points) {
                let away = sphere(*point);
                let band = settings.bands.iter().rev().find(|band| band.magnitude <= magnitude).expect("it begins at 4");
                // A sphere is half a percent wrong: who stands on a border is asked nothing.
                if band.km.iter().any(|(_, upto)| (away - upto).abs() < upto * 0.01) {
                    continue;
                }
                let alarmed = band.km.iter().any(|(intensity, upto)| *intensity >= 5 && away < *upto);
                prop_assert_eq!(found.contains_key(&horn.device), alarmed, "{} km", away);
            }
        }
    }
}

/// Kilometres of a point from the epicentre on a sphere.
fn sphere((a, b): (f64, f64)) -> f64 {
    let (lat, other) = (EPICENTRE.0.to_radians(), (EPICENTRE.0 + a).to_radians());
    let cos = lat.sin() * other.sin() + lat.cos() * other.cos() * b.to_radians().cos();
    cos.clamp(-1.0, 1.0).acos() * 6371.0
}
