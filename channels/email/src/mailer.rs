//! The channel itself: a message becomes a letter, a session takes it, the answer becomes an outcome. It must not
//! retry or pace.

use std::sync::Arc;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, EndpointKind, Evidence, Failure, FailureClass, Health,
    Message, Reply, Request, Stop, Style,
};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use parking_lot::Mutex;

use crate::bounces::Returns;
use crate::letter::Letterhead;
use crate::session::{Line, Sessions};
use crate::verdict::classify;
use crate::{Config, ConfigError, Tls};

pub struct Email {
    context: Context,
    head: Letterhead,
    sessions: Sessions,
    connections: usize,
    health: Mutex<Health>,
    returns: Option<Arc<Returns>>,
}

impl Email {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        let from: Mailbox = config.from.parse().map_err(|_| ConfigError::From)?;
        let returns = config.bounces.as_ref().map(Returns::new).transpose()?;
        let returns = returns.map(Arc::new);
        if config.connections == 0 {
            return Err(ConfigError::Connections);
        }
        let line = Line {
            parameters: parameters(&config)?,
            login: login(&config)?,
            helo: ClientId::Domain(
                config
                    .helo
                    .unwrap_or_else(|| from.email.domain().to_owned()),
            ),
            host: config.host,
            port: config.port,
            tls: config.tls,
            timeout: config.timeout,
            notify: returns.is_some(),
        };
        Ok(Self {
            head: Letterhead {
                from,
                name: context.name.clone(),
                returns: returns.clone(),
            },
            sessions: Sessions::new(line, config.connections, context.clock.clone()),
            connections: config.connections,
            health: Mutex::new(Health::Up),
            returns,
            context,
        })
    }

    fn note(&self, outcome: &Result<Accepted, Failure>) {
        let health = match outcome {
            Err(failure) if failure.class == FailureClass::LinkDown => {
                Health::Failing(failure.to_string())
            }
            _ => Health::Up,
        };
        *self.health.lock() = health;
    }
}

fn login(config: &Config) -> Result<Option<Credentials>, ConfigError> {
    match (&config.user, &config.password) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) if config.tls == Tls::None && !is_here(&config.host) => {
            Err(ConfigError::OpenLogin)
        }
        (Some(user), Some(password)) => Ok(Some(Credentials::new(
            user.clone(),
            password.expose().to_owned(),
        ))),
        _ => Err(ConfigError::Login),
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn parameters(config: &Config) -> Result<Option<TlsParameters>, ConfigError> {
    if config.tls == Tls::None {
        return Ok(None);
    }
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let pem = std::fs::read(path).map_err(|why| ConfigError::Ca(why.to_string()))?;
        let authority =
            Certificate::from_pem(&pem).map_err(|why| ConfigError::Ca(why.to_string()))?;
        builder = builder.add_root_certificate(authority);
    }
    builder
        .build()
        .map(Some)
        .map_err(|why| ConfigError::Tls(why.to_string()))
}

#[async_trait]
impl Channel for Email {
    fn capability(&self) -> Capability {
        Capability {
            kind: "email",
            speaks_to: EndpointKind::Mailbox,
            style: Style::Letter,
            best: self
                .returns
                .as_ref()
                .map_or(Evidence::Accepted, |returns| returns.delivered),
            batch: 100,
            window: self.connections,
            repeat_is_harmless: false,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let letter = self.head.letter(message, self.context.clock.now())?;
        let sent = self.sessions.send(&letter).await;
        let outcome = match sent {
            Ok(()) => Ok(Accepted {
                references: vec![letter.id],
            }),
            Err((step, cause)) => Err(classify(step, &cause)),
        };
        self.note(&outcome);
        outcome
    }

    /// A bounce may come where nothing better than acceptance can.
    fn is_told_more(&self) -> bool {
        self.returns.is_some()
    }

    async fn serve(&self, request: Request) -> Reply {
        match &self.returns {
            Some(returns) => returns.serve(&request, &self.context).await,
            None => Reply::status(404),
        }
    }

    async fn run(&self, stop: Stop) {
        stop.cancelled().await;
        self.sessions.close().await;
    }

    fn health(&self) -> Health {
        self.health.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use channel::testing::context;

    use super::*;
    use crate::{Bounces, Secret};

    fn made(change: impl FnOnce(&mut Config)) -> Result<Email, ConfigError> {
        let mut config = Config::new("mail.example.org", 25, "a@example.org");
        change(&mut config);
        Email::new(config, context("email").0)
    }

    #[test]
    fn a_password_never_goes_readable_over_a_network() {
        let with_login = |config: &mut Config| {
            (config.user, config.password) = (Some("a".into()), Some(Secret::new("p")));
        };
        assert!(matches!(made(with_login), Err(ConfigError::OpenLogin)));
        assert!(
            made(|config| {
                with_login(config);
                config.tls = Tls::Starttls;
            })
            .is_ok()
        );
        assert!(
            made(|config| {
                with_login(config);
                config.host = "127.0.0.1".into();
            })
            .is_ok()
        );
    }

    #[test]
    fn a_configuration_that_cannot_work_is_refused_at_the_start() {
        assert!(matches!(
            made(|config| config.from = "nobody".into()),
            Err(ConfigError::From)
        ));
        assert!(matches!(
            made(|config| config.connections = 0),
            Err(ConfigError::Connections)
        ));
        assert!(matches!(
            made(|config| config.user = Some("a".into())),
            Err(ConfigError::Login)
        ));
        let bounces = |change: fn(&mut Bounces)| {
            let mut bounces = Bounces {
                domain: "bounce.example.org".into(),
                secret: Secret::new("only a test, thirty-two characters"),
                token_sha256: "00".repeat(32),
                mailbox_counts: false,
            };
            change(&mut bounces);
            made(|config| config.bounces = Some(bounces))
        };
        assert!(bounces(|_| {}).is_ok());
        assert!(matches!(
            bounces(|bounces| bounces.domain = "a b".into()),
            Err(ConfigError::BounceDomain)
        ));
        assert!(matches!(
            bounces(|bounces| bounces.secret = Secret::new("short")),
            Err(ConfigError::BounceSecret)
        ));
        assert!(matches!(
            bounces(|bounces| bounces.token_sha256 = "no hash".into()),
            Err(ConfigError::BounceToken)
        ));
    }
}
