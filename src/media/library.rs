//! What people do with the recording library: bring one, hear another's, take one back. Each act is in the journal before
//! it is answered, with the bytes among the documents. This module must not choose a recording for an alert, and must not
//! let the one who brought it vouch for it.

use std::sync::Arc;

use bytes::Bytes;
use channel::Level;

use super::clip::{BadSound, examine};
use crate::ledger::record::sha256;
use crate::ledger::recordings::{
    Clip, Heard, Recorded, Recording, RecordingId, Retired, Standing, Subject,
};
use crate::ledger::{Event, Ledger, Proposal, Refused, Writer};
use crate::model::tongue;
use crate::store::{Store, StoreError};

/// A county has some hundreds.
const MOST: usize = 5_000;

/// What a recording is for, as it was asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub event: String,
    pub level: Option<Level>,
    pub response: Option<cap::ResponseType>,
    pub language: String,
    pub drill: bool,
}

impl Asked {
    fn subject(self) -> Result<Subject, Denied> {
        let alike = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        if self.event.len() > 5 || !self.event.bytes().all(alike) {
            return Err(Denied::Event);
        }
        if self.level == Some(Level::Unknown) {
            return Err(Denied::Level);
        }
        Ok(Subject {
            event: self.event,
            level: self.level,
            response: self.response,
            language: tongue(&self.language).ok_or(Denied::Language)?,
            drill: self.drill,
        })
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    #[error(
        "the event is not the beginning of an event code: up to five digits and capitals, as 11A51; leave it out for any 事件代码有误"
    )]
    Event,
    #[error("the level is red, orange, yellow or blue; leave it out for any 级别有误")]
    Level,
    #[error(
        "the response is one of CAP's: Shelter, Evacuate, Prepare and so on; leave it out for any 行动要求有误"
    )]
    Response,
    #[error(
        "the language is no language tag: write one as qxs, bod, zho or cmn-x-sichuan 语言代码有误"
    )]
    Language,
    #[error("the recording cannot be taken: {0}")]
    Sound(#[from] BadSound),
    #[error("there are {MOST} recordings already; no more are taken 录音已满")]
    Full,
    #[error("recording {0} is not there 没有这条录音")]
    Unknown(RecordingId),
    #[error(
        "recording {0} was brought by the same bureau: somebody else has to hear it 须由第二人复听，不能由上传单位自己确认"
    )]
    Own(RecordingId),
    #[error("recording {0} was taken back; bring it again as a new version 该录音已停用")]
    Retired(RecordingId),
    #[error("recording {0}: its bytes are not in the store; restore it from a backup 录音文件缺失")]
    Lost(RecordingId),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Refused(#[from] Refused),
}

pub struct Library {
    ledger: Arc<Ledger>,
    writer: Writer,
    store: Arc<dyn Store>,
    /// A number is taken once.
    turn: tokio::sync::Mutex<()>,
}

const HOUSE: u64 = 0;

impl Library {
    pub fn new(ledger: Arc<Ledger>, writer: Writer, store: Arc<dyn Store>) -> Self {
        Self {
            ledger,
            writer,
            store,
            turn: tokio::sync::Mutex::default(),
        }
    }

    pub fn all(&self) -> Vec<(Recording, Standing)> {
        self.ledger.recordings.all()
    }

    pub fn get(&self, id: RecordingId) -> Result<Recording, Denied> {
        self.ledger.recordings.get(id).ok_or(Denied::Unknown(id))
    }

    /// A new version of its subject. The same bytes for the same subject, brought again by the same bureau, are the same.
    pub async fn add(&self, asked: Asked, bytes: Bytes, by: &str) -> Result<Recording, Denied> {
        let of = asked.subject()?;
        let (format, millis) = examine(&bytes)?;
        let document = sha256(&bytes);
        let _turn = self.turn.lock().await;
        let all = self.all();
        let same = |r: &Recording| {
            let own = r.of == of && r.clip.document == document && r.recorded.by == by;
            own && r.retired.is_none()
        };
        if let Some((known, _)) = all.iter().find(|(recording, _)| same(recording)) {
            return Ok(known.clone());
        }
        if all.len() >= MOST {
            return Err(Denied::Full);
        }
        let id = self.ledger.recordings.next();
        let clip = Clip {
            document,
            format,
            bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            millis,
        };
        let recorded = Recorded {
            id,
            of,
            clip,
            by: by.to_owned(),
        };
        let mut proposal = Proposal::of(HOUSE, Event::Recorded(Box::new(recorded)));
        proposal.documents.push((document, bytes.to_vec()));
        self.writer.propose(proposal).await?;
        self.get(id)
    }

    /// A second person's word that it says what it should: from now on it is used. The first such word stands.
    pub async fn heard(&self, id: RecordingId, by: &str) -> Result<Recording, Denied> {
        let _turn = self.turn.lock().await;
        let recording = self.get(id)?;
        if recording.retired.is_some() {
            return Err(Denied::Retired(id));
        }
        if recording.recorded.by == by {
            return Err(Denied::Own(id));
        }
        if recording.heard.is_none() {
            let by = by.to_owned();
            let event = Event::Heard(Heard { id, by });
            self.writer.propose(Proposal::of(HOUSE, event)).await?;
        }
        self.get(id)
    }

    /// Anybody of the library may take one back, also their own.
    pub async fn retire(&self, id: RecordingId, by: &str) -> Result<Recording, Denied> {
        let _turn = self.turn.lock().await;
        if self.get(id)?.retired.is_none() {
            let by = by.to_owned();
            let event = Event::Retired(Retired { id, by });
            self.writer.propose(Proposal::of(HOUSE, event)).await?;
        }
        self.get(id)
    }

    /// What a recording sounds like.
    pub async fn sound(&self, id: RecordingId) -> Result<(Recording, Bytes), Denied> {
        let recording = self.get(id)?;
        let stored = self.store.document(recording.clip.document).await?;
        let bytes = stored.ok_or(Denied::Lost(id))?;
        Ok((recording, bytes.into()))
    }

    /// The bytes of a recording by their hash; of no other document.
    pub(super) async fn bytes(&self, sha256: &str) -> Option<Bytes> {
        let mut document = [0; 32];
        hex::decode_to_slice(sha256, &mut document).ok()?;
        if !self.ledger.recordings.holds(document) {
            return None;
        }
        let stored = self.store.document(document).await.ok()??;
        Some(stored.into())
    }
}
