//! Whoever picks up at the exchange: it listens, speaks and presses keys as it is told. It must not know SIP.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::g711::{Codec, FRAME};
use crate::rtp::{self, Packet};
use crate::sdp::{EVENTS, Media};

/// What happens to a call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Manner {
    /// Picks up and listens to the end.
    Listen,
    /// Picks up and presses this key after so long.
    Press(char, Duration),
    /// Picks up and hangs up after so long.
    HangUp(Duration),
    /// Picks up and talks on.
    Machine,
    /// Answers with this status and these headers.
    Refuse(&'static str, &'static str),
    /// Rings until the caller gives up.
    NoAnswer,
    /// Reads the call and never answers.
    Stall,
    /// Rings, and falls silent for ever.
    Vanish,
}

/// What was heard in one call.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Taken {
    pub number: String,
    pub codec: Option<Codec>,
    /// The sound, one byte a sample.
    pub sound: Vec<u8>,
}

/// No call of a test is longer.
const LONGEST: usize = 60 * 8_000;

pub struct Handset {
    pub socket: UdpSocket,
    pub media: Media,
    pub manner: Manner,
}

impl Handset {
    /// Lives until its manner ends it; `heard` gets every packet's sound.
    pub async fn live(&self, mut heard: impl FnMut(&[u8])) {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let mut buffer = [0; 2_048];
        let mut frame = 0_u16;
        loop {
            tokio::select! {
                Ok((length, _)) = self.socket.recv_from(&mut buffer) => {
                    if let Some(packet) = Packet::read(&buffer[..length])
                        && Codec::of(packet.payload_type).is_some()
                    {
                        heard(packet.payload);
                    }
                }
                _ = tick.tick() => {
                    frame += 1;
                    let since = Duration::from_millis(20) * u32::from(frame);
                    match self.manner {
                        Manner::HangUp(after) if since >= after => return,
                        Manner::Press(key, after) if since >= after && since < after + KEY => {
                            self.press(frame, key, after).await;
                        }
                        _ => self.sound(frame).await,
                    }
                }
            }
        }
    }

    async fn send(&self, frame: u16, timestamp: u32, payload_type: u8, payload: &[u8]) {
        let packet = Packet {
            payload_type,
            marker: frame == 1,
            sequence: frame,
            timestamp,
            source: 0x7EAC_0FFE,
            payload,
        };
        // A handset does not care whether it is heard.
        let _ = self.socket.send_to(&packet.write(), self.to()).await;
    }

    async fn sound(&self, frame: u16) {
        let codec = self.media.codec;
        let mut payload = [codec.silence(); FRAME];
        if self.manner == Manner::Machine {
            for (n, byte) in payload.iter_mut().enumerate() {
                *byte = codec.encode(if n % 20 < 10 { 8_000 } else { -8_000 });
            }
        }
        self.send(
            frame,
            u32::from(frame) * 160,
            codec.payload_type(),
            &payload,
        )
        .await;
    }

    /// One packet of a key that is held for `KEY`; all have the timestamp of its beginning.
    async fn press(&self, frame: u16, key: char, after: Duration) {
        let begun = u32::try_from(after.as_millis()).unwrap_or(0) * 8;
        let Some(event) = rtp::event(key, false, frame) else {
            return;
        };
        self.send(frame, begun, self.media.events.unwrap_or(EVENTS), &event)
            .await;
    }

    fn to(&self) -> SocketAddr {
        self.media.to
    }
}

/// How long a key is held.
const KEY: Duration = Duration::from_millis(120);

impl Taken {
    pub(super) fn hear(&mut self, sound: &[u8]) {
        if self.sound.len() + sound.len() <= LONGEST {
            self.sound.extend_from_slice(sound);
        }
    }
}
