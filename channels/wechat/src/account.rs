//! A service account: one template message a follower, its end told by event. This module must not wait between messages
//! and must not repeat one, but for a token that ran out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Code, Context, EndpointKind, Evidence, Failure, FailureClass,
    Health, Key, Message, Reply, Request, Scene, Stop, Style,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::callback::Door;
use crate::config::{AccountConfig, ConfigError};
use crate::errcode::House;
use crate::event::{self, Words};
use crate::far::Far;
use crate::fields::Fields;
use crate::token::{Purse, Who};

/// One official account.
pub struct OfficialAccount {
    config: AccountConfig,
    context: Context,
    fields: Fields,
    far: Arc<Far>,
    pub(crate) purse: Purse,
    door: Option<Door>,
    slots: Semaphore,
}

impl OfficialAccount {
    pub fn new(config: AccountConfig, context: Context) -> Result<Self, ConfigError> {
        config.validate()?;
        let far = Far::new(
            House::Account,
            &config.api,
            config.timeout_seconds,
            context.clone(),
        );
        let far = Arc::new(far);
        let who = Who::Stable {
            appid: config.appid.clone(),
            secret: config.secret.clone(),
        };
        let door = config.callback.as_ref();
        let undo = config.undo.first().unwrap_or_default();
        let door = door.map(|callback| {
            let door = Door::new(House::Account, callback, &config.appid)?;
            Ok(door.undone_by(undo))
        });
        Ok(Self {
            fields: Fields::new(&config.fields)?,
            purse: Purse::new(far.clone(), who),
            door: door.transpose()?,
            slots: Semaphore::new(config.connections),
            far,
            context,
            config,
        })
    }

    /// Answers of the far end that are in no table, by code.
    pub fn unknown(&self) -> Vec<i64> {
        self.far.unknown()
    }

    pub(crate) fn now(&self) -> channel::Timestamp {
        self.context.clock.now()
    }

    fn request(&self, message: &Message) -> Result<Value, Failure> {
        let variant = &message.variant;
        let data = self.fields.fill(variant, message.expires).map_err(|_| {
            let detail =
                "no field marks the drill; put {text} or {title} with its marking into one";
            Failure::new(FailureClass::BadContent, "wechat:unmarked-drill", detail)
        })?;
        let mut request = json!({
            "touser": message.address.expose(),
            "template_id": self.config.template,
            "client_msg_id": once(message.key, variant.drill),
            "data": data,
        });
        if let Some(url) = &self.config.url {
            request["url"] = url
                .replace("{alert}", &message.key.alert.to_string())
                .into();
        }
        Ok(request)
    }
}

/// Under one id the far end sends once within ten minutes. A drill's is another than a warning's of the same number. At
/// most 31 characters.
pub(crate) fn once(key: Key, drill: bool) -> String {
    let status = if drill { 'x' } else { 'a' };
    format!(
        "{status}{:x}-{:x}-{:x}",
        key.alert, key.delivery, key.generation
    )
}

#[async_trait]
impl Channel for OfficialAccount {
    fn capability(&self) -> Capability {
        let told = self.door.is_some();
        Capability {
            kind: "wechat",
            speaks_to: EndpointKind::Openid,
            style: Style::Short,
            best: if told {
                Evidence::Delivered
            } else {
                Evidence::Accepted
            },
            batch: 200,
            window: self.config.connections,
            repeat_is_harmless: true,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let body = self.request(message)?;
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let answer = self
            .purse
            .post("/cgi-bin/message/template/send", &body)
            .await?;
        match self.far.failure(&answer) {
            Some(failure) => Err(failure),
            None => Ok(Accepted {
                references: answer.id("msgid").into_iter().collect(),
            }),
        }
    }

    async fn code(&self, scene: Scene, valid: Option<Duration>) -> Result<Code, Failure> {
        self.ticket(scene, valid).await
    }

    async fn run(&self, stop: Stop) {
        self.purse.run(stop).await;
    }

    fn refused(&self) -> Vec<(&'static str, u64)> {
        self.door.as_ref().map_or_else(Vec::new, Door::refused)
    }

    async fn serve(&self, request: Request) -> Reply {
        let Some(door) = &self.door else {
            return Reply::status(404);
        };
        let words = Words {
            acknowledge: &self.config.acknowledge,
            keys: &self.config.acknowledge_keys,
            undo: Some(&self.config.undo),
            marks: None,
        };
        let (clock, inlet) = (&*self.context.clock, &*self.context.inlet);
        door.answer(&request, clock, inlet, |call, seen| {
            event::read(call, &words, seen)
        })
        .await
    }

    fn health(&self) -> Health {
        self.purse.health()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_fits_and_tells_drill_retry_and_repeat_apart() {
        let key = |generation| Key {
            alert: u64::MAX,
            delivery: u32::MAX,
            generation,
        };
        let most = once(key(u16::MAX), true);
        assert!(most.len() <= 32, "{most}");
        assert_eq!(
            once(key(1), false),
            once(key(1), false),
            "a retry has the same"
        );
        assert_ne!(
            once(key(1), false),
            once(key(2), false),
            "a repeat has another"
        );
        assert_ne!(
            once(key(1), false),
            once(key(1), true),
            "yesterday's drill hides nothing"
        );
    }
}
