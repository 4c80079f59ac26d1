//! The one form that a packet travels in: `multipart/form-data` with a single file. A body that is the archive itself is
//! read too. This module must not look into the file.

/// What a call carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct File<'a> {
    pub name: Option<&'a str>,
    pub bytes: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the form cannot be read: one file is wanted, whole, between its boundaries")]
pub struct BadForm;

const LONGEST_BOUNDARY: usize = 200;

/// The form and its content type.
pub fn write(name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    // No archive holds a line like this: a header's fields are not text over so many bytes.
    let boundary = format!("----tocsin-{}-{:016x}", bytes.len(), mark(bytes));
    let mut form = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(bytes);
    form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), form)
}

/// So that the same packet is the same form.
fn mark(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The first file of a form, or the body itself where it is no form.
pub fn read<'a>(kind: Option<&str>, body: &'a [u8]) -> Result<File<'a>, BadForm> {
    let Some(boundary) = kind.and_then(boundary) else {
        return Ok(File {
            name: None,
            bytes: body,
        });
    };
    let open = format!("--{boundary}");
    let mut rest = behind(body, open.as_bytes()).ok_or(BadForm)?;
    let close = format!("\r\n--{boundary}");
    loop {
        // Behind a boundary: `--` ends the form, a line's end begins a part.
        let part = rest.strip_prefix(b"\r\n").ok_or(BadForm)?;
        let (head, content) = cut(part, b"\r\n\r\n").ok_or(BadForm)?;
        let (bytes, after) = cut(content, close.as_bytes()).ok_or(BadForm)?;
        let head = std::str::from_utf8(head).map_err(|_| BadForm)?;
        if let Some(name) = filename(head) {
            return Ok(File {
                name: Some(name),
                bytes,
            });
        }
        rest = after;
    }
}

fn boundary(kind: &str) -> Option<&str> {
    let (form, parameters) = kind.split_once(';')?;
    let is_form = form.trim().eq_ignore_ascii_case("multipart/form-data");
    let mut found = parameters.split(';').filter_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        let value = value.trim_matches('"');
        let fits = !value.is_empty() && value.len() <= LONGEST_BOUNDARY;
        (name.eq_ignore_ascii_case("boundary") && fits).then_some(value)
    });
    found.next().filter(|_| is_form)
}

fn filename(head: &str) -> Option<&str> {
    let line = head.split("\r\n").find(|line| {
        let name = line.split(':').next().unwrap_or_default();
        name.eq_ignore_ascii_case("content-disposition")
    })?;
    line.split(';').find_map(|part| {
        let name = part.trim().strip_prefix("filename=")?;
        Some(name.trim_matches('"'))
    })
}

fn at(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(found) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + found;
        if bytes[at..].starts_with(what) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn behind<'a>(bytes: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    at(bytes, what).map(|start| &bytes[start + what.len()..])
}

fn cut<'a>(bytes: &'a [u8], what: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    at(bytes, what).map(|start| (&bytes[..start], &bytes[start + what.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_written() {
        let bytes = b"\r\n--x\r\n\0\xff\r\n";
        let (kind, form) = write("EBDT_10.tar", bytes);
        let file = read(Some(&kind), &form).expect("it reads");
        assert_eq!((file.name, file.bytes), (Some("EBDT_10.tar"), &bytes[..]));
    }

    #[test]
    fn other_fields_are_passed_over_and_a_bare_archive_is_taken() {
        let form = b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"t.tar\"\r\n\r\nabc\r\n--b--\r\n";
        let kind = Some("Multipart/Form-Data; charset=utf-8; boundary=\"b\"");
        assert_eq!(read(kind, form).map(|file| file.bytes), Ok(&b"abc"[..]));
        let bare = read(Some("application/octet-stream"), b"abc").expect("it is taken");
        assert_eq!((bare.name, bare.bytes), (None, &b"abc"[..]));
    }

    #[test]
    fn a_torn_form_is_refused_at_every_length() {
        let (kind, form) = write("t.tar", b"0123456789");
        let whole = form.len() - "--\r\n".len();
        for length in 0..whole {
            assert_eq!(read(Some(&kind), &form[..length]), Err(BadForm), "{length}");
        }
        let none = b"--b\r\ncontent-type: text/plain\r\n\r\n1\r\n--b--\r\n";
        assert_eq!(
            read(Some("multipart/form-data; boundary=b"), none),
            Err(BadForm)
        );
    }
}
