//! A WeCom application: one text for up to a thousand members in one request, and an outcome for each of them. This module
//! must not let a request name anybody but the members that it was handed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, EndpointKind, Evidence, Failure, FailureClass, Health,
    Message, Outcomes, Reply, Request, Stop, Style,
};
use futures::stream::{FuturesUnordered, StreamExt};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::callback::Door;
use crate::config::{ConfigError, WorkConfig};
use crate::errcode::House;
use crate::event::{self, Words};
use crate::far::{Answer, Far};
use crate::mark::Marks;
use crate::quota::{Limit, Quota};
use crate::text;
use crate::token::{Purse, Who};

/// What a member gets at most; the far end drops the rest and says nothing.
const MEMBER: &[Limit] = &[
    (30, Duration::from_mins(1)),
    (1_000, Duration::from_hours(1)),
];

/// One application of one corporation.
pub struct WorkApp {
    config: WorkConfig,
    context: Context,
    far: Arc<Far>,
    purse: Purse,
    door: Option<Door>,
    marks: Marks,
    quota: Quota,
    slots: Semaphore,
}

/// One request: messages of one text, one alert and one round, each to another member.
struct Letter<'a> {
    first: &'a Message,
    /// By the member's id in lower case, as the far end tells it.
    to: HashMap<String, usize>,
    ids: Vec<&'a str>,
}

impl<'a> Letter<'a> {
    fn new(first: &'a Message) -> Self {
        Self {
            first,
            to: HashMap::new(),
            ids: Vec::new(),
        }
    }

    fn takes(&self, message: &Message, most: usize) -> bool {
        let (own, other) = (self.first, message);
        self.ids.len() < most
            && Arc::ptr_eq(&own.variant, &other.variant)
            && (own.key.alert, own.key.generation) == (other.key.alert, other.key.generation)
            && !self
                .to
                .contains_key(&other.address.expose().to_ascii_lowercase())
    }
}

impl WorkApp {
    pub fn new(config: WorkConfig, context: Context) -> Result<Self, ConfigError> {
        config.validate()?;
        let far = Far::new(
            House::Work,
            &config.api,
            config.timeout_seconds,
            context.clone(),
        );
        let far = Arc::new(far);
        let who = Who::Corp {
            corpid: config.corpid.clone(),
            secret: config.secret.clone(),
        };
        let quota = Quota::new(MEMBER);
        quota.resume(&context, str::to_ascii_lowercase);
        let door = config.callback.as_ref();
        let door = door.map(|callback| Door::new(House::Work, callback, &config.corpid));
        Ok(Self {
            purse: Purse::new(far.clone(), who),
            door: door.transpose()?,
            marks: Marks::new(config.secret.expose()),
            quota,
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

    /// The next request; who cannot be in any is settled at once.
    fn next<'a>(
        &self,
        batch: &'a [Message],
        at: &mut usize,
        outcomes: &dyn Outcomes,
    ) -> Option<Letter<'a>> {
        let mut letter: Option<Letter<'a>> = None;
        while let Some(message) = batch.get(*at) {
            if letter
                .as_ref()
                .is_some_and(|l| !l.takes(message, self.config.members))
            {
                break;
            }
            match self.member(message) {
                Ok(id) => {
                    let letter = letter.get_or_insert_with(|| Letter::new(message));
                    letter.to.insert(id.to_ascii_lowercase(), *at);
                    letter.ids.push(id);
                }
                Err(failure) => outcomes.settle(*at, Err(failure)),
            }
            *at += 1;
        }
        letter
    }

    /// The member's id, counted; a sign that means several or all is no member.
    fn member<'a>(&self, message: &'a Message) -> Result<&'a str, Failure> {
        let variant = &message.variant;
        if variant.drill && !text::is_marked(&variant.text) {
            let detail = "the text does not mark the drill";
            return Err(Failure::new(
                FailureClass::BadContent,
                "wecom:unmarked-drill",
                detail,
            ));
        }
        let id = message.address.expose();
        if !is_member(id) {
            let detail =
                "this is no member's id: 1 to 64 letters, digits and . _ - @, the first no @";
            return Err(Failure::new(
                FailureClass::BadAddress,
                "wecom:no-member",
                detail,
            ));
        }
        let taken = self
            .quota
            .take(&id.to_ascii_lowercase(), self.context.clock.tick());
        taken.map(|()| id).map_err(|wait| {
            let detail = "this member has had what the far end delivers for now; it would drop more without a word";
            Failure::new(FailureClass::Transient, "wecom:member-quota", detail).retry_after(wait)
        })
    }

    fn request(&self, letter: &Letter<'_>) -> (Value, Option<String>) {
        let (key, variant) = (letter.first.key, &letter.first.variant);
        let mut request = json!({
            "touser": letter.ids.join("|"),
            "agentid": self.config.agent,
        });
        let task = self.config.button.as_ref().map(|button| {
            // A task's id must be new each time, so a press names one request.
            let task = format!(
                "{}-{:016x}",
                text::round(key, variant.drill),
                fastrand::u64(..)
            );
            request["msgtype"] = "template_card".into();
            request["template_card"] = json!({
                "card_type": "button_interaction",
                "main_title": { "title": text::title(variant) },
                "sub_title_text": text::card(&variant.text),
                "task_id": task,
                "button_list": [{
                    "text": button,
                    "style": 1,
                    "key": self.config.acknowledge_keys.first(),
                }],
            });
            task
        });
        if task.is_none() {
            let checked = self.config.duplicate_check_seconds > 0;
            // The far end compares whole requests: this line keeps a drill, a repeat and a renewed warning apart.
            let line = if checked {
                text::line(key, variant.drill)
            } else {
                String::new()
            };
            request["msgtype"] = "text".into();
            request["text"] = json!({ "content": text::whole(&variant.text, &line) });
            if checked {
                request["enable_duplicate_check"] = 1.into();
                request["duplicate_check_interval"] = self.config.duplicate_check_seconds.into();
            }
        }
        (request, task)
    }

    async fn post(&self, letter: Letter<'_>) -> Vec<(usize, Result<Accepted, Failure>)> {
        let (body, task) = self.request(&letter);
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let answer = self.purse.post("/cgi-bin/message/send", &body).await;
        let failed = match &answer {
            Ok(answer) => self.far.failure(answer),
            Err(failure) => Some(failure.clone()),
        };
        let members = letter.to.iter();
        match (answer, failed) {
            (Ok(answer), None) => {
                let left = LeftOut::of(&answer);
                let group = task.or_else(|| answer.id("msgid"));
                let one =
                    |(id, at): (&String, &usize)| (*at, self.outcome(id, &left, group.as_deref()));
                members.map(one).collect()
            }
            (_, failure) => {
                let failure = failure.expect("what has no failure is an answer");
                if failure.class != FailureClass::InDoubt {
                    letter.to.keys().for_each(|id| self.quota.give_back(id));
                }
                members.map(|(_, at)| (*at, Err(failure.clone()))).collect()
            }
        }
    }

    /// What became of one member of a request that was taken.
    fn outcome(&self, id: &str, left: &LeftOut, group: Option<&str>) -> Result<Accepted, Failure> {
        let refused = |code: &'static str, detail: &'static str| {
            self.quota.give_back(id);
            Err(Failure::new(FailureClass::BadAddress, code, detail))
        };
        if left.invalid.contains(id) {
            let detail = "no such member, or the application may not write to them";
            return refused("wecom:invaliduser", detail);
        }
        if left.unlicensed.contains(id) {
            return refused(
                "wecom:unlicenseduser",
                "the member has no licence for this interface",
            );
        }
        let reference = group.map(|group| self.marks.reference(group, id));
        Ok(Accepted {
            references: reference.into_iter().collect(),
        })
    }
}

/// Whom a request that was taken leaves out, in lower case as the far end tells them.
struct LeftOut {
    invalid: HashSet<String>,
    unlicensed: HashSet<String>,
}

impl LeftOut {
    fn of(answer: &Answer) -> Self {
        let list = |name: &str| {
            let ids = answer.text(name).unwrap_or_default().split('|');
            ids.map(|id| id.trim().to_ascii_lowercase()).collect()
        };
        Self {
            invalid: list("invaliduser"),
            unlicensed: list("unlicenseduser"),
        }
    }
}

fn is_member(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-@".contains(&b);
    (1..=64).contains(&id.len()) && !id.starts_with('@') && id.bytes().all(plain)
}

/// Keeps the outcome of a batch of one.
#[derive(Default)]
struct One(Mutex<Option<Result<Accepted, Failure>>>);

impl Outcomes for One {
    fn settle(&self, _index: usize, outcome: Result<Accepted, Failure>) {
        *self.0.lock() = Some(outcome);
    }
}

#[async_trait]
impl Channel for WorkApp {
    fn capability(&self) -> Capability {
        Capability {
            kind: "wechat",
            speaks_to: EndpointKind::Member,
            style: Style::Short,
            best: if self.config.button.is_some() {
                Evidence::Acknowledged
            } else {
                Evidence::Accepted
            },
            batch: self.config.members.max(100),
            window: self.config.members * self.config.connections,
            repeat_is_harmless: false,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let one = One::default();
        self.send_all(std::slice::from_ref(message), &one).await;
        let outcome = one.0.into_inner();
        outcome.expect("send_all settles every message of its batch")
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        let (mut at, mut under_way) = (0, FuturesUnordered::new());
        loop {
            while under_way.len() < self.config.connections
                && let Some(letter) = self.next(batch, &mut at, outcomes)
            {
                under_way.push(self.post(letter));
            }
            let Some(mut settled) = under_way.next().await else {
                return;
            };
            outcomes.settle_all(&mut settled);
        }
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
            undo: None,
            marks: Some(&self.marks),
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
    fn nothing_that_means_several_or_all_is_a_member() {
        for good in ["zhang-demo", "a@demo.invalid", "A.1_2"] {
            assert!(is_member(good), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "@all", "a|b", "张三", "a b", &long] {
            assert!(!is_member(bad), "{bad}");
        }
    }
}
