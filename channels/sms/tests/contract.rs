//! The channel against its own peer: the suite that every channel passes, and what is peculiar to SMS.

mod common;

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{Channel, Context, Message};
use common::{config, message};
use sms::Sms;
use sms::peer::{Peer, PeerConfig};

struct Account;

#[async_trait]
impl Fixture for Account {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let peer = Peer::start(PeerConfig {
            behaviour,
            ..PeerConfig::default()
        })
        .await
        .unwrap();
        let sms = Sms::new(config(peer.addr()), context).unwrap();
        Some((Arc::new(sms), Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        message(number, "暴雨红色预警")
    }
}

#[tokio::test]
async fn the_channel_passes_the_suite_in_every_behaviour() {
    assert_eq!(exercise(&Account).await, Behaviour::ALL);
}
