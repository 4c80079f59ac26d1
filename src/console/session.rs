//! Signing in: a bureau's token once, then a cookie with 256 random bits of which only the hash is kept, in memory. It ends
//! after twelve hours, at signing out and at a restart. This module must not keep or show a token, and must not decide who
//! comes in: trust does.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::{ConnectInfo, Form, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use channel::Stop;
use maud::html;
use parking_lot::Mutex;
use serde::Deserialize;

use super::{Desk, Handle, layout};
use crate::trust::{Caller, NoEntry, new_token, token_hash};

const COOKIE: &str = "tocsin-session";
/// A duty of twelve hours.
const LASTS: Duration = Duration::from_hours(12);
/// What is signed in at once at most; the oldest goes.
const MOST: usize = 1024;

struct Session {
    caller: Caller,
    until: Duration,
    ended: Stop,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

/// When a session is over: what it keeps open ends with it.
#[derive(Clone)]
pub struct Ends {
    pub left: Duration,
    /// Signed out, or the gateway stops.
    pub stop: Stop,
}

#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    /// A new session; gives its cookie's value. It is over when `ended` is, if not sooner.
    pub fn open(&self, caller: Caller, tick: Duration, ended: Stop) -> String {
        let (value, hash) = new_token();
        let mut sessions = self.0.lock();
        sessions.retain(|_, session| session.until > tick);
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, s)| s.until);
            let oldest = oldest.map(|(hash, _)| hash.clone());
            oldest.and_then(|hash| sessions.remove(&hash));
        }
        let until = tick + LASTS;
        let session = Session {
            caller,
            until,
            ended,
        };
        sessions.insert(hash, session);
        value
    }

    pub fn caller(&self, cookie: &str, tick: Duration) -> Option<(Caller, Ends)> {
        let sessions = self.0.lock();
        let session = sessions.get(&token_hash(cookie))?;
        let left = session
            .until
            .checked_sub(tick)
            .filter(|left| !left.is_zero())?;
        let stop = session.ended.clone();
        Some((session.caller.clone(), Ends { left, stop }))
    }

    pub fn close(&self, cookie: &str) {
        self.0.lock().remove(&token_hash(cookie));
    }
}

/// Whoever is signed in. Pages ask for this before anything else; who is not is sent to the form.
pub struct Officer(pub Caller, pub Ends);

impl FromRequestParts<Handle> for Officer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Handle) -> Result<Self, Response> {
        let tick = desk.console.clock.tick();
        let caller = cookie(parts).and_then(|value| desk.sessions.caller(value, tick));
        if let Some((caller, ends)) = caller {
            return Ok(Self(caller, ends));
        }
        let path = parts.uri.path();
        let below = [
            "/console/alerts",
            "/console/earthquakes",
            "/console/horns",
            "/console/recordings",
            "/console/satellites",
        ];
        let page = path == "/console" || below.iter().any(|page| path.starts_with(page));
        let wants_page = parts
            .headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
        if page && wants_page {
            return Err(Redirect::to("/console/sign-in").into_response());
        }
        let text = "signed out 登录已失效: open /console/sign-in 请重新登录\n";
        Err((StatusCode::UNAUTHORIZED, text).into_response())
    }
}

fn cookie(parts: &Parts) -> Option<&str> {
    let all = parts.headers.get_all(header::COOKIE).into_iter();
    all.filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

pub async fn form() -> Response {
    sign_in_page(None, StatusCode::OK)
}

fn sign_in_page(problem: Option<&str>, status: StatusCode) -> Response {
    let body = html! {
        form.sign-in method="post" action="/console/sign-in" {
            h1 { "登录 " small { "Sign in" } }
            @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
            label for="token" { "单位令牌 " small { "Bureau token" } }
            input #token name="token" type="password" autocomplete="current-password" autofocus required;
            button type="submit" { "进入值班台 Enter" }
            p.hint { "令牌由系统管理员发放（tocsin token）。The administrator gives it." }
        }
    };
    (status, layout::bare("登录 Sign in", &body)).into_response()
}

#[derive(Deserialize)]
pub struct SignIn {
    token: String,
}

pub async fn sign_in(
    State(desk): State<Handle>,
    place: Place,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    match desk.console.entry.sign_in(form.token.trim(), &place.0) {
        Ok(caller) => {
            let ended = desk.stop.child_token();
            let tick = desk.console.clock.tick();
            let value = desk.sessions.open(caller, tick, ended);
            let cookie = set_cookie(&value, LASTS, &headers);
            ([(header::SET_COOKIE, cookie)], Redirect::to("/console")).into_response()
        }
        Err(NoEntry::Wrong) => {
            let problem =
                "令牌不正确，请向系统管理员核对。 This token is not known; ask the administrator.";
            sign_in_page(Some(problem), StatusCode::UNAUTHORIZED)
        }
        Err(NoEntry::NoScope) => {
            let problem =
                "该单位没有查看权限（read）。 This bureau may not read; have the scope added.";
            sign_in_page(Some(problem), StatusCode::FORBIDDEN)
        }
        Err(NoEntry::Locked(wait)) => {
            let seconds = wait.as_secs() + 1;
            let problem = format!(
                "错误次数过多，请 {seconds} 秒后再试。 Too many wrong tokens from here; try again in {seconds} s."
            );
            let page = sign_in_page(Some(&problem), StatusCode::TOO_MANY_REQUESTS);
            ([(header::RETRY_AFTER, seconds.to_string())], page).into_response()
        }
    }
}

pub async fn sign_out(State(desk): State<Handle>, request: axum::extract::Request) -> Response {
    let (parts, _) = request.into_parts();
    let tick = desk.console.clock.tick();
    if let Some(value) = cookie(&parts) {
        if let Some((caller, _)) = desk.sessions.caller(value, tick) {
            desk.console.entry.sign_out(&caller, &place(&parts));
        }
        desk.sessions.close(value);
    }
    let gone = set_cookie("", Duration::ZERO, &parts.headers);
    (
        [(header::SET_COOKIE, gone)],
        Redirect::to("/console/sign-in"),
    )
        .into_response()
}

/// No script reads it, no other site sends it, and where the proxy before us speaks TLS it never travels in the clear.
fn set_cookie(value: &str, lasts: Duration, headers: &HeaderMap) -> String {
    let proto = headers.get("x-forwarded-proto");
    let tls = proto.is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    let secure = if tls { "; Secure" } else { "" };
    let seconds = lasts.as_secs();
    format!("{COOKIE}={value}; Path=/console; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// Where a request comes from: the far end of its connection, or whom a proxy on this machine names.
pub struct Place(pub String);

impl FromRequestParts<Handle> for Place {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Handle) -> Result<Self, Infallible> {
        Ok(Self(place(parts)))
    }
}

fn place(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(address)| address.ip());
    let named = || {
        let mut lines = parts.headers.get_all("x-forwarded-for").into_iter();
        // The last is the proxy's own word; what stands before it anybody may have written.
        lines
            .next_back()?
            .to_str()
            .ok()?
            .rsplit(',')
            .next()?
            .trim()
            .parse()
            .ok()
    };
    let behind = peer.filter(IpAddr::is_loopback).and_then(|_| named());
    match behind.or(peer) {
        // Whoever has one address of a line has all of them.
        Some(IpAddr::V6(address)) => format!("{:x?}", &address.segments()[..4]),
        Some(IpAddr::V4(address)) => address.to_string(),
        None => String::new(),
    }
}

impl Desk {
    pub fn name_of(&self, caller: &Caller) -> String {
        let name = self.console.bureaus.name_of(&caller.id);
        name.unwrap_or(&caller.id).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        Caller {
            id: "duty".into(),
            signature: String::new(),
            scopes: Vec::new(),
            regions: Vec::new(),
            senders: Vec::new(),
            strict: false,
        }
    }

    #[test]
    fn a_session_ends_with_the_duty_or_at_signing_out() {
        let sessions = Sessions::default();
        let start = Duration::from_secs(5);
        let one = sessions.open(caller(), start, Stop::new());
        let other = sessions.open(caller(), start, Stop::new());
        assert_ne!(one, other);
        assert!(sessions.caller(&one, start + LASTS / 2).is_some());
        assert!(sessions.caller(&one, start + LASTS).is_none());
        let (_, ends) = sessions.caller(&other, start + LASTS / 2).expect("open");
        assert_eq!(ends.left, LASTS / 2);
        sessions.close(&other);
        assert!(ends.stop.is_cancelled(), "what it kept open ends");
        assert!(sessions.caller(&other, start).is_none());
        assert!(sessions.caller("made-up", start).is_none());
    }

    fn parts(peer: &str, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = axum::http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        let peer: SocketAddr = peer.parse().expect("an address");
        parts.extensions.insert(ConnectInfo(peer));
        parts
    }

    #[test]
    fn only_a_proxy_of_this_machine_says_where_somebody_stands() {
        let claimed = [("x-forwarded-for", "192.0.2.9, 192.0.2.7")];
        assert_eq!(place(&parts("127.0.0.1:5", &claimed)), "192.0.2.7");
        assert_eq!(place(&parts("198.51.100.1:5", &claimed)), "198.51.100.1");
        assert_eq!(place(&parts("127.0.0.1:5", &[])), "127.0.0.1");
        let nonsense = [("x-forwarded-for", "<script>")];
        assert_eq!(place(&parts("127.0.0.1:5", &nonsense)), "127.0.0.1");
        let one = place(&parts("[2001:db8::1]:5", &[]));
        assert_eq!(one, place(&parts("[2001:db8::2]:5", &[])));
        assert_ne!(one, place(&parts("[2001:db8:1::1]:5", &[])));
    }

    #[test]
    fn a_cookie_that_came_by_tls_goes_by_tls_alone() {
        let of = |headers: &[(&'static str, &str)]| {
            set_cookie("v", LASTS, &parts("127.0.0.1:5", headers).headers)
        };
        let flags = "Path=/console; Max-Age=43200; HttpOnly; SameSite=Strict";
        assert_eq!(of(&[]), format!("tocsin-session=v; {flags}"));
        let tls = of(&[("x-forwarded-proto", "https")]);
        assert_eq!(tls, format!("tocsin-session=v; {flags}; Secure"));
    }

    #[test]
    fn the_oldest_session_makes_room() {
        let sessions = Sessions::default();
        let first = sessions.open(caller(), Duration::ZERO, Stop::new());
        for n in 1..=MOST as u64 {
            sessions.open(caller(), Duration::from_millis(n), Stop::new());
        }
        assert!(sessions.caller(&first, Duration::from_millis(1)).is_none());
        assert_eq!(sessions.0.lock().len(), MOST);
    }
}
