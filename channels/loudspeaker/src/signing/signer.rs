//! Who signs: nobody, this process in software, a command, or a device behind HTTP. The bytes that are signed can be put
//! together in three orders, since no source tells which is right. This module must not show a key, nor sign with none
//! where a signature was asked for.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use channel::{HttpClient, Request, Secret};
use serde::Deserialize;
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature as Sm2Signature, SigningKey, VerifyingKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::value::{Serial, VALUE, Value};

/// What is signed with the document: unverified, so a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Time and serial, then the document.
    #[default]
    PrefixDocument,
    DocumentPrefix,
    DocumentAlone,
}

impl Order {
    pub fn input(self, document: &[u8], prefix: &[u8]) -> Vec<u8> {
        match self {
            Self::PrefixDocument => [prefix, document].concat(),
            Self::DocumentPrefix => [document, prefix].concat(),
            Self::DocumentAlone => document.to_vec(),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignerError {
    #[error("the key is not a private key of SM2: 64 hex digits are wanted")]
    Key,
    #[error(
        "the peer's key is not a public key of SM2: 130 hex digits that begin with 04 are wanted"
    )]
    PeerKey,
    #[error("`serial` must be 12 hex digits")]
    Serial,
    #[error("`argv` must name a command")]
    Command,
    #[error("a peer's key of its own needs the kind `sm2`")]
    NotSm2,
    #[error("the signer cannot be asked: {0}")]
    Away(String),
    #[error("the signer did not answer with the {VALUE} bytes of a signature in base64")]
    Answer,
}

#[async_trait]
pub trait Signer: Send + Sync {
    /// The 74 bytes of a signature; nothing from a signer that signs nothing.
    async fn sign(&self, document: &[u8], time: u32) -> Result<Option<Value>, SignerError>;
    /// Whether the peer signed this document. A signer without the peer's key cannot tell.
    async fn verify(&self, document: &[u8], value: &Value) -> Result<bool, SignerError>;
    /// Whether it can tell a signature of the peer's from another.
    fn knows_peer(&self) -> bool;
}

/// Signs nothing, and takes everything.
pub struct Nobody;

#[async_trait]
impl Signer for Nobody {
    async fn sign(&self, _: &[u8], _: u32) -> Result<Option<Value>, SignerError> {
        Ok(None)
    }

    async fn verify(&self, _: &[u8], _: &Value) -> Result<bool, SignerError> {
        Ok(true)
    }

    fn knows_peer(&self) -> bool {
        false
    }
}

/// The public half of a far end's key: by it alone its signatures are judged.
pub struct PublicKey {
    key: VerifyingKey,
    order: Order,
}

impl PublicKey {
    /// Of 130 hex digits that begin with 04.
    pub fn new(point: &str, user: &str, order: Order) -> Result<Self, SignerError> {
        let point = hex::decode(point.trim()).map_err(|_| SignerError::PeerKey)?;
        let key = VerifyingKey::from_sec1_bytes(user, &point);
        let key = key.map_err(|_| SignerError::PeerKey)?;
        Ok(Self { key, order })
    }

    pub fn signed(&self, document: &[u8], value: &Value) -> bool {
        let Ok(signed) = Sm2Signature::from_slice(&value.signed) else {
            return false;
        };
        let input = self.order.input(document, &value.prefix());
        self.key.verify(&input, &signed).is_ok()
    }
}

/// SM2 with SM3, in this process, by a library that nobody has audited.
pub struct Software {
    own: SigningKey,
    peer: Option<PublicKey>,
    serial: Serial,
    order: Order,
}

impl Software {
    /// `user` is the SM2 user id that both sides hash in.
    pub fn new(
        key: &Secret,
        peer: Option<&str>,
        user: &str,
        serial: Serial,
        order: Order,
    ) -> Result<Self, SignerError> {
        let own = hex::decode(key.expose().trim()).map_err(|_| SignerError::Key)?;
        let peer = peer.map(|peer| PublicKey::new(peer, user, order));
        Ok(Self {
            own: SigningKey::from_slice(user, &own).map_err(|_| SignerError::Key)?,
            peer: peer.transpose()?,
            serial,
            order,
        })
    }

    /// As `peer` is configured at the other end.
    pub fn public_key(&self) -> String {
        hex::encode(self.own.verifying_key().to_sec1_bytes())
    }
}

#[async_trait]
impl Signer for Software {
    async fn sign(&self, document: &[u8], time: u32) -> Result<Option<Value>, SignerError> {
        let mut value = Value {
            time,
            serial: self.serial,
            signed: [0; 64],
        };
        let input = self.order.input(document, &value.prefix());
        let signed: Sm2Signature = self.own.sign(&input);
        value.signed = signed.to_bytes().into();
        Ok(Some(value))
    }

    async fn verify(&self, document: &[u8], value: &Value) -> Result<bool, SignerError> {
        let peer = self.peer.as_ref().ok_or(SignerError::PeerKey)?;
        Ok(peer.signed(document, value))
    }

    fn knows_peer(&self) -> bool {
        self.peer.is_some()
    }
}

/// A command that has the device: `sign TIME` reads the document and prints 74 bytes in base64; `verify VALUE` reads it and
/// ends with 0 where it holds and 1 where it does not.
pub struct Command {
    pub argv: Vec<String>,
    pub patience: Duration,
}

impl Command {
    async fn run(&self, what: [&str; 2], document: &[u8]) -> Result<(bool, Vec<u8>), SignerError> {
        let away = |why: String| SignerError::Away(why);
        let (program, arguments) = self
            .argv
            .split_first()
            .ok_or_else(|| away("no command".into()))?;
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .args(what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| away(error.kind().to_string()))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let talk = async {
            if let Some(mut stdin) = stdin {
                // A command that has read enough may close.
                let _ = stdin.write_all(document).await;
            }
            let mut said = Vec::new();
            if let Some(stdout) = stdout {
                let _ = stdout.take(4096).read_to_end(&mut said).await;
            }
            (child.wait().await, said)
        };
        let (status, said) = tokio::time::timeout(self.patience, talk)
            .await
            .map_err(|_| away("it took too long".into()))?;
        match status.ok().and_then(|status| status.code()) {
            Some(0) => Ok((true, said)),
            Some(1) if what[0] == "verify" => Ok((false, said)),
            code => Err(away(format!("it ended with {code:?}"))),
        }
    }
}

#[async_trait]
impl Signer for Command {
    async fn sign(&self, document: &[u8], time: u32) -> Result<Option<Value>, SignerError> {
        let (_, said) = self.run(["sign", &time.to_string()], document).await?;
        decoded(&said).map(Some)
    }

    async fn verify(&self, document: &[u8], value: &Value) -> Result<bool, SignerError> {
        let value = STANDARD.encode(value.write());
        let (holds, _) = self.run(["verify", &value], document).await?;
        Ok(holds)
    }

    fn knows_peer(&self) -> bool {
        true
    }
}

/// A device behind HTTP: `POST URL/sign?time=` and `POST URL/verify?value=`, the document as the body.
pub struct Device {
    pub url: String,
    pub http: HttpClient,
    pub patience: Duration,
}

impl Device {
    async fn ask(
        &self,
        what: &str,
        name: &str,
        value: String,
        document: &[u8],
    ) -> Result<(u16, Vec<u8>), SignerError> {
        let request = Request {
            method: "POST".into(),
            query: vec![(name.into(), value)],
            body: document.to_vec().into(),
            ..Request::default()
        };
        let url = format!("{}/{what}", self.url.trim_end_matches('/'));
        let call = tokio::time::timeout(self.patience, self.http.call(&url, request));
        let reply = call
            .await
            .map_err(|_| SignerError::Away("it took too long".into()))?;
        let reply = reply.map_err(|error| SignerError::Away(error.to_string()))?;
        Ok((reply.status, reply.body.to_vec()))
    }
}

#[async_trait]
impl Signer for Device {
    async fn sign(&self, document: &[u8], time: u32) -> Result<Option<Value>, SignerError> {
        match self.ask("sign", "time", time.to_string(), document).await? {
            (200, said) => decoded(&said).map(Some),
            (status, _) => Err(SignerError::Away(format!("it answered {status}"))),
        }
    }

    async fn verify(&self, document: &[u8], value: &Value) -> Result<bool, SignerError> {
        let value = STANDARD.encode(value.write());
        match self.ask("verify", "value", value, document).await? {
            (200, _) => Ok(true),
            (403, _) => Ok(false),
            (status, _) => Err(SignerError::Away(format!("it answered {status}"))),
        }
    }

    fn knows_peer(&self) -> bool {
        true
    }
}

fn decoded(said: &[u8]) -> Result<Value, SignerError> {
    let text = said.trim_ascii();
    let bytes = STANDARD.decode(text).map_err(|_| SignerError::Answer)?;
    Value::read(&bytes).ok_or(SignerError::Answer)
}
