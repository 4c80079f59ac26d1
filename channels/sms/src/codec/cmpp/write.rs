//! The fields of CMPP's frames, to the wire. This module must not know an account.

use super::{Deliver, Submit, Version};

pub(super) fn put_submit(submit: &Submit<'_>, version: Version, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&[
        submit.parts,
        submit.part,
        submit.registered_delivery,
        submit.level,
    ]);
    put(submit.service_id, 10, out);
    out.push(submit.fee_user_type);
    put(submit.fee_terminal, version.number(), out);
    if version.is_3() {
        out.push(0);
    }
    out.extend_from_slice(&[submit.tp_pid, submit.tp_udhi, submit.format]);
    put(submit.source, 6, out);
    put(submit.fee_type, 2, out);
    put(submit.fee_code, 6, out);
    put(submit.validity, 17, out);
    put(submit.at, 17, out);
    put(submit.src_id, 21, out);
    let count = out.len();
    out.push(0);
    for dest in submit.dests.iter().take(99) {
        put(dest, version.number(), out);
        out[count] += 1;
    }
    if version.is_3() {
        out.push(0);
    }
    put_content(submit.header, submit.content, out);
    out.resize(out.len() + version.tail(), 0);
}

pub(super) fn put_deliver(deliver: &Deliver<'_>, version: Version, out: &mut Vec<u8>) {
    out.extend_from_slice(&deliver.id.to_be_bytes());
    put(deliver.dest, 21, out);
    put(deliver.service_id, 10, out);
    out.extend_from_slice(&[deliver.tp_pid, deliver.tp_udhi, deliver.format]);
    put(deliver.source, version.number(), out);
    if version.is_3() {
        out.push(0);
    }
    out.push(deliver.registered_delivery);
    put_content(&[], deliver.content, out);
    out.resize(out.len() + version.tail(), 0);
}

fn put_content(header: &[u8], content: &[u8], out: &mut Vec<u8>) {
    let header = &header[..header.len().min(255)];
    let content = &content[..content.len().min(255 - header.len())];
    out.push(u8::try_from(header.len() + content.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(header);
    out.extend_from_slice(content);
}

/// Text in a field of fixed length, cut to it, zeros behind it.
pub(super) fn put(text: &[u8], length: usize, out: &mut Vec<u8>) {
    let end = out.len() + length;
    out.extend_from_slice(&text[..text.len().min(length)]);
    out.resize(end, 0);
}

pub(super) fn put_result(result: u32, wide: bool, out: &mut Vec<u8>) {
    if wide {
        out.extend_from_slice(&result.to_be_bytes());
    } else {
        out.push(u8::try_from(result).unwrap_or(u8::MAX));
    }
}
