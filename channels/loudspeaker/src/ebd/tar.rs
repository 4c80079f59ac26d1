//! Archives as the packets have them: a flat list of plain files. Reading is bounded and trusts nothing; what a packet has
//! no use for (paths, links, sparse files, the same name twice) is refused by name. This module must not touch a disk.

use std::collections::BTreeSet;

const BLOCK: usize = 512;
/// A document, its signature, and what is to be played.
const MOST: usize = 64;
const LONGEST_NAME: usize = 160;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub name: String,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTar {
    #[error("the archive ends in the middle of a file")]
    Torn,
    #[error("a header's checksum is wrong, or it is no archive")]
    Checksum,
    #[error("a header's numbers cannot be read")]
    Number,
    #[error("a file's name is a path, too long, or not plain")]
    Name,
    #[error("two files have one name")]
    Twice,
    #[error("it holds what is not a plain file: a link, a directory, a sparse file")]
    Kind,
    #[error("it holds more than {MOST} files")]
    TooMany,
    #[error("its files are larger than the archive can be")]
    TooLarge,
}

/// The files of an archive of at most `most` bytes.
pub fn read(bytes: &[u8], most: usize) -> Result<Vec<Member>, BadTar> {
    if bytes.len() > most {
        return Err(BadTar::TooLarge);
    }
    let mut members = Vec::new();
    let mut names = BTreeSet::new();
    let mut rest = bytes;
    // GNU tar tells a name of more than 100 bytes in a file before the file.
    let mut long: Option<String> = None;
    loop {
        if rest.is_empty() {
            break;
        }
        let (header, after) = rest.split_at_checked(BLOCK).ok_or(BadTar::Torn)?;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        checked(header)?;
        let size = number(&header[124..136])?;
        let size = usize::try_from(size).map_err(|_| BadTar::TooLarge)?;
        if size > most {
            return Err(BadTar::TooLarge);
        }
        let (content, after) = after.split_at_checked(size).ok_or(BadTar::Torn)?;
        let padding = size.next_multiple_of(BLOCK) - size;
        // The last file's padding is often cut off with the blocks that should end the archive.
        rest = after.get(padding..).unwrap_or_default();
        match header[156] {
            0 | b'0' => {}
            b'L' if long.is_none() && size <= LONGEST_NAME + 1 => {
                long = Some(name(content)?);
                continue;
            }
            // Times and owners in a form of POSIX; only what would change a name or a size matters, and is not plain.
            b'x' | b'g' if plain_times(content) => continue,
            _ => return Err(BadTar::Kind),
        }
        let name = match long.take() {
            Some(name) => name,
            None if header[345] != 0 && header[257..262] == *b"ustar" && header[263] == b'0' => {
                return Err(BadTar::Name);
            }
            None => name(&header[..100])?,
        };
        if !names.insert(name.clone()) {
            return Err(BadTar::Twice);
        }
        if members.len() >= MOST {
            return Err(BadTar::TooMany);
        }
        members.push(Member {
            name,
            bytes: content.to_vec(),
        });
    }
    if long.is_some() || members.is_empty() {
        return Err(BadTar::Torn);
    }
    Ok(members)
}

/// A plain name: no path, no leading dot beyond `./`, nothing that a terminal or a disk would take amiss.
fn name(field: &[u8]) -> Result<String, BadTar> {
    let end = field.iter().position(|byte| *byte == 0);
    let text = std::str::from_utf8(&field[..end.unwrap_or(field.len())]);
    let text = text.map_err(|_| BadTar::Name)?;
    let text = text.strip_prefix("./").unwrap_or(text);
    if is_plain_name(text) {
        Ok(text.to_owned())
    } else {
        Err(BadTar::Name)
    }
}

pub fn is_plain_name(text: &str) -> bool {
    let odd = |c: char| c.is_control() || "/\\:".contains(c);
    !text.is_empty() && text.len() <= LONGEST_NAME && !text.starts_with('.') && !text.contains(odd)
}

fn plain_times(content: &[u8]) -> bool {
    let text = std::str::from_utf8(content).unwrap_or("path=");
    let meant = ["path=", "size=", "linkpath=", "GNU.sparse"];
    content.len() <= BLOCK && !meant.iter().any(|key| text.contains(key))
}

fn checked(header: &[u8]) -> Result<(), BadTar> {
    let told = number(&header[148..156]).map_err(|_| BadTar::Checksum)?;
    if told == u64::from(sum(header)) {
        Ok(())
    } else {
        Err(BadTar::Checksum)
    }
}

/// Over the header, with spaces where the sum itself stands.
fn sum(header: &[u8]) -> u32 {
    let one = |(at, byte): (usize, &u8)| {
        let own = (148..156).contains(&at);
        u32::from(if own { b' ' } else { *byte })
    };
    header.iter().enumerate().map(one).sum()
}

/// In octal digits; the binary form is for what is far too large here.
fn number(field: &[u8]) -> Result<u64, BadTar> {
    let text = std::str::from_utf8(field).map_err(|_| BadTar::Number)?;
    let digits = text.trim_matches([' ', '\0']);
    if digits.is_empty() {
        return Ok(0);
    }
    u64::from_str_radix(digits, 8)
        .ok()
        .filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
        .ok_or(BadTar::Number)
}

/// The same members always give the same bytes.
pub fn write(members: &[Member], seconds: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for member in members {
        if member.name.len() > 100 {
            let name = [member.name.as_bytes(), b"\0"].concat();
            out.extend(header("././@LongLink", name.len(), 0, b'L'));
            padded(&mut out, &name);
        }
        out.extend(header(&member.name, member.bytes.len(), seconds, b'0'));
        padded(&mut out, &member.bytes);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn header(name: &str, size: usize, seconds: u64, kind: u8) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(
        136,
        format!("{:011o}\0", seconds & 0o777_7777_7777).as_bytes(),
    );
    put(156, &[kind]);
    put(257, b"ustar  \0");
    let sum = format!("{:06o}\0 ", sum(&header));
    header[148..156].copy_from_slice(sum.as_bytes());
    header
}

fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn member(name: &str, bytes: &[u8]) -> Member {
        Member {
            name: name.into(),
            bytes: bytes.to_vec(),
        }
    }

    fn packet() -> Vec<Member> {
        vec![
            member("EBDB_1.xml", b"<EBD/>"),
            member("EBDS_EBDB_1.xml", &[b'x'; 512]),
            member(&format!("{}.mp3", "n".repeat(120)), b""),
        ]
    }

    #[test]
    fn gnu_tar_takes_out_what_is_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("packet.tar");
        std::fs::write(&file, write(&packet(), 1_700_000_000)).expect("written");
        let done = Command::new("tar")
            .args(["-x", "-f"])
            .arg(&file)
            .arg("-C")
            .arg(dir.path())
            .output();
        let done = done.expect("tar runs");
        assert!(done.status.success(), "{done:?}");
        for member in packet() {
            let bytes = std::fs::read(dir.path().join(&member.name)).expect("it is there");
            assert_eq!(bytes, member.bytes, "{}", member.name);
        }
    }

    #[test]
    fn what_gnu_tar_writes_in_each_format_is_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let short = &packet()[..2];
        for member in short {
            std::fs::write(dir.path().join(&member.name), &member.bytes).expect("written");
        }
        for format in ["v7", "oldgnu", "gnu", "ustar", "pax"] {
            for prefix in ["", "./"] {
                let names = short.iter().map(|m| format!("{prefix}{}", m.name));
                let done = Command::new("tar")
                    .args(["-c", &format!("--format={format}"), "-C"])
                    .arg(dir.path())
                    .args(names)
                    .output();
                let made = done.expect("tar runs").stdout;
                assert_eq!(
                    read(&made, 1 << 20),
                    Ok(short.to_vec()),
                    "{format} {prefix}"
                );
            }
        }
    }

    /// With one header field changed and its sum made right again.
    fn forged(at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut made = write(&packet()[..2], 0);
        made[at..at + bytes.len()].copy_from_slice(bytes);
        let right = format!("{:06o}\0 ", sum(&made[..BLOCK]));
        made[148..156].copy_from_slice(right.as_bytes());
        made
    }

    #[test]
    fn what_is_hostile_is_refused_by_name() {
        let whole = write(&packet()[..2], 0);
        let mut bad_sum = whole.clone();
        bad_sum[3] ^= 1;
        let twice = write(&[member("a", b""), member("a", b"")], 0);
        let many: Vec<_> = (0..=MOST).map(|n| member(&n.to_string(), b"")).collect();
        let link = |kind| forged(156, &[kind]);
        for (bytes, why) in [
            (whole[..1100].to_vec(), Some(BadTar::Torn)),
            (whole[..1600].to_vec(), Some(BadTar::Torn)),
            (Vec::new(), Some(BadTar::Torn)),
            (vec![0; 1024], Some(BadTar::Torn)),
            (b"\x1f\x8b\x08".to_vec(), Some(BadTar::Torn)),
            (vec![7; 1024], Some(BadTar::Checksum)),
            (bad_sum, Some(BadTar::Checksum)),
            (forged(0, b"../EBDB"), Some(BadTar::Name)),
            (forged(0, b"/etc/pass"), Some(BadTar::Name)),
            (forged(0, b"a\\b:c"), Some(BadTar::Name)),
            (forged(0, b"\xff\xfe"), Some(BadTar::Name)),
            (forged(0, b"\0"), Some(BadTar::Name)),
            (twice, Some(BadTar::Twice)),
            (write(&many, 0), Some(BadTar::TooMany)),
            (link(b'1'), Some(BadTar::Kind)),
            (link(b'2'), Some(BadTar::Kind)),
            (link(b'5'), Some(BadTar::Kind)),
            (link(b'S'), Some(BadTar::Kind)),
            (forged(124, b"77777777777\0"), Some(BadTar::TooLarge)),
            (
                forged(124, b"\x80\0\0\0\0\0\0\0\0\0\0\x01"),
                Some(BadTar::Number),
            ),
            (forged(124, b"00000000-10\0"), Some(BadTar::Number)),
            (vec![0; 2 << 20], Some(BadTar::TooLarge)),
        ] {
            assert_eq!(
                read(&bytes, 1 << 20).err(),
                why,
                "{:?}",
                &bytes[..bytes.len().min(8)]
            );
        }
        assert_eq!(
            read(&whole[..1536 + 512], 1 << 20).map(|m| m.len()),
            Ok(2),
            "without its end"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let _ = read(&bytes, 1 << 16);
        }

        #[test]
        fn what_is_written_is_read(files in prop::collection::btree_map("[A-Za-z0-9_]{1,150}", prop::collection::vec(any::<u8>(), 0..1500), 1..5)) {
            let files: Vec<_> = files.into_iter().map(|(name, bytes)| Member { name, bytes }).collect();
            prop_assert_eq!(read(&write(&files, 7), 1 << 20), Ok(files));
        }
    }
}
