//! How a device proves a call: it signs it with the key that it made at its enrolment, and the gateway holds only the
//! public half. What is signed names the call, the device, the time and every byte of the body. Pure: this module must
//! not read a clock nor know where keys are kept.

use std::time::Duration;

use channel::{PublicKey, Timestamp};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// The first line of what is signed: nothing else that this key may sign begins so.
const PREFIX: &str = "tocsin-call-1";
/// The first line of what a new key signs.
const REKEY: &str = "tocsin-rekey-1";
/// The scheme in the `authorization` header.
const SCHEME: &str = "Tocsin ";
/// How far the time of a call may be from the gateway's. A device whose clock is wrong goes by the time in the refusal.
pub const FRESH: Duration = Duration::from_mins(5);

/// One call, as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Behind the channel's address: `orders`.
    pub path: &'a str,
    pub device: &'a str,
    /// The gateway's time, as the device knows it.
    pub time: Timestamp,
    pub body: &'a [u8],
}

impl Call<'_> {
    /// The bytes that are signed: four lines, then the body as it is sent.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let Self {
            path,
            device,
            time,
            body,
        } = self;
        let mut bytes = format!("{PREFIX}\n{path}\n{device}\n{}\n", time.0).into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }
}

/// A device's own key. It never leaves the device.
pub struct DeviceKey(Ed25519KeyPair);

impl DeviceKey {
    /// From 32 bytes in hex; `None` when they are not.
    pub fn from_seed(seed: &str) -> Option<Self> {
        let seed = hex::decode(seed.trim()).ok()?;
        Ed25519KeyPair::from_seed_unchecked(&seed).ok().map(Self)
    }

    /// 32 random bytes in hex, to be kept.
    ///
    /// # Panics
    /// When the machine gives no random bytes.
    pub fn new_seed() -> String {
        use ring::rand::{SecureRandom, SystemRandom};
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .expect("the machine gives random bytes");
        hex::encode(seed)
    }

    pub fn public(&self) -> PublicKey {
        let key = self.0.public_key().as_ref();
        key.try_into().expect("an Ed25519 key has 32 bytes")
    }

    /// Proves that this key is its holder's own, and is to take the old one's place at this device.
    pub fn proof(&self, device: &str, old: &PublicKey) -> String {
        hex::encode(self.0.sign(&rekey_bytes(device, old, &self.public())))
    }

    /// The value of the `authorization` header.
    pub fn authorization(&self, call: &Call<'_>) -> String {
        let signature = hex::encode(self.0.sign(&call.signed_bytes()));
        format!("{SCHEME}{} {} {signature}", call.device, call.time.0)
    }
}

/// Four lines: a proof holds for one device and for the step from one key to one other.
fn rekey_bytes(device: &str, old: &PublicKey, new: &PublicKey) -> Vec<u8> {
    let (old, new) = (hex::encode(old), hex::encode(new));
    format!("{REKEY}\n{device}\n{old}\n{new}\n").into_bytes()
}

/// Whether the new key was shown by who has it.
pub(crate) fn is_proved(device: &str, old: &PublicKey, new: &PublicKey, proof: &str) -> bool {
    hex::decode(proof).is_ok_and(|proof| {
        let key = UnparsedPublicKey::new(&ED25519, new);
        key.verify(&rekey_bytes(device, old, new), &proof).is_ok()
    })
}

/// What an `authorization` header says, not yet proved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claim<'a> {
    pub device: &'a str,
    pub time: Timestamp,
    pub signature: &'a str,
}

impl<'a> Claim<'a> {
    /// `None` when it is no header of this scheme.
    pub fn read(authorization: &'a str) -> Option<Self> {
        let mut words = authorization.strip_prefix(SCHEME)?.split(' ');
        let (device, time, signature) = (words.next()?, words.next()?, words.next()?);
        let time = Timestamp(time.parse().ok()?);
        let whole = words.next().is_none() && signature.len() == 128;
        (whole && crate::order::is_plain(device)).then_some(Self {
            device,
            time,
            signature,
        })
    }

    pub fn is_fresh(&self, now: Timestamp) -> bool {
        u128::from(self.time.0.abs_diff(now.0)) <= FRESH.as_millis()
    }

    /// Whether this key made it for this call.
    pub fn holds(&self, path: &str, body: &[u8], key: &PublicKey) -> bool {
        let call = Call {
            path,
            device: self.device,
            time: self.time,
            body,
        };
        hex::decode(self.signature).is_ok_and(|signature| {
            let key = UnparsedPublicKey::new(&ED25519, key);
            key.verify(&call.signed_bytes(), &signature).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const NOW: Timestamp = Timestamp(1_784_044_800_000);

    fn call(body: &[u8]) -> Call<'_> {
        Call {
            path: "reports",
            device: "PW-217001-02",
            time: NOW,
            body,
        }
    }

    #[test]
    fn a_proof_holds_for_one_device_and_one_step_between_two_keys() {
        let old = DeviceKey::from_seed(SEED).expect("32 bytes").public();
        let new = DeviceKey::from_seed(&"11".repeat(32)).expect("32 bytes");
        let proof = new.proof("PW-1", &old);
        assert!(is_proved("PW-1", &old, &new.public(), &proof));
        assert!(!is_proved("PW-2", &old, &new.public(), &proof));
        assert!(!is_proved("PW-1", &new.public(), &new.public(), &proof));
        assert!(
            !is_proved("PW-1", &old, &old, &proof),
            "somebody else's key"
        );
        assert!(!is_proved("PW-1", &old, &new.public(), "00"));
    }

    #[test]
    fn a_call_holds_for_its_path_device_time_and_body_alone() {
        let key = DeviceKey::from_seed(SEED).expect("32 bytes");
        let header = key.authorization(&call(b"{}"));
        let claim = Claim::read(&header).expect("a claim");
        assert_eq!((claim.device, claim.time), ("PW-217001-02", NOW));
        assert!(claim.holds("reports", b"{}", &key.public()));
        assert!(!claim.holds("orders", b"{}", &key.public()));
        assert!(!claim.holds("reports", b"{ }", &key.public()));
        let other = DeviceKey::from_seed(&SEED.replace("9d", "9e")).expect("32 bytes");
        assert!(!claim.holds("reports", b"{}", &other.public()));
        for (from, to) in [("PW-217001-02", "PW-217001-03"), ("178404", "178405")] {
            let changed = header.replacen(from, to, 1);
            let claim = Claim::read(&changed).expect("a claim");
            assert!(!claim.holds("reports", b"{}", &key.public()), "{changed}");
        }
    }

    #[test]
    fn only_a_header_of_this_scheme_is_read() {
        let long = "a".repeat(128);
        assert!(Claim::read(&format!("Tocsin a 1 {long}")).is_some());
        for wrong in [
            format!("Bearer {long}"),
            format!("Tocsin a {long}"),
            format!("Tocsin a 1 {long} x"),
            format!("Tocsin a x {long}"),
            format!("Tocsin 喇叭 1 {long}"),
            format!("Tocsin a..b 1 {long}"),
            format!("Tocsin a 1 {}", "a".repeat(126)),
        ] {
            assert_eq!(Claim::read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_call_is_fresh_for_five_minutes_either_way() {
        let long = "a".repeat(128);
        let header = format!("Tocsin a {} {long}", NOW.0);
        let claim = Claim::read(&header).expect("a claim");
        assert!(claim.is_fresh(NOW.plus(FRESH)) && claim.is_fresh(NOW.minus(FRESH)));
        let later = FRESH + Duration::from_millis(1);
        assert!(!claim.is_fresh(NOW.plus(later)) && !claim.is_fresh(NOW.minus(later)));
    }

    #[test]
    fn the_signed_bytes_are_those_of_the_documents_worked_example() {
        let body = br#"{"after":0,"took":[],"wait":25}"#;
        let call = Call {
            path: "orders",
            ..call(body)
        };
        let wanted = "tocsin-call-1\norders\nPW-217001-02\n1784044800000\n{\"after\":0,\"took\":[],\"wait\":25}";
        assert_eq!(String::from_utf8(call.signed_bytes()).unwrap(), wanted);
        // The key pair of RFC 8032, 7.1, test 1.
        let key = DeviceKey::from_seed(SEED).expect("32 bytes");
        assert_eq!(
            hex::encode(key.public()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let page = include_str!("../../../docs/controllers.md");
        assert!(page.contains(&key.authorization(&call)));
    }
}
