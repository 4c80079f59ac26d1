//! `tocsin submit`: hands a CAP file to a running gateway, as a bureau's own software would.

use std::path::{Path, PathBuf};
use std::time::Duration;

use channel::{Clock, HttpClient, Request, SystemClock};

use super::{Failed, plan};

#[derive(clap::Args)]
pub struct Args {
    /// A CAP 1.2 file
    file: PathBuf,
    #[arg(long, default_value = "http://127.0.0.1:7080")]
    to: String,
    /// The bureau's token; better given in the environment than on the command line
    #[arg(long, env = "TOCSIN_TOKEN", hide_env_values = true)]
    token: String,
    /// Move all its times alike, so that it is sent now: for trying things out
    #[arg(long)]
    now: bool,
    /// Only look what it would do: nothing is sent or kept 预览
    #[arg(long)]
    preview: bool,
    /// With --preview: the gateway's answer as it came
    #[arg(long, requires = "preview")]
    json: bool,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let file =
        |e: std::io::Error| Failed::Input(format!("{} cannot be read: {e}", args.file.display()));
    let mut bytes = std::fs::read(&args.file).map_err(file)?;
    if args.now {
        bytes = sent_now(&args.file, &bytes, &SystemClock::default())?;
    }
    let http = HttpClient::of_the_house(Duration::from_secs(30));
    if !args.preview {
        let answer = hand_in(&http, &args.to, &args.token, bytes).await?;
        say!("{answer}");
        return Ok(());
    }
    let place = format!("{}/v1/alerts?preview=true", args.to);
    let answer = post(&http, &place, &args.token, bytes, 200).await?;
    match serde_json::from_str(&answer) {
        Ok(preview) if !args.json => super::say::out(format_args!("{}", plan::table(&preview))),
        _ => say!("{answer}"),
    }
    Ok(())
}

/// The gateway's answer as text, or why it said no.
pub async fn hand_in(
    http: &HttpClient,
    to: &str,
    token: &str,
    body: Vec<u8>,
) -> Result<String, Failed> {
    post(http, &format!("{to}/v1/alerts"), token, body, 202).await
}

pub async fn post(
    http: &HttpClient,
    place: &str,
    token: &str,
    body: Vec<u8>,
    good: u16,
) -> Result<String, Failed> {
    let request = Request {
        method: "POST".into(),
        headers: vec![
            ("authorization".into(), format!("Bearer {token}")),
            ("content-type".into(), "application/cap+xml".into()),
        ],
        body: body.into(),
        ..Request::default()
    };
    let reply = http.call(place, request).await;
    let reply = reply
        .map_err(|e| Failed::Unreachable(format!("{place}: {e}; is the gateway running there?")))?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    match reply.status {
        status if status == good => Ok(text),
        503 => Err(Failed::Unreachable(text)),
        _ => Err(Failed::No(text)),
    }
}

/// The same alert as if it were sent this second, with every time moved alike.
pub fn sent_now(file: &Path, bytes: &[u8], clock: &dyn Clock) -> Result<Vec<u8>, Failed> {
    let read = cap::read(bytes).alert;
    let mut alert = read.ok_or_else(|| {
        Failed::Input(format!(
            "{} is no CAP alert that can be read",
            file.display()
        ))
    })?;
    let now = clock.now().secs();
    let by = now - alert.sent.unix;
    alert.sent.unix = now;
    for info in &mut alert.infos {
        for time in [&mut info.effective, &mut info.onset, &mut info.expires]
            .into_iter()
            .flatten()
        {
            time.unix += by;
        }
    }
    Ok(cap::write(&alert).into_bytes())
}
