//! `tocsin bench`: ratios of things run in one go, as the median of several, because machines are noisy. The far end is
//! our own load peer in a process of its own. This module must not be part of any test that can fail on a slow machine.

mod bare;
pub mod boxes;
mod cap;
mod controllers;
mod geo;
mod house;
pub mod kannel;
mod lanes;
mod million;
mod overtake;
mod pages;
pub mod peer;
mod quake;
mod registry;
mod speed;
mod table;
mod throttled;
mod wire;

use super::Failed;
use table::Table;

#[derive(clap::Args)]
pub struct Args {
    /// Recipients of the end-to-end run
    #[arg(long, default_value_t = 200_000)]
    recipients: u32,
    /// Deliveries of the large run
    #[arg(long, default_value_t = 1_000_000)]
    large: u32,
    /// Runs of the short measurements; the median is shown
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Loudspeaker controllers that wait for orders
    #[arg(long, default_value_t = 2_000)]
    controllers: u32,
    /// Only these: geo, cap, speed, lanes, throttled, million, pages, overtake, controllers, quake, registry
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let wanted = |what: &str| args.only.is_empty() || args.only.iter().any(|o| o == what);
    let mut table = Table::default();
    if wanted("cap") {
        cap::run(&mut table, args.runs);
    }
    if wanted("geo") {
        geo::run(&mut table, 1_000_000, args.runs);
    }
    if wanted("speed") {
        speed::run(&mut table, args.recipients, args.runs).await?;
    }
    if wanted("lanes") {
        lanes::run(&mut table, args.recipients, args.runs).await?;
    }
    if wanted("throttled") {
        throttled::run(&mut table).await?;
    }
    if wanted("million") {
        million::run(&mut table, args.large).await?;
    }
    if wanted("pages") {
        pages::run(&mut table, args.large).await?;
    }
    if wanted("overtake") {
        overtake::run(&mut table, args.large / 2).await?;
    }
    if wanted("controllers") {
        controllers::run(&mut table, args.controllers, args.runs).await?;
    }
    if wanted("quake") {
        quake::run(&mut table, args.runs).await?;
    }
    if wanted("registry") {
        registry::run(&mut table, args.runs).await?;
    }
    say!("{table}");
    Ok(())
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
