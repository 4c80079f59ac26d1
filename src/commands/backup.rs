//! `tocsin backup`: the journal and the registry as they are now, copied into a folder while the gateway runs, and proved.
//! Must not write over an older copy.

use std::path::{Path, PathBuf};

use super::Failed;
use crate::app::{JOURNAL, REGISTRY};
use crate::config::{self, Journal};
use crate::ledger::verify;
use crate::store::{Sqlite, StoreError, copy};

#[derive(clap::Args)]
pub struct Args {
    /// Where the copies go: a folder without any, made if it is not there
    folder: PathBuf,
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let read = config::read(&args.config).map_err(|problems| Failed::Input(problems.join("\n")))?;
    let node = read.config.node;
    let folder = args.folder;
    std::fs::create_dir_all(&folder)
        .map_err(|e| Failed::Input(format!("the folder {}: {e}", folder.display())))?;
    // The registry last: a start takes one that is newer than its journal, and not the other way round.
    let files: &[&'static str] = match node.store {
        Journal::Sqlite => &[JOURNAL, REGISTRY],
        Journal::Postgres(_) => {
            tell!(
                "the journal is in PostgreSQL: back it up there 日志在 PostgreSQL 中，请用其自身的备份"
            );
            &[REGISTRY]
        }
    };
    for file in files {
        let (from, to) = (node.data.join(file), folder.join(file));
        let shown = to.display().to_string();
        let copied = tokio::task::spawn_blocking(move || copy(&from, &to)).await;
        let copied = copied.map_err(|e| Failed::Unreachable(e.to_string()))?;
        copied.map_err(|e| Failed::Unreachable(e.to_string()))?;
        say!("{shown}: copied 已备份");
    }
    if node.store == Journal::Sqlite {
        prove(&folder).await?;
    }
    Ok(())
}

async fn prove(folder: &Path) -> Result<(), Failed> {
    let away = |e: StoreError| Failed::Unreachable(e.to_string());
    let store = Sqlite::open(&folder.join(JOURNAL)).map_err(away)?;
    let verdict = verify::verify(&store).await.map_err(away)?;
    if verdict.faults.is_empty() {
        say!("{} record(s): whole 流水完好", verdict.records);
        return Ok(());
    }
    for fault in &verdict.faults {
        say!("{fault}");
    }
    Err(Failed::No(format!(
        "the copy has {} fault(s), and so has the journal: keep both, and an older copy 流水有损坏，请保留原文件与更早的备份",
        verdict.faults.len()
    )))
}
