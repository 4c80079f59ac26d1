//! Connections to PostgreSQL: how a URL is read, what every connection is set to, and what an error of the server means.
//! This module must not show a URL or the values of a row, and holds no table's name.

use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};

use crate::store::StoreError;

/// Every statement goes by a key. A planner that knows a table from before it grew has read it whole for each row of a
/// batch, a minute for a thousand rows; it is not given the choice. A node that hangs inside a transaction gives up its
/// locks, so that another can take the journal.
const SETTINGS: &str = "
SET jit=off; SET enable_seqscan=off; SET enable_hashjoin=off; SET enable_mergejoin=off; SET enable_bitmapscan=off;
SET enable_material=off; SET idle_in_transaction_session_timeout='10s'; SET client_min_messages=warning;
";

/// Where the database is.
#[derive(Clone)]
pub struct Target(Config);

impl Target {
    /// The problem is told without the URL.
    pub fn read(url: &str) -> Result<Self, String> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err("it does not begin with postgres:// or postgresql://".into());
        }
        let mut config: Config = url.parse().map_err(|e: Error| described(&e))?;
        if config.get_ssl_mode() == SslMode::Require {
            let why = "sslmode=require is asked for, and connections with TLS are not there yet; keep the way to the \
                       database on this machine or in a tunnel, and write sslmode=disable";
            return Err(why.into());
        }
        // A server that is gone without a word is noticed before the lease is over.
        config
            .application_name("tocsin")
            .connect_timeout(Duration::from_secs(5))
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3);
        Ok(Self(config))
    }

    pub async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = self.0.connect(NoTls).await?;
        // It ends with the client; what goes wrong with it, the client's calls are told.
        tokio::spawn(async move { drop(connection.await) });
        client.batch_execute(SETTINGS).await?;
        Ok(client)
    }
}

/// The server's words, or the way down to the first cause. A detail would quote the row.
fn described(error: &Error) -> String {
    if let Some(server) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", server.message(), server.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        text = format!("{text}: {below}");
        cause = below.source();
    }
    text
}

pub fn failed(what: &'static str, error: &Error) -> StoreError {
    let text = described(error);
    match error.code() {
        Some(code) if *code == SqlState::UNIQUE_VIOLATION => StoreError::Conflict(what, text),
        Some(code) if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => {
            StoreError::Broken(what, text)
        }
        _ => StoreError::Away(what, text),
    }
}

/// Whether the connection is of no more use: its end may be told before the client knows of it.
pub fn is_broken(error: &Error) -> bool {
    error
        .code()
        .is_none_or(|code| code.code().starts_with("57P") || code.code().starts_with("08"))
}

pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_refused_without_being_repeated() {
        for url in [
            "mysql://u:hidden@127.0.0.1/x",
            "postgres://u:hidden@127.0.0.1:hidden/x",
            "postgres://u:hidden@127.0.0.1/x?sslmode=require",
            "postgres://u:hidden@127.0.0.1/x?hidden=hidden",
        ] {
            let Err(why) = Target::read(url) else {
                panic!("taken");
            };
            assert!(!why.contains("hidden@"), "{why}");
        }
        assert!(Target::read("postgresql://u:p@127.0.0.1:5432/x").is_ok());
    }
}
