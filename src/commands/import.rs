//! `tocsin import`: the registry from a folder of CSV files, all or nothing: into the file of a gateway that does not run,
//! or to one that does. The report says how much changes and where, and nobody's name.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use channel::{HttpClient, Request};
use serde_json::Value;

use super::Failed;
use crate::app::{self, REGISTRY};
use crate::config;
use crate::registry::{Problem, csv::Files, prepare};
use crate::store::RegistryFile;

#[derive(clap::Args)]
pub struct Args {
    /// Holds households.csv, endpoints.csv and so on; a table that is not there stays as it is
    folder: PathBuf,
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
    /// Say what would come of it and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Hand it to a gateway that runs: its base URL
    #[arg(long)]
    to: Option<String>,
    /// For --to: the token of a bureau with the scope `registry`; better given in the environment than on the command line
    #[arg(long, env = "TOCSIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    match &args.to {
        Some(to) => hand_in(to, &args).await,
        None => tokio::task::spawn_blocking(move || into_file(&args))
            .await
            .map_err(|e| Failed::Unreachable(e.to_string()))?,
    }
}

fn into_file(args: &Args) -> Result<(), Failed> {
    let read = config::read(&args.config).map_err(|problems| Failed::Input(problems.join("\n")))?;
    let node = read.config.node;
    let away = |e: &dyn std::fmt::Display| Failed::Unreachable(e.to_string());
    std::fs::create_dir_all(&node.data).map_err(|e| away(&e))?;
    let _lock = if args.dry_run {
        None
    } else {
        let locked = app::lock(&node.data).map_err(|e| {
            Failed::Unreachable(format!(
                "{e}; or hand the import to it with --to and --token"
            ))
        });
        Some(locked?)
    };
    let vault = app::vault(&node).map_err(|e| Failed::Input(e.to_string()))?;
    let mut file = RegistryFile::open(&node.data.join(REGISTRY), vault).map_err(|e| away(&e))?;
    let standing = file.load().map_err(|e| away(&e))?;
    let files = Files::of_dir(&args.folder).map_err(|problems| wrong(&problems))?;
    let prepared = prepare(standing, files).map_err(|problems| wrong(&problems))?;
    let (report, rows) = (&prepared.report, &prepared.rows);
    if !args.dry_run {
        file.save(report.generation, rows).map_err(|e| away(&e))?;
    }
    super::say::out(format_args!("{report}"));
    let (generation, counts) = (report.generation, report.counts);
    let done = if args.dry_run {
        "would be 将成为"
    } else {
        "is 现为"
    };
    say!(
        "generation {generation} {done}: {} villages 村, {} households 户, {} people 人, {} B a person 字节/人",
        counts.villages,
        counts.households,
        counts.people,
        report.bytes_per_person().unwrap_or(0)
    );
    Ok(())
}

fn wrong(problems: &[Problem]) -> Failed {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    told(&lines)
}

fn told(lines: &[String]) -> Failed {
    let count = lines.len();
    let lines = lines.join("\n");
    Failed::Input(format!("{lines}\n{count} problem(s), nothing was changed"))
}

/// The same form as `curl -F` makes it.
async fn hand_in(to: &str, args: &Args) -> Result<(), Failed> {
    let token = args.token.as_deref().ok_or_else(|| {
        Failed::Input("--to needs the bureau's token in TOCSIN_TOKEN or --token".into())
    })?;
    let boundary = format!("tocsin-{:032x}", fastrand::u128(..));
    let body = form(&args.folder, &boundary)?;
    let request = Request {
        method: "POST".into(),
        headers: vec![
            ("authorization".into(), format!("Bearer {token}")),
            (
                "content-type".into(),
                format!("multipart/form-data; boundary={boundary}"),
            ),
        ],
        body: body.into(),
        ..Request::default()
    };
    let url = format!("{to}/v1/registry/import?dry_run={}", args.dry_run);
    let http = HttpClient::of_the_house(Duration::from_mins(10));
    let reply = http.call(&url, request).await;
    let reply = reply
        .map_err(|e| Failed::Unreachable(format!("{to}: {e}; is the gateway running there?")))?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    match reply.status {
        200 => {
            say!("{text}");
            Ok(())
        }
        422 => Err(told(&lines(&text))),
        503 => Err(Failed::Unreachable(text)),
        _ => Err(Failed::No(text)),
    }
}

fn form(folder: &Path, boundary: &str) -> Result<Vec<u8>, Failed> {
    let unread = |path: &Path, e: std::io::Error| {
        Failed::Input(format!("{} cannot be read: {e}", path.display()))
    };
    let mut body = Vec::new();
    for entry in std::fs::read_dir(folder)
        .map_err(|e| unread(folder, e))?
        .flatten()
    {
        let path = entry.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let table = path.extension().is_some_and(|end| end == "csv");
        let Some(name) = name.filter(|_| table) else {
            continue;
        };
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend(std::fs::read(&path).map_err(|e| unread(&path, e))?);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(body)
}

/// The problems that a gateway found, as this machine would have told them.
fn lines(text: &str) -> Vec<String> {
    let answer: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let Some(problems) = answer["problems"].as_array() else {
        return vec![text.to_owned()];
    };
    let line = |problem: &Value| {
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        let mut line = text("table");
        if let Some(number) = problem["line"].as_u64() {
            let _ = write!(line, ", line {number}");
        }
        for key in ["row", "column"] {
            if let Some(value) = problem[key].as_str() {
                let _ = write!(line, ", {key} {value}");
            }
        }
        format!("{line}: {}; {}", text("what"), text("remedy"))
    };
    problems.iter().map(line).collect()
}
