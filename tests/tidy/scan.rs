//! Reads Rust well enough to judge it: blanks out comments and literals, splits what is left into tokens, and finds
//! functions and test items by their braces. It is no parser: what it cannot tell apart, the compiler has already refused.

/// One Rust file as the rules see it.
pub struct Source {
    pub path: String,
    pub text: String,
    /// The code without comments and literals.
    pub tokens: Vec<Token>,
    /// The string literals.
    pub strings: Vec<Token>,
    /// Spans of lines that only tests build, first and last included.
    pub tests: Vec<(usize, usize)>,
}

/// An identifier, a literal number, `::`, or one other character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    pub fn is_name(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let (code, strings) = blank(text);
        let tokens = tokens(&code);
        let whole = path.ends_with("/tests.rs") || path.split('/').any(|part| part == "tests");
        let tests = if whole {
            vec![(1, usize::MAX)]
        } else {
            test_items(&tokens)
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens,
            strings,
            tests,
        }
    }

    pub fn is_test(&self, line: usize) -> bool {
        self.tests
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// The functions that ship: name, first line, number of lines.
    pub fn functions(&self) -> Vec<(String, usize, usize)> {
        let mut found = Vec::new();
        for (at, pair) in self.tokens.windows(2).enumerate() {
            if pair[0].text != "fn" || !pair[1].is_name() || self.is_test(pair[0].line) {
                continue;
            }
            if let Some(last) =
                item_end(&self.tokens, at).filter(|end| self.tokens[*end].text == "}")
            {
                found.push((
                    pair[1].text.clone(),
                    pair[0].line,
                    self.tokens[last].line - pair[0].line + 1,
                ));
            }
        }
        found
    }
}

/// The code with comments and literals turned into spaces, line for line, and the string literals by themselves.
pub fn blank(text: &str) -> (String, Vec<Token>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut strings) = (String::with_capacity(text.len()), Vec::new());
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let (end, kind) = piece(&chars, at, code.chars().next_back());
        let shown: String = chars[at..end].iter().collect();
        let lines = shown.matches('\n').count();
        match kind {
            Kind::Code => code.push_str(&shown),
            Kind::Comment | Kind::Character => code.extend(shown.chars().map(hide)),
            Kind::Text => {
                code.extend(shown.chars().map(hide));
                strings.push(Token { text: shown, line });
            }
        }
        line += lines;
        at = end;
    }
    (code, strings)
}

fn hide(c: char) -> char {
    if c == '\n' { c } else { ' ' }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Text,
    Character,
}

/// Where the piece that starts at `at` ends, and what it is. `before` is the last character of code.
fn piece(chars: &[char], at: usize, before: Option<char>) -> (usize, Kind) {
    let follows = |offset: usize| chars.get(at + offset).copied();
    let in_name = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match (chars[at], follows(1)) {
        ('/', Some('/')) => (find(chars, at, |c| c == '\n'), Kind::Comment),
        ('/', Some('*')) => (block_comment(chars, at), Kind::Comment),
        ('"', _) => (quoted(chars, at + 1, '"'), Kind::Text),
        ('r', Some('"' | '#')) if !in_name || matches!(before, Some('b' | 'c')) => {
            match raw(chars, at + 1) {
                Some(end) => (end, Kind::Text),
                None => (at + 1, Kind::Code),
            }
        }
        // A lifetime has no closing quote right after its first character.
        ('\'', Some('\\')) => (quoted(chars, at + 1, '\''), Kind::Character),
        ('\'', Some(_)) if follows(2) == Some('\'') => (at + 3, Kind::Character),
        _ => (at + 1, Kind::Code),
    }
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len())
        .find(|at| wanted(chars[*at]))
        .unwrap_or(chars.len())
}

fn block_comment(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (at, depth) = (at + 2, depth + 1),
            ('*', Some('/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn quoted(chars: &[char], from: usize, close: char) -> usize {
    let mut at = from;
    while at < chars.len() && chars[at] != close {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// The end of a raw string whose hashes start at `from`; `None` for a raw identifier.
fn raw(chars: &[char], from: usize) -> Option<usize> {
    let open = find(chars, from, |c| c != '#');
    let hashes = open - from;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |at: &usize| {
        chars[*at] == '"'
            && chars[at + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes
    };
    Some(
        (open + 1..chars.len())
            .find(closes)
            .map_or(chars.len(), |at| at + 1 + hashes),
    )
}

pub fn tokens(code: &str) -> Vec<Token> {
    let mut found = Vec::new();
    for (index, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                length => length,
            };
            found.push(Token {
                text: rest[..length].to_owned(),
                line: index + 1,
            });
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// The last token of the item that starts at `from`: its closing brace, or its semicolon where it has no body.
fn item_end(tokens: &[Token], from: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth <= 0 {
                    return Some(at);
                }
            }
            ";" if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// The spans of the items under `#[cfg(test)]`; a `#![cfg(test)]` covers the file.
fn test_items(tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    for at in (0..tokens.len()).filter(|at| tokens[*at].text == "#") {
        let inner = tokens.get(at + 1).is_some_and(|token| token.text == "!");
        if !needs_test(&tokens[at + 1 + usize::from(inner)..]) {
            continue;
        }
        let last = item_end(tokens, after_attributes(tokens, at))
            .map_or(usize::MAX, |end| tokens[end].line);
        spans.push(if inner {
            (1, usize::MAX)
        } else {
            (tokens[at].line, last)
        });
    }
    spans
}

/// Whether the attribute reads `[cfg(test)]` or `[cfg(all(test, …))]`: conditions that no shipped build meets.
fn needs_test(attribute: &[Token]) -> bool {
    let texts: Vec<&str> = attribute
        .iter()
        .take(6)
        .map(|token| token.text.as_str())
        .collect();
    texts.starts_with(&["[", "cfg", "(", "test", ")"])
        || texts.starts_with(&["[", "cfg", "(", "all", "(", "test"])
}

fn after_attributes(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token.text == "#") {
        let mut depth = 0;
        while at < tokens.len() {
            match tokens[at].text.as_str() {
                "[" => depth += 1,
                "]" => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 && tokens[at - 1].text == "]" {
                break;
            }
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let words: Vec<String> = tokens(&blank(text).0)
            .into_iter()
            .map(|token| token.text)
            .collect();
        words.join(" ")
    }

    #[test]
    fn comments_are_not_code() {
        assert_eq!(words("a // b {\n c /* d /* e */ } */ f\n//! g"), "a c f");
    }

    #[test]
    fn strings_and_characters_are_not_code() {
        assert_eq!(
            words(r#"a("{ \" }", '{', '\'', '"', '\u{7b}', '\\') + b"#),
            "a ( , , , , , ) + b"
        );
        assert_eq!(
            words("let s = r#\"{ \" }\"#; t(r\"\\\"); u"),
            "let s = ; t ( ) ; u"
        );
        assert_eq!(words("r#type::new"), "r # type :: new");
    }

    #[test]
    fn lifetimes_are_code() {
        assert_eq!(
            words("f<'a, 'b>(x: &'a str, c: char) { c == 'x' }"),
            "f < ' a , ' b > ( x : & ' a str , c : char ) { c = = }"
        );
    }

    #[test]
    fn lines_are_kept_through_strings_and_comments() {
        let (code, strings) = blank("a \"x\ny\" /* \n */ b \"z\"\nc");
        let lines: Vec<(String, usize)> = tokens(&code)
            .into_iter()
            .map(|token| (token.text, token.line))
            .collect();
        assert_eq!(lines, [("a".into(), 1), ("b".into(), 3), ("c".into(), 4)]);
        assert_eq!(
            strings[1],
            Token {
                text: "\"z\"".into(),
                line: 3
            }
        );
    }

    #[test]
    fn a_function_is_measured_from_its_name_to_its_brace() {
        let text = "fn a(x: [u8; 2]) -> impl Fn() {\n  g(\"}\");\n  if x { y }\n}\ntrait T {\n  fn b();\n  fn c(f: fn(u8)) {}\n}\n";
        let found = Source::new("src/x.rs", text).functions();
        assert_eq!(found, [("a".into(), 1, 4), ("c".into(), 7, 1)]);
    }

    #[test]
    fn items_of_tests_are_told_apart() {
        let text = "#[cfg(test)]\nuse a::b;\nfn x() {\n}\n#[cfg(all(test, unix))]\n#[path = \"t\"]\nmod tests {\n  fn t() {}\n}\nfn y() {}\n#[cfg(not(test))]\nfn z() {}\n";
        let source = Source::new("src/x.rs", text);
        assert_eq!(source.tests, [(1, 2), (5, 9)]);
        let names: Vec<String> = source
            .functions()
            .into_iter()
            .map(|(name, ..)| name)
            .collect();
        assert_eq!(names, ["x", "y", "z"]);
    }

    #[test]
    fn a_file_of_tests_is_known_by_its_attribute_or_its_name() {
        assert!(Source::new("src/x.rs", "#![cfg(test)]\nfn x() {}").is_test(2));
        assert!(Source::new("src/ledger/tests.rs", "fn x() {}").is_test(1));
        assert!(!Source::new("src/ledger/testing.rs", "fn x() {}").is_test(1));
    }
}
