//! `tocsin bench-peer`: the load peer, an SMSC in a process of its own that takes everything and confirms it at once.
//! This module must not be measured as part of the gateway.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use channel::testing::Behaviour;
use sms::codec::cmpp::Version;
use sms::peer::{Peer, PeerConfig, Speaks};

use crate::commands::Failed;

#[derive(clap::Args)]
pub struct Args {
    /// Segments a second; more are answered with `ESME_RTHROTTLED`
    #[arg(long)]
    rate: Option<u32>,
    /// Receipts that may be unanswered
    #[arg(long, default_value_t = 5_000)]
    receipt_window: usize,
    /// Speak CMPP 3.0, with the secret `bench`, and not SMPP
    #[arg(long)]
    cmpp: bool,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let cmpp = Speaks::Cmpp(Version::V30);
    let peer = Peer::start(PeerConfig {
        speaks: if args.cmpp { cmpp } else { Speaks::Smpp },
        account: args.cmpp.then(|| ("bench1".into(), "bench".into())),
        rate: args.rate,
        receipt_window: args.receipt_window,
        behaviour: Behaviour::Confirm,
        receipt_delay: (Duration::ZERO, Duration::ZERO),
        ..PeerConfig::default()
    });
    let peer = peer.await.map_err(|e| Failed::Unreachable(e.to_string()))?;
    say!("{}", peer.addr().port());
    super::super::interrupted().await;
    peer.stop().await;
    Ok(())
}

/// The peer's process; it ends when this is dropped.
pub struct Far {
    child: Child,
    pub port: u16,
}

impl Far {
    pub fn start(options: &[&str]) -> Result<Self, Failed> {
        let lost = |e: &dyn std::fmt::Display| {
            Failed::Unreachable(format!("the load peer cannot start: {e}"))
        };
        let program = std::env::current_exe().map_err(|e| lost(&e))?;
        let mut child = Command::new(program)
            .arg("bench-peer")
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| lost(&e))?;
        let out = child.stdout.take().ok_or_else(|| lost(&"no output"))?;
        let mut line = String::new();
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(|e| lost(&e))?;
        let port = line.trim().parse().map_err(|e| lost(&e))?;
        Ok(Self { child, port })
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
