//! Permits that several nodes draw from one account: a GCRA cell in Redis, by Redis' own clock. Redis is when, never
//! what: nothing that must survive lives in it, and while it cannot be reached each node goes by its own limiter and says
//! so once. This module must not make a warning wait for Redis longer than the pool's time-outs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_redis::redis::Script;
use deadpool_redis::{Config, Pool, PoolConfig, Runtime, Timeouts};

use crate::model::Rate;

/// Answers 0 when the permits are granted, else how many microseconds to wait. The cell holds the theoretical arrival
/// time; it is written as a whole number, because Lua would write a large one with an exponent.
const GCRA: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, permits = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local after = arrival + interval * permits
local wait = after - interval * burst - now
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1000)
return 0
";

const PATIENCE: Duration = Duration::from_millis(200);

/// One Redis for all accounts of this node.
#[derive(Clone)]
pub struct Redis(Pool);

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
        pool.map(Self).map_err(|e| BadRedis(e.to_string()))
    }
}

/// The cell of one account.
pub struct Cell {
    redis: Redis,
    key: String,
    rate: Rate,
    away: AtomicBool,
}

impl Cell {
    pub fn new(redis: Redis, account: &str, rate: Rate) -> Self {
        let key = format!("tocsin:pace:{account}");
        let away = AtomicBool::new(false);
        Self {
            redis,
            key,
            rate,
            away,
        }
    }

    /// How long to wait before asking again, zero when granted; `None` while Redis cannot be reached.
    pub async fn ask(&self, permits: u32) -> Option<Duration> {
        let asked = tokio::time::timeout(PATIENCE, self.call(permits)).await;
        let answer = asked.map_err(|_| "no answer in time".to_owned()).flatten();
        let away = answer.is_err();
        if self.away.swap(away, Ordering::Relaxed) != away {
            if let Err(error) = &answer {
                let key = &self.key;
                tracing::warn!(
                    key,
                    error,
                    "Redis is away; this node goes by its own limiter"
                );
            } else {
                tracing::info!(key = self.key, "Redis is back; permits are shared again");
            }
        }
        answer.ok().map(Duration::from_micros)
    }

    async fn call(&self, permits: u32) -> Result<u64, String> {
        let mut connection = self.redis.0.get().await.map_err(|e| e.to_string())?;
        let interval = 1_000_000.0 / f64::from(self.rate.per_second.get());
        Script::new(GCRA)
            .key(&self.key)
            .arg(interval)
            .arg(self.rate.burst.get())
            .arg(permits)
            .invoke_async(&mut connection)
            .await
            .map_err(|e| e.to_string())
    }
}
