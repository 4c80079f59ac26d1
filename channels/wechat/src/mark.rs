//! The names under which the messages of one request are kept: the request's id and each member's own mark, from which
//! nobody reads the member without the application's secret. This module must not keep anything.

use ring::hmac;

pub(crate) struct Marks(hmac::Key);

impl Marks {
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// The far end does not tell the case of a member's id.
    pub fn reference(&self, group: &str, member: &str) -> String {
        let words = format!("{group}|{}", member.to_ascii_lowercase());
        let mark = hmac::sign(&self.0, words.as_bytes());
        format!("{group}.{}", hex::encode(&mark.as_ref()[..8]))
    }
}

/// Compares in constant time: two MACs under a key of this run.
pub(crate) struct Equal(hmac::Key);

impl Equal {
    pub fn new() -> Self {
        let mut key = [0; 32];
        fastrand::fill(&mut key);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    pub fn is(&self, shown: &str, right: &str) -> bool {
        let right = hmac::sign(&self.0, right.as_bytes());
        hmac::verify(&self.0, shown.as_bytes(), right.as_ref()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_does_not_show_the_member_and_differs_by_member_request_and_secret() {
        let marks = Marks::new("secret");
        let one = marks.reference("m1", "zhang-demo");
        assert!(one.starts_with("m1.") && !one.contains("zhang"), "{one}");
        assert_eq!(one, marks.reference("m1", "Zhang-Demo"));
        for other in [
            marks.reference("m1", "li-demo"),
            marks.reference("m2", "zhang-demo"),
            Marks::new("other").reference("m1", "zhang-demo"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn only_the_same_is_equal() {
        let equal = Equal::new();
        assert!(equal.is("abc", "abc"));
        assert!(!equal.is("abd", "abc") && !equal.is("", "abc") && !equal.is("abc", ""));
    }
}
