//! What the answer to a packet means: the far end's code in the house's vocabulary. Pure. This module must not show what a
//! platform's people wrote: their words may name somebody.

use channel::http::HttpError;
use channel::{Failure, FailureClass, Reply};

use super::archive::Archive;
use super::body::{Body, Response};
use super::multipart;

/// The packet in an answer, in whatever form it came.
pub fn opened(reply: &Reply) -> Option<Archive> {
    let kind = reply
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let file = multipart::read(kind.map(|(_, value)| value.as_str()), &reply.body).ok()?;
    Archive::read(file.bytes).ok()
}

/// Whether a failure is the platform's own no, and not the way's.
pub fn is_word(failure: &Failure) -> bool {
    let code = failure.code.strip_prefix("ebd:").unwrap_or_default();
    code.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether the packet was taken. `None`: nobody answered in time.
pub fn outcome(answer: Option<Result<Reply, HttpError>>) -> Result<(), Failure> {
    use FailureClass::{BadContent, InDoubt, LinkDown, Throttled, Transient};
    let fail =
        |class, code: &str, why: &'static str| Err(Failure::new(class, code.to_owned(), why));
    let reply = match answer {
        None => {
            return fail(
                InDoubt,
                "ebd:no-answer",
                "the platform did not answer in time; it may have taken the packet",
            );
        }
        Some(Err(HttpError::Connect(_))) => {
            return fail(
                LinkDown,
                "ebd:connect",
                "no connection to the platform; check url, route and whether it runs",
            );
        }
        Some(Err(HttpError::Lost(_))) => {
            return fail(
                InDoubt,
                "ebd:lost",
                "the platform hung up before it had answered; it may have taken the packet",
            );
        }
        Some(Ok(reply)) => reply,
    };
    let code = format!("ebd:http-{}", reply.status);
    match reply.status {
        200..=299 => answered(&reply),
        401 | 403 | 404 | 405 => fail(
            LinkDown,
            &code,
            "the platform refuses this gateway; check url, and its list of addresses",
        ),
        429 => fail(Throttled, &code, "the platform asks for less"),
        413 => fail(
            BadContent,
            &code,
            "the packet is too long for the platform; shorten the sound",
        ),
        400..=499 => fail(BadContent, &code, "the platform refuses the packet"),
        _ => fail(Transient, &code, "the platform is in trouble"),
    }
}

fn answered(reply: &Reply) -> Result<(), Failure> {
    use FailureClass::{BadContent, InDoubt, LinkDown, Transient};
    let body = opened(reply).map(|archive| archive.packet.body);
    let Some(Body::Response(Response { code, .. })) = body else {
        return Err(Failure::new(
            InDoubt,
            "ebd:unreadable",
            "the platform answered with something that is no receipt; it may have taken the packet",
        ));
    };
    let (class, why) = match code {
        Response::RECEIVED | Response::GOOD => return Ok(()),
        Response::UNREADABLE => (
            BadContent,
            "the platform cannot parse the packet; check `edition` and `sent_time`",
        ),
        Response::MISSING => (
            BadContent,
            "the platform misses something in the packet; check `edition`",
        ),
        Response::SIGNATURE => (
            LinkDown,
            "the platform does not accept the signature; check `signer`",
        ),
        _ => (
            Transient,
            "the platform refuses the packet for a reason of its own; call its duty desk",
        ),
    };
    Err(Failure::new(class, format!("ebd:{code}"), why))
}
