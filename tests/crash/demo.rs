//! `tocsin demo --data DIR` killed and started again. Its peers keep their state in the folder, so the table at the end is
//! that of a demo that was never disturbed.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::gateway::both;
use crate::node::binary;

fn demo(data: &Path) -> Command {
    let mut command = Command::new(binary());
    command
        .args([
            "demo",
            "--households",
            "400",
            "--seed",
            "5",
            "--once",
            "--data",
        ])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The rows of the table of towns.
async fn table(data: &Path) -> Vec<String> {
    let output = demo(data).output().await.expect("it starts");
    let said = both(&output);
    assert!(output.status.success(), "{said}");
    let begin = said.lines().skip_while(|line| !line.starts_with("town "));
    begin
        .take_while(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_demo_killed_three_times_ends_with_the_table_of_one_that_was_not() {
    let (calm, shaken) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let killed = async {
        for _ in 0..3 {
            let mut child = demo(shaken.path()).spawn().expect("it starts");
            let wait = Duration::from_millis(fastrand::u64(500..8_000));
            tokio::time::sleep(wait).await;
            assert!(
                child.try_wait().expect("its state").is_none(),
                "it ended before it was killed"
            );
            child.kill().await.expect("it can be killed");
            println!("killed after {wait:?}");
        }
        table(shaken.path()).await
    };
    let (wanted, found) = tokio::join!(table(calm.path()), killed);
    assert!(wanted.len() > 20, "{wanted:#?}");
    assert_eq!(found, wanted);
}
