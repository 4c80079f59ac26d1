//! The text as an outlet can use it at once: one line for a crawl, screens for an LED board, paragraphs for who reads or
//! passes it on. What does not fit is cut at a sentence's end, and that it was cut is said. This module must not change a
//! word.

use channel::Variant;

use crate::outlet::Kind;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ready {
    /// To be pasted.
    pub text: String,
    /// With LED: one after the other.
    pub screens: Vec<String>,
    /// Some of the warning is not in it.
    pub cut: bool,
}

/// `limit` counts characters: of the whole text, with LED of one screen.
pub fn ready(variant: &Variant, kind: Kind, limit: Option<usize>) -> Ready {
    let text = if kind.is_one_line() {
        one_line(&variant.text)
    } else {
        variant.text.trim().to_owned()
    };
    match (kind, limit) {
        (Kind::Led, Some(limit)) => Ready {
            screens: screens(&text, limit),
            text,
            cut: false,
        },
        (_, Some(limit)) if text.chars().count() > limit => Ready {
            text: cut(&text, limit),
            screens: Vec::new(),
            cut: true,
        },
        _ => Ready {
            text,
            screens: Vec::new(),
            cut: false,
        },
    }
}

const ENDS: [char; 6] = ['。', '!', '！', '?', '？', ';'];

fn is_mark(c: char) -> bool {
    ENDS.contains(&c) || matches!(c, '；' | ',' | '，' | '、' | '：' | ':' | '】' | '.')
}

/// Lines follow each other; a space stands where no mark ends the one before.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.split_whitespace() {
        let joined = line.is_empty() || line.ends_with(is_mark);
        let wide = |c: Option<char>| c.is_some_and(|c| !c.is_ascii());
        // Between two Chinese characters a space is none of theirs, but between two sentences something has to stand.
        if !joined {
            let chinese = wide(line.chars().next_back()) && wide(part.chars().next());
            line.push(if chinese { '。' } else { ' ' });
        }
        line.push_str(part);
    }
    line
}

/// At the last sentence's end that fits, unless little were left; else in the midst, which is shown.
fn cut(text: &str, limit: usize) -> String {
    let fits: Vec<char> = text.chars().take(limit).collect();
    let end = fits.iter().rposition(|c| ENDS.contains(c));
    match end {
        Some(end) if end >= limit / 2 => fits[..=end].iter().collect(),
        _ => {
            let kept = fits[..limit.saturating_sub(1)].iter();
            kept.chain(&['…']).collect()
        }
    }
}

/// Each as full as it can be, ended at a mark where one stands in its last third.
fn screens(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(1);
    let mut left: &[char] = &text.chars().collect::<Vec<_>>();
    let mut screens = Vec::new();
    while !left.is_empty() {
        let end = if left.len() <= limit {
            left.len()
        } else {
            let mark = left[..limit].iter().rposition(|c| is_mark(*c));
            mark.map(|at| at + 1)
                .filter(|end| end * 3 >= limit * 2)
                .unwrap_or(limit)
        };
        screens.push(left[..end].iter().collect());
        left = &left[end..];
    }
    screens
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made(text: &str, kind: Kind, limit: usize) -> Ready {
        ready(&Variant::new("zh-CN", "t", text), kind, Some(limit))
    }

    #[test]
    fn a_crawl_is_one_line_and_is_cut_at_a_sentences_end() {
        let text = "【演练】山洪红色预警\n\n请立即向高处转移。 不要过河!\n有效至8月1日20:00。";
        let whole = made(text, Kind::Tv, 60);
        let line = "【演练】山洪红色预警。请立即向高处转移。不要过河!有效至8月1日20:00。";
        assert_eq!((whole.text.as_str(), whole.cut), (line, false));
        let short = made(text, Kind::Tv, 26);
        assert_eq!(
            short.text,
            "【演练】山洪红色预警。请立即向高处转移。不要过河!"
        );
        assert!(short.cut);
        let torn = made("一二三四五六七八九十", Kind::Tv, 8);
        assert_eq!(torn.text, "一二三四五六七…");
        let english = made("Flash flood\nLeave now.", Kind::Tv, 60);
        assert_eq!(english.text, "Flash flood Leave now.");
    }

    #[test]
    fn a_board_has_screens_that_end_at_marks() {
        let made = made("山洪红色预警。请立即向高处转移,不要过河。", Kind::Led, 10);
        assert_eq!(
            made.screens,
            ["山洪红色预警。", "请立即向高处转移,", "不要过河。"]
        );
        assert!(!made.cut);
    }

    #[test]
    fn who_reads_or_passes_on_has_the_text_as_it_is() {
        let text = "山洪红色预警\n\n请转移。";
        for kind in [Kind::Radio, Kind::Group, Kind::Radio370, Kind::Gong] {
            let made = ready(&Variant::new("zh-CN", "t", text), kind, None);
            assert_eq!((made.text.as_str(), made.cut), (text, false));
        }
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_screens_are_the_whole_line(text in "[a-z。!,预警 \n]{0,200}", limit in 8_usize..40) {
            let crawl = made(&text, Kind::Tv, limit);
            prop_assert!(crawl.text.chars().count() <= limit);
            let board = made(&text, Kind::Led, limit);
            prop_assert!(board.screens.iter().all(|s| (1..=limit).contains(&s.chars().count())));
            prop_assert_eq!(board.screens.concat(), board.text);
        }
    }
}
