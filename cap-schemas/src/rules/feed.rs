//! The rules about what holds messages: feeds, envelopes and lists. None of them is the standard's. This module must not
//! hold code.

use super::{Rule, Stop};
use crate::finding::FindingLevel;

rules! {
    FEED:
    FEED_LIMIT "FEED/limit" Error false Refuse
        "the file exceeds the limit: raise it, or split the file" "文件超出限制：请提高限制或拆分文件"
    FEED_KIND "FEED/kind" Warning false No
        "messages were found in an envelope of a kind that is not known here" "消息出自未知类型的外层文档"
    FEED_EMPTY "FEED/empty" Info false No
        "there is no alert in it" "其中没有预警"
    FEED_HTML "FEED/html" Info false Refuse
        "this is a web page, not an alert" "这是网页，不是预警"
    ENTRY_LINK "FEED/entry/link" Warning false No
        "the entry only links to its alert, which is not followed: fetch it and check it by itself"
        "该条目仅给出预警的链接，不予跟随：请下载后单独检查"
    ENTRY_INDEX "FEED/entry/index" Warning false No
        "the entry lists single CAP fields for an index; they are no alert" "该条目仅列出若干 CAP 字段作索引，不构成预警"
    ENTRY_NONE "FEED/entry/none" Warning false No
        "the entry neither holds an alert nor links to one" "该条目既不含预警，也无链接"
    ENTRY_ESCAPED "FEED/entry/escaped" Info false No
        "the alert stands escaped within a text" "预警以转义文本形式出现"
    ENTRY_ENCRYPTED "FEED/entry/encrypted" Warning false No
        "the content is encrypted and was not read" "内容已加密，未读取"
}
