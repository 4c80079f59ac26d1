//! What an attachment is, by its first bytes: a name or a header that somebody sends says nothing. This module must not
//! open what it looks at.

/// The types that are taken, with a name's ending; `None` for anything else.
pub fn sniff(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let begins = |start: &[u8]| bytes.starts_with(start);
    Some(match () {
        () if begins(b"\xff\xd8\xff") => ("image/jpeg", "jpg"),
        () if begins(b"\x89PNG\r\n\x1a\n") => ("image/png", "png"),
        () if begins(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => ("image/webp", "webp"),
        () if begins(b"%PDF-") => ("application/pdf", "pdf"),
        () if begins(b"ID3") => ("audio/mpeg", "mp3"),
        () if bytes.get(4..8) == Some(b"ftyp") => ("video/mp4", "mp4"),
        () => return None,
    })
}

/// Whether a page may show it.
pub fn is_picture(mime: &str) -> bool {
    matches!(mime, "image/jpeg" | "image/png" | "image/webp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_its_own_bytes_say_is_taken() {
        let mime = |bytes: &[u8]| sniff(bytes).map(|(mime, _)| mime);
        assert_eq!(mime(b"\xff\xd8\xff\xe0rest"), Some("image/jpeg"));
        assert_eq!(mime(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(mime(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(mime(b"%PDF-1.7"), Some("application/pdf"));
        assert_eq!(mime(b"ID3\x04"), Some("audio/mpeg"));
        assert_eq!(mime(b"\0\0\0\x18ftypmp42"), Some("video/mp4"));
        for wrong in [
            &b""[..],
            b"<svg onload=x>",
            b"<html>",
            b"MZ\x90",
            b"RIFF\0\0\0\0WAVE",
            b"GIF89a",
        ] {
            assert_eq!(mime(wrong), None, "{wrong:?}");
        }
    }
}
