//! A terminal of the older dialect that does not exist: it comes, beats, takes starts and reports what became of them. Ours as
//! the link is, so it proves the engine alone. For tests; never a part of the gateway.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, Stop, SystemClock};
use encoding_rs::GB18030;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::bytes::Id;
use super::fefd::{Old, Packet, REQUEST};
use super::frame::Frames;
use super::said::Said;

/// What it does with a start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OldManner {
    /// Plays it and reports so.
    Plays,
    /// Takes it, and nothing more is heard.
    Takes,
    /// Takes it, and reports that it failed.
    Fails,
    /// Answers with this code.
    Refuses(u8),
    Stalls,
    HangsUp,
    HangsUpAfterWrite,
}

#[derive(Default)]
struct Memory {
    /// Id, text and whether it was a stop.
    heard: Vec<(String, String, bool)>,
    /// Codes of the replies to what it said.
    replies: Vec<u8>,
}

struct Terminal {
    code: Id,
    platform: Id,
    manner: OldManner,
    memory: Mutex<Memory>,
    clock: SystemClock,
}

/// A running terminal; it stops when this is dropped.
pub struct OldPeer {
    terminal: Arc<Terminal>,
    stop: Stop,
}

impl OldPeer {
    /// Comes to `gateway` again and again.
    ///
    /// # Panics
    /// When a code is none.
    pub fn start(code: &str, platform: &str, gateway: SocketAddr, manner: OldManner) -> Self {
        let terminal = Arc::new(Terminal {
            code: code.parse().expect("a code is digits"),
            platform: platform.parse().expect("a code is digits"),
            manner,
            memory: Mutex::default(),
            clock: SystemClock::default(),
        });
        let (own, stop) = (terminal.clone(), Stop::new());
        let stopped = stop.clone();
        tokio::spawn(async move {
            let comes = async {
                loop {
                    if let Ok(socket) = TcpStream::connect(gateway).await {
                        own.talk(socket).await;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::select! {
                () = stopped.cancelled() => {}
                () = comes => {}
            }
        });
        Self { terminal, stop }
    }

    /// Every start and stop: id, text, and whether it was a stop.
    pub fn heard(&self) -> Vec<(String, String, bool)> {
        self.terminal.memory.lock().heard.clone()
    }

    /// The codes that answered what it said.
    pub fn replies(&self) -> Vec<u8> {
        self.terminal.memory.lock().replies.clone()
    }
}

impl Drop for OldPeer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Terminal {
    async fn talk(&self, mut socket: TcpStream) {
        if self.manner == OldManner::HangsUp {
            return;
        }
        let mut packets = Frames::new(Old);
        let mut buffer = vec![0; 4096];
        let mut heart = tokio::time::interval(Duration::from_millis(100));
        let mut session = 1;
        let (mut reader, mut writer) = socket.split();
        loop {
            let mut out = Vec::new();
            tokio::select! {
                _ = heart.tick() => {
                    let (state, first, physical) = (1, 2, vec![0, 1]);
                    out.push(Said::Heartbeat { state, first, physical });
                }
                read = reader.read(&mut buffer) => {
                    let Ok(length @ 1..) = read else { return };
                    packets.push(&buffer[..length]);
                    while let Some(Ok(packet)) = packets.take() {
                        let Some((reply, more)) = self.told(&packet) else { return };
                        if let Some(said) = reply {
                            let bytes = packet.reply(self.code.clone(), &said).write();
                            if writer.write_all(&bytes).await.is_err() {
                                return;
                            }
                        }
                        out.extend(more);
                    }
                }
            }
            for said in out {
                session += 1;
                let bytes = self.packet(session, &said).write();
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        }
    }

    fn packet(&self, session: u32, said: &Said) -> Packet {
        let (business, content) = said.write();
        Packet {
            session,
            kind: REQUEST,
            source: self.code.clone(),
            targets: vec![self.platform.clone()],
            business,
            content,
            seal: None,
        }
    }

    /// Its reply and what it reports behind it; nothing at all where it hangs up.
    fn told(&self, packet: &Packet) -> Option<(Option<Said>, Vec<Said>)> {
        let reply = |code| {
            let (business, text) = (packet.business, Vec::new());
            Some(Said::Reply {
                business,
                code,
                text,
            })
        };
        let mut memory = self.memory.lock();
        Some(match Said::read(packet) {
            Some(Ok(Said::Reply { code, .. })) => {
                memory.replies.push(code);
                (None, Vec::new())
            }
            Some(Ok(Said::Start { ebm, text, .. })) => {
                let text = GB18030.decode(&text).0.into_owned();
                memory.heard.push((ebm.to_string(), text, false));
                drop(memory);
                match self.manner {
                    OldManner::HangsUp | OldManner::HangsUpAfterWrite => return None,
                    OldManner::Stalls => (None, Vec::new()),
                    OldManner::Refuses(code) => (reply(code), Vec::new()),
                    OldManner::Takes => (reply(0), Vec::new()),
                    OldManner::Plays => (reply(0), self.played(&ebm, 1)),
                    OldManner::Fails => (reply(0), self.played(&ebm, 0)),
                }
            }
            Some(Ok(Said::Stop { ebm })) => {
                memory.heard.push((ebm.to_string(), String::new(), true));
                (reply(0), Vec::new())
            }
            Some(Ok(_)) => (reply(55), Vec::new()),
            Some(Err(_)) | None => (reply(13), Vec::new()),
        })
    }

    fn played(&self, ebm: &Id, result: u8) -> Vec<Said> {
        let now = u32::try_from(self.clock.now().secs()).unwrap_or(u32::MAX);
        vec![
            Said::Switch {
                into: 1,
                ebm: ebm.clone(),
                time: now,
            },
            Said::Result {
                ebm: ebm.clone(),
                result,
                text: Vec::new(),
                start: now,
                end: now + 42,
                times: 1,
                reported: now,
            },
            Said::Switch {
                into: 2,
                ebm: ebm.clone(),
                time: now,
            },
        ]
    }
}
