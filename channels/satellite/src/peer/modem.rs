//! A modem on a TCP port, or on any stream. It must not be mistaken for a real one: nothing leaves this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channel::testing::Behaviour;
use channel::{Clock, Stop, SystemClock};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use super::handset::{Handset, Says};
use crate::pdu::Deliver;

/// How status reports reach the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reports {
    /// As the host asked by `+CNMI`.
    AsAsked,
    Direct,
    Stored,
    Never,
}

pub struct ModemPeer {
    address: SocketAddr,
    handset: Arc<Mutex<Handset>>,
    news: broadcast::Sender<Vec<String>>,
    stop: Stop,
}

/// A report follows its text after this long.
const SOON: Duration = Duration::from_millis(30);

impl ModemPeer {
    pub async fn start(handset: Handset) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let peer = Self {
            address: listener.local_addr()?,
            handset: Arc::new(Mutex::new(handset)),
            news: broadcast::channel(64).0,
            stop: Stop::new(),
        };
        let (handset, news, stop) = (peer.handset.clone(), peer.news.clone(), peer.stop.clone());
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((stream, _)) = accepted else { return };
                if handset.lock().behaviour != Behaviour::HangUp {
                    tokio::spawn(serve(stream, handset.clone(), news.clone(), stop.clone()));
                }
            }
        });
        Ok(peer)
    }

    /// Serves one more host on a stream of its own: the other end of a pair of terminals.
    pub fn attach(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let (handset, news, stop) = (self.handset.clone(), self.news.clone(), self.stop.clone());
        tokio::spawn(serve(stream, handset, news, stop));
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn handset<T>(&self, with: impl FnOnce(&mut Handset) -> T) -> T {
        with(&mut self.handset.lock())
    }

    /// A phone writes to the modem's number.
    pub fn write_in(&self, text: &Deliver) {
        let lines = self.handset.lock().bring_text(text);
        // Where no host listens it lies in the storage.
        let _ = self.news.send(lines);
    }

    /// A phone writes, and the modem is to hand it on without storing it.
    pub fn write_in_directly(&self, text: &Deliver) {
        let lines = self.handset.lock().bring_text_itself(text);
        let _ = self.news.send(lines);
    }

    /// It says something that nobody asked for.
    pub fn say(&self, line: &str) {
        let _ = self.news.send(vec![line.to_owned()]);
    }
}

impl Drop for ModemPeer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

const ESCAPE: u8 = 0x1B;
const SUBMIT: u8 = 0x1A;

struct Host<S> {
    stream: S,
    handset: Arc<Mutex<Handset>>,
    news: broadcast::Sender<Vec<String>>,
    typed: Vec<u8>,
    /// After the prompt.
    in_text: bool,
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    handset: Arc<Mutex<Handset>>,
    news: broadcast::Sender<Vec<String>>,
    stop: Stop,
) {
    let mut heard = news.subscribe();
    let mut host = Host {
        stream,
        handset,
        news,
        typed: Vec::new(),
        in_text: false,
    };
    let mut read = [0; 512];
    loop {
        let alive = tokio::select! {
            () = stop.cancelled() => return,
            lines = heard.recv() => match lines {
                Ok(lines) => host.tell(&lines).await,
                Err(_) => return,
            },
            count = host.stream.read(&mut read) => match count {
                Ok(0) | Err(_) => return,
                Ok(count) => host.hear(&read[..count]).await,
            },
        };
        if alive.is_err() {
            return;
        }
    }
}

/// The host is gone, or is to be.
struct Gone;

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Host<S> {
    async fn put(&mut self, text: &str) -> Result<(), Gone> {
        let written = self.stream.write_all(text.as_bytes()).await;
        written.map_err(|_| Gone)?;
        self.stream.flush().await.map_err(|_| Gone)
    }

    async fn tell(&mut self, lines: &[String]) -> Result<(), Gone> {
        let text: String = match lines {
            // Figures and message go together, with one line's end between.
            [figures, message] if message.len() > 20 => format!("\r\n{figures}\r\n{message}\r\n"),
            lines => framed(lines),
        };
        self.put(&text).await
    }

    async fn hear(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        for byte in bytes {
            match (byte, self.in_text) {
                (&ESCAPE, true) => {
                    self.in_text = false;
                    self.typed.clear();
                    self.put("\r\nOK\r\n").await?;
                }
                (&ESCAPE, false) => self.typed.clear(),
                (&SUBMIT, true) => {
                    self.in_text = false;
                    let line = std::mem::take(&mut self.typed);
                    self.text(&String::from_utf8_lossy(&line)).await?;
                }
                (b'\r', false) => {
                    let line = std::mem::take(&mut self.typed);
                    self.command(&String::from_utf8_lossy(&line)).await?;
                }
                (b'\n', false) => {}
                (other, _) => self.typed.push(*other),
            }
        }
        Ok(())
    }

    async fn command(&mut self, line: &str) -> Result<(), Gone> {
        if self.handset.lock().echoes() {
            self.put(&format!("{line}\r")).await?;
        }
        let trimmed = line.trim();
        let Some(command) = trimmed
            .get(2..)
            .filter(|_| trimmed.to_ascii_uppercase().starts_with("AT"))
        else {
            return Ok(());
        };
        let says = self.handset.lock().command(command);
        self.answer(says).await
    }

    async fn answer(&mut self, says: Says) -> Result<(), Gone> {
        match says {
            Says::Lines(lines) => self.put(&framed(&lines)).await,
            Says::Prompt => {
                self.in_text = true;
                self.put("\r\n> ").await
            }
            Says::Nothing => Ok(()),
            Says::HangUp => Err(Gone),
        }
    }

    async fn text(&mut self, line: &str) -> Result<(), Gone> {
        let (says, report) = self.handset.lock().text(line, SystemClock::default().now());
        self.answer(says).await?;
        if let Some(report) = report {
            let (handset, news) = (self.handset.clone(), self.news.clone());
            tokio::spawn(async move {
                tokio::time::sleep(SOON).await;
                let lines = handset.lock().bring_report(&report);
                let _ = news.send(lines);
            });
        }
        Ok(())
    }
}

/// Each line with what stands before and behind it.
fn framed(lines: &[String]) -> String {
    let framed = lines.iter().flat_map(|line| ["\r\n", line, "\r\n"]);
    framed.collect()
}
