//! One message as a letter: RFC 5322 bytes and its envelope. What all letters of a variant share is encoded once. Pure;
//! this module must not talk to a server.

use std::time::{Duration, SystemTime};

use channel::{Failure, FailureClass, Message, Timestamp, Variant};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message as Mail};

/// What is the same in every letter of one channel.
pub(crate) struct Letterhead {
    pub from: Mailbox,
    /// The channel instance: two channels of one gateway never give one Message-ID.
    pub name: String,
    pub verp_domain: Option<String>,
}

pub(crate) struct Letter {
    /// Where a bounce goes.
    pub sender: Address,
    pub recipient: Address,
    pub id: String,
    pub bytes: Vec<u8>,
}

impl Letterhead {
    pub(crate) fn letter(&self, message: &Message, now: Timestamp) -> Result<Letter, Failure> {
        let recipient = recipient(message)?;
        let id = self.id(message);
        let sender = self.sender(message)?;
        let builder = Mail::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, recipient.clone()))
            .subject(message.variant.title.clone())
            .date(system_time(now))
            .message_id(Some(format!("<{id}>")))
            .raw_header(header("Auto-Submitted", "auto-generated".into()))
            .raw_header(header("X-Tocsin-Key", message.key.to_string()))
            .raw_header(header("Expires", rfc_5322(message.expires)));
        let mail = match message.variant.prepared(Body::of) {
            Body::Single(part) => builder.singlepart(part),
            Body::Multi(part) => builder.multipart(part),
        };
        // lettre's error may hold an address.
        let mail = mail.map_err(|_| {
            Failure::new(
                FailureClass::BadContent,
                "smtp:compose",
                "the text makes no letter; see its title",
            )
        })?;
        Ok(Letter {
            sender,
            recipient,
            id,
            bytes: mail.formatted(),
        })
    }

    /// The same for every try of one message.
    fn id(&self, message: &Message) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = self.name.chars().map(plain).collect();
        format!("{}.{name}@{}", message.key, self.from.email.domain())
    }

    fn sender(&self, message: &Message) -> Result<Address, Failure> {
        match &self.verp_domain {
            None => Ok(self.from.email.clone()),
            Some(domain) => Address::new(format!("b+{}", message.key), domain).map_err(|_| {
                Failure::new(
                    FailureClass::LinkDown,
                    "smtp:verp",
                    "`verp_domain` makes no address; set a domain name",
                )
            }),
        }
    }
}

fn recipient(message: &Message) -> Result<Address, Failure> {
    let bad = |code: &'static str, detail: &'static str| {
        Failure::new(FailureClass::BadAddress, code, detail)
    };
    let text = message.address.expose();
    if !text.is_ascii() {
        return Err(bad(
            "smtp:not-ascii",
            "the address has letters beyond ASCII, which are not supported",
        ));
    }
    text.parse().map_err(|_| {
        bad(
            "smtp:syntax",
            "the address is no mail address; correct it in the registry",
        )
    })
}

/// The encoded body, shared by all letters of a variant.
#[derive(Clone)]
enum Body {
    Single(SinglePart),
    Multi(MultiPart),
}

impl Body {
    fn of(variant: &Variant) -> Self {
        let text = || SinglePart::plain(variant.text.clone());
        let words = match &variant.html {
            None => Self::Single(text()),
            Some(html) => Self::Multi(MultiPart::alternative_plain_html(
                variant.text.clone(),
                html.clone(),
            )),
        };
        let Some(attached) = &variant.attachment else {
            return words;
        };
        let kind = ContentType::parse(&attached.mime).unwrap_or_else(|_| binary());
        let file = Attachment::new(attached.name.clone()).body(attached.bytes.to_vec(), kind);
        Self::Multi(match words {
            Self::Single(text) => MultiPart::mixed().singlepart(text).singlepart(file),
            Self::Multi(both) => MultiPart::mixed().multipart(both).singlepart(file),
        })
    }
}

fn binary() -> ContentType {
    ContentType::parse("application/octet-stream").expect("it is a media type")
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + at.since(Timestamp(0)).max(Duration::ZERO)
}

fn rfc_5322(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (year, month, day, hour, minute, second) = at.civil();
    let month = MONTHS[(month as usize).clamp(1, 12) - 1];
    format!("{day} {month} {year:04} {hour:02}:{minute:02}:{second:02} +0000")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use channel::{Address, Key};

    use super::*;

    fn head(verp_domain: Option<&str>) -> Letterhead {
        Letterhead {
            from: "县预警中心 <warning@example.org>"
                .parse()
                .expect("a mailbox"),
            name: "email main".into(),
            verp_domain: verp_domain.map(str::to_owned),
        }
    }

    fn message(variant: Variant, address: &str) -> Message {
        Message {
            key: Key {
                alert: 3,
                delivery: 14,
                generation: 1,
            },
            serial: 1,
            variant: Arc::new(variant),
            address: Address::new(address),
            expires: Timestamp::from_secs(1_784_048_400),
            repeat: false,
        }
    }

    fn letter(variant: Variant) -> String {
        let now = Timestamp::from_secs(1_784_044_800);
        let letter = head(None)
            .letter(&message(variant, "a@example.org"), now)
            .expect("a letter");
        assert!(letter.bytes.is_ascii(), "every server takes plain ASCII");
        String::from_utf8(letter.bytes).expect("ASCII")
    }

    #[test]
    fn a_letter_carries_its_key_its_times_and_says_that_a_machine_wrote_it() {
        let text = letter(Variant::new("zh-CN", "山洪红色预警", "立即转移。"));
        for line in [
            "Message-ID: <3-14-1.email-main@example.org>\r\n",
            "Date: Tue, 14 Jul 2026 16:00:00 +0000\r\n",
            "Expires: 14 Jul 2026 17:00:00 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "X-Tocsin-Key: 3-14-1\r\n",
            "Subject: =?utf-8?b?",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_letter_is_the_same_at_every_try() {
        let again = || {
            let one = message(Variant::new("zh-CN", "t", "x"), "a@example.org");
            head(None)
                .letter(&one, Timestamp(0))
                .expect("a letter")
                .bytes
        };
        assert_eq!(again(), again());
    }

    #[test]
    fn html_and_the_alert_itself_stand_beside_the_text() {
        let mut variant = Variant::new("zh-CN", "t", "words");
        variant.html = Some("<p>words</p>".into());
        variant.attachment = Some(channel::Attachment {
            name: "alert.xml".into(),
            mime: "application/cap+xml".into(),
            bytes: bytes::Bytes::from_static(b"<alert/>"),
        });
        let text = letter(variant);
        for part in [
            "multipart/mixed",
            "multipart/alternative",
            "text/html",
            "application/cap+xml",
            "alert.xml",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_bounce_comes_back_with_the_key_where_a_domain_is_given_for_it() {
        let one = message(Variant::new("en", "t", "x"), "a@example.org");
        let letter = head(Some("bounce.example.org"))
            .letter(&one, Timestamp(0))
            .expect("a letter");
        assert_eq!(letter.sender.to_string(), "b+3-14-1@bounce.example.org");
        assert_eq!(
            head(None)
                .letter(&one, Timestamp(0))
                .expect("a letter")
                .sender
                .to_string(),
            "warning@example.org"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        for address in [
            "nonsense",
            "甲@example.org",
            "a@example.org\r\nRCPT TO:<b@example.org>",
        ] {
            let one = message(Variant::new("en", "t", "x"), address);
            let failure = head(None)
                .letter(&one, Timestamp(0))
                .err()
                .expect("no letter");
            assert_eq!(failure.class, FailureClass::BadAddress);
            assert!(!failure.to_string().contains(address));
        }
    }

    #[test]
    fn a_title_cannot_bring_in_a_header() {
        let text = letter(Variant::new("en", "t\r\nBcc: b@example.org", "x"));
        assert!(!text.contains("\r\nBcc:"), "{text}");
    }
}
