//! An outbound-call provider (外呼) behind an HTTP API: one templated request a call, and its later words on a secret
//! path. This module is the edge; what is written and read is decided by the pure modules below it.

mod answer;
mod callback;
mod settings;
mod template;
mod ticket;

use std::sync::Arc;

use channel::http::HttpError;
use channel::{
    Accepted, Context, Failure, FailureClass, Message, Of, Receipt, Reply, Request, Verdict,
};
use parking_lot::Mutex;

pub use self::answer::read as read_answer;
pub use self::settings::{AnswerShape, CallbackShape, ProviderConfig, Word};
use self::template::Filling;
use self::ticket::Tickets;
use crate::number;
use crate::speech::{self, Studio};
use crate::verdict::{Rules, told};
use channel::Health;

/// The largest call of the far end that is looked at.
const LARGEST: usize = 64 << 10;

pub struct Provider {
    config: ProviderConfig,
    rules: Rules,
    studio: Arc<Studio>,
    context: Context,
    tickets: Tickets,
    /// What the last request said of the far end.
    health: Mutex<Health>,
}

impl Provider {
    pub fn new(
        config: ProviderConfig,
        rules: Rules,
        studio: Arc<Studio>,
        context: Context,
    ) -> Self {
        let tickets = Tickets::new(config.secret.expose(), config.callback.path.expose());
        Self {
            config,
            rules,
            studio,
            context,
            tickets,
            health: Mutex::new(Health::Up),
        }
    }

    pub fn health(&self) -> Health {
        self.health.lock().clone()
    }

    pub async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let outcome = self.place(message).await;
        *self.health.lock() = match &outcome {
            Err(failure) if failure.class == FailureClass::LinkDown => {
                Health::Failing(failure.detail.to_string())
            }
            _ => Health::Up,
        };
        outcome
    }

    async fn place(&self, message: &Message) -> Result<Accepted, Failure> {
        let request = self.request(message).await?;
        let call = self.context.http.call(&self.config.url, request);
        let lost = || {
            Failure::new(
                FailureClass::InDoubt,
                "voice:lost",
                "the provider was asked for a call and did not answer",
            )
        };
        match tokio::time::timeout(self.config.timeout, call).await {
            Ok(Ok(reply)) => answer::read(&self.config.answer, reply.status, &reply.body),
            Ok(Err(HttpError::Connect(why))) => Err(Failure::new(
                FailureClass::LinkDown,
                "voice:unreachable",
                format!("connecting to the provider: {why}"),
            )),
            Ok(Err(HttpError::Lost(_))) | Err(_) => Err(lost()),
        }
    }

    async fn request(&self, message: &Message) -> Result<Request, Failure> {
        let variant = &*message.variant;
        let number = number::dialled(&self.config.dial_prefix, message.address.expose());
        let number = number.ok_or_else(|| {
            Failure::new(
                FailureClass::BadAddress,
                "voice:no-number",
                "the address is no telephone number",
            )
        })?;
        let mut filling = Filling {
            number,
            id: self.tickets.give(message.key),
            text: speech::within(&variant.text, self.config.longest).to_owned(),
            title: variant.title.clone(),
            language: variant.language.clone(),
            expires: message.expires.secs().to_string(),
            secret: self.config.secret.expose().to_owned(),
            ..Filling::default()
        };
        // A drill that does not say so is refused, whoever speaks it.
        let wants = (self.config.wants("wav"), self.config.wants("mp3"));
        if wants.0 || wants.1 {
            let sound = self.studio.message(variant).await?;
            if wants.0 {
                filling.wav = template::base64(&Studio::wav(&sound));
            }
            if wants.1 {
                filling.mp3 = template::base64(&self.studio.mp3(&sound).await?);
            }
        } else {
            speech::marked(variant)?;
        }
        let body = template::fill(&self.config.body, &filling);
        let (kind, body) = if self.config.form {
            ("application/x-www-form-urlencoded", template::form(&body))
        } else {
            ("application/json", body.to_string())
        };
        let mut headers = vec![("content-type".to_owned(), kind.to_owned())];
        let own = self.config.headers.iter();
        headers
            .extend(own.map(|(name, value)| (name.clone(), template::fill_text(value, &filling))));
        Ok(Request {
            method: "POST".to_owned(),
            headers,
            body: body.into(),
            ..Request::default()
        })
    }

    /// The provider's own call. Who does not know the path learns nothing.
    pub async fn serve(&self, request: &Request) -> Reply {
        if !self.tickets.is_path(&request.path) {
            return Reply::status(404);
        }
        if request.method != "POST" {
            return Reply::status(405);
        }
        if request.body.len() > LARGEST {
            return Reply::status(413);
        }
        let shape = &self.config.callback;
        let is_form = request
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let Some(words) = callback::read(shape, &request.body, is_form) else {
            return Reply::status(400);
        };
        let receipts: Vec<_> = words
            .into_iter()
            .filter_map(|word| self.receipt(word))
            .collect();
        if !receipts.is_empty() && self.context.inlet.receipts(receipts).await.is_err() {
            return Reply::status(503);
        }
        let mut reply = Reply::status(200);
        reply.body = shape.reply.clone().into();
        reply
    }

    fn receipt(&self, word: callback::Told) -> Option<Receipt> {
        let of = if self.config.callback.id.is_some() {
            // Only what we gave: the rest is somebody else's.
            Of::Key(self.tickets.read(&word.call)?)
        } else {
            Of::Reference(word.call)
        };
        let (verdict, code) = match word.what {
            callback::What::Under(code) => (Verdict::Progress, code.to_owned()),
            callback::What::Ended(ending) => told(ending, &self.rules),
        };
        Some(Receipt {
            of,
            verdict,
            code,
            far: None,
            seen: self.context.clock.now(),
        })
    }
}
