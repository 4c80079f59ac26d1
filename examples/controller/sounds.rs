//! What the reference controller sounds: the pieces of a reading, each as a printed line, and the files of sound that it
//! fetches, checks and keeps beside its memory. A piece whose file is not at hand is spoken from its text. This module must
//! not keep what is not what its hash says, and must not decide whose turn it is.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use channel::{Level, Sound};
use loudspeaker::order::{Order, PIECE_TONE, Piece, TONE};
use loudspeaker::{Line, LineError};

/// More files are not kept; the oldest goes.
const KEPT: usize = 64;

pub struct Larder {
    folder: PathBuf,
    /// What the gateway does not have any more: nobody waits for it.
    gone: HashSet<String>,
}

impl Larder {
    /// Beside the file of this controller's memory.
    pub fn beside(state: &Path) -> Self {
        Self {
            folder: state.with_extension("sounds"),
            gone: HashSet::new(),
        }
    }

    fn place(&self, sound: &Sound) -> PathBuf {
        let plain = sound.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.folder.join(if plain { &sound.sha256 } else { "none" })
    }

    pub fn has(&self, sound: &Sound) -> bool {
        let about = std::fs::metadata(self.place(sound));
        about.is_ok_and(|about| about.len() == u64::from(sound.bytes))
    }

    /// It is here, or nowhere.
    pub fn is_settled(&self, sound: &Sound) -> bool {
        self.has(sound) || self.gone.contains(&sound.sha256)
    }

    pub fn next(&self, wanted: Vec<Sound>) -> Option<Sound> {
        wanted.into_iter().find(|sound| !self.is_settled(sound))
    }

    /// Takes what a fetch has brought; false when the same is to be asked for again after a while.
    pub fn took(&mut self, sound: &Sound, got: Result<Bytes, LineError>) -> bool {
        let kept = match got {
            Ok(bytes) => self.keep(sound, &bytes),
            Err(LineError::Refused { status, .. }) if [404, 422].contains(&status) => {
                self.gone.insert(sound.sha256.clone());
                return true;
            }
            Err(why) => Err(why.to_string()),
        };
        kept.map_err(|why| eprintln!("a sound: {why}")).is_ok()
    }

    fn keep(&self, sound: &Sound, bytes: &[u8]) -> Result<(), String> {
        let place = self.place(sound);
        let new = place.with_extension("new");
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&new, bytes))
            .and_then(|()| std::fs::rename(&new, &place))
            .map_err(|why| format!("keeping {}: {why}", place.display()))?;
        self.make_room();
        Ok(())
    }

    fn make_room(&self) {
        let files = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten();
        let mut files: Vec<_> = files
            .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
            .collect();
        files.sort();
        let spare = files.len().saturating_sub(KEPT);
        for (_, file) in files.drain(..spare) {
            let _ = std::fs::remove_file(file);
        }
    }

    /// How long one reading sounds; `reading` is what a text takes that is spoken here.
    pub fn length(&self, order: &Order, reading: Duration) -> Duration {
        if order.kind == TONE {
            return Duration::from_secs(order.value.into());
        }
        let one = |piece: &Piece| match self.heard(piece) {
            Some(sound) => Duration::from_secs(sound.seconds.into()),
            None if piece.kind == PIECE_TONE => Duration::from_secs(piece.seconds.into()),
            None if piece.text.is_empty() => Duration::ZERO,
            None => reading,
        };
        order.playlist().iter().map(one).sum()
    }

    /// The file that is played for a piece, where it is at hand.
    fn heard<'a>(&self, piece: &'a Piece) -> Option<&'a Sound> {
        piece.sound.as_ref().filter(|sound| self.has(sound))
    }

    pub fn say(&self, order: &Order, volume: u8) {
        let marks = marks(order);
        if order.kind == TONE {
            println!("tone, volume {volume}");
            return;
        }
        let title = &order.title;
        for piece in order.playlist() {
            let Piece {
                name,
                seconds,
                language,
                text,
                ..
            } = &piece;
            match self.heard(&piece) {
                Some(sound) => {
                    let file = &sound.sha256[..12.min(sound.sha256.len())];
                    println!("{marks}{title}: plays {file} in {language}");
                }
                None if piece.kind == PIECE_TONE => println!("tone {name}, {seconds} s"),
                None if text.is_empty() => println!("without its recording in {language}"),
                None => println!("{marks}{title}: {text}"),
            }
        }
    }
}

/// What stands before whatever is said of an order: that it is a drill, and its colour.
pub fn marks(order: &Order) -> String {
    let colour = match order.level {
        Level::Red => "[红色] ",
        Level::Orange => "[橙色] ",
        Level::Yellow => "[黄色] ",
        Level::Blue => "[蓝色] ",
        Level::Unknown => "",
    };
    let drill = if order.drill { "【演练】 " } else { "" };
    format!("{drill}{colour}")
}

/// One fetch, after a pause where the last one failed; for ever where there is nothing to fetch.
pub async fn fetch(
    line: &Line,
    sound: Option<Sound>,
    pause: Duration,
) -> (Sound, Result<Bytes, LineError>) {
    let Some(sound) = sound else {
        return std::future::pending().await;
    };
    tokio::time::sleep(pause).await;
    let got = line.sound(&sound).await;
    (sound, got)
}
