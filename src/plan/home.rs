//! Where a loudspeaker is known: of several channels that could tell it, which do. This module must not say by which a plan
//! would tell it.

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::{Channel, Found};

use super::routes::Homes;
use crate::ledger::Ledger;

/// For whoever asks often.
pub fn homes(channels: Arc<BTreeMap<String, Arc<dyn Channel>>>, ledger: Arc<Ledger>) -> Homes {
    Arc::new(move |device| known(&channels, &ledger, device))
}

/// At which of these channels a device is known: where it has enrolled or is named, or else wherever its address fits.
pub fn home(
    channels: &BTreeMap<String, Arc<dyn Channel>>,
    ledger: &Ledger,
    device: &str,
) -> Vec<String> {
    let mut known = known(channels, ledger, device);
    let best = known.values().max().copied();
    known.retain(|_, found| Some(*found) == best && *found > Found::Unknown);
    known.into_keys().collect()
}

fn known(
    channels: &BTreeMap<String, Arc<dyn Channel>>,
    ledger: &Ledger,
    device: &str,
) -> BTreeMap<String, Found> {
    let found = channels.iter().map(|(name, far)| (name, far.finds(device)));
    let found = found.filter(|(_, found)| *found != Found::Unknown);
    let mut known: BTreeMap<_, _> = found.map(|(name, found)| (name.clone(), found)).collect();
    let enrolled = ledger.devices.get(device).filter(|d| d.key.is_some());
    known.extend(enrolled.map(|known| (known.channel, Found::Named)));
    known
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use channel::{
        Accepted, Capability, EndpointKind, Evidence, Failure, FailureClass, Health, Message,
        Style, Timestamp,
    };

    use super::*;
    use crate::ledger::Event;
    use crate::ledger::devices::Enrolled;
    use crate::plan::fixture::outlet;

    /// Names devices that begin with its own letter, and could serve those of digits.
    struct Far(&'static str);

    #[async_trait]
    impl Channel for Far {
        fn capability(&self) -> Capability {
            let (speaker, played) = (EndpointKind::Speaker, Evidence::Acknowledged);
            outlet("loudspeaker", speaker, Style::Spoken, played)
        }

        async fn send(&self, _: &Message) -> Result<Accepted, Failure> {
            Err(Failure::new(FailureClass::BadAddress, "test:no", "nobody"))
        }

        fn finds(&self, device: &str) -> Found {
            match device {
                _ if device.starts_with(self.0) => Found::Named,
                _ if device.bytes().all(|b| b.is_ascii_digit()) => Found::Perhaps,
                _ => Found::Never,
            }
        }

        fn health(&self) -> Health {
            Health::Up
        }
    }

    #[test]
    fn who_names_a_device_or_has_enrolled_it_goes_before_whoever_could_serve_its_address() {
        let far = |name: &'static str| -> Arc<dyn Channel> { Arc::new(Far(name)) };
        let names = ["adapters", "platform"];
        let channels = names.map(|name| (name.to_owned(), far(&name[..1])));
        let channels = BTreeMap::from(channels);
        let ledger = Ledger::default();
        for (device, channel) in [("77", "horn"), ("p-7", "horn"), ("p-8", "platform")] {
            let enrolled = Event::Enrolled(Enrolled {
                device: device.into(),
                channel: channel.into(),
                key: [1; 32],
            });
            ledger.apply(0, Timestamp(0), &enrolled).expect("it fits");
        }
        let cases: [(&str, &[&str]); 6] = [
            ("12", &names),
            ("a-1", &["adapters"]),
            ("77", &["horn"]),
            ("p-7", &["horn", "platform"]),
            ("p-8", &["platform"]),
            ("nobody", &[]),
        ];
        for (device, wanted) in cases {
            assert_eq!(home(&channels, &ledger, device), wanted, "{device}");
        }
    }
}
