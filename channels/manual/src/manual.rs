//! The channel itself: a message is ready as soon as it is handed, because a person comes and looks; what the person
//! enters comes in through the links. It must not keep an item, and it calls nobody by itself: the open page reminds, and the
//! house sends its short links.

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, EndpointKind, Evidence, Failure, FailureClass, Health,
    Key, Message, Reply, Request, Timestamp,
};

use crate::link::Links;
use crate::outlet::Outlet;
use crate::refusal::Tally;
use crate::{Config, ConfigError};

pub struct Manual {
    pub(crate) config: Config,
    pub(crate) context: Context,
    pub(crate) links: Links,
    pub(crate) refusals: Tally,
}

impl Manual {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            links: Links::new(&config.secret, &context.name),
            config,
            context,
            refusals: Tally::default(),
        })
    }

    /// What opens its outlets and items.
    pub const fn links(&self) -> &Links {
        &self.links
    }
}

#[async_trait]
impl Channel for Manual {
    fn capability(&self) -> Capability {
        Capability {
            kind: "manual",
            speaks_to: EndpointKind::Manual,
            style: self.config.text.style(),
            // A person says so.
            best: Evidence::Acknowledged,
            batch: 500,
            window: 500,
            repeat_is_harmless: true,
        }
    }

    /// It lies ready for whoever opens the outlet's page. That is all that is known until somebody enters what was done.
    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        if Outlet::read(message.address.expose()).is_none() {
            return Err(Failure::new(
                FailureClass::BadAddress,
                "manual:no-outlet",
                "the address is no outlet's: a kind, a colon and a plain name are wanted, tv:pingwu",
            ));
        }
        let variant = &message.variant;
        if variant.drill && !["演练", "DRILL"].iter().any(|m| variant.text.contains(m)) {
            return Err(Failure::new(
                FailureClass::BadContent,
                "manual:unmarked-drill",
                "the text of a drill does not say that it is one; put 演练 or DRILL into it",
            ));
        }
        Ok(Accepted::default())
    }

    fn page(&self, key: Key, until: Timestamp, operator: Option<&str>) -> Option<String> {
        Some(match operator {
            Some(operator) => self.links.desk(key, until, operator),
            None => self.links.item(key, until),
        })
    }

    fn link(&self, key: Key, expires: Timestamp) -> Option<String> {
        let base = self.config.base.as_deref()?.trim_end_matches('/');
        let until = expires.plus(self.config.late());
        Some(format!("{base}{}", self.links.short(key, until)))
    }

    fn refused(&self) -> Vec<(&'static str, u64)> {
        self.refusals.all()
    }

    async fn serve(&self, request: Request) -> Reply {
        self.called(&request).await
    }

    /// Always up: it holds no session. Whether anybody looks is known by what is entered.
    fn health(&self) -> Health {
        Health::Up
    }
}
