//! The suite that every channel passes, with a person at the far end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{
    Address, Channel, Clock, Context, Handed, Inlet, Key, Message, Presence, Receipt, Secret, Stop,
    SystemClock, Unavailable, Uplink, Variant, Whose,
};
use manual::peer::Person;
use manual::{Config, Manual};

struct Outlets;

/// Knows the message as a house does that has handed it.
struct House {
    inner: Arc<dyn Inlet>,
    handed: Handed,
}

#[async_trait]
impl Inlet for House {
    async fn receipts(&self, batch: Vec<Receipt>) -> Result<(), Unavailable> {
        self.inner.receipts(batch).await
    }

    async fn uplinks(&self, batch: Vec<Uplink>) -> Result<(), Unavailable> {
        self.inner.uplinks(batch).await
    }

    fn presence(&self, seen: Presence) {
        self.inner.presence(seen);
    }

    async fn handed(&self, _: &Whose) -> Result<Vec<Handed>, Unavailable> {
        Ok(vec![self.handed.clone()])
    }
}

/// Works until it is dropped.
struct Working(Stop);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn now() -> channel::Timestamp {
    SystemClock::default().now()
}

#[async_trait]
impl Fixture for Outlets {
    async fn start(
        &self,
        behaviour: Behaviour,
        mut context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn std::any::Any + Send>)> {
        if !matches!(behaviour, Behaviour::Accept | Behaviour::Confirm) {
            return None;
        }
        let message = self.message(1);
        context.inlet = Arc::new(House {
            inner: context.inlet,
            handed: Handed {
                since: now(),
                due: message.expires,
                message,
                whom: String::new(),
                withdrawn: false,
                sealed: false,
                said: Vec::new(),
            },
        });
        let clock = context.clock.clone();
        let channel = Manual::new(Config::new(Secret::new("only for these tests")), context);
        let channel = channel.expect("a good configuration");
        let link = channel.links().outlet("tv:pingwu");
        let link = link.splitn(5, '/').nth(4).expect("a path").to_owned();
        let channel: Arc<dyn Channel> = Arc::new(channel);
        let stop = Stop::new();
        if behaviour == Behaviour::Confirm {
            let person = Person {
                channel: channel.clone(),
                link,
                clock,
                looks: Duration::from_millis(20),
            };
            tokio::spawn(person.work(stop.clone()));
        }
        Some((channel, Box::new(Working(stop))))
    }

    fn message(&self, number: u32) -> Message {
        let variant = Variant::new("zh-CN", "山洪红色预警", "请立即向高处转移。");
        Message {
            key: Key {
                alert: 7,
                delivery: number,
                generation: 0,
            },
            serial: 1,
            variant: Arc::new(variant),
            address: Address::new("tv:pingwu"),
            expires: now().plus(Duration::from_mins(10)),
            repeat: false,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_the_suite_of_every_channel() {
    let ran = exercise(&Outlets).await;
    assert_eq!(ran, [Behaviour::Accept, Behaviour::Confirm]);
}
