//! Long texts come in parts, in any order: each waits here for the others, and what is stored of them stays in the modem
//! until all of it is durable. This module must not read or write a port.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::pdu::{Deliver, UserData};

/// So many texts wait for a part, and for so long; then what is there of one is handed on.
const MOST: usize = 64;
const WAITS: Duration = Duration::from_mins(10);

/// What stands in a header of TS 23.040, 9.2.3.24.1 or 9.2.3.24.8: which text it is of, how many parts that has, and which
/// this is.
fn place(user: &UserData) -> Option<(u16, u8, u8)> {
    let mut rest = user.header.get(1..)?;
    while let [kind, length, more @ ..] = rest {
        let value = more.get(..usize::from(*length))?;
        let found = match (kind, value) {
            (0x00, [reference, total, number]) => Some((u16::from(*reference), *total, *number)),
            (0x08, [high, low, total, number]) => {
                Some((u16::from_be_bytes([*high, *low]), *total, *number))
            }
            _ => None,
        };
        // One part, or one that is not among its own, is a text by itself.
        if let Some((_, total, number)) = found {
            return found.filter(|_| total > 1 && (1..=total).contains(&number));
        }
        rest = &more[usize::from(*length)..];
    }
    None
}

struct Set {
    from: String,
    reference: u16,
    total: u8,
    /// By `tick`.
    since: Duration,
    /// By number, each with its place in the modem's storage where it has one.
    pieces: BTreeMap<u8, (Deliver, Option<u32>)>,
}

impl Set {
    fn is_of(&self, deliver: &Deliver, reference: u16, total: u8) -> bool {
        (self.reference, self.total) == (reference, total) && self.from == deliver.from.text()
    }

    /// As one text, with what of it lies in the modem.
    fn joined(&self) -> Option<Joined> {
        let mut pieces = self.pieces.values();
        let (first, _) = pieces.next()?;
        let mut text = first.user.text();
        for (piece, _) in pieces {
            text.push_str(&piece.user.text());
        }
        Some(Joined {
            deliver: first.clone(),
            text,
            stored: self.pieces.values().filter_map(|(_, at)| *at).collect(),
        })
    }
}

/// A text that is to be handed on.
pub struct Joined {
    /// Its first part.
    pub deliver: Deliver,
    pub text: String,
    /// Where it lies in the modem's storage.
    pub stored: Vec<u32>,
}

#[derive(Default)]
pub struct Parts(VecDeque<Set>);

impl Parts {
    /// The whole text, where this is all of it or its last part. It stays here until it is [`Self::done`].
    pub fn put(&mut self, deliver: Deliver, at: Option<u32>, tick: Duration) -> Option<Joined> {
        let Some((reference, total, number)) = place(&deliver.user) else {
            return Some(Joined {
                text: deliver.user.text(),
                deliver,
                stored: at.into_iter().collect(),
            });
        };
        let known = self
            .0
            .iter()
            .position(|set| set.is_of(&deliver, reference, total));
        let known = known.unwrap_or_else(|| {
            self.0.push_back(Set {
                from: deliver.from.text(),
                reference,
                total,
                since: tick,
                pieces: BTreeMap::new(),
            });
            self.0.len() - 1
        });
        let set = &mut self.0[known];
        set.pieces.insert(number, (deliver, at));
        (set.pieces.len() == usize::from(total))
            .then(|| set.joined())
            .flatten()
    }

    /// The text of this part is durable.
    pub fn done(&mut self, deliver: &Deliver) {
        if let Some((reference, total, _)) = place(&deliver.user) {
            self.0.retain(|set| !set.is_of(deliver, reference, total));
        }
    }

    /// A text whose other parts did not come in time, as far as it came.
    pub fn late(&self, tick: Duration) -> Option<Joined> {
        let first = self.0.front()?;
        let over = tick.saturating_sub(first.since) >= WAITS || self.0.len() > MOST;
        over.then(|| first.joined()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::{Alphabet, Number};

    fn part(header: &[u8], text: &str) -> Deliver {
        Deliver {
            from: Number::parse("+8617400000001").unwrap(),
            at: None,
            user: UserData {
                alphabet: Alphabet::Ucs2,
                header: header.to_vec(),
                data: text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            },
        }
    }

    const NOW: Duration = Duration::from_secs(5);

    #[test]
    fn parts_in_any_order_become_one_text() {
        let mut parts = Parts::default();
        let put = |parts: &mut Parts, header: &[u8], text, at| {
            parts
                .put(part(header, text), at, NOW)
                .map(|whole| whole.text)
        };
        assert_eq!(put(&mut parts, &[5, 0, 3, 7, 3, 3], "三", Some(4)), None);
        assert_eq!(put(&mut parts, &[6, 8, 4, 0, 7, 2, 1], "另", None), None);
        assert_eq!(put(&mut parts, &[5, 0, 3, 7, 3, 1], "一", Some(2)), None);
        assert_eq!(put(&mut parts, &[5, 0, 3, 7, 3, 1], "一", Some(2)), None);
        let whole = parts
            .put(part(&[5, 0, 3, 7, 3, 2], "二"), Some(3), NOW)
            .unwrap();
        assert_eq!(
            (whole.text.as_str(), whole.stored),
            ("一二三", vec![2, 3, 4])
        );
        // Until it is durable it is whole again with each of its parts.
        assert!(put(&mut parts, &[5, 0, 3, 7, 3, 2], "二", Some(3)).is_some());
        parts.done(&whole.deliver);
        assert_eq!(put(&mut parts, &[5, 0, 3, 7, 3, 2], "二", Some(3)), None);
        let other = [7, 1, 0, 8, 4, 0, 7, 2, 2];
        assert_eq!(
            put(&mut parts, &other, "一半", None).as_deref(),
            Some("另一半")
        );
    }

    #[test]
    fn a_text_by_itself_waits_for_nothing_whatever_its_header_says() {
        for header in [
            &[][..],
            &[5, 0, 3, 7, 1, 1],
            &[5, 0, 3, 7, 2, 3],
            &[5, 0, 3, 7, 2, 0],
            &[5, 0, 9, 7, 2, 1],
            &[0],
            &[3, 36, 1, 0],
        ] {
            let mut parts = Parts::default();
            let whole = parts.put(part(header, "收到"), Some(1), NOW).unwrap();
            assert_eq!(
                (whole.text.as_str(), whole.stored),
                ("收到", vec![1]),
                "{header:?}"
            );
            assert!(parts.late(Duration::MAX).is_none());
        }
    }

    #[test]
    fn what_does_not_come_is_not_waited_for_and_nothing_grows() {
        let mut parts = Parts::default();
        assert!(
            parts
                .put(part(&[5, 0, 3, 7, 2, 2], "后半"), Some(9), NOW)
                .is_none()
        );
        assert!(parts.late(NOW + WAITS / 2).is_none());
        let late = parts.late(NOW + WAITS).unwrap();
        assert_eq!(
            (late.text.as_str(), late.stored.as_slice()),
            ("后半", &[9][..])
        );
        parts.done(&late.deliver);
        assert!(parts.late(Duration::MAX).is_none());
        for reference in 0..=u8::try_from(MOST).unwrap() {
            parts.put(part(&[5, 0, 3, reference, 2, 1], "半"), None, NOW);
        }
        let late = parts.late(NOW).unwrap();
        parts.done(&late.deliver);
        assert!(parts.late(NOW).is_none() && parts.0.len() == MOST);
    }
}
