//! The door that the far end calls at: echo, signature, time, encryption, and what came before. This module must not say
//! what a call means, and what is not proved goes no further.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use channel::{Clock, Inlet, Reply, Request, Tied, Timestamp};
use parking_lot::Mutex;

use crate::config::{Callback, ConfigError};
use crate::crypt::{AesKey, signature};
use crate::errcode::House;
use crate::event::Brought;
use crate::mark::Equal;
use crate::said;
use crate::xml::Flat;

/// The longest body that is read, and the longest word of a query.
const LONGEST: usize = 64 * 1024;
const WORD: usize = 128;
/// Calls that are remembered. The far end repeats within seconds.
const REMEMBERED: usize = 16_384;

/// Why a call was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    Nothing,
    Method,
    TooLong,
    Malformed,
    Signature,
    Time,
    Replay,
    NotOurs,
}

impl Why {
    const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Method,
        Self::TooLong,
        Self::Malformed,
        Self::Signature,
        Self::Time,
        Self::Replay,
        Self::NotOurs,
    ];

    const fn told(self) -> (&'static str, u16) {
        match self {
            Self::Nothing => ("no-callback", 404),
            Self::Method => ("method", 405),
            Self::TooLong => ("too-long", 413),
            Self::Malformed => ("malformed", 400),
            Self::Signature => ("signature", 403),
            Self::Time => ("time", 403),
            Self::Replay => ("replay", 403),
            Self::NotOurs => ("not-ours", 403),
        }
    }
}

/// What came through the door.
enum Came {
    Echo(Vec<u8>),
    /// Answered before.
    Again,
    Call(Flat, Seen),
}

/// By what a call is known again: its signature with its body, and the message in it.
struct Seen {
    signature: u64,
    body: u64,
    message: u64,
}

pub(crate) struct Door {
    house: House,
    callback: Callback,
    key: Option<AesKey>,
    /// The id that an envelope must be addressed to.
    owner: String,
    /// The word by which a binding is undone.
    undo: String,
    equal: Equal,
    hasher: RandomState,
    before: Mutex<Before>,
    refused: [AtomicU64; Why::ALL.len()],
}

/// What was answered, for as long as its time would be believed.
#[derive(Default)]
struct Before {
    /// By hash: a signature's body, or a message.
    kept: HashMap<u64, u64>,
    order: VecDeque<(Timestamp, u64)>,
}

impl Before {
    fn keep(&mut self, what: u64, with: u64, now: Timestamp, window: Duration) {
        let over = |at: Timestamp| at.plus(window * 2) < now;
        while let Some((at, first)) = self.order.front().copied()
            && (self.order.len() >= REMEMBERED || over(at))
        {
            self.order.pop_front();
            self.kept.remove(&first);
        }
        if self.kept.insert(what, with).is_none() {
            self.order.push_back((now, what));
        }
    }
}

impl Door {
    pub fn new(house: House, callback: &Callback, owner: &str) -> Result<Self, ConfigError> {
        let key = callback.aes_key.as_ref().map(|key| {
            AesKey::new(key.expose()).ok_or(ConfigError {
                key: "callback.aes_key",
                why: "must be the 43 letters and digits that the far end's page shows",
            })
        });
        Ok(Self {
            house,
            callback: callback.clone(),
            key: key.transpose()?,
            owner: owner.to_owned(),
            undo: String::new(),
            equal: Equal::new(),
            hasher: RandomState::new(),
            before: Mutex::default(),
            refused: Default::default(),
        })
    }

    /// Tells people to write this where they want to hear no more.
    pub fn undone_by(mut self, word: &str) -> Self {
        word.clone_into(&mut self.undo);
        self
    }

    /// How many calls were refused, by why.
    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let counts = self.refused.iter().map(|count| count.load(Relaxed));
        Why::ALL
            .iter()
            .map(|why| why.told().0)
            .zip(counts)
            .collect()
    }

    /// Answers a call; what it brought is durable before.
    pub async fn answer(
        &self,
        request: &Request,
        clock: &dyn Clock,
        inlet: &dyn Inlet,
        read: impl FnOnce(&Flat, Timestamp) -> Brought,
    ) -> Reply {
        let now = clock.now();
        let (call, seen) = match self.open(request, now) {
            Ok(Came::Echo(echo)) => return plain(echo),
            Ok(Came::Again) => return self.done(),
            Ok(Came::Call(call, seen)) => (call, seen),
            Err(why) => {
                self.refused[why as usize].fetch_add(1, Relaxed);
                return Reply::status(why.told().1);
            }
        };
        let brought = read(&call, now);
        let receipts =
            brought.receipts.is_empty() || inlet.receipts(brought.receipts).await.is_ok();
        let uplinks = brought.uplinks.is_empty() || inlet.uplinks(brought.uplinks).await.is_ok();
        let tied = if brought.bindings.is_empty() {
            Some(Vec::new())
        } else {
            inlet.bindings(brought.bindings).await.ok()
        };
        let Some(tied) = tied.filter(|_| receipts && uplinks) else {
            return Reply::status(503);
        };
        let mut before = self.before.lock();
        before.keep(seen.signature, seen.body, now, self.callback.window());
        before.keep(seen.message, 0, now, self.callback.window());
        drop(before);
        self.told(&call, &tied, now).unwrap_or_else(|| self.done())
    }

    /// In the answer itself stands what whoever bound or undid something is told; who left hears nothing.
    fn told(&self, call: &Flat, tied: &[Tied], now: Timestamp) -> Option<Reply> {
        let left = |event: &str| event.eq_ignore_ascii_case("unsubscribe");
        if call.get("Event").is_some_and(left) {
            return None;
        }
        let (person, account) = (call.get("FromUserName")?, call.get("ToUserName")?);
        let words = said::words(tied.last()?, &self.undo);
        let xml = said::text((person, account), &words, now);
        let xml = match &self.key {
            Some(key) => {
                let envelope = key.seal(xml.as_bytes(), &self.owner);
                said::envelope(&envelope, self.callback.token.expose(), now)
            }
            None => xml,
        };
        Some(plain(xml.into_bytes()))
    }

    fn done(&self) -> Reply {
        match self.house {
            House::Account => plain("success".into()),
            House::Work | House::Robot => plain(Vec::new()),
        }
    }

    fn open(&self, request: &Request, now: Timestamp) -> Result<Came, Why> {
        if !request.path.is_empty() {
            return Err(Why::Nothing);
        }
        let word = |name: &str| {
            let word = request.query(name).ok_or(Why::Signature)?;
            let short = name == "echostr" || word.len() <= WORD;
            if short { Ok(word) } else { Err(Why::TooLong) }
        };
        if request.body.len() > LONGEST || request.query.iter().any(|(_, v)| v.len() > LONGEST) {
            return Err(Why::TooLong);
        }
        let (timestamp, nonce) = (word("timestamp")?, word("nonce")?);
        let signed = |name: &str, words: &[&str]| {
            let right = signature(words);
            if self.equal.is(word(name)?, &right) {
                Ok(right)
            } else {
                Err(Why::Signature)
            }
        };
        let token = self.callback.token.expose();
        match (request.method.as_str(), &self.key) {
            // The account's echo is plain in both modes.
            ("GET", _) if self.house == House::Account => {
                signed("signature", &[token, timestamp, nonce])?;
                self.timely(timestamp, now)?;
                Ok(Came::Echo(word("echostr")?.as_bytes().to_vec()))
            }
            ("GET", Some(key)) => {
                let echo = word("echostr")?;
                signed("msg_signature", &[token, timestamp, nonce, echo])?;
                self.timely(timestamp, now)?;
                let echo = key.open(echo, &self.owner).map_err(|_| Why::NotOurs)?;
                Ok(Came::Echo(echo))
            }
            ("POST", Some(key)) => {
                let body = flat(&request.body)?;
                let envelope = body.get("Encrypt").ok_or(Why::Signature)?;
                let right = signed("msg_signature", &[token, timestamp, nonce, envelope])?;
                self.timely(timestamp, now)?;
                let inner = key.open(envelope, &self.owner).map_err(|_| Why::NotOurs)?;
                self.known(&right, &request.body, flat(&inner)?)
            }
            ("POST", None) => {
                let right = signed("signature", &[token, timestamp, nonce])?;
                self.timely(timestamp, now)?;
                self.known(&right, &request.body, flat(&request.body)?)
            }
            _ => Err(Why::Method),
        }
    }

    fn timely(&self, timestamp: &str, now: Timestamp) -> Result<(), Why> {
        let said: i64 = timestamp.parse().map_err(|_| Why::Time)?;
        if now.secs().abs_diff(said) <= self.callback.window_seconds {
            Ok(())
        } else {
            Err(Why::Time)
        }
    }

    /// A call that was answered is answered again and does nothing. In plain a signature says nothing of the body: with
    /// another one it is a replay.
    fn known(&self, signature: &str, body: &[u8], call: Flat) -> Result<Came, Why> {
        let hash = |words: &[&str]| self.hasher.hash_one(words);
        let part = |name| call.get(name).unwrap_or_default();
        let names = [
            "FromUserName",
            "CreateTime",
            "MsgType",
            "Event",
            "EventKey",
            "TaskId",
        ];
        let id = [part("MsgId"), part("MsgID")].concat();
        let mut words = names.map(part).to_vec();
        words.push(&id);
        let seen = Seen {
            signature: hash(&["signature", signature]),
            body: self.hasher.hash_one(body),
            message: self.hasher.hash_one(words),
        };
        let before = self.before.lock();
        match before.kept.get(&seen.signature) {
            Some(kept) if *kept != seen.body => return Err(Why::Replay),
            Some(_) => return Ok(Came::Again),
            None if before.kept.contains_key(&seen.message) => return Ok(Came::Again),
            None => {}
        }
        drop(before);
        Ok(Came::Call(call, seen))
    }
}

fn flat(bytes: &[u8]) -> Result<Flat, Why> {
    let text = std::str::from_utf8(bytes).map_err(|_| Why::Malformed)?;
    Flat::read(text).map_err(|_| Why::Malformed)
}

fn plain(body: Vec<u8>) -> Reply {
    Reply {
        status: 200,
        headers: vec![(
            "content-type".to_owned(),
            "text/plain; charset=utf-8".to_owned(),
        )],
        body: body.into(),
    }
}
