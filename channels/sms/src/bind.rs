//! From nothing to a bound session: the connection and the bind's answer. This module must not come back by itself:
//! the session decides when to try again.

use bytes::BytesMut;
use channel::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::config::Config;
use crate::pdu::{self, Bind, Body, Pdu};
use crate::session::{READ, down, no_smpp};
use crate::status;

/// The bind's own sequence number; the session goes on from here.
pub(crate) const BIND_SEQUENCE: u32 = 1;

/// Connects and binds, within one answer timeout.
pub(crate) async fn open(config: &Config) -> Result<(TcpStream, BytesMut), Failure> {
    let attempt = async {
        let mut socket = TcpStream::connect((config.host.as_str(), config.port))
            .await
            .map_err(|e| {
                down(
                    format!("tcp:{}", e.kind()),
                    "no connection to the far end; check host, port and route",
                )
            })?;
        // Batches are written whole; waiting for more would only delay them.
        let _ = socket.set_nodelay(true);
        let buffer = bind(config, &mut socket).await?;
        Ok((socket, buffer))
    };
    tokio::time::timeout(config.answer_timeout(), attempt)
        .await
        .unwrap_or_else(|_| {
            Err(down(
                "smpp:no-answer",
                "the far end did not answer bind_transceiver in time",
            ))
        })
}

async fn bind(config: &Config, socket: &mut TcpStream) -> Result<BytesMut, Failure> {
    let closed = |_| {
        down(
            "tcp:closed",
            "the far end closed the connection before it answered bind_transceiver",
        )
    };
    let request = Bind {
        system_id: config.system_id.as_bytes(),
        password: config.password.expose().as_bytes(),
        system_type: config.system_type.as_bytes(),
        interface_version: 0x34,
        ..Bind::default()
    };
    let mut out = Vec::with_capacity(64);
    pdu::encode(
        &Pdu {
            status: 0,
            sequence: BIND_SEQUENCE,
            body: Body::BindTransceiver(request),
        },
        &mut out,
    );
    socket.write_all(&out).await.map_err(closed)?;
    let mut buffer = BytesMut::with_capacity(READ);
    let length = loop {
        if let Some(length) = pdu::check(&buffer).map_err(no_smpp)? {
            break length;
        }
        if socket.read_buf(&mut buffer).await.map_err(closed)? == 0 {
            return Err(closed(std::io::ErrorKind::UnexpectedEof.into()));
        }
    };
    let frame = buffer.split_to(length);
    let pdu = pdu::parse(&frame).map_err(no_smpp)?;
    match pdu.body {
        Body::BindTransceiverResp { .. } | Body::GenericNack if pdu.status != status::OK => {
            Err(down(
                status::code(pdu.status),
                "bind_transceiver was refused; check system_id, password and system_type",
            ))
        }
        // What the far end sent behind its answer is in the buffer still.
        Body::BindTransceiverResp { .. } => Ok(buffer),
        _ => Err(down(
            "smpp:protocol",
            "the far end spoke before it answered bind_transceiver",
        )),
    }
}
