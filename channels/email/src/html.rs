//! The letter as a page, for readers that show one: the same words as its text, the level as a band of its colour. It
//! is plain on purpose: no picture, no link, no style sheet, nothing that is fetched, so that every reader shows it and
//! none blocks it. Pure. This module must not change a word.

use std::fmt::Write as _;

use channel::{Level, Variant};

pub(crate) fn page(variant: &Variant) -> String {
    let title = escaped(&variant.title);
    let band = band(variant);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n</head>\n\
         <body style=\"margin:0;padding:16px;background:#ffffff;color:#111111;\
         font-family:'Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif;font-size:18px;line-height:1.7\">\n\
         <div style=\"max-width:640px;margin:0 auto;border-left:{band};padding-left:16px\">\n\
         <h1 style=\"font-size:24px;line-height:1.4;margin:0 0 16px\">{title}</h1>\n",
        language = escaped(&variant.language),
    );
    for paragraph in paragraphs(variant) {
        let lines: Vec<String> = paragraph.lines().map(escaped).collect();
        // A String takes everything.
        let _ = writeln!(
            out,
            "<p style=\"margin:0 0 16px\">{}</p>",
            lines.join("<br>\n")
        );
    }
    out.push_str("</div>\n</body>\n</html>\n");
    out
}

/// What stands below the title: a text that begins with it says it once.
fn paragraphs(variant: &Variant) -> impl Iterator<Item = String> {
    let text = variant.text.replace("\r\n", "\n");
    let rest = text
        .strip_prefix(&variant.title)
        .filter(|rest| rest.starts_with('\n'));
    let rest = rest.unwrap_or(&text).to_owned();
    let paragraphs: Vec<String> = rest
        .split("\n\n")
        .map(|part| part.trim().to_owned())
        .collect();
    paragraphs.into_iter().filter(|part| !part.is_empty())
}

/// A drill shows no level: nothing of it may look live.
fn band(variant: &Variant) -> &'static str {
    match variant.level {
        _ if variant.drill => "8px dashed #777777",
        Level::Red => "8px solid #d0021b",
        Level::Orange => "8px solid #f57c00",
        Level::Yellow => "8px solid #f5c400",
        Level::Blue => "8px solid #1565c0",
        Level::Unknown => "8px solid #777777",
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Mail and HTML have no use for them.
            c if c.is_control() && c != '\n' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(title: &str, text: &str) -> Variant {
        let mut variant = Variant::new("zh-CN", title, text);
        variant.level = Level::Red;
        variant
    }

    #[test]
    fn the_words_of_a_warning_are_words_on_the_page_and_never_markup() {
        let page = page(&variant(
            "<script>alert(1)</script>",
            "a < b & c > d\n\n\"x\" 'y'\u{0}\u{8}<img src=x onerror=alert(1)>",
        ));
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "{page}"
        );
        assert!(page.contains("a &lt; b &amp; c &gt; d"), "{page}");
        assert!(
            page.contains("&quot;x&quot; &#39;y&#39;&lt;img src=x"),
            "{page}"
        );
    }

    #[test]
    fn a_language_that_is_none_stays_inside_its_quotes() {
        let mut odd = variant("t", "x");
        odd.language = "\"><b>".into();
        assert!(page(&odd).contains("lang=\"&quot;&gt;&lt;b&gt;\""));
    }

    #[test]
    fn the_title_stands_once_and_every_paragraph_after_it() {
        let page = page(&variant(
            "山洪红色预警",
            "山洪红色预警\n\n请立即转移。\n有效至8月12日20:00。\n平武水利",
        ));
        assert_eq!(
            page.matches("山洪红色预警").count(),
            2,
            "once in the head, once in the body: {page}"
        );
        assert!(
            page.contains("请立即转移。<br>\n有效至8月12日20:00。<br>\n平武水利</p>"),
            "{page}"
        );
    }

    #[test]
    fn a_drill_never_shows_the_colour_of_a_level() {
        let mut drill = variant("【演练】山洪红色预警", "演练");
        assert!(page(&drill).contains("#d0021b"));
        drill.drill = true;
        assert!(!page(&drill).contains("#d0021b"));
    }

    #[test]
    fn nothing_is_fetched_to_show_it() {
        let page = page(&variant("t", "x"));
        for word in ["http", "src=", "url(", "<link", "<a "] {
            assert!(!page.contains(word), "{word} in {page}");
        }
    }
}
