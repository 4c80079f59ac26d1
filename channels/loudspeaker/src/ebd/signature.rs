//! The signature file beside a document, in both variants that are known, with a signature's 74 bytes as its value. Which
//! bytes are signed in which order is in no source that could be read, so nothing here is claimed to conform. This module
//! must not hold a key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::names::is_digits;
use super::profile::{Profile, normal};
use super::xml::Node;
use crate::signing::{Serial, Value};

/// Which elements the file has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
pub enum Variant {
    /// 2016/17, as captured.
    A,
    /// GD/J 081-2018.
    #[default]
    B,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// The EBDID of the document.
    pub of: String,
    pub value: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSignature {
    #[error("the signature file cannot be parsed")]
    Unreadable,
    #[error("the signature's value is not the 74 bytes of time, serial, r and s")]
    Value,
    #[error("the signature is of another document")]
    Other,
}

impl Signature {
    pub fn read(bytes: &[u8]) -> Result<Self, BadSignature> {
        let tree = Node::read(bytes).map_err(|_| BadSignature::Unreadable)?;
        let tree = normal(tree);
        let paths: [&[&str]; 2] = [&["RelatedEBD", "EBDID"], &["RelatedEBInfo", "EBInfoID"]];
        let of = paths.iter().find_map(|path| tree.get(path));
        let of = of.filter(|id| tree.name == "Signature" && is_digits(id));
        let value = tree.get(&["SignatureValue"]).unwrap_or_default();
        // Captured values are broken into lines.
        let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
        let value = STANDARD.decode(value).map_err(|_| BadSignature::Value)?;
        Ok(Self {
            of: of.ok_or(BadSignature::Unreadable)?.to_owned(),
            value: Value::read(&value).ok_or(BadSignature::Value)?,
        })
    }

    pub fn write(&self, variant: Variant, issuer: &Serial, profile: Profile) -> Vec<u8> {
        let serial = hex::encode_upper(self.value.serial);
        let related = Node::branch("RelatedEBD", vec![Node::leaf("EBDID", &self.of)]);
        let value = Node::leaf("SignatureValue", STANDARD.encode(self.value.write()));
        let children = match variant {
            Variant::A => vec![
                Node::leaf("Version", "1.0"),
                related,
                Node::branch(
                    "SignatureCert",
                    vec![
                        Node::leaf("CertType", "1"),
                        Node::leaf("IssuerID", hex::encode_upper(issuer)),
                        Node::leaf("CertSN", serial),
                    ],
                ),
                Node::leaf("SignatureTime", format!("{:08X}", self.value.time)),
                Node::leaf("DigestAlgorithm", "SM3"),
                Node::leaf("SignatureAlgorithm", "SM2"),
                value,
            ],
            Variant::B => vec![
                Node::leaf("Version", "1.0"),
                related,
                Node::leaf("CertSN", serial),
                Node::leaf("SignatureAlgorithm", "SM2-SM3"),
                value,
            ],
        };
        profile.write(Node::branch("Signature", children))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::VALUE;

    fn signature() -> Signature {
        // The first ten bytes as captured: 2018-06-19 05:16:53Z and certificate 000000003363.
        let mut bytes = [0x5a; VALUE];
        bytes[..10].copy_from_slice(&hex::decode("5B2891C5000000003363").expect("hex"));
        Signature {
            of: "1001033311240000000100000000000000a1".replace('a', "0"),
            value: Value::read(&bytes).expect("74 bytes"),
        }
    }

    #[test]
    fn both_variants_are_written_and_read_and_tell_the_captured_time() {
        let signature = signature();
        assert_eq!(signature.value.time, 1_529_385_413);
        for variant in [Variant::A, Variant::B] {
            let file = signature.write(variant, &[0; 6], Profile::default());
            let text = String::from_utf8(file.clone()).expect("text");
            assert!(text.contains("<CertSN>000000003363</CertSN>"), "{text}");
            assert_eq!(Signature::read(&file), Ok(signature.clone()));
        }
        let file = signature.write(Variant::A, &[0; 6], Profile::default());
        assert!(String::from_utf8_lossy(&file).contains("<SignatureTime>5B2891C5</SignatureTime>"));
    }

    #[test]
    fn an_unsigned_builds_value_of_nulls_is_no_signature_and_no_panic() {
        let nulls = "&#x0;".repeat(96);
        let file = format!(
            "<Signature><RelatedEBD><EBDID>10</EBDID></RelatedEBD><SignatureValue>{nulls}</SignatureValue></Signature>"
        );
        assert_eq!(
            Signature::read(file.as_bytes()),
            Err(BadSignature::Unreadable)
        );
        let short = "<Signature><RelatedEBD><EBDID>10</EBDID></RelatedEBD><SignatureValue>AAAA</SignatureValue></Signature>";
        assert_eq!(Signature::read(short.as_bytes()), Err(BadSignature::Value));
    }
}
