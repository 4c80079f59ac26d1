//! The token of an account: asked for when none is kept, and anew when the far end takes the kept one no longer. This
//! module must not keep it: whoever shares tokens does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{Failure, FailureClass, Health, Secret, Stop, Token, TokenSource};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::errcode::{Meaning, meaning};
use crate::far::{Answer, Far};

/// A token is not used in its last minutes: the far end already gives the next one then.
const MARGIN: i64 = 240;
const LEAST: i64 = 30;
/// How often a new token may be forced.
const FORCED: usize = 20;
const FORCED_IN: Duration = Duration::from_hours(24);
const BETWEEN: Duration = Duration::from_secs(30);
/// While the account is refused it is asked again after this.
const PROBE: Duration = Duration::from_secs(15);

/// Who the account is.
pub(crate) enum Who {
    /// An official account: its stable token (`stable_token`).
    Stable { appid: String, secret: Secret },
    /// An application of a corporation (`gettoken`).
    Corp { corpid: String, secret: Secret },
}

struct Source {
    far: Arc<Far>,
    who: Who,
    /// When new tokens were forced.
    forced: Mutex<VecDeque<Duration>>,
}

/// Speaks for one account: every request with its token.
pub(crate) struct Purse {
    far: Arc<Far>,
    /// Under which the token is shared: nodes and channels of one account have one.
    name: String,
    source: Source,
    /// Why no token was to be had, if so.
    down: Mutex<Option<String>>,
}

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, refused: Option<&Token>) -> Result<Token, Failure> {
        let given = self.ask(false).await?;
        let same = refused.is_some_and(|refused| refused.is(&given));
        if same && self.may_force() {
            return self.ask(true).await;
        }
        Ok(given)
    }
}

impl Source {
    async fn ask(&self, force: bool) -> Result<Token, Failure> {
        let answer = match &self.who {
            Who::Stable { appid, secret } => {
                let body = json!({
                    "grant_type": "client_credential",
                    "appid": appid,
                    "secret": secret.expose(),
                    "force_refresh": force,
                });
                self.far.post("/cgi-bin/stable_token", &[], &body).await
            }
            Who::Corp { corpid, secret } => {
                let query = [("corpid", corpid.as_str()), ("corpsecret", secret.expose())];
                self.far.get("/cgi-bin/gettoken", &query).await
            }
        };
        // Nothing but a token was asked for, so no message is in doubt.
        let answer = answer.map_err(|failure| match failure.class {
            FailureClass::InDoubt => Failure {
                class: FailureClass::Transient,
                ..failure
            },
            _ => failure,
        })?;
        self.read(&answer)
    }

    fn read(&self, answer: &Answer) -> Result<Token, Failure> {
        if let Some(failure) = self.far.failure(answer) {
            let class = match failure.class {
                FailureClass::BadAddress | FailureClass::BadContent => FailureClass::LinkDown,
                class => class,
            };
            return Err(Failure { class, ..failure });
        }
        let value = answer
            .text("access_token")
            .filter(|token| token.len() <= 512);
        let Some(value) = value else {
            let code = format!("{}:no-token", self.far.house.prefix());
            let detail = "the far end answered without a token";
            return Err(Failure::new(FailureClass::Transient, code, detail));
        };
        let seconds = answer.json.get("expires_in").and_then(Value::as_i64);
        let usable = seconds
            .unwrap_or(0)
            .saturating_sub(MARGIN)
            .clamp(LEAST, 7_200);
        let usable = Duration::from_secs(u64::try_from(usable).unwrap_or(0));
        Ok(Token {
            value: Secret::new(value),
            until: self.far.context.clock.now().plus(usable),
        })
    }

    /// Only an account has tokens that can be forced; twenty a day, and never two in a row.
    fn may_force(&self) -> bool {
        if !matches!(self.who, Who::Stable { .. }) {
            return false;
        }
        let tick = self.far.context.clock.tick();
        let mut forced = self.forced.lock();
        while forced.front().is_some_and(|at| *at + FORCED_IN <= tick) {
            forced.pop_front();
        }
        let soon = forced.back().is_some_and(|at| tick < *at + BETWEEN);
        if soon || forced.len() >= FORCED {
            return false;
        }
        forced.push_back(tick);
        true
    }
}

impl Purse {
    pub fn new(far: Arc<Far>, who: Who) -> Self {
        let name = match &who {
            Who::Stable { appid, .. } => format!("wechat:{appid}"),
            // Each application has a secret of its own, and so a token of its own.
            Who::Corp { corpid, secret } => {
                let mark = crate::mark::Marks::new(secret.expose());
                format!("wecom:{}", mark.reference(corpid, "token"))
            }
        };
        Self {
            source: Source {
                far: far.clone(),
                who,
                forced: Mutex::default(),
            },
            far,
            name,
            down: Mutex::default(),
        }
    }

    async fn token(&self, refused: Option<&Token>) -> Result<Token, Failure> {
        let tokens = &self.far.context.tokens;
        let given = tokens.token(&self.name, refused, &self.source).await;
        let failure = given
            .as_ref()
            .err()
            .filter(|f| f.class == FailureClass::LinkDown);
        *self.down.lock() = failure.map(|f| format!("{}: {}", f.code, f.detail));
        given
    }

    /// One request with the token; with another one once, where the far end takes the first no longer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let token = self.token(None).await?;
        let query = |token: &Token| [("access_token", token.value.expose().to_owned())];
        let ask = async |token: &Token| {
            let query = query(token);
            let query = query
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            self.far.post(path, &query, body).await
        };
        let answer = ask(&token).await?;
        if meaning(self.far.house, answer.code) != Meaning::Token {
            return Ok(answer);
        }
        let token = self.token(Some(&token)).await?;
        ask(&token).await
    }

    pub fn health(&self) -> Health {
        match &*self.down.lock() {
            Some(why) => Health::Down(why.clone()),
            None => Health::Up,
        }
    }

    /// Asks again for a token while none is to be had.
    pub async fn run(&self, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PROBE) => {}
            }
            if self.health() != Health::Up {
                tokio::select! {
                    () = stop.cancelled() => return,
                    // What it says stands in `down`.
                    _ = self.token(None) => {}
                }
            }
        }
    }
}
