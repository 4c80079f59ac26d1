//! The calls of people and their programs: an outlet's list, an item, its picture, an entry. A link is proved before
//! anything is looked up, an entry is answered after it is durable, and each refusal is counted. This module must not
//! keep anything.

use bytes::Bytes;
use channel::{
    Address, Channel as _, Handed, Key, Of, Receipt, Reply, Request, Timestamp, Uplink, Whose,
};
use serde_json::json;

use crate::entry::{self, Attachment, Bounds, Entry};
use crate::item::{Item, Shown};
use crate::link::Shut;
use crate::manual::Manual;
use crate::outlet::Outlet;
use crate::refusal::{self, Refused};
use crate::sniff::is_picture;
use crate::{page, picture};

/// What beside an attachment stands in a body.
pub const LONGEST_BODY: usize = 16 * 1024;
/// An item takes no more entries.
pub const MOST_ENTRIES: usize = 50;
/// A list shows no more.
const LISTED: usize = 100;

impl Manual {
    pub(crate) async fn called(&self, request: &Request) -> Reply {
        let wants_json = wants_json(request);
        let reply = self.routed(request, wants_json).await;
        reply.unwrap_or_else(|refused| {
            self.refusals.count(refused);
            if wants_json {
                let why = json!({ "code": refused.code, "error": refused.english, "zh": refused.chinese });
                guarded(Reply::json(refused.status, &why))
            } else {
                page(refused.status, page::refused(&self.context.name, refused))
            }
        })
    }

    async fn routed(&self, request: &Request, wants_json: bool) -> Result<Reply, Refused> {
        let parts: Vec<&str> = request.path.split('/').collect();
        let get = matches!(request.method.as_str(), "GET" | "HEAD");
        match (parts.as_slice(), get) {
            (["manual.css"], true) => Ok(file("text/css; charset=utf-8", page::CSS.into())),
            (["manual.js"], true) => Ok(file("text/javascript; charset=utf-8", page::JS.into())),
            (["o", address, mac], true) => self.list(address, mac, wants_json).await,
            (["s", code], true) => {
                let now = self.context.clock.now();
                let (key, until) = self.links.open_short(code, now).map_err(shut)?;
                Ok(to(303, self.links.item(key, until)))
            }
            (["i", key, until, mac], true) if !wants_json => {
                let handed = self.opened((key, until, mac)).await?;
                self.with_others(&handed).await
            }
            (["i", key, until, mac, rest @ ..], true) => {
                let handed = self.opened((key, until, mac)).await?;
                self.shown(&handed, rest, wants_json)
            }
            (["i", key, until, mac], false) if request.method == "POST" => {
                let handed = self.opened((key, until, mac)).await?;
                self.entered((request, None), &handed, wants_json).await
            }
            (["d", key, until, operator, mac, rest @ ..], true) => {
                let handed = self.at_desk((key, until, operator, mac)).await?;
                self.shown(&handed, rest, wants_json)
            }
            (["d", key, until, operator, mac], false) if request.method == "POST" => {
                let handed = self.at_desk((key, until, operator, mac)).await?;
                let by = Some(*operator);
                self.entered((request, by), &handed, wants_json).await
            }
            (["i" | "o" | "d" | "s" | "manual.css" | "manual.js", ..], false) => {
                Err(refusal::NO_METHOD)
            }
            _ => Err(refusal::NO_PAGE),
        }
    }

    /// The item that a link names, once the link is proved.
    async fn opened(&self, link: (&str, &str, &str)) -> Result<Handed, Refused> {
        let now = self.context.clock.now();
        let key = self.links.open_item(link, now).map_err(shut)?;
        self.recalled(key).await
    }

    async fn at_desk(&self, link: (&str, &str, &str, &str)) -> Result<Handed, Refused> {
        let now = self.context.clock.now();
        let key = self.links.open_desk(link, now).map_err(shut)?;
        self.recalled(key).await
    }

    async fn recalled(&self, key: Key) -> Result<Handed, Refused> {
        let found = self.context.inlet.handed(&Whose::Key(key)).await;
        let mut found = found.map_err(|_| refusal::UNKEPT)?;
        found.pop().ok_or(refusal::UNKNOWN)
    }

    async fn list(&self, address: &str, mac: &str, wants_json: bool) -> Result<Reply, Refused> {
        self.links.open_outlet(address, mac).map_err(shut)?;
        let outlet = Outlet::read(address).ok_or(refusal::NO_PAGE)?;
        let whose = Whose::Address(Address::new(address));
        let found = self.context.inlet.handed(&whose).await;
        let found = found.map_err(|_| refusal::UNKEPT)?;
        let now = self.context.clock.now();
        let mut items: Vec<_> = found
            .iter()
            .filter_map(|handed| self.item(handed, now))
            .collect();
        // Who is still waited for comes first, the longest overdue of them before the others.
        items.sort_by_key(|item| (!item.standing.waits(), item.handed.due));
        let left_out = items.len().saturating_sub(LISTED);
        items.truncate(LISTED);
        if wants_json {
            let items: Vec<_> = items.iter().map(Item::json).collect();
            let body = json!({ "time": now.to_string(), "items": items, "left_out": left_out });
            return Ok(guarded(Reply::json(200, &body)));
        }
        Ok(page(
            200,
            page::list(&self.context.name, outlet, &items, now),
        ))
    }

    fn item<'a>(&self, handed: &'a Handed, now: Timestamp) -> Option<Item<'a>> {
        let outlet = Outlet::read(handed.message.address.expose())?;
        let limit = self.config.limit(outlet.kind);
        let until = handed.message.expires.plus(self.config.late());
        let (key, expires) = (handed.message.key, handed.message.expires);
        let links = (self.links.item(key, until), self.link(key, expires));
        Some(Item::of(handed, outlet, limit, links, now))
    }

    /// The page of an item, with what else waits for the same person: one text calls to all of it.
    async fn with_others(&self, handed: &Handed) -> Result<Reply, Refused> {
        let key = handed.message.key;
        let found = self.context.inlet.handed(&Whose::Beside(key)).await;
        let found = found.map_err(|_| refusal::UNKEPT)?;
        let now = self.context.clock.now();
        let others = found.iter().filter(|other| other.message.key != key);
        let mut others: Vec<_> = others
            .filter_map(|other| self.item(other, now))
            .filter(|other| other.standing.waits())
            .collect();
        others.sort_by_key(|other| other.handed.due);
        others.truncate(LISTED);
        let item = self.item(handed, now).ok_or(refusal::UNKNOWN)?;
        let attachments = self.config.attachment();
        let name = &self.context.name;
        let markup = page::item(name, &item, &others, (now, attachments));
        Ok(page(200, markup))
    }

    fn shown(&self, handed: &Handed, rest: &[&str], wants_json: bool) -> Result<Reply, Refused> {
        let now = self.context.clock.now();
        let item = self.item(handed, now).ok_or(refusal::UNKNOWN)?;
        match rest {
            [] if wants_json => Ok(guarded(Reply::json(200, &item.json()))),
            [] => {
                let (name, attachments) = (&self.context.name, self.config.attachment());
                Ok(page(200, page::item(name, &item, &[], (now, attachments))))
            }
            ["picture.svg"] => {
                let message = &handed.message;
                let text = &item.ready.text;
                let svg = picture::draw(&message.variant, text, handed.since, message.expires);
                Ok(file("image/svg+xml", svg.into()))
            }
            ["attachment", number] => {
                let at: usize = number.parse().map_err(|_| refusal::NO_PAGE)?;
                let shown = item.entries.get(at).and_then(Shown::attachment);
                let opened = shown.and_then(Attachment::open);
                let (bytes, mime, ending) = opened.ok_or(refusal::NO_PAGE)?;
                let mut reply = file(mime, bytes);
                if !is_picture(mime) {
                    let value = format!("attachment; filename=\"attachment.{ending}\"");
                    reply.headers.push(("content-disposition".into(), value));
                }
                Ok(reply)
            }
            _ => Err(refusal::NO_PAGE),
        }
    }

    async fn entered(
        &self,
        (request, operator): (&Request, Option<&str>),
        handed: &Handed,
        wants_json: bool,
    ) -> Result<Reply, Refused> {
        if handed.sealed {
            return Err(refusal::SEALED);
        }
        let attachment = self.config.attachment();
        if request.body.len() > LONGEST_BODY + attachment / 3 * 4 {
            return Err(refusal::TOO_LONG);
        }
        if handed.said.len() >= MOST_ENTRIES {
            return Err(refusal::TOO_MANY);
        }
        let now = self.context.clock.now();
        let bounds = Bounds {
            since: handed.since,
            now,
            attachment,
            operator,
        };
        let entry = entry::read(request, &bounds)?;
        let code = entry.outcome.code();
        self.kept(handed.message.key, &handed.message.address, entry, now)
            .await?;
        if wants_json {
            return Ok(guarded(Reply::json(200, &json!({ "entered": code }))));
        }
        // The item itself, from wherever it is posted.
        Ok(to(303, "?".into()))
    }

    /// The document first, then the evidence: what is posted again because only one was kept is the same entry.
    async fn kept(
        &self,
        key: Key,
        address: &Address,
        entry: Entry,
        seen: Timestamp,
    ) -> Result<(), Refused> {
        let of = Of::Key(key);
        let uplink = Uplink {
            from: address.clone(),
            to: String::new(),
            text: serde_json::to_string(&entry).map_err(|_| refusal::NOT_READ)?,
            acknowledges: false,
            of: Some(of.clone()),
            far: Some(entry.done),
            seen,
        };
        let inlet = &self.context.inlet;
        let kept = inlet.uplinks(vec![uplink]).await;
        kept.map_err(|_| refusal::UNKEPT)?;
        let receipt = Receipt {
            of,
            verdict: entry.outcome.verdict(),
            code: entry.code().to_owned(),
            far: Some(entry.done),
            seen,
        };
        let kept = inlet.receipts(vec![receipt]).await;
        kept.map_err(|_| refusal::UNKEPT)
    }
}

fn to(status: u16, place: String) -> Reply {
    let mut reply = guarded(Reply::status(status));
    reply.headers.push(("location".into(), place));
    reply
}

const fn shut(shut: Shut) -> Refused {
    match shut {
        Shut::Forged => refusal::FORGED,
        Shut::Expired => refusal::EXPIRED,
    }
}

/// A program says so; a browser asks for a page, but where its script posts.
fn wants_json(request: &Request) -> bool {
    let says = |name, kind| {
        request
            .header(name)
            .is_some_and(|value| value.contains(kind))
    };
    says("accept", "application/json") && !says("accept", "text/html")
}

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Nothing of it is kept on the way, guessed at, framed, or told to another site.
fn guarded(mut reply: Reply) -> Reply {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-security-policy", POLICY),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
    ] {
        reply.headers.push((name.into(), value.into()));
    }
    reply
}

fn page(status: u16, markup: maud::Markup) -> Reply {
    let mut reply = file("text/html; charset=utf-8", markup.into_string().into());
    reply.status = status;
    reply
}

fn file(kind: &str, body: Bytes) -> Reply {
    guarded(Reply {
        status: 200,
        headers: vec![("content-type".into(), kind.to_owned())],
        body,
    })
}
