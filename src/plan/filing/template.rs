//! A filed template (短信模板): words that stand, and `{}` or `{name}` where anything may. This module must not know an
//! account.

use serde::Deserialize;

/// As a carrier or provider has it on file, without the signature.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub id: String,
    pub text: String,
}

impl Template {
    /// The words that stand, in order: between each two of them, and nowhere else, there is something else.
    fn words(&self) -> Vec<&str> {
        let mut words = Vec::new();
        let mut rest = self.text.as_str();
        loop {
            let open = rest.find('{');
            // A brace that is never closed is a word.
            let close = open.and_then(|open| Some((open, open + rest[open..].find('}')?)));
            let Some((open, close)) = close else {
                words.push(rest);
                return words;
            };
            words.push(&rest[..open]);
            rest = &rest[close + 1..];
        }
    }

    pub fn has_variable(&self) -> bool {
        self.words().len() > 1
    }

    /// Whether a text can be made from it: a variable is one character at least, and may be many.
    pub fn fits(&self, text: &str) -> bool {
        let words = self.words();
        let [first, middle @ .., last] = words.as_slice() else {
            return words == [text];
        };
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        // The first place that each can have leaves the most to those after it.
        for word in middle {
            let Some(found) = behind_one(rest).and_then(|room| Some((room, room.find(word)?)))
            else {
                return false;
            };
            rest = &found.0[found.1 + word.len()..];
        }
        behind_one(rest).is_some_and(|room| room.ends_with(last))
    }
}

/// What follows the first character.
fn behind_one(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(text: &str) -> Template {
        Template {
            id: "T".into(),
            text: text.into(),
        }
    }

    fn fits(text: &str, said: &str) -> bool {
        template(text).fits(said)
    }

    #[test]
    fn a_text_is_matched_against_the_words_that_stand() {
        assert!(fits(
            "{}发布{}预警。{}",
            "县水利局发布山洪红色预警。请立即转移。"
        ));
        assert!(fits("{unit}发布{}预警。", "气象台发布发布预警预警。"));
        assert!(
            !fits("{}发布{}预警。", "发布山洪预警。"),
            "nothing before it"
        );
        assert!(!fits("{}预警。", "预警。"), "a variable is not empty");
        assert!(!fits("{}预警。", "山洪预警。速转移"), "the end is fixed");
        assert!(fits("{}", "x") && !fits("{}", ""));
        assert!(fits("{}{}", "两字") && !fits("{}{}", "字"));
        assert!(fits("雨", "雨") && !fits("雨", "雨雨"));
        assert!(fits("{雨", "{雨"), "a brace that is never closed");
    }

    #[test]
    fn a_template_without_a_variable_is_known_for_what_it_is() {
        assert!(template("a{}b").has_variable() && template("{}").has_variable());
        assert!(!template("ab").has_variable() && !template("a{b").has_variable());
    }

    /// As slow and as plain as can be: each variable is tried in every length.
    fn oracle(template: &[char], text: &[char]) -> bool {
        match (template, text) {
            ([], rest) => rest.is_empty(),
            (['{', '}', after @ ..], [_, rest @ ..]) => {
                (0..=rest.len()).any(|taken| oracle(after, &rest[taken..]))
            }
            ([word, after @ ..], [first, rest @ ..]) if word == first => oracle(after, rest),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_says_what_trying_every_length_says(pieces in prop::collection::vec("[ab雨]|\\{\\}", 0..7), text in "[ab雨]{0,9}") {
            let made = pieces.concat();
            let chars: Vec<char> = made.chars().collect();
            let said: Vec<char> = text.chars().collect();
            prop_assert_eq!(fits(&made, &text), oracle(&chars, &said), "{} / {}", made, text);
        }

        #[test]
        fn whatever_is_filled_in_fits(words in prop::collection::vec("[ab雨。]{0,3}", 1..5), with in prop::collection::vec("[ab雨。]{1,3}", 4)) {
            let text = words.join("{}");
            let mut said = words[0].clone();
            for (word, filled) in words[1..].iter().zip(&with) {
                said.push_str(filled);
                said.push_str(word);
            }
            prop_assert!(fits(&text, &said), "{} / {}", text, said);
        }

        #[test]
        fn any_template_and_any_text_never_panic(text in "[a{}雨😀]{0,12}", said in "[a{}雨😀]{0,12}") {
            let _ = fits(&text, &said);
            prop_assert_eq!(template(&text).words().concat().contains("{}"), false);
        }
    }
}
