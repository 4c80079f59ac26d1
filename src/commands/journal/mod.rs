//! `tocsin journal`: what stands in the journal, and whether it is what was written. `dump` shows every event of a stream,
//! or of all, one line each. It reads the files beside a running gateway and must not take the journal from it.

mod verify;

use std::path::PathBuf;

use super::Failed;
use crate::app::JOURNAL;
use crate::config::{self, Journal as Lies};
use crate::ledger::record;
use crate::store::{Postgres, Record, Sqlite, Store};

#[derive(clap::Subcommand)]
pub enum Journal {
    /// Every event, one line each: position, stream, time, event 列出事件
    Dump(Dump),
    /// Prove checksums, chains, witnessed heads and sealed states 校验流水
    Verify(verify::Verify),
}

/// Which journal.
#[derive(clap::Args)]
struct Place {
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
    /// The data folder, instead of the one that the configuration names
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Dump {
    #[command(flatten)]
    place: Place,
    /// Only this stream; 0 is the house
    #[arg(long)]
    stream: Option<u64>,
    /// JSON lines
    #[arg(long)]
    json: bool,
}

impl Journal {
    pub async fn run(self) -> Result<(), Failed> {
        match self {
            Self::Dump(dump) => dump.run().await,
            Self::Verify(verify) => verify.run().await,
        }
    }
}

impl Place {
    /// Beside a gateway that runs: nothing is taken from it.
    fn open(&self) -> Result<Box<dyn Store>, Failed> {
        let away = |e: crate::store::StoreError| Failed::Unreachable(e.to_string());
        let data = if let Some(data) = &self.data {
            data.clone()
        } else {
            let read = config::read(&self.config).map_err(|p| Failed::Input(p.join("\n")))?;
            if let Lies::Postgres(url) = &read.config.node.store {
                return Ok(Box::new(Postgres::read_only(url).map_err(away)?));
            }
            read.config.node.data
        };
        let path = data.join(JOURNAL);
        if !path.exists() {
            return Err(Failed::Input(format!(
                "{} does not exist; give the data folder with --data",
                path.display()
            )));
        }
        Ok(Box::new(Sqlite::open(&path).map_err(away)?))
    }
}

impl Dump {
    async fn run(self) -> Result<(), Failed> {
        let away = |e: crate::store::StoreError| Failed::Unreachable(e.to_string());
        let store = self.place.open()?;
        let mut after = 0;
        let mut bad = 0_u32;
        loop {
            let page = match self.stream {
                Some(stream) if after == 0 => store.stream(stream).await.map_err(away)?,
                Some(_) => break,
                None => store.records(after, 500).await.map_err(away)?,
            };
            let Some(last) = page.last() else { break };
            after = last.seq;
            for record in &page {
                bad += u32::from(!self.show(record)?);
            }
        }
        if bad > 0 {
            return Err(Failed::No(format!("{bad} damaged record(s) 条流水损坏")));
        }
        Ok(())
    }

    /// False when the record cannot be read.
    fn show(&self, record: &Record) -> Result<bool, Failed> {
        use std::io::Write;
        let mut out = std::io::stdout().lock();
        let events = match record::unpack(record) {
            Ok(events) => events,
            Err(why) => {
                tell!("tocsin: {why}");
                return Ok(false);
            }
        };
        for event in events {
            let event = serde_json::to_value(&event).map_err(|e| Failed::No(e.to_string()))?;
            let written = if self.json {
                let line = serde_json::json!({
                    "seq": record.seq, "stream": record.stream, "stream_seq": record.stream_seq,
                    "epoch": record.epoch, "time": record.time.to_string(), "event": event,
                });
                writeln!(out, "{line}")
            } else {
                writeln!(
                    out,
                    "{:>8} {:>5} {} {event}",
                    record.seq, record.stream, record.time
                )
            };
            // A reader such as head may have had enough.
            if written.is_err() {
                return Ok(true);
            }
        }
        Ok(true)
    }
}
