//! How a batch is published: each order once for all devices of a group, and what the broker says of it told to the desk.
//! This module must not take the broker's word for a device's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{Failure, FailureClass, Message};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rumqttc::v5::mqttbytes::v5::PubAckReason;

use super::link::{Post, State};
use super::speaker::Mqtt;
use super::topics::{What, group_of};
use crate::sheet::Sheet;

/// An order waits so long for the first word on the connection.
const FIRST_WORD: Duration = Duration::from_secs(5);

impl Mqtt {
    /// The topics by which these devices are reached, and who hears each: a group's own, where it has two or more of them.
    pub(super) fn targets(&self, devices: &[Placed<'_>]) -> Vec<(String, Vec<usize>)> {
        let mut groups: BTreeMap<&str, Vec<Placed<'_>>> = BTreeMap::new();
        for (place, device) in devices {
            let group = group_of(device, self.group).unwrap_or(device);
            groups.entry(group).or_default().push((*place, device));
        }
        let target = |(group, members): (&str, Vec<Placed<'_>>)| {
            let places = members.iter().map(|(place, _)| *place).collect();
            let topic = if let [(_, device)] = &members[..] {
                self.topics.of(What::Orders, device)
            } else {
                self.topics.of(What::Groups, group)
            };
            (topic, places)
        };
        groups.into_iter().map(target).collect()
    }

    /// Publishes the orders of a batch, and tells the desk what the broker says of each.
    pub(super) async fn push(&self, batch: &[Message], sheets: Vec<Option<Arc<Sheet>>>) {
        if let State::Down(why) = self.link.known(FIRST_WORD).await {
            let places = (0..batch.len()).collect::<Vec<_>>();
            return self.not_pushed(batch, &places, &no_link(why));
        }
        let mut said = FuturesUnordered::new();
        for (sheet, devices) in lots(batch, &sheets) {
            for (topic, places) in self.targets(&devices) {
                if self.link.is_too_long(&topic, &sheet.answer) {
                    self.not_pushed(batch, &places, &too_long());
                    continue;
                }
                self.pushed(batch, &places, true);
                if let Ok(word) = self.link.publish(self.post(topic, &sheet)).await {
                    said.push(async move { (places, word.await) });
                } else {
                    self.pushed(batch, &places, false);
                    self.not_pushed(batch, &places, &no_link("it broke meanwhile".into()));
                }
            }
        }
        while let Some((places, word)) = said.next().await {
            match word.map(refusal) {
                Ok(None) => {}
                Ok(Some(Told::Nobody)) => self.pushed(batch, &places, false),
                Ok(Some(Told::Refused(why))) => self.not_pushed(batch, &places, &why),
                Err(_) => self.not_pushed(batch, &places, &lost()),
            }
        }
    }

    pub(super) fn post(&self, topic: String, sheet: &Sheet) -> Post {
        let now = self.speaker.context.clock.now();
        Post {
            topic,
            payload: sheet.answer.clone(),
            expiry: Some(sheet.expires.since(now)),
            retain: false,
        }
    }

    fn pushed(&self, batch: &[Message], places: &[usize], written: bool) {
        let mut desk = self.speaker.desk.lock();
        for message in places.iter().map(|place| &batch[*place]) {
            desk.pushed(message.address.expose(), message.key, written);
        }
    }

    fn not_pushed(&self, batch: &[Message], places: &[usize], why: &Failure) {
        let mut desk = self.speaker.desk.lock();
        for message in places.iter().map(|place| &batch[*place]) {
            desk.not_pushed(message.address.expose(), message.key, why.clone());
        }
    }
}

/// A device, and its message's place in the batch.
pub(super) type Placed<'a> = (usize, &'a str);
/// A sheet, and whom it is for.
type Lot<'a> = (Arc<Sheet>, Vec<Placed<'a>>);

/// The sheets of a batch, each with the places and ids of those it names.
fn lots<'a>(batch: &'a [Message], sheets: &[Option<Arc<Sheet>>]) -> Vec<Lot<'a>> {
    let mut lots: BTreeMap<u64, Lot<'a>> = BTreeMap::new();
    for (place, sheet) in sheets.iter().enumerate() {
        let Some(sheet) = sheet else { continue };
        let device = batch[place].address.expose();
        let lot = lots.entry(sheet.counter);
        let (_, devices) = lot.or_insert_with(|| (sheet.clone(), Vec::new()));
        devices.push((place, device));
    }
    lots.into_values().collect()
}

/// What a broker says against a message.
enum Told {
    /// No device has ever subscribed to it: nothing is on its way.
    Nobody,
    Refused(Failure),
}

fn refusal(reason: PubAckReason) -> Option<Told> {
    use PubAckReason as Reason;
    let failure = match reason {
        Reason::Success => return None,
        Reason::NoMatchingSubscribers => return Some(Told::Nobody),
        Reason::QuotaExceeded => Failure::new(
            FailureClass::Throttled,
            "mqtt:0x97",
            "the broker says that we are over our quota",
        ),
        Reason::NotAuthorized | Reason::TopicNameInvalid => Failure::new(
            FailureClass::BadAddress,
            if reason == Reason::NotAuthorized {
                "mqtt:0x87"
            } else {
                "mqtt:0x90"
            },
            "the broker does not let us publish to this device; give our user the right to write its topic",
        ),
        Reason::PayloadFormatInvalid => Failure::new(
            FailureClass::BadContent,
            "mqtt:0x99",
            "the broker refuses what an order looks like",
        ),
        Reason::UnspecifiedError
        | Reason::ImplementationSpecificError
        | Reason::PacketIdentifierInUse => Failure::new(
            FailureClass::Transient,
            "mqtt:refused",
            "the broker refused the order and does not say why",
        ),
    };
    Some(Told::Refused(failure))
}

fn no_link(why: String) -> Failure {
    Failure::new(FailureClass::LinkDown, "mqtt:no-broker", why)
}

fn lost() -> Failure {
    Failure::new(
        FailureClass::InDoubt,
        "mqtt:lost",
        "the connection broke before the broker said that it has the order",
    )
}

fn too_long() -> Failure {
    Failure::new(
        FailureClass::BadContent,
        "mqtt:too-long",
        "the order is longer than what the broker takes; raise its packet size",
    )
}
