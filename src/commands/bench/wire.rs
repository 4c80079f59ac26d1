//! As much of HTTP/1.1 as the far ends of a measurement need, so that they cost little beside what is measured. This
//! module must not be used for anything else: it believes every answer.

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Reads one answer to its last byte into `bytes`, which is empty.
pub async fn answer(stream: &mut TcpStream, mut bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let end = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
    let read = bytes.len();
    bytes.resize(read.max(end + length.unwrap_or(0)), 0);
    stream.read_exact(&mut bytes[read..]).await?;
    Ok(bytes)
}

pub fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
