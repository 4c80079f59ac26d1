//! `tocsin receive-dsn`: one mail on standard input, as a mail server pipes it to a program, posted to the running
//! gateway. It ends with a code of sysexits that such servers know: what the operator can mend keeps the mail in the
//! server's queue. This command must not read what the mail says, nor show any of it.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use channel::{HttpClient, Reply, Request};
use email::bounces;

use super::Failed;

#[derive(clap::Args)]
pub struct Args {
    /// The mail channel, as the configuration names it
    #[arg(long)]
    channel: String,
    #[arg(long, default_value = "http://127.0.0.1:7080")]
    to: String,
    /// A file that holds the token whose hash the channel's `bounces.token_sha256` is
    #[arg(long)]
    token_file: PathBuf,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    // Read to its end whatever follows, so that the mail server does not write into a closed pipe.
    let mail = beginning(io::stdin().lock())
        .map_err(|e| Failed::Later(format!("no mail could be read: {e}")))?;
    let token = std::fs::read_to_string(&args.token_file);
    let token = token
        .map_err(|e| Failed::Later(format!("{} cannot be read: {e}", args.token_file.display())))?;
    let url = format!("{}/v1/channels/{}/{}", args.to, args.channel, bounces::PATH);
    let request = Request {
        method: "POST".into(),
        headers: vec![
            ("authorization".into(), format!("Bearer {}", token.trim())),
            ("content-type".into(), "message/rfc822".into()),
        ],
        body: mail.into(),
        ..Request::default()
    };
    let http = HttpClient::new(Duration::from_secs(30));
    let reply = http.call(&url, request).await;
    let reply = reply
        .map_err(|e| Failed::Later(format!("{}: {e}; is the gateway running there?", args.to)))?;
    judge(&reply, &args)
}

/// As much of it as the channel reads.
fn beginning(mut stdin: impl Read) -> io::Result<Vec<u8>> {
    let mut mail = Vec::new();
    let longest = u64::try_from(bounces::LONGEST).unwrap_or(u64::MAX);
    stdin.by_ref().take(longest).read_to_end(&mut mail)?;
    io::copy(&mut stdin, &mut io::sink())?;
    Ok(mail)
}

/// The channel takes every mail that it can reach its verdict on, be it no receipt; so all else can be mended.
fn judge(reply: &Reply, args: &Args) -> Result<(), Failed> {
    let Args { channel, to, .. } = args;
    let why = match reply.status {
        200 => return Ok(()),
        401 => format!(
            "{to} refuses the token; its hash belongs into `bounces.token_sha256` of channel {channel}"
        ),
        404 => format!("{to} has no channel {channel} with `bounces` in its settings"),
        503 => format!("{to} cannot keep a receipt now"),
        status => format!("{to} answered {status}; is that the gateway?"),
    };
    Err(Failed::Later(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16) -> Result<(), String> {
        let args = Args {
            channel: "mail".into(),
            to: "http://127.0.0.1:1".into(),
            token_file: PathBuf::new(),
        };
        judge(&Reply::status(status), &args).map_err(|failed| match failed {
            Failed::Later(why) => why,
            other => panic!("it would be lost: {other:?}"),
        })
    }

    #[test]
    fn only_what_the_gateway_took_leaves_the_queue() {
        assert_eq!(judged(200), Ok(()));
        for status in [301, 400, 401, 404, 405, 413, 429, 500, 502, 503] {
            let why = judged(status).expect_err("it stays");
            assert!(why.starts_with("http://127.0.0.1:1 "), "{why}");
        }
    }

    #[test]
    fn a_long_mail_is_read_to_its_end_and_its_beginning_kept() {
        let mut long = io::repeat(b'x').take(3 * 1024 * 1024);
        let mail = beginning(&mut long).expect("it reads");
        assert_eq!(mail.len(), bounces::LONGEST);
        assert_eq!(long.limit(), 0);
    }
}
