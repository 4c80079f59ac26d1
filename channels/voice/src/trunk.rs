//! One account at a SIP trunk: the stack on its socket, whether the trunk is there, and what it asks of us. This module
//! must not place a call, and whatever it says names no number.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use channel::Stop;
use rsipstack::EndpointBuilder;
use rsipstack::dialog::authenticate::Credential;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::dialog::registration::Registration;
use rsipstack::sip::{Method, SipMessage, StatusCode, StatusCodeKind, Transport, Uri, typed};
use rsipstack::transaction::endpoint::{Endpoint, EndpointOption};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::make_tag;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, TransportLayer};
use tokio::net::UdpSocket;

use crate::config::Trunk;

/// Why the trunk cannot be used, in words without numbers.
#[derive(Debug)]
pub struct Problem(pub String);

fn problem(doing: &str) -> impl Fn(String) -> Problem {
    move |why| Problem(format!("{doing}: {why}"))
}

/// The least time that a login stands.
const LOGIN: Duration = Duration::from_mins(1);

pub struct Line {
    trunk: Arc<Trunk>,
    endpoint: Endpoint,
    pub layer: Arc<DialogLayer>,
    /// The trunk, and we.
    pub far: SocketAddr,
    pub here: SocketAddr,
    login: tokio::sync::Mutex<Registration>,
    next_port: AtomicUsize,
    stop: Stop,
}

impl Line {
    pub async fn open(trunk: Arc<Trunk>) -> Result<Self, Problem> {
        let looking = problem("looking up the trunk's host");
        let found = tokio::net::lookup_host((trunk.host.as_str(), trunk.port)).await;
        let far = found
            .map_err(|e| looking(e.to_string()))?
            .find(|far| far.is_ipv4() == trunk.address.is_ipv4())
            .ok_or_else(|| looking("it has no address of our family".to_owned()))?;

        let stop = Stop::new();
        let transport = TransportLayer::new(stop.clone());
        // Nobody but the trunk is heard.
        transport.set_whitelist(move |ip| async move { ip == far.ip() });
        let local = SocketAddr::new(trunk.address, trunk.local_port);
        let binding = problem("binding the trunk's local address");
        let socket = UdpConnection::create_connection(local, None, Some(stop.child_token()))
            .await
            .map_err(|e| binding(e.to_string()))?;
        let here = socket
            .get_addr()
            .get_socketaddr()
            .map_err(|e| binding(e.to_string()))?;
        transport.add_transport(socket.into());
        let option = EndpointOption {
            t1x64: trunk.timeout,
            timerc: trunk.ring + 4 * trunk.timeout,
            ..EndpointOption::default()
        };
        let endpoint = EndpointBuilder::new()
            .with_user_agent("Tocsin")
            .with_transport_layer(transport)
            .with_cancel_token(stop.clone())
            .with_option(option)
            .build();
        let layer = Arc::new(DialogLayer::new(endpoint.inner.clone()));
        let inner = endpoint.inner.clone();
        tokio::spawn(async move { inner.serve().await });
        let incoming = endpoint.incoming_transactions();
        let mut incoming =
            incoming.map_err(|e| problem("starting the SIP stack")(e.to_string()))?;
        let answering = layer.clone();
        tokio::spawn(async move {
            while let Some(asked) = incoming.recv().await {
                tokio::spawn(answer(answering.clone(), asked));
            }
        });
        let mut login = Registration::new(endpoint.inner.clone(), credential(&trunk));
        login.outbound_proxy = Some(far);
        Ok(Self {
            trunk,
            endpoint,
            layer,
            far,
            here,
            login: tokio::sync::Mutex::new(login),
            next_port: AtomicUsize::new(0),
            stop,
        })
    }

    pub fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    pub fn credential(&self) -> Option<Credential> {
        credential(&self.trunk)
    }

    /// The account's domain as it stands in addresses.
    fn domain(&self) -> String {
        let host = || {
            let host = &self.trunk.host;
            let port = self.trunk.port;
            if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            }
        };
        self.trunk.domain.clone().unwrap_or_else(host)
    }

    /// Somebody at the trunk.
    pub fn at_trunk(&self, user: &str) -> Option<Uri> {
        let uri = format!("sip:{user}@{}", self.domain());
        Uri::try_from(uri.as_str()).ok()
    }

    /// Where we are called back.
    pub fn contact(&self) -> Option<Uri> {
        let uri = format!("sip:{}@{}", self.trunk.user, self.here);
        Uri::try_from(uri.as_str()).ok()
    }

    pub fn destination(&self) -> SipAddr {
        SipAddr::new(Transport::Udp, self.far.into())
    }

    /// A socket for the sound of one call. Ports take turns, so that a late packet of an old call finds nobody.
    pub async fn media(&self) -> std::io::Result<UdpSocket> {
        let first = usize::from(self.trunk.media_port);
        if first == 0 {
            return UdpSocket::bind((self.trunk.address, 0)).await;
        }
        // Twice the lines are tried: a county's router may hold one or two of them.
        let mut last = None;
        for _ in 0..MEDIA_TRIES {
            let turn = self.next_port.fetch_add(1, Ordering::Relaxed) % MEDIA_TRIES;
            let Ok(port) = u16::try_from(first + 2 * turn) else {
                continue;
            };
            match UdpSocket::bind((self.trunk.address, port)).await {
                Ok(socket) => return Ok(socket),
                Err(e) => last = Some(e),
            }
        }
        Err(last.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into()))
    }

    /// Whether the trunk is there and lets us in.
    pub async fn probe(&self) -> Result<(), Problem> {
        let status = if self.trunk.register {
            self.register(LOGIN.max(3 * self.trunk.probe)).await
        } else {
            self.options().await
        };
        let asking = problem(if self.trunk.register {
            "logging in at the trunk"
        } else {
            "asking the trunk"
        });
        match status.map_err(|e| asking(e.to_string()))? {
            408 => Err(asking("it does not answer".to_owned())),
            status @ 503 => Err(asking(format!("it answers {status}"))),
            // To be asked is not everybody's; who answers is there.
            status if self.trunk.register && !(200..300).contains(&status) => Err(asking(format!(
                "it answers {status}; check `trunk.user` and `trunk.password`"
            ))),
            _ => Ok(()),
        }
    }

    async fn register(&self, stands: Duration) -> Result<u16, rsipstack::Error> {
        let server = format!("sip:{}", self.domain());
        let server = Uri::try_from(server.as_str())?;
        let seconds = u32::try_from(stands.as_secs()).unwrap_or(u32::MAX);
        let mut login = self.login.lock().await;
        let reply = login.register(server, Some(seconds)).await?;
        Ok(reply.status_code.into())
    }

    async fn options(&self) -> Result<u16, rsipstack::Error> {
        let named = |uri: Uri| typed::From {
            display_name: None,
            uri,
            params: Vec::new(),
        };
        let uri = Uri::try_from(format!("sip:{}", self.domain()).as_str())?;
        let to = typed::To {
            display_name: None,
            uri: uri.clone(),
            params: Vec::new(),
        };
        let us = self.at_trunk(&self.trunk.user);
        let us = us.ok_or_else(|| rsipstack::Error::Error("no address of ours".to_owned()))?;
        let from = named(us).with_tag(make_tag());
        let inner = &self.endpoint.inner;
        let via = inner.get_via(None, None)?;
        let request = inner.make_request(Method::Options, uri, via, from, to, 1, None);
        let key = TransactionKey::from_request(&request, TransactionRole::Client)?;
        let mut asked = Transaction::new_client(key, request, inner.clone(), None);
        asked.destination = Some(self.destination());
        asked.send().await?;
        while let Some(message) = asked.receive().await {
            if let SipMessage::Response(reply) = message
                && reply.status_code.kind() != StatusCodeKind::Provisional
            {
                return Ok(reply.status_code.into());
            }
        }
        Ok(408)
    }

    /// Logs out and lets the socket go.
    pub async fn close(&self) {
        if self.trunk.register {
            // It would stand for a minute longer; nothing hangs on it.
            let _ = self.register(Duration::ZERO).await;
        }
        self.endpoint.shutdown();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How many ports for sound are looked at; more calls than lines never are.
const MEDIA_TRIES: usize = 500;

fn credential(trunk: &Trunk) -> Option<Credential> {
    let password = trunk.password.as_ref()?;
    Some(Credential {
        username: trunk.user.clone(),
        password: password.expose().to_owned(),
        realm: None,
        auth_username: None,
    })
}

/// What the trunk asks of us: within a call, whether we are there, or a call that we do not take.
async fn answer(layer: Arc<DialogLayer>, mut asked: Transaction) {
    if let Some(mut dialog) = layer.match_dialog(&asked) {
        // What fails here ends the call, and its own state says so.
        let _ = dialog.handle(&mut asked).await;
        return;
    }
    let status = match asked.original.method {
        Method::Ack => return,
        Method::Options => StatusCode::OK,
        Method::Invite => StatusCode::BusyHere,
        Method::Bye | Method::Cancel => StatusCode::CallTransactionDoesNotExist,
        _ => StatusCode::MethodNotAllowed,
    };
    if asked.reply(status).await.is_ok() {
        while asked.receive().await.is_some() {}
    }
}
