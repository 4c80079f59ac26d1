//! A broker that does not exist, with one device behind it, which misbehave as they are told. For the contract's suite
//! alone: the protocol is proved against a broker that we did not write. It must not be part of the gateway.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use channel::testing::Behaviour;
use channel::{Clock, Stop};
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectReturnCode, Packet, PubAck, PubAckReason, Publish, SubAck, SubscribeReasonCode,
};
use rumqttc::v5::mqttbytes::{Error, QoS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::envelope::Envelope;
use super::topics::{Topics, What};
use crate::call::{Call, DeviceKey};
use crate::order::{Orders, Verifier, Window};
use crate::report::{PlayState, Report, Source};

/// The one device.
pub struct Device {
    pub id: String,
    pub key: DeviceKey,
    /// The gateway's, in hex.
    pub public_keys: String,
}

/// Ends when it is dropped.
pub struct Peer(Stop);

impl Drop for Peer {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

struct Broker {
    behaviour: Behaviour,
    device: Device,
    topics: Topics,
    clock: Arc<dyn Clock>,
}

impl Peer {
    /// # Panics
    /// When the listener is not bound.
    pub fn start(
        listener: TcpListener,
        behaviour: Behaviour,
        device: Device,
        topics: Topics,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let stop = Stop::new();
        let peer = Self(stop.clone());
        let broker = Broker {
            behaviour,
            device,
            topics,
            clock,
        };
        tokio::spawn(async move {
            let serving = async {
                while let Ok((stream, _)) = listener.accept().await {
                    // A connection that breaks is the end of that one alone.
                    let _ = broker.serve(stream).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = serving => {}
            }
        });
        peer
    }
}

impl Broker {
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        if self.behaviour == Behaviour::HangUp {
            return None;
        }
        let mut read = BytesMut::new();
        loop {
            let packet = match Packet::read(&mut read, None) {
                Ok(packet) => packet,
                Err(Error::InsufficientBytes(_)) => {
                    let more = stream.read_buf(&mut read).await.ok()?;
                    if more == 0 {
                        return None;
                    }
                    continue;
                }
                Err(_) => return None,
            };
            let mut written = BytesMut::new();
            for answer in self.meets(packet)? {
                answer.write(&mut written, None).ok()?;
            }
            stream.write_all(&written).await.ok()?;
        }
    }

    /// What is said to a packet; nothing any more when the connection is closed.
    fn meets(&self, packet: Packet) -> Option<Vec<Packet>> {
        match packet {
            Packet::Connect(..) => Some(vec![Packet::ConnAck(ConnAck {
                session_present: false,
                code: if self.behaviour == Behaviour::RefuseLogin {
                    ConnectReturnCode::NotAuthorized
                } else {
                    ConnectReturnCode::Success
                },
                properties: None,
            })]),
            Packet::Subscribe(subscribe) => {
                let granted = SubscribeReasonCode::Success(QoS::AtLeastOnce);
                let return_codes = vec![granted; subscribe.filters.len()];
                Some(vec![Packet::SubAck(SubAck {
                    pkid: subscribe.pkid,
                    return_codes,
                    properties: None,
                })])
            }
            Packet::PingReq(_) => {
                Some(vec![Packet::PingResp(rumqttc::v5::mqttbytes::v5::PingResp)])
            }
            Packet::Publish(publish) => self.published(&publish),
            Packet::Disconnect(_) => None,
            _ => Some(Vec::new()),
        }
    }

    fn published(&self, publish: &Publish) -> Option<Vec<Packet>> {
        let topic = std::str::from_utf8(&publish.topic).ok()?;
        let ack = |reason| {
            let mut ack = PubAck::new(publish.pkid, None);
            ack.reason = reason;
            Packet::PubAck(ack)
        };
        if topic != self.topics.of(What::Orders, &self.device.id) {
            return Some(vec![ack(PubAckReason::Success)]);
        }
        let reason = match self.behaviour {
            Behaviour::Throttle => PubAckReason::QuotaExceeded,
            Behaviour::RefuseAddress => PubAckReason::NotAuthorized,
            Behaviour::RefuseContent => PubAckReason::PayloadFormatInvalid,
            Behaviour::Stall => return Some(Vec::new()),
            Behaviour::HangUpAfterWrite => return None,
            _ => return Some(self.played(&publish.payload, ack(PubAckReason::Success))),
        };
        Some(vec![ack(reason)])
    }

    /// The device takes the order and, where it confirms, has played it.
    fn played(&self, payload: &[u8], ack: Packet) -> Vec<Packet> {
        let mut packets = vec![ack];
        let Device {
            id, public_keys, ..
        } = &self.device;
        let verifier = Verifier::new(id, public_keys).expect("the gateway's keys");
        let orders: Orders = serde_json::from_slice(payload).unwrap_or_default();
        let mut window = Window::default();
        for signed in orders.orders {
            let Ok(order) = verifier.verify(&signed, &window, self.clock.now()) else {
                continue;
            };
            window.take(order.counter);
            let body = serde_json::json!({ "after": window.floor(), "took": window.took() });
            packets.push(self.call("took", body.to_string(), 1));
            if self.behaviour == Behaviour::Confirm {
                let report = Report {
                    order: Some(order.order),
                    state: PlayState::Played,
                    whole: true,
                    source: Source::Network,
                    seconds: 3,
                    code: String::new(),
                    at: None,
                };
                let body = serde_json::to_string(&report).expect("it is texts and numbers");
                packets.push(self.call("reports", body, 2));
            }
        }
        packets
    }

    fn call(&self, path: &str, body: String, pkid: u16) -> Packet {
        let call = Call {
            path,
            device: &self.device.id,
            time: self.clock.now().plus(Duration::from_millis(pkid.into())),
            body: body.as_bytes(),
        };
        let authorization = self.device.key.authorization(&call);
        let envelope = Envelope {
            call: path.to_owned(),
            body,
            authorization,
        };
        let payload = serde_json::to_vec(&envelope).expect("it is texts");
        let topic = self.topics.of(What::Calls, &self.device.id);
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload, None);
        publish.pkid = pkid;
        Packet::Publish(publish)
    }
}
