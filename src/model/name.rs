//! What a configured thing may be called, where its name is journaled and shown. This module must not know what is named.

/// Letters, digits and hyphens, at most 40.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
