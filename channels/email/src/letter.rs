//! One message as a letter: RFC 5322 bytes and its envelope. What all letters of a variant share is encoded once. Pure;
//! this module must not talk to a server.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use channel::{Failure, FailureClass, Message, Timestamp, Variant};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message as Mail};
use ring::digest;

use crate::bounces::Returns;
use crate::html;
use crate::verp::Origin;

/// What is the same in every letter of one channel.
pub(crate) struct Letterhead {
    pub from: Mailbox,
    /// The channel instance: two channels of one gateway never give one Message-ID.
    pub name: String,
    /// Set where each letter has a return address of its own.
    pub returns: Option<Arc<Returns>>,
}

pub(crate) struct Letter {
    /// Where a bounce goes.
    pub sender: Address,
    /// It names the message and the try, and a server that tells what became of the letter repeats it (RFC 3461).
    pub envelope_id: Option<String>,
    pub recipient: Address,
    pub id: String,
    pub bytes: Vec<u8>,
}

impl Letterhead {
    pub(crate) fn letter(&self, message: &Message, now: Timestamp) -> Result<Letter, Failure> {
        let recipient = recipient(message)?;
        let id = self.id(message);
        let (sender, envelope_id) = self.sender(message)?;
        let builder = Mail::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, recipient.clone()))
            .subject(message.variant.title.clone())
            .date(system_time(now))
            .message_id(Some(format!("<{id}>")))
            .raw_header(header("Auto-Submitted", "auto-generated".into()))
            .raw_header(header("X-Tocsin-Key", message.key.to_string()))
            .raw_header(header("Expires", rfc_5322(message.expires)));
        let mail = builder.multipart(message.variant.prepared(body));
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
            envelope_id,
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

    fn sender(&self, message: &Message) -> Result<(Address, Option<String>), Failure> {
        let Some(returns) = &self.returns else {
            return Ok((self.from.email.clone(), None));
        };
        let local = returns.verp.local_part(Origin {
            key: message.key,
            serial: message.serial,
        });
        let address = Address::new(&local, &returns.domain).map_err(|_| {
            Failure::new(
                FailureClass::LinkDown,
                "smtp:verp",
                "`bounces.domain` makes no address; set a domain name",
            )
        })?;
        Ok((address, Some(local)))
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

/// The encoded body, shared by all letters of a variant: text and page, the alert's own file beside them.
fn body(variant: &Variant) -> MultiPart {
    let page = variant.html.clone().unwrap_or_else(|| html::page(variant));
    let mark = mark(variant, &page);
    let words = MultiPart::alternative()
        .boundary(format!("words_{mark}"))
        .singlepart(SinglePart::plain(variant.text.clone()))
        .singlepart(SinglePart::html(page));
    let Some(attached) = &variant.attachment else {
        return words;
    };
    let kind = ContentType::parse(&attached.mime).unwrap_or_else(|_| binary());
    let file = Attachment::new(attached.name.clone()).body(attached.bytes.to_vec(), kind);
    MultiPart::mixed()
        .boundary(format!("letter_{mark}"))
        .multipart(words)
        .singlepart(file)
}

/// What parts the parts. Made from all that it parts, it stands in none of them, and is the same after a restart.
fn mark(variant: &Variant, page: &str) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    let attached = variant.attachment.as_ref();
    let attached = attached.map_or(&[][..], |attached| &attached.bytes);
    for part in [variant.text.as_bytes(), page.as_bytes(), attached] {
        hash.update(part);
    }
    let mut mark = hex::encode(hash.finish());
    mark.truncate(32);
    mark
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
    use channel::{Address, Key, Secret};

    use crate::config::Bounces;

    use super::*;

    fn returns() -> Arc<Returns> {
        let made = Returns::new(&Bounces {
            domain: "bounce.example.org".into(),
            secret: Secret::new("only a test, thirty-two characters"),
            token_sha256: "00".repeat(32),
            mailbox_counts: false,
        });
        Arc::new(made.expect("a good configuration"))
    }

    fn head(returns: Option<Arc<Returns>>) -> Letterhead {
        Letterhead {
            from: "县预警中心 <warning@example.org>"
                .parse()
                .expect("a mailbox"),
            name: "email main".into(),
            returns,
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
    fn a_text_cannot_bring_in_a_part() {
        let honest = Variant::new("en", "t", "x");
        let mark = mark(&honest, &html::page(&honest));
        let text = format!("x\r\n--words_{mark}\r\nContent-Type: text/html\r\n\r\n<b>y</b>");
        let sent = letter(Variant::new("en", "t", text));
        let boundary = sent
            .split("boundary=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let boundary = boundary.expect("a boundary");
        assert_eq!(sent.matches(&format!("--{boundary}")).count(), 3, "{sent}");
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
        let made = |returns| {
            let letter = head(returns).letter(&one, Timestamp(0)).expect("a letter");
            (letter.sender.to_string(), letter.envelope_id)
        };
        let returns = returns();
        let (sender, envelope_id) = made(Some(returns.clone()));
        let found = returns.verp.find(sender.as_bytes()).expect("it is proved");
        assert_eq!((found.key, found.serial), (one.key, one.serial));
        assert!(sender.ends_with("@bounce.example.org"), "{sender}");
        assert_eq!(envelope_id.as_deref(), sender.split('@').next());
        assert_eq!(made(None), ("warning@example.org".to_owned(), None));
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
        let (headers, _) = text.split_once("\r\n\r\n").expect("headers and a body");
        assert!(!headers.contains("\r\nBcc:"), "{text}");
    }
}
