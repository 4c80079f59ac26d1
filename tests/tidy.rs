//! The house's law, held by reading the source: sizes, opening paragraphs, floors, words, habits and links. It judges
//! text only; it must not build, run or change anything, and needs nothing beside the clone.

#[path = "tidy/alarms.rs"]
mod alarms;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/links.rs"]
mod links;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/scan.rs"]
mod scan;
#[path = "tidy/words.rs"]
mod words;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use scan::Source;

/// One place where the tree breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    path: String,
    line: usize,
    advice: String,
}

impl Violation {
    fn new(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// A test starts in the folder of its package: of the clone that runs it, whichever it was built in.
fn root() -> &'static Path {
    Path::new(".")
}

/// Every file below `folder` with this extension, as paths from the root with `/`, sorted.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.map(|entry| {
            entry
                .expect("an entry of a folder that was just listed")
                .path()
        }) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(relative(&path));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    let inside = path
        .strip_prefix(root())
        .expect("only paths below the root are listed");
    inside
        .to_str()
        .expect("file names of this project are UTF-8")
        .to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|e| panic!("read {path}: {e}; is it UTF-8?"))
}

fn crates() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("channels")).expect("the workspace has channels/");
    entries
        .map(|entry| entry.expect("an entry of channels/").path())
        .filter(|path| path.is_dir())
        .collect()
}

fn sources(folders: &[String]) -> Vec<Source> {
    let paths = folders.iter().flat_map(|folder| files(folder, "rs"));
    paths.map(|path| Source::new(&path, &read(&path))).collect()
}

/// What ships: the code that the laws of size, head, floor and word speak of.
fn shipped() -> Vec<Source> {
    let mut folders = vec![
        "src".to_owned(),
        "cap-schemas/src".to_owned(),
        "examples".to_owned(),
    ];
    folders.extend(crates().iter().map(|path| relative(&path.join("src"))));
    sources(&folders)
}

/// Every Rust file: what ships and what tests it.
fn all() -> Vec<Source> {
    let mut folders = vec!["tests".to_owned(), "cap-schemas/tests".to_owned()];
    folders.extend(crates().iter().map(|path| relative(&path.join("tests"))));
    let mut all = shipped();
    all.extend(sources(&folders));
    all
}

fn hold(law: &str, mut broken: Vec<Violation>) {
    broken.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    let list: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert!(
        broken.is_empty(),
        "{law}\n{} places break it:\n{}\n",
        broken.len(),
        list.join("\n")
    );
}

#[test]
fn the_walk_finds_the_tree_that_the_rules_judge() {
    let paths: Vec<String> = all().into_iter().map(|source| source.path).collect();
    for wanted in [
        "src/main.rs",
        "cap-schemas/src/lib.rs",
        "channels/channel/src/lib.rs",
        "tests/tidy.rs",
    ] {
        assert!(
            paths.iter().any(|path| path == wanted),
            "{wanted} is not among {paths:?}"
        );
    }
}

#[test]
fn no_file_is_longer_than_a_sitting() {
    hold(
        "A file has at most 400 lines before its tests.",
        rules::long_files(&shipped()),
    );
}

#[test]
fn no_function_is_longer_than_a_screen() {
    hold(
        "A function has at most 60 lines.",
        rules::long_functions(&shipped()),
    );
}

#[test]
fn every_module_says_what_it_is_for() {
    hold(
        "A file opens with a `//!` paragraph: what it is for, what it must not do.",
        rules::heads(&shipped()),
    );
}

#[test]
fn rooms_see_only_the_floors_below_them() {
    hold(
        "Arrows go down; rooms of one floor never see each other.",
        floors::arrows(&shipped()),
    );
}

#[test]
fn libraries_are_spoken_only_in_their_rooms() {
    hold("Each library has its room.", words::rooms(&shipped()));
}

#[test]
fn sql_is_written_only_in_the_store() {
    hold("SQL lives in the store.", words::sql(&shipped()));
}

#[test]
fn nothing_is_silenced_left_undone_or_skipped() {
    hold("No allow, no todo, no ignored test.", rules::habits(&all()));
}

#[test]
fn unwrap_is_left_to_tests() {
    hold("No unwrap outside tests.", rules::unwraps(&shipped()));
}

#[test]
fn every_alarm_stands_in_the_operator_s_page() {
    let page = fs::read_to_string(root().join("docs/operations.md")).expect("the page");
    hold(
        "Who is woken finds what it means and what to do.",
        alarms::alarms(&shipped(), &page),
    );
}

#[test]
fn nothing_prints_but_a_command_that_says_something() {
    hold(
        "Output that survives a closed pipe.",
        rules::prints(&shipped()),
    );
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut pages = files("docs", "md");
    pages.extend(
        root()
            .join("README.md")
            .exists()
            .then(|| "README.md".to_owned()),
    );
    let exists = |path: &str| root().join(path).exists();
    let broken = pages
        .iter()
        .flat_map(|page| links::dead(page, &read(page), exists))
        .collect();
    hold("A relative link names a file of this repository.", broken);
}
