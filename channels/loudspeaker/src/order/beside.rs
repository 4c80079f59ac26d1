//! Orders that were signed at once: one signature over the hashes of all their bodies, which stand beside each. To sign is
//! what takes the longest where every terminal has an order of its own and seconds count. Pure: this module must not hold
//! a key.

use ring::digest::{SHA256, digest};

/// So many are signed at once: more would lengthen each answer, which goes over a village's mobile line, by more than the
/// signature takes.
pub const AT_ONCE: usize = 8;
/// No set is longer.
const MOST: usize = 64;
/// What is signed begins with this line. No order begins so, and nothing else that a gateway's key signs.
const HEAD: &str = "tocsin-orders-1";

/// SHA-256 of a body, in hex.
pub(super) fn hash(body: &str) -> String {
    hex::encode(digest(&SHA256, body.as_bytes()))
}

/// What is signed of these bodies: the head and each hash, a line each.
pub(super) fn signed_text(hashes: &[String]) -> String {
    let mut text = format!("{HEAD}\n");
    for hash in hashes {
        text.push_str(hash);
        text.push('\n');
    }
    text
}

/// The bytes that the signature of a body is over; nothing where the set is none, or the body is not in it.
pub(super) fn covered(body: &str, beside: &[String]) -> Option<Vec<u8>> {
    if beside.is_empty() {
        return Some(body.as_bytes().to_vec());
    }
    let whole = |hash: &String| {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        hash.len() == 64 && hash.bytes().all(digit)
    };
    let fits = beside.len() <= MOST && beside.iter().all(whole) && beside.contains(&hash(body));
    fits.then(|| signed_text(beside).into_bytes())
}
