//! What comes back to the return addresses, posted by the mail server that takes it in. A notification becomes a receipt
//! by the key in its proved address; the rest is told apart, counted and let go. This module must not keep a mail, show
//! what stood in one, or answer before the receipt is durable.

use std::sync::atomic::{AtomicU64, Ordering};

use channel::{Context, Evidence, Of, Receipt, Reply, Request, Verdict};
use ring::{digest, hmac, rand};

use crate::ConfigError;
use crate::config::Bounces;
use crate::dsn::{self, Note};
use crate::verp::{Origin, Verp};

/// Where mails are posted, below the channel's own address.
pub const PATH: &str = "dsn";
/// No longer mail is read. What a notification says stands at its beginning, so a longer one may be cut off here.
pub const LONGEST: usize = 1024 * 1024;

pub(crate) struct Returns {
    pub domain: String,
    pub verp: Verp,
    token: [u8; 32],
    compare: hmac::Key,
    /// How far a letter in its mailbox has come.
    pub delivered: Evidence,
    counts: Counts,
}

/// Of one run, for the log.
#[derive(Default)]
struct Counts {
    automatic: AtomicU64,
    letters: AtomicU64,
    strangers: AtomicU64,
}

impl Returns {
    pub(crate) fn new(config: &Bounces) -> Result<Self, ConfigError> {
        if lettre::Address::new("b", &config.domain).is_err() {
            return Err(ConfigError::BounceDomain);
        }
        if config.secret.expose().len() < 32 {
            return Err(ConfigError::BounceSecret);
        }
        let token = hex::decode(&config.token_sha256).ok();
        let token = token.and_then(|bytes| bytes.try_into().ok());
        let compare = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new());
        Ok(Self {
            domain: config.domain.clone(),
            verp: Verp::new(config.secret.expose()),
            token: token.ok_or(ConfigError::BounceToken)?,
            compare: compare.map_err(|_| ConfigError::Random)?,
            delivered: if config.mailbox_counts {
                Evidence::Delivered
            } else {
                Evidence::Accepted
            },
            counts: Counts::default(),
        })
    }

    pub(crate) async fn serve(&self, request: &Request, context: &Context) -> Reply {
        self.answer(request, context)
            .await
            .unwrap_or_else(|refusal| refusal)
    }

    async fn answer(&self, request: &Request, context: &Context) -> Result<Reply, Reply> {
        if request.path != PATH {
            return Err(refuse(404, "mails are posted to `dsn`"));
        }
        if request.method != "POST" {
            let mut refusal = refuse(405, "a mail is posted");
            refusal.headers.push(("allow".into(), "POST".into()));
            return Err(refusal);
        }
        if !self.is_known(request.header("authorization")) {
            return Err(refuse(
                401,
                "not the token of this channel; send `authorization: Bearer TOKEN`",
            ));
        }
        if request.body.len() > LONGEST {
            return Err(refuse(
                413,
                "the mail is too long; its first mebibyte is enough",
            ));
        }
        let taken = self.take(&request.body, context).await?;
        Ok(Reply::json(200, &serde_json::json!({ "taken_as": taken })))
    }

    /// Two MACs under a key of this run: compared in constant time, and no hash of the caller's choice is compared at all.
    fn is_known(&self, authorization: Option<&str>) -> bool {
        let shown = authorization.and_then(|header| header.strip_prefix("Bearer "));
        shown.is_some_and(|token| {
            let shown = digest::digest(&digest::SHA256, token.trim().as_bytes());
            let right = hmac::sign(&self.compare, &self.token);
            hmac::verify(&self.compare, shown.as_ref(), right.as_ref()).is_ok()
        })
    }

    async fn take(&self, mail: &[u8], context: &Context) -> Result<&'static str, Reply> {
        let channel = context.name.as_str();
        let Some(Origin { key, serial }) = self.verp.find(mail) else {
            let strangers = self.counts.strangers.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::info!(
                channel,
                strangers,
                "a mail came back that names no letter of ours; it is let go"
            );
            return Ok("stranger");
        };
        let (verdict, code, far, taken) = match dsn::read(mail) {
            Note::Report(report) => (
                report.verdict(self.delivered),
                report.code(),
                report.at,
                "receipt",
            ),
            // A server wrote, so something is amiss; what, nobody knows: the answer stays open, and the line says why.
            Note::Unread => (
                Verdict::Progress,
                "bounce:unread".to_owned(),
                None,
                "unread-bounce",
            ),
            Note::Automatic => {
                let automatic = self.counts.automatic.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::info!(
                    channel,
                    automatic,
                    "an automatic reply says nothing of a delivery"
                );
                return Ok("automatic-reply");
            }
            Note::Letter => {
                let letters = self.counts.letters.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::info!(
                    channel,
                    letters,
                    "somebody wrote to a return address; nobody reads that"
                );
                return Ok("letter");
            }
        };
        tracing::debug!(channel, %key, serial, code, "a mail came back");
        let receipt = Receipt {
            of: Of::Key(key),
            verdict,
            code,
            far,
            seen: context.clock.now(),
        };
        let kept = context.inlet.receipts(vec![receipt]).await;
        kept.map_err(|_| refuse(503, "the receipt could not be kept; post the mail again"))?;
        Ok(taken)
    }
}

fn refuse(status: u16, detail: &str) -> Reply {
    Reply::json(status, &serde_json::json!({ "detail": detail }))
}
