//! Two gateways of one client id: as when a second node takes over while the first still runs, or by mistake.

use std::time::Duration;

use channel::{Channel, Health};

use crate::broker::Broker;
use crate::kit::{Device, Gateway, config, message, serial, until};

const DEVICE: &str = "PW-217001-02";
const TEXT: &str = "请立即向高处转移。";

#[tokio::test(flavor = "multi_thread")]
async fn of_two_gateways_with_one_client_id_over_mqtt_one_is_told_what_to_look_at_and_the_last_that_stays_delivers()
 {
    let broker = Broker::start(&[DEVICE]).await;
    let settings = || config(&broker, Duration::from_secs(10));
    let first = Gateway::start(settings(), &[DEVICE]).await;
    let second = Gateway::start(settings(), &[DEVICE]).await;
    // The broker keeps one connection of a name: whoever comes last has it, until the other comes again.
    until("it is told what to look at", || {
        let health = first.channel.health();
        matches!(&health, Health::Down(why) if why.contains("`broker.client_id`"))
    })
    .await;
    drop(first);
    second.is_up().await;
    let folder = tempfile::tempdir().expect("a folder");
    let device = Device::start(
        folder.path(),
        &broker,
        &second.channel.public_keys(),
        DEVICE,
    );
    until("it is heard", || second.is_heard(DEVICE)).await;
    let order = message(7, DEVICE, serial(), TEXT);
    second.channel.send(&order).await.expect("it has it");
    until("it has played", || second.played().len() == 1).await;
    assert_eq!(device.all("text"), [TEXT]);
}
