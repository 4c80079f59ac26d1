//! Where sound goes and how it is coded: the offer that a call makes and the answer that comes back (RFC 4566, RFC
//! 3264). Pure; this module must not open a socket.

use std::net::{IpAddr, SocketAddr};

use crate::g711::Codec;

/// The number of telephone events in our offer.
pub const EVENTS: u8 = 101;

/// What we offer: G.711 both ways, and keys as events.
pub fn offer(here: SocketAddr, session: u32) -> String {
    described(here, session, &[Codec::Alaw, Codec::Ulaw])
}

/// A description with these codecs; an answer has one.
pub(crate) fn described(here: SocketAddr, session: u32, codecs: &[Codec]) -> String {
    let (ip, port) = (here.ip(), here.port());
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let numbers: Vec<_> = codecs
        .iter()
        .map(|codec| codec.payload_type().to_string())
        .collect();
    let numbers = numbers.join(" ");
    let maps: String = codecs
        .iter()
        .map(|codec| match codec {
            Codec::Alaw => "a=rtpmap:8 PCMA/8000\r\n",
            Codec::Ulaw => "a=rtpmap:0 PCMU/8000\r\n",
        })
        .collect();
    format!(
        "v=0\r\no=- {session} {session} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {numbers} {EVENTS}\r\n{maps}\
         a=rtpmap:{EVENTS} telephone-event/8000\r\na=fmtp:{EVENTS} 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

/// What the far end takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Media {
    pub to: SocketAddr,
    pub codec: Codec,
    /// The number under which it sends keys, where it does.
    pub events: Option<u8>,
}

/// The part of a description that a line belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    Audio,
    Other,
}

/// Reads a description: its first sound that is not refused.
pub fn read(body: &[u8]) -> Option<Media> {
    let text = std::str::from_utf8(body).ok()?;
    let (mut ip, mut media, mut events, mut part) = (None, None, None, Part::All);
    for line in text.lines() {
        let Some((kind, value)) = line.split_once('=') else {
            continue;
        };
        match kind {
            "m" => {
                media = media.or_else(|| audio(value));
                let now = media.is_some() && part != Part::Audio && value.starts_with("audio ");
                part = if now { Part::Audio } else { Part::Other };
            }
            "c" if part != Part::Other => ip = connection(value).or(ip),
            "a" if part == Part::Audio => events = events.or_else(|| event_map(value)),
            _ => {}
        }
    }
    let (number, codec) = media?;
    Some(Media {
        to: SocketAddr::new(ip?, number),
        codec,
        events,
    })
}

fn connection(value: &str) -> Option<IpAddr> {
    let address = value.split_whitespace().nth(2)?;
    address.split('/').next()?.parse().ok()
}

/// Port and codec of a media line. Port 0 means refused.
fn audio(value: &str) -> Option<(u16, Codec)> {
    let mut words = value.strip_prefix("audio ")?.split_whitespace();
    let port = words.next()?.split('/').next()?.parse().ok()?;
    let codec = words.skip(1).find_map(|n| Codec::of(n.parse().ok()?))?;
    (port != 0).then_some((port, codec))
}

fn event_map(value: &str) -> Option<u8> {
    let (number, name) = value.strip_prefix("rtpmap:")?.split_once(' ')?;
    let is = name
        .trim()
        .to_ascii_lowercase()
        .starts_with("telephone-event/8000");
    number.parse().ok().filter(|n| is && *n < 128)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn our_own_offer_is_read_back() {
        let here = "192.0.2.4:16384".parse().unwrap();
        let media = Media {
            to: here,
            codec: Codec::Alaw,
            events: Some(EVENTS),
        };
        assert_eq!(read(offer(here, 7).as_bytes()), Some(media));
        let six = "[2001:db8::1]:9000".parse().unwrap();
        assert_eq!(read(offer(six, 7).as_bytes()).unwrap().to, six);
    }

    #[test]
    fn a_mediums_own_address_and_the_first_codec_that_we_know_count() {
        let text = "v=0\r\no=x 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\nm=video 5 RTP/AVP 8\r\n\
                    c=IN IP4 192.0.2.9\r\nm=audio 4000/2 RTP/AVP 18 0 8 96\r\nc=IN IP4 192.0.2.2/127\r\n\
                    a=rtpmap:96 Telephone-Event/8000\r\n";
        let media = read(text.as_bytes()).unwrap();
        assert_eq!(media.to, "192.0.2.2:4000".parse().unwrap());
        assert_eq!((media.codec, media.events), (Codec::Ulaw, Some(96)));
    }

    #[test]
    fn what_we_cannot_speak_is_no_media() {
        for text in [
            "",
            "m=audio 4000 RTP/AVP 8\r\n",
            "c=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 8\r\n",
            "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 18\r\n",
            "c=IN IP4 host.example\r\nm=audio 4000 RTP/AVP 8\r\n",
            "c=IN IP4 192.0.2.1\r\nm=image 4000 udptl t38\r\n",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            lines in prop::collection::vec("[cmav]=[ -~]{0,40}", 0..12),
        ) {
            let _ = read(&bytes);
            let _ = read(lines.join("\r\n").as_bytes());
        }
    }
}
