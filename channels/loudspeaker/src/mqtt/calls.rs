//! The calls that devices make over a broker. Anybody who may publish there can send anything, so that a call is proved
//! before it is looked into, and only a proved one is answered. This module must not trust a topic: it only has to agree
//! with what was signed.

use bytes::Bytes;
use channel::{PublicKey, Reply, Timestamp};
use serde_json::{Value, json};

use super::envelope::{Answer, Envelope, LONGEST_CALL};
use super::link::Post;
use super::speaker::{Came, Mqtt};
use super::topics::What;
use crate::call::Claim;
use crate::calls::{LONGEST_BODY, polled, read};
use crate::order::Window;
use crate::refused::{
    BY_API, NO_CALL, NOT_ENROLLED, REPLAYED, Refused, STALE, TOO_LONG, UNPROVEN, WRONG_TOPIC,
};

/// What a later call says anew.
#[derive(Clone, Copy)]
enum Newest {
    Heartbeat,
    Window,
    Key,
}

impl Mqtt {
    /// Serves one call, and answers it where its device is to know.
    pub(super) async fn call(&self, came: Came) {
        let Some(answer) = self.answered(&came).await else {
            return;
        };
        let sealed = answer.seal(&self.speaker.signer);
        let payload = serde_json::to_vec(&sealed).expect("it is two texts");
        let post = Post {
            topic: self.topics.of(What::Answers, &answer.to),
            payload: payload.into(),
            expiry: Some(crate::FRESH),
            retain: false,
        };
        // Without a connection the device does not hear it, and calls again.
        let _ = self.link.publish(post).await;
    }

    /// What one message from the broker comes to, and what would be answered: as the connection brings it, without one.
    pub async fn hear(&self, topic: &str, payload: Bytes) -> Option<Answer> {
        match self.sorted(topic, payload) {
            Ok(Some(came)) => self.answered(&came).await,
            Ok(None) => None,
            Err(refused) => {
                self.speaker.refusals.count(refused);
                None
            }
        }
    }

    async fn answered(&self, came: &Came) -> Option<Answer> {
        let Came { device, payload } = came;
        let (envelope, key) = match self.opened(device, payload) {
            Ok(opened) => opened,
            // Nobody knows who that was: an answer would only tell others that something was said.
            Err(refused) => {
                self.speaker.refusals.count(refused);
                return None;
            }
        };
        let claim = Claim::read(&envelope.authorization)?;
        let reply = match self.served(device, (&envelope, key), claim.time).await {
            Ok(reply) => reply?,
            Err(refused) => self.speaker.told(refused),
        };
        Some(Answer {
            answers: claim.signature.to_owned(),
            to: device.clone(),
            status: reply.status,
            reply: serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
        })
    }

    /// A call whose signature holds, whenever it was made, with the key that holds it.
    fn opened(&self, device: &str, payload: &[u8]) -> Result<(Envelope, PublicKey), Refused> {
        if payload.len() > LONGEST_CALL {
            return Err(TOO_LONG);
        }
        let envelope: Envelope = read(payload)?;
        if envelope.body.len() > LONGEST_BODY {
            return Err(TOO_LONG);
        }
        let claim = Claim::read(&envelope.authorization).ok_or(UNPROVEN)?;
        let key = self.speaker.context.inlet.key_of(claim.device);
        let key = key.ok_or(NOT_ENROLLED)?;
        if !claim.holds(&envelope.call, envelope.body.as_bytes(), &key) {
            return Err(UNPROVEN);
        }
        if claim.device != device {
            return Err(WRONG_TOPIC);
        }
        Ok((envelope, key))
    }

    async fn served(
        &self,
        device: &str,
        (envelope, key): (&Envelope, PublicKey),
        made: Timestamp,
    ) -> Result<Option<Reply>, Refused> {
        let now = self.speaker.context.clock.now();
        if u128::from(made.0.abs_diff(now.0)) > crate::FRESH.as_millis() {
            return Err(STALE);
        }
        let body = envelope.body.as_bytes();
        match &*envelope.call {
            // What was said once stays said, however often it comes.
            "reports" => self.speaker.reported(device, body).await.map(Some),
            "heartbeats" => {
                self.is_newest(device, Newest::Heartbeat, made)?;
                self.speaker.beaten(device, body).map(Some)
            }
            // The proof that an order has arrived; nobody waits for an answer.
            "took" => {
                let (window, _) = polled(body)?;
                self.is_newest(device, Newest::Window, made)?;
                self.took(device, window);
                Ok(None)
            }
            "orders" => {
                let (window, _) = polled(body)?;
                self.is_newest(device, Newest::Window, made)?;
                self.took(device, window);
                Ok(Some(self.asked(device).await))
            }
            // Nothing in it is secret, and only who has both keys can make it. It counts once: given again later it would
            // bring back a key that its device has given up.
            "rekey" => {
                self.is_newest(device, Newest::Key, made)?;
                self.speaker.rekeyed(device, key, body).await.map(Some)
            }
            "enrol" => Err(BY_API),
            _ => Err(NO_CALL),
        }
    }

    /// A call that says how things are now counts once, and not after a later one of its kind.
    fn is_newest(&self, device: &str, kind: Newest, made: Timestamp) -> Result<(), Refused> {
        let mut newest = self.newest.lock();
        if newest
            .get(device)
            .is_some_and(|known| known[kind as usize] >= made)
        {
            return Err(REPLAYED);
        }
        // Only who is enrolled comes here.
        newest.entry(device.into()).or_default()[kind as usize] = made;
        Ok(())
    }

    fn took(&self, device: &str, window: Window) {
        self.speaker.heard(device);
        self.speaker.desk.lock().polled(device, window);
    }

    /// Gives what lies there once more, to this device alone.
    async fn asked(&self, device: &str) -> Reply {
        let now = self.speaker.context.clock.now();
        let due = self.speaker.desk.lock().due(device, now);
        for sheet in &due {
            let topic = self.topics.of(What::Orders, device);
            // Without a connection the device asks again.
            let _ = self.link.publish(self.post(topic, sheet)).await;
        }
        Reply::json(200, &json!({ "orders": due.len(), "time": now }))
    }
}
