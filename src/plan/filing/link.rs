//! Whether a text holds a link: carriers refuse texts with one where that is not filed. This module must not open one.

/// A web address, or a name that a handset makes one of: `12379.cn/a`.
pub fn has_link(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | ':' | '_');
    let mut runs = text.split(|c| !part(c));
    runs.any(|run| run.contains("://") || is_name(run.split('/').next().unwrap_or(run)))
}

/// Labels with a dot between, the last of letters alone: 3.5 is none.
fn is_name(run: &str) -> bool {
    let name = run.split(':').next().unwrap_or(run);
    let mut labels: Vec<_> = name.split('.').collect();
    // The end of a sentence.
    if labels.last().is_some_and(|last| last.is_empty()) {
        labels.pop();
    }
    let top = |label: &&str| label.len() >= 2 && label.bytes().all(|b| b.is_ascii_alphabetic());
    labels.len() > 1
        && labels.iter().all(|label| !label.is_empty())
        && labels.last().is_some_and(top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_with_and_without_its_scheme() {
        for text in [
            "详见https://a.example/b",
            "详见 http://127.0.0.1:80/",
            "详见www.weather.example。",
            "点击t.example/abc查看",
            "见12379.cn",
            "见weather.example.",
        ] {
            assert!(has_link(text), "{text}");
        }
    }

    #[test]
    fn figures_times_and_sentences_are_no_links() {
        for text in [
            "雨量达3.5毫米,水位1.2.3",
            "有效至7月14日12:00。",
            "暴雨/大风",
            "See the council. Leave now.",
            "Leave now...or else",
            "A.B",
            "",
        ] {
            assert!(!has_link(text), "{text}");
        }
    }
}
