//! The words by which a person acknowledges, on every channel that people can write back on. This module must not say to
//! which alert: whoever knows what was sent to that address does.

use serde::Deserialize;

/// One of these words is the whole text, but for spaces, signs, width and letter case.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(transparent)]
pub struct Acknowledge(Vec<String>);

impl Default for Acknowledge {
    fn default() -> Self {
        Self(["1", "收到"].map(str::to_owned).to_vec())
    }
}

impl Acknowledge {
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        Self(words.into_iter().collect())
    }

    /// Whether each word has a letter or digit: one without would be every empty text.
    pub fn is_valid(&self) -> bool {
        self.0.iter().all(|word| !plain(word).is_empty())
    }

    /// The one to name where people are told what to write.
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    pub fn accepts(&self, text: &str) -> bool {
        let text = plain(text);
        self.0.iter().any(|word| plain(word) == text)
    }
}

/// Letters and digits alone, in one width and one case.
fn plain(text: &str) -> String {
    let half = |c: char| match c {
        // Full-width forms lie this far from ASCII's.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    let kept = text.chars().map(half).filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_whole_text_but_for_signs_and_width() {
        let words = Acknowledge::new(["1".to_owned(), "收到".to_owned(), "OK".to_owned()]);
        for yes in ["1", " １。", "收到！", "收 到", "ok", "Ｏk"] {
            assert!(words.accepts(yes), "{yes}");
        }
        for no in ["", "11", "没收到", "收到1", "2", "。"] {
            assert!(!words.accepts(no), "{no}");
        }
        assert!(
            !Acknowledge::new(["。".to_owned()]).is_valid(),
            "it would take every empty text"
        );
    }
}
