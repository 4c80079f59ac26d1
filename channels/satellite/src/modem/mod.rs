//! The channel: each message becomes the parts of one text and waits for its turn at the modem. This module must not know
//! how a modem is spoken to.

mod incoming;
mod link;
mod open;
mod parts;
pub mod quirks;
mod radio;
mod sent;
mod session;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, DeviceState, EndpointKind, Evidence, Failure,
    FailureClass, Health, MISSHAPEN, Message, Stop, Style, Variant,
};
use sms::Validity;
use sms::text::{Coding, prepared};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::config::{ConfigError, ModemConfig};
use crate::pdu::{self, Alphabet, Number, Submit, Until, UserData, time};
use crate::rdss::Form;
use crate::standing::Seen;
use session::{Desk, Job, Turn, link_down};

pub use crate::at::answer::Registration;
pub use radio::Radio;

/// A modem that takes short messages.
pub struct Modem {
    desk: Desk,
    centre: Option<Number>,
    jobs: mpsc::Sender<Job>,
    /// Of whoever runs.
    turns: Mutex<mpsc::Receiver<Job>>,
}

/// Jobs that wait for the modem. More wait in the lane.
const WAITING: usize = 4;

impl Modem {
    pub fn new(config: ModemConfig, context: Context) -> Result<Self, ConfigError> {
        config.check()?;
        let (jobs, turns) = mpsc::channel(WAITING);
        Ok(Self {
            centre: config.centre.as_deref().and_then(Number::parse),
            desk: Desk::new(config, context),
            jobs,
            turns: Mutex::new(turns),
        })
    }

    /// What the modem said of its network last; nothing while it is down.
    pub fn radio(&self) -> Option<Radio> {
        self.desk.radio()
    }

    /// How many messages the modem brought that could not be read.
    pub fn unreadable(&self) -> u64 {
        self.desk.unreadable()
    }

    /// What is known of a phone since the channel was made.
    pub fn seen(&self, number: &str) -> Option<Seen> {
        self.desk.standing.lock().of(number)
    }

    const fn coding(&self) -> Coding {
        let config = &self.desk.config;
        Coding {
            gsm7: config.gsm7,
            ascii: false,
            wide: matches!(config.part_reference, sms::Reference::Sixteen),
            signature: config.signature,
        }
    }

    fn until(&self, message: &Message) -> Until {
        match self.desk.config.validity {
            Validity::None => Until::Open,
            Validity::Relative => {
                let left = message.expires.since(self.desk.context.clock.now());
                Until::Span(time::span(left))
            }
            Validity::Absolute => Until::Moment(message.expires, BEIJING),
        }
    }

    /// The lines that the modem is given for a message.
    fn parts(&self, message: &Message, to: &Number) -> Result<Vec<(String, usize)>, Failure> {
        let config = &self.desk.config;
        let encoded = prepared(&message.variant, self.coding());
        if encoded.segments() > u32::from(config.max_segments) {
            return Err(Failure::new(
                FailureClass::BadContent,
                "modem:too-long",
                format!(
                    "the text takes {} parts, more than `max_segments` allows",
                    encoded.segments()
                ),
            ));
        }
        let reports = config.reports && self.desk.quirks.reports;
        // A repeat bears the number of what it repeats, so that a phone may put either's parts together.
        let [.., high, low] = message.key.delivery.to_be_bytes();
        let reference = u16::from_be_bytes([high, low]);
        let part = |(number, data): (u8, &Vec<u8>)| {
            let submit = Submit {
                to: to.clone(),
                until: self.until(message),
                report: reports,
                flash: config.flash.contains(&message.variant.level),
                user: UserData {
                    alphabet: match encoded.alphabet {
                        sms::text::Alphabet::Gsm7 => Alphabet::Gsm7,
                        sms::text::Alphabet::Ascii | sms::text::Alphabet::Ucs2 => Alphabet::Ucs2,
                    },
                    header: encoded.header(reference, number).bytes().to_vec(),
                    data: data.clone(),
                },
            };
            pdu::line(self.centre.as_ref(), &submit.write())
        };
        Ok((1..).zip(&encoded.parts).map(part).collect())
    }

    /// How long a job may wait for its turn: for the port, and for those before it.
    fn patience(&self) -> Duration {
        let config = &self.desk.config;
        let one = config.send_timeout + config.pause + config.timeout;
        let parts = u32::from(config.max_segments);
        let before = u32::try_from(WAITING).unwrap_or(1);
        config.timeout * 4 + config.again + one * parts * before
    }
}

/// The zone that moments are written in: eight hours in quarters.
const BEIJING: u8 = 32;

#[async_trait]
impl Channel for Modem {
    fn capability(&self) -> Capability {
        let reports = self.desk.config.reports && self.desk.quirks.reports;
        Capability {
            kind: "satellite",
            speaks_to: EndpointKind::Satellite,
            style: Style::Short,
            best: if reports {
                Evidence::Delivered
            } else {
                Evidence::Accepted
            },
            batch: WAITING,
            window: 1,
            repeat_is_harmless: false,
        }
    }

    fn cost(&self, variant: &Variant) -> u32 {
        prepared(variant, self.coding()).segments()
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let address = message.address.expose();
        let number = Number::parse(address).filter(|_| !Form::is_card(address));
        let to = number.ok_or_else(|| {
            Failure::new(
                FailureClass::BadAddress,
                MISSHAPEN,
                "the address is no telephone number; a Beidou card is none",
            )
        })?;
        let parts = self.parts(message, &to)?;
        let (reply, replied) = oneshot::channel();
        let turn = Arc::new(Turn::default());
        let job = Job {
            to,
            parts,
            turn: turn.clone(),
            reply,
        };
        let stopped = || {
            if turn.leave() {
                return link_down("modem:stopped", "the channel does not run");
            }
            let words = "the channel was stopped while the modem had the text";
            Failure::new(FailureClass::InDoubt, "modem:stopped", words)
        };
        let left = async {
            self.jobs.send(job).await.map_err(|_| stopped())?;
            replied.await.map_err(|_| stopped())
        };
        tokio::pin!(left);
        if let Ok(outcome) = tokio::time::timeout(self.patience(), &mut left).await {
            return outcome?;
        }
        if turn.leave() {
            return Err(link_down("modem:busy", "the modem was not free in time"));
        }
        // It has begun, and each of its steps is bounded in time.
        left.await?
    }

    async fn run(&self, stop: Stop) {
        let mut turns = self.turns.lock().await;
        self.desk.run(&mut turns, &stop).await;
    }

    fn device(&self, device: &str) -> Option<DeviceState> {
        self.seen(device).map(Seen::state)
    }

    fn health(&self) -> Health {
        self.desk.health()
    }
}
