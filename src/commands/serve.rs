//! `tocsin serve`: the gateway until Ctrl-C.

use std::path::PathBuf;

use super::Failed;
use crate::app::App;
use crate::config;

#[derive(clap::Args)]
pub struct Args {
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let read = config::read(&args.config).map_err(|problems| Failed::Input(problems.join("\n")))?;
    let app = App::start(read)
        .await
        .map_err(|e| Failed::Unreachable(e.to_string()))?;
    for (stream, why) in &app.damage {
        tell!("tocsin: stream {stream} is damaged 流水损坏: {why}");
    }
    let counts = app.registry.read().counts();
    say!("listening on 监听 http://{}", app.address);
    say!(
        "registry 台账: {} villages 村, {} households 户, {} people 人",
        counts.villages,
        counts.households,
        counts.people
    );
    let ended = tokio::select! {
        () = super::interrupted() => Ok(()),
        () = app.ended() => Err(Failed::Unreachable("another node owns the journal 日志已由另一节点接管".into())),
    };
    say!("stopping 正在停止");
    app.stop().await;
    ended
}
