//! From nothing to a session: the connection and the login's answer. This module must not come back by itself: the
//! session decides when to try again.

use bytes::BytesMut;
use channel::{Clock, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::READ;
use crate::config::Line;
use crate::dialect::{Dialect, down};

/// Connects and logs in, within one answer timeout.
pub(crate) async fn open(
    line: &Line,
    dialect: &dyn Dialect,
    clock: &dyn Clock,
) -> Result<(TcpStream, BytesMut), Failure> {
    let attempt = async {
        let mut socket = TcpStream::connect((line.host.as_str(), line.port))
            .await
            .map_err(|e| {
                down(
                    format!("tcp:{}", e.kind()),
                    "no connection to the far end; check host, port and route",
                )
            })?;
        // Batches are written whole; waiting for more would only delay them.
        let _ = socket.set_nodelay(true);
        let buffer = login(dialect, clock, &mut socket).await?;
        Ok((socket, buffer))
    };
    tokio::time::timeout(line.answer_timeout(), attempt)
        .await
        .unwrap_or_else(|_| {
            let words = dialect.words();
            let detail = format!("the far end did not answer {} in time", words.login);
            Err(down(words.no_answer, detail))
        })
}

/// What the far end sent behind its answer comes back in the buffer.
async fn login(
    dialect: &dyn Dialect,
    clock: &dyn Clock,
    socket: &mut TcpStream,
) -> Result<BytesMut, Failure> {
    let words = dialect.words();
    let closed = |_| {
        let detail = format!(
            "the far end closed the connection before it answered {}",
            words.login
        );
        down("tcp:closed", detail)
    };
    let mut out = Vec::with_capacity(64);
    let proof = dialect.login(clock.now(), &mut out);
    socket.write_all(&out).await.map_err(closed)?;
    let mut buffer = BytesMut::with_capacity(READ);
    let length = loop {
        if let Some(length) = dialect.check(&buffer).map_err(|_| words.no_protocol())? {
            break length;
        }
        if socket.read_buf(&mut buffer).await.map_err(closed)? == 0 {
            return Err(closed(std::io::ErrorKind::UnexpectedEof.into()));
        }
    };
    let frame = buffer.split_to(length);
    dialect.admitted(&frame, proof)?;
    Ok(buffer)
}
