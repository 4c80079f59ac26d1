//! The floors of the house and who may see whom. A room is a module of the root crate; this is the one list of them, and
//! a room that is not on it must be given its floor here before it is built.

use crate::Violation;
use crate::paths::paths;
use crate::scan::Source;

/// The wiring: the one floor whose rooms see each other, and the only one that sees the channel crates.
pub const WIRING: u8 = 9;

const FLOORS: [(u8, &[&str]); 9] = [
    (
        WIRING,
        &["main", "app", "config", "factories", "commands", "fuzzing"],
    ),
    (8, &["http", "console"]),
    (7, &["exchange", "report", "live"]),
    (6, &["ingest", "release", "dispatch", "lastmile"]),
    (5, &["plan", "coverage"]),
    (4, &["trust", "registry", "media"]),
    (3, &["ledger"]),
    (2, &["store", "coord"]),
    (1, &["model"]),
];

pub fn floor(room: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(_, rooms)| rooms.contains(&room))
        .map(|(floor, _)| *floor)
}

/// The room that a file of the root crate belongs to; the root of a library is wiring, as `main` is.
pub fn room(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let room = inside.split('/').next()?.trim_end_matches(".rs");
    Some(if room == "lib" { "main" } else { room })
}

pub fn arrows(sources: &[Source]) -> Vec<Violation> {
    sources
        .iter()
        .flat_map(|source| room(&source.path).map_or_else(Vec::new, |from| of_file(source, from)))
        .collect()
}

fn of_file(source: &Source, from: &str) -> Vec<Violation> {
    let Some(floor_of_from) = floor(from) else {
        let advice = format!(
            "`{from}` is no room of the house: put the file in one, or give the room a floor in tests/tidy/floors.rs"
        );
        return vec![Violation::new(&source.path, 1, advice)];
    };
    let mut found = Vec::new();
    for named in paths(source) {
        let [start, to, ..] = named.segments.as_slice() else {
            continue;
        };
        if !(start == "crate" || start == "tocsin") || to == from {
            continue;
        }
        let advice = match floor(to) {
            Some(floor) if floor < floor_of_from || (floor, floor_of_from) == (WIRING, WIRING) => {
                continue;
            }
            Some(floor) => format!(
                "`{from}` (floor {floor_of_from}) must not see `{to}` (floor {floor}): move what they share below both, or let a floor above hand it in"
            ),
            // The root may name what it declares itself.
            None if from == "main" => continue,
            None => {
                format!("`crate::{to}` is no room of the house: name what you need by its room")
            }
        };
        found.push(Violation::new(&source.path, named.line, advice));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<usize> {
        arrows(&[Source::new(path, text)])
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn a_room_sees_itself_and_the_floors_below() {
        assert_eq!(
            broken(
                "src/plan/target.rs",
                "use crate::plan::rules::Rule;\nuse crate::{ledger::Event, model::*};\nuse super::rules;"
            ),
            []
        );
        assert_eq!(
            broken(
                "src/app.rs",
                "use crate::config::Config;\nuse crate::http::serve;"
            ),
            []
        );
        assert_eq!(
            broken("src/main.rs", "mod app;\nuse crate::commands::run;"),
            []
        );
    }

    #[test]
    fn an_arrow_up_or_sideways_is_caught() {
        assert_eq!(
            broken(
                "src/store/sqlite.rs",
                "use crate::model::Id;\nuse crate::ledger::Event;"
            ),
            [2]
        );
        assert_eq!(
            broken(
                "src/ingest/mod.rs",
                "use crate::{plan::Plan,\n    release::Release};"
            ),
            [2]
        );
        assert_eq!(
            broken(
                "src/model.rs",
                "fn f() -> crate::store::Store {\n  super::coord::now()\n}"
            ),
            [1, 2]
        );
        assert_eq!(broken("src/http/mod.rs", "use tocsin::app::App;"), [1]);
    }

    #[test]
    fn the_tests_of_a_room_obey_its_floor() {
        assert_eq!(
            broken(
                "src/dispatch/lane.rs",
                "#[cfg(test)]\nmod tests {\n  use crate::lastmile::Round;\n}"
            ),
            [3]
        );
    }

    #[test]
    fn a_room_without_a_floor_is_caught() {
        assert_eq!(broken("src/helpers.rs", ""), [1]);
        assert_eq!(
            broken("src/model/mod.rs", "use crate::helpers::x;\nuse crate::*;"),
            [1, 2]
        );
    }
}
