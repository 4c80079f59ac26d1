//! Kills, power cuts and a full disk, from outside: the real binary is killed at seeded moments and read twice, as the
//! kill left it and with its log cut to the last acknowledged commit. Nothing accepted, addressed or answered may be lost,
//! and what is sent twice stays inside what is told and bounded. These tests must not know how the gateway does it.
//!
//! `TOCSIN_BIN` puts another binary in the gateway's place, `TOCSIN_CRASH_LOOPS` and `TOCSIN_CRASH_SEED` another number of
//! loops and another seed.

#[expect(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "e2e/county.rs"]
mod county;
#[path = "crash/demo.rs"]
mod demo;
#[path = "crash/disk.rs"]
mod disk;
#[expect(
    dead_code,
    unused_imports,
    reason = "the end-to-end tests use all of it"
)]
#[path = "e2e/gateway.rs"]
mod gateway;
#[path = "crash/image.rs"]
mod image;
#[path = "crash/journal.rs"]
mod journal;
#[path = "crash/kills.rs"]
mod kills;
#[path = "crash/land.rs"]
mod land;
#[path = "crash/node.rs"]
mod node;
#[expect(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "e2e/peers.rs"]
mod peers;
#[path = "e2e/setup.rs"]
mod setup;
#[path = "crash/smsc.rs"]
mod smsc;
#[expect(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "e2e/warning.rs"]
mod warning;
