//! A plain picture of the warning, as SVG: its level's colour, the text and the times, for who passes on pictures. The
//! colours mean the level and nothing else. This module must not leave anything out of the text.

use channel::{Level, Timestamp, Variant};
use maud::{Markup, html};

use crate::moment;

const WIDTH: u32 = 1080;
const MARGIN: u32 = 60;
/// Of a line, in halves of a Chinese character's width.
const HALVES: usize = 42;
const STEP: u32 = 64;
const HEAD: u32 = 260;

/// Ground, ink and name of a level.
pub fn colours(level: Level) -> (&'static str, &'static str, &'static str) {
    match level {
        Level::Red => ("#c8102e", "#fff", "红色"),
        Level::Orange => ("#f28c28", "#1b1208", "橙色"),
        Level::Yellow => ("#ffd93b", "#241e00", "黄色"),
        Level::Blue => ("#1f5fbf", "#fff", "蓝色"),
        Level::Unknown => ("#5a625d", "#fff", ""),
    }
}

pub fn draw(variant: &Variant, text: &str, since: Timestamp, expires: Timestamp) -> String {
    let (ground, ink, level) = colours(variant.level);
    let titles = wrap(&variant.title, HALVES * 3 / 4);
    let lines = wrap(text, HALVES);
    let head = HEAD + STEP * u32::try_from(titles.len().saturating_sub(1)).unwrap_or(0);
    let body = STEP * u32::try_from(lines.len()).unwrap_or(0);
    let height = head + body + 230;
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(WIDTH) height=(height) viewBox={ "0 0 " (WIDTH) " " (height) }
            font-family="Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, sans-serif" {
            title { (variant.title) }
            rect width=(WIDTH) height=(height) fill="#ffffff" {}
            rect width=(WIDTH) height=(head) fill=(ground) {}
            g fill=(ink) {
                text x=(MARGIN) y="90" font-size="44" {
                    @if level.is_empty() { "预警" } @else { (level) "预警" }
                    @if variant.drill { " · 演练" }
                }
                (block(&titles, 180, 60, "700"))
            }
            g fill="#161616" { (block(&lines, head + 90, 44, "400")) }
            g fill="#3a413d" {
                text x=(MARGIN) y=(height - 100) font-size="36" { "发布 " (moment::shown(since)) }
                text x=(MARGIN) y=(height - 50) font-size="36" { "有效至 " (moment::shown(expires)) "(北京时间)" }
            }
            @if variant.drill {
                text x=(WIDTH - MARGIN) y=(height - 60) font-size="110" font-weight="700" text-anchor="end"
                    fill="none" stroke="#161616" stroke-width="3" { "演练" }
            }
        }
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>{}",
        svg.into_string()
    )
}

fn block(lines: &[String], top: u32, size: u32, weight: &str) -> Markup {
    html! {
        @for (line, y) in lines.iter().zip((0..).map(|n| top + STEP * n)) {
            text x=(MARGIN) y=(y) font-size=(size) font-weight=(weight) { (line) }
        }
    }
}

/// Into lines of so many halves; what XML cannot hold is left out.
fn wrap(text: &str, halves: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (mut line, mut width) = (String::new(), 0);
        for c in paragraph.chars().filter(|c| !c.is_control()) {
            let own = if c.is_ascii() { 1 } else { 2 };
            if width + own > halves {
                lines.push(std::mem::take(&mut line));
                width = 0;
            }
            line.push(c);
            width += own;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(level: Level, drill: bool, text: &str) -> String {
        let mut variant = Variant::new("zh-CN", "山洪<灾害>预警", text);
        (variant.level, variant.drill) = (level, drill);
        draw(&variant, text, Timestamp(0), Timestamp(3_600_000))
    }

    #[test]
    fn it_has_the_levels_colour_the_times_and_every_character_escaped() {
        let svg = picture(Level::Red, false, "请转移 & <快走>。");
        assert!(svg.contains("#c8102e") && svg.contains("红色预警"), "{svg}");
        assert!(svg.contains("发布 1月1日08:00") && svg.contains("有效至 1月1日09:00"));
        assert!(svg.contains("请转移 &amp; &lt;快走&gt;。") && !svg.contains("<快走>"));
        assert!(!svg.contains("演练"));
        assert!(picture(Level::Blue, true, "x").contains("演练"));
    }

    #[test]
    fn long_lines_are_wrapped_and_nothing_is_lost() {
        let text = "请立即向高处转移".repeat(20);
        let lines = wrap(&text, HALVES);
        assert_eq!(lines.concat(), text);
        assert!(lines.iter().all(|line| line.chars().count() <= 21));
    }
}
