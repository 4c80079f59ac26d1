//! What an account says at once to whoever bound or undid something, in the answer to the far end's call: it costs no
//! message and no quota. This module must not name a person: whoever holds the code may not be who lives there.

use channel::{Tied, Timestamp};

use crate::crypt::signature;

/// In Chinese, since the account's people are.
pub fn words(tied: &Tied, undo: &str) -> String {
    let end = if undo.is_empty() {
        String::new()
    } else {
        format!("回复“{undo}”可取消。")
    };
    match tied {
        Tied::To {
            place,
            household: Some(number),
        } => format!("已绑定 {place} {number} 号住户，预警会发到这里。{end}"),
        Tied::To {
            place,
            household: None,
        } => format!("已绑定 {place}，本村的预警会发到这里；要登记到户，请扫自家的二维码。{end}"),
        Tied::Nowhere => "这个二维码已经失效，请向村委会要新的。".to_owned(),
        Tied::Undone => "已取消，预警不再发到这里。".to_owned(),
        Tied::Never => "这里没有扫码绑定过。登记有误，请找村委会。".to_owned(),
    }
}

/// A text to one person, as the far end hands it on.
pub fn text((to, from): (&str, &str), words: &str, now: Timestamp) -> String {
    let [to, from, words] = [to, from, words].map(|text| text.replace("]]>", ""));
    format!(
        "<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[{from}]]></FromUserName>\
         <CreateTime>{}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{words}]]></Content></xml>",
        now.secs()
    )
}

/// The same where calls are encrypted, signed as they are.
pub fn envelope(envelope: &str, token: &str, now: Timestamp) -> String {
    let (at, nonce) = (now.secs().to_string(), format!("{:x}", fastrand::u64(..)));
    let signed = signature(&[token, &at, &nonce, envelope]);
    format!(
        "<xml><Encrypt><![CDATA[{envelope}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>\
         <TimeStamp>{at}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Flat;

    #[test]
    fn a_text_is_read_back_and_nothing_in_it_ends_it_early() {
        let place = "平通·新桥村]]></Content>".to_owned();
        let household = Some(12);
        let words = words(&Tied::To { place, household }, "解绑");
        let flat = Flat::read(&text(("o-demo_1", "gh_1"), &words, Timestamp(7_000))).unwrap();
        assert_eq!(
            flat.get("Content"),
            Some("已绑定 平通·新桥村</Content> 12 号住户，预警会发到这里。回复“解绑”可取消。")
        );
        assert_eq!(flat.get("CreateTime"), Some("7"));
        assert_eq!(flat.get("ToUserName"), Some("o-demo_1"));
    }
}
