//! The pages, for a telephone: Chinese first, English beside it. Everything that was written elsewhere is escaped, and
//! nothing of it stands in a script or in an address. This module must not decide what is shown: the item did.

use channel::Timestamp;
use maud::{DOCTYPE, Markup, html};

use crate::entry::{Attachment, Outcome};
use crate::item::{Item, Shown, Standing};
use crate::moment;
use crate::outlet::Outlet;
use crate::picture::colours;
use crate::refusal::Refused;
use crate::sniff::is_picture;

pub const CSS: &str = include_str!("assets/manual.css");
pub const JS: &str = include_str!("assets/manual.js");

fn whole(channel: &str, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href={ "/v1/channels/" (channel) "/manual.css" };
                script src={ "/v1/channels/" (channel) "/manual.js" } defer {}
            }
            body { (body) }
        }
    }
}

fn both((chinese, english): (&str, &str)) -> Markup {
    html! { (chinese) " " small lang="en" { (english) } }
}

pub fn refused(channel: &str, refused: Refused) -> Markup {
    let body = html! {
        main.refused data-code=(refused.code) {
            h1 { (refused.chinese) }
            p lang="en" { (refused.english) }
        }
    };
    whole(channel, "无法打开 / not opened", &body)
}

pub fn list(channel: &str, outlet: Outlet<'_>, items: &[Item<'_>], now: Timestamp) -> Markup {
    let waiting = items.iter().filter(|item| item.standing.waits()).count();
    let overdue = |item: &&Item<'_>| item.standing == Standing::Overdue;
    let overdue = items.iter().filter(overdue).count();
    let title = format!("({waiting}) {} {}", outlet.kind.chinese(), outlet.name);
    let body = html! {
        main #list data-waiting=(waiting) data-overdue=(overdue) {
            h1 { (outlet.kind.chinese()) " " small { (outlet.name) } }
            p.remind {
                @if waiting == 0 { (both(("没有待办的预警。", "Nothing is waiting."))) }
                @else {
                    strong { (waiting) " 条待办" @if overdue > 0 { ",其中 " (overdue) " 条逾期" } }
                    " " small lang="en" { (waiting) " waiting, " (overdue) " overdue" }
                }
            }
            p { button #sound type="button" hidden { (both(("开启声音提醒", "sound on"))) } }
            @for item in items { (row(item)) }
            p.note { "截至 " (moment::shown(now)) ",本页每 15 秒自动更新,请保持打开。"
                small lang="en" { "As of Beijing time; updates every 15 s: keep it open." } }
        }
    };
    whole(channel, &title, &body)
}

fn row(item: &Item<'_>) -> Markup {
    let message = &item.handed.message;
    let (ground, _, level) = colours(message.variant.level);
    html! {
        a.row.(item.standing.code()) href=(item.link) {
            svg.level width="10" height="40" aria-hidden="true" { rect width="10" height="40" fill=(ground) {} }
            span {
                strong { @if !level.is_empty() { "[" (level) "] " } (message.variant.title) }
                br;
                span.state { (both(item.standing.words())) }
                " 限 " (moment::shown(item.handed.due)) " 前 · " (item.outlet.kind.chinese()) " " (item.outlet.name)
            }
        }
    }
}

pub fn item(
    channel: &str,
    item: &Item<'_>,
    others: &[Item<'_>],
    (now, attachments): (Timestamp, usize),
) -> Markup {
    let variant = &item.handed.message.variant;
    let body = html! {
        main #item data-standing=(item.standing.code()) data-due=(item.handed.due.0) {
            (head(item))
            (to_give(item))
            (entries(item))
            @if item.handed.sealed {
                p.note #sealed { (both(("这条预警已归档:以上是当时的填报,不再收录。迟到的情况请报县预警中心。",
                    "This warning is filed: this is what was entered, and nothing more is taken. Tell the warning centre."))) }
            } @else { (form(item, now, attachments)) }
            @if !others.is_empty() {
                section #others data-waiting=(others.len()) {
                    h2 { (both(("您的其他待办", "what else waits for you"))) }
                    @for other in others { (row(other)) }
                }
            }
        }
    };
    whole(channel, &variant.title, &body)
}

fn head(item: &Item<'_>) -> Markup {
    let message = &item.handed.message;
    let (ground, ink, level) = colours(message.variant.level);
    html! {
        header {
            svg width="100%" height="34" role="img" {
                rect width="100%" height="34" fill=(ground) {}
                text x="12" y="24" font-size="18" font-weight="700" fill=(ink) {
                    @if level.is_empty() { "预警" } @else { (level) "预警" }
                    @if message.variant.drill { " · 演练 DRILL" }
                }
            }
            h1 { (message.variant.title) }
            p.state.(item.standing.code()) { strong { (both(item.standing.words())) } }
            @if item.handed.withdrawn {
                p.stop { (both(("这条预警已被更正、替代或解除,不要再播出。", "It was corrected, replaced or lifted: do not give it any more."))) }
            }
            dl {
                dt { (both(("谁办", "who"))) }
                dd #who { @if item.handed.whom.is_empty() { "值班人员" } @else { (item.handed.whom) }
                    " · " (item.outlet.kind.chinese()) " " (item.outlet.name) }
                dt { (both(("做什么", "what"))) }
                dd { (both(item.outlet.kind.task())) }
                dt { (both(("何时前", "by when"))) }
                dd #due { strong { (moment::shown(item.handed.due)) } }
                dt { (both(("有效至", "stands until"))) }
                dd { (moment::shown(message.expires)) }
            }
        }
    }
}

fn to_give(item: &Item<'_>) -> Markup {
    html! {
        section {
            h2 { (both(("播发内容", "what to give"))) }
            @if item.ready.cut {
                p.note { (both(("超出长度,已在句末截断;全文见下。", "Cut to this outlet's length; all of it stands below."))) }
            }
            textarea #ready readonly rows="6" { (item.ready.text) }
            p { button #copy type="button" hidden { (both(("复制文字", "copy"))) } " " span #copied role="status" {} }
            @if item.ready.screens.len() > 1 {
                p { (both(("分屏", "screens"))) }
                ol.screens { @for screen in &item.ready.screens { li { (screen) } } }
            }
            @if item.ready.cut {
                details { summary { (both(("全文", "all of it"))) } p.full { (item.handed.message.variant.text) } }
            }
            details {
                summary { (both(("图片", "picture"))) }
                a href={ (item.link) "/picture.svg" } download="warning.svg" {
                    img src={ (item.link) "/picture.svg" } alt=(item.ready.text) loading="lazy";
                }
            }
        }
    }
}

fn entries(item: &Item<'_>) -> Markup {
    html! {
        section #entries {
            h2 { (both(("填报记录", "what was entered"))) }
            @if item.entries.is_empty() { p.note { (both(("还没有。", "Nothing yet."))) } }
            @for (n, shown) in item.entries.iter().enumerate() { (entry(item, n, shown)) }
        }
    }
}

fn entry(item: &Item<'_>, n: usize, shown: &Shown) -> Markup {
    html! {
        div.entry {
            @match &shown.entry {
                None => p { (both(("内容已按规定删除。", "Erased."))) },
                Some(entry) => p {
                    strong { (both(entry.outcome.words())) }
                    " " (entry.name) " " (moment::shown(entry.done))
                    @if shown.late { " " mark { (both(("逾期", "late"))) } }
                    @if entry.reported.is_some() { " " mark { (both(("代报", "taken down by an officer"))) } }
                    @if shown.backfilled { " " mark { (both(("补录", "entered afterwards"))) } }
                    @if !entry.note.is_empty() { br; (entry.note) }
                },
            }
            p.note { "录入 " (moment::shown(shown.seen)) }
            @if let Some((_, mime, _)) = shown.attachment().and_then(Attachment::open) {
                @let link = format!("{}/attachment/{n}", item.link);
                @if is_picture(mime) { img src=(link) alt="附件" loading="lazy"; }
                @else { p { a href=(link) { "附件 " (mime) } } }
            }
        }
    }
}

fn form(item: &Item<'_>, now: Timestamp, attachments: usize) -> Markup {
    html! {
        form #enter method="post" action=(item.link) {
            h2 { (both(("填报", "enter what was done"))) }
            fieldset {
                @for outcome in Outcome::ALL {
                    label { input type="radio" name="outcome" value=(outcome.code()) required; " " (both(outcome.words())) }
                }
            }
            label { (both(("姓名", "name"))) input name="name" required maxlength="20" autocomplete="name"; }
            label { (both(("完成时间(北京时间)", "done at, Beijing time")))
                input type="datetime-local" name="done" required value=(moment::field(now)); }
            label { (both(("备注(可不填)", "note, if any"))) input name="note" maxlength="200"; }
            @if attachments > 0 {
                label #file hidden { (both(("附件(可不附)", "attachment, if any")))
                    input type="file" accept="image/*,application/pdf,audio/mpeg,video/mp4" data-most=(attachments); }
            }
            p { button type="submit" { (both(("提交", "send"))) } }
            p #answer role="status" {}
        }
    }
}
