//! How a name, a number or an address lies in a file: plain, or encrypted under a key that lies elsewhere. A field is
//! bound to its table, column and row, so that nobody who can write the file can put one person's number at another's
//! name. The layout is fixed by golden vectors (ADR 10). This module must not log, and no error of it carries content.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// The bytes behind it are UTF-8 as they are.
const PLAIN: u8 = 0;
/// Key id, salt, nonce, ciphertext, tag.
const SEALED: u8 = 1;

const KEY_ID: usize = 4;
const SALT: usize = 12;
const NONCE: usize = 12;
const TAG: usize = 16;

/// Where a field belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    pub table: &'static str,
    pub column: &'static str,
    pub row: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Sealed {
    #[error(
        "it is encrypted under key {0:08x}, which this node does not have: give the file of that key in node.registry_key_file"
    )]
    NoKey(u32),
    #[error("it was changed, or put where another stood: restore the file or import again")]
    Changed,
    #[error("it is of no form that this program knows: a newer program wrote it")]
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadKey {
    #[error("the key file {0} cannot be read: {1}")]
    Unreadable(String, std::io::ErrorKind),
    #[error(
        "line {1} of the key file {0} is no key: give 64 hexadecimal digits a line, the key in use first"
    )]
    Malformed(String, usize),
    #[error("the key file {0} is empty: give 64 hexadecimal digits a line, the key in use first")]
    Empty(String),
}

/// Seals and opens the fields of one file. Without a key it writes plain fields.
#[derive(Default)]
pub struct Vault {
    /// The first seals; all open.
    keys: Vec<Key>,
}

struct Key {
    id: [u8; KEY_ID],
    /// A key of its own for every field comes from this.
    fields: Prk,
    index: hmac::Key,
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Key {
    fn new(secret: &[u8; 32]) -> Self {
        let root = Salt::new(HKDF_SHA256, b"tocsin registry 1").extract(secret);
        let named = digest(&SHA256, &derive(&root, &[b"key id"]));
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&named.as_ref()[..KEY_ID]);
        Self {
            id,
            fields: Prk::new_less_safe(HKDF_SHA256, &derive(&root, &[b"fields"])),
            index: hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, &[b"index"])),
        }
    }

    /// Random nonces of 12 bytes would do for too few fields of one key, so the salt gives each field a key of its own.
    fn field_key(&self, salt: &[u8]) -> LessSafeKey {
        let bytes = derive(&self.fields, &[salt]);
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).expect("a key of 32 bytes"))
    }
}

fn derive(from: &Prk, info: &[&[u8]]) -> [u8; 32] {
    let mut bytes = [0; 32];
    from.expand(info, Length(32))
        .and_then(|out| out.fill(&mut bytes))
        .expect("32 bytes are less than HKDF gives");
    bytes
}

/// What the tag covers beside the text.
fn bound(head: &[u8], field: Field) -> Vec<u8> {
    let mut bound = head.to_vec();
    for name in [field.table, field.column] {
        bound.extend_from_slice(name.as_bytes());
        bound.push(0);
    }
    bound.extend_from_slice(&field.row.to_be_bytes());
    bound
}

impl Vault {
    /// Keys from a file: 64 hexadecimal digits a line. The first seals what is written; the others still open what is there.
    pub fn from_file(path: &std::path::Path) -> Result<Self, BadKey> {
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| BadKey::Unreadable(shown(), error.kind()))?;
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            if text.trim().is_empty() {
                continue;
            }
            let mut secret = [0; 32];
            hex::decode_to_slice(text.trim(), &mut secret)
                .map_err(|_| BadKey::Malformed(shown(), line))?;
            keys.push(Key::new(&secret));
        }
        if keys.is_empty() {
            return Err(BadKey::Empty(shown()));
        }
        Ok(Self { keys })
    }

    #[cfg(test)]
    pub fn with_key(secret: [u8; 32]) -> Self {
        Self {
            keys: vec![Key::new(&secret)],
        }
    }

    pub fn encrypts(&self) -> bool {
        !self.keys.is_empty()
    }

    /// # Panics
    /// When the machine gives no random bytes.
    pub fn seal(&self, field: Field, text: &str) -> Vec<u8> {
        let mut random = [0; SALT + NONCE];
        if self.encrypts() {
            SystemRandom::new()
                .fill(&mut random)
                .expect("the machine gives random bytes");
        }
        self.seal_with(field, text, random)
    }

    fn seal_with(&self, field: Field, text: &str, random: [u8; SALT + NONCE]) -> Vec<u8> {
        let Some(key) = self.keys.first() else {
            return [&[PLAIN], text.as_bytes()].concat();
        };
        let mut blob = Vec::with_capacity(1 + KEY_ID + SALT + NONCE + text.len() + TAG);
        blob.push(SEALED);
        blob.extend_from_slice(&key.id);
        blob.extend_from_slice(&random);
        let (salt, nonce) = random.split_at(SALT);
        let nonce = Nonce::try_assume_unique_for_key(nonce).expect("a nonce of 12 bytes");
        let bound = Aad::from(bound(&blob, field));
        let mut body = text.as_bytes().to_vec();
        key.field_key(salt)
            .seal_in_place_append_tag(nonce, bound, &mut body)
            .expect("a field is shorter than 64 GiB");
        blob.append(&mut body);
        blob
    }

    pub fn open(&self, field: Field, blob: &[u8]) -> Result<String, Sealed> {
        let text = match blob.split_first() {
            Some((&PLAIN, text)) => text.to_vec(),
            Some((&SEALED, sealed)) => self.open_sealed(field, blob, sealed)?,
            _ => return Err(Sealed::Unknown),
        };
        String::from_utf8(text).map_err(|_| Sealed::Changed)
    }

    fn open_sealed(&self, field: Field, blob: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Sealed> {
        let (id, rest) = sealed
            .split_first_chunk::<KEY_ID>()
            .ok_or(Sealed::Changed)?;
        let (salt, rest) = rest.split_first_chunk::<SALT>().ok_or(Sealed::Changed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>().ok_or(Sealed::Changed)?;
        let key = self.keys.iter().find(|key| key.id == *id);
        let key = key.ok_or_else(|| Sealed::NoKey(u32::from_be_bytes(*id)))?;
        let head = &blob[..1 + KEY_ID + SALT + NONCE];
        let mut body = body.to_vec();
        let text = key
            .field_key(salt)
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(bound(head, field)),
                &mut body,
            )
            .map_err(|_| Sealed::Changed)?;
        Ok(text.to_vec())
    }

    /// By this a row can be found whose field has exactly this text, without opening the others. Nothing where fields are
    /// plain.
    pub fn index(&self, table: &str, column: &str, text: &str) -> Option<[u8; 8]> {
        let mut context = hmac::Context::with_key(&self.keys.first()?.index);
        for name in [table, column] {
            context.update(name.as_bytes());
            context.update(&[0]);
        }
        context.update(text.as_bytes());
        let tag = context.sign();
        tag.as_ref().first_chunk().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: Field = Field {
        table: "endpoints",
        column: "address",
        row: 7,
    };
    const SECRET: [u8; 32] = [7; 32];
    const NUMBER: &str = "00012345678";

    fn random() -> [u8; SALT + NONCE] {
        std::array::from_fn(|at| u8::try_from(at).expect("24 bytes"))
    }

    #[test]
    fn the_layout_is_as_it_was_written_down() {
        let plain = Vault::default().seal(FIELD, NUMBER);
        assert_eq!(hex::encode(&plain), "003030303132333435363738");
        let vault = Vault::with_key(SECRET);
        let sealed = vault.seal_with(FIELD, NUMBER, random());
        assert_eq!(
            hex::encode(&sealed),
            "016bf0368e000102030405060708090a0b0c0d0e0f1011121314151617daaf98055147891c04a4a16ee822ace957f5dd9c9f79d9742e71d9"
        );
        assert_eq!(vault.open(FIELD, &sealed).as_deref(), Ok(NUMBER));
        let index = vault.index("endpoints", "address", NUMBER).expect("a key");
        assert_eq!(hex::encode(index), "31289d273976d249");
    }

    #[test]
    fn a_field_opens_only_where_it_was_put() {
        let vault = Vault::with_key(SECRET);
        let sealed = vault.seal(FIELD, NUMBER);
        assert_eq!(vault.open(FIELD, &sealed).as_deref(), Ok(NUMBER));
        for moved in [
            Field { row: 8, ..FIELD },
            Field {
                column: "name",
                ..FIELD
            },
            Field {
                table: "closed",
                ..FIELD
            },
        ] {
            assert_eq!(vault.open(moved, &sealed), Err(Sealed::Changed));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed_and_no_error_says_what_stood_there() {
        let vault = Vault::with_key(SECRET);
        let sealed = vault.seal(FIELD, NUMBER);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            match vault.open(FIELD, &changed) {
                // Without its first byte's form it reads as plain bytes that are no text.
                Err(error) => assert!(!error.to_string().contains(NUMBER)),
                Ok(text) => panic!("byte {at} was changed and {text:?} came out"),
            }
        }
        for length in 0..sealed.len() {
            assert!(vault.open(FIELD, &sealed[..length]).is_err(), "{length}");
        }
        assert_eq!(vault.open(FIELD, &[9, 1, 2]), Err(Sealed::Unknown));
    }

    #[test]
    fn another_key_is_named_and_an_old_one_still_opens() {
        let old = Vault::with_key(SECRET);
        let sealed = old.seal(FIELD, NUMBER);
        let other = Vault::with_key([8; 32]);
        let id = u32::from_be_bytes(*sealed[1..].first_chunk().expect("four bytes"));
        assert_eq!(other.open(FIELD, &sealed), Err(Sealed::NoKey(id)));
        assert_eq!(
            Vault::default().open(FIELD, &sealed),
            Err(Sealed::NoKey(id))
        );
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys");
        let text = format!("{}\n{}\n", hex::encode([8; 32]), hex::encode(SECRET));
        std::fs::write(&path, text).expect("written");
        let both = Vault::from_file(&path).expect("two keys");
        assert_eq!(both.open(FIELD, &sealed).as_deref(), Ok(NUMBER));
        let again = both.seal(FIELD, NUMBER);
        assert_eq!(other.open(FIELD, &again).as_deref(), Ok(NUMBER));
        let plain = Vault::default().seal(FIELD, NUMBER);
        assert_eq!(both.open(FIELD, &plain).as_deref(), Ok(NUMBER));
    }

    #[test]
    fn two_seals_of_one_text_differ_and_their_index_does_not() {
        let vault = Vault::with_key(SECRET);
        assert_ne!(vault.seal(FIELD, NUMBER), vault.seal(FIELD, NUMBER));
        let index = |text| vault.index("endpoints", "address", text);
        assert_eq!(index(NUMBER), index(NUMBER));
        assert_ne!(index(NUMBER), index("00012345679"));
        assert_ne!(index(NUMBER), vault.index("recipients", "name", NUMBER));
        assert_eq!(Vault::default().index("endpoints", "address", NUMBER), None);
    }

    #[test]
    fn a_key_file_that_is_no_key_file_is_refused_without_its_content() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys");
        let refused = || Vault::from_file(&path).err().expect("refused");
        assert!(matches!(refused(), BadKey::Unreadable(..)));
        std::fs::write(&path, "\n").expect("written");
        assert!(matches!(refused(), BadKey::Empty(_)));
        std::fs::write(&path, format!("{}\nsecret\n", hex::encode(SECRET))).expect("written");
        let error = refused();
        assert!(matches!(error, BadKey::Malformed(_, 2)), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
