//! `tocsin recording`: the recording library over the API of a running gateway: bring one, list them, say that one was
//! heard, take one back. This command must not look into a sound: the gateway does.

use std::path::PathBuf;
use std::time::Duration;

use channel::{HttpClient, Request};
use serde_json::Value;

use super::Failed;

#[derive(clap::Args)]
pub struct Args {
    /// The gateway
    #[arg(long, global = true, default_value = "http://127.0.0.1:7080")]
    to: String,
    /// Token of a bureau with the scope `recordings` (`read` for the list); better given in the environment than on the command line
    #[arg(
        long,
        global = true,
        env = "TOCSIN_TOKEN",
        hide_env_values = true,
        default_value = ""
    )]
    token: String,
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Bring a recording: WAV, MP3 or M4A 上传录音
    Add {
        file: PathBuf,
        /// The language, as qxs, bod, zho or cmn-x-sichuan
        #[arg(long)]
        language: String,
        /// The beginning of an event code, as 11A51; any where left out
        #[arg(long)]
        event: Option<String>,
        /// red, orange, yellow or blue; any where left out
        #[arg(long)]
        level: Option<String>,
        /// What it asks people to do, as CAP writes it: Evacuate, Shelter …; any where left out
        #[arg(long)]
        response: Option<String>,
        /// It says that it is a drill
        #[arg(long)]
        drill: bool,
    },
    /// What is there, as JSON, newest first 录音列表
    List {
        /// The `next` of the page before
        #[arg(long)]
        after: Option<u64>,
    },
    /// A second person has heard it: it is used from now on 已听
    Heard { id: u32 },
    /// It is not used any more 停用
    Retire { id: u32 },
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let mut request = Request {
        method: "POST".into(),
        headers: vec![("authorization".into(), format!("Bearer {}", args.token))],
        ..Request::default()
    };
    let path = match args.what {
        What::Add {
            file,
            language,
            event,
            level,
            response,
            drill,
        } => {
            let bytes = std::fs::read(&file);
            let unread = |e| Failed::Input(format!("{}: {e}", file.display()));
            request.body = bytes.map_err(unread)?.into();
            let named = [("event", event), ("level", level), ("response", response)];
            let named = named
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            let always = [("language", language), ("drill", drill.to_string())];
            let all = named.chain(always);
            request.query = all.map(|(name, value)| (name.to_owned(), value)).collect();
            String::new()
        }
        What::List { after } => {
            request.method = "GET".into();
            request.query = vec![("limit".into(), "1000".into())];
            let after = after.map(|after| ("after".to_owned(), after.to_string()));
            request.query.extend(after);
            String::new()
        }
        What::Heard { id } => format!("/{id}/heard"),
        What::Retire { id } => format!("/{id}/retire"),
    };
    let http = HttpClient::of_the_house(Duration::from_mins(2));
    let place = format!("{}/v1/recordings{path}", args.to);
    let reply = http.call(&place, request).await;
    let away = |e| Failed::Unreachable(format!("{}: {e}; is the gateway running there?", args.to));
    let reply = reply.map_err(away)?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    match reply.status {
        200 | 201 => {
            let answer: Value =
                serde_json::from_str(&text).map_err(|e| Failed::No(e.to_string()))?;
            say!("{answer}");
            Ok(())
        }
        503 => Err(Failed::Unreachable(text)),
        _ => Err(Failed::No(text)),
    }
}
