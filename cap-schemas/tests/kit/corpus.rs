//! Real messages, where they are present beside the project. They are third parties' data and no part of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> Option<PathBuf> {
    let path = PathBuf::from("../../shared/data/cap");
    if path.is_dir() {
        return Some(path);
    }
    println!("the corpus is absent: nothing to read");
    None
}

/// Every message file, by its path within the corpus.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
    {
        for file in fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let name = file.strip_prefix(root).unwrap().display().to_string();
            found.insert(name, fs::read(file).unwrap());
        }
    }
    found
}
