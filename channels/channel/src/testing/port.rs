//! Ports for servers of tests that cannot choose one themselves, or that come back at the same one. The system gives whoever
//! dials a port above 32,767: one of those that was free a moment ago may be the near end of another test's connection
//! by now, and nobody can listen on it. This module must not be used where a server can listen on port 0 and say which it has.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 10_240;
/// Each process has ports of its own: tests that run at the same moment never choose the same.
const EACH: u16 = 16;
const PROCESSES: u32 = 1_400;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// Free for TCP and UDP, and not given again in this process before fifteen others.
///
/// # Panics
///
/// Where no port of the machine is free.
#[must_use]
pub fn free_port() -> u16 {
    let own = u16::try_from(std::process::id() % PROCESSES).expect("few") * EACH;
    let all = EACH * u16::try_from(PROCESSES).expect("few");
    // Where others hold all of a process's own, the ports of the next follow.
    let mut tried = 0..all;
    let mut ports = std::iter::from_fn(|| {
        let nth = tried.next()?;
        let within = NEXT.fetch_add(1, Ordering::Relaxed) % EACH;
        Some(FIRST + (own + nth / EACH * EACH + within) % all)
    });
    ports.find(|port| is_free(*port)).expect("a free port")
}

fn is_free(port: u16) -> bool {
    let here = ("127.0.0.1", port);
    UdpSocket::bind(here).is_ok() && TcpListener::bind(here).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_and_none_that_the_system_gives_to_whoever_dials() {
        let ports: Vec<_> = (0..EACH).map(|_| free_port()).collect();
        let held: Vec<_> = ports
            .iter()
            .map(|port| TcpListener::bind(("127.0.0.1", *port)).expect("it is free"))
            .collect();
        // All of the process's own are held now.
        let more = free_port();
        assert!(!ports.contains(&more));
        assert!(
            ports
                .iter()
                .chain([&more])
                .all(|port| (FIRST..32_768).contains(port))
        );
        drop(held);
    }
}
