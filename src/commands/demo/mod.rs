//! `tocsin demo`: the gateway on its embedded store, a made-up county, and test peers as real TCP, HTTP and SMTP servers
//! on loopback, some of which misbehave on purpose. A warning is handed in over HTTP as the water bureau would, and
//! every figure shown is asked of the ledger. This module must not reach into the gateway otherwise.

pub mod county;
mod desk;
mod peers;
mod platform;
mod quake;
mod setup;
mod verdict;
mod watch;
mod wechat;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use channel::{HttpClient, SystemClock};

use super::{Failed, submit};
use crate::app::App;
use crate::config::Journal;
use crate::ledger::Alert;

#[derive(clap::Args)]
pub struct Args {
    /// How many households the county has; three people each 户数
    #[arg(long, default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(178..=2_000_000))]
    households: u32,
    /// The same seed makes the same county and the same fates 随机种子
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End by itself with the table; exit code 1 if a figure does not add up or a delivery has no final answer 自动结束
    #[arg(long)]
    once: bool,
    /// Keep the databases here; a demo that was killed goes on where it was 数据目录
    #[arg(long)]
    data: Option<PathBuf>,
    /// Keep the journal in this database instead of a file: postgres://USER@HOST:PORT/DATABASE 日志数据库
    #[arg(long, default_value = "sqlite", hide_default_value = true)]
    store: String,
    /// Write the county as CSV files into this folder, as `tocsin import` reads them, and end 导出台账
    #[arg(long)]
    write_csv: Option<PathBuf>,
    /// Where the API listens; 0 is any free port 端口
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How long the warning may take to its end, in seconds 时限(秒)
    #[arg(long, default_value_t = 170)]
    limit: u64,
}

const FLOOD: &[u8] = include_bytes!("../../../config/demo/flood-red.xml");

pub async fn run(args: Args) -> Result<(), Failed> {
    if let Some(folder) = &args.write_csv {
        return setup::write_csv(folder, args.households, args.seed);
    }
    let folder = setup::Folder::open(args.data.clone())?;
    let done = in_folder(&args, folder.path()).await;
    folder.close();
    done
}

async fn in_folder(args: &Args, data: &std::path::Path) -> Result<(), Failed> {
    let county = setup::county(data, args.households, args.seed).await?;
    say!(
        "平武县 Pingwu County (synthetic 合成数据): {} villages 村, {} households 户, {} people 人, {} mobiles 手机, {} speakers 喇叭",
        county.counts.villages,
        county.counts.households,
        county.counts.people,
        county.mobiles,
        county.speakers
    );
    let peers = peers::Peers::start(data, &county).await?;
    let (mut read, tokens) = setup::config(data, args.port, &county, &peers);
    read.config.node.store = Journal::from(args.store.clone());
    let app = App::start(read)
        .await
        .map_err(|e| Failed::Unreachable(e.to_string()))?;
    let base = format!("http://{}", app.address);
    peers.desks.open(&base);
    peers.square.open(&base);
    peers.wechat.open(&base, &county.scans).await;
    let officer = (tokens.officer.as_str(), args.seed);
    let controllers = peers::Peers::controllers(&app, data, &county, officer).await?;
    let alert = warn(&app, &base, &tokens.bureau).await?;
    let ended = tokio::select! {
        ended = watch::until_final(&app, &alert, Duration::from_secs(args.limit)) => ended,
        () = super::interrupted() => return leave(app, controllers, peers).await,
    };
    let mut verdict = verdict::of(&app, &alert);
    say!("{}", verdict.table);
    say!("{}", verdict.summary);
    let shaken = quake::relayed(&app, &base, &controllers).await?;
    verdict.problems.extend(shaken);
    if !args.once {
        verdict::addresses(&base, &tokens.officer, alert.stream);
        super::interrupted().await;
    }
    leave(app, controllers, peers).await?;
    match (ended, verdict.problems.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => Err(Failed::No(format!(
            "not every delivery had its final answer in {} s 超时",
            args.limit
        ))),
        (true, false) => Err(Failed::No(verdict.problems.join("\n"))),
    }
}

async fn leave(
    app: App,
    controllers: peers::Controllers,
    peers: peers::Peers,
) -> Result<(), Failed> {
    drop(controllers);
    app.stop().await;
    peers.stop().await;
    Ok(())
}

/// The warning of this demo: the one that a killed demo left behind, or a new one.
async fn warn(app: &App, base: &str, token: &str) -> Result<Arc<Alert>, Failed> {
    if let Some(alert) = app.ledger.alerts().first() {
        say!("going on with alert {} 继续上次的预警", alert.stream);
        return Ok(alert.clone());
    }
    let name = std::path::Path::new("config/demo/flood-red.xml");
    let body = submit::sent_now(name, FLOOD, &SystemClock::default())?;
    let http = HttpClient::of_the_house(Duration::from_secs(30));
    submit::hand_in(&http, base, token, body).await?;
    say!("POST {base}/v1/alerts  config/demo/flood-red.xml → 202 已受理");
    app.ledger
        .alerts()
        .first()
        .cloned()
        .ok_or_else(|| Failed::No("a 202 was answered and no alert stands".into()))
}
