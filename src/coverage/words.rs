//! The field's own words for what the figures say, in Chinese, beside the stable English keys. This module must not hold
//! a sentence: a label is one term, and each term has one place.

use channel::{Evidence, FailureClass, Level};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use crate::ledger::event::{Audience, Bar, Class, LinkState, Look};
use crate::model::{Answer, Grade, Missed, State, shape};

/// An answer as APIs and pages show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Told {
    #[schema(schema_with = shape::answers)]
    pub answer: &'static str,
    /// The grade of *reached*, the reason of *missed*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    pub answer_zh: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_zh: Option<&'static str>,
}

impl From<Answer> for Told {
    fn from(answer: Answer) -> Self {
        let (word, by, answer_zh, by_zh) = match answer {
            Answer::Reached(grade) => {
                let (key, zh) = of_grade(grade);
                ("reached", Some(key), "已触达", Some(zh))
            }
            Answer::Pending => ("pending", None, "发送中", None),
            Answer::Unknown => ("unknown", None, "情况不明", None),
            Answer::Missed(why) => {
                let (key, zh) = of_missed(why);
                ("missed", Some(key), "未触达", Some(zh))
            }
        };
        Self {
            answer: word,
            by,
            answer_zh,
            by_zh,
        }
    }
}

pub const fn of_grade(grade: Grade) -> (&'static str, &'static str) {
    match grade {
        Grade::Confirmed => ("confirmed", "本人确认"),
        Grade::Delivered => ("delivered", "手机送达"),
        Grade::Played => ("played", "播出"),
    }
}

pub const fn of_missed(why: Missed) -> (&'static str, &'static str) {
    match why {
        Missed::NoEndpoint => ("no-endpoint", "无联系方式"),
        Missed::Refused => ("refused", "号码无效或内容被拒"),
        Missed::Failed => ("failed", "发送失败"),
        Missed::Expired => ("expired", "过期未发"),
        Missed::Withdrawn => ("withdrawn", "撤回未发"),
    }
}

/// `proves`: it is a word of acknowledgement.
pub const fn of_said(proves: bool) -> (&'static str, &'static str) {
    if proves {
        ("acknowledged", "已答复")
    } else {
        ("wrote", "来信")
    }
}

pub const fn of_look(look: Look) -> (&'static str, &'static str) {
    match look {
        Look::SignedIn => ("signed-in", "登录"),
        Look::SignedOut => ("signed-out", "退出"),
        Look::Refused => ("refused", "令牌不符"),
        Look::Locked => ("locked", "令牌不符，暂锁"),
        Look::Exported => ("exported", "导出名单"),
        Look::Reported => ("reported", "代报"),
        Look::Unmasked => ("unmasked", "显示姓名电话"),
    }
}

/// The code by which a far end says that its people have not let a message go yet, and what it is called.
pub const HELD: &str = "held";
pub const HELD_ZH: &str = "待播控审核";

/// A state, with the far end's last code where that says why it waits.
pub fn of_wait(state: State, code: Option<&str>) -> (&'static str, &'static str) {
    match of_state(state) {
        (key, _) if state == State::Awaiting && code == Some(HELD) => (key, HELD_ZH),
        words => words,
    }
}

pub const fn of_state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Planned => ("planned", "待发"),
        State::Handed => ("handed", "发送中"),
        State::Awaiting => ("awaiting", "待回执"),
        State::Due => ("due", "排队中"),
        State::Done => ("done", "已完成"),
        State::Failed => ("failed", "发送失败"),
        State::Expired => ("expired", "过期未发"),
        State::Withdrawn => ("withdrawn", "撤回未发"),
    }
}

/// The keys of all states, as the API's document lists them.
pub fn states() -> Schema {
    shape::one_of(&State::ALL.map(|state| of_state(state).0))
}

/// `speaker`: the same evidence is worded as play.
pub const fn of_evidence(evidence: Evidence, speaker: bool) -> (&'static str, &'static str) {
    match evidence {
        Evidence::None => ("none", "无"),
        Evidence::Accepted => ("accepted", "对方已受理"),
        Evidence::Delivered => ("delivered", "已送达"),
        Evidence::Acknowledged if speaker => ("acknowledged", "已播出"),
        Evidence::Acknowledged => ("acknowledged", "已答复"),
    }
}

pub const fn of_class(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Transient => "暂时失败（自动重发）",
        FailureClass::Throttled => "被限速",
        FailureClass::LinkDown => "通道中断",
        FailureClass::BadAddress => "号码无效/空号",
        FailureClass::BadContent => "内容被拒（签名/模板/敏感词）",
        FailureClass::InDoubt => "结果不明（将重发）",
    }
}

/// The far end's later no, after it had accepted: final, so nothing of it is sent again.
pub const fn of_denied(class: FailureClass) -> &'static str {
    match class {
        FailureClass::BadAddress | FailureClass::BadContent => of_class(class),
        FailureClass::Transient
        | FailureClass::Throttled
        | FailureClass::LinkDown
        | FailureClass::InDoubt => "回执：未送达",
    }
}

/// Why the house itself does not send: what is not filed (报备).
pub const fn of_bar(why: Bar) -> &'static str {
    match why {
        Bar::NotFiled => "签名未报备，不发",
        Bar::NotInForce => "签名报备未生效，不发",
        Bar::NoTemplate => "内容与报备模板不符，不发",
        Bar::Link => "含未报备链接，不发",
        Bar::NoUplink => "无上行，不发",
    }
}

pub const fn of_link(state: LinkState) -> (&'static str, &'static str) {
    match state {
        LinkState::Up => ("up", "正常"),
        LinkState::Paused => ("paused", "通道中断"),
        LinkState::Probing => ("probing", "试通中"),
    }
}

pub const fn of_level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Red => ("red", "红色"),
        Level::Orange => ("orange", "橙色"),
        Level::Yellow => ("yellow", "黄色"),
        Level::Blue => ("blue", "蓝色"),
        Level::Unknown => ("unknown", "未定级"),
    }
}

pub const fn of_audience(audience: Audience) -> (&'static str, &'static str) {
    match audience {
        Audience::Public => ("public", "公众"),
        Audience::Officers => ("officers", "责任人"),
        Audience::Speakers => ("speakers", "大喇叭"),
        Audience::Relatives => ("relatives", "亲属"),
        Audience::Neighbours => ("neighbours", "邻居"),
        Audience::Keepers => ("keepers", "播发责任人"),
        Audience::Seekers => ("seekers", "核查责任人"),
    }
}

/// A kind of channel, as officers say it; one that is new by its own name.
pub fn of_kind(kind: &str) -> &str {
    match kind {
        "sms" => "短信",
        "voice" => "电话",
        "satellite" => "卫星",
        "wechat" => "微信",
        "email" => "邮件",
        "manual" => "人工",
        kind if kind.starts_with("loudspeaker") => "喇叭",
        kind => kind,
    }
}

/// How an alert stands to what people last got.
pub const fn of_change(class: Class) -> (&'static str, &'static str) {
    let zh = match class {
        Class::Original => "首发",
        Class::Upgraded => "升级",
        Class::Downgraded => "降级",
        Class::Prolonged => "续发",
        Class::Widened => "范围扩大",
        Class::Narrowed => "范围缩小",
        Class::Corrected => "更正",
        Class::Lifted => "解除",
        Class::Revoked => "误发撤销",
        Class::Closed => "收尾告知",
    };
    (class.name(), zh)
}

/// How a group of a village is called on a list: 3组.
pub fn of_group(group: u8) -> String {
    match group {
        0 => "未分组".into(),
        number => format!("{number}组"),
    }
}
