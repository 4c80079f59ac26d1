//! The rules of profiles: what single countries and platforms ask of a message beyond the standard. They count only for who
//! asks for the profile, and no breach of them makes a message less conforming. This module must not hold code.

use super::{Rule, Stop};
use crate::finding::FindingLevel;

rules! {
    PROFILES:
    GOOGLE_REFERENCES "GOOGLE-1.0/update-or-cancel-must-reference" Error false No
        "an Update or Cancel must name what it changes in references" "Update 和 Cancel 必须在 references 中给出所更改的消息"
    GOOGLE_CATEGORIES "GOOGLE-1.0/categories-must-match" Error false No
        "all infos must have the same categories" "各 info 的 category 必须相同"
    GOOGLE_EVENT_CODES "GOOGLE-1.0/event-codes-must-match" Error false No
        "all infos must have the same event codes" "各 info 的 eventCode 必须相同"
    GOOGLE_INFO "GOOGLE-1.0/info-is-required" Error false No
        "info is required" "必须给出 info"
    GOOGLE_DESCRIPTION "GOOGLE-1.0/description-is-required" Error false No
        "description is required" "必须给出 description"
    GOOGLE_WEB "GOOGLE-1.0/web-is-required" Error false No
        "web is required" "必须给出 web"
    GOOGLE_EXPIRES "GOOGLE-1.0/expires-is-required" Error false No
        "expires is required" "必须给出 expires"
    GOOGLE_EFFECTIVE "GOOGLE-1.0/effective-not-after-expires" Error false No
        "effective must not be later than expires" "effective 不得晚于 expires"
    GOOGLE_AREA "GOOGLE-1.0/area-is-required" Error false No
        "area is required" "必须给出 area"
    GOOGLE_SHAPE "GOOGLE-1.0/circle-polygon-or-geocode-is-required" Error false No
        "an area needs a circle, polygon or geocode" "area 必须含有 circle、polygon 或 geocode"
    GOOGLE_SAME_TEXT "GOOGLE-1.0/same-text-different-language" Warning false No
        "infos of different languages have the same text" "不同语言的 info 文本相同"
    GOOGLE_SENDER_NAME "GOOGLE-1.0/sender-name-strongly-recommended" Info false No
        "senderName is strongly recommended" "强烈建议给出 senderName"
    GOOGLE_RESPONSE "GOOGLE-1.0/response-type-strongly-recommended" Info false No
        "responseType is strongly recommended" "强烈建议给出 responseType"
    GOOGLE_INSTRUCTION "GOOGLE-1.0/instruction-strongly-recommended" Info false No
        "instruction is strongly recommended" "强烈建议给出 instruction"
    GOOGLE_SHAPE_ENCOURAGED "GOOGLE-1.0/circle-polygon-encouraged" Info false No
        "a circle or polygon is encouraged" "建议给出 circle 或 polygon"
    GOOGLE_TEST "GOOGLE-1.0/test-alert-discouraged" Info false No
        "a test message is discouraged" "不建议发送测试消息"
    GOOGLE_HEADLINE "GOOGLE-1.0/headline-too-long" Info false No
        "headline is longer than 140 characters" "headline 超过 140 个字符"
    GOOGLE_HEADLINE_SAME "GOOGLE-1.0/headline-and-description-should-differ" Info false No
        "headline and description should differ" "headline 与 description 应有所不同"
    GOOGLE_INSTRUCTION_SAME "GOOGLE-1.0/description-and-instruction-should-differ" Info false No
        "description and instruction should differ" "description 与 instruction 应有所不同"
    GOOGLE_URGENCY "GOOGLE-1.0/unknown-urgency-discouraged" Info false No
        "urgency Unknown is discouraged" "不建议 urgency 为 Unknown"
    GOOGLE_SEVERITY "GOOGLE-1.0/unknown-severity-discouraged" Info false No
        "severity Unknown is discouraged" "不建议 severity 为 Unknown"
    GOOGLE_CERTAINTY "GOOGLE-1.0/unknown-certainty-discouraged" Info false No
        "certainty Unknown is discouraged" "不建议 certainty 为 Unknown"
    GOOGLE_CONTACT "GOOGLE-1.0/contact-is-recommended" Info false No
        "contact is recommended" "建议给出 contact"
    GOOGLE_RADIUS "GOOGLE-1.0/nonzero-circle-radius-recommended" Info false No
        "a circle of radius 0 is discouraged" "不建议 circle 半径为 0"
    GOOGLE_EVENTS "GOOGLE-1.0/events-in-same-language-should-match" Info false No
        "infos of one language should name the same event" "同一语言的 info 应给出相同的 event"

    IPAWS_CODE "IPAWS-1.0/code/ipawsv1.0" Error false No
        "code IPAWSv1.0 must be given once" "必须且仅能给出一次 code IPAWSv1.0"
    IPAWS_SENT "IPAWS-1.0/sent/offset" Error false No
        "the offset of sent must be given and not be zero" "sent 的时区不得为零"
    IPAWS_EXPIRES_OFFSET "IPAWS-1.0/expires/offset" Error false No
        "the offset of expires must be given and not be zero" "expires 的时区不得为零"
    IPAWS_INFO "IPAWS-1.0/info/required" Error false No
        "info is required" "必须给出 info"
    IPAWS_SAME "IPAWS-1.0/eventCode/same-once" Error false No
        "one event code SAME of three letters must be given" "必须且仅能给出一个三字母的 SAME eventCode"
    IPAWS_EXPIRES "IPAWS-1.0/expires/required" Error false No
        "expires is required" "必须给出 expires"
    IPAWS_AREA "IPAWS-1.0/area/required" Error false No
        "area is required" "必须给出 area"
    IPAWS_REFERENCES "IPAWS-1.0/references/all-active" Error false No
        "an Update or Cancel must name every message that still stands" "Update 和 Cancel 必须引用所有仍有效的消息"
    IPAWS_CATEGORY "IPAWS-1.0/info/same-category" Error false No
        "all infos must have the same categories" "各 info 的 category 必须相同"
    IPAWS_EVENT_CODE "IPAWS-1.0/info/same-eventCode" Error false No
        "all infos must have the same event codes" "各 info 的 eventCode 必须相同"
    IPAWS_IGNORED "IPAWS-1.0/info/ignored" Info false No
        "effective and onset are ignored" "effective 和 onset 不予采用"
    IPAWS_GEOCODE "IPAWS-1.0/geocode/same6" Warning false No
        "a geocode SAME of six digits should be given" "应给出六位数字的 SAME geocode"
    IPAWS_TEXT "IPAWS-1.0/info/texts" Warning false No
        "description and instruction should be given" "应给出 description 和 instruction"
    IPAWS_CMAM "IPAWS-1.0/parameter/cmam" Warning false No
        "CMAMtext has at most 90 characters, CMAMlongtext at most 360" "CMAMtext 不超过 90 个字符，CMAMlongtext 不超过 360 个字符"

    CP_CODE "CAP-CP/code" Error false No
        "a code that begins with profile:CAP-CP: must be given" "必须给出以 profile:CAP-CP: 开头的 code"
    CP_ONE_EVENT "CAP-CP/info/one-event" Error false No
        "all infos must have the same event codes" "各 info 的 eventCode 必须相同"
    CP_INFO "CAP-CP/info/required" Error false No
        "info is required" "必须给出 info"
    CP_EVENT_CODE "CAP-CP/eventCode/name" Error false No
        "an event code whose name begins with profile:CAP-CP:Event: must be given" "必须给出名称以 profile:CAP-CP:Event: 开头的 eventCode"
    CP_AREA "CAP-CP/area/required" Error false No
        "area is required" "必须给出 area"
    CP_GEOCODE "CAP-CP/geocode/location" Error false No
        "an area needs a geocode whose name begins with profile:CAP-CP:Location" "area 必须含有名称以 profile:CAP-CP:Location 开头的 geocode"
    CP_REFERENCES "CAP-CP/references/required" Error false No
        "an Update or Cancel must name what it changes in references" "Update 和 Cancel 必须在 references 中给出所更改的消息"
    CP_LANGUAGES "CAP-CP/language/both" Warning false No
        "infos in English and in French should be given" "应同时给出英文和法文 info"
    CP_ADVISED "CAP-CP/info/recommended" Info false No
        "expires, senderName, responseType and instruction are strongly recommended" "强烈建议给出 expires、senderName、responseType 和 instruction"
    CP_SHAPE "CAP-CP/area/shape" Info false No
        "a polygon or circle is encouraged" "建议给出 polygon 或 circle"

    AU_CODE "CAP-AU/code" Error false No
        "the code of the profile must be given" "必须给出该规范的 code"
    AU_INFO "CAP-AU/info/required" Error false No
        "info is required" "必须给出 info"
    AU_REFERENCES "CAP-AU/references/required" Error false No
        "an Update or Cancel must name what it changes in references" "Update 和 Cancel 必须在 references 中给出所更改的消息"
    AU_CATEGORY "CAP-AU/info/same-category" Error false No
        "all infos must have the same categories" "各 info 的 category 必须相同"
    AU_EVENT_CODE "CAP-AU/info/same-eventCode" Error false No
        "all infos must have the same event codes" "各 info 的 eventCode 必须相同"
    AU_LIST "CAP-AU/eventCode/list" Error false No
        "one event code of AUeventLIST must be given" "必须且仅能给出一个 AUeventLIST eventCode"
    AU_EVENT "CAP-AU/info/same-event" Error false No
        "infos of one language must name the same event" "同一语言的 info 必须给出相同的 event"
    AU_EFFECTIVE "CAP-AU/effective/cancel" Error false No
        "a Cancel has no effective" "Cancel 不得给出 effective"
    AU_AREA "CAP-AU/area/required" Error false No
        "area is required" "必须给出 area"
    AU_SENDER "CAP-AU/sender/email" Warning false No
        "sender should be an e-mail address" "sender 应为电子邮件地址"
    AU_TEST "CAP-AU/status/test" Info false No
        "a Test is only logged" "Test 消息仅作记录"
    AU_ADVISED "CAP-AU/info/recommended" Info false No
        "expires, senderName, responseType and instruction are strongly recommended" "强烈建议给出 expires、senderName、responseType 和 instruction"

    METEO_LEVEL "METEOALARM/parameter/awareness_level" Error false No
        "awareness_level must be given as number; colour; severity" "必须以“数字; 颜色; 程度”的形式给出 awareness_level"
    METEO_TYPE "METEOALARM/parameter/awareness_type" Error false No
        "awareness_type must be given as number; name" "必须以“数字; 名称”的形式给出 awareness_type"
    METEO_GEOCODE "METEOALARM/geocode" Warning false No
        "a geocode EMMA_ID, NUTS2 or NUTS3 should be given" "应给出 EMMA_ID、NUTS2 或 NUTS3 geocode"
}
