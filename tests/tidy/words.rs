//! Where each library may be named. A library has one room, so that its replacement is one room's work; this is the one
//! list of those rooms.

use crate::Violation;
use crate::floors::{WIRING, floor, room};
use crate::paths::paths;
use crate::scan::Source;

/// A library's crates, the paths that may name them, and whether tests may name them anywhere in a channel.
struct Place {
    crates: &'static [&'static str],
    paths: &'static [&'static str],
    advice: &'static str,
}

const PLACES: [Place; 5] = [
    Place {
        crates: &["axum"],
        paths: &[
            "src/http/",
            "src/http.rs",
            "src/console/",
            "src/console.rs",
            "src/commands/demo",
        ],
        advice: "axum lives in http, console, the demo and the channels' peers: a channel serves with channel::Request and Reply",
    },
    Place {
        crates: &[
            "rusqlite",
            "tokio_postgres",
            "deadpool_postgres",
            "postgres",
            "sqlx",
        ],
        paths: &["src/store/", "src/store.rs"],
        advice: "the database is named in the store alone: add what you need to the trait Store",
    },
    Place {
        crates: &["reqwest"],
        paths: &["channels/channel/"],
        advice: "there is one HTTP client: channel::HttpClient",
    },
    Place {
        crates: &["redis", "deadpool_redis"],
        paths: &["src/coord/", "src/coord.rs"],
        advice: "Redis is named in coord alone: ask coord for the permit, the token or the presence",
    },
    Place {
        crates: &["lettre"],
        paths: &["channels/email/"],
        advice: "mail is the email channel's: send through a Channel",
    },
];

const CHANNELS: [&str; 6] = [
    "sms",
    "loudspeaker",
    "wechat",
    "email",
    "satellite",
    "manual",
];

pub fn rooms(sources: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in sources {
        for named in paths(source) {
            if let Some(advice) = misplaced(source, &named.segments[0], named.line) {
                found.push(Violation::new(&source.path, named.line, advice));
            }
        }
    }
    found
}

fn misplaced(source: &Source, name: &str, line: usize) -> Option<&'static str> {
    let path = source.path.as_str();
    if CHANNELS.contains(&name) && room(path).is_some_and(|room| floor(room) != Some(WIRING)) {
        return Some("only the wiring sees the channel crates: a room holds Arc<dyn Channel>");
    }
    let place = PLACES.iter().find(|place| place.crates.contains(&name))?;
    let at_home = place.paths.iter().any(|home| path.starts_with(home));
    let peer =
        name == "axum" && path.starts_with("channels/") && (source.is_test(line) || is_peer(path));
    (!at_home && !peer).then_some(place.advice)
}

/// `channels/*/src/peer.rs`, `channels/*/src/peer/…`.
fn is_peer(path: &str) -> bool {
    path.split('/')
        .nth(3)
        .is_some_and(|part| part.trim_end_matches(".rs") == "peer")
}

/// How a statement of SQL begins, and a word that it must hold after that to be told from prose.
const STATEMENTS: [(&str, &str); 11] = [
    ("SELECT ", ""),
    ("INSERT ", "INTO "),
    ("UPDATE ", " SET "),
    ("DELETE ", "FROM "),
    ("WITH ", " AS "),
    ("CREATE ", "TABLE "),
    ("CREATE ", "INDEX "),
    ("ALTER ", "TABLE "),
    ("DROP ", "TABLE "),
    ("PRAGMA ", ""),
    ("LISTEN ", ""),
];

pub fn sql(sources: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in sources
        .iter()
        .filter(|source| room(&source.path).is_none_or(|room| room != "store"))
    {
        for literal in source
            .strings
            .iter()
            .filter(|literal| is_sql(&literal.text))
        {
            let advice = "SQL is written in the store alone: add what you need to the trait Store";
            found.push(Violation::new(&source.path, literal.line, advice));
        }
    }
    found
}

fn is_sql(literal: &str) -> bool {
    let inside = literal
        .trim_start_matches(['r', '#', '"'])
        .trim_start_matches([' ', '\n', '\\']);
    let words = inside.split_whitespace().collect::<Vec<_>>().join(" ");
    STATEMENTS.iter().any(|(start, then)| {
        words
            .strip_prefix(start)
            .is_some_and(|rest| rest.contains(then))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<usize> {
        let sources = [Source::new(path, text)];
        let mut lines: Vec<usize> = rooms(&sources)
            .iter()
            .chain(&sql(&sources))
            .map(|violation| violation.line)
            .collect();
        lines.sort_unstable();
        lines
    }

    #[test]
    fn a_library_outside_its_room_is_caught() {
        assert_eq!(
            broken(
                "src/dispatch/lane.rs",
                "use axum::Router;\nuse {reqwest, std::fmt};\nlet x = deadpool_redis::Pool::new();"
            ),
            [1, 2, 3]
        );
        assert_eq!(
            broken(
                "src/ledger/writer.rs",
                "fn f(c: &rusqlite::Connection) {}\nuse ::lettre as mail;"
            ),
            [1, 2]
        );
        assert_eq!(
            broken(
                "channels/wechat/src/session.rs",
                "use reqwest::Client;\nuse axum::Router;\nuse lettre::Message;"
            ),
            [1, 2, 3]
        );
    }

    #[test]
    fn a_library_in_its_room_is_let_be() {
        assert_eq!(broken("src/http/alerts.rs", "use axum::Router;"), []);
        assert_eq!(broken("src/commands/demo/mod.rs", "use axum::Router;"), []);
        assert_eq!(
            broken(
                "src/store/sqlite.rs",
                "use rusqlite::Connection;\nlet x = \"SELECT 1\";"
            ),
            []
        );
        assert_eq!(
            broken("channels/channel/src/http.rs", "use reqwest::Client;"),
            []
        );
        assert_eq!(
            broken("channels/sms/src/peer/http.rs", "use axum::Router;"),
            []
        );
        assert_eq!(
            broken(
                "channels/sms/src/aliyun.rs",
                "#[cfg(test)]\nmod tests {\n  use axum::Router;\n}"
            ),
            []
        );
        assert_eq!(
            broken(
                "src/config/mod.rs",
                "struct C { redis: Option<String>, email: E }\nlet x = c.redis;"
            ),
            []
        );
    }

    #[test]
    fn a_channel_crate_outside_the_wiring_is_caught() {
        let text = "use sms::Smpp;\nlet x = email::Config::new();\nuse satellite;";
        assert_eq!(broken("src/dispatch/lane.rs", text), [1, 2, 3]);
        assert_eq!(broken("src/factories.rs", text), []);
        assert_eq!(broken("channels/sms/tests/smpp.rs", text), []);
    }

    #[test]
    fn sql_outside_the_store_is_caught_and_prose_is_not() {
        let text = "a(\"SELECT x FROM y\");\na(r#\"\n  UPDATE part\n  SET x = 1\"#);\na(\"Update the map and SET off\");\na(\"DELETE FROM x\");\na(\"UPDATE\");";
        assert_eq!(broken("src/registry/import.rs", text), [1, 2, 6]);
    }
}
