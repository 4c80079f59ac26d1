//! What an address of each kind has to look like. This module must not repeat an address.

use crate::model::{EndpointKind, EndpointRow};

/// What is wrong with an address's shape, and what to do. The address itself is not said.
pub fn misshapen(endpoint: &EndpointRow) -> Option<(&'static str, &'static str)> {
    let address = endpoint.address.as_str();
    let sound = match endpoint.kind {
        EndpointKind::Mobile => is_mobile(address),
        EndpointKind::Satellite => digits(address.strip_prefix('+').unwrap_or(address), 7..=15),
        EndpointKind::Landline => is_landline(address),
        EndpointKind::Mailbox => is_mailbox(address),
        EndpointKind::Openid | EndpointKind::Speaker => {
            (1..=128).contains(&address.len())
                && address.bytes().all(|byte| byte.is_ascii_graphic())
        }
    };
    if sound {
        return None;
    }
    Some(match endpoint.kind {
        EndpointKind::Mobile => (
            "has no mobile number",
            "give 11 digits, or + and 8 to 15 digits",
        ),
        EndpointKind::Satellite => ("has no satellite number", "give 7 to 15 digits"),
        EndpointKind::Landline => (
            "has no landline number",
            "give 7 to 12 digits, the area code before a hyphen if you like",
        ),
        EndpointKind::Mailbox => ("has no mail address", "give one of the form name@host"),
        EndpointKind::Openid => (
            "has no openid",
            "give the 1 to 128 plain characters of the service account",
        ),
        EndpointKind::Speaker => (
            "has no speaker id",
            "give the 1 to 128 plain characters its platform knows",
        ),
    })
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

fn is_landline(address: &str) -> bool {
    match address.split_once('-') {
        Some((area, local)) => digits(area, 2..=5) && digits(local, 5..=9),
        None => digits(address, 7..=12),
    }
}

fn is_mailbox(address: &str) -> bool {
    address.len() <= 254
        && !address.chars().any(|c| c.is_whitespace() || c.is_control())
        && address
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}
