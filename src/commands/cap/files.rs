//! The files that a command line names, one after another: a folder gives the regular files below it in the order of their
//! names, without following links to folders, so that no loop is walked. This module must not read beyond a limit.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::shown;

/// The name under which standard input is asked for.
const STDIN: &str = "-";

pub enum Found {
    File(PathBuf),
    Stdin,
    /// A folder that cannot be listed.
    Closed(String),
}

impl Found {
    /// Its name and bytes, one byte more than the limit at most: enough to see that it is exceeded.
    pub fn read(self, limit: usize) -> Result<(String, Vec<u8>), String> {
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        let (name, read) = match self {
            Self::Closed(why) => return Err(why),
            Self::Stdin => {
                let read = io::stdin().lock().take(most).read_to_end(&mut bytes);
                (STDIN.to_owned(), read)
            }
            Self::File(path) => {
                let read =
                    File::open(&path).and_then(|file| file.take(most).read_to_end(&mut bytes));
                (shown(&path), read)
            }
        };
        match read {
            Ok(_) => Ok((name, bytes)),
            Err(error) => Err(format!("reading {name}: {error}")),
        }
    }
}

/// All that the paths name, listed as it is needed.
pub fn below(paths: &[PathBuf]) -> impl Iterator<Item = Found> + use<> {
    let mut waiting: VecDeque<(PathBuf, bool)> =
        paths.iter().map(|path| (path.clone(), true)).collect();
    std::iter::from_fn(move || {
        while let Some((path, named)) = waiting.pop_front() {
            if named && path == Path::new(STDIN) {
                return Some(Found::Stdin);
            }
            // Only what is named on the command line may be a link or a pipe.
            let folder = if named {
                path.is_dir()
            } else {
                path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
            };
            if !folder {
                if named || path.is_file() {
                    return Some(Found::File(path));
                }
                continue;
            }
            match listed(&path) {
                Ok(inside) => {
                    for one in inside.into_iter().rev() {
                        waiting.push_front((one, false));
                    }
                }
                Err(error) => {
                    return Some(Found::Closed(format!("listing {}: {error}", shown(&path))));
                }
            }
        }
        None
    })
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut inside = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    inside.sort();
    Ok(inside)
}
