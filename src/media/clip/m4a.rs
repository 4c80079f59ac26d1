//! M4A: boxes of ISO media, as telephones record AAC. Its length is what the movie's head says, held against the bytes of
//! sound that are there. This module must not decode a sample.

/// No box is looked into that lies deeper or behind so many others: a hostile file is not walked for ever.
const MOST_BOXES: usize = 512;
/// A second of sound has no more bytes, at the most that a telephone records, and no fewer than speech takes.
const MOST_A_SECOND: u64 = 64_000;
const LEAST_A_SECOND: u64 = 250;

struct Boxes<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<([u8; 4], &'a [u8]), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.left == 0 {
            return None;
        }
        self.left -= 1;
        let found = one(self.rest);
        self.rest = found.as_ref().map_or(&[][..], |(_, _, rest)| rest);
        Some(found.map(|(name, body, _)| (name, body)))
    }
}

fn boxes(bytes: &[u8]) -> Boxes<'_> {
    Boxes {
        rest: bytes,
        left: MOST_BOXES,
    }
}

type One<'a> = ([u8; 4], &'a [u8], &'a [u8]);

fn one(bytes: &[u8]) -> Result<One<'_>, &'static str> {
    const TORN: &str = "a box of it is torn; record it again";
    let head: [u8; 8] = bytes.first_chunk().copied().ok_or(TORN)?;
    let [a, b, c, d, name @ ..] = head;
    let (length, from) = match u32::from_be_bytes([a, b, c, d]) {
        // To the end of the file.
        0 => (bytes.len(), 8),
        1 => {
            let long = bytes.get(8..16).and_then(|b| b.first_chunk()).ok_or(TORN)?;
            let long = usize::try_from(u64::from_be_bytes(*long)).map_err(|_| TORN)?;
            (long, 16)
        }
        length => (usize::try_from(length).map_err(|_| TORN)?, 8),
    };
    let body = bytes.get(from..length).ok_or(TORN)?;
    Ok((name, body, &bytes[length..]))
}

fn find(bytes: &[u8], name: [u8; 4]) -> Result<Option<&[u8]>, &'static str> {
    for found in boxes(bytes) {
        let (other, body) = found?;
        if other == name {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

pub fn millis(bytes: &[u8]) -> Result<u64, &'static str> {
    let movie =
        find(bytes, *b"moov")?.ok_or("it has no head; stop the recording before it is sent")?;
    let media: usize = boxes(bytes)
        .filter_map(|found| found.ok().filter(|(name, _)| name == b"mdat"))
        .map(|(_, body)| body.len())
        .sum();
    let (mut sounds, mut pictures) = (0, 0);
    for found in boxes(movie) {
        match found? {
            (name, track) if name == *b"trak" => match &sort(track)? {
                b"soun" => sounds += 1,
                b"vide" => pictures += 1,
                _ => {}
            },
            _ => {}
        }
    }
    if sounds != 1 || pictures != 0 {
        return Err("it is not one track of sound; record sound alone");
    }
    let head = find(movie, *b"mvhd")?.ok_or("its head is torn; record it again")?;
    let millis = length(head).ok_or("its head tells no length; record it again")?;
    let (media, seconds) = (media as u64, millis / 1000);
    // A head may tell of any length at all.
    let most = seconds.saturating_add(2).saturating_mul(MOST_A_SECOND);
    if media > most || media < seconds.saturating_mul(LEAST_A_SECOND) {
        return Err("its length and its bytes do not go together; record it again");
    }
    Ok(millis)
}

/// What a track is of: its handler.
fn sort(track: &[u8]) -> Result<[u8; 4], &'static str> {
    let Some(media) = find(track, *b"mdia")? else {
        return Ok(*b"none");
    };
    let handler = find(media, *b"hdlr")?;
    let sort = handler.and_then(|body| body.get(8..12)?.first_chunk().copied());
    Ok(sort.unwrap_or(*b"none"))
}

/// Of the movie's head, in either of its versions.
fn length(head: &[u8]) -> Option<u64> {
    let number = |at: usize| Some(u32::from_be_bytes(*head.get(at..at + 4)?.first_chunk()?));
    let (scale, length) = match head.first()? {
        0 => (number(12)?, u64::from(number(16)?)),
        1 => {
            let long = head.get(24..32)?.first_chunk()?;
            (number(20)?, u64::from_be_bytes(*long))
        }
        _ => return None,
    };
    let told = scale > 0 && length > 0 && length < u64::MAX / 1000;
    told.then(|| length * 1000 / u64::from(scale))
}
