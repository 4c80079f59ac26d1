//! A real browser: headless Chromium behind its driver, which is asked over the W3C `WebDriver` protocol. A crate for that
//! brings an HTTP stack of its own for the six calls that are needed here. This module must not know a page.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use channel::testing::free_port;
use channel::{HttpClient, Request};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::gateway::within;

pub struct Browser {
    base: String,
    http: HttpClient,
    driver: Child,
    profile: tempfile::TempDir,
}

/// What the protocol calls an element's id.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// Starts the driver on a free port, and a window.
    pub async fn start() -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver is installed: ./test does that");
        let profile = tempfile::tempdir().expect("a folder");
        let mut browser = Self {
            base: format!("http://127.0.0.1:{port}"),
            http: HttpClient::of_the_house(Duration::from_mins(1)),
            driver,
            profile,
        };
        within("the driver answers", async || {
            let request = Request {
                method: "GET".into(),
                ..Request::default()
            };
            let url = format!("{}/status", browser.base);
            browser.http.call(&url, request).await.ok()
        })
        .await;
        let folder = browser.profile.path().display();
        let args = [
            "--headless=new".to_owned(),
            // An ordinary account needs none of these; a container's root does.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--window-size=1500,1000".to_owned(),
            format!("--user-data-dir={folder}"),
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": args},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.ask("POST", "/session", wanted).await;
        let id = session["sessionId"].as_str().expect("a session");
        browser.base = format!("{}/session/{id}", browser.base);
        browser
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.answer(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer["value"].clone()
    }

    async fn answer(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = Request {
            method: method.into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into(),
            ..Request::default()
        };
        let reply = self
            .http
            .call(&format!("{}{path}", self.base), request)
            .await;
        let reply = reply.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let answer = serde_json::from_slice(&reply.body).expect("JSON");
        (reply.status, answer)
    }

    pub async fn open(&self, url: &str) {
        self.ask("POST", "/url", json!({ "url": url })).await;
    }

    /// Runs in every page before its own scripts.
    pub async fn before_pages(&self, script: &str) {
        let params = json!({ "source": script });
        let cmd = "Page.addScriptToEvaluateOnNewDocument";
        let body = json!({ "cmd": cmd, "params": params });
        self.ask("POST", "/goog/cdp/execute", body).await;
    }

    /// The window as a telephone or a desk has it.
    pub async fn size(&self, width: u32, height: u32) {
        let rect = json!({ "width": width, "height": height });
        self.ask("POST", "/window/rect", rect).await;
    }

    async fn element(&self, css: &str) -> String {
        let how = json!({"using": "css selector", "value": css});
        let found = self.ask("POST", "/element", how).await;
        let id = found[ELEMENT].as_str().expect("an element");
        format!("/element/{id}")
    }

    pub async fn write(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        self.ask("POST", &format!("{element}/value"), json!({ "text": text }))
            .await;
    }

    pub async fn click(&self, css: &str) {
        let element = self.element(css).await;
        self.ask("POST", &format!("{element}/click"), json!({}))
            .await;
    }

    /// Shows pages as a telephone does that is held upright, or as a desk again.
    pub async fn telephone(&self, is: bool) {
        let body = if is {
            let metrics =
                json!({"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true});
            json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})
        } else {
            json!({"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}})
        };
        self.ask("POST", "/goog/cdp/execute", body).await;
    }

    /// As on another screen.
    pub async fn resize(&self, width: u32, height: u32) {
        let wanted = json!({ "width": width, "height": height });
        self.ask("POST", "/window/rect", wanted).await;
    }

    /// What a script in the page returns.
    pub async fn script(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.ask("POST", "/execute/sync", body).await
    }

    /// Waits until a script in the page returns this. On the page before, which a click is about to leave, it may find
    /// nothing to read and end in an error.
    pub async fn until(&self, script: &str, wanted: &Value) {
        let what = format!("{script} is {wanted}");
        within(&what, async || {
            let body = json!({"script": script, "args": []});
            let (status, answer) = self.answer("POST", "/execute/sync", body).await;
            (status == 200 && answer["value"] == *wanted).then_some(())
        })
        .await;
    }

    /// What the browser itself complained of.
    pub async fn complaints(&self) -> Vec<Value> {
        let log = self
            .ask("POST", "/se/log", json!({"type": "browser"}))
            .await;
        let lines = log.as_array().cloned().unwrap_or_default();
        let bad = |line: &Value| line["level"] == "SEVERE" || line["level"] == "WARNING";
        lines.into_iter().filter(bad).collect()
    }

    /// A folder that every process of this browser names on its command line.
    pub fn profile(&self) -> PathBuf {
        self.profile.path().to_owned()
    }
}

/// The driver's group is the driver and every process of its browser: all of them end here, whether the test has failed
/// or not.
impl Drop for Browser {
    fn drop(&mut self) {
        let Some(group) = self.driver.id() else {
            return;
        };
        let args = ["-KILL".to_owned(), "--".to_owned(), format!("-{group}")];
        let ended = std::process::Command::new("kill").args(args).status();
        assert!(ended.is_ok_and(|ended| ended.success()) || std::thread::panicking());
    }
}
