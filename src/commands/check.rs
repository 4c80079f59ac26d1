//! `tocsin check`: every problem of a configuration and its plans at once, channels' own settings included. It opens no
//! port and no database.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{Context, HttpClient, Inlet, Presence, Receipt, SystemClock, Unavailable};

use super::Failed;
use crate::{config, factories};

#[derive(clap::Args)]
pub struct Args {
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
}

/// Channels are made and never run: nothing comes in.
struct Closed;

#[async_trait]
impl Inlet for Closed {
    async fn receipts(&self, _batch: Vec<Receipt>) -> Result<(), Unavailable> {
        Err(Unavailable)
    }

    fn presence(&self, _seen: Presence) {}
}

pub fn run(args: &Args) -> Result<(), Failed> {
    if !args.config.is_file() {
        let what = "is no file; give another with --config";
        return Err(Failed::Input(format!("{} {what}", args.config.display())));
    }
    let (config, _, mut problems) = config::look(&args.config);
    for channel in config.into_iter().flat_map(|config| config.channels) {
        let context = Context {
            name: channel.name.clone(),
            clock: Arc::new(SystemClock::default()),
            http: HttpClient::new(Duration::from_secs(1)),
            inlet: Arc::new(Closed),
        };
        if let Err(why) = factories::make(&channel.kind, channel.settings, context) {
            problems.push(format!("channel {:?}: {why}", channel.name));
        }
    }
    if problems.is_empty() {
        println!("{}: no problem found 未发现问题", args.config.display());
        return Ok(());
    }
    for problem in &problems {
        println!("{problem}");
    }
    Err(Failed::No(format!("{} problem(s) 个问题", problems.len())))
}
