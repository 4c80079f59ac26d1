//! Where the journal lies. A URL may hold a password: this module must not show it, in a problem or otherwise.

use std::fmt;

use serde::Deserialize;

use crate::store::Postgres;

/// `node.store`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Journal {
    /// A file in the data folder.
    #[default]
    Sqlite,
    /// The URL of a database that nodes share.
    Postgres(String),
}

impl From<String> for Journal {
    fn from(text: String) -> Self {
        if text == "sqlite" {
            Self::Sqlite
        } else {
            Self::Postgres(text)
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "Sqlite",
            Self::Postgres(_) => "Postgres(…)",
        })
    }
}

impl Journal {
    pub fn problem(&self) -> Option<String> {
        let Self::Postgres(url) = self else {
            return None;
        };
        let why = Postgres::check(url).err()?;
        Some(format!(
            "node.store: {why}; write \"sqlite\", or postgres://USER@HOST:PORT/DATABASE"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Node {
        #[serde(default)]
        store: Journal,
    }

    fn read(text: &str) -> Journal {
        toml::from_str::<Node>(text).expect("reads").store
    }

    #[test]
    fn the_journal_is_a_file_unless_a_url_is_given() {
        assert_eq!(read(""), Journal::Sqlite);
        assert_eq!(read("store = \"sqlite\"").problem(), None);
        let url = "postgres://a@127.0.0.1/tocsin";
        let shared = read(&format!("store = {url:?}"));
        assert_eq!(shared, Journal::Postgres(url.into()));
        assert_eq!(shared.problem(), None);
    }

    #[test]
    fn a_url_is_never_shown() {
        let wrong = read("store = \"mysql://a:hidden@127.0.0.1/tocsin\"");
        let problem = wrong.problem().expect("a problem");
        assert!(problem.starts_with("node.store: "), "{problem}");
        assert!(!format!("{problem}{wrong:?}").contains("hidden"));
    }
}
