//! The real binary on PostgreSQL, from outside: a warning that was accepted is there after the process was killed and
//! started again, and a second node is told who owns the journal. These tests must not look into the gateway's memory.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use channel::{Clock, HttpClient, Request, SystemClock};
use serde_json::Value;

const TOCSIN: &str = env!("CARGO_BIN_EXE_tocsin");

/// A database of this test's own, on the server that `./test` starts.
async fn database() -> (String, tokio_postgres::Client) {
    let server = std::env::var("TOCSIN_POSTGRES").expect(
        "this test needs a PostgreSQL server: run ./test, which starts one and sets TOCSIN_POSTGRES",
    );
    let client = connect(&server).await;
    let name = format!("serve_{}", std::process::id());
    let make = format!("CREATE DATABASE {name}");
    client.batch_execute(&make).await.expect("makes it");
    let host = server.rsplit_once('/').expect("postgres://HOST/DATABASE").0;
    let url = format!("{host}/{name}");
    let beside = connect(&url).await;
    (url, beside)
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("the server answers");
    tokio::spawn(connection);
    client
}

/// The gateway as its operator runs it; killed when this is dropped.
struct Gateway {
    child: Child,
    /// Held, so that it may go on speaking.
    _out: BufReader<ChildStdout>,
    base: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gateway {
    fn start(config: &Path) -> Self {
        let mut child = tocsin(&["serve", "--config"], config)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("its standard output"));
        out.read_line(&mut line).expect("speaks");
        let base = line.split_whitespace().last().unwrap_or_default();
        assert!(base.starts_with("http://127.0.0.1:"), "{line:?}");
        Self {
            child,
            _out: out,
            base: base.to_owned(),
        }
    }

    /// Its exit code, when it ends by itself.
    async fn ended(mut self) -> Option<i32> {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().expect("asks") {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it still runs after 30 s");
    }

    async fn ask(&self, request: Request, path: &str) -> (u16, Value) {
        let http = HttpClient::of_the_house(Duration::from_secs(30));
        let url = format!("{}{path}", self.base);
        let reply = http.call(&url, request).await.expect("answers");
        let body = serde_json::from_slice(&reply.body).expect("JSON");
        (reply.status, body)
    }
}

fn tocsin(args: &[&str], last: &Path) -> Command {
    let mut command = Command::new(TOCSIN);
    command.args(args).arg(last);
    command
}

fn run(mut command: Command) -> (Option<i32>, String) {
    let done = command.output().expect("runs");
    let text = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&text).into())
}

fn request(method: &str, token: &str, body: Vec<u8>) -> Request {
    Request {
        method: method.into(),
        headers: vec![("authorization".into(), format!("Bearer {token}"))],
        body: body.into(),
        ..Request::default()
    }
}

const PLAN: &str = r#"name = "flood"
language = "zh-CN"
lifetime = "4h"
[[send]]
audience = "public"
channels = ["sms"]
receipt_window = "15s"
"#;

/// A config file of one node; its channel's far end is nowhere, so that what is accepted stays open.
fn config(folder: &Path, url: &str, node: &str, hash: &str) -> std::path::PathBuf {
    let file = folder.join(format!("{node}.toml"));
    let text = format!(
        r#"
[node]
data = "data-{node}"
listen = "127.0.0.1:0"
plans = "plans"
store = "{url}"
name = "{node}"

[[bureau]]
id = "water"
name = "Water"
signature = "Water"
token_sha256 = "{hash}"
scopes = ["submit", "read"]
regions = ["510727"]

[[channel]]
name = "sms"
kind = "sms"
rate = "100/s burst 100"
[channel.settings]
host = "127.0.0.1"
port = 9
system_id = "test"
password = "test"
source = "10690000"
"#
    );
    std::fs::write(&file, text).expect("written");
    file
}

/// The demo's county and its warning, sent this second.
fn prepare(folder: &Path, config: &Path) -> Vec<u8> {
    let csv = folder.join("csv");
    let made = run(tocsin(
        &["demo", "--households", "200", "--write-csv"],
        &csv,
    ));
    assert_eq!(made.0, Some(0), "{}", made.1);
    let mut import = tocsin(&["import", "--config"], config);
    import.arg(&csv);
    let imported = run(import);
    assert_eq!(imported.0, Some(0), "{}", imported.1);
    let mut alert = cap::read(include_bytes!("../config/demo/flood-red.xml"))
        .alert
        .expect("the demo's warning");
    let now = SystemClock::default().now().secs();
    let by = now - alert.sent.unix;
    alert.sent.unix = now;
    for info in &mut alert.infos {
        let times = [&mut info.effective, &mut info.onset, &mut info.expires];
        for time in times.into_iter().flatten() {
            time.unix += by;
        }
    }
    cap::write(&alert).into_bytes()
}

#[tokio::test]
async fn a_warning_on_postgresql_outlives_the_process_that_took_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, beside) = database().await;
    std::fs::create_dir(folder.path().join("plans")).expect("made");
    std::fs::write(folder.path().join("plans/flood.toml"), PLAN).expect("written");
    let (token, hash) = token();
    let config_a = config(folder.path(), &url, "a", &hash);
    let warning = prepare(folder.path(), &config_a);

    let first = Gateway::start(&config_a);
    let submit = request("POST", &token, warning.clone());
    let (status, alert) = first.ask(submit, "/v1/alerts").await;
    assert_eq!(status, 202, "{alert}");

    // A second node is told who owns the journal, and nothing of the password.
    let config_b = config(folder.path(), &url, "b", &hash);
    let (code, text) = run(tocsin(&["serve", "--config"], &config_b));
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("node \"a\" owns the journal"), "{text}");
    assert!(!text.contains(&url), "{text}");
    drop(first);

    let again = Gateway::start(&config_a);
    let id = &alert["id"];
    let path = format!("/v1/alerts/{id}");
    let (status, found) = again.ask(request("GET", &token, Vec::new()), &path).await;
    assert_eq!((status, &found["id"]), (200, id), "{found}");
    let submit = request("POST", &token, warning);
    let (_, same) = again.ask(submit, "/v1/alerts").await;
    assert_eq!(
        &same["id"], id,
        "the same warning is the same alert: {same}"
    );

    // Reading beside it takes nothing from it.
    let dumped = run(tocsin(&["journal", "dump", "--config"], &config_a));
    assert_eq!(dumped.0, Some(0), "{}", dumped.1);
    assert!(dumped.1.contains("\"accepted\":"), "{}", dumped.1);
    let submit = request("GET", &token, Vec::new());
    assert_eq!(again.ask(submit, "/v1/alerts").await.0, 200);

    // Another node takes the journal over: the first stops by itself, and the other goes on.
    let take = "UPDATE part SET owner='b', epoch=epoch+1";
    beside.batch_execute(take).await.expect("takes over");
    assert_eq!(again.ended().await, Some(3));
    let other = Gateway::start(&config_b);
    let (status, found) = other.ask(request("GET", &token, Vec::new()), &path).await;
    assert_eq!((status, &found["id"]), (200, id), "{found}");
    assert!(!folder.path().join("data-a/journal.sqlite").exists());
}

/// A bureau's token and its hash, as `tocsin token` prints them.
fn token() -> (String, String) {
    let mut command = Command::new(TOCSIN);
    command.arg("token");
    let (code, text) = run(command);
    assert_eq!(code, Some(0), "{text}");
    let token = text
        .split_whitespace()
        .find(|word| word.starts_with("tocsin_"));
    let hash = text.split('"').nth(1);
    (
        token.expect("a token").to_owned(),
        hash.expect("its hash").to_owned(),
    )
}
