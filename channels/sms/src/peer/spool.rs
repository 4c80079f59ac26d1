//! The peer's memory over a kill: one line for each message taken, one for each receipt answered, and one for each text
//! that a script counted. A write reaches the
//! page cache and no further, which outlives the process and not the machine. This module must not be taken for a
//! journal.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::post::{Letter, Number};

pub(super) struct Spool {
    file: File,
}

/// What a spool held.
pub(super) struct Found {
    pub letters: Vec<Letter>,
    /// The highest id that was ever given.
    pub highest: u64,
    /// How many texts came to each address, where a script counts them.
    pub attempts: HashMap<Box<str>, u32>,
}

impl Spool {
    /// Reads what is left of an earlier run and writes it anew, without what is done.
    pub fn open(path: &Path) -> io::Result<(Self, Found)> {
        let found = match std::fs::read_to_string(path) {
            Ok(text) => read(&text),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Found {
                letters: Vec::new(),
                highest: 0,
                attempts: HashMap::new(),
            },
            Err(e) => return Err(e),
        };
        let fresh = path.with_extension("fresh");
        let mut text = format!("= {}\n", found.highest);
        for letter in &found.letters {
            taken(letter, &mut text);
        }
        for (dest, count) in &found.attempts {
            counted(dest, *count, &mut text);
        }
        std::fs::write(&fresh, text)?;
        std::fs::rename(&fresh, path)?;
        let file = OpenOptions::new().append(true).open(path)?;
        Ok((Self { file }, found))
    }

    /// # Panics
    /// When the spool cannot be written: a peer that forgets would prove nothing.
    pub fn write(&mut self, lines: &str) {
        if !lines.is_empty() {
            self.file
                .write_all(lines.as_bytes())
                .expect("the peer's spool can be written");
        }
    }
}

pub(super) fn taken(letter: &Letter, lines: &mut String) {
    let Letter {
        id,
        stat,
        error,
        source,
        dest,
        ..
    } = letter;
    // Empty addresses are written as a dash, so that every line has as many words.
    let word = |number: &Number| {
        if number.bytes().is_empty() {
            "-".to_owned()
        } else {
            String::from_utf8_lossy(number.bytes()).replace(' ', "_")
        }
    };
    let _ = writeln!(
        lines,
        "+ {id} {stat} {error} {} {}",
        word(source),
        word(dest)
    );
}

pub(super) fn done(id: u64, lines: &mut String) {
    let _ = writeln!(lines, "- {id}");
}

/// So many more texts to this address.
pub(super) fn counted(dest: &str, count: u32, lines: &mut String) {
    let _ = writeln!(lines, "~ {} {count}", dest.replace(' ', "_"));
}

fn read(text: &str) -> Found {
    let mut attempts: HashMap<Box<str>, u32> = HashMap::new();
    let mut open: HashMap<u64, Letter> = HashMap::new();
    let mut highest = 0;
    // A kill may have torn the last line.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    for line in whole.lines() {
        let mut words = line.split(' ');
        if let Some(text) = line.strip_prefix("~ ") {
            if let Some((dest, count)) = text.rsplit_once(' ') {
                *attempts.entry(dest.into()).or_default() += count.parse().unwrap_or(0);
            }
            continue;
        }
        let (Some(mark), Some(Ok(id))) = (words.next(), words.next().map(str::parse::<u64>)) else {
            continue;
        };
        highest = highest.max(id);
        match mark {
            "+" => {
                if let Some(letter) = letter(id, words) {
                    open.insert(id, letter);
                }
            }
            "-" => drop(open.remove(&id)),
            _ => {}
        }
    }
    let mut letters: Vec<Letter> = open.into_values().collect();
    letters.sort_unstable_by_key(|letter| letter.id);
    Found {
        letters,
        highest,
        attempts,
    }
}

fn letter<'a>(id: u64, mut words: impl Iterator<Item = &'a str>) -> Option<Letter> {
    let stat = crate::receipt::smpp::stat(words.next()?);
    let error = words.next()?.parse().ok()?;
    let mut word = || {
        words
            .next()
            .map(|word| if word == "-" { "".into() } else { word.into() })
    };
    Some(Letter {
        id,
        due: 0,
        stat,
        error,
        source: word()?,
        dest: word()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_answered_is_found_again_and_a_torn_line_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool");
        let letter = |id| Letter {
            id,
            due: 9,
            stat: "UNDELIV",
            error: 12,
            source: "12379".into(),
            dest: "".into(),
        };
        let (mut spool, found) = Spool::open(&path).unwrap();
        assert_eq!((found.letters.len(), found.highest), (0, 0));
        let mut lines = String::new();
        for id in [7, 8, 9] {
            taken(&letter(id), &mut lines);
        }
        done(8, &mut lines);
        done(9, &mut lines);
        counted("00010000001", 1, &mut lines);
        counted("00010000001", 1, &mut lines);
        lines.push_str("+ 10 DELIVRD 0 1");
        spool.write(&lines);
        for _ in 0..2 {
            let (_, found) = Spool::open(&path).unwrap();
            assert_eq!(
                found.letters,
                [Letter {
                    due: 0,
                    ..letter(7)
                }]
            );
            assert_eq!(found.highest, 9, "an id is never given twice");
            assert_eq!(found.attempts["00010000001"], 2);
        }
    }
}
