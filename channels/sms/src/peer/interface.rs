//! The interfaces that a provider plays: what a request says, whether it is signed, and how answers and receipts look.
//! This module must not decide what becomes of a text.

use channel::testing::Behaviour;
use serde_json::{Value, json};

use super::provider::{Call, ProviderConfig};
use crate::http::sign::{self, Signed};

/// Whose interface a provider plays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interface {
    Aliyun,
    Tencent,
    Mas,
}

impl ProviderConfig {
    pub(super) fn fields(&self, call: &Call) -> Value {
        match self.interface {
            Interface::Aliyun => {
                let pairs = call.query.split('&').filter_map(pair);
                let fields = pairs.map(|(name, value)| (name, Value::String(value)));
                Value::Object(fields.collect())
            }
            Interface::Tencent => serde_json::from_slice(&call.body).unwrap_or_default(),
            Interface::Mas => {
                use base64::Engine as _;
                let json = base64::engine::general_purpose::STANDARD
                    .decode(&call.body)
                    .unwrap_or_default();
                serde_json::from_slice(&json).unwrap_or_default()
            }
        }
    }

    pub(super) fn numbers(&self, fields: &Value) -> Vec<String> {
        let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
        let joined = match self.interface {
            Interface::Aliyun => text("PhoneNumbers"),
            Interface::Mas => text("mobiles"),
            Interface::Tencent => {
                let list = fields["PhoneNumberSet"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                return list
                    .iter()
                    .filter_map(|n| n.as_str().map(str::to_owned))
                    .collect();
            }
        };
        joined.split(',').map(str::to_owned).collect()
    }

    pub(super) fn is_signed(&self, call: &Call, fields: &Value) -> bool {
        match self.interface {
            Interface::Aliyun | Interface::Tencent => self.is_authorized(call),
            Interface::Mas => self.is_hashed(fields),
        }
    }

    /// By the signature over the headers that the caller named.
    fn is_authorized(&self, call: &Call) -> bool {
        let header = |name: &str| call.headers.get(name).map_or("", String::as_str);
        let authorization = header("authorization");
        let part = |name: &str| {
            let rest = authorization.split_once(name).map_or("", |(_, rest)| rest);
            rest.split([',', ' ']).next().unwrap_or_default()
        };
        let named = part("SignedHeaders=").split(';');
        let named: Vec<_> = named
            .filter_map(|name| Some((name.to_owned(), call.headers.get(name)?.clone())))
            .collect();
        // A client may encode a space otherwise than it signs it: what counts is what is meant.
        let pairs: Vec<_> = call.query.split('&').filter_map(pair).collect();
        let signed = Signed {
            method: "POST",
            path: &call.path,
            query: &sign::query(&pairs),
            headers: &named,
            body: &call.body,
        };
        let (key, signature) = (part("Credential="), part("Signature="));
        if self.interface == Interface::Aliyun {
            let hashed = header("x-acs-content-sha256") == sign::sha256(&call.body);
            return hashed && key == self.key && signature == sign::acs3(&signed, &self.secret);
        }
        let seconds = header("x-tc-timestamp").parse().unwrap_or(0);
        let day = sign::day(channel::Timestamp::from_secs(seconds));
        let scope = format!("{}/{day}/sms/tc3_request", self.key);
        key == scope && signature == sign::tc3(&signed, &self.secret, "sms", seconds)
    }

    fn is_hashed(&self, fields: &Value) -> bool {
        let text = |name: &str| fields[name].as_str().unwrap_or_default();
        let (template, content) = match text("templateId") {
            "" => ("", "content"),
            _ => ("templateId", "params"),
        };
        let hashed = [
            text("ecName"),
            text("apId"),
            &self.secret,
            text(template),
            text("mobiles"),
            text(content),
            text("sign"),
            text("addSerial"),
        ];
        text("apId") == self.key && text("mac") == sign::mas(&hashed)
    }

    pub(super) fn answer(&self, proved: bool, id: &str, numbers: &[String]) -> (u16, Value) {
        use Behaviour::{RefuseAddress, RefuseContent, Throttle};
        let behaviour = self.behaviour;
        let word = |words: [&'static str; 5]| match behaviour {
            _ if !proved => words[0],
            Throttle => words[1],
            RefuseAddress => words[2],
            RefuseContent => words[3],
            _ => words[4],
        };
        match self.interface {
            Interface::Aliyun => {
                let code = word([
                    "SignatureDoesNotMatch",
                    "isv.BUSINESS_LIMIT_CONTROL",
                    "isv.MOBILE_NUMBER_ILLEGAL",
                    "isv.SMS_TEMPLATE_ILLEGAL",
                    "OK",
                ]);
                let status = if proved { 200 } else { 400 };
                (
                    status,
                    json!({ "Code": code, "Message": code, "BizId": id, "RequestId": id }),
                )
            }
            Interface::Tencent if !proved => {
                let error = json!({ "Code": "AuthFailure.SignatureFailure", "Message": "x" });
                (
                    200,
                    json!({ "Response": { "Error": error, "RequestId": id } }),
                )
            }
            Interface::Tencent => {
                let code = word([
                    "",
                    "LimitExceeded.PhoneNumberDailyLimit",
                    "InvalidParameterValue.IncorrectPhoneNumber",
                    "FailedOperation.TemplateIncorrectOrUnapproved",
                    "Ok",
                ]);
                (200, each(id, code, numbers))
            }
            Interface::Mas => {
                let words = [
                    "IllegalMac",
                    "",
                    "IllegalMobile",
                    "IllegalSignId",
                    "success",
                ];
                let code = word(words);
                // No word of its own for it is known.
                let status = if code.is_empty() { 429 } else { 200 };
                let answer =
                    json!({ "rspcod": code, "msgGroup": id, "success": code == "success" });
                (status, answer)
            }
        }
    }

    pub(super) fn receipts(&self, id: &str, numbers: &[String]) -> Vec<Value> {
        let home = |number: &String| number.trim_start_matches("+86").to_owned();
        let aliyun = |number: &String| json!({ "phone_number": home(number), "success": true, "err_code": "DELIVERED", "biz_id": id });
        let tencent = |(at, number): (usize, &String)| {
            let sid = format!("{id}:{at}");
            json!({ "mobile": home(number), "nationcode": "86", "report_status": "SUCCESS", "errmsg": "DELIVRD", "sid": sid })
        };
        let mas = |number: &String| json!({ "msgGroup": id, "mobile": number, "reportStatus": "CM:0000", "errorCode": "DELIVRD" });
        match self.interface {
            Interface::Aliyun => vec![Value::Array(numbers.iter().map(aliyun).collect())],
            Interface::Tencent => vec![Value::Array(
                numbers.iter().enumerate().map(tencent).collect(),
            )],
            // One call for each number.
            Interface::Mas => numbers.iter().map(mas).collect(),
        }
    }
}

/// Tencent's answer, one outcome for each number.
fn each(id: &str, code: &str, numbers: &[String]) -> Value {
    let one = |(at, number): (usize, &String)| {
        let serial = format!("{id}:{at}");
        json!({ "SerialNo": serial, "PhoneNumber": number, "Fee": 1, "SessionContext": "", "Code": code, "Message": code,
            "IsoCode": "CN" })
    };
    let list: Vec<_> = numbers.iter().enumerate().map(one).collect();
    json!({ "Response": { "SendStatusSet": list, "RequestId": id } })
}

/// Name and value of one part of a query.
fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    Some((decoded(name), decoded(value)))
}

fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let code = match byte {
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                hex::decode(digits).map_or(b'?', |decoded| decoded[0])
            }
            b'+' => b' ',
            byte => byte,
        };
        out.push(code);
    }
    String::from_utf8_lossy(&out).into_owned()
}
