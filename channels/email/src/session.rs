//! Sessions with one mail server, kept open between letters. A session walks the steps of RFC 5321 and tells at which
//! one it ended, since that decides what the end means. This module must not retry a letter: a fresh session is tried
//! only where a kept one turns out to be closed before it was told anything.

use std::sync::Arc;
use std::time::Duration;

use channel::Clock;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::Tls;
use crate::letter::Letter;
use crate::verdict::{Cause, Step};

/// Servers close idle sessions; one that waited longer than this is not used again.
const KEEP: Duration = Duration::from_secs(30);

pub(crate) struct Line {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// Set unless `tls` is `None`.
    pub parameters: Option<TlsParameters>,
    pub login: Option<Credentials>,
    pub helo: ClientId,
    pub timeout: Duration,
}

pub(crate) struct Sessions {
    line: Line,
    clock: Arc<dyn Clock>,
    permits: Semaphore,
    kept: Mutex<Vec<(AsyncSmtpConnection, Duration)>>,
}

type End = (Step, Cause);

impl Sessions {
    pub(crate) fn new(line: Line, connections: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            line,
            clock,
            permits: Semaphore::new(connections),
            kept: Mutex::default(),
        }
    }

    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), End> {
        let _permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        if let Some(kept) = self.take() {
            match self.letter(kept, letter).await {
                Err((Step::Sender, Cause::Lost)) => {}
                other => return other,
            }
        }
        let fresh = self.open().await?;
        self.letter(fresh, letter).await
    }

    /// Says goodbye to the server in every session that is kept.
    pub(crate) async fn close(&self) {
        let kept = std::mem::take(&mut *self.kept.lock());
        for (mut session, _) in kept {
            // Politeness only: an answer changes nothing.
            let _ = tokio::time::timeout(Duration::from_millis(500), session.quit()).await;
        }
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut kept = self.kept.lock();
        let now = self.clock.tick();
        kept.retain(|(_, since)| now.saturating_sub(*since) < KEEP);
        kept.pop().map(|(session, _)| session)
    }

    fn keep(&self, session: AsyncSmtpConnection) {
        self.kept.lock().push((session, self.clock.tick()));
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, End> {
        let line = &self.line;
        let first = if line.tls == Tls::Implicit {
            line.parameters.clone()
        } else {
            None
        };
        let server = (line.host.as_str(), line.port);
        let connect = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(line.timeout),
            &line.helo,
            first,
            None,
        );
        let mut session = self.step(Step::Connect, connect).await?;
        if let (Tls::Starttls, Some(parameters)) = (line.tls, &line.parameters) {
            self.step(
                Step::Connect,
                session.starttls(parameters.clone(), &line.helo),
            )
            .await?;
        }
        if let Some(login) = &line.login {
            self.step(
                Step::Login,
                session.auth(&[Mechanism::Plain, Mechanism::Login], login),
            )
            .await?;
        }
        Ok(session)
    }

    async fn letter(&self, mut session: AsyncSmtpConnection, letter: &Letter) -> Result<(), End> {
        match self.walk(&mut session, letter).await {
            Ok(()) => {
                self.keep(session);
                Ok(())
            }
            Err(end) => {
                // 421 is the server's goodbye; after any other answer the session lives on.
                if matches!(&end.1, Cause::Answer { code, .. } if *code != 421)
                    && (end.0 == Step::Text
                        || self.step(Step::Sender, session.command(Rset)).await.is_ok())
                {
                    self.keep(session);
                }
                Err(end)
            }
        }
    }

    async fn walk(&self, session: &mut AsyncSmtpConnection, letter: &Letter) -> Result<(), End> {
        let sender = Mail::new(Some(letter.sender.clone()), Vec::new());
        self.step(Step::Sender, session.command(sender)).await?;
        let recipient = Rcpt::new(letter.recipient.clone(), Vec::new());
        self.step(Step::Recipient, session.command(recipient))
            .await?;
        self.step(Step::Data, session.command(Data)).await?;
        self.step(Step::Text, session.message(&letter.bytes))
            .await?;
        Ok(())
    }

    async fn step<T>(
        &self,
        step: Step,
        doing: impl Future<Output = Result<T, smtp::Error>>,
    ) -> Result<T, End> {
        match tokio::time::timeout(self.line.timeout, doing).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err((step, error.into())),
            Err(_) => Err((step, Cause::Timeout)),
        }
    }
}
