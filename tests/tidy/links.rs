//! The links of the documents: a relative target must be a file or folder of this repository. It asks no network, so it
//! must not judge a link to elsewhere.

use crate::Violation;

/// The links of `text`, the file at `page`, whose relative target `exists` denies.
pub fn dead(page: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let mut found = Vec::new();
    for (line, target) in targets(text) {
        let path = target.split(['#', '?']).next().unwrap_or("");
        let elsewhere = target
            .split(['/', '#', '?'])
            .next()
            .is_some_and(|start| start.contains(':'));
        if path.is_empty() || elsewhere {
            continue;
        }
        let reached = join(page, &path.replace("%20", " "));
        if reached.as_deref().is_none_or(|path| !exists(path)) {
            let advice =
                format!("the link to `{target}` leads nowhere: correct it, or take it out");
            found.push(Violation::new(page, line, advice));
        }
    }
    found
}

/// The targets of `[text](target)` and `[name]: target`, outside code.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence = None;
    for (index, line) in text.lines().enumerate() {
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(_)) => fence = mark,
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => found.extend(
                of_line(&without_code(line))
                    .into_iter()
                    .map(|target| (index + 1, target)),
            ),
            _ => {}
        }
    }
    found
}

fn without_code(line: &str) -> String {
    let mut parts: Vec<&str> = line.split('`').collect();
    let closed = parts.len() % 2 == 1;
    for (index, part) in parts.iter_mut().enumerate() {
        if index % 2 == 1 && closed {
            *part = "";
        }
    }
    parts.concat()
}

fn of_line(line: &str) -> Vec<String> {
    let clean = |target: &str| {
        let bare = target.trim().trim_start_matches('<');
        bare.split([' ', '>']).next().unwrap_or("").to_owned()
    };
    let defined = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
        .map(|(_, target)| clean(target));
    let inline = line.split("](").skip(1).map(|rest| {
        let mut depth = 0_i32;
        let end = rest.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth < 0
        });
        clean(&rest[..end.unwrap_or(rest.len())])
    });
    inline.chain(defined).collect()
}

/// The target seen from the root; `None` when it leaves the repository.
fn join(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        page.split('/').collect()
    };
    parts.pop();
    for part in target.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match part {
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> Vec<usize> {
        let exists =
            |path: &str| ["docs/a.md", "docs", "LICENSE", "docs/img (1).png"].contains(&path);
        dead("docs/b.md", text, exists)
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn a_link_to_nothing_is_caught() {
        assert_eq!(
            broken(
                "[a](a.md)\n[c](c.md)\n![d](x/d.png) and [e](a.md#f)\n[r]: gone.md\n[up](../../shared/x.md)"
            ),
            [2, 3, 4, 5]
        );
    }

    #[test]
    fn a_link_that_leads_somewhere_is_let_be() {
        assert_eq!(
            broken(
                "[a](./a.md \"title\") [b](../LICENSE) [c](/docs/) [d](<img%20(1).png>)\n[e](https://example.org/x) [f](mailto:a@example.org) [g](#here)"
            ),
            []
        );
    }

    #[test]
    fn code_is_no_link() {
        assert_eq!(
            broken("```\n[c](c.md)\n~~~\n```\nuse `[c](c.md)` here\n"),
            []
        );
    }
}
