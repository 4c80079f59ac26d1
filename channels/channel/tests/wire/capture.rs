//! A capture of the loopback for the tests of channels, which name this file by its path. This module must not read what
//! it captured.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running dumpcap, which must be allowed to capture; it is killed when this is dropped.
pub struct Dumpcap(Child);

impl Dumpcap {
    /// What this capture filter finds, from now on, into a file.
    pub fn start(filter: &str, file: &Path) -> Self {
        let mut child = Command::new("dumpcap")
            .args(["-q", "-i", "lo", "-f", filter, "-w"])
            .arg(file)
            .stderr(Stdio::piped())
            .spawn()
            .expect("dumpcap starts: run ./test");
        // It says "File: …" once it captures.
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("File:") {
            line.clear();
            let read = errors.read_line(&mut line).unwrap();
            assert!(
                read > 0,
                "dumpcap may not capture on lo: run ./test as root"
            );
        }
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Self(child)
    }

    /// It closes its file when it is asked to end.
    pub fn stop(mut self) {
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        assert!(asked.unwrap().success() && self.0.wait().unwrap().success());
    }
}

impl Drop for Dumpcap {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
