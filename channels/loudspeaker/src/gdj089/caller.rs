//! Who is at the other end of a connection, and for whom they may speak. This module must not let anybody in whom the settings
//! do not name.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::bytes::Id;
use super::desk::Desk;
use super::link::Session;
use super::session::Then;

/// So much in a row that is no good frame, and the connection is not worth keeping.
const FAULTS: u8 = 8;
/// Heartbeats come every few seconds, and a county's records in one frame. Who says more than this within a second does not
/// mean us.
const MOST: u32 = 200;
const SECOND: Duration = Duration::from_secs(1);

/// Who is at the other end.
pub struct Caller {
    pub session: Session,
    pub from: IpAddr,
    /// The adapter that it is, or belongs to; nothing before it has said so.
    pub at: Option<usize>,
    /// A terminal by itself speaks for itself alone.
    pub alone: Option<Id>,
    /// As what it stands among the sessions.
    pub front: Option<Id>,
    faults: u8,
    /// Since when how many frames came.
    spell: Option<(Instant, u32)>,
}

impl Caller {
    pub fn dialled(at: usize, from: IpAddr, session: Session) -> Self {
        Self {
            at: Some(at),
            ..Self::stranger(from, session)
        }
    }

    pub fn stranger(from: IpAddr, session: Session) -> Self {
        Self {
            session,
            from,
            at: None,
            alone: None,
            front: None,
            faults: 0,
            spell: None,
        }
    }

    /// A frame came, good or not; true when there are too many.
    pub fn floods(&mut self, now: Instant) -> bool {
        let running = self.spell.filter(|(since, _)| now < *since + SECOND);
        let (since, count) = running.unwrap_or((now, 0));
        self.spell = Some((since, count + 1));
        count >= MOST
    }

    /// A good frame came.
    pub const fn fine(&mut self) {
        self.faults = 0;
    }

    /// Something else came; true when there was too much of it.
    pub const fn faulty(&mut self) -> bool {
        self.faults = self.faults.saturating_add(1);
        self.faults >= FAULTS
    }

    /// Who is known and oversteps stays; a stranger does not.
    pub const fn overstepped(&self) -> Then {
        if self.at.is_some() {
            Then::Nothing
        } else {
            Then::HangUp
        }
    }
}

impl Desk {
    /// For which adapter this one may speak on this connection; why not, as it is counted.
    pub fn admit(&self, front: &Id, caller: &mut Caller) -> Result<usize, &'static str> {
        if let Some(at) = caller.at {
            let own = match &caller.alone {
                Some(alone) => alone == front,
                None => self.routes.serving(front) == Some(at),
            };
            return own.then_some(at).ok_or("not-its-own");
        }
        let at = self.routes.named(front).ok_or("unregistered")?;
        let from = &self.config.adapter[at].from;
        if !from.is_empty() && !from.contains(&caller.from) {
            return Err("wrong-address");
        }
        caller.at = Some(at);
        caller.front = Some(front.clone());
        let session = &caller.session;
        let own = (session.by, session.stop.clone());
        if let Some((_, older)) = self.sessions.lock().insert(front.clone(), own) {
            older.cancel();
        }
        if self.routes.is_adapter(at, front) {
            self.links[at].open(session.clone());
        } else {
            caller.alone = Some(front.clone());
        }
        Ok(at)
    }
}
