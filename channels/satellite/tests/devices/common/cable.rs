//! A serial cable between a path and a TCP port of this machine, by `socat`: a pair of terminals, of which one has a name.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Cable {
    child: Child,
    device: PathBuf,
}

impl Cable {
    pub async fn lay(folder: &Path, to: SocketAddr) -> Self {
        let device = folder.join("modem");
        let child = Command::new("socat")
            .arg(format!("PTY,raw,echo=0,link={}", device.display()))
            .arg(format!("TCP:{to}"))
            .stdin(Stdio::null())
            .spawn()
            .expect("socat starts: run ./test");
        let cable = Self { child, device };
        for _ in 0..500 {
            if cable.device.exists() {
                return cable;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("socat made no terminal in five seconds");
    }

    pub fn device(&self) -> &Path {
        &self.device
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
