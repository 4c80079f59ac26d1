//! Mosquitto as a child of the test: with TLS, a password for each, and no memory of its own, so that what it held is gone
//! when it is killed.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let at = folder.path().display();
        let settings = format!(
            "listener {port} 127.0.0.1\ncertfile {at}/certificate\nkeyfile {at}/key\npassword_file {at}/logins\n\
             acl_file {at}/rights\nallow_anonymous false\npersistence false\nmax_queued_messages 100000\nuser root\n{more}"
        );
        fs::write(file("settings"), settings).expect("written");
        let mut broker = Self {
            port,
            folder,
            child: None,
        };
        broker.up().await;
        broker
    }

    pub fn url(&self) -> String {
        format!("mqtts://127.0.0.1:{}", self.port)
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("certificate")
    }

    pub async fn up(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = fs::File::create(self.folder.path().join("log")).expect("a file");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "mosquitto", "-c"])
            .arg(self.folder.path().join("settings"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("mosquitto starts: run ./test"));
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let log = fs::read_to_string(self.folder.path().join("log"));
        panic!("mosquitto does not listen: {log:?}");
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
