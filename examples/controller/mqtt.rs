//! The reference controller behind a broker: where that is, and a line over it. It must not enrol: a broker would see the
//! code.

use std::path::PathBuf;
use std::sync::Arc;

use channel::Clock;
use clap::Parser;
use loudspeaker::mqtt::{Broker, Pipe, TEMPLATE};
use loudspeaker::order::Verifier;
use loudspeaker::{DeviceKey, Line, Secret};

use crate::state::State;

#[derive(Parser)]
pub struct Mqtt {
    /// The broker, where this device's calls go over one: <mqtts://HOST:PORT>
    #[arg(long = "mqtt", id = "broker")]
    url: Option<String>,
    /// Its user at the broker [default: its id], and the password
    #[arg(long = "mqtt-user", requires = "broker")]
    user: Option<String>,
    #[arg(long = "mqtt-password", env = "MQTT_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The authority of the broker's certificate, as PEM
    #[arg(long = "mqtt-ca", requires = "broker")]
    ca: Option<PathBuf>,
    /// As the gateway has it
    #[arg(long = "mqtt-topics", default_value = TEMPLATE)]
    topics: String,
    #[arg(long = "mqtt-group", default_value_t = 0)]
    group: usize,
}

impl Mqtt {
    fn broker(&self, device: &str) -> Option<Broker> {
        let password = self.password.as_ref();
        let user = || self.user.clone().unwrap_or_else(|| device.to_owned());
        Some(Broker {
            user: password.map(|_| user()),
            password: password.map(Secret::new),
            ca: self.ca.clone(),
            topics: self.topics.clone(),
            group: self.group,
            ..Broker::new(self.url.clone()?)
        })
    }

    /// The line over the broker, where one is given.
    pub fn line(
        &self,
        device: &str,
        state: &State,
        verifier: Verifier,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Line>, String> {
        let Some(broker) = self.broker(device) else {
            return Ok(None);
        };
        let key = DeviceKey::from_seed(&state.seed).ok_or("the kept key is no key")?;
        let channel = state.welcome.address.rsplit('/').next().unwrap_or_default();
        let pipe = Pipe::open(&broker, channel, verifier).map_err(|why| why.to_string())?;
        let line = Line::over_mqtt(Arc::new(pipe), device, key, clock);
        Ok(Some(line))
    }
}
