//! The return address of each letter: it names the message and the try, so that whatever comes back to it is known to
//! belong there whatever else it says, and carries a proof, so that nobody who has not had that very letter can make
//! one up. Pure. This module must not show or keep an address of a person.

use channel::Key;
use ring::hmac;

const PREFIX: &str = "b+";
/// Hex digits of the proof. It is tried online only, one call a try; and more would not leave room: a local part has 64
/// octets, and the largest key and serial take all but these.
const PROOF: usize = 14;
/// How many look-alikes are tried in one mail.
const TRIES: usize = 64;

/// Makes and proves return addresses.
pub(crate) struct Verp(hmac::Key);

/// What a proved return address names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    pub key: Key,
    /// Of the try.
    pub serial: u64,
}

impl Verp {
    pub(crate) fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// The local part for one try of a message. Servers may change the case of letters: it has only one.
    pub(crate) fn local_part(&self, origin: Origin) -> String {
        let named = named(origin);
        let proof = self.proof(&named);
        format!("{PREFIX}{named}-{proof}")
    }

    fn proof(&self, named: &str) -> String {
        let mut proof = hex::encode(hmac::sign(&self.0, format!("return\n{named}").as_bytes()));
        proof.truncate(PROOF);
        proof
    }

    /// The first proved return address in a mail, wherever it stands: in a header, in a report, in the letter that came
    /// back with it. What proves it is in itself.
    pub(crate) fn find(&self, mail: &[u8]) -> Option<Origin> {
        let starts = mail.windows(PREFIX.len()).enumerate();
        starts
            .filter(|(_, bytes)| bytes.eq_ignore_ascii_case(PREFIX.as_bytes()))
            .filter_map(|(at, _)| candidate(&mail[at + PREFIX.len()..]))
            .take(TRIES)
            .find_map(|text| self.read(&text))
    }

    fn read(&self, text: &str) -> Option<Origin> {
        let (rest, proof) = text.rsplit_once('-')?;
        let mut parts = rest.split('-').map(|part| u64::from_str_radix(part, 16));
        let mut next = || parts.next()?.ok();
        let origin = Origin {
            key: Key {
                alert: next()?,
                delivery: next()?.try_into().ok()?,
                generation: next()?.try_into().ok()?,
            },
            serial: next()?,
        };
        let only = parts.next().is_none();
        (only && self.is_proof(&named(origin), proof)).then_some(origin)
    }

    fn is_proof(&self, named: &str, shown: &str) -> bool {
        // Of the shown text, not the text itself: compared in constant time, whatever its length.
        let right = hmac::sign(&self.0, self.proof(named).as_bytes());
        hmac::verify(&self.0, shown.as_bytes(), right.as_ref()).is_ok()
    }
}

fn named(origin: Origin) -> String {
    let Origin { key, serial } = origin;
    format!(
        "{:x}-{:x}-{:x}-{serial:x}",
        key.alert, key.delivery, key.generation
    )
}

/// The longest run of hex digits and hyphens, if it is neither too short nor too long to be one of ours.
fn candidate(after: &[u8]) -> Option<String> {
    const LONGEST: usize = 64 - PREFIX.len();
    let is_ours = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'-';
    let run: Vec<u8> = after
        .iter()
        .take(LONGEST + 1)
        .take_while(is_ours)
        .copied()
        .collect();
    let text = String::from_utf8(run).ok()?.to_ascii_lowercase();
    (PROOF + 8..=LONGEST).contains(&text.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verp() -> Verp {
        Verp::new("only a test, thirty-two characters")
    }

    fn origin(alert: u64, delivery: u32, generation: u16, serial: u64) -> Origin {
        Origin {
            key: Key {
                alert,
                delivery,
                generation,
            },
            serial,
        }
    }

    #[test]
    fn the_largest_key_still_makes_a_local_part_that_servers_must_take() {
        for one in [
            origin(0, 0, 0, 0),
            origin(u64::MAX, u32::MAX, u16::MAX, u64::MAX),
        ] {
            let local = verp().local_part(one);
            assert!(local.len() <= 64, "{local}");
            assert_eq!(verp().find(local.as_bytes()), Some(one), "{local}");
        }
    }

    #[test]
    fn it_is_found_wherever_it_stands_and_in_whatever_case() {
        let one = origin(3, 14, 1, 70);
        let local = verp().local_part(one);
        for mail in [
            format!("To: <{local}@bounce.example.org>\r\n\r\n"),
            format!("Delivered-To: {local}@bounce.example.org\r\n"),
            format!(
                "X: b+1-2\r\nY: b+3-e-1-46-00000000000000\r\nTo: {}@X",
                local.to_uppercase()
            ),
            format!("Original-Envelope-Id: {local}\r\n"),
        ] {
            assert_eq!(verp().find(mail.as_bytes()), Some(one), "{mail}");
        }
    }

    #[test]
    fn nobody_else_can_make_one() {
        let right = verp().local_part(origin(3, 14, 1, 70));
        let other =
            Verp::new("another secret of thirty-two chars").local_part(origin(3, 14, 1, 70));
        let mut wrong = vec![
            other,
            right.replacen("3-", "4-", 1),
            right.replacen("-e-", "-f-", 1),
            right.replacen("-46-", "-47-", 1),
            right[..right.len() - 1].to_owned(),
            format!("{right}0"),
            "b+".to_owned(),
            "b+3-e-1-46-".to_owned(),
            "b+-----------------------".to_owned(),
            format!("b+{}", "f".repeat(80)),
        ];
        wrong.extend((0..right.len()).map(|n| right[..n].to_owned()));
        for text in wrong {
            assert_eq!(verp().find(text.as_bytes()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_mail_can_be_searched(mail: Vec<u8>) {
            assert_eq!(verp().find(&mail), None);
        }
    }
}
