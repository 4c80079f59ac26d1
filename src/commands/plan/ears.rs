//! What of a preview is about terminals and what they can bring to an ear: satellite terminals, languages of loudspeakers, and
//! what a far end cannot carry. This module must not count.

use serde_json::Value;

use super::shown::{Page, items, text};

/// 牛飞: 天通 last proved 3 days ago.
pub fn satellites(page: &mut Page, preview: &Value) {
    page.list(
        "卫星终端 satellite terminals",
        items(&preview["satellites"]),
        |line| {
            let proved = match line["days"].as_u64() {
                Some(days) => format!("{days} 天前拨测证实 last proved {days} days ago"),
                None => "从未证实 never proved".to_owned(),
            };
            format!(
                "{} {}: {} {} {}, {proved}",
                text(&line["region"]["name"]),
                text(&line["name"]),
                text(&line["channel"]),
                text(&line["standing_zh"]),
                text(&line["standing"]),
            )
        },
    );
}

/// Who would hear a recording before the text.
pub fn sounds(page: &mut Page, preview: &Value) {
    let sounds = &preview["sounds"];
    let title = "大喇叭语言 languages of loudspeakers";
    page.list(title, items(&sounds["languages"]), |line| {
        let name = line["language_zh"].as_str().unwrap_or_default();
        let recording = match line["recording"].as_u64() {
            Some(id) => format!("录音 recording {id}"),
            None => "无录音 none recorded".to_owned(),
        };
        let levels: Vec<_> = items(&line["levels"]).iter().map(text).collect();
        format!(
            "{name} {}: {recording} [{}] · {} 村 villages",
            text(&line["language"]),
            levels.join(" "),
            text(&line["villages"])
        )
    });
    let title = "只播全文的村 villages that hear the text alone";
    page.list(title, items(&sounds["text_only"]), |village| {
        text(&village["name"])
    });
}

/// What a far end has no place for.
pub fn losses(page: &mut Page, preview: &Value) {
    let title = "平台无法承载 what a far end cannot carry";
    page.list(title, items(&preview["losses"]), |line| {
        format!(
            "{} {} ×{}: {} {}",
            text(&line["channel"]),
            text(&line["reason"]),
            text(&line["deliveries"]),
            text(&line["zh"]),
            text(&line["en"])
        )
    });
}
