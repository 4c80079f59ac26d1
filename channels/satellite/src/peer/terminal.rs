//! A terminal on a TCP port, with a card, a satellite and a village behind it. It must not be mistaken for a real one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channel::Stop;
use channel::testing::Behaviour;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

use crate::compact::{Body, Compact, Key};
use crate::rdss::Version;
use crate::rdss::sentence::{Sentences, frame};

/// What a terminal is to be.
#[derive(Clone)]
pub struct Scene {
    pub behaviour: Behaviour,
    pub version: Version,
    /// Seconds that its card rests.
    pub interval: u32,
    /// With which its villages prove what they send back.
    pub key: String,
    /// What they send back.
    pub status: u8,
}

/// To whom, and the bytes.
type Taken = Mutex<Vec<(String, Vec<u8>)>>;

pub struct TerminalPeer {
    address: SocketAddr,
    taken: Arc<Taken>,
    news: broadcast::Sender<Vec<u8>>,
    stop: Stop,
}

impl TerminalPeer {
    pub async fn start(scene: Scene) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let peer = Self {
            address: listener.local_addr()?,
            taken: Arc::default(),
            news: broadcast::channel(64).0,
            stop: Stop::new(),
        };
        let (taken, news, stop) = (peer.taken.clone(), peer.news.clone(), peer.stop.clone());
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((stream, _)) = accepted else { return };
                if scene.behaviour == Behaviour::HangUp {
                    continue;
                }
                let terminal = Terminal {
                    scene: scene.clone(),
                    taken: taken.clone(),
                    stream,
                };
                tokio::spawn(terminal.serve(news.subscribe(), stop.clone()));
            }
        });
        Ok(peer)
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// To whom, and the bytes.
    pub fn taken(&self) -> Vec<(String, Vec<u8>)> {
        self.taken.lock().clone()
    }

    /// The terminal says a sentence of its own; checksum and ends are put around it.
    pub fn say(&self, body: &[u8]) {
        // Where no host listens it is lost, as on the air.
        let _ = self.news.send(frame(body));
    }
}

impl Drop for TerminalPeer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Terminal {
    scene: Scene,
    taken: Arc<Taken>,
    stream: TcpStream,
}

/// A village answers after this long.
const SOON: Duration = Duration::from_millis(30);

impl Terminal {
    async fn serve(mut self, mut news: broadcast::Receiver<Vec<u8>>, stop: Stop) {
        let mut sentences = Sentences::default();
        let mut read = [0; 512];
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                said = news.recv() => {
                    let Ok(said) = said else { return };
                    if self.stream.write_all(&said).await.is_err() {
                        return;
                    }
                }
                count = self.stream.read(&mut read) => {
                    let Ok(count @ 1..) = count else { return };
                    sentences.push(&read[..count]);
                    while let Some(sentence) = sentences.take() {
                        let Ok(body) = sentence else { continue };
                        if !self.told(&String::from_utf8_lossy(&body)).await {
                            return;
                        }
                    }
                }
            }
        }
    }

    async fn say(&mut self, body: &str) -> bool {
        self.stream.write_all(&frame(body.as_bytes())).await.is_ok()
    }

    /// Whether it stays on the line.
    async fn told(&mut self, body: &str) -> bool {
        let fields: Vec<&str> = body.split(',').collect();
        let card = if self.scene.behaviour == Behaviour::RefuseLogin {
            "0000000"
        } else {
            "0242286"
        };
        let interval = self.scene.interval;
        match fields[..] {
            ["CCICA", ..] => {
                self.say(&format!("BDICI,{card},00242286,0000011,6,{interval},3,N,0"))
                    .await
            }
            ["CCICR", ..] => self.say(&format!("BDICP,{card},{interval}")).await,
            ["CCTXA", to, _, kind, data] => self.sent(to, data, kind == "2", "TXA").await,
            ["CCTCQ", to, _, _, _, data, "0"] => self.sent(to, data, false, "TCQ").await,
            _ => true,
        }
    }

    async fn sent(&mut self, to: &str, data: &str, marked: bool, command: &str) -> bool {
        let data = hex::decode(data).unwrap_or_default();
        let data = data.get(usize::from(marked)..).unwrap_or_default().to_vec();
        let (sent, left) = match self.scene.behaviour {
            Behaviour::Stall => return true,
            Behaviour::HangUpAfterWrite => return false,
            Behaviour::Throttle => (false, 37),
            _ => (true, 0),
        };
        if sent {
            self.taken.lock().push((to.to_owned(), data.clone()));
        }
        let answer = if sent { "Y" } else { "N" };
        let feedback = match self.scene.version {
            Version::Two => format!("BDFKI,{command},{answer},Y,0,{left:04}"),
            Version::Three => {
                let reason = u8::from(!sent);
                format!("BDFKI,002005,{command},{answer},{reason},{left}")
            }
        };
        let said = self.say(&feedback).await;
        if self.scene.behaviour == Behaviour::Confirm {
            self.confirm(to, &data).await;
        }
        said
    }

    /// The village has read it.
    async fn confirm(&mut self, from: &str, data: &[u8]) {
        let Ok(Compact { body, drill }) = Compact::read(data) else {
            return;
        };
        let number = match body {
            Body::Alert(alert) => alert.number,
            Body::Test { number, .. } => number,
            Body::Status { .. } => return,
        };
        let body = Body::Status {
            number,
            code: self.scene.status,
            area: None,
        };
        let key = Key::new(&self.scene.key);
        let Ok(status) = (Compact { drill, body }).write(&key, 78) else {
            return;
        };
        tokio::time::sleep(SOON).await;
        let status = hex::encode_upper(status);
        match self.scene.version {
            Version::Two => self.say(&format!("BDTXR,1,{from},1,0020,{status}")).await,
            Version::Three => {
                self.say(&format!("BDTCI,{from},0242286,2,002005,2,{status},0"))
                    .await
            }
        };
    }
}
