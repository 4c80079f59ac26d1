//! Mosquitto as a child of the test: with TLS, a password for each, and no memory of its own, so that what it held is gone
//! when it is killed.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use channel::testing::free_port;
use tempfile::TempDir;

pub const PASSWORD: &str = "only for these tests";

/// `evil` may do whatever anybody could who has broken into the broker; each device, only what is its own.
const RIGHTS: &str = "user gateway
topic readwrite tocsin/#
user evil
topic readwrite tocsin/#
pattern read tocsin/+/orders/%u
pattern read tocsin/+/answers/%u
pattern read tocsin/+/groups/+
pattern read tocsin/+/gateway/state
pattern write tocsin/+/calls/%u
pattern write tocsin/+/state/%u
";

pub struct Broker {
    pub port: u16,
    folder: TempDir,
    child: Option<Child>,
}

impl Broker {
    /// Knows `gateway`, `evil` and these.
    pub async fn start(users: &[&str]) -> Self {
        Self::with(users, "").await
    }

    /// The same, with further lines in its settings.
    pub async fn with(users: &[&str], more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        done(
            Command::new("openssl")
                .args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"])
                .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
                .args(["-subj", "/CN=broker.example"])
                .args(["-addext", "subjectAltName=IP:127.0.0.1"])
                .args(["-addext", "basicConstraints=critical,CA:FALSE"])
                .arg("-keyout")
                .arg(file("key"))
                .arg("-out")
                .arg(file("certificate")),
        );
        let users = ["gateway", "evil"].iter().chain(users);
        let logins: Vec<_> = users.map(|user| format!("{user}:{PASSWORD}\n")).collect();
        fs::write(file("logins"), logins.concat()).expect("written");
        done(
            Command::new("mosquitto_passwd")
                .arg("-U")
                .arg(file("logins")),
        );
        fs::write(file("rights"), RIGHTS).expect("written");
        let mut broker = Self {
            port: 0,
            folder,
            child: None,
        };
        // Another process may take a free port first.
        for _ in 0..3 {
            broker.settle(more);
            if broker.listens().await {
                return broker;
            }
        }
        panic!("mosquitto does not listen: {}", broker.log());
    }

    /// Chooses a port.
    fn settle(&mut self, more: &str) {
        self.port = free_port();
        let (port, at) = (self.port, self.folder.path().display());
        let settings = format!(
            "listener {port} 127.0.0.1\ncertfile {at}/certificate\nkeyfile {at}/key\npassword_file {at}/logins\n\
             acl_file {at}/rights\nallow_anonymous false\npersistence false\nmax_queued_messages 100000\nuser root\n{more}"
        );
        fs::write(self.folder.path().join("settings"), settings).expect("written");
    }

    pub fn url(&self) -> String {
        format!("mqtts://127.0.0.1:{}", self.port)
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("certificate")
    }

    /// Again, at the same port.
    pub async fn up(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        assert!(self.listens().await, "mosquitto: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Starts it; false when it ends instead.
    async fn listens(&mut self) -> bool {
        let log = fs::File::create(self.folder.path().join("log")).expect("a file");
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "mosquitto", "-c"])
            .arg(self.folder.path().join("settings"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("mosquitto starts: run ./test");
        for _ in 0..1_000 {
            if child.try_wait().expect("its state").is_some() {
                return false;
            }
            if self.log().contains(" running") {
                self.child = Some(child);
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        false
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

fn done(command: &mut Command) {
    let output = command.output().expect("it starts: run ./test");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
