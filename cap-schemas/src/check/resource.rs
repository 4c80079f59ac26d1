//! Rules of the resource element. Nothing is fetched.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::base64;
use crate::codes::Version;
use crate::finding::{Findings, Place};
use crate::model::Resource;
use crate::rules;

pub(super) fn check(resource: &Resource, version: Version, here: &Place, findings: &mut Findings) {
    if resource.desc.is_empty() {
        findings.add(&rules::RESOURCE_DESC, &here.child("resourceDesc"));
    }
    match &resource.mime_type {
        Some(mime) if !is_mime(mime) => {
            findings.quote(&rules::MIME_TYPE, &here.child("mimeType"), mime);
        }
        None if version == Version::V1_2 => {
            findings.add(&rules::MIME_TYPE, &here.child("mimeType"));
        }
        _ => {}
    }
    if resource.uri.is_some() && resource.size.is_none() {
        findings.add(&rules::SIZE, &here.child("size"));
    }
    if let Some(uri) = &resource.uri {
        if uri.contains(char::is_whitespace) {
            findings.add(&rules::URI, &here.child("uri"));
        } else if !is_absolute(uri) && resource.deref_uri.is_none() {
            findings.add(&rules::URI_RELATIVE, &here.child("uri"));
        }
    }
    content(resource, here, findings);
}

fn content(resource: &Resource, here: &Place, findings: &mut Findings) {
    let given = resource.digest.as_deref();
    if given.is_some_and(|given| {
        given.len() != 40 || !given.bytes().all(|byte| byte.is_ascii_hexdigit())
    }) {
        findings.quote(
            &rules::DIGEST,
            &here.child("digest"),
            "not 40 hexadecimal digits",
        );
        return;
    }
    let Some(text) = &resource.deref_uri else {
        return;
    };
    findings.add(&rules::DEREF_ONE_WAY, &here.child("derefUri"));
    let Some(bytes) = base64::decode(text) else {
        findings.add(&rules::DEREF_BASE64, &here.child("derefUri"));
        return;
    };
    if given.is_some_and(|given| !is_digest(given, &bytes)) {
        let of_text = given.is_some_and(|given| is_digest(given, text.as_bytes()));
        let found = if of_text {
            "the SHA-1 of the base64 text"
        } else {
            "another SHA-1"
        };
        findings.quote(&rules::DIGEST, &here.child("digest"), found);
    }
}

fn is_digest(given: &str, bytes: &[u8]) -> bool {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let nibble =
        |n: usize| digest.as_ref()[n / 2] >> (if n.is_multiple_of(2) { 4 } else { 0 }) & 0xF;
    given.len() == 40
        && given
            .chars()
            .enumerate()
            .all(|(n, c)| c.to_digit(16) == Some(nibble(n).into()))
}

fn is_mime(mime: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let essence = mime.split(';').next().unwrap_or_default().trim();
    essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// It has a scheme and something after it, and no white space.
pub(super) fn is_absolute(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
            && !rest.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mime_types_may_have_parameters_and_capitals() {
        assert!(
            [
                "image/png",
                "Text/Html",
                "image/png;type=map",
                "audio/x-ipaws-audio-mp3"
            ]
            .iter()
            .all(|m| is_mime(m))
        );
        assert!(
            ["image", "image/", "/png", "a b/c"]
                .iter()
                .all(|m| !is_mime(m))
        );
    }
}
