//! The channel: each message is a call, and a call's ending is judged. This module must not speak a protocol.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, Evidence, Failure, FailureClass, Health, Lines,
    Message, Of, Receipt, Reply, Request, Stop, Style, Verdict,
};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::config::{Config, ConfigError};
use crate::number;
use crate::phone::{Down, Event, Phone, Sounds};
use crate::provider::Provider;
use crate::speech::Studio;
use crate::verdict::{Ending, Rules, judged};

enum Way {
    Trunk(Phone),
    Provider(Box<Provider>),
}

pub struct Voice {
    config: Config,
    rules: Rules,
    studio: Arc<Studio>,
    context: Context,
    way: Way,
}

/// How often, and how long between, a receipt is offered to a journal that takes nothing.
const OFFERS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(500);

impl Voice {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        config.check()?;
        let studio = Arc::new(Studio::new(config.speech.clone())?);
        let rules = config.rules();
        let way = match (&config.trunk, &config.provider) {
            (Some(trunk), None) => Way::Trunk(Phone::new(trunk.clone(), config.lines)),
            (None, Some(provider)) => {
                let (provider, context) = (provider.clone(), context.clone());
                Way::Provider(Box::new(Provider::new(
                    provider,
                    rules,
                    studio.clone(),
                    context,
                )))
            }
            _ => return Err(ConfigError::Which),
        };
        Ok(Self {
            config,
            rules,
            studio,
            context,
            way,
        })
    }

    async fn call(&self, phone: &Phone, message: &Message) -> Result<Accepted, Failure> {
        let prefix = &phone.trunk().dial_prefix;
        let number = number::dialled(prefix, message.address.expose());
        let number = number.ok_or_else(|| {
            Failure::new(
                FailureClass::BadAddress,
                "voice:no-number",
                "the address is no telephone number",
            )
        })?;
        let sounds = self.sounds(message).await?;
        // It does not ring for a warning that is over.
        let left = message.expires.since(self.context.clock.now());
        let ring = phone.trunk().ring.min(left).max(Duration::from_secs(1));
        let id = format!("{}-{:016x}@tocsin", message.key, fastrand::u64(..));
        let placed = phone.call(number, id.clone(), sounds, ring).await;
        let events = placed
            .map_err(|Down(why)| Failure::new(FailureClass::LinkDown, "voice:trunk-down", why))?;
        let ending = self.follow(message, events).await?;
        let (evidence, code) = judged(ending, &self.rules)?;
        self.tell(message, Verdict::Reached(evidence), code).await?;
        Ok(Accepted {
            references: vec![id],
        })
    }

    async fn sounds(&self, message: &Message) -> Result<Sounds, Failure> {
        let speech = &self.config.speech;
        Ok(Sounds::new([
            self.studio.message(&message.variant).await?,
            self.studio.sentence(&speech.keys).await?,
            self.studio.sentence(&speech.received).await?,
            self.studio.sentence(&speech.done).await?,
        ]))
    }

    /// Tells of the call while it lasts.
    async fn follow(
        &self,
        message: &Message,
        mut events: UnboundedReceiver<Event>,
    ) -> Result<Ending, Failure> {
        while let Some(event) = events.recv().await {
            let code = match event {
                Event::Ended(ending) => return Ok(ending),
                Event::Ringing => "ringing",
                Event::Answered => "answered",
            };
            let receipt = self.receipt(message, Verdict::Progress, code.to_owned());
            // Word on the way proves nothing: it is not offered twice.
            let _ = self.context.inlet.receipts(vec![receipt]).await;
        }
        Err(Failure::new(
            FailureClass::InDoubt,
            "voice:stopped",
            "the channel was stopped during the call",
        ))
    }

    fn receipt(&self, message: &Message, verdict: Verdict, code: String) -> Receipt {
        Receipt {
            of: Of::Key(message.key),
            verdict,
            code,
            far: None,
            seen: self.context.clock.now(),
        }
    }

    /// A person's answer cannot be asked for again: it is offered until the journal has it, and is in doubt otherwise.
    async fn tell(&self, message: &Message, verdict: Verdict, code: String) -> Result<(), Failure> {
        let receipt = self.receipt(message, verdict, code);
        for _ in 0..OFFERS {
            if self
                .context
                .inlet
                .receipts(vec![receipt.clone()])
                .await
                .is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN).await;
        }
        Err(Failure::new(
            FailureClass::InDoubt,
            "voice:unkept",
            "the call was answered, and the journal took no receipt of it",
        ))
    }
}

#[async_trait]
impl Channel for Voice {
    fn capability(&self) -> Capability {
        Capability {
            kind: "voice",
            speaks_to: self.config.calls.into(),
            style: Style::Spoken,
            best: Evidence::Acknowledged,
            batch: self.config.lines,
            window: self.config.lines,
            repeat_is_harmless: false,
        }
    }

    fn lines(&self) -> Option<Lines> {
        Some(Lines {
            count: u32::try_from(self.config.lines).unwrap_or(u32::MAX),
            each: self.config.call,
            within: self.config.within,
        })
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        match &self.way {
            Way::Trunk(phone) => self.call(phone, message).await,
            Way::Provider(provider) => provider.send(message).await,
        }
    }

    async fn run(&self, stop: Stop) {
        match &self.way {
            Way::Trunk(phone) => phone.run(stop).await,
            Way::Provider(_) => stop.cancelled().await,
        }
    }

    async fn serve(&self, request: Request) -> Reply {
        match &self.way {
            Way::Trunk(_) => Reply::status(404),
            Way::Provider(provider) => provider.serve(&request).await,
        }
    }

    fn health(&self) -> Health {
        match &self.way {
            Way::Trunk(phone) => phone.health(),
            Way::Provider(provider) => provider.health(),
        }
    }
}
