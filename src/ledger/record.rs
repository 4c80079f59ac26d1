//! Records: events of one stream packed together, with a checksum and a chain. `pack` is the only way in and `unpack`
//! the only way out, and `unpack` proves the checksum. This module must not touch the store or the state.

use channel::Timestamp;
use postcard::ser_flavors::Flavor;
use ring::digest::{Context, SHA256};

use super::event::{Event, Witness};
use crate::model::StreamId;
use crate::store::Record;

/// The format that this version writes. Each format ever written is still read.
pub const FORMAT: u8 = 1;

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRecord {
    #[error(
        "record {seq} of stream {stream}: its checksum is {found:08x}, not {wanted:08x}; restore this stream from a backup"
    )]
    Checksum {
        seq: u64,
        stream: StreamId,
        found: u32,
        wanted: u32,
    },
    #[error(
        "record {seq} of stream {stream}: it does not follow the record before it; restore this stream from a backup"
    )]
    Chain { seq: u64, stream: StreamId },
    #[error(
        "record {seq} of stream {stream}: format {format} is newer than this version; install the version that wrote it"
    )]
    Format {
        seq: u64,
        stream: StreamId,
        format: u8,
    },
    #[error(
        "record {seq} of stream {stream}: its {column} cannot have been written; restore this stream from a backup"
    )]
    Torn {
        seq: u64,
        stream: StreamId,
        column: &'static str,
    },
    #[error("record {seq} of stream {stream}: event {event} of {count} is unknown or torn: {why}")]
    Event {
        seq: u64,
        stream: StreamId,
        event: u32,
        count: u32,
        why: String,
    },
    #[error(
        "record {seq} of stream {stream}: {left} bytes follow its {count} events; restore this stream from a backup"
    )]
    Count {
        seq: u64,
        stream: StreamId,
        count: u32,
        left: usize,
    },
}

/// Where a stream ends: the number of its last record and that record's hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    pub stream_seq: u32,
    pub hash: [u8; 32],
}

impl From<Witness> for Head {
    fn from(witness: Witness) -> Self {
        Self {
            stream_seq: witness.stream_seq,
            hash: witness.hash,
        }
    }
}

/// What stands around the events of a new record.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub seq: u64,
    pub epoch: u32,
    pub stream: StreamId,
    pub time: Timestamp,
}

/// Takes what is serialised slice by slice; what comes with the codec takes it byte by byte.
struct Body<'a>(&'a mut Vec<u8>);

impl Flavor for Body<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

pub fn pack(frame: Frame, head: Head, events: &[&Event]) -> Record {
    let mut body = Vec::with_capacity(64 * events.len());
    for event in events {
        postcard::serialize_with_flavor(event, Body(&mut body)).expect("a Vec takes every event");
    }
    Record {
        seq: frame.seq,
        epoch: frame.epoch,
        format: FORMAT,
        stream: frame.stream,
        stream_seq: head.stream_seq + 1,
        time: frame.time,
        count: u32::try_from(events.len()).unwrap_or(u32::MAX),
        crc: crc32c::crc32c(&body),
        body,
        before: head.hash,
        torn: None,
    }
}

/// The hash that the stream's next record carries.
pub fn hash(record: &Record) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(&record.seq.to_be_bytes());
    context.update(&record.epoch.to_be_bytes());
    context.update(&[record.format]);
    context.update(&record.stream.to_be_bytes());
    context.update(&record.stream_seq.to_be_bytes());
    context.update(&record.time.0.to_be_bytes());
    context.update(&record.count.to_be_bytes());
    context.update(&record.before);
    context.update(&record.body);
    finish(context)
}

pub(super) fn finish(context: Context) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// SHA-256 of bytes: a document's name.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    finish(context)
}

/// The head after `record`, if it follows `head` and is whole.
pub fn follow(head: Head, record: &Record) -> Result<Head, BadRecord> {
    if record.stream_seq != head.stream_seq + 1 || record.before != head.hash {
        return Err(BadRecord::Chain {
            seq: record.seq,
            stream: record.stream,
        });
    }
    Ok(Head {
        stream_seq: record.stream_seq,
        hash: hash(record),
    })
}

pub fn unpack(record: &Record) -> Result<Vec<Event>, BadRecord> {
    let (seq, stream) = (record.seq, record.stream);
    if let Some(column) = record.torn {
        return Err(BadRecord::Torn {
            seq,
            stream,
            column,
        });
    }
    let found = crc32c::crc32c(&record.body);
    if found != record.crc {
        return Err(BadRecord::Checksum {
            seq,
            stream,
            found,
            wanted: record.crc,
        });
    }
    if record.format != FORMAT {
        return Err(BadRecord::Format {
            seq,
            stream,
            format: record.format,
        });
    }
    let mut events = Vec::new();
    let mut rest = record.body.as_slice();
    for event in 0..record.count {
        let (next, left) = postcard::take_from_bytes(rest).map_err(|e| BadRecord::Event {
            seq,
            stream,
            event: event + 1,
            count: record.count,
            why: e.to_string(),
        })?;
        events.push(next);
        rest = left;
    }
    if !rest.is_empty() {
        return Err(BadRecord::Count {
            seq,
            stream,
            count: record.count,
            left: rest.len(),
        });
    }
    Ok(events)
}
