//! The contract's suite, against a broker that misbehaves.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{Channel, Clock, Context, Enrolment, Message, SystemClock};
use loudspeaker::mqtt::peer::{Device, Peer};
use loudspeaker::mqtt::{Broker, Mqtt, Topics};
use loudspeaker::peer::device_key;
use loudspeaker::{Config, Secret};

use crate::kit::{SECRET, SEED, message, serial};

const DEVICE: &str = "PW-217001-02";

struct Misbehaving;

#[async_trait]
impl Fixture for Misbehaving {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let key = device_key(SECRET, DEVICE);
        let enrolment = Enrolment {
            device: DEVICE.into(),
            code: String::new(),
            key: key.public(),
        };
        assert_eq!(context.inlet.enrol(enrolment).await, Ok(()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let broker = Broker::new(format!("mqtt://127.0.0.1:{port}"));
        let topics = Topics::new(&broker.topics, &context.name).expect("topics");
        let config = Config {
            fetch_timeout: Duration::from_secs(1),
            returning: Duration::ZERO,
            broker: Some(broker),
            ..Config::new("pingwu", Secret::new(SECRET), Secret::new(SEED))
        };
        let channel = Arc::new(Mqtt::new(config, context).expect("a good configuration"));
        let device = Device {
            id: DEVICE.into(),
            key,
            public_keys: channel.public_keys(),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let peer = Peer::start(listener, behaviour, device, topics, clock);
        Some((channel, Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        message(
            7,
            DEVICE,
            serial() + u64::from(number),
            "请立即向高处转移。",
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_over_mqtt_keeps_the_contract_with_every_kind_of_broker() {
    let ran = exercise(&Misbehaving).await;
    assert_eq!(ran, Behaviour::ALL);
}
