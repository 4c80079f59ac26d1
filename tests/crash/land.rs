//! The county of these tests: the demo's own, written once as CSV and imported once, so that a loop copies a database and
//! no more. This module must not start a gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::node::binary;

/// More mobiles than a lane may have in hand, so that the bound could be broken.
const HOUSEHOLDS: &str = "800";

pub struct Land {
    folder: TempDir,
    /// The mobiles of people who live in a household, by endpoint.
    pub mobiles: BTreeMap<u64, String>,
    pub villages: Vec<String>,
}

impl Land {
    pub fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let csv = folder.path().join("csv");
        run(
            folder.path(),
            &[
                "demo",
                "--write-csv",
                "csv",
                "--households",
                HOUSEHOLDS,
                "--seed",
                "11",
            ],
        );
        // One language, so that one mark in the headline reaches everyone.
        let recipients = read(&csv, "recipients");
        std::fs::write(
            csv.join("recipients.csv"),
            recipients.replace("en-US", "zh-CN"),
        )
        .expect("a file");
        crate::node::configure(folder.path(), 1);
        run(folder.path(), &["import", "csv", "--config", "tocsin.toml"]);

        let rows = |name: &str| -> Vec<Vec<String>> {
            let text = read(&csv, name);
            let cells = |line: &str| line.split(',').map(str::to_owned).collect();
            text.lines().skip(1).map(cells).collect()
        };
        let residents = rows("recipients").into_iter().filter(|r| !r[1].is_empty());
        let residents: BTreeSet<String> = residents.map(|r| r[0].clone()).collect();
        let mobiles = rows("endpoints").into_iter();
        let mobiles = mobiles.filter(|e| e[2] == "mobile" && residents.contains(&e[1]));
        let number = |text: &str| text.parse().expect("an id");
        Self {
            mobiles: mobiles.map(|e| (number(&e[0]), e[3].clone())).collect(),
            villages: rows("regions")
                .into_iter()
                .map(|r| r[0].clone())
                .filter(|code| !code.ends_with("000"))
                .collect(),
            folder,
        }
    }

    pub fn registry(&self) -> PathBuf {
        self.folder.path().join("data/registry.sqlite")
    }
}

fn read(csv: &Path, name: &str) -> String {
    std::fs::read_to_string(csv.join(format!("{name}.csv"))).expect("the demo wrote it")
}

fn run(folder: &Path, args: &[&str]) {
    let output = Command::new(binary())
        .current_dir(folder)
        .args(args)
        .output();
    let output = output.expect("it starts");
    assert!(
        output.status.success(),
        "{args:?}: {}",
        crate::gateway::both(&output)
    );
}
