//! The rules of GB/T 35965.1, whose message is read into CAP's model. A fault that CAP knows too goes by the national
//! standard's own id and words here. This module must not look at a message.

use super::{Rule, Stop, cap};
use crate::finding::FindingLevel;

rules! {
    GBT:
    GBT_READ "GBT-35965.1/read" Info false No
        "the message is of GB/T 35965.1 and was read as CAP 1.2" "该消息为 GB/T 35965.1 格式，已按 CAP 1.2 读取"
    GBT_SEQUENCE "GBT-35965.1/alert/sequence" Warning true No
        "the element is out of order" "元素顺序不正确"
    GBT_UNKNOWN_ELEMENT "GBT-35965.1/alert/unknown-element" Warning true No
        "GB/T 35965.1 has no such element here; it was ignored" "GB/T 35965.1 在此处没有该元素，已忽略"
    GBT_DUPLICATE "GBT-35965.1/alert/duplicate" Error true No
        "the element may appear only once; the first was used" "该元素只能出现一次，已采用第一个"
    GBT_STRAY_TEXT "GBT-35965.1/alert/stray-text" Warning true No
        "there is text between elements; it was ignored" "元素之间有文本，已忽略"
    GBT_ATTRIBUTES "GBT-35965.1/alert/attributes" Info true No
        "the element has no attributes; they were ignored" "该元素没有属性，已忽略"
    GBT_IDENTIFIER "GBT-35965.1/alert/identifier/present" Error true Hold
        "identifier is missing or empty" "缺少 identifier 或其为空"
    GBT_IDENTIFIER_FORM "GBT-35965.1/alert/identifier/format" Warning true No
        "identifier must be the 14 characters of senderCode, an underline and the time as YYYYMMDDhhmmss"
        "identifier 应为 14 位 senderCode、下划线加 YYYYMMDDhhmmss 形式的时间"
    GBT_SENDER "GBT-35965.1/alert/sender/present" Error true No
        "sender is missing or empty" "缺少 sender 或其为空"
    GBT_SENDER_CODE "GBT-35965.1/alert/senderCode/present" Error true Hold
        "senderCode is missing or empty" "缺少 senderCode 或其为空"
    GBT_SENDER_CODE_FORM "GBT-35965.1/alert/senderCode/format" Warning true No
        "senderCode must be 14 letters and digits" "senderCode 应为 14 位字母和数字"
    GBT_SENDER_CODE_OTHER "GBT-35965.1/alert/senderCode/identifier" Warning true No
        "identifier does not begin with senderCode" "identifier 并非以 senderCode 开头"
    GBT_SENT "GBT-35965.1/alert/sendTime/present" Error true Hold
        "sendTime is missing or empty" "缺少 sendTime 或其为空"
    GBT_SENT_FORM "GBT-35965.1/alert/sendTime/format" Error true No
        "sendTime must have the form YYYY-MM-DD hh:mm:ss+08:00" "sendTime 的格式必须为 YYYY-MM-DD hh:mm:ss+08:00"
    GBT_SENT_PLAUSIBLE "GBT-35965.1/alert/sendTime/plausible" Warning false No
        "the time is not plausible" "时间不合常理"
    GBT_STATUS "GBT-35965.1/alert/status/enum" Error true Hold
        "status must be Actual, Exercise, Test or Draft" "status 必须是 Actual、Exercise、Test 或 Draft"
    GBT_MSG_TYPE "GBT-35965.1/alert/msgType/enum" Error true Hold
        "msgType must be Alert, Update, Cancel, Ack or Error" "msgType 必须是 Alert、Update、Cancel、Ack 或 Error"
    GBT_SCOPE "GBT-35965.1/alert/scope/public" Error true Hold
        "scope must be Public; read as Restricted" "scope 必须是 Public；按 Restricted 处理"
    GBT_METHOD "GBT-35965.1/alert/code/method" Warning true No
        "a method must name itself in methodName; it was left out" "method 必须给出 methodName，已略去"
    GBT_METHOD_NAME "GBT-35965.1/alert/code/methodName" Info false No
        "methodName is not one in common use" "methodName 并非常用的发布手段"
    GBT_SEC_ENUM "GBT-35965.1/alert/secClassification/enum" Error true Hold
        "secClassification must be None or Inner; read as Inner" "secClassification 必须是 None 或 Inner；按 Inner 处理"
    GBT_SEC_INNER "GBT-35965.1/alert/secClassification/inner" Warning false No
        "the message is internal: read as Restricted, not for the public" "该消息为内部消息，按 Restricted 处理，不向公众发布"
    GBT_NOTE "GBT-35965.1/alert/note/cancel" Warning true No
        "a Cancel must give its reason in note" "Cancel 必须在 note 中说明原因"
    GBT_REFERENCES_FORM "GBT-35965.1/alert/references/format" Error true No
        "references must be the identifier of the first message of the chain" "references 必须是首次预警的 identifier"
    GBT_REFERENCES "GBT-35965.1/alert/references/required" Error true No
        "Update, Cancel, Ack and Error must name the first message in references"
        "Update、Cancel、Ack 和 Error 必须在 references 中给出首次预警的 identifier"
    GBT_REFERENCES_SELF "GBT-35965.1/alert/references/self" Warning false No
        "the message refers to itself; that reference has no effect" "消息引用了自身，该引用无效"
    GBT_INFO "GBT-35965.1/alert/info/present" Error true No
        "info is missing" "缺少 info"

    GBT_LANGUAGE "GBT-35965.1/info/language" Warning true No
        "language is not a language tag; zh-CN is usual" "language 不是语言标签，通常为 zh-CN"
    GBT_EVENT "GBT-35965.1/info/eventType/present" Error true No
        "eventType is missing or empty" "缺少 eventType 或其为空"
    GBT_EVENT_FORM "GBT-35965.1/info/eventType/format" Warning true No
        "eventType must be five characters: two digits, a letter, two digits" "eventType 应为五位代码：两位数字、一位字母、两位数字"
    GBT_EVENT_UNKNOWN "GBT-35965.1/info/eventType/unknown" Info false No
        "the event code is not in the table: it is shown as it came" "事件代码不在代码表中，按原样显示"
    GBT_SEVERITY "GBT-35965.1/info/severity/enum" Error true No
        "severity must be Red, Orange, Yellow, Blue or Unknown" "severity 必须是 Red、Orange、Yellow、Blue 或 Unknown"
    GBT_URGENCY "GBT-35965.1/info/urgency/enum" Error true No
        "urgency is not in its list; read as Unknown" "urgency 不在代码表中，按 Unknown 处理"
    GBT_CERTAINTY "GBT-35965.1/info/certainty/enum" Error true No
        "certainty is not in its list; read as Unknown" "certainty 不在代码表中，按 Unknown 处理"
    GBT_EFFECTIVE "GBT-35965.1/info/effective/format" Error true No
        "effective must have the form YYYY-MM-DD hh:mm:ss+08:00" "effective 的格式必须为 YYYY-MM-DD hh:mm:ss+08:00"
    GBT_ONSET "GBT-35965.1/info/onset/format" Error true No
        "onset must have the form YYYY-MM-DD hh:mm:ss+08:00" "onset 的格式必须为 YYYY-MM-DD hh:mm:ss+08:00"
    GBT_EXPIRES "GBT-35965.1/info/expires/format" Error true No
        "expires must have the form YYYY-MM-DD hh:mm:ss+08:00" "expires 的格式必须为 YYYY-MM-DD hh:mm:ss+08:00"
    GBT_EXPIRES_ABSENT "GBT-35965.1/info/expires/absent" Warning false No
        "expires is not given: the default lifetime applies" "未给出 expires，将采用默认有效期"
    GBT_EXPIRES_ORDER "GBT-35965.1/info/expires/order" Warning false No
        "expires must be later than sendTime, effective and onset" "expires 必须晚于 sendTime、effective 和 onset"
    GBT_EXPIRES_ONSET "GBT-35965.1/info/expires/onset" Warning false No
        "expires is the onset: the default lifetime applies" "expires 与 onset 相同，将采用默认有效期"
    GBT_EXPIRES_PASSED "GBT-35965.1/info/expires/passed" Warning false No
        "the info had expired on arrival" "该 info 到达时已过期"
    GBT_HEADLINE "GBT-35965.1/info/headline" Warning true No
        "headline is missing or empty" "缺少 headline 或其为空"
    GBT_HTML "GBT-35965.1/info/html-entities" Warning false No
        "the text holds HTML markup or entities" "文本含有 HTML 标记或实体"
    GBT_PLACEHOLDER "GBT-35965.1/info/placeholder" Warning false No
        "the text is a placeholder" "文本仅为占位符"

    GBT_RESOURCE "GBT-35965.1/resource/resourceDesc" Error true No
        "resourceDesc is missing or empty" "缺少 resourceDesc 或其为空"
    GBT_SIZE "GBT-35965.1/resource/size" Error true No
        "size must be a whole number, not negative" "size 必须是非负整数"
    GBT_DIGEST "GBT-35965.1/resource/digest" Warning true No
        "digest is not a SHA-1 in hexadecimal" "digest 不是十六进制的 SHA-1"

    GBT_NO_AREA "GBT-35965.1/info/area/present" Warning true No
        "the info names no area" "info 未给出 area"
    GBT_AREA_DESC "GBT-35965.1/area/areaDesc" Warning true No
        "areaDesc is missing or empty" "缺少 areaDesc 或其为空"
    GBT_AREA_BARE "GBT-35965.1/area/bare" Warning false No
        "the area has no geocode, polygon or circle: it names no place that can be found" "area 没有 geocode、polygon 或 circle，无法定位"
    GBT_POLYGON "GBT-35965.1/area/polygon/format" Error true No
        "polygon must be a list of lat,lon pairs" "polygon 必须是 纬度,经度 对的列表"
    GBT_POLYGON_MIN "GBT-35965.1/area/polygon/min4" Error true No
        "polygon needs four pairs or more; it was left out" "polygon 至少需要四个坐标对，已略去"
    GBT_POLYGON_CLOSED "GBT-35965.1/area/polygon/closed" Warning true No
        "the first and last pair of a polygon must be the same; it was closed" "polygon 首尾坐标必须相同，已闭合"
    GBT_POLYGON_RANGE "GBT-35965.1/area/polygon/range" Error true No
        "a pair is outside latitude -90 to 90, longitude -180 to 180" "坐标超出纬度 -90 至 90、经度 -180 至 180 的范围"
    GBT_POLYGON_SIMPLE "GBT-35965.1/area/polygon/simple" Warning false No
        "the polygon crosses itself" "polygon 自相交"
    GBT_CIRCLE "GBT-35965.1/area/circle/format" Error true No
        "circle must be lat,lon and a radius in metres; it was left out" "circle 必须为 纬度,经度 加以米计的半径，已略去"
    GBT_CIRCLE_RANGE "GBT-35965.1/area/circle/range" Error true No
        "the circle's centre is outside latitude -90 to 90, longitude -180 to 180" "圆心超出纬度 -90 至 90、经度 -180 至 180 的范围"
    GBT_CIRCLE_ZERO "GBT-35965.1/area/circle/zero" Warning false No
        "a circle of radius 0 names a point" "半径为 0 的 circle 仅表示一个点"
    GBT_GEOCODE "GBT-35965.1/area/geocode/format" Error true No
        "geocode must be a list of division codes of 6, 9, 12 or 14 digits; others were left out"
        "geocode 必须是以逗号分隔的 6、9、12 或 14 位区划代码，其余已略去"
    GBT_GEOCODE_EMPTY "GBT-35965.1/area/geocode/empty" Info false No
        "geocode is empty; it was ignored" "geocode 为空，已忽略"
    GBT_GEOCODE_REPEATED "GBT-35965.1/area/geocode/repeated" Info false No
        "a code stands in geocode twice" "geocode 中有重复的代码"
}

/// The rules of CAP that have an id of the national standard's.
const OWN: &[(Rule, Rule)] = &[
    (cap::SEQUENCE, GBT_SEQUENCE),
    (cap::UNKNOWN_ELEMENT, GBT_UNKNOWN_ELEMENT),
    (cap::DUPLICATE, GBT_DUPLICATE),
    (cap::STRAY_TEXT, GBT_STRAY_TEXT),
    (cap::ATTRIBUTES, GBT_ATTRIBUTES),
    (cap::IDENTIFIER_PRESENT, GBT_IDENTIFIER),
    (cap::SENT_PRESENT, GBT_SENT),
    (cap::SENT_FORMAT, GBT_SENT_FORM),
    (cap::SENT_PLAUSIBLE, GBT_SENT_PLAUSIBLE),
    (cap::STATUS_ENUM, GBT_STATUS),
    (cap::MSG_TYPE_ENUM, GBT_MSG_TYPE),
    (cap::REFERENCES_REQUIRED, GBT_REFERENCES),
    (cap::REFERENCES_SELF, GBT_REFERENCES_SELF),
    (cap::INFO_PUBLIC, GBT_INFO),
    (cap::LANGUAGE, GBT_LANGUAGE),
    (cap::EVENT_PRESENT, GBT_EVENT),
    (cap::URGENCY_ENUM, GBT_URGENCY),
    (cap::CERTAINTY_ENUM, GBT_CERTAINTY),
    (cap::EFFECTIVE_FORMAT, GBT_EFFECTIVE),
    (cap::ONSET_FORMAT, GBT_ONSET),
    (cap::EXPIRES_FORMAT, GBT_EXPIRES),
    (cap::EXPIRES_ABSENT, GBT_EXPIRES_ABSENT),
    (cap::EXPIRES_ORDER, GBT_EXPIRES_ORDER),
    (cap::EXPIRES_ONSET, GBT_EXPIRES_ONSET),
    (cap::EXPIRES_PASSED, GBT_EXPIRES_PASSED),
    (cap::HTML, GBT_HTML),
    (cap::PLACEHOLDER, GBT_PLACEHOLDER),
    (cap::RESOURCE_DESC, GBT_RESOURCE),
    (cap::SIZE_NUMBER, GBT_SIZE),
    (cap::DIGEST, GBT_DIGEST),
    (cap::NO_AREA, GBT_NO_AREA),
    (cap::AREA_DESC, GBT_AREA_DESC),
    (cap::AREA_BARE, GBT_AREA_BARE),
    (cap::POLYGON_FORMAT, GBT_POLYGON),
    (cap::POLYGON_MIN, GBT_POLYGON_MIN),
    (cap::POLYGON_CLOSED, GBT_POLYGON_CLOSED),
    (cap::POLYGON_RANGE, GBT_POLYGON_RANGE),
    (cap::POLYGON_SIMPLE, GBT_POLYGON_SIMPLE),
    (cap::CIRCLE_FORMAT, GBT_CIRCLE),
    (cap::CIRCLE_RANGE, GBT_CIRCLE_RANGE),
    (cap::CIRCLE_ZERO, GBT_CIRCLE_ZERO),
    (cap::GEOCODE_EMPTY, GBT_GEOCODE_EMPTY),
];

/// The national standard's own rule for a rule of CAP, where it has one.
pub(crate) fn own(rule: &Rule) -> Option<&'static Rule> {
    OWN.iter()
        .find(|(cap, _)| cap.id == rule.id)
        .map(|(_, own)| own)
}
