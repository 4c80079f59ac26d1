//! How a device comes to its key and to another one: by a code and its own signature, or by the key that it had. This module
//! must not judge a code: the gateway does.

use channel::{Enrolment, NotEnrolled, PublicKey, Rekeying, Reply, Request};
use serde::Deserialize;
use serde_json::json;

use crate::call::is_proved;
use crate::calls::read;
use crate::refused::{
    BAD_CODE, BAD_KEY, NOT_ENROLLED, Refused, TOO_MANY, UNKEPT, UNPROVEN, refuse,
};
use crate::speaker::Loudspeaker;

/// What an installer types is no longer.
const LONGEST_CODE: usize = 64;

const NO_PROOF: Refused = refuse(
    422,
    "no-proof",
    "`proof` is not the new key's signature over the step from the old one to it",
);

#[derive(Deserialize)]
struct Rekey {
    key: String,
    proof: String,
}

fn public(key: &str) -> Result<PublicKey, Refused> {
    let key = hex::decode(key).ok();
    key.and_then(|key| key.try_into().ok()).ok_or(BAD_KEY)
}

#[derive(Deserialize)]
struct Enrol {
    code: String,
    key: String,
}

impl Loudspeaker {
    /// A device shows its code and its key; the call is signed by that key, so that nobody enrols another's.
    pub(crate) async fn enrol(&self, request: &Request) -> Result<Reply, Refused> {
        let claim = self.claimed(request)?;
        let Enrol { code, key } = read(&request.body)?;
        let key = public(&key)?;
        if !claim.holds(&request.path, &request.body, &key) {
            return Err(UNPROVEN);
        }
        if code.len() > LONGEST_CODE {
            return Err(BAD_CODE);
        }
        let device = claim.device;
        let enrolment = Enrolment {
            device: device.to_owned(),
            code,
            key,
        };
        let enrolled = self.context.inlet.enrol(enrolment).await;
        enrolled.map_err(|not| match not {
            NotEnrolled::BadCode => BAD_CODE,
            NotEnrolled::TooMany(wait) => Refused {
                after: Some(wait),
                ..TOO_MANY
            },
            NotEnrolled::Unavailable => UNKEPT,
        })?;
        let counter = {
            let mut desk = self.desk.lock();
            desk.forget(device);
            desk.floor(device)
        };
        Ok(Reply::json(200, &self.welcome(device, counter)))
    }

    /// A device gives its key up for another: the call is signed by the old one, the new one is proved in it.
    pub(crate) async fn rekey(&self, request: &Request) -> Result<Reply, Refused> {
        let (device, old) = self.proved(request)?;
        self.rekeyed(device, old, &request.body).await
    }

    /// What a device that has proved itself by `old` shows of its next key.
    pub(crate) async fn rekeyed(
        &self,
        device: &str,
        old: PublicKey,
        body: &[u8],
    ) -> Result<Reply, Refused> {
        let Rekey { key, proof } = read(body)?;
        let new = public(&key)?;
        if new == old || !is_proved(device, &old, &new, &proof) {
            return Err(NO_PROOF);
        }
        let rekeying = Rekeying {
            device: device.to_owned(),
            old,
            new,
        };
        let rekeyed = self.context.inlet.rekey(rekeying).await;
        rekeyed.map_err(|not| match not {
            NotEnrolled::Unavailable => UNKEPT,
            NotEnrolled::BadCode | NotEnrolled::TooMany(_) => NOT_ENROLLED,
        })?;
        // Whoever waits here by the old key is nobody any more.
        let bell = self.desk.lock().bell(device);
        bell.notify_waiters();
        Ok(Reply::json(
            200,
            &json!({ "time": self.context.clock.now() }),
        ))
    }

    /// All that a new device needs.
    fn welcome(&self, device: &str, counter: u64) -> serde_json::Value {
        let keys = self.public_keys();
        let (live, drill) = keys.split_at(keys.len() / 2);
        let mut welcome = json!({
            "device": device,
            "gateway": self.config.gateway,
            "keys": { "live": live, "drill": drill },
            "counter": counter,
            "address": format!("/v1/channels/{}", self.context.name),
            "heartbeat": (self.config.silent_after / 3).as_secs().max(1),
            "time": self.context.clock.now(),
        });
        let broker = self.config.broker.as_ref();
        if let Some(topics) = broker.and_then(|broker| broker.told(&self.context.name, device)) {
            welcome["topics"] = topics;
        }
        welcome
    }
}
