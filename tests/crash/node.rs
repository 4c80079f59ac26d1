//! One run of `tocsin serve` in a folder: started, killed, and asked to take a warning. It dies with this. This module
//! must not judge anything.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use channel::{HttpClient, Reply, Request};
use parking_lot::Mutex;

use crate::gateway::{Gateway, WATER, within};
use crate::setup;
use crate::warning::Warning;

/// Everyone at home by text message; a receipt that does not come in this time is not waited for.
const PLAN: &str = r#"name = "all"
language = "zh-CN"
lifetime = "4h"

[[send]]
audience = "public"
channels = ["sms"]
receipt_window = "5s"
"#;

/// Segments a second: the whole county takes about a third of a second.
const RATE: &str = "4000/s burst 400";

/// What a lane may have in hand at this rate and window: max(1000, 2 × window).
pub const CAP: usize = 1_000;

pub fn binary() -> PathBuf {
    let other = std::env::var_os("TOCSIN_BIN");
    other.map_or_else(|| env!("CARGO_BIN_EXE_tocsin").into(), PathBuf::from)
}

/// Configuration and plan for a gateway in `folder`.
pub fn configure(folder: &Path, sms_port: u16) {
    std::fs::create_dir_all(folder.join("plans")).expect("a folder");
    std::fs::write(folder.join("plans/all.toml"), PLAN).expect("a file");
    let text = setup::config(RATE, sms_port, 1, &setup::Mail::default().settings);
    std::fs::write(folder.join("tocsin.toml"), text).expect("a file");
}

/// The process, for whoever may have to kill it at once.
#[derive(Clone, Default)]
pub struct Victim(Arc<Mutex<Option<Child>>>);

impl Victim {
    /// `kill -9`. Told twice it is dead once.
    pub fn kill(&self) {
        if let Some(child) = &mut *self.0.lock() {
            child.kill().expect("it can be killed");
        }
    }

    pub fn id(&self) -> u32 {
        self.0.lock().as_ref().expect("it runs").id()
    }

    /// Whether it has ended.
    pub fn is_dead(&self) -> bool {
        match &mut *self.0.lock() {
            Some(child) => child.try_wait().expect("its state").is_some(),
            None => true,
        }
    }
}

pub struct Node {
    pub folder: PathBuf,
    pub victim: Victim,
    pub api: Gateway,
    http: HttpClient,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.victim.kill();
        if let Some(child) = &mut *self.victim.0.lock() {
            // A killed process ends at once.
            let _ = child.wait();
        }
    }
}

impl Node {
    /// Starts the gateway of this folder. It tells its log's length in `mark`, and takes a file that is too long for an
    /// error, not for its end.
    pub async fn start(folder: &Path) -> Self {
        let file = |name: &str| std::fs::File::create(folder.join(name)).expect("a file");
        let child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" serve --config tocsin.toml"])
            .arg(binary())
            .current_dir(folder)
            .env("TOCSIN_WAL_MARK", folder.join("mark"))
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("it starts");
        let victim = Victim(Arc::new(Mutex::new(Some(child))));
        let base = within("it listens", async || {
            let said = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            let text = said("stdout");
            assert!(!victim.is_dead(), "serve ended: {text}{}", said("stderr"));
            let line = text
                .lines()
                .find(|line| line.starts_with("listening on") && text.ends_with('\n'))?;
            Some(line.rsplit(' ').next()?.to_owned())
        });
        let base = base.await;
        Self {
            folder: folder.to_owned(),
            api: Gateway::at(&base),
            http: HttpClient::of_the_house(Duration::from_secs(20)),
            victim,
        }
    }

    /// Until it is dead.
    pub async fn gone(&self) {
        within("it is dead", async || self.victim.is_dead().then_some(())).await;
    }

    /// Hands a warning in; `None` when no answer came.
    pub async fn post(&self, warning: &Warning) -> Option<Reply> {
        let request = Request {
            method: "POST".into(),
            headers: vec![("authorization".into(), format!("Bearer {WATER}"))],
            body: warning.xml().into(),
            ..Request::default()
        };
        let url = format!("{}/v1/alerts", self.api.base);
        self.http.call(&url, request).await.ok()
    }

    /// The length of the log at the last acknowledged commit.
    pub fn mark(&self) -> u64 {
        let told = std::fs::read(self.folder.join("mark")).expect("the mark");
        u64::from_le_bytes(told.try_into().expect("eight bytes"))
    }
}
