//! 移动云MAS over HTTP: its interface is one shape of `HttpConfig`, and this is where it is written down. The request, the
//! digest and `msgGroup` are known; the names marked *assumed* are said to be so and were not seen on a real account,
//! so each can be written otherwise. This module must not send.

use std::collections::BTreeMap;
use std::net::IpAddr;

use channel::{FailureClass, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape::{Answer, Callback, Country, HttpConfig, Numbers, Receipts, Sign, Uplinks};
use crate::config::{ConfigError, defaults, first};
use crate::receipt::Stats;
use crate::reply::Acknowledge;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasConfig {
    /// Where texts are posted, up to and with `norsubmit` or `tmpsubmit`.
    pub url: String,
    /// The enterprise's name, as it stands in the contract.
    pub ec_name: String,
    pub ap_id: String,
    pub secret_key: Secret,
    /// The code of the filed signature; the platform puts the signature itself before the text.
    pub sign: String,
    #[serde(default)]
    pub add_serial: String,
    /// The filed template whose one parameter is the text: goes to `tmpsubmit`.
    #[serde(default)]
    pub template_id: Option<String>,
    #[serde(default = "defaults::mas_numbers")]
    pub numbers: usize,
    #[serde(default = "defaults::eight")]
    pub connections: usize,
    #[serde(default = "defaults::ten")]
    pub answer_timeout_seconds: u64,
    #[serde(default = "defaults::ten_segments")]
    pub max_segments: u8,
    pub callback: Option<MasCallback>,
    #[serde(default)]
    pub codes: BTreeMap<String, FailureClass>,
    #[serde(default)]
    pub layout: Layout,
    #[serde(default)]
    pub stats: Stats,
    #[serde(default)]
    pub acknowledge: Acknowledge,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasCallback {
    pub secret: Secret,
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    #[serde(default)]
    pub address_header: String,
}

/// **Assumed**: the names in reports and replies, and the value of an answer that means taken. One table, each entry
/// selectable for each account.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layout {
    pub ok: String,
    pub report_group: String,
    pub report_mobile: String,
    pub report_status: String,
    pub report_code: String,
    pub report_delivered: Vec<String>,
    pub report_failed: Vec<String>,
    pub reply_mobile: String,
    pub reply_content: String,
    pub reply_serial: String,
}

impl Default for Layout {
    fn default() -> Self {
        let own = str::to_owned;
        Self {
            ok: own("success"),
            report_group: own("msgGroup"),
            report_mobile: own("mobile"),
            report_status: own("reportStatus"),
            report_code: own("errorCode"),
            report_delivered: vec![own("CM:0000"), own("DELIVRD")],
            report_failed: Vec::new(),
            reply_mobile: own("mobile"),
            reply_content: own("smsContent"),
            reply_serial: own("addSerial"),
        }
    }
}

/// **Assumed**: what its refusals mean.
fn codes() -> BTreeMap<String, FailureClass> {
    use FailureClass::{BadAddress, BadContent, LinkDown};
    let table = [
        ("IllegalMac", LinkDown),
        ("InvalidUsrOrPwd", LinkDown),
        ("IllegalSignId", BadContent),
        ("NoSignId", BadContent),
        ("InvalidMessage", BadContent),
        ("TooManyMobiles", BadContent),
        ("IllegalMobile", BadAddress),
    ];
    table
        .into_iter()
        .map(|(code, class)| (code.to_owned(), class))
        .collect()
}

impl MasConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        first([
            (
                !self.ec_name.is_empty(),
                "ec_name",
                "is empty: write the enterprise's name as the contract has it",
            ),
            (!self.ap_id.is_empty(), "ap_id", "is empty"),
            (
                !self.secret_key.expose().is_empty(),
                "secret_key",
                "is empty",
            ),
            (
                !self.sign.is_empty(),
                "sign",
                "is empty: write the code of the filed signature",
            ),
            (
                (1..=5_000).contains(&self.numbers),
                "numbers",
                "must be 1 to 5000",
            ),
        ])
    }

    /// The request's template, and which of its fields are hashed, in order.
    fn body(&self) -> (Value, Vec<&'static str>) {
        let mut body = json!({
            "ecName": self.ec_name, "apId": self.ap_id, "mobiles": "{numbers}", "sign": self.sign,
            "addSerial": self.add_serial,
        });
        let content = if let Some(template) = &self.template_id {
            body["templateId"] = Value::String(template.clone());
            body["params"] = json!({ "json": ["{text}"] });
            vec!["ecName", "apId", "templateId", "mobiles", "params"]
        } else {
            body["content"] = Value::String("{text}".to_owned());
            vec!["ecName", "apId", "mobiles", "content"]
        };
        let fields = content.into_iter().chain(["sign", "addSerial"]);
        (body, fields.collect())
    }

    /// The same account as a shape.
    pub fn shape(self) -> Result<HttpConfig, ConfigError> {
        self.validate()?;
        let (body, fields) = self.body();
        let mut all = codes();
        all.extend(self.codes);
        let layout = self.layout;
        Ok(HttpConfig {
            url: self.url,
            sign: Sign::Mas {
                secret: self.secret_key,
                fields,
            },
            query: Value::Null,
            body,
            base64: true,
            numbers: Numbers {
                most: self.numbers,
                country: Country::Without,
                joined: ",".to_owned(),
            },
            answer: Answer {
                code: "/rspcod".to_owned(),
                ok: vec![layout.ok.clone()],
                group: Some("/msgGroup".to_owned()),
                each: None,
                error: None,
            },
            codes: all,
            callback: self.callback.map(|callback| callback.shape(layout)),
            slice: defaults::slice(),
            connections: self.connections,
            answer_timeout_seconds: self.answer_timeout_seconds,
            max_segments: self.max_segments,
            stats: self.stats,
            acknowledge: self.acknowledge,
        })
    }
}

impl MasCallback {
    fn shape(self, layout: Layout) -> Callback {
        let at = |name: String| format!("/{name}");
        Callback {
            secret: self.secret,
            addresses: self.addresses,
            address_header: self.address_header,
            receipts: Receipts {
                list: String::new(),
                id: at(layout.report_group),
                number: at(layout.report_mobile),
                state: at(layout.report_status),
                delivered: layout.report_delivered,
                failed: layout.report_failed,
                code: at(layout.report_code),
            },
            uplinks: Some(Uplinks {
                list: String::new(),
                number: at(layout.reply_mobile),
                text: at(layout.reply_content),
                to: at(layout.reply_serial),
            }),
            answer: json!({ "rspcod": "success" }),
        }
    }
}
