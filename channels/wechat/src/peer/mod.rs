//! The far end for tests and the demo: the official account's interface, WeCom's, and a robot's. It gives tokens, takes,
//! throttles, refuses, stalls, hangs up, drops what is beyond a quota without a word, and calls back. This module must not
//! be used to prove a signature or an envelope: it shares its code with the channel.

mod call;
mod http;
mod state;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channel::testing::Behaviour;
use channel::{Channel, Clock, HttpClient, Reply, Stop, SystemClock};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::errcode::House;
pub use call::{Caller, finished, pressed, scanned, wrote};
use http::Asked;
pub use state::PeerCounters;
use state::State;

#[derive(Clone)]
pub struct PeerConfig {
    pub house: House,
    pub behaviour: Behaviour,
    /// The account's id and secret, or a robot's name for nothing and its key.
    pub id: String,
    pub secret: String,
    /// How its calls are made.
    pub caller: Option<Caller>,
}

pub(crate) struct Shared {
    config: PeerConfig,
    clock: SystemClock,
    state: Mutex<State>,
    back: Mutex<Option<Back>>,
}

/// Where its calls go.
#[derive(Clone)]
enum Back {
    Channel(Arc<dyn Channel>),
    Url(String, HttpClient),
}

/// A running far end on 127.0.0.1.
pub struct Peer {
    addr: SocketAddr,
    stop: Stop,
    shared: Arc<Shared>,
}

/// An answer, and the calls that follow it.
type Answered = (Value, Vec<String>);

impl Peer {
    pub async fn start(config: PeerConfig) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (stop, refuses) = (Stop::new(), config.behaviour == Behaviour::HangUp);
        let shared = Arc::new(Shared {
            config,
            clock: SystemClock::default(),
            state: Mutex::default(),
            back: Mutex::default(),
        });
        // Over HTTP nobody can tell a closed connection from a lost answer, unless it is never opened.
        if !refuses {
            tokio::spawn(http::accept(listener, shared.clone(), stop.clone()));
        }
        Ok(Self { addr, stop, shared })
    }

    /// Without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Events are told to this channel from now on.
    pub fn calls(&self, channel: Arc<dyn Channel>) {
        *self.shared.back.lock() = Some(Back::Channel(channel));
    }

    /// Events are told at this address from now on.
    pub fn calls_at(&self, url: &str) {
        let http = HttpClient::new(Duration::from_secs(5));
        *self.shared.back.lock() = Some(Back::Url(url.to_owned(), http));
    }

    /// Makes one call with this XML, again and again until it is kept, and gives its answer; none where nobody is called.
    pub async fn call(&self, xml: &str) -> Option<Reply> {
        self.shared.call(xml).await
    }

    pub fn counters(&self) -> PeerCounters {
        self.shared.state.lock().counters.clone()
    }

    /// The last request's body.
    pub fn last(&self) -> Value {
        self.shared.state.lock().last.clone()
    }

    /// What this address got.
    pub fn got(&self, address: &str) -> Vec<Value> {
        self.shared
            .state
            .lock()
            .got
            .get(address)
            .cloned()
            .unwrap_or_default()
    }

    /// The next messages are answered with these codes.
    pub fn answers(&self, codes: impl IntoIterator<Item = i64>) {
        self.shared.state.lock().codes.extend(codes);
    }

    /// The token that was given last is no longer taken; the same is given until somebody forces another.
    pub fn revoke(&self) {
        self.shared.state.lock().good = None;
    }

    /// Somebody else forced a token: the one that was given is no longer taken, and the next asker gets the new one.
    pub fn replace_token(&self) {
        let mut state = self.shared.state.lock();
        state.token += 1;
        state.good = Some(named(state.token));
    }

    pub fn refuses_member(&self, id: &str) {
        self.shared.state.lock().invalid.insert(id.to_lowercase());
    }

    pub fn refuses_licence(&self, id: &str) {
        self.shared
            .state
            .lock()
            .unlicensed
            .insert(id.to_lowercase());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.cancel();
        // It may be held by the channel that it calls.
        self.shared.back.lock().take();
    }
}

fn named(token: u64) -> String {
    format!("token-{token}")
}

/// As the far end answers: its words vary, and may hold an id.
fn refused(code: i64, about: &str) -> Answered {
    let words = format!("refused {about} rid: 5f70354c");
    (json!({ "errcode": code, "errmsg": words }), Vec::new())
}

impl Shared {
    async fn call(&self, xml: &str) -> Option<Reply> {
        let back = self.back.lock().clone()?;
        let caller = self.config.caller.as_ref()?;
        loop {
            let request = caller.request(xml, &self.clock);
            let reply = match &back {
                Back::Channel(channel) => Some(channel.serve(request).await),
                Back::Url(url, http) => http.call(url, request).await.ok(),
            };
            if let Some(reply) = reply.filter(|reply| reply.status != 503) {
                return Some(reply);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn answer(&self, asked: &Asked) -> Answered {
        match asked.path.as_str() {
            "/cgi-bin/stable_token" => self.stable(asked.json()),
            "/cgi-bin/token" => self.token(asked.query("appid"), asked.query("secret"), false),
            "/cgi-bin/gettoken" => {
                self.token(asked.query("corpid"), asked.query("corpsecret"), false)
            }
            "/cgi-bin/webhook/send" => self.message(asked),
            path if !self.may(asked) => refused(40001, path),
            "/cgi-bin/qrcode/create" => self.ticket(asked.json()),
            "/cgi-bin/message/template/send" | "/cgi-bin/message/send" => self.message(asked),
            path => refused(-1, path),
        }
    }

    /// Whether this path is where a message is sent.
    fn sends(asked: &Asked) -> bool {
        asked.path.ends_with("/send")
    }

    fn stable(&self, body: &Value) -> Answered {
        let text = |name: &str| body[name].as_str();
        if text("grant_type") != Some("client_credential") {
            return refused(40002, "grant_type");
        }
        self.token(text("appid"), text("secret"), body["force_refresh"] == true)
    }

    fn token(&self, id: Option<&str>, secret: Option<&str>, force: bool) -> Answered {
        let mut state = self.state.lock();
        state.counters.tokens += 1;
        state.counters.forced += usize::from(force);
        let config = &self.config;
        let known = (id, secret) == (Some(&config.id), Some(&config.secret));
        if !known || config.behaviour == Behaviour::RefuseLogin {
            let code = if config.house == House::Account {
                40125
            } else {
                40001
            };
            return refused(code, id.unwrap_or_default());
        }
        if force || state.token == 0 {
            state.token += 1;
            state.good = Some(named(state.token));
        }
        let token = named(state.token);
        (
            json!({ "access_token": token, "expires_in": 7200 }),
            Vec::new(),
        )
    }

    fn may(&self, asked: &Asked) -> bool {
        let state = self.state.lock();
        state.good.is_some() && asked.query("access_token") == state.good.as_deref()
    }

    fn ticket(&self, body: &Value) -> Answered {
        let mut state = self.state.lock();
        state.last = body.clone();
        let scene = body["action_info"]["scene"]["scene_str"].as_str();
        let Some(scene) = scene.filter(|scene| (1..=64).contains(&scene.len())) else {
            return refused(40053, "scene_str");
        };
        let mut answer = json!({ "ticket": format!("gQH+{scene}/=="), "url": format!("http://weixin.qq.com/q/{scene}") });
        if let Some(seconds) = body["expire_seconds"].as_u64() {
            answer["expire_seconds"] = seconds.min(2_592_000).into();
        }
        (answer, Vec::new())
    }

    fn message(&self, asked: &Asked) -> Answered {
        let body = asked.json();
        let mut state = self.state.lock();
        state.counters.requests += 1;
        state.last = body.clone();
        let about = body["touser"].as_str().unwrap_or_default();
        if let Some(code) = state.codes.pop_front() {
            return refused(code, about);
        }
        if let Some(code) = self.refuses() {
            return refused(code, about);
        }
        let now = self.clock.tick();
        match self.config.house {
            House::Account => self.account(&mut state, body, now),
            House::Work => self.work(&mut state, body, now),
            House::Robot => self.robot(&mut state, asked.query("key"), body, now),
        }
    }

    fn refuses(&self) -> Option<i64> {
        let house = self.config.house;
        match (self.config.behaviour, house) {
            (Behaviour::Throttle, _) => Some(45009),
            (Behaviour::RefuseAddress, House::Account) => Some(43004),
            (Behaviour::RefuseAddress, House::Work) => Some(81013),
            (Behaviour::RefuseAddress, House::Robot) => Some(93000),
            (Behaviour::RefuseContent, House::Account) => Some(47003),
            (Behaviour::RefuseContent, House::Work) => Some(40058),
            (Behaviour::RefuseContent, House::Robot) => Some(44004),
            (Behaviour::RefuseLogin, House::Robot) => Some(60020),
            _ => None,
        }
    }

    fn confirms(&self) -> bool {
        self.config.behaviour == Behaviour::Confirm && self.config.caller.is_some()
    }

    /// The same id to the same follower is sent once in ten minutes.
    fn account(&self, state: &mut State, body: &Value, now: Duration) -> Answered {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let (to, id) = (text("touser"), text("client_msg_id"));
        let fields = body["data"].as_object().into_iter().flatten();
        let mut values = fields.map(|(_, field)| field["value"].as_str().unwrap_or_default());
        if to.is_empty() || id.len() > 32 {
            return refused(40003, to);
        }
        if values.any(|value| value.is_empty() || value.chars().count() > 32) {
            return refused(47003, to);
        }
        let known = state.known(&format!("{to} {id}"), now, Duration::from_mins(10));
        if let Some(message) = known.filter(|_| !id.is_empty()) {
            return (
                json!({ "errcode": 0, "errmsg": "ok", "msgid": message }),
                Vec::new(),
            );
        }
        let message = state.send(&format!("{to} {id}"), &[to], body, now);
        let answer = json!({ "errcode": 0, "errmsg": "ok", "msgid": message });
        let calls = self
            .confirms()
            .then(|| call::finished(to, message, "success"));
        (answer, calls.into_iter().collect())
    }

    fn work(&self, state: &mut State, body: &Value, now: Duration) -> Answered {
        let ids: Vec<_> = body["touser"]
            .as_str()
            .unwrap_or_default()
            .split('|')
            .collect();
        let content = body["text"]["content"].as_str().map_or(0, str::len);
        if ids.len() > 1_000 || content > 2_048 {
            return refused(40058, "touser");
        }
        let among = |set: &HashSet<String>| {
            let ids = ids.iter().map(|id| id.to_lowercase());
            ids.filter(|id| set.contains(id)).collect::<Vec<_>>()
        };
        let (invalid, unlicensed) = (among(&state.invalid), among(&state.unlicensed));
        let left = |id: &str| {
            invalid.contains(&id.to_lowercase()) || unlicensed.contains(&id.to_lowercase())
        };
        let good: Vec<_> = ids.iter().copied().filter(|id| !left(id)).collect();
        if good.is_empty() {
            return refused(81013, "all");
        }
        let checked = body["enable_duplicate_check"] == 1;
        let seconds = body["duplicate_check_interval"].as_u64().unwrap_or(1_800);
        let whole = body.to_string();
        let known = state
            .known(&whole, now, Duration::from_secs(seconds))
            .filter(|_| checked);
        let message = known.unwrap_or_else(|| {
            let fit = state.within_quota(&good, now);
            state.send(&whole, &fit, body, now)
        });
        let answer = json!({
            "errcode": 0, "errmsg": "ok", "msgid": format!("m{message}"),
            "invaliduser": invalid.join("|"), "unlicenseduser": unlicensed.join("|"),
        });
        let card = &body["template_card"];
        let pressed = |id: &&str| {
            let (task, key) = (
                card["task_id"].as_str()?,
                card["button_list"][0]["key"].as_str()?,
            );
            Some(call::pressed(id, task, key))
        };
        let calls = good.iter().filter(|_| self.confirms()).filter_map(pressed);
        (answer, calls.collect())
    }

    fn robot(&self, state: &mut State, key: Option<&str>, body: &Value, now: Duration) -> Answered {
        if key != Some(&self.config.secret) {
            return refused(93000, "key");
        }
        state.send("", &[&self.config.id], body, now);
        (json!({ "errcode": 0, "errmsg": "ok" }), Vec::new())
    }
}
