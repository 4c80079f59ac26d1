//! A copy of a database file as it is at one moment, taken while a gateway goes on writing. What was deleted from the file
//! is not in the copy. This module must not write over anything.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

const WHAT: &str = "copy a database";

/// Complete, proved and on disk when it returns.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let away = |error: &dyn std::fmt::Display| {
        let why = format!("{} to {}: {error}", from.display(), to.display());
        StoreError::Away(WHAT, why)
    };
    // It holds people's numbers: nobody else reads it. A file that is there already is an older copy.
    let mut new = OpenOptions::new();
    let made = new.write(true).create_new(true).mode(0o600).open(to);
    made.map_err(|e| away(&e))?;
    let copied = || -> rusqlite::Result<String> {
        // Not to be made where it is missing; the journal's log is read with it.
        let connection = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch("PRAGMA busy_timeout=10000")?;
        connection.execute("VACUUM INTO ?1", [to.display().to_string()])?;
        let copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))
    };
    let said = copied().map_err(|e| away(&e))?;
    if said != "ok" {
        return Err(StoreError::Broken(WHAT, said));
    }
    let folder = to.parent().unwrap_or_else(|| Path::new("."));
    for path in [to, folder] {
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|e| away(&e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(path: &Path) -> i64 {
        let connection = Connection::open(path).expect("opens");
        let count = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
        count.expect("counts")
    }

    #[test]
    fn a_copy_is_of_one_moment_and_never_takes_the_place_of_another() {
        let dir = tempfile::tempdir().expect("a directory");
        let (live, kept) = (dir.path().join("live"), dir.path().join("kept"));
        let writer = Connection::open(&live).expect("opens");
        let schema = "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2);";
        writer.execute_batch(schema).expect("written");
        // What is not committed is not copied, and does not stop a copy.
        writer
            .execute_batch("BEGIN; INSERT INTO t VALUES (3)")
            .expect("begun");
        copy(&live, &kept).expect("copies");
        assert_eq!(rows(&kept), 2);
        writer.execute_batch("COMMIT").expect("committed");
        assert_eq!(rows(&live), 3);
        let again = copy(&live, &kept).expect_err("it is there already");
        assert!(again.to_string().contains("exists"), "{again}");
        assert_eq!(rows(&kept), 2, "and it is as it was");
        let nothing = copy(&dir.path().join("nowhere"), &dir.path().join("new"));
        assert!(nothing.is_err());
        assert!(
            !dir.path().join("nowhere").exists(),
            "nothing was made of it"
        );
    }
}
