//! Speech that was made, on disk: a file for each text and voice, named by both hashes, and no more than so many. A restart
//! finds it again, so that a controller still fetches what it was ordered to play. This module must not make speech; what
//! lies here can be made again.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use channel::Sound;
use parking_lot::Mutex;

use super::clip::examine;

/// An alert has a few texts, and a county a few alerts a day.
const KEPT: usize = 512;
/// What is asked for by a whole county at once is read once.
const HOT: usize = 8;

#[derive(Debug, thiserror::Error)]
#[error("the folder of speech {0}: {1}; make room or restore access to it")]
pub struct BadShelf(String, std::io::Error);

struct File {
    /// Of the text and the voice.
    of: String,
    sound: Sound,
    path: PathBuf,
}

#[derive(Default)]
struct Index {
    /// Oldest first.
    files: VecDeque<File>,
    hot: VecDeque<(String, Bytes)>,
}

pub struct Shelf {
    folder: PathBuf,
    index: Mutex<Index>,
}

const KINDS: [(&str, &str); 3] = [
    ("wav", "audio/wav"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
];

impl Shelf {
    /// Finds what was made before. What is not one of its own files is left alone.
    pub fn open(folder: &Path) -> Result<Self, BadShelf> {
        let bad = |e| BadShelf(folder.display().to_string(), e);
        let mut found = Vec::new();
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => Some(entries),
            // It is made with the first file.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(bad(e)),
        };
        for entry in entries.into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else {
                continue;
            };
            let name = entry.file_name();
            if let Some((of, sound)) = name.to_str().and_then(|n| named(n, about.len())) {
                let path = entry.path();
                found.push((about.modified().ok(), File { of, sound, path }));
            }
        }
        found.sort_by_key(|(made, _)| *made);
        let files = found.into_iter().map(|(_, file)| file).collect();
        let (folder, hot) = (folder.to_owned(), VecDeque::new());
        Ok(Self {
            folder,
            index: Mutex::new(Index { files, hot }),
        })
    }

    pub fn find(&self, of: &str) -> Option<Sound> {
        let index = self.index.lock();
        let found = index.files.iter().find(|file| file.of == of);
        found.map(|file| file.sound.clone())
    }

    /// Keeps what was made of a text; the oldest makes room.
    pub async fn put(&self, of: &str, sound: &Sound, bytes: Bytes) -> Result<(), BadShelf> {
        let kind = KINDS.iter().find(|(_, mime)| *mime == sound.mime);
        let kind = kind.map_or("wav", |(kind, _)| kind);
        let Sound {
            sha256, seconds, ..
        } = sound;
        let path = self.folder.join(format!("{of}-{sha256}-{seconds}.{kind}"));
        let bad = |e| BadShelf(path.display().to_string(), e);
        let new = path.with_extension("new");
        tokio::fs::create_dir_all(&self.folder).await.map_err(bad)?;
        tokio::fs::write(&new, &bytes).await.map_err(bad)?;
        tokio::fs::rename(&new, &path).await.map_err(bad)?;
        let (of, sound) = (of.to_owned(), sound.clone());
        let spare = {
            let mut index = self.index.lock();
            index.warm(&sound.sha256, bytes);
            index.files.push_back(File { of, sound, path });
            let spare = index.files.len().saturating_sub(KEPT);
            index.files.drain(..spare).collect::<Vec<_>>()
        };
        for file in spare {
            // What stays behind is found at the next start, and goes then.
            let _ = tokio::fs::remove_file(file.path).await;
        }
        Ok(())
    }

    /// The bytes of one; nothing where it is gone or is no longer what its name says.
    pub async fn bytes(&self, sha256: &str) -> Option<Bytes> {
        let path = {
            let index = self.index.lock();
            let hot = index.hot.iter().find(|(hash, _)| hash == sha256);
            if let Some((_, bytes)) = hot {
                return Some(bytes.clone());
            }
            let file = index.files.iter().find(|f| f.sound.sha256 == sha256);
            file.map(|file| file.path.clone())
        };
        let bytes = Bytes::from(tokio::fs::read(path?).await.ok()?);
        self.warm(sha256, &bytes);
        (hash(&bytes) == sha256).then_some(bytes)
    }

    /// What was asked for, so that the next who asks has it at once.
    pub fn warm(&self, sha256: &str, bytes: &Bytes) {
        if hash(bytes) == sha256 {
            self.index.lock().warm(sha256, bytes.clone());
        }
    }
}

impl Index {
    fn warm(&mut self, sha256: &str, bytes: Bytes) {
        self.hot.retain(|(hash, _)| hash != sha256);
        if self.hot.len() == HOT {
            self.hot.pop_front();
        }
        self.hot.push_back((sha256.to_owned(), bytes));
    }
}

/// What a file's name says: both hashes, the length and the sort.
fn named(name: &str, bytes: u64) -> Option<(String, Sound)> {
    let (stem, kind) = name.rsplit_once('.')?;
    let (_, mime) = KINDS.iter().find(|(own, _)| *own == kind)?;
    let mut parts = stem.split('-');
    let (of, sha256, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let sound = Sound {
        sha256: sha256.to_owned(),
        mime: (*mime).to_owned(),
        bytes: u32::try_from(bytes).ok()?,
        seconds: seconds.parse().ok()?,
    };
    let whole = parts.next().is_none() && is_hash(of) && is_hash(sha256);
    whole.then(|| (of.to_owned(), sound))
}

pub fn hash(bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

/// A sound as it is named everywhere, if it is one.
pub fn sound(bytes: &[u8]) -> Result<Sound, super::BadSound> {
    let (format, millis) = examine(bytes)?;
    Ok(Sound {
        sha256: hash(bytes),
        mime: format.mime().to_owned(),
        bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        seconds: millis.div_ceil(1000),
    })
}
