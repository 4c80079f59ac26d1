//! The reference controller's disk: what must outlive a power cut, in one small file. It must not leave half of one.

use std::io::Write as _;
use std::path::Path;

use crate::state::State;

pub fn load(path: &Path) -> Result<Option<State>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|_| {
            format!(
                "{}: not a controller's memory; restore it, or remove it and enrol again",
                path.display()
            )
        }),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(format!("reading {}: {why}", path.display())),
    }
}

pub fn keep(path: &Path, state: &State) -> Result<(), String> {
    let text = serde_json::to_string(state).expect("it is numbers and texts");
    write(path, &text)
}

/// Replaced in one step, so that a power cut leaves the old memory or the new one.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    let new = path.with_extension("new");
    std::fs::File::create(&new)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|why| format!("keeping {}: {why}", path.display()))
}
