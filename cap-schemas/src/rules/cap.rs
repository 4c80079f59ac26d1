//! The rules of CAP 1.2, and what else a message in it is held to. The earlier versions are read into it and keep their
//! own lists. This module must not hold code.

use super::{Rule, Stop};
use crate::finding::FindingLevel;

rules! {
    CAP:
    WELL_FORMED "CAP-1.2/xml/well-formed" Error true Refuse
        "the document is not well-formed XML" "文档不是格式良好的 XML"
    NO_DTD "CAP-1.2/xml/no-dtd" Error false Refuse
        "a DOCTYPE is not accepted: remove it" "不接受 DOCTYPE，请删除"
    ENCODING "CAP-1.2/xml/encoding" Error true No
        "the bytes do not decode under their encoding; the text may be damaged" "字节与所声明的编码不符，文本可能已损坏"
    ENCODING_UNKNOWN "CAP-1.2/xml/encoding-unknown" Error true Refuse
        "the declared encoding is not supported: use UTF-8" "不支持所声明的编码，请使用 UTF-8"
    ENCODING_DECLARED "CAP-1.2/xml/encoding-declared" Warning true No
        "the declared encoding is not the one in use" "声明的编码与实际编码不一致"
    LEADING_BLANK "CAP-1.2/xml/leading-blank" Warning true No
        "there is blank space before the XML declaration" "XML 声明之前有空白"
    LIMIT "CAP-1.2/xml/limit" Error false Refuse
        "the document exceeds a limit" "文档超出限制"
    FINDINGS_CUT "CAP-1.2/report/cut" Info true No
        "there are more findings than are listed" "问题过多，未全部列出"
    ROOT "CAP-1.2/alert/root" Error true Refuse
        "the root must be alert in the namespace urn:oasis:names:tc:emergency:cap:1.2"
        "根元素必须是命名空间 urn:oasis:names:tc:emergency:cap:1.2 中的 alert"
    ALERT_EMPTY "CAP-1.2/alert/empty" Info true Refuse
        "the alert is empty: some feeds say so that there is none" "alert 为空：部分来源以此表示当前没有预警"
    UPGRADED "CAP-1.x/upgraded" Info false No
        "the message is of an earlier version of CAP and was read as CAP 1.2" "该消息为较早版本的 CAP，已按 CAP 1.2 读取"
    SEQUENCE "CAP-1.2/alert/sequence" Warning true No
        "the element is out of order" "元素顺序不正确"
    UNKNOWN_ELEMENT "CAP-1.2/alert/unknown-element" Warning true No
        "CAP has no such element here; it was ignored" "CAP 在此处没有该元素，已忽略"
    DUPLICATE "CAP-1.2/alert/duplicate" Error true No
        "the element may appear only once; the first was used" "该元素只能出现一次，已采用第一个"
    STRAY_TEXT "CAP-1.2/alert/stray-text" Warning true No
        "there is text between elements; it was ignored" "元素之间有文本，已忽略"
    ATTRIBUTES "CAP-1.2/alert/attributes" Info true No
        "CAP elements have no attributes; they were ignored" "CAP 元素没有属性，已忽略"
    PASSWORD "CAP-1.2/alert/password" Warning true No
        "password is of CAP 1.0; it was ignored" "password 为 CAP 1.0 用法，已忽略"
    IDENTIFIER_PRESENT "CAP-1.2/alert/identifier/present" Error true Hold
        "identifier is missing or empty" "缺少 identifier 或其为空"
    IDENTIFIER_CHARSET "CAP-1.2/alert/identifier/charset" Error true No
        "identifier must not contain spaces, commas, < or &" "identifier 不得包含空格、逗号、< 或 &"
    IDENTIFIER_UNIQUE "CAP-1.2/alert/identifier/unique" Error true Hold
        "another message has the same sender, identifier and sent, and says something else"
        "另有一条消息的 sender、identifier 和 sent 与此相同而内容不同"
    IDENTIFIER_REPEATED "CAP-1.2/alert/identifier/repeated" Info false No
        "the same message was there before" "同一消息先前已出现"
    SENDER_PRESENT "CAP-1.2/alert/sender/present" Error true Hold
        "sender is missing or empty" "缺少 sender 或其为空"
    SENDER_CHARSET "CAP-1.2/alert/sender/charset" Error true No
        "sender must not contain spaces, commas, < or &" "sender 不得包含空格、逗号、< 或 &"
    SENT_PRESENT "CAP-1.2/alert/sent/present" Error true Hold
        "sent is missing or empty" "缺少 sent 或其为空"
    SENT_FORMAT "CAP-1.2/alert/sent/format" Error true No
        "sent must have the form YYYY-MM-DDThh:mm:ss±hh:mm" "sent 的格式必须为 YYYY-MM-DDThh:mm:ss±hh:mm"
    UTC_MINUS_ZERO "CAP-1.2/alert/sent/utc-minus-zero" Info true No
        "UTC must be written as -00:00" "UTC 必须写作 -00:00"
    SENT_PLAUSIBLE "CAP-1.2/alert/sent/plausible" Warning false No
        "the time is not plausible" "时间不合常理"
    STATUS_ENUM "CAP-1.2/alert/status/enum" Error true Hold
        "status must be Actual, Exercise, System, Test or Draft" "status 必须是 Actual、Exercise、System、Test 或 Draft"
    EXERCISE_NOTE "CAP-1.2/alert/status/exercise-note" Info false No
        "an exercise should be named in note" "演练应在 note 中注明演练编号"
    MSG_TYPE_ENUM "CAP-1.2/alert/msgType/enum" Error true Hold
        "msgType must be Alert, Update, Cancel, Ack or Error" "msgType 必须是 Alert、Update、Cancel、Ack 或 Error"
    SCOPE_ENUM "CAP-1.2/alert/scope/enum" Error true Hold
        "scope must be Public, Restricted or Private; read as Restricted" "scope 必须是 Public、Restricted 或 Private；按 Restricted 处理"
    SCOPE_PRIVATE "CAP-1.2/alert/scope/private-feed" Error false Refuse
        "a Private message has no place in a public feed" "公开来源中不应出现 Private 消息"
    RESTRICTION_WHEN "CAP-1.2/alert/restriction/when" Warning true No
        "restriction belongs to scope Restricted, and to no other" "restriction 应且仅应在 scope 为 Restricted 时给出"
    ADDRESSES_WHEN "CAP-1.2/alert/addresses/when" Error true Hold
        "scope Private requires addresses" "scope 为 Private 时必须给出 addresses"
    ADDRESSES_LIST "CAP-1.2/alert/addresses/list" Warning true No
        "the quotes in addresses do not balance" "addresses 中的引号不成对"
    INCIDENTS_LIST "CAP-1.2/alert/incidents" Warning true No
        "the quotes in incidents do not balance" "incidents 中的引号不成对"
    REFERENCES_FORMAT "CAP-1.2/alert/references/format" Error true No
        "a reference must have the form sender,identifier,sent; it was left out" "引用的格式必须为 sender,identifier,sent；已略去"
    REFERENCES_JOINED "CAP-1.2/alert/references/joined" Warning true No
        "references are joined by commas instead of spaces; they were split in threes" "引用之间以逗号而非空格相连，已按三项一组拆分"
    REFERENCES_EMPTY "CAP-1.2/alert/references/empty" Info false No
        "references is empty" "references 为空"
    REFERENCES_REQUIRED "CAP-1.2/alert/references/required" Error true No
        "Update, Cancel, Ack and Error must name the earlier message in references"
        "Update、Cancel、Ack 和 Error 必须在 references 中给出先前的消息"
    REFERENCES_SELF "CAP-1.2/alert/references/self" Warning false No
        "the message refers to itself; that reference has no effect" "消息引用了自身，该引用无效"
    REFERENCES_POSTDATED "CAP-1.2/alert/references/postdated" Warning false No
        "a referenced message was sent later than this one" "被引用的消息晚于本消息发出"
    REFERENCES_OWN_SENT "CAP-1.2/alert/references/sent" Warning false No
        "a reference gives this message's own sent: the earlier one is matched by sender and identifier"
        "引用中的 sent 是本消息自身的 sent，将按 sender 和 identifier 匹配"
    REFERENCES_RESOLVABLE "CAP-1.2/alert/references/resolvable" Info false No
        "a referenced message is not known here; it may still come" "被引用的消息此处未知，可能稍后到达"
    REFERENCES_SENDER "CAP-1.2/alert/references/sender" Warning false No
        "the referenced message has another sender: it takes an authorisation to change it" "被引用消息的发送者不同，须经授权方可更改"
    ERROR_NOTE "CAP-1.2/alert/error-note" Info false No
        "an Error should explain itself in note" "Error 消息应在 note 中说明原因"
    INFO_PUBLIC "CAP-1.2/alert/info/public" Warning false No
        "an Alert or Update without info carries no warning" "没有 info 的 Alert 或 Update 不含预警内容"
    SIGNATURE_ENVELOPED "CAP-1.2/alert/signature/enveloped" Error true No
        "only an enveloped signature, a child of alert with its SignedInfo, is a signature" "签名必须是 alert 的子元素且含 SignedInfo 的封内签名"

    LANGUAGE "CAP-1.2/info/language/rfc3066" Warning true No
        "language is not a tag of RFC 3066" "language 不是 RFC 3066 语言标签"
    LANGUAGE_DEFAULT "CAP-1.2/info/language/default" Info false No
        "no language is given, so en-US is assumed, but the text is not in Latin script" "未给出 language，按 en-US 处理，但文本并非拉丁文字"
    LANGUAGE_ODD "CAP-1.2/info/language/odd" Warning false No
        "language has the form of a tag and names no usual language or region" "language 形式正确，但并非常用的语言或地区"
    LANGUAGE_SCRIPT "CAP-1.2/info/language/script" Warning false No
        "the text is not in a script that this language is written in" "文本所用文字与该 language 不符"
    INFO_STUB "CAP-1.2/info/stub" Warning true No
        "the info gives only texts; the rest was taken from its sibling of the same event"
        "该 info 仅有文字，其余内容取自同一事件的另一 info"
    ZAWGYI "CAP-1.2/info/zawgyi" Info false No
        "the text is Burmese in Zawgyi order, not Unicode" "文本为 Zawgyi 编排的缅甸文，并非 Unicode"
    PLACEHOLDER "CAP-1.2/info/placeholder" Warning false No
        "the text is a placeholder" "文本仅为占位符"
    CATEGORY_PRESENT "CAP-1.2/info/category/present" Error true No
        "category is missing; read as Other" "缺少 category，按 Other 处理"
    CATEGORY_ENUM "CAP-1.2/info/category/enum" Error true No
        "category is not in its list; read as Other" "category 不在代码表中，按 Other 处理"
    EVENT_PRESENT "CAP-1.2/info/event/present" Error true No
        "event is missing or empty" "缺少 event 或其为空"
    RESPONSE_ENUM "CAP-1.2/info/responseType/enum" Error true No
        "responseType is not in its list; it was left out" "responseType 不在代码表中，已略去"
    RESPONSE_ASSESS "CAP-1.2/info/responseType/assess" Info false No
        "Assess should not be used in public warnings" "公众预警不应使用 Assess"
    URGENCY_ENUM "CAP-1.2/info/urgency/enum" Error true No
        "urgency is missing or not in its list; read as Unknown" "urgency 缺少或不在代码表中，按 Unknown 处理"
    SEVERITY_ENUM "CAP-1.2/info/severity/enum" Error true No
        "severity is missing or not in its list; read as Unknown" "severity 缺少或不在代码表中，按 Unknown 处理"
    CERTAINTY_ENUM "CAP-1.2/info/certainty/enum" Error true No
        "certainty is missing or not in its list; read as Unknown" "certainty 缺少或不在代码表中，按 Unknown 处理"
    VERY_LIKELY "CAP-1.2/info/certainty/very-likely" Warning true No
        "Very Likely is of CAP 1.0; read as Likely" "Very Likely 为 CAP 1.0 用法，按 Likely 处理"
    EVENT_CODE_PAIR "CAP-1.2/info/eventCode/pair" Error true No
        "eventCode must hold valueName and value" "eventCode 必须包含 valueName 和 value"
    EVENT_CODE_PLACEHOLDER "CAP-1.2/info/eventCode/placeholder" Info false No
        "SAME NWS stands for no event" "SAME 代码 NWS 不表示任何事件"
    PARAMETER_PAIR "CAP-1.2/info/parameter/pair" Error true No
        "parameter must hold valueName and value" "parameter 必须包含 valueName 和 value"
    ACRONYM "CAP-1.2/info/valueName/acronym" Info false No
        "an acronym in valueName should be in capitals, without periods" "valueName 中的缩写应为大写且不带句点"
    EFFECTIVE_FORMAT "CAP-1.2/info/effective/format" Error true No
        "effective must have the form YYYY-MM-DDThh:mm:ss±hh:mm" "effective 的格式必须为 YYYY-MM-DDThh:mm:ss±hh:mm"
    ONSET_FORMAT "CAP-1.2/info/onset/format" Error true No
        "onset must have the form YYYY-MM-DDThh:mm:ss±hh:mm" "onset 的格式必须为 YYYY-MM-DDThh:mm:ss±hh:mm"
    EXPIRES_FORMAT "CAP-1.2/info/expires/format" Error true No
        "expires must have the form YYYY-MM-DDThh:mm:ss±hh:mm" "expires 的格式必须为 YYYY-MM-DDThh:mm:ss±hh:mm"
    EXPIRES_ABSENT "CAP-1.2/info/expires/absent" Warning false No
        "expires is not given: the default lifetime applies" "未给出 expires，将采用默认有效期"
    EXPIRES_ORDER "CAP-1.2/info/expires/order" Warning false No
        "expires must be later than sent, effective and onset" "expires 必须晚于 sent、effective 和 onset"
    EXPIRES_ONSET "CAP-1.2/info/expires/onset" Warning false No
        "expires is the onset: the default lifetime applies" "expires 与 onset 相同，将采用默认有效期"
    EXPIRES_PASSED "CAP-1.2/info/expires/passed" Warning false No
        "the info had expired on arrival" "该 info 到达时已过期"
    HEADLINE_LENGTH "CAP-1.2/info/headline/length" Info false No
        "headline is longer than 160 characters" "headline 超过 160 个字符"
    WEB_ABSOLUTE "CAP-1.2/info/web/absolute" Warning true No
        "web must be a full absolute URI" "web 必须是完整的绝对 URI"
    SAME_LANGUAGE "CAP-1.2/info/same-language-sequence" Info false No
        "infos of one language and event overlap and contradict each other" "同一语言、同一事件的 info 区域重叠且相互矛盾"
    HTML "CAP-1.2/info/html-entities" Warning false No
        "the text holds HTML markup or entities" "文本含有 HTML 标记或实体"

    RESOURCE_DESC "CAP-1.2/resource/resourceDesc" Error true No
        "resourceDesc is missing or empty" "缺少 resourceDesc 或其为空"
    MIME_TYPE "CAP-1.2/resource/mimeType" Warning true No
        "mimeType is missing or not type/subtype" "缺少 mimeType 或其不是 type/subtype 形式"
    SIZE "CAP-1.2/resource/size" Info false No
        "size should be given with uri" "给出 uri 时应给出 size"
    SIZE_NUMBER "CAP-1.2/resource/size/number" Error true No
        "size must be a whole number, not negative" "size 必须是非负整数"
    URI "CAP-1.2/resource/uri" Warning true No
        "uri is not a URI" "uri 不是有效的 URI"
    URI_RELATIVE "CAP-1.2/resource/uri/relative" Error true No
        "a relative uri needs derefUri" "相对 uri 必须同时给出 derefUri"
    DEREF_BASE64 "CAP-1.2/resource/derefUri/base64" Error true No
        "derefUri is not base64" "derefUri 不是 base64"
    DEREF_ONE_WAY "CAP-1.2/resource/derefUri/one-way" Info false No
        "derefUri is only for one-way links; offer a uri where the link is two-way" "derefUri 仅用于单向链路，双向链路应提供 uri"
    DIGEST "CAP-1.2/resource/digest/sha1" Warning true No
        "digest is not the SHA-1 of the content" "digest 与内容的 SHA-1 不符"

    AREA_DESC "CAP-1.2/area/areaDesc/present" Warning true No
        "areaDesc is missing or empty" "缺少 areaDesc 或其为空"
    POLYGON_FORMAT "CAP-1.2/area/polygon/format" Error true No
        "polygon must be a list of lat,lon pairs" "polygon 必须是 纬度,经度 对的列表"
    POLYGON_EMPTY "CAP-1.2/area/polygon/empty" Info false No
        "polygon is empty; it was ignored" "polygon 为空，已忽略"
    POLYGON_MIN "CAP-1.2/area/polygon/min4" Error true No
        "polygon needs four pairs or more; it was left out" "polygon 至少需要四个坐标对，已略去"
    POLYGON_CLOSED "CAP-1.2/area/polygon/closed" Warning true No
        "the first and last pair of a polygon must be the same; it was closed" "polygon 首尾坐标必须相同，已闭合"
    POLYGON_RANGE "CAP-1.2/area/polygon/range" Error true No
        "a pair is outside latitude -90 to 90, longitude -180 to 180" "坐标超出纬度 -90 至 90、经度 -180 至 180 的范围"
    POLYGON_SWAPPED "CAP-1.2/area/polygon/swapped" Error false Hold
        "the polygon lies outside the feed's country, and inside it with latitude and longitude swapped"
        "polygon 位于该来源所在国之外，而对调经纬度后位于其内"
    POLYGON_SIMPLE "CAP-1.2/area/polygon/simple" Warning false No
        "the polygon crosses itself" "polygon 自相交"
    CIRCLE_FORMAT "CAP-1.2/area/circle/format" Error true No
        "circle must be lat,lon and a radius in kilometres; it was left out" "circle 必须为 纬度,经度 加以公里计的半径，已略去"
    CIRCLE_RANGE "CAP-1.2/area/circle/range" Error true No
        "the circle's centre is outside latitude -90 to 90, longitude -180 to 180" "圆心超出纬度 -90 至 90、经度 -180 至 180 的范围"
    CIRCLE_ZERO "CAP-1.2/area/circle/zero" Warning false No
        "a circle of radius 0 names a point" "半径为 0 的 circle 仅表示一个点"
    GEOCODE_PAIR "CAP-1.2/area/geocode/pair" Error true No
        "geocode must hold valueName and value" "geocode 必须包含 valueName 和 value"
    GEOCODE_EMPTY "CAP-1.2/area/geocode/empty" Info false No
        "geocode is empty; it was ignored" "geocode 为空，已忽略"
    GEOCODE_SHAPE "CAP-1.2/area/geocode/with-shape" Info false No
        "a geocode should come with a polygon or circle" "geocode 应同时给出 polygon 或 circle"
    GEOCODE_NAME "CAP-1.2/area/geocode/unknown-name" Info false No
        "the geocode is of a system that is not known here" "geocode 所属编码体系未知"
    EXCLUDE_POLYGON "CAP-1.2/area/geocode/exclude-polygon" Info false No
        "a hole is cut by EXCLUDE_POLYGON; it is not applied, so the area is larger" "以 EXCLUDE_POLYGON 挖去的区域未予扣除，范围偏大"
    AREA_BARE "CAP-1.2/area/bare" Warning false No
        "the area has no polygon, circle or geocode: it names no place that can be found" "area 没有 polygon、circle 或 geocode，无法定位"
    NO_AREA "CAP-1.2/info/area/present" Warning false No
        "the info names no area" "info 未给出 area"
    ALTITUDE_NUMBER "CAP-1.2/area/altitude" Error true No
        "altitude and ceiling must be decimal numbers; it was left out" "altitude 和 ceiling 必须是十进制数，已略去"
    ALTITUDE_CEILING "CAP-1.2/area/altitude-ceiling" Warning true No
        "ceiling must not be used without altitude" "没有 altitude 时不得使用 ceiling"
    CEILING_ORDER "CAP-1.2/area/ceiling-order" Warning false No
        "ceiling is below altitude" "ceiling 低于 altitude"
}
