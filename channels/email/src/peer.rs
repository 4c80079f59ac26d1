//! A mail server that behaves as it is told, on this machine only. For tests and the demo; it keeps the last letters
//! and counts all. It must never pass a letter on.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use channel::Stop;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a letter for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Accept,
    /// Takes the letter, and closes the session after the answer.
    AcceptAndClose,
    Throttle,
    RefuseAddress,
    RefuseContent,
    /// Reads the letter and never answers.
    Stall,
    /// Closes the session when it hears the recipient.
    HangUp,
    /// Reads the letter and closes the session.
    HangUpAfterWrite,
}

type Script = dyn Fn(&str) -> Manner + Send + Sync;

pub struct Settings {
    pub script: Arc<Script>,
    pub refuse_login: bool,
    /// It offers to tell what becomes of a letter.
    pub notifies: bool,
    /// How many letters are kept; older ones are only counted.
    pub keep: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            script: Arc::new(|_| Manner::Accept),
            refuse_login: false,
            notifies: false,
            keep: 1_000,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    pub sender: String,
    pub recipient: String,
    /// What the client asked for with the envelope (RFC 3461): `RET=HDRS NOTIFY=FAILURE`.
    pub wishes: String,
    /// As sent, without the dots of the protocol.
    pub text: String,
}

impl Received {
    /// What a server that took this letter writes to its sender later (RFC 3464).
    pub fn notification(&self, action: &str, status: &str) -> Vec<u8> {
        let Self {
            sender, recipient, ..
        } = self;
        format!(
            "Return-Path: <>\r\nFrom: MAILER-DAEMON@peer.example.org\r\nTo: {sender}\r\n\
             Subject: {action}\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"=_peer\"\r\n\r\n\
             --=_peer\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n\r\n\
             --=_peer\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; peer.example.org\r\n\r\n\
             Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n\
             --=_peer--\r\n"
        )
        .into_bytes()
    }
}

#[derive(Default)]
struct Log {
    count: u64,
    last: VecDeque<Received>,
}

/// A running server; it stops when this is dropped.
pub struct Peer {
    port: u16,
    log: Arc<Mutex<Log>>,
    stop: Stop,
}

impl Peer {
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let peer = Self {
            port: listener.local_addr()?.port(),
            log: Arc::default(),
            stop: Stop::new(),
        };
        let (log, stop, settings) = (peer.log.clone(), peer.stop.clone(), Arc::new(settings));
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((stream, _)) = stream else { continue };
                let (session, stop) = (
                    Session::new(stream, settings.clone(), log.clone()),
                    stop.clone(),
                );
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        // A client that goes away is no news here.
                        _ = session.talk() => {}
                    }
                });
            }
        });
        Ok(peer)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many letters were taken.
    pub fn count(&self) -> u64 {
        self.log.lock().count
    }

    /// The last letters taken, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.log.lock().last.iter().cloned().collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    settings: Arc<Settings>,
    log: Arc<Mutex<Log>>,
    sender: Option<String>,
    recipient: Option<(String, Manner)>,
    wishes: Vec<String>,
    closing: bool,
}

impl Session {
    fn new(stream: TcpStream, settings: Arc<Settings>, log: Arc<Mutex<Log>>) -> Self {
        Self {
            stream: BufReader::new(stream),
            settings,
            log,
            sender: None,
            recipient: None,
            wishes: Vec::new(),
            closing: false,
        }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream
            .write_all(format!("{line}\r\n").as_bytes())
            .await?;
        self.stream.flush().await
    }

    /// The next line without its end; `None` at the end of the session.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    async fn talk(mut self) -> io::Result<()> {
        self.say("220 peer.example.org ESMTP").await?;
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let answer = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.offers(),
                "HELO" => "250 peer.example.org",
                "AUTH" if self.settings.refuse_login => "535 5.7.8 authentication failed",
                "AUTH" => "235 2.7.0 welcome",
                "MAIL" | "RCPT" if !self.may_wish(rest) => "555 5.5.4 not offered here",
                "MAIL" => {
                    self.sender = Some(path(rest));
                    "250 2.1.0 ok"
                }
                "RCPT" if self.sender.is_none() => "503 5.5.1 MAIL first",
                "RCPT" => match self.recipient(&path(rest)) {
                    Some(answer) => answer,
                    None => return Ok(()),
                },
                "DATA" if self.recipient.is_none() => "503 5.5.1 RCPT first",
                "DATA" => match self.data().await? {
                    Some(answer) => answer,
                    None => return Ok(()),
                },
                "RSET" => {
                    (self.sender, self.recipient) = (None, None);
                    self.wishes.clear();
                    "250 2.0.0 ok"
                }
                "NOOP" => "250 2.0.0 ok",
                "QUIT" => return self.say("221 2.0.0 bye").await,
                _ => "500 5.5.2 not known here",
            };
            self.say(answer).await?;
            if self.closing {
                return Ok(());
            }
        }
        Ok(())
    }

    fn offers(&self) -> &'static str {
        if self.settings.notifies {
            "250-peer.example.org\r\n250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 8BITMIME"
        } else {
            "250-peer.example.org\r\n250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME"
        }
    }

    /// Notes what follows the path. As real servers do, it refuses what it has not offered.
    fn may_wish(&mut self, rest: &str) -> bool {
        let wishes = rest.split_once('>').map_or("", |(_, wishes)| wishes).trim();
        let told = !wishes.is_empty();
        if told {
            self.wishes.push(wishes.to_owned());
        }
        !told || self.settings.notifies
    }

    /// The answer to a recipient; `None` to hang up. Refusals name the address, as real servers do.
    fn recipient(&mut self, recipient: &str) -> Option<&'static str> {
        let manner = (self.settings.script)(recipient);
        match manner {
            Manner::HangUp => None,
            Manner::RefuseAddress => Some("550 5.1.1 no such mailbox"),
            Manner::Throttle => Some("451 4.7.1 rate limit exceeded, slow down"),
            Manner::Accept
            | Manner::AcceptAndClose
            | Manner::RefuseContent
            | Manner::Stall
            | Manner::HangUpAfterWrite => {
                self.recipient = Some((recipient.to_owned(), manner));
                Some("250 2.1.5 ok")
            }
        }
    }

    /// Reads the letter; `None` to hang up.
    async fn data(&mut self) -> io::Result<Option<&'static str>> {
        self.say("354 go ahead").await?;
        let mut text = String::new();
        loop {
            match self.line().await?.as_deref() {
                None => return Ok(None),
                Some(".") => break,
                Some(line) => {
                    text.push_str(line.strip_prefix('.').unwrap_or(line));
                    text.push_str("\r\n");
                }
            }
        }
        let Some((recipient, manner)) = self.recipient.take() else {
            return Ok(None);
        };
        let sender = self.sender.take().unwrap_or_default();
        let wishes = std::mem::take(&mut self.wishes).join(" ");
        match manner {
            Manner::RefuseContent => return Ok(Some("554 5.7.1 the content is refused")),
            Manner::Stall => std::future::pending().await,
            Manner::HangUpAfterWrite => return Ok(None),
            Manner::Accept
            | Manner::AcceptAndClose
            | Manner::HangUp
            | Manner::RefuseAddress
            | Manner::Throttle => {}
        }
        self.closing = manner == Manner::AcceptAndClose;
        let mut log = self.log.lock();
        log.count += 1;
        if log.last.len() >= self.settings.keep {
            log.last.pop_front();
        }
        log.last.push_back(Received {
            sender,
            recipient,
            wishes,
            text,
        });
        Ok(Some("250 2.0.0 taken"))
    }
}

/// What stands between `<` and `>`.
fn path(rest: &str) -> String {
    let inside = rest
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(path, _)| path.to_owned())
}
