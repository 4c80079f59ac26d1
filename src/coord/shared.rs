//! Permits that several nodes draw from one account: a GCRA cell and a mark in Redis, by Redis' own clock. Redis is when,
//! never what: nothing that must survive lives in it, and while it cannot be reached each node goes by its own limiter.
//! This module must not make a warning wait for Redis longer than the pool's time-outs.

use std::time::Duration;

use deadpool_redis::redis::{Cmd, FromRedisValue, Script};
use deadpool_redis::{Config, Pool, PoolConfig, Runtime, Timeouts};
use parking_lot::Mutex;

use super::{Ask, MARK, YIELD};
use crate::model::Rate;

/// Answers 0 when the permits are granted, else how many microseconds to wait. The cell holds the theoretical arrival
/// time; it is written as a whole number, because Lua would write a large one with an exponent. Ranks are below 2^53.
const ACCOUNT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, permits = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local lane, rank, more = ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1'
local mark = redis.call('HMGET', KEYS[2], 'lane', 'rank')
local own = mark[1] == lane
if mark[1] and not own and tonumber(mark[2]) < rank then
  return math.max(1000, math.min(redis.call('PTTL', KEYS[2]) * 1000, tonumber(ARGV[8])))
end
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = arrival + interval * (math.min(permits, burst) - burst) - now
if wait > 0 or more then
  redis.call('HSET', KEYS[2], 'lane', lane, 'rank', ARGV[5])
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
elseif own then
  redis.call('DEL', KEYS[2])
end
if wait > 0 then return math.ceil(wait) end
local after = arrival + interval * permits
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1000)
return 0
";

const PATIENCE: Duration = Duration::from_millis(200);
/// How long a Redis that did not answer is left alone: a lane must not wait for it at every slice.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// One Redis for all accounts of this node.
#[derive(Clone)]
pub struct Redis {
    pool: Pool,
    /// Tells this node's marks from another's.
    node: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("node.redis: {0}; write redis://HOST:PORT")]
pub struct BadRedis(String);

impl Redis {
    /// Opens no connection yet.
    pub fn new(url: &str) -> Result<Self, BadRedis> {
        let mut config = Config::from_url(url);
        config.pool = Some(PoolConfig {
            timeouts: Timeouts {
                wait: Some(PATIENCE),
                create: Some(PATIENCE),
                recycle: Some(PATIENCE),
            },
            ..PoolConfig::new(8)
        });
        let pool = config.create_pool(Some(Runtime::Tokio1));
        let node = fastrand::u64(..);
        pool.map(|pool| Self { pool, node })
            .map_err(|e| BadRedis(e.to_string()))
    }

    /// One command, bounded in time.
    pub(super) async fn call<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, String> {
        let call = async {
            let mut connection = self.pool.get().await.map_err(|e| e.to_string())?;
            let answer = command.query_async(&mut connection).await;
            answer.map_err(|e| e.to_string())
        };
        let answer = tokio::time::timeout(PATIENCE, call).await;
        answer.map_err(|_| "no answer in time".to_owned()).flatten()
    }
}

/// The cell of one account.
pub struct Cell {
    redis: Redis,
    script: Script,
    /// In braces what keeps both on one server of a Redis cluster.
    keys: [String; 2],
    rate: Rate,
    /// Until when a Redis that did not answer is left alone.
    away: Mutex<Option<Duration>>,
}

impl Cell {
    pub fn new(redis: Redis, account: &str, rate: Rate) -> Self {
        Self {
            redis,
            script: Script::new(ACCOUNT),
            keys: ["pace", "mark"].map(|what| format!("tocsin:{what}:{{{account}}}")),
            rate,
            away: Mutex::new(None),
        }
    }

    /// How long to wait before asking again, `None` when granted. An error while Redis cannot be reached: whether that
    /// was told before.
    pub async fn ask(&self, ask: Ask<'_>, tick: Duration) -> Result<Option<Duration>, bool> {
        let before = *self.away.lock();
        if before.is_some_and(|until| tick < until) {
            return Err(true);
        }
        let asked = tokio::time::timeout(PATIENCE, self.call(ask)).await;
        let answer = asked.map_err(|_| "no answer in time".to_owned()).flatten();
        *self.away.lock() = answer.is_err().then_some(tick + LEFT_ALONE);
        let key = &self.keys[0];
        match answer {
            Err(error) => {
                tracing::debug!(key, error, "no permits from Redis");
                Err(before.is_some())
            }
            Ok(micros) => {
                if before.is_some() {
                    tracing::info!(key, "Redis is back: permits are shared again");
                }
                Ok(Some(Duration::from_micros(micros)).filter(|wait| !wait.is_zero()))
            }
        }
    }

    async fn call(&self, ask: Ask<'_>) -> Result<u64, String> {
        let mut connection = self.redis.pool.get().await.map_err(|e| e.to_string())?;
        let interval = 1_000_000.0 / f64::from(self.rate.per_second.get());
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.script
            .key(&self.keys[0])
            .key(&self.keys[1])
            .arg(interval)
            .arg(self.rate.burst.get())
            .arg(ask.permits)
            .arg(format!("{:016x}:{}", self.redis.node, ask.lane))
            .arg(ask.rank)
            .arg(u8::from(ask.more))
            .arg(millis(MARK))
            .arg(millis(YIELD) * 1000)
            .invoke_async(&mut connection)
            .await
            .map_err(|e| e.to_string())
    }
}
