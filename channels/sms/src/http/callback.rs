//! What a provider tells us by calling: receipts and replies, on a path that only it knows. No signature is claimed:
//! providers of this kind sign nothing, so the path is the proof, and a receipt counts only for an id that was given to
//! a text of ours, which the house looks up. This module must not answer before what came is durable.

use std::net::IpAddr;

use channel::{
    Address, FailureClass, Inlet, Of, Receipt, Reply, Request, Timestamp, Uplink, Verdict,
};
use ring::{hmac, rand};
use serde_json::Value;

use super::answer::{Marks, is_id, plain, shown};
use super::shape::{Callback, HttpConfig, Receipts, Uplinks};
use crate::receipt::Stats;
use crate::reply::Acknowledge;

/// No longer body is read, and no more receipts of one call are taken.
const LONGEST: usize = 2 * 1024 * 1024;
const MOST: usize = 10_000;
/// No number is longer, with a short number's extension behind it.
const NUMBER: usize = 32;

/// Compares in constant time: two MACs under a key of this run.
pub(super) struct Path(hmac::Key);

impl Path {
    pub fn new() -> Option<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new());
        key.ok().map(Self)
    }

    fn is(&self, shown: &str, secret: &str) -> bool {
        let right = hmac::sign(&self.0, secret.as_bytes());
        hmac::verify(&self.0, shown.as_bytes(), right.as_ref()).is_ok()
    }
}

/// What a call brought.
#[derive(Default)]
pub(super) struct Brought {
    pub receipts: Vec<Receipt>,
    pub uplinks: Vec<Uplink>,
    /// Entries that name no message or nobody.
    pub unreadable: u64,
}

fn refuse(status: u16, why: &str) -> Reply {
    Reply::json(status, &serde_json::json!({ "error": why }))
}

/// A call, proved and read; or the refusal that it gets.
pub(super) fn read(
    shape: &HttpConfig,
    path: &Path,
    marks: &Marks,
    request: &Request,
    seen: Timestamp,
) -> Result<Brought, Reply> {
    let missing = || refuse(404, "there is nothing here");
    let callback = shape.callback.as_ref().ok_or_else(missing)?;
    let (secret, what) = request.path.rsplit_once('/').ok_or_else(missing)?;
    if !path.is(secret, callback.secret.expose()) {
        return Err(missing());
    }
    if !may_call(callback, request) {
        return Err(refuse(
            403,
            "this address is not on the list of the account",
        ));
    }
    if request.method != "POST" {
        return Err(refuse(405, "receipts and replies are posted"));
    }
    if request.body.len() > LONGEST {
        return Err(refuse(413, "the call is too long; send fewer at once"));
    }
    let json: Value =
        serde_json::from_slice(&request.body).map_err(|_| refuse(400, "this is no JSON"))?;
    let entries = |list: &str| {
        let found = json
            .pointer(list)
            .ok_or_else(|| refuse(400, "there is no list where one was agreed"))?;
        let entries = found
            .as_array()
            .map_or(std::slice::from_ref(found), Vec::as_slice);
        if entries.len() > MOST {
            return Err(refuse(413, "these are too many at once"));
        }
        Ok(entries)
    };
    let mut brought = Brought::default();
    match (what, &callback.uplinks) {
        ("receipts", _) => {
            let each = entries(&callback.receipts.list)?;
            let by = shape.answer.group.is_some().then_some(marks);
            let read = each
                .iter()
                .map(|one| receipt(one, &callback.receipts, by, &shape.stats, seen));
            brought.receipts = counted(read, &mut brought.unreadable);
        }
        ("uplinks", Some(uplinks)) => {
            let read = entries(&uplinks.list)?
                .iter()
                .map(|one| uplink(one, uplinks, &shape.acknowledge, seen));
            brought.uplinks = counted(read, &mut brought.unreadable);
        }
        _ => return Err(missing()),
    }
    Ok(brought)
}

fn counted<T>(read: impl Iterator<Item = Option<T>>, unreadable: &mut u64) -> Vec<T> {
    let mut good = Vec::new();
    for one in read {
        match one {
            Some(one) => good.push(one),
            None => *unreadable += 1,
        }
    }
    good
}

/// By the address that the proxy before the gateway tells; the last one of a list is the one that it saw itself.
fn may_call(callback: &Callback, request: &Request) -> bool {
    if callback.addresses.is_empty() {
        return true;
    }
    let told = request.header(&callback.address_header.to_lowercase());
    let last = told.and_then(|list| list.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    last.is_some_and(|address| callback.addresses.contains(&address))
}

fn receipt(
    one: &Value,
    at: &Receipts,
    marks: Option<&Marks>,
    stats: &Stats,
    seen: Timestamp,
) -> Option<Receipt> {
    let text = |pointer: &str| one.pointer(pointer).and_then(plain).unwrap_or_default();
    let id = text(&at.id);
    if !is_id(&id) {
        return None;
    }
    let reference = match marks {
        Some(marks) => marks.reference(&id, &text(&at.number)),
        None => id,
    };
    let code = shown(&text(&at.code));
    let stands = text(&at.state);
    let verdict = if at.delivered.contains(&stands) {
        Verdict::Reached(channel::Evidence::Delivered)
    } else if at.failed.is_empty() || at.failed.contains(&stands) {
        match stats.verdict(&code) {
            refused @ Verdict::Refused(_) => refused,
            // It says that it failed, and the code says nothing that is known.
            _ => Verdict::Refused(FailureClass::Transient),
        }
    } else {
        Verdict::Progress
    };
    Some(Receipt {
        of: Of::Reference(reference),
        verdict,
        code,
        far: None,
        seen,
    })
}

fn uplink(one: &Value, at: &Uplinks, words: &Acknowledge, seen: Timestamp) -> Option<Uplink> {
    let text = |pointer: &str| one.pointer(pointer).and_then(plain).unwrap_or_default();
    let from = text(&at.number);
    if from.is_empty() || from.len() > NUMBER {
        return None;
    }
    let written = text(&at.text);
    Some(Uplink {
        acknowledges: words.accepts(&written),
        from: Address::new(from),
        to: if at.to.is_empty() {
            String::new()
        } else {
            text(&at.to)
        },
        text: written,
        of: None,
        far: None,
        seen,
    })
}

/// The answer once what came is durable.
pub(super) async fn answer(brought: Brought, shape: &HttpConfig, inlet: &dyn Inlet) -> Reply {
    let receipts = brought.receipts.is_empty() || inlet.receipts(brought.receipts).await.is_ok();
    let uplinks = brought.uplinks.is_empty() || inlet.uplinks(brought.uplinks).await.is_ok();
    match &shape.callback {
        Some(callback) if receipts && uplinks => Reply::json(200, &callback.answer),
        _ => refuse(503, "nothing can be kept now; come again"),
    }
}
