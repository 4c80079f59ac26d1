//! `tocsin check`: every problem of a configuration and its plans at once, channels' own settings included, and each plan
//! in words. It opens no port and no database.

use std::path::PathBuf;

use channel::{Clock, SystemClock};

use super::{Failed, plan};
use crate::config;

#[derive(clap::Args)]
pub struct Args {
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failed> {
    if !args.config.is_file() {
        let what = "is no file; give another with --config";
        return Err(Failed::Input(format!("{} {what}", args.config.display())));
    }
    let look = config::look(&args.config);
    let mut problems = look.problems;
    if let Some(config) = &look.config {
        problems.extend(plan::channels(config).1);
    }
    if !problems.is_empty() {
        for problem in &problems {
            say!("{problem}");
        }
        return Err(Failed::No(format!("{} problem(s) 个问题", problems.len())));
    }
    if let Some(config) = &look.config {
        for notice in config::notices(config, SystemClock::default().now()) {
            say!("注意 notice: {notice}");
        }
    }
    if let (Some(plans), Some(tables)) = (look.plans, look.tables) {
        for each in plans.iter() {
            for (zh, en) in plan::words::explain(each, &tables.events) {
                say!("{zh}\n{en}");
            }
            say!();
        }
    }
    say!("{}: no problem found 未发现问题", args.config.display());
    Ok(())
}
