//! The way to a device: a serial port, or a TCP port of whatever holds one (ser2net and its like). This module must not
//! know what is spoken on it.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use serde::Deserialize;
use serial2_tokio::SerialPort;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Where a device is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// `host:port` of a TCP server.
    #[serde(default)]
    pub address: Option<String>,
    /// A serial port's path.
    #[serde(default)]
    pub device: Option<PathBuf>,
    /// Bits a second of a serial port.
    #[serde(default = "baud")]
    pub baud: u32,
}

const fn baud() -> u32 {
    115_200
}

pub trait Both: AsyncRead + AsyncWrite + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Send + Sync> Both for T {}

pub type Stream = Pin<Box<dyn Both>>;

impl Port {
    pub fn tcp(address: impl Into<String>) -> Self {
        Self {
            address: Some(address.into()),
            device: None,
            baud: baud(),
        }
    }

    pub fn serial(device: impl Into<PathBuf>) -> Self {
        Self {
            address: None,
            device: Some(device.into()),
            baud: baud(),
        }
    }

    pub(crate) fn is_one(&self) -> bool {
        let given = |text: &String| !text.is_empty();
        self.address.as_ref().is_some_and(given) != self.device.is_some() && self.baud > 0
    }

    pub(crate) async fn open(&self, limit: Duration) -> io::Result<Stream> {
        match (&self.address, &self.device) {
            (Some(address), _) => {
                let connected = tokio::time::timeout(limit, TcpStream::connect(address)).await;
                let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                stream.set_nodelay(true)?;
                Ok(Box::pin(stream))
            }
            (None, Some(device)) => Ok(Box::pin(SerialPort::open(device, self.baud)?)),
            (None, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
