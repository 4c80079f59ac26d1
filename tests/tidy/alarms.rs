//! Whoever is woken by an alarm finds it in the operator's page: every warning and error that the program can log, and every
//! reason for not being ready, stands there in the words in which it is said.

use crate::Violation;
use crate::scan::Source;

/// Where the reasons of readiness are said.
const READY: &str = "src/http/ready.rs";
/// Fewer letters than this in front of what varies are no words to look for.
const FEW: usize = 6;

pub fn alarms(sources: &[Source], page: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in sources {
        for (line, said) in logged(source) {
            let words = fixed(&said);
            if words.len() < FEW {
                let advice =
                    format!("begin {said:?} with fixed words, so that it can be looked up");
                found.push(Violation::new(&source.path, line, advice));
            } else if !page.contains(&format!("`{words}")) {
                let advice = format!(
                    "give `{words}` a line in docs/operations.md: what it means and what to do"
                );
                found.push(Violation::new(&source.path, line, advice));
            }
        }
        if source.path == READY {
            found.extend(
                reasons(source)
                    .filter(|(_, reason)| !page.contains(&format!("| `{reason}` |")))
                    .map(|(line, reason)| {
                        let advice =
                            format!("give the reason `{reason}` a line in docs/operations.md");
                        Violation::new(&source.path, line, advice)
                    }),
            );
        }
    }
    found
}

/// What is logged as a warning or an error: the last text of the call.
fn logged(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let tokens = &source.tokens;
    for (at, five) in tokens.windows(6).enumerate() {
        let text = |n: usize| five[n].text.as_str();
        let call = text(0) == "tracing" && ["warn", "error"].contains(&text(2)) && text(3) == "!";
        if !call || text(1) != "::" || source.is_test(five[0].line) {
            continue;
        }
        let (first, last) = (five[0].line, closing(source, at + 4));
        let texts = source.strings.iter();
        let mut texts = texts.filter(|string| (first..=last).contains(&string.line));
        let said = texts.next_back().map_or("", |string| string.text.as_str());
        found.push((first, said.trim_matches('"').to_owned()));
    }
    found
}

/// The line of the bracket that closes the one at this token.
fn closing(source: &Source, open: usize) -> usize {
    let mut depth = 0_i32;
    for token in &source.tokens[open..] {
        match token.text.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return token.line;
        }
    }
    usize::MAX
}

/// The words before anything that varies, and of several clauses the first.
fn fixed(said: &str) -> &str {
    let end = said.find(['{', ';', ':']).unwrap_or(said.len());
    said[..end].trim()
}

/// Texts of small letters and hyphens.
fn reasons(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let strings = source.strings.iter().filter(|s| !source.is_test(s.line));
    strings
        .map(|string| (string.line, string.text.trim_matches('"')))
        .filter(|(_, text)| text.contains('-'))
        .filter(|(_, text)| text.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "| `it burns` | … |\n| `a-reason` | … |\n";

    fn caught(path: &str, text: &str) -> Vec<usize> {
        let found = alarms(&[Source::new(path, text)], PAGE);
        found.iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn an_alarm_that_nobody_can_look_up_is_caught() {
        let known =
            "fn f() {\n  tracing::warn!(\n    n = g(\"x\"),\n    \"it burns; run\"\n  );\n}\n";
        assert!(caught("src/a.rs", known).is_empty());
        assert_eq!(
            caught(
                "src/a.rs",
                "fn f() { tracing::error!(\"it is quite lost\") }"
            ),
            [1]
        );
        assert_eq!(
            caught("src/a.rs", "fn f() {\n tracing::warn!(\"{why} burns\") }"),
            [2]
        );
        assert!(
            caught(
                "src/a.rs",
                "fn f() { tracing::info!(\"it is quite well\") }"
            )
            .is_empty()
        );
        let test =
            "#[cfg(test)]\nmod tests {\n fn f() { tracing::warn!(\"it is only a test\") }\n}\n";
        assert!(caught("src/a.rs", test).is_empty());
    }

    #[test]
    fn a_reason_that_nobody_can_look_up_is_caught() {
        let text = "fn f() {\n say(\"a-reason\", \"An other text\");\n say(\"b-reason\");\n}\n";
        assert_eq!(caught(READY, text), [3]);
        assert!(caught("src/b.rs", text).is_empty());
    }
}
