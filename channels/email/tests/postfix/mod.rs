//! A Postfix of one test's own: its configuration, queue, certificate and mailboxes in one folder that goes with it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The account that owns the mailboxes: `nobody`, on every Debian.
const NOBODY: u32 = 65_534;

pub struct Postfix {
    pub port: u16,
    folder: TempDir,
    child: Child,
}

const MAIN: &str = "compatibility_level = 3.6
queue_directory = FOLDER/queue
data_directory = FOLDER/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = FOLDER/log/mail
maillog_file_prefixes = FOLDER
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
myhostname = mail.example.org
mydestination =
alias_maps =
alias_database =
message_size_limit = 50000
mailbox_size_limit = 0
virtual_mailbox_domains = example.org
virtual_mailbox_base = FOLDER/mail
virtual_mailbox_maps = inline:{ {resident@example.org = resident/} }
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = FOLDER/certificate
smtpd_tls_key_file = FOLDER/key
";

const MASTER: &str = "127.0.0.1:PORT inet n - n - - smtpd
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

const CERTIFICATE: &str = "[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = localhost
[extensions]
subjectAltName = DNS:localhost
basicConstraints = critical,CA:FALSE
";

impl Postfix {
    /// Starts one and waits until it greets.
    ///
    /// # Panics
    /// When there is none, or it does not start.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder of the test's own");
        let at = folder.path();
        open_to_all(at);
        for name in ["queue", "log", "mail", "data"] {
            fs::create_dir(at.join(name)).expect("a new folder");
            open_to_all(&at.join(name));
        }
        chown(at.join("mail"), Some(NOBODY), Some(NOBODY))
            .expect("run ./test as root: Postfix gives each mailbox to its owner");
        done(Command::new("chown").arg("postfix").arg(at.join("data")));
        fs::write(at.join("request"), CERTIFICATE).expect("written");
        done(
            Command::new("openssl")
                .args([
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config",
                ])
                .arg(at.join("request"))
                .arg("-keyout")
                .arg(at.join("key"))
                .arg("-out")
                .arg(at.join("certificate")),
        );
        let port = free_port();
        let filled = |text: &str| {
            text.replace("FOLDER", at.to_str().expect("a plain path"))
                .replace("PORT", &port.to_string())
        };
        fs::write(at.join("main.cf"), filled(MAIN)).expect("written");
        fs::write(at.join("master.cf"), filled(MASTER)).expect("written");
        let child = postfix(at)
            .arg("start-fg")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is no Postfix: run ./test");
        let server = Self {
            port,
            folder,
            child,
        };
        server.wait();
        server
    }

    /// The certificate that it shows, for `localhost`.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate")
    }

    /// The first letter of the one mailbox, once it is there.
    pub fn letter(&self) -> PathBuf {
        let mailbox = self.folder.path().join("mail/resident/new");
        for _ in 0..300 {
            let first = fs::read_dir(&mailbox)
                .ok()
                .and_then(|mut letters| letters.next());
            if let Some(Ok(letter)) = first {
                return letter.path();
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("no letter came into the mailbox:\n{}", self.log());
    }

    fn wait(&self) {
        for _ in 0..300 {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                let mut greeting = String::new();
                if BufReader::new(stream).read_line(&mut greeting).is_ok()
                    && greeting.starts_with("220 ")
                {
                    return;
                }
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!(
            "Postfix did not start; run ./test, or read its log:\n{}",
            self.log()
        );
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log/mail")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // `abort` ends its children too; what fails here fails on a server that is already gone.
        let _ = postfix(self.folder.path())
            .arg("abort")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn postfix(folder: &Path) -> Command {
    let mut command = Command::new("postfix");
    let path = std::env::var("PATH").unwrap_or_default();
    // Debian keeps servers in sbin, which an ordinary account does not search.
    command
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .arg("-c")
        .arg(folder);
    command
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("our own folder");
}

fn done(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|why| panic!("{command:?}: {why}; run ./test"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
