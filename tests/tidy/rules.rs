//! The rules that look at one file alone: sizes, the opening paragraph, and habits. Where rooms and libraries meet,
//! `floors` and `words` judge.

use crate::Violation;
use crate::scan::Source;

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;

pub fn long_files(sources: &[Source]) -> Vec<Violation> {
    let long = |source: &Source| {
        let lines = (1..=source.text.lines().count())
            .filter(|line| !source.is_test(*line))
            .count();
        let advice = format!(
            "{lines} lines before its tests; split it by what changes together, at most {FILE_LINES}"
        );
        (lines > FILE_LINES).then(|| Violation::new(&source.path, 1, advice))
    };
    sources.iter().filter_map(long).collect()
}

pub fn long_functions(sources: &[Source]) -> Vec<Violation> {
    let long = |source: &Source| {
        let functions = source
            .functions()
            .into_iter()
            .filter(|(_, _, lines)| *lines > FUNCTION_LINES);
        let tell = |(name, line, lines): (String, usize, usize)| {
            let advice = format!(
                "`{name}` has {lines} lines; give its parts names, at most {FUNCTION_LINES}"
            );
            Violation::new(&source.path, line, advice)
        };
        functions.map(tell).collect::<Vec<_>>()
    };
    sources.iter().flat_map(long).collect()
}

pub fn heads(sources: &[Source]) -> Vec<Violation> {
    let told = |source: &&Source| {
        let first = source.text.trim_start();
        let paragraph = first
            .strip_prefix("//!")
            .is_some_and(|rest| !rest.lines().next().unwrap_or("").trim().is_empty());
        paragraph || first.starts_with("#![doc = include_str!")
    };
    let advice = "open the file with a `//!` paragraph: what it is for and what it must not do";
    sources
        .iter()
        .filter(|source| !told(source))
        .map(|source| Violation::new(&source.path, 1, advice))
        .collect()
}

/// Sequences of tokens that no file may hold, tests included.
const FORBIDDEN: [(&[&str], &str); 6] = [
    (
        &["[", "allow", "("],
        "fix what the lint says, or `#[expect(lint, reason = \"…\")]`",
    ),
    (
        &[",", "allow", "("],
        "an allow inside cfg_attr is an allow: fix what the lint says",
    ),
    (
        &["todo", "!"],
        "write it, or file an issue and leave it out",
    ),
    (
        &["unimplemented", "!"],
        "write it, or return an error that says what is missing",
    ),
    (
        &["[", "ignore"],
        "a test runs or is deleted: make it independent of what it lacks",
    ),
    (
        &[",", "ignore", "="],
        "a test runs or is deleted: make it independent of what it lacks",
    ),
];

pub fn habits(sources: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in sources {
        for (wanted, advice) in FORBIDDEN {
            let in_attribute = wanted[0] != "[" && wanted[0] != ",";
            let hits =
                occurrences(source, wanted).filter(|at| in_attribute || is_attribute(source, *at));
            found.extend(
                hits.map(|at| Violation::new(&source.path, source.tokens[at].line, advice)),
            );
        }
    }
    found
}

pub fn unwraps(sources: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in sources {
        let lines = occurrences(source, &[".", "unwrap", "("]).map(|at| source.tokens[at].line);
        let shipped = lines.filter(|line| !source.is_test(*line));
        let advice = "pass the error on, or `expect(\"why it holds\")` where it holds";
        found.extend(shipped.map(|line| Violation::new(&source.path, line, advice)));
    }
    found
}

/// What prints by itself panics when its reader has left.
pub fn prints(sources: &[Source]) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in sources
        .iter()
        .filter(|source| !source.path.starts_with("examples/"))
    {
        for name in ["print", "println", "eprint", "eprintln"] {
            let wanted = [name, "!"];
            let lines = occurrences(source, &wanted).map(|at| source.tokens[at].line);
            let shipped: Vec<_> = lines.filter(|line| !source.is_test(*line)).collect();
            let advice = "a command says it with `say!` or `tell!`; everything else has no output of its own";
            found.extend(
                shipped
                    .into_iter()
                    .map(|line| Violation::new(&source.path, line, advice)),
            );
        }
    }
    found
}

fn occurrences<'a>(source: &'a Source, wanted: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
    let same = move |at: &usize| {
        wanted
            .iter()
            .zip(&source.tokens[*at..])
            .all(|(text, token)| *text == token.text)
    };
    (0..(source.tokens.len() + 1).saturating_sub(wanted.len())).filter(same)
}

/// Whether the token stands inside `#[…]` or `#![…]`.
fn is_attribute(source: &Source, at: usize) -> bool {
    let mut open = 0_i32;
    for index in (0..=at).rev() {
        match source.tokens[index].text.as_str() {
            "[" => open += 1,
            "]" => open -= 1,
            "#" if open > 0 => return true,
            ";" | "{" | "}" => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Vec<Source> {
        vec![Source::new("src/model/x.rs", text)]
    }

    fn lines(found: &[Violation]) -> Vec<usize> {
        found.iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn a_file_over_the_limit_is_caught_and_its_tests_do_not_count() {
        let fits = "a();\n".repeat(400);
        let tests = "#[cfg(test)]\nmod tests {\nfn t() {}\n}\n";
        assert_eq!(long_files(&one(&format!("{fits}{tests}"))), []);
        assert_eq!(
            lines(&long_files(&one(&format!("b();\n{fits}{tests}")))),
            [1]
        );
    }

    #[test]
    fn a_function_over_the_limit_is_caught() {
        let body =
            |lines: usize| format!("//! x\nfn f() {{\n{}}}\n", "    a(\"}\");\n".repeat(lines));
        assert_eq!(long_functions(&one(&body(58))), []);
        assert_eq!(lines(&long_functions(&one(&body(59)))), [2]);
    }

    #[test]
    fn a_file_without_its_paragraph_is_caught() {
        assert_eq!(heads(&one("//! What it is for.\n")), []);
        assert_eq!(
            heads(&one("#![doc = include_str!(\"../README.md\")]\n")),
            []
        );
        for bad in [
            "",
            "use a::b;\n//! late\n",
            "// not a doc\n",
            "//!\nfn f() {}\n",
        ] {
            assert_eq!(lines(&heads(&one(bad))), [1], "{bad:?}");
        }
    }

    #[test]
    fn a_habit_that_hides_work_is_caught() {
        let bad = "#[allow(dead_code)]\n#![allow(x)]\n#[cfg_attr(a, allow(y))]\nfn f() { todo!() }\nfn g() { unimplemented!(\"h\") }\n#[ignore]\n#[ignore = \"slow\"]\n#[cfg_attr(a, ignore = \"b\")]\n";
        let mut caught = lines(&habits(&one(bad)));
        caught.sort_unstable();
        assert_eq!(caught, [1, 2, 3, 4, 5, 6, 7, 8]);
        let good = "#[expect(a, reason = \"b\")]\nfn f(todo: T) { let x = [allow(1), ignore]; g(a, allow(b)); \"#[ignore]\" }\n// todo!()\n";
        assert_eq!(habits(&one(good)), []);
    }

    #[test]
    fn what_prints_by_itself_is_caught() {
        let text = "fn f() {\n  println!();\n  eprint!(\"x\");\n  say!(\"println!\");\n}\n#[cfg(test)]\nmod tests {\n  fn t() { println!() }\n}\n";
        assert_eq!(lines(&prints(&one(text))), [2, 3]);
    }

    #[test]
    fn an_unwrap_that_ships_is_caught() {
        let text = "fn f() {\n  a.unwrap();\n  b\n    .unwrap();\n  c.unwrap_or(1);\n}\n#[cfg(test)]\nmod tests {\n  fn t() { a.unwrap() }\n}\n";
        assert_eq!(lines(&unwraps(&one(text))), [2, 4]);
    }
}
