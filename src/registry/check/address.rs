//! What an address of each kind has to look like. This module must not repeat an address.

use crate::model::{EndpointKind, EndpointRow, is_word};

/// What is wrong with an address's shape, and what to do. The address itself is not said.
pub fn misshapen(endpoint: &EndpointRow) -> Option<(&'static str, &'static str)> {
    let address = endpoint.address.as_str();
    let sound = match endpoint.kind {
        EndpointKind::Mobile => is_mobile(address),
        EndpointKind::Satellite => digits(address.strip_prefix('+').unwrap_or(address), 8..=15),
        EndpointKind::Beidou => digits(address, 7..=7),
        EndpointKind::Landline => is_landline(address),
        EndpointKind::Mailbox => is_mailbox(address),
        EndpointKind::Member => is_member(address),
        EndpointKind::Group => {
            (1..=64).contains(&address.len())
                && !address.chars().any(|c| c.is_whitespace() || c.is_control())
        }
        EndpointKind::Openid | EndpointKind::Speaker => {
            (1..=128).contains(&address.len())
                && address.bytes().all(|byte| byte.is_ascii_graphic())
        }
        EndpointKind::Manual => is_outlet(address),
    };
    if endpoint.kind == EndpointKind::Mobile && looks_like_landline(address) {
        return Some((
            "has a landline's number as a mobile one",
            "give it as a landline: no text reaches it, only a call",
        ));
    }
    (!sound).then(|| wanted(endpoint.kind))
}

/// What is wrong with an address of this kind, and what to give.
const fn wanted(kind: EndpointKind) -> (&'static str, &'static str) {
    match kind {
        EndpointKind::Mobile => (
            "has no mobile number",
            "give 11 digits, or + and 8 to 15 digits",
        ),
        EndpointKind::Satellite => (
            "has no satellite telephone's number",
            "give 8 to 15 digits; a Beidou card of 7 digits is of the kind beidou",
        ),
        EndpointKind::Beidou => ("has no Beidou card's number", "give its 7 digits"),
        EndpointKind::Landline => (
            "has no landline number",
            "give 7 to 12 digits, the area code before a hyphen if you like",
        ),
        EndpointKind::Mailbox => ("has no mail address", "give one of the form name@host"),
        EndpointKind::Openid => (
            "has no openid",
            "give the 1 to 128 plain characters of the service account",
        ),
        EndpointKind::Member => (
            "has no WeCom user id",
            "give 1 to 64 letters, digits and . _ - @, the first no @",
        ),
        EndpointKind::Group => (
            "has no group name",
            "give the name, of 1 to 64 bytes without spaces, that its robot has in the channel's settings",
        ),
        EndpointKind::Speaker => (
            "has no speaker id",
            "give the 1 to 128 plain characters its platform knows",
        ),
        EndpointKind::Manual => (
            "has no outlet's address",
            "give a kind, a colon and 1 to 64 small letters, digits and hyphens: tv:pingwu",
        ),
    }
}

/// The number at which somebody is called.
pub fn is_telephone(text: &str) -> bool {
    is_mobile(text) || is_landline(text)
}

/// A card's number, or what is printed on it.
pub fn is_card(text: &str) -> bool {
    digits(text, 11..=20)
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_mobile(address: &str) -> bool {
    match address.strip_prefix('+') {
        Some(international) => digits(international, 8..=15),
        None => digits(address, 11..=11),
    }
}

/// An area code, a bare local number, or a service number 400 or 800, with China's own code before it or not. No area
/// code begins with 00, which is how one dials out.
fn looks_like_landline(address: &str) -> bool {
    let national = address.strip_prefix("+86");
    let digits: String = address.chars().filter(|c| *c != '-').collect();
    let own = national.unwrap_or(address);
    let local = !address.starts_with('+');
    let mut first = own.bytes();
    match (first.next(), first.next()) {
        (Some(b'0'), Some(b'1'..=b'9')) => local || national.is_some(),
        (Some(b'2'..=b'9'), _) if national.is_some() => true,
        (Some(b'1'), Some(b'0')) if national.is_some() => own.len() < 11,
        (Some(b'4' | b'8'), Some(b'0')) if local => digits.len() == 10,
        _ => local && (7..=8).contains(&digits.len()) && is_landline(address),
    }
}

fn is_landline(address: &str) -> bool {
    match address.split_once('-') {
        Some((area, local)) => digits(area, 2..=5) && digits(local, 5..=9),
        None => digits(address, 7..=12),
    }
}

/// `@all` and lists are no members.
fn is_member(address: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    (1..=64).contains(&address.len()) && !address.starts_with('@') && address.bytes().all(plain)
}

/// It stands in links: a place's name, never a person's. Which kinds there are the channel knows.
fn is_outlet(address: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    address.split_once(':').is_some_and(|(kind, name)| {
        is_word(kind) && (1..=64).contains(&name.len()) && name.bytes().all(plain)
    })
}

fn is_mailbox(address: &str) -> bool {
    address.len() <= 254
        && !address.chars().any(|c| c.is_whitespace() || c.is_control())
        && address
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: EndpointKind, address: &str) -> Option<&'static str> {
        let endpoint = EndpointRow {
            id: 1,
            recipient: Some(1),
            kind,
            address: address.to_owned(),
        };
        misshapen(&endpoint).map(|(what, _)| what)
    }

    #[test]
    fn a_landline_is_no_mobile_number_in_whatever_form_it_comes() {
        for landline in [
            "08160000001",
            "0816-0000001",
            "02800000001",
            "01000000001",
            "+868160000001",
            "+8608160000001",
            "+861000000001",
            "4000000001",
            "800-000-0001",
            "5550001",
            "55500012",
        ] {
            let what = told(EndpointKind::Mobile, landline);
            assert!(
                what.is_some_and(|w| w.contains("landline")),
                "{landline}: {what:?}"
            );
        }
        for landline in ["08160000001", "0816-0000001", "5550001", "4000000001"] {
            assert_eq!(told(EndpointKind::Landline, landline), None, "{landline}");
        }
        for mobile in [
            "13900000001",
            "00012345678",
            "+8613900000001",
            "+4400000000001",
            "17400000001",
        ] {
            assert_eq!(told(EndpointKind::Mobile, mobile), None, "{mobile}");
        }
        assert_eq!(
            told(EndpointKind::Mobile, "12345"),
            Some("has no mobile number")
        );
    }
}
