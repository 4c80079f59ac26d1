//! The signature of a bureau, `【平武气象】`: where a far end wants it. Texts come with it in front, and it is counted
//! with them. This module must not know whether a signature is filed.

use std::borrow::Cow;

use serde::Deserialize;

/// Where an account's far end wants the signature.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// Before the text, as it comes.
    #[default]
    Front,
    /// Behind the text.
    Back,
}

impl Signature {
    /// The text as it travels.
    pub fn place(self, text: &str) -> Cow<'_, str> {
        match (self, split(text)) {
            (Self::Back, (Some(_), body)) => {
                let signature = &text[..text.len() - body.len()];
                Cow::Owned(format!("{body}{signature}"))
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// A text's signature, without its brackets, and what stands behind it.
pub fn split(text: &str) -> (Option<&str>, &str) {
    let signed = text
        .strip_prefix('【')
        .and_then(|rest| rest.split_once('】'));
    match signed {
        Some((name, body)) if !name.is_empty() => (Some(name), body),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_found_in_front_and_nowhere_else() {
        assert_eq!(split("【平武气象】暴雨"), (Some("平武气象"), "暴雨"));
        for plain in ["暴雨【平武气象】", "【】暴雨", "【平武气象", "", "暴雨"] {
            assert_eq!(split(plain), (None, plain));
        }
    }

    #[test]
    fn a_signature_is_moved_whole_and_a_text_without_one_stays() {
        let text = "【平武气象】【演练】暴雨。";
        assert_eq!(Signature::Front.place(text), text);
        assert_eq!(Signature::Back.place(text), "【演练】暴雨。【平武气象】");
        assert_eq!(Signature::Back.place("暴雨"), "暴雨");
    }
}
