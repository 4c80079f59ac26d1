//! The channel: each message becomes one sentence, when the card may send. This module must not know how a sentence looks.

mod config;
mod desk;
mod form;
pub mod sentence;
mod session;

use std::borrow::Cow;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, DeviceState, EndpointKind, Evidence, Failure,
    FailureClass, Health, MISSHAPEN, Message, Stop, Style, Variant,
};
use encoding_rs::GB18030;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Mutex, oneshot, watch};
use tokio::time::timeout;

pub use config::{RdssConfig, Shape};
pub use desk::Useless;
pub use form::{Assumed, Content, Form, Hanzi, Said, Version};

use crate::compact::{Alert, Area, Body, Compact, Instruction, Key, Unfit, fitting};
use crate::config::ConfigError;
use crate::standing::Seen;
use desk::{Desk, Feedback};
use session::{Link, Writer};

/// A Beidou terminal that takes short messages.
pub struct Rdss {
    desk: Desk,
    link: watch::Sender<Link>,
    /// One message at a time.
    turn: Mutex<()>,
}

impl Rdss {
    pub fn new(config: RdssConfig, context: Context) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            desk: Desk::new(config, context),
            link: watch::channel(Link::Opening).0,
            turn: Mutex::new(()),
        })
    }

    /// What came in and was of no use, since the channel was made.
    pub fn useless(&self) -> Useless {
        self.desk.useless()
    }

    /// What is known of a card since the channel was made.
    pub fn seen(&self, card: &str) -> Option<Seen> {
        self.desk.standing.lock().of(card)
    }

    /// The terminal, as soon as it is there.
    async fn writer(&self) -> Result<Writer, Failure> {
        let mut link = self.link.subscribe();
        let known = link.wait_for(|link| !matches!(link, Link::Opening));
        let known = timeout(self.desk.config.timeout * 3, known).await;
        match known.map(|known| known.map(|link| link.clone())) {
            Ok(Ok(Link::Up(writer))) => Ok(writer),
            Ok(Ok(Link::Down(why))) => Err(down("rdss:down", why)),
            _ => Err(down("rdss:down", "the terminal does not answer")),
        }
    }

    async fn hand(&self, sentence: &[u8]) -> Result<Feedback, Failure> {
        let writer = self.writer().await?;
        let (answer, answered) = oneshot::channel();
        *self.desk.waiting.lock() = Some(answer);
        let mut writer = writer.lock().await;
        let written = async {
            writer.write_all(sentence).await?;
            writer.flush().await
        };
        let limit = self.desk.config.timeout;
        let lost = "the sentence was given to the terminal and no answer came";
        if !matches!(timeout(limit, written).await, Ok(Ok(()))) {
            return Err(Failure::new(FailureClass::InDoubt, "rdss:lost", lost));
        }
        drop(writer);
        if let Ok(Ok(feedback)) = timeout(limit, answered).await {
            return Ok(feedback);
        }
        // It may have gone: then the card rests.
        self.desk.begin_rest();
        self.desk.waiting.lock().take();
        Err(Failure::new(FailureClass::InDoubt, "rdss:lost", lost))
    }

    fn sentence(&self, message: &Message, card: &str) -> Result<Vec<u8>, Failure> {
        let (config, form) = (&self.desk.config, self.desk.config.form());
        let variant = &message.variant;
        match (config.shape, &self.desk.key) {
            (Shape::Compact, Some(key)) => {
                let bytes = self.compact(message, key);
                let bytes = bytes.map_err(|e| unfit("rdss:unfit", e.to_string()))?;
                Ok(form.send(card, Content::Code(&bytes)))
            }
            (Shape::Text, _) | (Shape::Compact, None) => {
                let text = shown(variant, config.room)?;
                let (gbk, _, _) = GB18030.encode(&text);
                let chinese = !text.chars().any(|c| c.is_ascii());
                Ok(form.send(card, Content::Text { gbk: &gbk, chinese }))
            }
        }
    }

    fn compact(&self, message: &Message, key: &Key) -> Result<Vec<u8>, Unfit> {
        let room = self.desk.config.room;
        if message.variant.test.is_some() {
            let body = Body::Test {
                number: number(message),
                sent: self.desk.context.clock.now(),
            };
            return Compact { drill: false, body }.write(key, room);
        }
        let drill = message.variant.drill;
        let mut alert = self.alert(message)?;
        let body = Body::Alert(alert.clone());
        match (Compact { drill, body }).write(key, room) {
            // Of areas that do not all fit, none is named: then it is said of the place that it is sent to, which is one
            // of them. A list that is cut off would say of the others that nothing is wrong there.
            Err(Unfit::Areas | Unfit::Room(_)) if !alert.areas.is_empty() => {
                alert.areas.clear();
                let body = Body::Alert(alert);
                Compact { drill, body }.write(key, room)
            }
            written => written,
        }
    }

    fn alert(&self, message: &Message) -> Result<Alert, Unfit> {
        let variant = &message.variant;
        let areas = variant.areas.iter().map(|code| Area::parse(code));
        Ok(Alert {
            number: number(message),
            event: variant.event.clone(),
            level: variant.level,
            instruction: variant
                .response
                .as_deref()
                .map_or(Instruction::None, Instruction::named),
            sent: self.desk.context.clock.now(),
            onset: variant.onset,
            expires: message.expires,
            areas: areas.collect::<Option<_>>().ok_or(Unfit::Areas)?,
            text: variant.text.clone(),
        })
    }
}

/// What a card sends back.
fn number(message: &Message) -> u16 {
    u16::try_from(message.serial & 0xFFFF).unwrap_or(0)
}

/// Bytes of a text that a handset shows: whole sentences, or the beginning of a first one that is too long by itself.
fn shown(variant: &Variant, room: usize) -> Result<Cow<'_, str>, Failure> {
    let own = variant.test.map_or("演练", |_| "拨测");
    let mark = |text: &str| text.contains(own) || text.to_ascii_uppercase().contains("DRILL");
    // The mark of mixed texts takes one byte.
    let room = room - 1;
    let whole = fitting(&variant.text, room);
    let text = if whole.is_empty() {
        let ends = variant.text.char_indices().map(|(at, c)| at + c.len_utf8());
        let fits = |end: &usize| GB18030.encode(&variant.text[..*end]).0.len() + 2 <= room;
        let end = ends.take_while(fits).last().unwrap_or(0);
        Cow::Owned(format!("{}…", &variant.text[..end]))
    } else {
        Cow::Borrowed(whole)
    };
    if variant.drill && !mark(&text) {
        return Err(unfit(
            "rdss:unmarked-drill",
            "what fits of a drill's text does not say that it is one",
        ));
    }
    Ok(text)
}

fn unfit(code: &'static str, why: impl Into<Cow<'static, str>>) -> Failure {
    Failure::new(FailureClass::BadContent, code, why)
}

fn down(code: &'static str, why: impl Into<Cow<'static, str>>) -> Failure {
    Failure::new(FailureClass::LinkDown, code, why)
}

#[async_trait]
impl Channel for Rdss {
    fn capability(&self) -> Capability {
        let config = &self.desk.config;
        let told = config.shape == Shape::Compact && config.hears();
        Capability {
            kind: "satellite",
            speaks_to: EndpointKind::Beidou,
            style: Style::Short,
            best: if told {
                Evidence::Acknowledged
            } else {
                Evidence::Accepted
            },
            batch: 4,
            window: 1,
            repeat_is_harmless: false,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let card = message.address.expose();
        if !Form::is_card(card) {
            return Err(Failure::new(
                FailureClass::BadAddress,
                MISSHAPEN,
                "the address is no card's number of seven digits",
            ));
        }
        let sentence = self.sentence(message, card)?;
        let _turn = self.turn.lock().await;
        if let Some(left) = self.desk.rests() {
            return Err(form::refusal(Some(1), left));
        }
        let reference = self.desk.reference(number(message), card);
        // Its answer may be here before the terminal's own.
        self.desk.note(card, &reference);
        let (sent, reason, left) = self.hand(&sentence).await?;
        if sent {
            self.desk.begin_rest();
            return Ok(Accepted {
                references: vec![reference],
            });
        }
        let failure = form::refusal(reason, left);
        if let Some(left) = failure.retry_after {
            self.desk.rest_for(left);
        }
        Err(failure)
    }

    async fn run(&self, stop: Stop) {
        session::run(&self.desk, &self.link, &stop).await;
    }

    fn device(&self, device: &str) -> Option<DeviceState> {
        self.seen(device).map(Seen::state)
    }

    fn health(&self) -> Health {
        self.desk.health.lock().clone()
    }
}
