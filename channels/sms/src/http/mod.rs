//! SMS over a provider's HTTP interface: many numbers in one request, bounded requests under way, receipts by callback.
//! What differs between providers is the shape of their requests and answers, which is configuration. This module must
//! not retry a message: it only says what became of it.

mod answer;
mod callback;
pub mod mas;
mod request;
pub mod shape;
pub mod sign;
mod template;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, EndpointKind, Evidence, Failure, FailureClass, Health,
    Message, Outcomes, Reply, Request, Style, Variant,
};
use futures::stream::{FuturesUnordered, StreamExt};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::config::ConfigError;
use crate::dialect::digits;
use crate::text::{Coding, prepared};
use answer::{Marks, bare};
use callback::Path;
use shape::{Country, HttpConfig, Sign};

/// One account at one provider.
pub struct HttpSms {
    shape: HttpConfig,
    context: Context,
    marks: Marks,
    path: Path,
    /// Requests that may be under way, over all batches.
    slots: Semaphore,
    names: Vec<String>,
    unreadable: AtomicU64,
    /// Why the last request failed as a whole, if it did.
    down: Mutex<Option<Failure>>,
}

/// What one request carries.
struct Letter<'a> {
    variant: &'a Variant,
    indexes: Vec<usize>,
    numbers: Vec<String>,
}

impl HttpSms {
    pub fn new(shape: HttpConfig, context: Context) -> Result<Self, ConfigError> {
        shape.validate()?;
        let secret = match &shape.sign {
            Sign::Acs3 { secret, .. } | Sign::Tc3 { secret, .. } | Sign::Mas { secret, .. } => {
                secret.expose().to_owned()
            }
            // Without a secret of its own the callback's does.
            Sign::None => shape
                .callback
                .as_ref()
                .map_or_else(String::new, |c| c.secret.expose().to_owned()),
        };
        let path = Path::new().ok_or(ConfigError {
            key: "callback",
            why: "cannot be compared: the machine gives no random bytes",
        })?;
        let mut names = Vec::new();
        template::names(&shape.query, &mut names);
        template::names(&shape.body, &mut names);
        Ok(Self {
            marks: Marks::new(&secret),
            path,
            slots: Semaphore::new(shape.connections),
            names,
            unreadable: AtomicU64::new(0),
            down: Mutex::new(None),
            shape,
            context,
        })
    }

    /// Entries of callbacks that named no message.
    pub fn unreadable(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed)
    }

    /// The next request's messages: of one text, and as many as one request takes.
    fn next<'a>(
        &self,
        batch: &'a [Message],
        at: &mut usize,
        outcomes: &dyn Outcomes,
    ) -> Option<Letter<'a>> {
        let mut letter: Option<Letter<'a>> = None;
        while let Some(message) = batch.get(*at) {
            if letter.as_ref().is_some_and(|letter| {
                letter.numbers.len() >= self.shape.numbers.most
                    || !std::ptr::eq(letter.variant, Arc::as_ptr(&message.variant))
            }) {
                break;
            }
            match self.dialled(message) {
                Ok(number) => {
                    let letter = letter.get_or_insert_with(|| Letter {
                        variant: &message.variant,
                        indexes: Vec::new(),
                        numbers: Vec::new(),
                    });
                    letter.indexes.push(*at);
                    letter.numbers.push(number);
                }
                Err(failure) => outcomes.settle(*at, Err(failure)),
            }
            *at += 1;
        }
        letter
    }

    fn dialled(&self, message: &Message) -> Result<String, Failure> {
        if self.cost(&message.variant) > u32::from(self.shape.max_segments)
            || !self.fits(&message.variant)
        {
            return Err(crate::session::too_long());
        }
        let number = digits(message.address.expose()).ok_or_else(crate::session::no_number)?;
        let home = bare(number);
        Ok(match self.shape.numbers.country {
            Country::Without => home.to_owned(),
            Country::Plus if home.len() == 11 => format!("+86{home}"),
            Country::Plus => format!("+{home}"),
        })
    }

    /// Whether the template's slices hold the whole text.
    fn fits(&self, variant: &Variant) -> bool {
        let (_, body) = crate::text::signature::split(&variant.text);
        let room = template::slices(&self.names).map(|slices| slices * self.shape.slice);
        room.is_none_or(|room| body.chars().count() <= room)
    }

    /// One request and the outcome of each of its numbers.
    async fn post(&self, letter: Letter<'_>) -> (Vec<usize>, Vec<Result<Accepted, Failure>>) {
        let outcomes = self.exchange(&letter).await;
        (letter.indexes, outcomes)
    }

    /// What an answer says of each number. Open for fuzzing alone.
    #[doc(hidden)]
    pub fn outcomes(&self, reply: &Reply, numbers: &[String]) -> Vec<Result<Accepted, Failure>> {
        answer::read(&self.shape, &self.marks, reply, numbers)
    }

    async fn exchange(&self, letter: &Letter<'_>) -> Vec<Result<Accepted, Failure>> {
        let all = |failure: Failure| vec![Err(failure); letter.numbers.len()];
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let (url, request) = match self.request(letter, self.context.clock.now()) {
            Ok(made) => made,
            Err(failure) => return all(failure),
        };
        let call = self.context.http.call(&url, request);
        let outcomes = match tokio::time::timeout(self.shape.answer_timeout(), call).await {
            Ok(Ok(reply)) => self.outcomes(&reply, &letter.numbers),
            Ok(Err(channel::http::HttpError::Connect(_))) => all(Failure::new(
                FailureClass::LinkDown,
                "http:connect",
                "no connection to the provider; check url, route and its certificate",
            )),
            Ok(Err(channel::http::HttpError::Lost(_))) | Err(_) => all(Failure::new(
                FailureClass::InDoubt,
                "http:no-answer",
                "the provider did not answer in time, or not whole; it may have taken the texts",
            )),
        };
        let down = outcomes.first().and_then(|first| first.as_ref().err());
        *self.down.lock() = down.filter(|f| f.class == FailureClass::LinkDown).cloned();
        outcomes
    }
}

#[async_trait]
impl Channel for HttpSms {
    fn capability(&self) -> Capability {
        let told = self.shape.callback.is_some();
        Capability {
            kind: "sms",
            speaks_to: EndpointKind::Mobile,
            style: Style::Short,
            best: if told {
                Evidence::Delivered
            } else {
                Evidence::Accepted
            },
            batch: self.shape.numbers.most.clamp(100, 1_000),
            window: self
                .shape
                .numbers
                .most
                .saturating_mul(self.shape.connections),
            repeat_is_harmless: false,
        }
    }

    /// The provider cuts the text; what it will come to is known, the signature counted.
    fn cost(&self, variant: &Variant) -> u32 {
        prepared(variant, Coding::default()).segments()
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let one = crate::One::default();
        self.send_all(std::slice::from_ref(message), &one).await;
        one.into_inner()
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        let mut at = 0;
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < self.shape.connections
                && let Some(letter) = self.next(batch, &mut at, outcomes)
            {
                under_way.push(self.post(letter));
            }
            let Some((indexes, settled)) = under_way.next().await else {
                return;
            };
            outcomes.settle_all(&mut indexes.into_iter().zip(settled).collect());
        }
    }

    async fn serve(&self, request: Request) -> Reply {
        let seen = self.context.clock.now();
        match callback::read(&self.shape, &self.path, &self.marks, &request, seen) {
            Ok(brought) => {
                self.unreadable
                    .fetch_add(brought.unreadable, Ordering::Relaxed);
                callback::answer(brought, &self.shape, &*self.context.inlet).await
            }
            Err(refusal) => refusal,
        }
    }

    fn health(&self) -> Health {
        match &*self.down.lock() {
            Some(why) => Health::Failing(format!("{}: {}", why.code, why.detail)),
            None => Health::Up,
        }
    }
}
