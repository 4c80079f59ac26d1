//! A Postfix of one test's own: its configuration, queue, certificates and mailboxes in one folder that goes with it. This
//! module must not send a mail anywhere but to this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use channel::testing::free_port;
use tempfile::TempDir;

/// The account that owns the mailboxes: `nobody`, on every Debian.
const NOBODY: u32 = 65_534;

/// What a test wants otherwise.
#[derive(Default)]
pub struct Settings {
    /// Lines that stand after ours in `main.cf`, where the last word counts; `FOLDER` is the folder.
    pub main: String,
    /// The same for `master.cf`.
    pub master: String,
}

pub struct Ports {
    /// Begins readable and offers STARTTLS.
    pub open: u16,
    /// TLS from the first byte.
    pub wrapped: u16,
    /// As `open`, but takes mail for whoever is asked, and tells later that there is no such mailbox.
    pub late: u16,
}

impl Ports {
    pub fn free() -> Self {
        let [open, wrapped, late] = [(); 3].map(|()| free_port());
        Self {
            open,
            wrapped,
            late,
        }
    }
}

pub struct Postfix {
    pub ports: Ports,
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
virtual_mailbox_domains = example.org bounce.example.net
virtual_mailbox_base = FOLDER/mail
virtual_mailbox_maps = inline:{ {resident@example.org = resident/} {@bounce.example.net = bounces/} }
virtual_transport = virtual
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = FOLDER/certificate
smtpd_tls_key_file = FOLDER/certificate.key
";

const MASTER: &str = "127.0.0.1:OPEN inet n - n - - smtpd
127.0.0.1:WRAPPED inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:LATE inet n - n - - smtpd -o smtpd_reject_unlisted_recipient=no
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

const AUTHORITY: &str = "[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = authority of one test
[extensions]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
";

const SERVER: &str = "[req]
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
    /// Starts one and waits until it greets. `prepare` lays into the folder what the settings speak of.
    ///
    /// # Panics
    /// When there is none, or it does not start.
    pub fn start(ports: Ports, settings: &Settings, prepare: impl FnOnce(&Path)) -> Self {
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
        certificate(at, "authority", AUTHORITY, None);
        certificate(at, "certificate", SERVER, Some("authority"));
        let filled = |text: &str| {
            text.replace("FOLDER", at.to_str().expect("a plain path"))
                .replace("OPEN", &ports.open.to_string())
                .replace("WRAPPED", &ports.wrapped.to_string())
                .replace("LATE", &ports.late.to_string())
        };
        let write = |name, ours: &str, more| {
            fs::write(at.join(name), filled(&format!("{ours}{more}"))).expect("written");
        };
        write("main.cf", MAIN, &settings.main);
        write("master.cf", MASTER, &settings.master);
        prepare(at);
        let child = postfix(at)
            .arg("start-fg")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is no Postfix: run ./test");
        let server = Self {
            ports,
            folder,
            child,
        };
        server.wait();
        server
    }

    /// A place in its folder. `authority` is who vouches for the certificate that it shows, which is for `localhost`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The first so many mails of a mailbox, once they are there, in any order.
    pub fn mails(&self, mailbox: &str, count: usize) -> Vec<PathBuf> {
        let folder = self.path("mail").join(mailbox).join("new");
        for _ in 0..600 {
            let found = fs::read_dir(&folder).into_iter().flatten().flatten();
            let found: Vec<_> = found.map(|mail| mail.path()).collect();
            if found.len() >= count {
                return found;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("no {count} mails came into {mailbox}:\n{}", self.log());
    }

    fn wait(&self) {
        for _ in 0..300 {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.ports.open)) {
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

    /// What it has noted so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log/mail")).unwrap_or_default()
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

/// A key and a certificate of that name, signed by itself or by another.
fn certificate(at: &Path, name: &str, request: &str, signer: Option<&str>) {
    let file = |name: &str, kind: &str| at.join(format!("{name}{kind}"));
    fs::write(file(name, ".request"), request).expect("written");
    let mut command = Command::new("openssl");
    command
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .arg("-config")
        .arg(file(name, ".request"))
        .arg("-keyout")
        .arg(file(name, ".key"))
        .arg("-out")
        .arg(at.join(name));
    if let Some(signer) = signer {
        let key = file(signer, ".key");
        command
            .arg("-CA")
            .arg(at.join(signer))
            .arg("-CAkey")
            .arg(key);
    }
    done(&mut command);
}
