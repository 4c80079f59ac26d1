//! What a text says where its reader may confirm by reply, and whether a plan asks for it. This module must not know
//! which words count as an answer: each account's settings list them.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// `confirm` of a `[[send]]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Confirm {
    #[default]
    No,
    /// Where replies come back; elsewhere the text does not speak of it.
    Asked,
    /// A text that cannot be confirmed is not sent.
    Required,
}

impl<'de> Deserialize<'de> for Confirm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Flag(bool),
            Word(String),
        }
        let bad = || D::Error::custom("confirm is true, false or \"required\"");
        match Written::deserialize(deserializer).map_err(|_| bad())? {
            Written::Flag(false) => Ok(Self::No),
            Written::Flag(true) => Ok(Self::Asked),
            Written::Word(word) if word == "required" => Ok(Self::Required),
            Written::Word(_) => Err(bad()),
        }
    }
}

/// By the first part of a language tag.
const SENTENCES: [(&str, &str); 2] = [("zh", "回复1表示收到。"), ("en", " Reply 1 to confirm.")];

/// How to confirm, in the language of a text; Mandarin where no line has it.
pub fn sentence(language: &str) -> &'static str {
    let primary = language.split('-').next().unwrap_or_default();
    let own = SENTENCES
        .iter()
        .find(|(tag, _)| tag.eq_ignore_ascii_case(primary));
    own.unwrap_or(&SENTENCES[0]).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_is_in_the_texts_language_or_in_mandarin() {
        assert_eq!(sentence("zh-CN"), "回复1表示收到。");
        assert_eq!(sentence("EN-us"), " Reply 1 to confirm.");
        assert_eq!(sentence("bod"), sentence("zh"));
        assert_eq!(sentence(""), sentence("zh"));
    }

    #[test]
    fn a_plan_asks_or_needs_and_nothing_else() {
        #[derive(Deserialize)]
        struct Send {
            #[serde(default)]
            confirm: Confirm,
        }
        let read = |text: &str| toml::from_str::<Send>(text).map(|send| send.confirm);
        assert_eq!(read(""), Ok(Confirm::No));
        assert_eq!(read("confirm = false"), Ok(Confirm::No));
        assert_eq!(read("confirm = true"), Ok(Confirm::Asked));
        assert_eq!(read("confirm = \"required\""), Ok(Confirm::Required));
        for wrong in ["confirm = \"yes\"", "confirm = 1"] {
            let refused = read(wrong).expect_err(wrong).to_string();
            assert!(refused.contains("true, false or"), "{refused}");
        }
    }
}
