//! Why a call is not served, in Chinese and English, each with what to do, and how often each was. This module must not
//! repeat what the caller sent.

use std::collections::BTreeMap;

use parking_lot::Mutex;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    pub status: u16,
    pub code: &'static str,
    pub chinese: &'static str,
    pub english: &'static str,
}

const fn refuse(
    status: u16,
    code: &'static str,
    chinese: &'static str,
    english: &'static str,
) -> Refused {
    Refused {
        status,
        code,
        chinese,
        english,
    }
}

pub const FORGED: Refused = refuse(
    403,
    "forged-link",
    "这个链接不是本系统发出的,或抄写有误。请重新打开收到的原链接。",
    "This link was not made by this gateway, or was changed. Open the one that you were given.",
);
pub const EXPIRED: Refused = refuse(
    410,
    "expired-link",
    "这个链接已过期,不再收录。迟到的情况请报县预警中心补录。",
    "This link has expired and takes nothing more. Tell the warning centre what was done late.",
);
pub const UNKNOWN: Refused = refuse(
    404,
    "unknown-item",
    "链接有效,但本系统已没有这条任务(已归档,或属于另一套系统)。请报县预警中心。",
    "The link is sound, but this gateway has no such item any more: it is filed, or another's. Tell the warning centre.",
);
pub const NO_PAGE: Refused = refuse(404, "no-page", "没有这个页面。", "There is no such page.");
pub const NO_METHOD: Refused = refuse(
    405,
    "wrong-method",
    "这里只能查看;填报请在任务页面进行。",
    "This can only be looked at; what was done is posted to the item's own link.",
);
pub const TOO_LONG: Refused = refuse(
    413,
    "too-long",
    "填报内容太大。请换一个较小的附件。",
    "The entry is too large. Take a smaller attachment.",
);
pub const NOT_READ: Refused = refuse(
    400,
    "bad-body",
    "填报内容无法识别。",
    "The entry is neither the form nor the JSON of this call.",
);
pub const NO_OUTCOME: Refused = refuse(
    422,
    "no-outcome",
    "请选择:已播、已转或做不到。",
    "Say which: `outcome` is played, relayed or cannot.",
);
pub const NO_NAME: Refused = refuse(
    422,
    "no-name",
    "请填写经办人姓名(1 至 20 个字)。",
    "Say who did it: `name` has 1 to 20 characters.",
);
pub const NO_MEANS: Refused = refuse(
    422,
    "no-means",
    "请选择对方以何种方式报告:电话、电台、当面、消息或其他。",
    "Say how you were told: `means` is phone, radio, in-person, message or other.",
);
pub const SEALED: Refused = refuse(
    410,
    "sealed",
    "这条预警已归档,填报只供查看,不再收录。迟到的情况请报县预警中心。",
    "This warning is filed: what was entered can be read, and nothing more is taken. Tell the warning centre.",
);
pub const NO_TIME: Refused = refuse(
    422,
    "no-time",
    "请填写完成时间,例如 2026-07-14 22:58(北京时间)。",
    "Say when it was done: `done` is a date and a time, 2026-07-14T22:58, in Beijing time or with an offset.",
);
pub const AHEAD: Refused = refuse(
    422,
    "time-ahead",
    "完成时间晚于现在。请改正。",
    "`done` lies in the future. Correct it.",
);
pub const BEFORE: Refused = refuse(
    422,
    "time-before",
    "完成时间早于这条预警。请改正。",
    "`done` lies before the warning itself. Correct it.",
);
pub const LONG_NOTE: Refused = refuse(
    422,
    "long-note",
    "备注太长,请不超过 200 字。",
    "`note` has at most 200 characters.",
);
pub const BAD_ATTACHMENT: Refused = refuse(
    422,
    "bad-attachment",
    "附件类型不支持。可用:JPEG、PNG、WebP 图片,PDF,MP3,MP4。",
    "The attachment is of no type that is taken: JPEG, PNG, WebP, PDF, MP3, MP4, as Base64.",
);
pub const LARGE_ATTACHMENT: Refused = refuse(
    413,
    "large-attachment",
    "附件太大。请压缩或截短后再传,也可以不传附件。",
    "The attachment is too large. Send a smaller one, or none.",
);
pub const NO_ATTACHMENTS: Refused = refuse(
    422,
    "no-attachments",
    "这里不收附件。请去掉附件后再提交。",
    "No attachments are taken here. Send it without.",
);
pub const TOO_MANY: Refused = refuse(
    409,
    "too-many-entries",
    "这条任务的填报已太多,不再收录。请报县预警中心。",
    "This item has too many entries already. Tell the warning centre.",
);
pub const UNKEPT: Refused = refuse(
    503,
    "not-kept",
    "系统暂时无法保存,您的填报没有收录。请稍后再提交一次。",
    "It could not be kept, and nothing was entered. Send it again in a moment.",
);

/// How often each refusal was given.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let counts = self.0.lock();
        counts.iter().map(|(why, count)| (*why, *count)).collect()
    }

    pub fn count(&self, refused: Refused) {
        *self.0.lock().entry(refused.code).or_default() += 1;
    }
}
