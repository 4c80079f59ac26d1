//! The tokens of accounts at far ends, for all nodes: one node asks while the others wait, and Redis carries what it was
//! given. Where there is no Redis, or it is away, each node asks for itself, which the far ends allow. This module must
//! not log a token, and a warning must not wait for Redis.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{Clock, Failure, OwnTokens, Secret, Timestamp, Token, TokenSource, Tokens};
use deadpool_redis::redis::cmd;

use super::Redis;

/// How long one node may take to ask; who waits longer asks too.
const TURN: Duration = Duration::from_secs(12);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const LOOKS: u32 = 50;

/// The tokens of this node, shared where there is a Redis.
pub struct SharedTokens {
    own: OwnTokens,
    redis: Option<Redis>,
    clock: Arc<dyn Clock>,
}

impl SharedTokens {
    pub fn new(redis: Option<Redis>, clock: Arc<dyn Clock>) -> Self {
        Self {
            own: OwnTokens::new(clock.clone()),
            redis,
            clock,
        }
    }
}

#[async_trait]
impl Tokens for SharedTokens {
    async fn token(
        &self,
        account: &str,
        refused: Option<&Token>,
        source: &dyn TokenSource,
    ) -> Result<Token, Failure> {
        let Some(redis) = &self.redis else {
            return self.own.token(account, refused, source).await;
        };
        let laid = Shelf {
            redis,
            // In braces what keeps both on one server of a Redis cluster.
            keys: ["token", "turn"].map(|what| format!("tocsin:{what}:{{{account}}}")),
            now: self.clock.now(),
            source,
        };
        self.own.token(account, refused, &laid).await
    }
}

/// Where nodes lay the token of one account.
struct Shelf<'a> {
    redis: &'a Redis,
    keys: [String; 2],
    now: Timestamp,
    source: &'a dyn TokenSource,
}

#[async_trait]
impl TokenSource for Shelf<'_> {
    async fn fetch(&self, refused: Option<&Token>) -> Result<Token, Failure> {
        let mut turn = false;
        for _ in 0..LOOKS {
            match self.look(refused).await {
                Ok(Some(token)) => return Ok(token),
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(error, "no token from Redis");
                    return self.source.fetch(refused).await;
                }
            }
            turn = self.take_turn().await.unwrap_or(true);
            if turn {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let token = self.source.fetch(refused).await;
        if let Ok(token) = &token {
            self.lay(token).await;
        }
        if turn {
            let _ = self.redis.call::<u32>(cmd("DEL").arg(&self.keys[1])).await;
        }
        token
    }
}

impl Shelf<'_> {
    /// What another node laid there, if it may still be used.
    async fn look(&self, refused: Option<&Token>) -> Result<Option<Token>, String> {
        let laid: Option<String> = self.redis.call(cmd("GET").arg(&self.keys[0])).await?;
        let read = |laid: &str| {
            let (until, value) = laid.split_once(' ')?;
            Some(Token {
                value: Secret::new(value),
                until: Timestamp(until.parse().ok()?),
            })
        };
        let token = laid.as_deref().and_then(read);
        let good = |t: &Token| t.until > self.now && refused.is_none_or(|refused| !refused.is(t));
        Ok(token.filter(good))
    }

    async fn take_turn(&self) -> Result<bool, String> {
        let mut set = cmd("SET");
        set.arg(&self.keys[1]).arg(1).arg("NX").arg("PX");
        let taken: Option<String> = self.redis.call(set.arg(millis(TURN))).await?;
        Ok(taken.is_some())
    }

    async fn lay(&self, token: &Token) {
        let laid = format!("{} {}", token.until.0, token.value.expose());
        let mut set = cmd("SET");
        set.arg(&self.keys[0]).arg(laid).arg("PX");
        let left = token.until.since(self.now).max(Duration::from_secs(1));
        // Where it cannot be laid, the others ask for themselves.
        let _ = self.redis.call::<String>(set.arg(millis(left))).await;
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
