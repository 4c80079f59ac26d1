//! A plan in words, Chinese and English, from the same keys by which it acts. This module must not decide anything.

use crate::coverage::words::{of_audience, of_change, of_level};
use crate::ledger::event::Audience;
use crate::model::{RegionLevel, Role, Span};
use crate::plan::{AGAIN, Condition, Confirm, Events, Look, Plan, Send, Turn, When};

/// One line of each language, Chinese first.
pub type Both = (String, String);

pub const fn of_region_level(level: RegionLevel) -> (&'static str, &'static str) {
    match level {
        RegionLevel::Province => ("province", "省"),
        RegionLevel::City => ("city", "市"),
        RegionLevel::County => ("county", "县"),
        RegionLevel::Town => ("town", "乡镇"),
        RegionLevel::Village => ("village", "村"),
    }
}

/// The whole plan.
pub fn explain(plan: &Plan, events: &Events) -> Vec<Both> {
    let (zh, en) = conditions(&plan.when, events);
    let mut lines = vec![match (plan.send.is_empty(), plan.raise) {
        (true, Some(to)) => (
            format!(
                "{}:{zh}的预警按{}处置,再由后面的预案接收",
                plan.name,
                of_level(to).1
            ),
            format!(
                "{}: handles {en} as {} and leaves them to the plans after it",
                plan.name,
                of_level(to).0
            ),
        ),
        (_, Some(to)) => (
            format!("{}:接收{zh}的预警,按{}处置", plan.name, of_level(to).1),
            format!("{}: takes {en}, handled as {}", plan.name, of_level(to).0),
        ),
        (_, None) => (
            format!("{}:接收{zh}的预警", plan.name),
            format!("{}: takes {en}", plan.name),
        ),
    }];
    for (n, send) in (1..).zip(&plan.send) {
        let (zh, en) = sends(send);
        lines.push((format!("  {n}. {zh}"), format!("  {n}. {en}")));
    }
    lines.extend(plan.silent.iter().map(looks));
    if !plan.send.is_empty() {
        let life = span(plan.lifetime);
        lines.push((
            format!("  未写失效时间的预警有效{};无对应语种的人收{}文本", life.0, plan.language),
            format!(
                "  a warning without an end stands for {}; whoever's language it is not in reads {}",
                life.1, plan.language
            ),
        ));
    }
    lines
}

fn span(span: Span) -> Both {
    let seconds = span.0.as_secs();
    match () {
        () if seconds >= 3600 && seconds.is_multiple_of(3600) => (
            format!("{}小时", seconds / 3600),
            format!("{} h", seconds / 3600),
        ),
        () if seconds >= 60 && seconds.is_multiple_of(60) => (
            format!("{}分钟", seconds / 60),
            format!("{} min", seconds / 60),
        ),
        () => (format!("{seconds}秒"), format!("{seconds} s")),
    }
}

/// One condition and what it lists; nothing where it lists nothing.
fn listed(zh: &str, en: &str, items: impl Iterator<Item = Both>) -> Option<Both> {
    let (z, e): (Vec<_>, Vec<_>) = items.unzip();
    let said = (
        format!("{zh}{}", z.join("、")),
        format!("{en} {}", e.join(", ")),
    );
    (!z.is_empty()).then_some(said)
}

/// What reads the same in both languages.
fn alike<T: ToString>(items: &[T]) -> impl Iterator<Item = Both> + '_ {
    items
        .iter()
        .map(|item| (item.to_string(), item.to_string()))
}

fn conditions(when: &When, events: &Events) -> Both {
    let level = |level: &channel::Level| {
        let (en, zh) = of_level(*level);
        (zh.to_owned(), en.to_owned())
    };
    let event = |code: &String| {
        let name = events.of_prefix(code);
        let zh = name.zh.map(|zh| format!("({zh})")).unwrap_or_default();
        let en = name.en.map(|en| format!(" ({en})")).unwrap_or_default();
        (format!("{code}{zh}"), format!("{code}{en}"))
    };
    let parts = [
        listed("", "level", when.levels.iter().map(level)),
        listed("事件", "event", when.events.iter().map(event)),
        listed("status ", "status", alike(&when.statuses)),
        listed("scope ", "scope", alike(&when.scopes)),
        listed("来自", "from", alike(&when.senders)),
        listed("涉及", "touching", alike(&when.regions)),
        listed("涉及命名区域", "touching the zone", alike(&when.zones)),
        listed(
            "所涉区域标签",
            "touching a region or zone tagged",
            alike(&when.tags),
        ),
    ];
    let (zh, en): (Vec<_>, Vec<_>) = parts.into_iter().flatten().unzip();
    if zh.is_empty() {
        return (
            "其余所有".into(),
            "every warning that none before it took".into(),
        );
    }
    (zh.join(","), format!("warnings: {}", en.join("; ")))
}

/// Whom a send is for.
fn whom(send: &Send) -> Both {
    let (en, zh) = of_audience(send.audience);
    let tagged = match send.audience {
        Audience::Speakers => (
            "仅有下列标签户能听到的:",
            "only those heard by households tagged",
        ),
        _ => ("仅标签:", "only households tagged"),
    };
    let roles: Vec<_> = send.roles.iter().map(Role::name).collect();
    let at = send.at.iter().map(|level| {
        let (en, zh) = of_region_level(*level);
        (format!("{zh}级"), en.to_owned())
    });
    let only = [
        listed(tagged.0, tagged.1, alike(&send.tags)),
        listed("仅角色:", "only", alike(&roles)),
        listed("仅", "only of", at),
    ];
    let (mut zh, mut en) = (zh.to_owned(), en.to_owned());
    for (z, e) in only.into_iter().flatten() {
        zh = format!("{zh}({z})");
        en = format!("{en} ({e})");
    }
    (zh, en)
}

/// What is done about villages that nobody is heard from.
fn looks(look: &Look) -> Both {
    let (zh, en) = span(look.after);
    let at = look.at.iter().map(|level| of_region_level(*level));
    let (levels_en, levels_zh): (Vec<_>, Vec<_>) = at.unzip();
    let roles: Vec<_> = look.roles.iter().map(Role::name).collect();
    let only = if roles.is_empty() {
        String::new()
    } else {
        format!(" ({})", roles.join(", "))
    };
    let channels = look.channels.join(", ");
    (
        format!(
            "  发布{zh}后仍无人应答的村:告知{}级责任人{only},经{channels}",
            levels_zh.join("、")
        ),
        format!(
            "  villages that nobody is heard from {en} after the release: officers of {}{only} are told by {channels}",
            levels_en.join(", ")
        ),
    )
}

fn sends(send: &Send) -> Both {
    let whom = whom(send);
    let channels = send.channels.join(", ");
    let when = send.after.map_or_else(
        || ("立即".to_owned(), "at once".to_owned()),
        |after| {
            let (zh, en) = span(after);
            (format!("发布{zh}后"), format!("{en} after the release"))
        },
    );
    let window = span(send.receipt_window);
    let mut zh = format!(
        "{}:经{channels},{};{}内无回执为情况不明",
        whom.0, when.0, window.0
    );
    let mut en = format!(
        "{} by {channels}, {}; no receipt within {} is unknown",
        whom.1, when.1, window.1
    );
    if let Some(quiet) = send.quiet {
        zh = format!("{zh};{quiet}(北京时间)静默暂缓,红色、橙色不暂缓,但降级、解除仍暂缓");
        en = format!(
            "{en}; held during {quiet} Beijing time unless handled as red or orange, and even so when it is good news"
        );
    }
    let again = again(send);
    zh = format!("{zh};{}", again.0);
    en = format!("{en}; {}", again.1);
    match send.confirm {
        Confirm::No => {}
        Confirm::Asked => {
            zh = format!("{zh};有上行的账号请收信人回复确认");
            en = format!("{en}; asks for a reply where the account takes one");
        }
        Confirm::Required => {
            zh = format!("{zh};必须能回复确认,无上行的账号不发");
            en = format!("{en}; needs a reply, so nothing goes by an account that takes none");
        }
    }
    if let Some(repeat) = send.repeat {
        let pause = span(repeat.pause);
        zh = format!("{zh};播{}遍,间隔{}", repeat.times, pause.0);
        en = format!(
            "{en}; played {} times with a pause of {}",
            repeat.times, pause.1
        );
    }
    (zh, en)
}

/// By which Updates whoever has the earlier warning is told again.
fn again(send: &Send) -> Both {
    let told = AGAIN.into_iter().filter(|class| send.tells(*class));
    let (zh, en): (Vec<_>, Vec<_>) = told.map(|class| (of_change(class).1, class.name())).unzip();
    if zh.is_empty() {
        return (
            "已收到预警的不因更新再告知".to_owned(),
            "whoever has the warning is not told again by an Update".to_owned(),
        );
    }
    (
        format!("已收到预警的在{}时再告知", zh.join("、")),
        format!(
            "whoever has the warning is told again when it is {}",
            en.join(", ")
        ),
    )
}

/// Why a plan did or did not take the alert.
pub fn of_turn(turn: Turn) -> Both {
    let (zh, en) = match turn {
        Turn::Takes => ("接收", "takes it"),
        Turn::Raises(to) => {
            let (en, zh) = of_level(to);
            return (
                format!("升级为按{zh}处置,继续"),
                format!("handles it as {en} and goes on"),
            );
        }
        Turn::NotAsked => ("前面的预案已接收", "one before it took it"),
        Turn::Refuses(condition) => match condition {
            Condition::Level => ("级别不符", "not: another level"),
            Condition::Event => ("事件类型不符", "not: another event"),
            Condition::Status => ("status不符", "not: another status"),
            Condition::Scope => ("scope不符", "not: another scope"),
            Condition::Sender => ("发布单位不符", "not: another sender"),
            Condition::Region => ("区域不符", "not: other regions"),
            Condition::Zone => ("未涉及所列危险区", "not: other zones"),
            Condition::Tag => ("所涉区域无此标签", "not: no region or zone with such a tag"),
        },
    };
    (zh.to_owned(), en.to_owned())
}
