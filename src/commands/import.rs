//! `tocsin import`: the registry from a folder of CSV files, all or nothing. The gateway takes it up at its next start.

use std::path::PathBuf;

use super::Failed;
use crate::app::REGISTRY;
use crate::config;
use crate::registry::{Registry, csv};
use crate::store::RegistryFile;

#[derive(clap::Args)]
pub struct Args {
    /// Holds regions.csv, households.csv, recipients.csv, posts.csv, endpoints.csv, speakers.csv and hearing.csv
    folder: PathBuf,
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
    /// Say what would come of it and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let read = config::read(&args.config).map_err(|problems| Failed::Input(problems.join("\n")))?;
    let data = read.config.node.data;
    let work = move || {
        let shown = |problems: Vec<_>| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failed::Input(format!(
                "{}\n{} problem(s), nothing was changed",
                lines.join("\n"),
                lines.len()
            ))
        };
        let rows = csv::read_dir(&args.folder).map_err(shown)?;
        let away = |e: &dyn std::fmt::Display| Failed::Unreachable(e.to_string());
        std::fs::create_dir_all(&data).map_err(|e| away(&e))?;
        let mut file = RegistryFile::open(&data.join(REGISTRY)).map_err(|e| away(&e))?;
        let generation = file
            .load()
            .map_err(|e| away(&e))?
            .map_or(0, |(generation, _)| generation)
            + 1;
        let counts = Registry::build(generation, &rows).map_err(shown)?.counts();
        if !args.dry_run {
            file.save(generation, &rows).map_err(|e| away(&e))?;
        }
        let done = if args.dry_run {
            "would be 将成为"
        } else {
            "is 现为"
        };
        println!(
            "generation {generation} {done}: {} villages 村, {} households 户, {} people 人; restart the gateway to use it 重启后生效",
            counts.villages, counts.households, counts.people
        );
        Ok(())
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Failed::Unreachable(e.to_string()))?
}
