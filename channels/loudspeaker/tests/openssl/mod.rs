//! `openssl` as the judge of SM2 signatures, in both directions: it makes the key, verifies what is signed here, and signs
//! what is verified here. This module must not sign by the library that it judges.

use std::path::Path;
use std::process::Command;

/// The user id that is hashed in.
pub const USER: &str = "1234567812345678";

fn run(dir: &Path, arguments: &[&str]) -> String {
    let done = Command::new("openssl")
        .current_dir(dir)
        .args(arguments)
        .output();
    let done = done.expect("openssl runs");
    assert!(
        done.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A key that openssl made in this directory: the private and the public half in hex.
pub fn key(dir: &Path) -> (String, String) {
    run(
        dir,
        &[
            "ecparam", "-genkey", "-name", "SM2", "-noout", "-out", "key.pem",
        ],
    );
    run(dir, &["ec", "-in", "key.pem", "-pubout", "-out", "pub.pem"]);
    let text = run(dir, &["pkey", "-in", "key.pem", "-noout", "-text"]);
    let part = |from: &str, to: &str| {
        let (_, rest) = text.split_once(from).expect(from);
        let (hex, _) = rest.split_once(to).expect(to);
        hex.chars()
            .filter(char::is_ascii_hexdigit)
            .collect::<String>()
    };
    let private = part("priv:", "pub:");
    let private = format!("{private:0>64}");
    (
        private[private.len() - 64..].to_owned(),
        part("pub:", "ASN1"),
    )
}

/// A number of 32 bytes as ASN.1 has it.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|b| *b != 0).unwrap_or(31);
    let mut own = bytes[start..].to_vec();
    if own[0] & 0x80 != 0 {
        own.insert(0, 0);
    }
    let length = u8::try_from(own.len()).expect("short");
    [vec![2, length], own].concat()
}

fn der(signed: &[u8; 64]) -> Vec<u8> {
    let body = [integer(&signed[..32]), integer(&signed[32..])].concat();
    let length = u8::try_from(body.len()).expect("short");
    [vec![0x30, length], body].concat()
}

fn raw(der: &[u8]) -> [u8; 64] {
    let mut rest = &der[2..];
    let mut out = [0; 64];
    for half in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[length.saturating_sub(32)..];
        out[half * 32 + 32 - number.len()..half * 32 + 32].copy_from_slice(number);
        rest = &rest[2 + length..];
    }
    out
}

/// Whether it finds the signature of these bytes good, by the key of this directory.
pub fn verifies(dir: &Path, input: &[u8], signed: &[u8; 64]) -> bool {
    std::fs::write(dir.join("input"), input).expect("written");
    std::fs::write(dir.join("signature"), der(signed)).expect("written");
    let id = format!("distid:{USER}");
    let mut verify = Command::new("openssl");
    let verify = verify.current_dir(dir).args([
        "dgst",
        "-sm3",
        "-verify",
        "pub.pem",
        "-sigopt",
        &id,
        "-signature",
        "signature",
        "input",
    ]);
    let done = verify.output().expect("openssl runs");
    done.status.success() && String::from_utf8_lossy(&done.stdout).contains("OK")
}

/// Signs these bytes by the key of this directory.
pub fn signs(dir: &Path, input: &[u8]) -> [u8; 64] {
    std::fs::write(dir.join("input"), input).expect("written");
    let id = format!("distid:{USER}");
    let sign = [
        "dgst", "-sm3", "-sign", "key.pem", "-sigopt", &id, "-out", "theirs", "input",
    ];
    run(dir, &sign);
    raw(&std::fs::read(dir.join("theirs")).expect("a signature"))
}
