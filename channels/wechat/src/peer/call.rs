//! The calls that the far end makes: what they say, and how they are signed and encrypted. This module must not be used to
//! prove either.

use channel::{Clock, Request};

use crate::crypt::{AesKey, signature};

/// How the far end's calls are made.
#[derive(Clone)]
pub struct Caller {
    pub token: String,
    pub key: Option<AesKey>,
    /// To whom an envelope is addressed.
    pub owner: String,
}

const FROM: &str = "gh_0123456789ab";

fn told(from: &str, inner: &str) -> String {
    at(1_409_735_669, from, inner)
}

fn at(seconds: u32, from: &str, inner: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{FROM}]]></ToUserName><FromUserName><![CDATA[{from}]]></FromUserName>\
         <CreateTime>{seconds}</CreateTime><MsgType><![CDATA[event]]></MsgType>{inner}</xml>"
    )
}

/// A follower scanned a code. Each scan is one of its own.
pub fn scanned(openid: &str, scene: &str) -> String {
    let inner = format!("<Event><![CDATA[SCAN]]></Event><EventKey><![CDATA[{scene}]]></EventKey>");
    at(fastrand::u32(..), openid, &inner)
}

/// Somebody wrote.
pub fn wrote(from: &str, text: &str) -> String {
    let id = fastrand::u64(..);
    format!(
        "<xml><ToUserName><![CDATA[{FROM}]]></ToUserName><FromUserName><![CDATA[{from}]]></FromUserName>\
         <CreateTime>1409735669</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>\
         <MsgId>{id}</MsgId></xml>"
    )
}

/// The sending of a template message ended.
pub fn finished(openid: &str, message: u64, status: &str) -> String {
    let inner = format!(
        "<Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event><MsgID>{message}</MsgID><Status><![CDATA[{status}]]></Status>"
    );
    told(openid, &inner)
}

/// A member pressed a message's button.
pub fn pressed(member: &str, task: &str, key: &str) -> String {
    let inner = format!(
        "<Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[{key}]]></EventKey><TaskId><![CDATA[{task}]]></TaskId>\
         <CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[r]]></ResponseCode><AgentID>1</AgentID>"
    );
    told(member, &inner)
}

impl Caller {
    /// One call with this XML, signed now.
    pub fn request(&self, xml: &str, clock: &dyn Clock) -> Request {
        let timestamp = clock.now().secs().to_string();
        let nonce = format!("{:x}", fastrand::u64(..));
        let sign = |more: Option<&str>| {
            let words = [self.token.as_str(), &timestamp, &nonce];
            signature(&words.into_iter().chain(more).collect::<Vec<_>>())
        };
        let mut query = vec![("signature", sign(None))];
        let body = match &self.key {
            None => xml.to_owned(),
            Some(key) => {
                let envelope = key.seal(xml.as_bytes(), &self.owner);
                query.push(("msg_signature", sign(Some(&envelope))));
                query.push(("encrypt_type", "aes".to_owned()));
                format!(
                    "<xml><ToUserName><![CDATA[{FROM}]]></ToUserName><Encrypt><![CDATA[{envelope}]]></Encrypt></xml>"
                )
            }
        };
        query.push(("timestamp", timestamp));
        query.push(("nonce", nonce));
        Request {
            method: "POST".to_owned(),
            query: query.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
            body: body.into(),
            ..Request::default()
        }
    }
}
