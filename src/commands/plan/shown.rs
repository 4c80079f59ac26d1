//! A preview as an officer reads it, Chinese and English side by side, from the JSON that the API answers. This module
//! must not count.

use std::fmt::Write as _;

use serde_json::Value;

use super::ears::{losses, satellites, sounds};

/// At most so many lines of one list; how many more there are is said.
const MOST: usize = 12;

pub struct Page(String);

impl Page {
    pub fn line(&mut self, text: &str) {
        writeln!(self.0, "{text}").expect("a String takes everything");
    }

    pub fn list(&mut self, title: &str, items: &[Value], line: impl Fn(&Value) -> String) {
        if items.is_empty() {
            return;
        }
        self.line(&format!("{title}: {}", items.len()));
        for item in items.iter().take(MOST) {
            self.line(&format!("  {}", line(item)));
        }
        if items.len() > MOST {
            let more = items.len() - MOST;
            self.line(&format!("  …另有 and {more} more"));
        }
    }
}

pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        other => other.to_string(),
    }
}

pub fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The figures of a preview, with or without what surrounds them.
pub fn table(preview: &Value) -> String {
    let mut page = Page(String::new());
    head(&mut page, preview);
    homes(&mut page, &preview["homes"]);
    ways(&mut page, preview);
    spared(&mut page, preview);
    steps(&mut page, preview);
    gaps(&mut page, preview);
    page.list("文本 texts", items(&preview["texts"]), |line| {
        format!(
            "{} {} ×{} 计费 cost {}: {}",
            text(&line["kind"]),
            text(&line["language"]),
            text(&line["deliveries"]),
            text(&line["cost"]),
            text(&line["text"]).replace('\n', " ")
        )
    });
    losses(&mut page, preview);
    page.list("说明 notes", items(&preview["notes"]), |note| {
        format!(
            "{}: {} {}",
            text(&note["path"]),
            text(&note["zh"]),
            text(&note["en"])
        )
    });
    page.0
}

fn homes(page: &mut Page, homes: &Value) {
    let of = |key: &str| text(&homes[key]);
    page.line(&format!(
        "涉及 {} 村 {} 户 {} 人,在家 {} 户,外出 {} 户 villages, households, people, at home, away",
        of("villages"),
        of("households"),
        of("people"),
        of("at_home"),
        of("away")
    ));
    page.line(&format!(
        "至多可得 at best: 本人确认 confirmed {} · 手机送达 delivered {} · 播出 played {} · 已发出 sent {} · 无手段 no means {}",
        of("confirmed"), of("delivered"), of("played"), of("sent"), of("no_means")
    ));
}

fn ways(page: &mut Page, preview: &Value) {
    page.list("发送 sends", items(&preview["reach"]), |line| {
        let closing = if line["closing"] == true {
            " (告知解除 told that it is over)"
        } else {
            ""
        };
        format!(
            "{} {} {} {} {}: {} ({} {}, 计费 cost {}){closing}",
            text(&line["step"]),
            text(&line["channel"]),
            text(&line["audience_zh"]),
            text(&line["audience"]),
            text(&line["level_zh"]),
            text(&line["deliveries"]),
            text(&line["grade_zh"]),
            text(&line["grade"]),
            text(&line["cost"])
        )
    });
    page.list("通道 channels", items(&preview["channels"]), |line| {
        format!(
            "{}: {} 条 messages, 计费 cost {}, {} → {} 分钟 min, 最后首条 last first {}",
            text(&line["channel"]),
            text(&line["deliveries"]),
            text(&line["cost"]),
            text(&line["rate"]),
            text(&line["minutes"]),
            text(&line["last"])
        )
    });
    for line in items(&preview["channels"]) {
        let calls = &line["calls"];
        if calls.is_object() {
            page.line(&format!(
                "{} 电话 calls: 线路 {} lines, 每通 {} s each, 最后一个首呼 last first call {}; {} s 内全部首呼需 {} 路 lines needed",
                text(&line["channel"]),
                text(&calls["lines"]),
                text(&calls["call_seconds"]),
                text(&calls["last_first_call"]),
                text(&calls["within_seconds"]),
                text(&calls["lines_needed"])
            ));
        }
    }
    if preview["suspect_numbers"].as_u64() > Some(0) {
        page.line(&format!(
            "存疑号码 suspect numbers: {}",
            text(&preview["suspect_numbers"])
        ));
    }
    if preview["last_first_text"].is_string() {
        page.line(&format!(
            "最后一条首发短信 last first text: {}",
            text(&preview["last_first_text"])
        ));
    }
}

/// How it stands to what it would end.
fn class(page: &mut Page, preview: &Value) {
    if preview["class"].is_string() {
        let (zh, en) = (text(&preview["class_zh"]), text(&preview["class"]));
        page.line(&format!("与前次相比 against the earlier: {zh} {en}"));
    }
}

/// Who has the earlier warning and is not told again.
fn spared(page: &mut Page, preview: &Value) {
    let spared = preview["spared"].as_object();
    for (class, count) in spared.into_iter().flatten() {
        page.line(&format!("不再重复告知 not told again: {class} {count}"));
    }
}

fn head(page: &mut Page, preview: &Value) {
    if !preview["plan"].is_string() {
        return;
    }
    page.line("预览,未发送、未保存 preview: nothing was sent or kept");
    let level = if preview["level"] == preview["handled"] {
        format!("{} {}", text(&preview["level_zh"]), text(&preview["level"]))
    } else {
        format!(
            "{}(按{}处置) {} (handled as {})",
            text(&preview["level_zh"]),
            text(&preview["handled_zh"]),
            text(&preview["level"]),
            text(&preview["handled"])
        )
    };
    page.line(&format!(
        "级别 level: {level} · 预案 plan: {}",
        text(&preview["plan"])
    ));
    page.line(&format!(
        "状态 would be: {} {}",
        text(&preview["born_zh"]),
        text(&preview["born"])
    ));
    class(page, preview);
    page.list("事件 events", items(&preview["events"]), |event| {
        let odd = if event["odd_level"] == true {
            " (名录无此颜色 not a colour of this event)"
        } else {
            ""
        };
        format!(
            "{} {} {}{odd}",
            text(&event["code"]),
            text(&event["zh"]),
            text(&event["en"])
        )
    });
    page.list("问题 findings", items(&preview["findings"]), |finding| {
        format!(
            "{} {}: {} {}",
            text(&finding["level"]),
            text(&finding["path"]),
            text(&finding["zh"]),
            text(&finding["en"])
        )
    });
    page.list("区域 regions", items(&preview["regions"]), |region| {
        format!("{} {}", text(&region["code"]), text(&region["name"]))
    });
    page.line(&format!(
        "区域校验 regions hash: {}",
        text(&preview["regions_hash"])
    ));
}

fn steps(page: &mut Page, preview: &Value) {
    let steps = items(&preview["steps"]);
    if steps.len() < 2 {
        return;
    }
    page.list("分步 steps", steps, |step| {
        let held = if step["held"] == true {
            " 静默暂缓 held for the morning"
        } else {
            ""
        };
        format!(
            "{} {}: {}{held}",
            text(&step["step"]),
            text(&step["due"]),
            text(&step["deliveries"])
        )
    });
}

fn gaps(page: &mut Page, preview: &Value) {
    page.list(
        "部分涉及的村 villages hit in part",
        items(&preview["partial"]),
        |village| {
            format!(
                "{} {}: {}/{} 户 households",
                text(&village["code"]),
                text(&village["name"]),
                text(&village["households"]),
                text(&village["of"])
            )
        },
    );
    page.list(
        "不足两种独立手段的村 villages with fewer than two independent channels",
        items(&preview["thin"]),
        |village| {
            let kinds: Vec<_> = items(&village["kinds"]).iter().map(text).collect();
            format!(
                "{} {}: {} (无手段 no means {})",
                text(&village["code"]),
                text(&village["name"]),
                kinds.join(", "),
                text(&village["no_means"])
            )
        },
    );
    dead(page, preview);
    satellites(page, preview);
    sounds(page, preview);
    routes(page, preview);
    carriers(page, preview);
}

fn routes(page: &mut Page, preview: &Value) {
    page.list("短信路由 routes", items(&preview["routes"]), |route| {
        let account = |a: &Value| format!("{} {}", text(&a["channel"]), text(&a["deliveries"]));
        let accounts: Vec<_> = items(&route["accounts"]).iter().map(account).collect();
        format!(
            "{}: {} · 无账户服务 served by no account {} {}",
            text(&route["route"]),
            accounts.join(", "),
            text(&route["unserved"]),
            route["unserved_by"]
        )
    });
    let landlines = &preview["landlines"];
    if landlines["numbers"].as_u64().unwrap_or(0) > 0 && landlines["called"] != true {
        page.line(&format!(
            "固定电话，短信不达 landlines, which no text reaches: {}",
            text(&landlines["numbers"])
        ));
    }
}

fn dead(page: &mut Page, preview: &Value) {
    page.list(
        "失联或故障喇叭 dead speakers",
        items(&preview["dead_speakers"]),
        |dead| {
            format!(
                "{} {}: {}",
                text(&dead["name"]),
                text(&dead["speaker"]),
                text(&dead["state"])
            )
        },
    );
    if preview["unheard_speakers"].as_u64().unwrap_or(0) > 0 {
        page.line(&format!(
            "从未上线的喇叭 speakers never heard of: {}",
            text(&preview["unheard_speakers"])
        ));
    }
}

fn carriers(page: &mut Page, preview: &Value) {
    let numbers = items(&preview["numbers"]);
    page.list("号码归属 numbers by carrier", numbers, |numbers| {
        let unfiled = if numbers["unfiled"].is_null() {
            "报备情况未知 filing unknown".to_owned()
        } else {
            format!(
                "未报备 without a filed carrier {}",
                text(&numbers["unfiled"])
            )
        };
        format!(
            "{}: {} · {unfiled}",
            text(&numbers["channel"]),
            numbers["by_carrier"]
        )
    });
    for channel in numbers {
        let title = format!("{} 不发 not sent", text(&channel["channel"]));
        page.list(&title, items(&channel["refused"]), |refused| {
            format!(
                "{} {}: {} {}",
                text(&refused["numbers"]),
                refused["by_carrier"],
                text(&refused["zh"]),
                text(&refused["en"])
            )
        });
    }
}
