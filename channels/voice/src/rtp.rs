//! Packets of sound and of keys: RTP (RFC 3550) and its telephone events (RFC 4733). Pure; this module must not hold a
//! socket, and nothing in a packet may make it hold more than the packet.

/// One packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub source: u32,
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(12 + self.payload.len());
        out.push(0x80);
        out.push(u8::from(self.marker) << 7 | self.payload_type & 0x7F);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.source.to_be_bytes());
        out.extend_from_slice(self.payload);
        out
    }

    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(12)?;
        if head[0] >> 6 != 2 {
            return None;
        }
        let mut payload = rest.get(usize::from(head[0] & 0xF) * 4..)?;
        if head[0] & 0x10 != 0 {
            let words = u16::from_be_bytes([*payload.get(2)?, *payload.get(3)?]);
            payload = payload.get(4 + usize::from(words) * 4..)?;
        }
        if head[0] & 0x20 != 0 {
            let padding = usize::from(*payload.last()?);
            payload = payload.get(..payload.len().checked_sub(padding.max(1))?)?;
        }
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        Some(Self {
            payload_type: head[1] & 0x7F,
            marker: head[1] & 0x80 != 0,
            sequence: u16::from_be_bytes([head[2], head[3]]),
            timestamp: word(4),
            source: word(8),
            payload,
        })
    }
}

/// Which key an event is: `0` to `9`, `*`, `#`.
fn name(event: u8) -> Option<char> {
    match event {
        0..=9 => char::from_digit(event.into(), 10),
        10 => Some('*'),
        11 => Some('#'),
        _ => None,
    }
}

/// How loud a key sounds: 10 below the loudest.
const VOLUME: u8 = 10;

/// A key as the four bytes of an event, `ended` after so many samples.
pub fn event(key: char, ended: bool, duration: u16) -> Option<[u8; 4]> {
    let code = (0..=11).find(|code| name(*code) == Some(key))?;
    let [high, low] = duration.to_be_bytes();
    Some([code, u8::from(ended) << 7 | VOLUME, high, low])
}

/// Reads keys out of event packets. A key comes in many packets of one timestamp, the last of them three times: it is
/// told once, with the first that arrives.
#[derive(Default, Debug)]
pub struct Keys {
    last: Option<(u32, u32)>,
}

impl Keys {
    pub fn hear(&mut self, packet: &Packet<'_>) -> Option<char> {
        let [event, _, _, _] = packet.payload else {
            return None;
        };
        let this = Some((packet.source, packet.timestamp));
        if self.last == this {
            return None;
        }
        self.last = this;
        name(*event)
    }
}

/// The key in a SIP INFO body: `application/dtmf-relay` writes `Signal=1`, `application/dtmf` the key alone.
pub fn key_in_info(body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body.get(..64).unwrap_or(body)).ok()?;
    let named = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("signal")
            .then(|| value.trim())
    });
    let mut letters = named.unwrap_or(text.trim()).chars();
    let key = letters
        .next()
        .filter(|key| key.is_ascii_digit() || "*#".contains(*key))?;
    letters.next().is_none().then_some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn packet(timestamp: u32, payload: &[u8]) -> Packet<'_> {
        Packet {
            payload_type: 101,
            marker: false,
            sequence: 7,
            timestamp,
            source: 9,
            payload,
        }
    }

    #[test]
    fn a_key_is_told_once_however_often_its_packets_come() {
        let mut keys = Keys::default();
        let (begun, ended) = (
            event('1', false, 160).unwrap(),
            event('1', true, 800).unwrap(),
        );
        assert_eq!(keys.hear(&packet(100, &begun)), Some('1'));
        for payload in [&begun, &ended, &ended, &ended] {
            assert_eq!(keys.hear(&packet(100, payload)), None);
        }
        assert_eq!(keys.hear(&packet(900, &ended)), Some('1'), "a second press");
        assert_eq!(
            keys.hear(&packet(950, &event('#', true, 1).unwrap())),
            Some('#')
        );
        assert_eq!(
            keys.hear(&packet(960, &[16, 0, 0, 0])),
            None,
            "a flash is no key"
        );
        assert_eq!(keys.hear(&packet(970, &[1])), None, "too short");
    }

    #[test]
    fn keys_in_info_bodies_are_read_in_both_ways_of_writing() {
        for (body, key) in [
            ("Signal=1\r\nDuration=160\r\n", Some('1')),
            ("signal = 2\n", Some('2')),
            ("9", Some('9')),
            (" # ", Some('#')),
            ("Signal=12", None),
            ("Signal=\u{6536}", None),
            ("", None),
        ] {
            assert_eq!(key_in_info(body.as_bytes()), key, "{body:?}");
        }
        assert_eq!(key_in_info(&[0xFF; 4000]), None);
    }

    #[test]
    fn contributors_extensions_and_padding_are_stepped_over() {
        let mut bytes = vec![0xB1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend_from_slice(&[9; 4]); // one contributor
        bytes.extend_from_slice(&[0, 0, 0, 1, 8, 8, 8, 8]); // an extension of one word
        bytes.extend_from_slice(&[1, 2, 3, 0, 0, 3]); // padding of three
        assert_eq!(Packet::read(&bytes).unwrap().payload, [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn a_packet_survives_writing_and_reading(
            payload_type in 0_u8..128, marker: bool, sequence: u16, timestamp: u32, source: u32,
            payload in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let packet = Packet { payload_type, marker, sequence, timestamp, source, payload: &payload };
            let bytes = packet.write();
            prop_assert_eq!(Packet::read(&bytes), Some(packet));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(packet) = Packet::read(&bytes) {
                prop_assert!(packet.payload.len() + 12 <= bytes.len());
                let _ = Keys::default().hear(&packet);
            }
            let _ = key_in_info(&bytes);
        }
    }
}
