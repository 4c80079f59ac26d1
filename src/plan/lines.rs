//! The lines of a table that an operator may put in the place of one of ours. This module must not know a column.

use csv::{Position, ReaderBuilder, StringRecord, Trim};
use serde::de::DeserializeOwned;

/// Gives every line to `take`; everything that is wrong with them, each with its line.
pub fn each<T: DeserializeOwned>(
    text: &str,
    mut take: impl FnMut(T) -> Result<(), String>,
) -> Result<(), Vec<String>> {
    let mut reader = ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(Trim::All)
        .flexible(true)
        .from_reader(text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes());
    let headers = reader.headers().cloned().unwrap_or_default();
    let mut problems = Vec::new();
    let mut record = StringRecord::new();
    let mut lines = 0_usize;
    while reader.read_record(&mut record).unwrap_or(false) {
        lines += 1;
        let taken = if record.len() == headers.len() {
            let line = record.deserialize::<T>(Some(&headers));
            line.map_err(|error| unread(&error)).and_then(&mut take)
        } else {
            let (cells, wanted) = (record.len(), headers.len());
            Err(format!(
                "it has {cells} cells where the header has {wanted}; check its commas and quotes"
            ))
        };
        if let Err(why) = taken {
            let line = record.position().map_or(0, Position::line);
            problems.push(format!("line {line}: {why}"));
        }
    }
    if lines == 0 {
        problems.push(
            "line 1: no line follows the header; begin with a copy of the table that is shipped"
                .into(),
        );
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Without the place, which is said already.
fn unread(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        _ => error.to_string(),
    }
}
