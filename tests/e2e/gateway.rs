//! One gateway: a folder with its configuration, plans and registry, the real binary on it, and what it is asked. The
//! process is killed when this is dropped. This module must not wait without a deadline, and never by the clock alone.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use channel::{HttpClient, Request};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::county;
use crate::peers::{self, Smsc};
pub use crate::setup::{DUTY, EVERYTHING, KEEPER, Mail, OPERATOR, Setup, TOWN, WATER};
use crate::setup::{config, with_night};
use crate::warning::Warning;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(45);
const LOOK: Duration = Duration::from_millis(25);

pub struct Answer {
    pub status: u16,
    pub body: Value,
}

pub struct Gateway {
    folder: TempDir,
    child: Option<Child>,
    pub base: String,
    http: HttpClient,
    log: &'static str,
    runs: u32,
}

/// A gateway and its far ends.
pub struct World {
    pub gateway: Gateway,
    pub smsc: Smsc,
    pub mail: email::peer::Peer,
    pub horn: loudspeaker::peer::Peer,
}

impl World {
    pub async fn start(setup: Setup) -> Self {
        let smsc = Smsc::start(setup.smsc_rate).await;
        let mail = email::peer::Peer::start(email::peer::Settings::default())
            .await
            .expect("a free port");
        let mut gateway = Gateway::prepare(
            &setup,
            smsc.port(),
            setup.mail.port.unwrap_or_else(|| mail.port()),
        );
        let import = gateway.run(&["import", "registry"]).await;
        assert!(import.status.success(), "{}", both(&import));
        gateway.start().await;
        let devices = county::DEVICES.map(str::to_owned).to_vec();
        let codes = gateway.codes(&devices).await;
        let horn = peers::controllers(&gateway.base, devices, codes);
        Self {
            gateway,
            smsc,
            mail,
            horn,
        }
    }
}

pub fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

impl Gateway {
    /// To ask a gateway that something else has started.
    pub fn at(base: &str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            child: None,
            base: base.to_owned(),
            http: HttpClient::of_the_house(Duration::from_secs(10)),
            log: "info",
            runs: 0,
        }
    }

    fn prepare(setup: &Setup, sms_port: u16, mail_port: u16) -> Self {
        let gateway = Self {
            log: setup.log,
            ..Self::at("")
        };
        let further = &setup.mail.settings;
        let text = config(setup.sms_rate, sms_port, mail_port, further) + &setup.more;
        let text = with_night(&text, setup.night.as_deref());
        let node = format!("[node]\n{}", setup.node);
        gateway.write("tocsin.toml", &text.replacen("[node]\n", &node, 1));
        for (name, text) in &setup.beside {
            gateway.write(name, text);
        }
        gateway.write("plans/all.toml", &setup.plan);
        for (name, text) in &setup.files {
            gateway.write(&format!("registry/{name}.csv"), text);
        }
        gateway
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// The binary, in this gateway's folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
        command
            .current_dir(self.folder.path())
            .env("RUST_LOG", self.log)
            .env_remove("TOCSIN_TOKEN")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Another command of the binary, in this gateway's folder, to its end.
    pub async fn run(&self, args: &[&str]) -> Output {
        self.run_into(args, Stdio::piped()).await
    }

    /// The same, and whoever would have read its output has left before it begins.
    pub async fn run_unheard(&self, args: &[&str]) -> Output {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.run_into(args, writer.into()).await
    }

    async fn run_into(&self, args: &[&str], out: Stdio) -> Output {
        let mut command = self.command();
        command.args(args).stdout(out).stderr(Stdio::piped());
        if ["import", "journal"].contains(&args[0]) {
            command.args(["--config", "tocsin.toml"]);
        }
        let child = command.spawn().expect("it starts");
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        ended.expect("it ends").expect("it starts")
    }

    /// Starts `tocsin serve`; where it ran before, on the same address.
    pub async fn start(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        self.runs += 1;
        let (out, err) = (
            format!("stdout.{}", self.runs),
            format!("stderr.{}", self.runs),
        );
        let file = |path: &Path| std::fs::File::create(path).expect("a file");
        let mut child = self
            .command()
            .args(["serve", "--config", "tocsin.toml"])
            .stdout(file(&self.path(&out)))
            .stderr(file(&self.path(&err)))
            .spawn()
            .expect("it starts");
        let base = within("it listens", async || {
            let text = std::fs::read_to_string(self.path(&out)).expect("its output");
            if let Some(code) = child.try_wait().expect("its state") {
                let why = std::fs::read_to_string(self.path(&err)).unwrap_or_default();
                panic!("serve ended with {code}: {text}{why}");
            }
            let line = text.lines().find(|line| line.starts_with("listening on"))?;
            Some(line.rsplit(' ').next()?.to_owned())
        });
        let base = base.await;
        self.child = Some(child);
        self.base = base;
    }

    /// `kill -9`, and it is gone.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.expect("it can be killed");
    }

    /// SIGTERM, until it has ended of itself.
    pub async fn terminate(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let pid = child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(sent.expect("kill is there").success());
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
        ended.expect("it ends").expect("its end is known")
    }

    /// Bytes of memory that the process holds.
    pub fn memory(&self) -> u64 {
        let pid = self.child.as_ref().and_then(Child::id).expect("it runs");
        let pages = std::fs::read_to_string(format!("/proc/{pid}/statm")).expect("its state");
        let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        resident.map(|pages: u64| pages * 4096).expect("a count")
    }

    pub async fn call(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let headers = if token.is_empty() {
            Vec::new()
        } else {
            vec![("authorization".into(), format!("Bearer {token}"))]
        };
        let request = Request {
            method: method.into(),
            headers,
            body: body.to_owned().into(),
            ..Request::default()
        };
        let reply = self
            .http
            .call(&format!("{}{path}", self.base), request)
            .await;
        let reply = reply.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        Answer {
            status: reply.status,
            body,
        }
    }

    /// A one-time code for each of these devices.
    pub async fn codes(&self, devices: &[String]) -> HashMap<String, String> {
        let body = serde_json::json!({ "devices": devices }).to_string();
        let answer = self
            .call("POST", "/v1/devices/codes", OPERATOR, &body)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = |code: &Value, name: &str| code[name].as_str().expect("a text").to_owned();
        let codes = answer.body["codes"].as_array().expect("a list");
        let pair = |code| (text(code, "device"), text(code, "code"));
        codes.iter().map(pair).collect()
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, DUTY, "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// An answer that is no JSON.
    pub async fn call_text(&self, path: &str, token: &str) -> String {
        let request = Request {
            method: "GET".into(),
            headers: vec![("authorization".into(), format!("Bearer {token}"))],
            ..Request::default()
        };
        let url = format!("{}{path}", self.base);
        let reply = self.http.call(&url, request).await.expect("an answer");
        String::from_utf8_lossy(&reply.body).into_owned()
    }

    pub async fn post(&self, token: &str, body: &str) -> Answer {
        self.call("POST", "/v1/alerts", token, body).await
    }

    /// Hands a warning in as the water bureau, and gives its id.
    pub async fn submit(&self, warning: &Warning) -> u64 {
        let answer = self.post(WATER, &warning.xml()).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.body["id"].as_u64().expect("an id")
    }

    pub async fn coverage(&self, alert: u64, under: &str) -> Value {
        self.get(&format!("/v1/alerts/{alert}/coverage?under={under}"))
            .await
    }

    /// The line of one channel in the alert's progress, once it has one.
    pub async fn channel(&self, alert: u64, name: &str) -> Value {
        let answer = self.get(&format!("/v1/alerts/{alert}/channels")).await;
        let lines = answer["channels"].as_array().expect("a list");
        lines
            .iter()
            .find(|line| line["channel"] == name)
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// Waits until every delivery is written and none is open.
    pub async fn ended(&self, alert: u64) -> Value {
        let what = format!("alert {alert} ends");
        within(&what, async || {
            let path = format!("/v1/alerts/{alert}");
            let mut view = self.get(&path).await;
            let state = view["state"].as_str().expect("a state").to_owned();
            if state == "expired" && self.planned(alert).await {
                // What is over may still be written: its own stream tells, and only then do the figures.
                view = self.get(&path).await;
            } else if ["accepted", "releasing", "expired"].contains(&state.as_str()) {
                return None;
            }
            let open: u64 = view["channels"]
                .as_array()
                .expect("a list")
                .iter()
                .flat_map(|line| ["planned", "handed", "awaiting", "due"].map(|s| count(&line[s])))
                .sum();
            (open == 0).then_some(view)
        })
        .await
    }

    /// Whether every delivery of an alert is written.
    async fn planned(&self, alert: u64) -> bool {
        let stream = alert.to_string();
        let output = self
            .run(&["journal", "dump", "--json", "--stream", &stream])
            .await;
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().any(|line| line.contains("\"planned\":"))
    }

    /// The deliveries of a household.
    pub async fn deliveries(&self, alert: u64, household: u32) -> Vec<Value> {
        let path = format!("/v1/alerts/{alert}/households/{household}/deliveries");
        let answer = self.get(&path).await;
        answer["deliveries"].as_array().expect("a list").clone()
    }

    /// The names of a delivery's events.
    pub async fn events(&self, alert: u64, delivery: &Value) -> Vec<Value> {
        let number = delivery["number"].as_u64().expect("a number");
        let path = format!("/v1/alerts/{alert}/deliveries/{number}/events");
        let answer = self.get(&path).await;
        answer["events"].as_array().expect("a list").clone()
    }

    /// All that every run has said.
    pub fn said(&self) -> String {
        let mut said = String::new();
        for run in 1..=self.runs {
            for stream in ["stdout", "stderr"] {
                let path = self.path(&format!("{stream}.{run}"));
                said += &std::fs::read_to_string(path).unwrap_or_default();
            }
        }
        said
    }

    /// Every line of `journal dump --json`.
    pub async fn journal(&self) -> Vec<Value> {
        let output = self.run(&["journal", "dump", "--json"]).await;
        assert!(output.status.success(), "{}", both(&output));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect()
    }
}

pub fn count(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

/// Asks again and again until there is an answer.
pub async fn within<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, asking).await;
    found.unwrap_or_else(|_| panic!("not within {} s: {what}", PATIENCE.as_secs()))
}
