//! The registry's own file: one whole generation of rows in `registry.sqlite`, replaced in one transaction. Rows come back
//! in the order they were given; what says who somebody is goes through the vault. This module must not judge the rows
//! and must not put a cell's text into an error; it blocks, so the caller hops to a thread.

mod read;
mod schema;
mod speakers;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;

use rusqlite::{Connection, ErrorCode, params};

use super::StoreError;
use super::vault::{Field, Vault};
use crate::model::{EndpointId, Rows};

/// What is replaced is overwritten, not only forgotten: a person who was taken out is out.
const PRAGMAS: &str = "
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA busy_timeout=10000;
";

const OPEN: &str = "open the registry";
const SAVE: &str = "save the registry";
const LOAD: &str = "load the registry";
const ERASE: &str = "erase closed endpoints from the registry";

/// The fields that go through the vault.
const HOUSEHOLD_NAME: (&str, &str) = ("households", "name");
const UNIT_NAME: (&str, &str) = ("units", "name");
const RECIPIENT_NAME: (&str, &str) = ("recipients", "name");
const ENDPOINT_ADDRESS: (&str, &str) = ("endpoints", "address");
const CLOSED_ADDRESS: (&str, &str) = ("closed", "address");
const SPEAKER_NAME: (&str, &str) = ("speakers", "name");
const SPEAKER_KEEPER: (&str, &str) = ("speakers", "keeper");
const SPEAKER_PHONE: (&str, &str) = ("speakers", "phone");
const SPEAKER_SIM: (&str, &str) = ("speakers", "sim");

const fn field((table, column): (&'static str, &'static str), row: u32) -> Field {
    Field { table, column, row }
}

/// `registry.sqlite`, open.
pub struct RegistryFile {
    connection: Connection,
    vault: Vault,
}

impl RegistryFile {
    /// Opens the file, or makes it. What it writes is encrypted where the vault has a key.
    pub fn open(path: &Path, vault: Vault) -> Result<Self, StoreError> {
        let opened = || -> rusqlite::Result<(Connection, i64)> {
            let connection = Connection::open(path)?;
            connection.execute_batch(PRAGMAS)?;
            let format = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            Ok((connection, format))
        };
        let (mut connection, format) = opened().map_err(|error| failed(OPEN, &error))?;
        if format > schema::FORMAT {
            let why = format!(
                "it is of format {format}, which is newer than this program's {}",
                schema::FORMAT
            );
            return Err(StoreError::Broken(OPEN, why));
        }
        schema::prepare(&mut connection, format).map_err(|error| failed(OPEN, &error))?;
        let file = Self { connection, vault };
        if format == 1 {
            file.fold_in()?;
        }
        Ok(file)
    }

    /// Puts this generation in place of the last; durable when it returns, or nothing has changed.
    pub fn save(&mut self, generation: u32, rows: &Rows) -> Result<(), StoreError> {
        write::replace(&mut self.connection, &self.vault, generation, rows)
            .map_err(|error| failed(SAVE, &error))?;
        self.fold_in()
    }

    /// The generation kept and its rows, if any was ever saved.
    pub fn load(&self) -> Result<Option<(u32, Rows)>, StoreError> {
        read::read(&self.connection, &self.vault).map_err(|error| failed(LOAD, &error))
    }

    /// Forgets the addresses of closed endpoints; their ids stay taken.
    pub fn erase(&mut self, ids: &[EndpointId]) -> Result<(), StoreError> {
        let mut erased = || -> rusqlite::Result<()> {
            let tx = self.connection.transaction()?;
            let mut put = tx.prepare("UPDATE closed SET address=?2, recipient=NULL WHERE id=?1")?;
            for id in ids {
                put.execute(params![id, self.vault.seal(field(CLOSED_ADDRESS, *id), "")])?;
            }
            drop(put);
            tx.commit()
        };
        erased().map_err(|error| failed(ERASE, &error))?;
        self.fold_in()
    }

    /// The old rows are in the log until it is folded in. That a reader keeps it from that, now and then, is no failure.
    fn fold_in(&self) -> Result<(), StoreError> {
        let folded = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        folded.or_else(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Ok(()),
            _ => Err(failed("fold the registry's log in", &error)),
        })
    }
}

/// A cell that is of no known kind, or that the vault does not open, is damage; anything else may work later.
fn failed(what: &'static str, error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
    };
    if let FromSqlConversionFailure(_, _, why) = error
        && let Some(read::Locked { place, why }) = why.downcast_ref()
    {
        return StoreError::Locked(what, format!("{place}: {why}"));
    }
    let damaged = matches!(
        error,
        FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | Utf8Error(..)
    ) || matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    );
    if damaged {
        StoreError::Broken(what, error.to_string())
    } else {
        StoreError::Away(what, error.to_string())
    }
}
