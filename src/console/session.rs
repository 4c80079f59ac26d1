//! Signing in: a bureau's token once, then a cookie with 256 random bits of which only the hash is kept, in memory. It ends
//! after twelve hours, at signing out and at a restart. This module must not keep or show a token.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Form, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use parking_lot::Mutex;
use serde::Deserialize;

use super::{Desk, Handle, layout};
use crate::trust::{Caller, Scope, new_token, token_hash};

const COOKIE: &str = "tocsin-session";
/// A duty of twelve hours.
const LASTS: Duration = Duration::from_hours(12);
/// What is signed in at once at most; the oldest goes.
const MOST: usize = 1024;

struct Session {
    caller: Caller,
    until: Duration,
}

#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    /// A new session; gives its cookie's value.
    pub fn open(&self, caller: Caller, tick: Duration) -> String {
        let (value, hash) = new_token();
        let mut sessions = self.0.lock();
        sessions.retain(|_, session| session.until > tick);
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, s)| s.until);
            let oldest = oldest.map(|(hash, _)| hash.clone());
            oldest.and_then(|hash| sessions.remove(&hash));
        }
        let until = tick + LASTS;
        sessions.insert(hash, Session { caller, until });
        value
    }

    pub fn caller(&self, cookie: &str, tick: Duration) -> Option<Caller> {
        let sessions = self.0.lock();
        let session = sessions.get(&token_hash(cookie))?;
        (session.until > tick).then(|| session.caller.clone())
    }

    pub fn close(&self, cookie: &str) {
        self.0.lock().remove(&token_hash(cookie));
    }
}

/// Whoever is signed in. Pages ask for this before anything else; who is not is sent to the form.
pub struct Officer(pub Caller);

impl FromRequestParts<Handle> for Officer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Handle) -> Result<Self, Response> {
        let tick = desk.console.clock.tick();
        let caller = cookie(parts).and_then(|value| desk.sessions.caller(value, tick));
        if let Some(caller) = caller {
            return Ok(Self(caller));
        }
        let page =
            parts.uri.path() == "/console" || parts.uri.path().starts_with("/console/alerts");
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
            p.hint { "令牌由系统管理员发放（tocsin token）。页面只读。 The administrator gives it; the pages only show." }
        }
    };
    (status, layout::bare("登录 Sign in", &body)).into_response()
}

#[derive(Deserialize)]
pub struct SignIn {
    token: String,
}

pub async fn sign_in(State(desk): State<Handle>, Form(form): Form<SignIn>) -> Response {
    let caller = desk.console.bureaus.prove(form.token.trim());
    let Some(caller) = caller else {
        let problem =
            "令牌不正确，请向系统管理员核对。 This token is not known; ask the administrator.";
        return sign_in_page(Some(problem), StatusCode::UNAUTHORIZED);
    };
    if !caller.may(Scope::Read) {
        let problem =
            "该单位没有查看权限（read）。 This bureau may not read; have the scope added.";
        return sign_in_page(Some(problem), StatusCode::FORBIDDEN);
    }
    let value = desk.sessions.open(caller, desk.console.clock.tick());
    let seconds = LASTS.as_secs();
    let cookie =
        format!("{COOKIE}={value}; Path=/console; Max-Age={seconds}; HttpOnly; SameSite=Strict");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/console")).into_response()
}

pub async fn sign_out(State(desk): State<Handle>, request: axum::extract::Request) -> Response {
    let (parts, _) = request.into_parts();
    if let Some(value) = cookie(&parts) {
        desk.sessions.close(value);
    }
    let gone = format!("{COOKIE}=; Path=/console; Max-Age=0; HttpOnly; SameSite=Strict");
    (
        [(header::SET_COOKIE, gone)],
        Redirect::to("/console/sign-in"),
    )
        .into_response()
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
            scopes: vec![Scope::Read],
            regions: Vec::new(),
            senders: Vec::new(),
            strict: false,
        }
    }

    #[test]
    fn a_session_ends_with_the_duty_or_at_signing_out() {
        let sessions = Sessions::default();
        let start = Duration::from_secs(5);
        let one = sessions.open(caller(), start);
        let other = sessions.open(caller(), start);
        assert_ne!(one, other);
        assert!(sessions.caller(&one, start + LASTS / 2).is_some());
        assert!(sessions.caller(&one, start + LASTS).is_none());
        sessions.close(&other);
        assert!(sessions.caller(&other, start).is_none());
        assert!(sessions.caller("made-up", start).is_none());
    }

    #[test]
    fn the_oldest_session_makes_room() {
        let sessions = Sessions::default();
        let first = sessions.open(caller(), Duration::ZERO);
        for n in 1..=MOST as u64 {
            sessions.open(caller(), Duration::from_millis(n));
        }
        assert!(sessions.caller(&first, Duration::from_millis(1)).is_none());
        assert_eq!(sessions.0.lock().len(), MOST);
    }
}
