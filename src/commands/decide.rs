//! `tocsin decide`: a person's word on an alert that waits for one, given to a running gateway.

use std::time::Duration;

use channel::HttpClient;
use serde_json::json;

use super::{Failed, submit};

#[derive(clap::Args)]
pub struct Args {
    /// The alert's id, of its 202 or of GET /v1/quarantine
    alert: u64,
    #[arg(value_enum)]
    decision: Decision,
    /// Why; kept beside the journal, not in it 理由
    #[arg(long)]
    remark: Option<String>,
    #[arg(long, default_value = "http://127.0.0.1:7080")]
    to: String,
    /// The bureau's token; better given in the environment than on the command line
    #[arg(long, env = "TOCSIN_TOKEN", hide_env_values = true)]
    token: String,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Decision {
    /// Let it go 准予发布
    Release,
    /// It is never sent 不予发布
    Refuse,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let decision = match args.decision {
        Decision::Release => "release",
        Decision::Refuse => "refuse",
    };
    let body = json!({ "decision": decision, "remark": args.remark }).to_string();
    let http = HttpClient::of_the_house(Duration::from_secs(30));
    let place = format!("{}/v1/alerts/{}/decision", args.to, args.alert);
    let answer = submit::post(&http, &place, &args.token, body.into_bytes(), 200).await?;
    say!("{answer}");
    Ok(())
}
