//! The words of a WeCom message within its sizes, and the line that keeps a drill, a repeat and a renewed warning apart
//! where the far end compares requests. This module must not cut a line in the middle of a character.

use channel::{Key, Variant};

/// Bytes of a text message; the far end cuts the rest off without a word.
const WHOLE: usize = 2_048;
/// Characters of a card's title, and of the words below it.
const TITLE: usize = 36;
const CARD: usize = 112;
const CUT: &str = "…";

/// Whether a text shows that it is a drill.
pub(crate) fn is_marked(text: &str) -> bool {
    ["演练", "测试", "DRILL", "EXERCISE", "TEST"]
        .iter()
        .any(|mark| text.contains(mark))
}

/// The alert, the round, and whether it is live: what one repeat of a message has in common with another.
pub(crate) fn round(key: Key, drill: bool) -> String {
    let status = if drill { 'X' } else { 'A' };
    format!("{status}{:x}-{:x}", key.alert, key.generation)
}

/// The same, to be read by people.
pub(crate) fn line(key: Key, drill: bool) -> String {
    let status = if drill { "演练" } else { "实警" };
    format!("\n〔{status} {}-{}〕", key.alert, key.generation)
}

/// A whole text with its last line.
pub(crate) fn whole(text: &str, line: &str) -> String {
    let room = WHOLE.saturating_sub(line.len());
    if text.len() <= room {
        return format!("{text}{line}");
    }
    let end = text.floor_char_boundary(room.saturating_sub(CUT.len()));
    format!("{}{CUT}{line}", &text[..end])
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(CUT.chars()).collect()
}

pub(crate) fn title(variant: &Variant) -> String {
    let drill = variant.drill && !is_marked(&variant.title);
    let mark = if drill { "【演练】" } else { "" };
    cut(&format!("{mark}{}", variant.title), TITLE)
}

pub(crate) fn card(text: &str) -> String {
    cut(text, CARD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: Key = Key {
        alert: 12,
        delivery: 3,
        generation: 1,
    };

    #[test]
    fn the_last_line_tells_a_drill_a_repeat_and_another_alert_apart() {
        assert_eq!(whole("快走", &line(KEY, false)), "快走\n〔实警 12-1〕");
        assert_eq!(whole("快走", &line(KEY, true)), "快走\n〔演练 12-1〕");
        let next = Key {
            generation: 2,
            ..KEY
        };
        assert_ne!(line(KEY, false), line(next, false));
        assert_ne!(round(KEY, false), round(KEY, true));
    }

    #[test]
    fn a_drills_title_is_marked_even_where_it_was_not() {
        let mut variant = Variant::new("zh-CN", "暴雨红色预警", "【演练】快走");
        assert_eq!(title(&variant), "暴雨红色预警");
        variant.drill = true;
        assert_eq!(title(&variant), "【演练】暴雨红色预警");
        variant.title = "[DRILL] 暴雨".into();
        assert_eq!(title(&variant), "[DRILL] 暴雨");
    }

    proptest! {
        #[test]
        fn a_text_fits_and_keeps_its_beginning_and_its_last_line(text in "\\PC{0,1200}") {
            let line = line(KEY, false);
            let whole = whole(&text, &line);
            prop_assert!(whole.len() <= WHOLE);
            prop_assert!(whole.ends_with(&line));
            let kept = whole.trim_end_matches(line.as_str()).trim_end_matches(CUT);
            prop_assert!(text.starts_with(kept));
            prop_assert!(card(&text).chars().count() <= CARD);
        }
    }
}
