//! The suite that every channel passes, for each of the three kinds, and for WeCom with and without a button.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{Channel, Context, EndpointKind, Evidence, Message};
use wechat::errcode::House;
use wechat::{OfficialAccount, WorkApp};

use super::common::{account, on_robot, peer, to, variant, work};

struct Kind(House, Option<&'static str>);

#[async_trait]
impl Fixture for Kind {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        if self.0 == House::Robot {
            let (channel, peer) = on_robot(behaviour, context).await;
            return Some((channel, Box::new(peer)));
        }
        let peer = peer(self.0, behaviour).await;
        let channel: Arc<dyn Channel> = if self.0 == House::Account {
            Arc::new(OfficialAccount::new(account(&peer.url()), context).unwrap())
        } else {
            let mut config = work(&peer.url());
            config.button = self.1.map(str::to_owned);
            Arc::new(WorkApp::new(config, context).unwrap())
        };
        peer.calls(channel.clone());
        Some((channel, Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        let address = if self.0 == House::Robot {
            "duty"
        } else {
            "o-demo_1"
        };
        to(number, address, &variant("【平武气象】暴雨红色预警"))
    }
}

#[tokio::test]
async fn every_kind_passes_the_suite_in_every_behaviour() {
    let kinds = [
        (
            Kind(House::Account, None),
            EndpointKind::Openid,
            Evidence::Delivered,
        ),
        (
            Kind(House::Work, None),
            EndpointKind::Member,
            Evidence::Accepted,
        ),
        (
            Kind(House::Work, Some("收到")),
            EndpointKind::Member,
            Evidence::Acknowledged,
        ),
        (
            Kind(House::Robot, None),
            EndpointKind::Group,
            Evidence::Accepted,
        ),
    ];
    for (kind, speaks_to, best) in kinds {
        assert_eq!(exercise(&kind).await, Behaviour::ALL, "{:?}", kind.0);
        let (context, _) = channel::testing::context("capability");
        let (channel, _peer) = kind.start(Behaviour::Accept, context).await.unwrap();
        let told = channel.capability();
        assert_eq!(
            (told.kind, told.speaks_to, told.best),
            ("wechat", speaks_to, best)
        );
    }
}
