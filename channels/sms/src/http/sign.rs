//! How providers want a request signed. Pure: bytes, keys and a moment in, texts out; the peer checks with the same
//! arithmetic what others signed. This module must not read a clock and must not send.

use channel::Timestamp;
use md5::{Digest, Md5};
use ring::{digest, hmac};

/// What a signature covers.
pub struct Signed<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// As it travels: names and values encoded, sorted.
    pub query: &'a str,
    /// Names in lower case, sorted.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// The names that a signature names.
pub fn names(headers: &[(String, String)]) -> String {
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    names.join(";")
}

/// The form that both providers hash: method, path, query, headers, their names, the body's hash.
fn canonical(signed: &Signed<'_>) -> String {
    let mut lines = String::new();
    for (name, value) in signed.headers {
        lines.extend([name, ":", value.trim(), "\n"]);
    }
    [
        signed.method,
        signed.path,
        signed.query,
        &lines,
        &names(signed.headers),
        &sha256(signed.body),
    ]
    .join("\n")
}

pub const ACS3: &str = "ACS3-HMAC-SHA256";
pub const TC3: &str = "TC3-HMAC-SHA256";

/// Aliyun's third version.
pub fn acs3(signed: &Signed<'_>, secret: &str) -> String {
    let text = format!("{ACS3}\n{}", sha256(canonical(signed).as_bytes()));
    hex::encode(mac(secret.as_bytes(), &text))
}

/// Tencent's third version: the key is derived from day and service.
pub fn tc3(signed: &Signed<'_>, secret: &str, service: &str, seconds: i64) -> String {
    let day = day(Timestamp::from_secs(seconds));
    let scope = format!("{day}/{service}/tc3_request");
    let text = format!(
        "{TC3}\n{seconds}\n{scope}\n{}",
        sha256(canonical(signed).as_bytes())
    );
    let key = mac(format!("TC3{secret}").as_bytes(), &day);
    let key = mac(key.as_ref(), service);
    let key = mac(key.as_ref(), "tc3_request");
    hex::encode(mac(key.as_ref(), &text))
}

/// 移动云MAS: the fields one behind the other.
pub fn mas(fields: &[&str]) -> String {
    hex::encode(Md5::digest(fields.concat().as_bytes()))
}

/// `2026-07-14`
pub fn day(at: Timestamp) -> String {
    let (year, month, day, ..) = at.civil();
    format!("{year:04}-{month:02}-{day:02}")
}

/// A name or value in a query, as RFC 3986 wants it.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

/// A whole query, sorted.
pub fn query(pairs: &[(String, String)]) -> String {
    let mut pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    /// The example of the provider's own documentation.
    #[test]
    fn aliyuns_published_example_is_signed_as_it_says() {
        let body = sha256(b"");
        let headers = headers(&[
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", &body),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
        ]);
        let query = query(&[
            ("RegionId".into(), "cn-shanghai".into()),
            (
                "ImageId".into(),
                "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd".into(),
            ),
        ]);
        let signed = Signed {
            method: "POST",
            path: "/",
            query: &query,
            headers: &headers,
            body: b"",
        };
        let canonical = sha256(canonical(&signed).as_bytes());
        assert!(
            canonical.starts_with("7ea06492") && canonical.ends_with("b1e259"),
            "{canonical}"
        );
        assert_eq!(
            acs3(&signed, "YourAccessKeySecret"),
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    /// Made with the signer of the provider's own client.
    #[test]
    fn tencents_own_client_signs_the_same() {
        let body = r#"{"PhoneNumberSet":["+8613800000000"],"SmsSdkAppId":"1400006666","SignName":"预警","TemplateId":"1110","TemplateParamSet":["暴雨红色"]}"#;
        let headers = headers(&[
            ("content-type", "application/json"),
            ("host", "sms.tencentcloudapi.com"),
        ]);
        let signed = Signed {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: body.as_bytes(),
        };
        assert!(sha256(body.as_bytes()).starts_with("1d428661"));
        assert_eq!(
            tc3(
                &signed,
                "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
                "sms",
                1_732_212_000
            ),
            "b0f8e6cf3e413a6cd869d9f4550722fb0e0b47b2ec75cdccd76dc73cad49bca2"
        );
    }

    /// Made with Python's hashlib.
    #[test]
    fn the_mac_of_mas_is_the_md5_of_the_fields() {
        assert_eq!(
            mas(&[
                "县气象局",
                "pwqx",
                "secret",
                "00000000001",
                "暴雨",
                "sign",
                ""
            ]),
            "35a48fc7d9b8f10db0b5e078b92e5027"
        );
    }

    #[test]
    fn a_query_is_encoded_and_sorted() {
        let pairs = [
            ("b".to_owned(), "暴 ~*".to_owned()),
            ("a".to_owned(), "1+1".to_owned()),
        ];
        assert_eq!(query(&pairs), "a=1%2B1&b=%E6%9A%B4%20~%2A");
    }
}
