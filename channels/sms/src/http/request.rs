//! One request: its template filled, encoded and signed. This module must not send it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use channel::{Failure, FailureClass, Request, Timestamp};
use serde_json::Value;

use super::shape::{HttpConfig, Sign};
use super::sign::{self, Signed};
use super::template::{self, Filling};
use super::{HttpSms, Letter, answer};

impl HttpSms {
    pub(super) fn request(
        &self,
        letter: &Letter<'_>,
        now: Timestamp,
    ) -> Result<(String, Request), Failure> {
        let shape = &self.shape;
        let filling = Filling {
            signed: &letter.variant.text,
            title: &letter.variant.title,
            template: letter.variant.template.as_deref(),
            numbers: &letter.numbers,
            joined: &shape.numbers.joined,
            slice: shape.slice,
        };
        // Names were checked when the account was made.
        let fill = |template: &Value| {
            template::fill(template, &filling).map_err(|unknown| {
                let detail = format!(
                    "the request names {{{}}}, which this text has not",
                    unknown.0
                );
                Failure::new(FailureClass::BadContent, "http:template", detail)
            })
        };
        let (query, body) = (fill(&shape.query)?, fill(&shape.body)?);
        let body = encoded(shape, body);
        let pairs = query.as_object().into_iter().flatten();
        let pairs: Vec<_> = pairs
            .map(|(n, v)| (n.clone(), answer::plain(v).unwrap_or_else(|| v.to_string())))
            .collect();
        let query = sign::query(&pairs);
        let headers = headers(shape, &query, &body, now);
        let url = if query.is_empty() {
            shape.url.clone()
        } else {
            format!("{}?{query}", shape.url)
        };
        let request = Request {
            method: "POST".to_owned(),
            headers,
            body: Bytes::from(body),
            ..Request::default()
        };
        Ok((url, request))
    }
}

/// The body as it travels, with its digest where there is one.
fn encoded(shape: &HttpConfig, mut body: Value) -> Vec<u8> {
    if let (Sign::Mas { secret, fields }, Some(map)) = (&shape.sign, body.as_object_mut()) {
        let value = |name: &&str| map.get(*name).and_then(Value::as_str).unwrap_or_default();
        let mut values: Vec<&str> = fields.iter().map(value).collect();
        values.insert(2, secret.expose());
        let mac = Value::String(sign::mas(&values));
        map.insert("mac".to_owned(), mac);
    }
    let json = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    if shape.base64 {
        return STANDARD.encode(json).into_bytes();
    }
    json
}

type Headers = Vec<(String, String)>;

fn owned(pairs: &[(&str, &str)]) -> Headers {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn headers(shape: &HttpConfig, query: &str, body: &[u8], now: Timestamp) -> Headers {
    let (host, path) = place(&shape.url);
    let json = ("content-type", "application/json");
    let signed = |headers| Signed {
        method: "POST",
        path,
        query,
        headers,
        body,
    };
    match &shape.sign {
        Sign::None | Sign::Mas { .. } => owned(&[json]),
        Sign::Acs3 {
            key,
            secret,
            action,
            version,
        } => {
            let mut headers = owned(&[
                json,
                ("host", host),
                ("x-acs-action", action),
                ("x-acs-content-sha256", &sign::sha256(body)),
                ("x-acs-date", &format!("{}Z", &now.to_string()[..19])),
                ("x-acs-signature-nonce", &nonce()),
                ("x-acs-version", version),
            ]);
            let signature = sign::acs3(&signed(&headers), secret.expose());
            let value = authorization([sign::ACS3, key, ",", &signature], &headers);
            headers.push(("authorization".to_owned(), value));
            headers
        }
        Sign::Tc3 {
            key,
            secret,
            service,
            action,
            version,
            region,
        } => {
            let mut headers = owned(&[json, ("host", host)]);
            let signature = sign::tc3(&signed(&headers), secret.expose(), service, now.secs());
            let scope = format!("{key}/{}/{service}/tc3_request", sign::day(now));
            let value = authorization([sign::TC3, &scope, ", ", &signature], &headers);
            headers.extend(owned(&[
                ("authorization", &value),
                ("x-tc-action", action),
                ("x-tc-version", version),
                ("x-tc-region", region),
                ("x-tc-timestamp", &now.secs().to_string()),
            ]));
            headers
        }
    }
}

/// Method, credential, what stands between its parts, and the signature.
fn authorization([method, credential, comma, signature]: [&str; 4], signed: &Headers) -> String {
    let names = sign::names(signed);
    format!(
        "{method} Credential={credential}{comma}SignedHeaders={names}{comma}Signature={signature}"
    )
}

fn nonce() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Host and path of an address, as they are signed.
fn place(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find('/') {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, "/"),
    }
}
