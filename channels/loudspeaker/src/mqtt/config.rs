//! What an operator writes about the broker. This module must not show the password, nor connect.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use channel::Secret;
use rumqttc::{TlsConfiguration, Transport};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::{Value, json};

use super::topics::{TEMPLATE, Topics, What, group_of, is_level};
use crate::config::seconds;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// `mqtts://HOST` or `mqtts://HOST:PORT`; `mqtt://` is without TLS.
    pub url: String,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// The authority of the broker's certificate, as PEM; without it, the public ones.
    pub ca: Option<PathBuf>,
    /// As the broker knows us; otherwise `tocsin-GATEWAY-CHANNEL`. No two connections may share it.
    pub client_id: Option<String>,
    /// With `{channel}`, `{what}` and `{device}`.
    #[serde(default = "topics")]
    pub topics: String,
    /// Devices whose ids begin with the same so many characters hear one topic; 0: none do.
    #[serde(default)]
    pub group: usize,
    /// Seconds between two pings: within twice that a line that is cut is noticed.
    #[serde(default = "keep_alive", deserialize_with = "seconds")]
    pub keep_alive: Duration,
}

impl Broker {
    /// With every default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            user: None,
            password: None,
            ca: None,
            client_id: None,
            topics: topics(),
            group: 0,
            keep_alive: keep_alive(),
        }
    }

    pub(crate) fn topics(&self, channel: &str) -> Result<Topics, BrokerError> {
        Topics::new(&self.topics, channel).ok_or(BrokerError::Topics)
    }

    /// What a new device is told of its topics.
    pub(crate) fn told(&self, channel: &str, device: &str) -> Option<Value> {
        let topics = self.topics(channel).ok().filter(|_| is_level(device))?;
        let group = group_of(device, self.group).map(|group| topics.of(What::Groups, group));
        Some(json!({
            "orders": topics.of(What::Orders, device),
            "group": group,
            "answers": topics.of(What::Answers, device),
            "calls": topics.of(What::Calls, device),
            "state": topics.of(What::State, device),
            "gateway": topics.gateway(),
        }))
    }

    /// Where it is, and how to get there.
    pub(crate) fn address(&self) -> Result<Address, BrokerError> {
        if self.user.is_some() != self.password.is_some() {
            return Err(BrokerError::HalfALogin);
        }
        if !(Duration::from_secs(5)..=Duration::from_hours(1)).contains(&self.keep_alive) {
            return Err(BrokerError::KeepAlive);
        }
        let named = |id: &String| (1..=128).contains(&id.len()) && !id.contains(char::is_control);
        if !self.client_id.as_ref().is_none_or(named) {
            return Err(BrokerError::ClientId);
        }
        let (scheme, rest) = self.url.split_once("://").ok_or(BrokerError::Url)?;
        let (usual, transport) = match scheme {
            "mqtt" => (1883, Transport::tcp()),
            "mqtts" => (8883, self.tls()?),
            _ => return Err(BrokerError::Url),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| BrokerError::Url)?),
            None => (rest, usual),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if host.is_empty() || !host.chars().all(plain) || port == 0 {
            return Err(BrokerError::Url);
        }
        let host = host.to_owned();
        Ok(Address {
            host,
            port,
            transport,
        })
    }

    fn tls(&self) -> Result<Transport, BrokerError> {
        let mut roots = RootCertStore::empty();
        if let Some(ca) = &self.ca {
            let unread = |_| BrokerError::Ca(ca.clone());
            for certificate in CertificateDer::pem_file_iter(ca).map_err(unread)? {
                let certificate = certificate.map_err(unread)?;
                let added = roots.add(certificate);
                added.map_err(|_| BrokerError::Ca(ca.clone()))?;
            }
            if roots.is_empty() {
                return Err(BrokerError::Ca(ca.clone()));
            }
        } else {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring knows the usual versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let config = TlsConfiguration::Rustls(Arc::new(config));
        Ok(Transport::tls_with_config(config))
    }
}

/// Where a broker is.
#[derive(Clone)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
    pub transport: Transport,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BrokerError {
    #[error(
        "loudspeaker: `broker.url` is mqtts://HOST or mqtts://HOST:PORT, or mqtt:// without TLS"
    )]
    Url,
    #[error("loudspeaker: `broker.user` and `broker.password` are given together or not at all")]
    HalfALogin,
    #[error(
        "loudspeaker: `broker.client_id` has 1 to 128 bytes; leave it out for the usual one, for by none the broker keeps no session"
    )]
    ClientId,
    #[error("loudspeaker: `broker.keep_alive` is 5 to 3600 seconds")]
    KeepAlive,
    #[error(
        "loudspeaker: `broker.topics` has {{what}} and {{device}} once each, as a level of its own, no + and no #, and the channel's name is a level too"
    )]
    Topics,
    #[error("loudspeaker: `broker.ca` {} is no file with certificates in PEM", .0.display())]
    Ca(PathBuf),
    #[error("loudspeaker: a kind that speaks MQTT needs `broker`; at the least its `url`")]
    Missing,
    #[error(
        "loudspeaker: `broker` belongs to the kind loudspeaker-mqtt; take that kind, or leave it out"
    )]
    Unused,
}

fn topics() -> String {
    TEMPLATE.to_owned()
}

fn keep_alive() -> Duration {
    Duration::from_secs(30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_takes_defaults_and_never_shows_its_password() {
        let text = r#"{"url":"mqtts://broker.example","user":"gateway","password":"hush-hush"}"#;
        let broker: Broker = serde_json::from_str(text).expect("it reads");
        let address = broker.address().expect("it is an address");
        assert_eq!((&*address.host, address.port), ("broker.example", 8883));
        assert!(matches!(address.transport, Transport::Tls(_)));
        assert!(broker.topics("horn").is_ok());
        assert!(!format!("{broker:?} {address:?}").contains("hush"));
        assert!(serde_json::from_str::<Broker>(r#"{"url":"mqtt://a","usr":"b"}"#).is_err());
    }

    #[test]
    fn what_is_no_broker_is_refused() {
        for url in [
            "",
            "broker.example",
            "http://broker.example",
            "mqtt://",
            "mqtt://a:b",
            "mqtt://a:0",
            "mqtt://a/b",
            "mqtt://user@a",
        ] {
            let refused = Broker::new(url).address().map(drop);
            assert_eq!(refused, Err(BrokerError::Url), "{url}");
        }
        let half = Broker {
            user: Some("gateway".into()),
            ..Broker::new("mqtt://a")
        };
        assert_eq!(half.address().map(drop), Err(BrokerError::HalfALogin));
        let quick = Broker {
            keep_alive: Duration::from_secs(1),
            ..Broker::new("mqtt://a")
        };
        assert_eq!(quick.address().map(drop), Err(BrokerError::KeepAlive));
        let ca = PathBuf::from("no-such-file.pem");
        let unknown = Broker {
            ca: Some(ca.clone()),
            ..Broker::new("mqtts://a")
        };
        assert_eq!(unknown.address().map(drop), Err(BrokerError::Ca(ca)));
    }

    #[test]
    fn a_device_is_told_its_topics_as_the_document_has_them() {
        let broker = Broker {
            group: 9,
            ..Broker::new("mqtts://broker.example")
        };
        let told = broker.told("horn", "PW-217001-02").expect("topics");
        let page = include_str!("../../../../docs/controllers.md");
        let told = told.as_object().expect("an object");
        assert_eq!(told.len(), 6);
        for (what, topic) in told {
            let line = format!("\"{what}\":{topic}");
            assert!(page.contains(&line), "{line}");
        }
        assert_eq!(broker.told("horn", "+"), None);
    }
}
