//! The paths that a file names, in `use` trees and in expressions alike, with `self` and `super` resolved against the
//! place of the file. It knows names only; which of them are allowed, the rules say.

use crate::scan::{Source, Token};

/// A path as the compiler would follow it: `crate::ledger::Event` or `axum::Router`.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
}

/// Every path of two or more segments, and every root of a `use`.
pub fn paths(source: &Source) -> Vec<Named> {
    let (mut found, mut blocks) = (Vec::new(), Vec::new());
    let tokens = &source.tokens;
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map_or("", |at| tokens[at].text.as_str());
        match tokens[at].text.as_str() {
            "{" => blocks.push(at >= 2 && tokens[at - 2].text == "mod"),
            "}" => drop(blocks.pop()),
            "use" => {
                let first = found.len();
                at = tree(tokens, at + 1, &[], &mut found);
                resolve(source, &blocks, &mut found[first..]);
                continue;
            }
            "crate" if before == "extern" => {}
            _ if tokens[at].is_name() && (before != "::" || leads(tokens, at)) => {
                let first = found.len();
                at = tree(tokens, at, &[], &mut found);
                if found[first..].iter().all(|named| named.segments.len() < 2) && before != "crate"
                {
                    found.truncate(first);
                }
                resolve(source, &blocks, &mut found[first..]);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether the `::` before this name opens a path (`::axum::Router`) rather than ending `<T as U>::`.
fn leads(tokens: &[Token], at: usize) -> bool {
    at < 2 || !(tokens[at - 2].is_name() || tokens[at - 2].text == ">")
}

/// Reads one path or `{…}` group that follows `prefix`, and returns where it ends.
fn tree(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let mut segments = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    if text(at) == "::" {
        at += 1;
    }
    loop {
        match text(at) {
            "{" => {
                at += 1;
                while !matches!(text(at), "}" | "") {
                    at = if text(at) == "," {
                        at + 1
                    } else {
                        tree(tokens, at, &segments, found).max(at + 1)
                    };
                }
                return at + 1;
            }
            "r" if text(at + 1) == "#" => {
                segments.push(text(at + 2).to_owned());
                at += 3;
            }
            _ if text(at) == "*" || tokens.get(at).is_some_and(Token::is_name) => {
                segments.push(text(at).to_owned());
                at += 1;
            }
            _ => break,
        }
        // A `::<` opens generic arguments, which are walked by themselves.
        if text(at) != "::" || text(at + 1) == "<" {
            break;
        }
        at += 1;
    }
    // An alias names nothing new; a cast or `<T as path>` may.
    if text(at) == "as" && text(at + 2) != "::" {
        at += 2;
    }
    if segments.len() > prefix.len() {
        found.push(Named { segments, line });
    }
    at
}

/// Turns leading `self` and `super` into a path from `crate`.
fn resolve(source: &Source, blocks: &[bool], found: &mut [Named]) {
    let mut here = module(&source.path);
    here.extend(
        blocks
            .iter()
            .filter(|is_module| **is_module)
            .map(|_| "{}".to_owned()),
    );
    for named in found
        .iter_mut()
        .filter(|named| matches!(named.segments[0].as_str(), "self" | "super"))
    {
        let steps = named
            .segments
            .iter()
            .take_while(|segment| *segment == "super")
            .count();
        let skip = named
            .segments
            .iter()
            .take_while(|segment| matches!(segment.as_str(), "self" | "super"))
            .count();
        let base = &here[..here.len().saturating_sub(steps)];
        let rest = named.segments[skip..].iter();
        named.segments = std::iter::once("crate".to_owned())
            .chain(base.iter().cloned())
            .chain(rest.cloned())
            .collect();
    }
}

/// The module path of a file below the `src/` of its crate.
fn module(path: &str) -> Vec<String> {
    let inside = path.rsplit_once("src/").map_or(path, |(_, inside)| inside);
    let mut parts: Vec<String> = inside
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if parts
        .last()
        .is_some_and(|last| matches!(last.as_str(), "mod" | "main" | "lib"))
    {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, text: &str) -> Vec<String> {
        paths(&Source::new(path, text))
            .into_iter()
            .map(|named| named.segments.join("::"))
            .collect()
    }

    #[test]
    fn a_use_tree_is_every_path_it_names() {
        let text = "use crate::{ledger::Event, model::{self, Region as R}, store::*};\nuse axum;\npub(crate) use ::redis::{aio, Client};";
        let wanted = [
            "crate::ledger::Event",
            "crate::model::self",
            "crate::model::Region",
            "crate::store::*",
            "axum",
            "redis::aio",
            "redis::Client",
        ];
        assert_eq!(named("src/x.rs", text), wanted);
    }

    #[test]
    fn a_path_in_an_expression_counts_and_a_lone_name_does_not() {
        let text =
            "fn f(email: T) { crate::store::open(email.redis); a::<b::C>(x); <T as d::E>::f::g() }";
        assert_eq!(
            named("src/x.rs", text),
            ["crate::store::open", "b::C", "d::E"]
        );
    }

    #[test]
    fn super_is_followed_from_the_place_of_the_file() {
        assert_eq!(
            named("src/ledger/state.rs", "use super::super::store::Store;"),
            ["crate::store::Store"]
        );
        assert_eq!(
            named(
                "src/ledger/mod.rs",
                "mod tests { use super::Event; fn f() { super::super::http::x() } }"
            ),
            ["crate::ledger::Event", "crate::http::x"]
        );
        assert_eq!(
            named(
                "src/ledger/state.rs",
                "fn f() { self::g::h(); super::event::i() }"
            ),
            ["crate::ledger::state::g::h", "crate::ledger::event::i"]
        );
    }
}
