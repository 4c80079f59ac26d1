//! tshark as the judge of every byte on the wire: it captures on the loopback and reads what it captured.

#[path = "../../../channel/tests/wire/capture.rs"]
mod capture;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use capture::Dumpcap;

/// A capture of one port.
pub struct Capture {
    dumpcap: Dumpcap,
    judge: Judge,
}

/// A capture's file, and how its port is to be read.
pub struct Judge {
    file: PathBuf,
    port: u16,
    protocol: &'static str,
}

impl Capture {
    pub fn start(port: u16, protocol: &'static str, file: &Path) -> Self {
        let dumpcap = Dumpcap::start(&format!("tcp port {port}"), file);
        let file = file.to_owned();
        let judge = Judge {
            file,
            port,
            protocol,
        };
        Self { dumpcap, judge }
    }

    /// Ends the capture once the last frame of the session, which this filter finds, is in the file.
    pub async fn stop(self, last: &str) -> Judge {
        let mut tries = 0;
        while !self.judge.so_far(last).contains(char::is_numeric) {
            tries += 1;
            assert!(tries < 40, "the end of the session was not captured");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        self.dumpcap.stop();
        self.judge
    }
}

impl Judge {
    /// The file may still be written to.
    fn so_far(&self, filter: &str) -> String {
        text(self.run(filter, "frame.number").stdout)
    }

    /// One field of every frame that a display filter finds, of a whole file, which tshark must have read to its end.
    pub fn finds(&self, filter: &str, field: &str) -> String {
        let output = self.run(filter, field);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text(output.stdout)
    }

    /// The same as single values, one frame of the network often holding several of the protocol's.
    pub fn values(&self, filter: &str, field: &str) -> Vec<String> {
        let found = self.finds(filter, field);
        let values = found.split([',', '\n']).filter(|value| !value.is_empty());
        values.map(str::to_owned).collect()
    }

    fn run(&self, filter: &str, field: &str) -> Output {
        let decode = format!("tcp.port=={},{}", self.port, self.protocol);
        Command::new("tshark")
            .arg("-r")
            .arg(&self.file)
            .args(["-d", &decode, "-Y", filter, "-T", "fields", "-e", field])
            .output()
            .expect("tshark starts: run ./test")
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap().trim().to_owned()
}
