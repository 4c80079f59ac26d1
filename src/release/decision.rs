//! A person's word on an alert that waits in quarantine: who may give it, when it comes too late, and its commit. What was
//! released goes on as any other alert does. This module must not send and must not judge the document again.

use std::sync::Arc;

use channel::{Clock, Timestamp};

use crate::ledger::event::{Born, Decided, Ruling};
use crate::ledger::record::sha256;
use crate::ledger::{Alert, Event, Known, Ledger, Proposal, Refused, Word, Writer};
use crate::model::{RegionCode, StreamId};
use crate::trust::Caller;

/// Takes words.
pub struct Decisions {
    pub ledger: Arc<Ledger>,
    pub writer: Writer,
    pub clock: Arc<dyn Clock>,
    /// A bureau does not release what it handed in itself.
    pub second: bool,
    /// Shared with whoever takes alerts in: a word and a correction that come together never miss each other.
    pub turn: Arc<tokio::sync::Mutex<()>>,
}

/// The word that stands now.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub word: Word,
    pub position: u64,
    /// It stood already.
    pub repeated: bool,
}

#[derive(Clone, Debug)]
pub enum Denied {
    /// It is not in the caller's hands.
    Outside(Vec<RegionCode>),
    /// Another bureau has to release it.
    Own,
    /// There is nothing to decide, or no more.
    TooLate(String),
    Unavailable(String),
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        Self::Unavailable(refused.to_string())
    }
}

/// Whether this caller may speak so of this alert at this moment.
fn may(
    caller: &Caller,
    (alert, ruling): (&Alert, Ruling),
    second: bool,
    now: Timestamp,
) -> Result<(), Denied> {
    let stream = alert.stream;
    let outside = alert.meta.regions.iter().filter(|r| !caller.covers(**r));
    let outside: Vec<_> = outside.copied().collect();
    if !outside.is_empty() {
        return Err(Denied::Outside(outside));
    }
    if let Some(by) = alert.withdrawn_by() {
        return Err(Denied::TooLate(format!(
            "alert {stream} was corrected by alert {by} while it waited; there is nothing left to decide"
        )));
    }
    if !alert.waits() {
        return Err(Denied::TooLate(format!(
            "alert {stream} does not wait for anybody's word"
        )));
    }
    if !alert.meta.infos.is_empty() && alert.expires() <= now {
        return Err(Denied::TooLate(format!(
            "alert {stream} expired at {} while it waited; have the bureau send a new one",
            alert.expires()
        )));
    }
    if ruling == Ruling::Approve && second && caller.id == alert.meta.caller {
        return Err(Denied::Own);
    }
    Ok(())
}

impl Decisions {
    /// The first word stands: the same again is answered as it was, another one is denied.
    pub async fn decide(
        &self,
        caller: &Caller,
        stream: StreamId,
        ruling: Ruling,
        remark: Option<String>,
    ) -> Result<Spoken, Denied> {
        let _turn = self.turn.lock().await;
        let alert = self.ledger.alert(stream);
        let alert = alert.ok_or_else(|| {
            Denied::TooLate(format!(
                "alert {stream} is over; there is nothing left to decide"
            ))
        })?;
        if let Some(word) = alert.word() {
            return self.again(stream, word, ruling);
        }
        may(caller, (&alert, ruling), self.second, self.clock.now())?;
        let ended = match ruling {
            Ruling::Approve => self.came_since(caller, &alert)?,
            Ruling::Refuse => Vec::new(),
        };
        let remark = remark.map(String::into_bytes);
        let decided = Decided {
            step: 0,
            by: caller.id.clone(),
            ruling,
            remark: remark.as_deref().map(sha256),
        };
        let documents = decided.remark.into_iter().zip(remark).collect();
        let withdrawn = |old| (old, Event::Withdrawn { by: stream });
        let mut events = vec![(stream, Event::Decided(decided))];
        events.extend(ended.into_iter().map(withdrawn));
        let proposal = Proposal {
            events,
            documents,
            ..Proposal::default()
        };
        let commit = self.writer.propose(proposal).await?;
        // The word as it was folded: a correction may have come between the look and the commit.
        let Some(word) = alert.word() else {
            let what =
                format!("alert {stream} was corrected at this moment; nothing of it is sent");
            return Err(Denied::TooLate(what));
        };
        tracing::info!(alert = stream, by = caller.id, ?ruling, "decided");
        Ok(Spoken {
            word,
            position: commit.position,
            repeated: false,
        })
    }

    fn again(&self, stream: StreamId, word: Word, ruling: Ruling) -> Result<Spoken, Denied> {
        if word.ruling != ruling {
            return Err(Denied::TooLate(format!(
                "bureau {} has decided otherwise on alert {stream} at {}; its word stands",
                word.by, word.at
            )));
        }
        Ok(Spoken {
            word,
            position: *self.writer.position().borrow(),
            repeated: true,
        })
    }

    /// What a correction names and what came while it waited: nothing of it could be ended then, and it ends with the word.
    fn came_since(&self, caller: &Caller, alert: &Alert) -> Result<Vec<StreamId>, Denied> {
        let every = self.ledger.every();
        let since = every.iter().filter(|known| names(alert, known));
        let since: Vec<_> = since.collect();
        for known in &since {
            let (meta, own) = (known.meta(), &alert.meta.caller);
            let may = meta.caller == *own || meta.regions.iter().all(|r| caller.covers(*r));
            let stands = !known.is_sealed() && known.withdrawn_by().is_none();
            if !may || !stands {
                let (stream, later) = (alert.stream, known.stream());
                let why = if may {
                    "and is over"
                } else {
                    "and is another bureau's"
                };
                return Err(Denied::TooLate(format!(
                    "alert {later}, which alert {stream} corrects, came while it waited {why}; refuse it and have the bureau send the correction again"
                )));
            }
        }
        Ok(since.into_iter().map(Known::stream).collect())
    }
}

/// Whether a correction that waits names an alert that came after it. One with the same identifier that was sent later is
/// another alert.
fn names(alert: &Alert, known: &Known) -> bool {
    let (meta, other) = (&alert.meta, &known.meta().identity);
    let refers = |r: &crate::ledger::Identity| {
        let named = r.sender == other.sender && r.identifier == other.identifier;
        named && (r.sent == other.sent || other.sent <= meta.identity.sent)
    };
    meta.corrects()
        && known.meta().status == meta.status
        && known.meta().born != Born::Filed
        && known.stream() != alert.stream
        && !meta.hits.contains(&known.stream())
        && meta.references.iter().any(refers)
}
