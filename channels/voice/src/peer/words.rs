//! The words of SIP as a far end of tests needs them: headers out of a request, and answers to it. It trusts what it
//! reads: this must not meet the network.

use std::fmt::Write;

/// A request or an answer.
#[derive(Clone)]
pub struct Words {
    text: String,
}

impl Words {
    pub fn read(bytes: &[u8]) -> Self {
        Self {
            text: String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// `INVITE`; `SIP/2.0` for an answer.
    pub fn method(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// The user part of the address that is asked for.
    pub fn number(&self) -> &str {
        let uri = self.text.split(' ').nth(1).unwrap_or_default();
        let user = uri.split_once(':').map_or(uri, |(_, rest)| rest);
        user.split('@').next().unwrap_or_default()
    }

    pub fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        head.lines().skip(1).filter_map(move |line| {
            let (own, value) = line.split_once(':')?;
            own.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn header(&self, name: &'static str) -> &str {
        let mut all = self.headers(name);
        all.next().unwrap_or_default()
    }

    pub fn body(&self) -> &str {
        self.text
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
    }

    /// An answer: its line, more headers, and a description.
    pub fn answer(&self, status: &str, tag: &str, more: &str, body: &str) -> String {
        let mut out = format!("SIP/2.0 {status}\r\n");
        for via in self.headers("via") {
            out.push_str(&line("Via", via));
        }
        let to = self.header("to");
        let to = if to.contains(";tag=") || tag.is_empty() {
            to.to_owned()
        } else {
            format!("{to};tag={tag}")
        };
        for (name, value) in [
            ("From", self.header("from")),
            ("To", &to),
            ("Call-ID", self.header("call-id")),
            ("CSeq", self.header("cseq")),
        ] {
            out.push_str(&line(name, value));
        }
        out.push_str(more);
        if !body.is_empty() {
            out.push_str("Content-Type: application/sdp\r\n");
        }
        // Writing into a string cannot fail.
        let _ = write!(out, "Content-Length: {}\r\n\r\n{body}", body.len());
        out
    }

    /// Our own goodbye within the call that this request began.
    pub fn goodbye(&self, here: &str, tag: &str) -> String {
        let contact = self.header("contact").trim_matches(['<', '>']);
        format!(
            "BYE {contact} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{tag}bye\r\nMax-Forwards: 70\r\n\
             From: {};tag={tag}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
            self.header("to"),
            self.header("from"),
            self.header("call-id"),
        )
    }
}

fn line(name: &str, value: &str) -> String {
    format!("{name}: {value}\r\n")
}
