//! Sessions with one mail server, kept open between letters. A session walks the steps of RFC 5321 and tells at which
//! one it ended, since that decides what the end means. This module must not retry a letter: a fresh session is tried
//! only where a kept one turns out to be closed before it was told anything.

use std::sync::Arc;
use std::time::Duration;

use channel::Clock;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, MailParameter, RcptParameter};
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
    /// Whether we want to be told what becomes of a letter.
    pub notify: bool,
}

/// One session, open.
struct Open {
    smtp: AsyncSmtpConnection,
    /// The server offers to tell what becomes of a letter (RFC 3461).
    notifies: bool,
}

pub(crate) struct Sessions {
    line: Line,
    clock: Arc<dyn Clock>,
    permits: Semaphore,
    kept: Mutex<Vec<(Open, Duration)>>,
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
            let _ = tokio::time::timeout(Duration::from_millis(500), session.smtp.quit()).await;
        }
    }

    fn take(&self) -> Option<Open> {
        let mut kept = self.kept.lock();
        let now = self.clock.tick();
        kept.retain(|(_, since)| now.saturating_sub(*since) < KEEP);
        kept.pop().map(|(session, _)| session)
    }

    fn keep(&self, session: Open) {
        self.kept.lock().push((session, self.clock.tick()));
    }

    async fn open(&self) -> Result<Open, End> {
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
        let mut smtp = self.step(Step::Connect, connect).await?;
        if let (Tls::Starttls, Some(parameters)) = (line.tls, &line.parameters) {
            self.step(Step::Connect, smtp.starttls(parameters.clone(), &line.helo))
                .await?;
        }
        let notifies = line.notify && self.asks(&mut smtp).await?;
        if let Some(login) = &line.login {
            self.step(
                Step::Login,
                smtp.auth(&[Mechanism::Plain, Mechanism::Login], login),
            )
            .await?;
        }
        Ok(Open { smtp, notifies })
    }

    /// lettre keeps only those offers that it uses itself: the greeting is said once more, and this one looked for.
    async fn asks(&self, smtp: &mut AsyncSmtpConnection) -> Result<bool, End> {
        let greeting = smtp.command(Ehlo::new(self.line.helo.clone()));
        let offers = self.step(Step::Connect, greeting).await?;
        let word = |line: &str| line.split_whitespace().next().map(str::to_ascii_uppercase);
        Ok(offers
            .message()
            .skip(1)
            .any(|line| word(line).as_deref() == Some("DSN")))
    }

    async fn letter(&self, mut session: Open, letter: &Letter) -> Result<(), End> {
        match self.walk(&mut session, letter).await {
            Ok(()) => {
                self.keep(session);
                Ok(())
            }
            Err(end) => {
                // 421 is the server's goodbye; after any other answer the session lives on.
                if matches!(&end.1, Cause::Answer { code, .. } if *code != 421)
                    && (end.0 == Step::Text
                        || self
                            .step(Step::Sender, session.smtp.command(Rset))
                            .await
                            .is_ok())
                {
                    self.keep(session);
                }
                Err(end)
            }
        }
    }

    async fn walk(&self, session: &mut Open, letter: &Letter) -> Result<(), End> {
        let (about_letter, about_recipient) = wishes(session.notifies, letter);
        let smtp = &mut session.smtp;
        let sender = Mail::new(Some(letter.sender.clone()), about_letter);
        self.step(Step::Sender, smtp.command(sender)).await?;
        let recipient = Rcpt::new(letter.recipient.clone(), about_recipient);
        self.step(Step::Recipient, smtp.command(recipient)).await?;
        self.step(Step::Data, smtp.command(Data)).await?;
        self.step(Step::Text, smtp.message(&letter.bytes)).await?;
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

/// Every fate is to be told, with our own word for the letter and without sending the letter back.
fn wishes(notifies: bool, letter: &Letter) -> (Vec<MailParameter>, Vec<RcptParameter>) {
    let (true, Some(id)) = (notifies, &letter.envelope_id) else {
        return (Vec::new(), Vec::new());
    };
    let about_letter =
        [("RET", "HDRS"), ("ENVID", id)].map(|(keyword, value)| MailParameter::Other {
            keyword: keyword.to_owned(),
            value: Some(value.to_owned()),
        });
    let about_recipient = RcptParameter::Other {
        keyword: "NOTIFY".to_owned(),
        value: Some("SUCCESS,FAILURE,DELAY".to_owned()),
    };
    (about_letter.into(), vec![about_recipient])
}
