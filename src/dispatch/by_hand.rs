//! Outlets that a person serves by hand, as officers see them: which deliveries of an alert they are, what was entered and
//! who is late, and what an officer takes down for somebody who telephoned (代报). The channel is asked, by the same kind of
//! links as the outlet's own people use. This module must not keep anything and must not judge an entry: the channel does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channel::{Channel, Clock, EndpointKind, Key, Reply, Request};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ledger::event::{Look, Looked};
use crate::ledger::{Alert, Event, Proposal, TextId, Writer};
use crate::model::{DeliveryNo, RegionCode, shape};
use crate::trust::{Caller, Scope};

pub struct ByHand {
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    pub writer: Writer,
    pub clock: Arc<dyn Clock>,
}

/// One delivery of an alert to an outlet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub channel: String,
    pub key: Key,
    pub region: RegionCode,
    /// When whoever is responsible was called to it.
    pub prompts: Vec<Prompt>,
}

/// One call to whoever is responsible.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = ByHandPrompt)]
pub struct Prompt {
    #[schema(schema_with = shape::moment)]
    pub at: String,
    /// 0 as the item was handed, and from 1 each time it was said again.
    pub nth: u8,
    /// The alert and the delivery of the text; nothing where the registry has no way to them.
    #[schema(value_type = Option<Vec<u64>>)]
    pub text: Option<TextId>,
}

/// What stands at an outlet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ByHandItem)]
pub struct Item {
    #[serde(skip_deserializing)]
    #[schema(value_type = u32)]
    pub delivery: DeliveryNo,
    #[serde(skip_deserializing)]
    pub channel: String,
    #[serde(skip_deserializing)]
    #[schema(value_type = RegionCode)]
    pub region: Option<RegionCode>,
    pub outlet: OutletName,
    /// Who is to do it, as the registry calls them; empty where it knows nobody any more.
    pub whom: String,
    pub title: String,
    /// As it is to be given.
    pub text: String,
    pub drill: bool,
    #[schema(schema_with = shape::moment)]
    pub due: String,
    #[schema(schema_with = shape::moment)]
    pub expires: String,
    pub withdrawn: bool,
    /// The alert is over and filed: nothing more is taken.
    pub sealed: bool,
    #[schema(schema_with = standings)]
    pub standing: String,
    pub standing_zh: String,
    /// From when nobody has entered anything who should have: 逾期未播.
    #[serde(skip_deserializing)]
    #[schema(schema_with = shape::maybe_moment)]
    pub overdue_since: Option<String>,
    /// When whoever is responsible was called to it (催办).
    #[serde(skip_deserializing)]
    pub prompts: Vec<Prompt>,
    /// In the order they came; none replaces another.
    pub entries: Vec<Line>,
    /// The outlet's own page of it, for callers with the scope `report`: whoever has it may enter.
    pub link: Option<String>,
    /// The short one that is sent to whoever is responsible, for the same callers, where the channel has a `base`.
    pub short: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OutletName {
    pub kind: String,
    pub name: String,
    pub zh: String,
    pub en: String,
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ByHandEntry)]
pub struct Line {
    /// `played`, `relayed` or `cannot`; nothing where it was erased.
    pub outcome: Option<String>,
    /// Who did it, for callers with the scope `report` or `registry`.
    pub name: Option<String>,
    #[schema(schema_with = shape::maybe_moment)]
    pub done: Option<String>,
    /// As `name`.
    pub note: Option<String>,
    pub erased: bool,
    #[schema(schema_with = shape::moment)]
    pub entered: String,
    /// Done after it was due (逾期).
    pub late: bool,
    /// Entered more than ten minutes after it was done (补录).
    pub backfilled: bool,
    /// The bureau that took it down for somebody else (代报).
    pub reported_by: Option<String>,
    /// How the bureau was told: `phone`, `radio`, `in-person`, `message` or `other`.
    pub means: Option<String>,
    /// The media type of what is attached; `…/by-hand/{delivery}/attachments/{no}` serves it, `no` being the entry's place
    /// from 0.
    pub attachment: Option<String>,
    pub attachment_bytes: Option<u64>,
}

/// The keys of `standing`.
fn standings() -> utoipa::openapi::schema::Schema {
    shape::one_of(&[
        "open",
        "overdue",
        "done",
        "cannot",
        "disputed",
        "withdrawn",
        "over",
    ])
}

/// Why something is not shown or taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unserved {
    /// The alert has no such item, or it is there no more.
    Missing,
    /// The store is away.
    Away,
    /// The channel's own word.
    Refused {
        status: u16,
        code: String,
        english: String,
        chinese: String,
    },
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    error: String,
    zh: String,
}

/// How long a link of a desk stands: it is used at once and shown to nobody.
const AT_ONCE: Duration = Duration::from_mins(1);

impl Item {
    pub fn waits(&self) -> bool {
        matches!(self.standing.as_str(), "open" | "overdue")
    }

    /// Without what this caller may not see.
    fn seen_by(mut self, caller: &Caller) -> Self {
        if !caller.may(Scope::Report) {
            (self.link, self.short) = (None, None);
        }
        if !may_read(caller) {
            for entry in &mut self.entries {
                (entry.name, entry.note) = (None, None);
            }
        }
        self
    }
}

/// An entry as it is kept, without what is attached to it; nothing where nothing is.
pub fn without_attachment(text: &str) -> Option<String> {
    let mut entry: serde_json::Value = serde_json::from_str(text).ok()?;
    entry.as_object_mut()?.remove("attachment")?;
    Some(entry.to_string())
}

/// Whether a caller may see who entered what, and what is attached.
pub fn may_read(caller: &Caller) -> bool {
    caller.may(Scope::Report) || caller.may(Scope::Registry)
}

impl ByHand {
    pub fn is_by_hand(&self, channel: &str) -> bool {
        let channel = self.channels.get(channel);
        channel.is_some_and(|channel| channel.capability().speaks_to == EndpointKind::Manual)
    }

    /// The deliveries of an alert that are done by hand, in these regions.
    pub fn places(&self, alert: &Alert, covers: impl Fn(RegionCode) -> bool) -> Vec<Place> {
        let mut places = Vec::new();
        alert.each_block(|block| {
            if self.is_by_hand(&block.channel) && covers(block.region) {
                places.extend((0..block.len() as usize).map(|i| Place {
                    channel: block.channel.clone(),
                    key: Key {
                        alert: alert.stream,
                        delivery: block.number(i),
                        generation: 0,
                    },
                    region: block.region,
                    prompts: prompts(alert, block.number(i)),
                }));
            }
        });
        places.sort_by_key(|place| place.key.delivery);
        places
    }

    /// What stands there, as this caller may see it. Of those that are not handed yet nothing is said.
    pub async fn items(&self, places: &[Place], caller: &Caller) -> Result<Vec<Item>, Unserved> {
        let mut items = Vec::with_capacity(places.len());
        for place in places {
            match self.item(place, caller).await {
                Ok(item) => items.push(item),
                Err(Unserved::Away) => return Err(Unserved::Away),
                Err(_) => {}
            }
        }
        Ok(items)
    }

    async fn item(&self, place: &Place, caller: &Caller) -> Result<Item, Unserved> {
        let reply = self.ask(place, caller, "", None).await?;
        let item: Item = serde_json::from_slice(&reply.body).map_err(|_| Unserved::Missing)?;
        let overdue = item.standing == "overdue";
        let item = Item {
            delivery: place.key.delivery,
            channel: place.channel.clone(),
            region: Some(place.region),
            prompts: place.prompts.clone(),
            overdue_since: overdue.then(|| item.due.clone()),
            ..item
        };
        Ok(item.seen_by(caller))
    }

    /// What is attached to an entry, with its media type.
    pub async fn attachment(
        &self,
        place: &Place,
        caller: &Caller,
        no: usize,
    ) -> Result<Reply, Unserved> {
        let behind = format!("/attachment/{no}");
        self.ask(place, caller, &behind, None).await
    }

    /// What an officer takes down, as JSON. The entry is durable, and that this bureau made it, when it is answered.
    pub async fn enter(
        &self,
        place: &Place,
        caller: &Caller,
        entry: Bytes,
    ) -> Result<(), Unserved> {
        self.ask(place, caller, "", Some(entry)).await?;
        let looked = Looked {
            officer: Some(caller.id.clone()),
            what: Look::Reported,
            subject: Some(place.key.alert),
            from: 0,
        };
        let noted = self
            .writer
            .propose(Proposal::of(0, Event::Looked(looked)))
            .await;
        // Said again, it is the same entry and is noted then.
        noted.map(drop).map_err(|_| Unserved::Away)
    }

    async fn ask(
        &self,
        place: &Place,
        caller: &Caller,
        behind: &str,
        entry: Option<Bytes>,
    ) -> Result<Reply, Unserved> {
        let channel = self.channels.get(&place.channel).ok_or(Unserved::Missing)?;
        let until = self.clock.now().plus(AT_ONCE);
        let page = channel.page(place.key, until, Some(&caller.id));
        // What stands behind /v1/channels/NAME/.
        let path = page.as_ref().and_then(|page| page.splitn(5, '/').nth(4));
        let path = path.ok_or(Unserved::Missing)?;
        let json = || "application/json".to_owned();
        let request = Request {
            method: if entry.is_some() { "POST" } else { "GET" }.to_owned(),
            path: format!("{path}{behind}"),
            headers: vec![("accept".into(), json()), ("content-type".into(), json())],
            body: entry.unwrap_or_default(),
            ..Request::default()
        };
        let reply = channel.serve(request).await;
        match reply.status {
            200 => Ok(reply),
            404 => Err(Unserved::Missing),
            503 => Err(Unserved::Away),
            status => Err(refused(status, &reply.body)),
        }
    }
}

fn prompts(alert: &Alert, item: DeliveryNo) -> Vec<Prompt> {
    let all = alert.prompts.of(item).into_iter();
    all.map(|(at, nth, text)| Prompt {
        at: at.to_string(),
        nth,
        text,
    })
    .collect()
}

fn refused(status: u16, body: &[u8]) -> Unserved {
    let said: Option<Refusal> = serde_json::from_slice(body).ok();
    said.map_or(Unserved::Missing, |said| Unserved::Refused {
        status,
        code: said.code,
        english: said.error,
        chinese: said.zh,
    })
}
