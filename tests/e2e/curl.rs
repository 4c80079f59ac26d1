//! docs/api.md with curl alone: every command of the page, in its order, against the demo that the page begins with. What
//! fails here fails for whoever reads the page. These tests must not know what an answer holds.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::gateway::both;

/// How long the demo's warning may take to its end.
const DEMO: Duration = Duration::from_secs(150);
const PAGE: Duration = Duration::from_mins(1);

/// A status that is no success is an error, and so is no answer; a line that stays open ends when it was told to.
const CURL: &str = r#"set -eu -o pipefail
curl() {
  printf '\n+ curl %s\n' "$*"
  local code=0
  command curl --show-error --fail-with-body "$@" || code=$?
  [[ $code == 0 || ($code == 28 && " $* " == *" -m 2 "*) ]]
}
"#;

/// The page's commands. What the demo prints stands for its two `export` lines.
fn commands() -> String {
    let page = include_str!("../../docs/api.md");
    let mut commands = String::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside && !line.starts_with("export ") => {
                commands += line;
                commands.push('\n');
            }
            _ => {}
        }
    }
    commands
}

/// The demo, and the lines with which it tells where it is.
async fn demo(folder: &std::path::Path) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .args(["demo", "--households", "178"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut told = String::new();
    let exports = async {
        while let Some(line) = lines.next_line().await.expect("text") {
            if line.trim_start().starts_with("export ") {
                told += line.trim_start();
                told.push('\n');
            }
            if line.contains("export AUTH=") {
                return;
            }
        }
        panic!("the demo ended without a word on where it is");
    };
    tokio::time::timeout(DEMO, exports).await.expect("in time");
    // What it prints further is nobody's: a full pipe would stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, told)
}

#[tokio::test]
async fn every_command_of_the_page_does_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut child, exports) = demo(folder.path()).await;
    let commands = commands();
    assert!(commands.matches("curl ").count() > 20, "{commands}");
    std::fs::write(
        folder.path().join("page.sh"),
        format!("{CURL}{exports}{commands}"),
    )
    .expect("a file");
    let run = Command::new("bash")
        .arg("page.sh")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PAGE, run)
        .await
        .expect("in time")
        .expect("bash runs");
    assert!(output.status.success(), "{}", both(&output));
    child.kill().await.expect("it can be killed");
}
