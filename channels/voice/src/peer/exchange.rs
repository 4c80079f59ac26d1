//! The far end of a trunk. It answers each call as its script says, and keeps what was heard. It must not be reachable
//! from another machine.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use channel::Stop;
use parking_lot::Mutex;
use tokio::net::UdpSocket;

use super::handset::{Handset, Manner, Taken};
use super::words::Words;
use crate::sdp;

type Script = dyn Fn(&str) -> Manner + Send + Sync;

pub struct Settings {
    /// Where it listens; 0: any.
    pub port: u16,
    /// By the number that is called.
    pub script: Arc<Script>,
    pub refuse_login: bool,
    /// It answers nothing at all.
    pub silent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            script: Arc::new(|_| Manner::Listen),
            refuse_login: false,
            silent: false,
        }
    }
}

/// A call under way at the exchange.
struct Open {
    manner: Manner,
    invite: Words,
    tag: String,
    /// What it last answered, for a request that comes again.
    last: String,
    place: usize,
    over: Stop,
}

struct Inner {
    socket: UdpSocket,
    here: SocketAddr,
    settings: Settings,
    open: Mutex<HashMap<String, Open>>,
    taken: Mutex<Vec<Taken>>,
    stop: Stop,
}

/// A running exchange; it stops when this is dropped.
pub struct Exchange(Arc<Inner>);

impl Exchange {
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", settings.port)).await?;
        let inner = Arc::new(Inner {
            here: socket.local_addr()?,
            socket,
            settings,
            open: Mutex::default(),
            taken: Mutex::default(),
            stop: Stop::new(),
        });
        let serving = inner.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 8_192];
            loop {
                tokio::select! {
                    () = serving.stop.cancelled() => return,
                    Ok((length, from)) = serving.socket.recv_from(&mut buffer) => {
                        if !serving.settings.silent {
                            serving.hear(Words::read(&buffer[..length]), from).await;
                        }
                    }
                }
            }
        });
        Ok(Self(inner))
    }

    pub fn port(&self) -> u16 {
        self.0.here.port()
    }

    /// What was picked up, in its order.
    pub fn taken(&self) -> Vec<Taken> {
        self.0.taken.lock().clone()
    }

    /// How many calls are not over.
    pub fn open(&self) -> usize {
        self.0.open.lock().len()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.stop.cancel();
    }
}

impl Inner {
    async fn say(&self, text: &str, to: SocketAddr) {
        // Who has gone hears nothing.
        let _ = self.socket.send_to(text.as_bytes(), to).await;
    }

    async fn hear(self: &Arc<Self>, words: Words, from: SocketAddr) {
        let id = words.header("call-id").to_owned();
        match words.method() {
            "OPTIONS" => {
                self.say(&words.answer("200 OK", "peer", "", ""), from)
                    .await;
            }
            "REGISTER" => {
                let status = if self.settings.refuse_login {
                    "403 Forbidden"
                } else {
                    "200 OK"
                };
                let contact = format!("Contact: {};expires=60\r\n", words.header("contact"));
                self.say(&words.answer(status, "peer", &contact, ""), from)
                    .await;
            }
            "INVITE" => self.invited(words, id, from).await,
            "CANCEL" => self.cancelled(&words, &id, from).await,
            "BYE" => {
                if let Some(open) = self.open.lock().remove(&id) {
                    open.over.cancel();
                }
                self.say(&words.answer("200 OK", "peer", "", ""), from)
                    .await;
            }
            // ACK, and answers to our goodbye.
            _ => {}
        }
    }

    async fn invited(self: &Arc<Self>, invite: Words, id: String, from: SocketAddr) {
        let again = self.open.lock().get(&id).map(|open| open.last.clone());
        if let Some(last) = again {
            self.say(&last, from).await;
            return;
        }
        let number = invite.number().to_owned();
        let manner = (self.settings.script)(&number);
        let tag = format!("peer{:x}", fastrand::u32(..));
        if manner == Manner::Stall {
            return;
        }
        self.say(&invite.answer("100 Trying", "", "", ""), from)
            .await;
        if let Manner::Refuse(status, more) = manner {
            self.say(&invite.answer(status, &tag, more, ""), from).await;
            return;
        }
        let ringing = invite.answer("180 Ringing", &tag, "", "");
        self.say(&ringing, from).await;
        let open = Open {
            manner,
            invite: invite.clone(),
            tag: tag.clone(),
            last: ringing,
            place: 0,
            over: self.stop.child_token(),
        };
        self.open.lock().insert(id.clone(), open);
        if !matches!(manner, Manner::NoAnswer | Manner::Vanish) {
            self.pick_up(&id, &number, from).await;
        }
    }

    async fn pick_up(self: &Arc<Self>, id: &str, number: &str, from: SocketAddr) {
        let Ok(socket) = UdpSocket::bind("127.0.0.1:0").await else {
            return;
        };
        let Ok(here) = socket.local_addr() else {
            return;
        };
        let answered = {
            let mut all = self.open.lock();
            let Some(open) = all.get_mut(id) else { return };
            let Some(media) = sdp::read(open.invite.body().as_bytes()) else {
                return;
            };
            let mut taken = self.taken.lock();
            open.place = taken.len();
            taken.push(Taken {
                number: number.to_owned(),
                codec: Some(media.codec),
                ..Taken::default()
            });
            let contact = format!("Contact: <sip:peer@{}>\r\n", self.here);
            let body = sdp::described(here, 1, &[media.codec]);
            open.last = open.invite.answer("200 OK", &open.tag, &contact, &body);
            let handset = Handset {
                socket,
                media,
                manner: open.manner,
            };
            (open.last.clone(), handset, open.place, open.over.clone())
        };
        let (last, handset, place, over) = answered;
        self.say(&last, from).await;
        let (inner, id) = (self.clone(), id.to_owned());
        tokio::spawn(async move {
            let living = handset.live(|sound| {
                if let Some(taken) = inner.taken.lock().get_mut(place) {
                    taken.hear(sound);
                }
            });
            tokio::select! {
                () = over.cancelled() => return,
                () = living => {}
            }
            let open = inner.open.lock().remove(&id);
            if let Some(open) = open {
                let goodbye = open.invite.goodbye(&inner.here.to_string(), &open.tag);
                inner.say(&goodbye, from).await;
            }
        });
    }

    async fn cancelled(&self, words: &Words, id: &str, from: SocketAddr) {
        let answer = {
            let mut all = self.open.lock();
            match all.get(id) {
                Some(open) if open.manner == Manner::Vanish => return,
                Some(_) => all.remove(id),
                None => None,
            }
        };
        self.say(&words.answer("200 OK", "peer", "", ""), from)
            .await;
        if let Some(open) = answer {
            let ended = open
                .invite
                .answer("487 Request Terminated", &open.tag, "", "");
            self.say(&ended, from).await;
        }
    }
}
