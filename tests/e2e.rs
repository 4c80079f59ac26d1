//! End to end, from outside: the real binary on its own databases, and real peers in this process. What is asked is asked
//! over HTTP, what is told is read off the wire. These tests must not look into the gateway's memory or files.

#[path = "e2e/adapters.rs"]
mod adapters;
#[path = "e2e/backup.rs"]
mod backup;
#[path = "e2e/broker.rs"]
mod broker;
#[path = "e2e/browser.rs"]
mod browser;
#[path = "e2e/by_hand.rs"]
mod by_hand;
#[path = "e2e/called.rs"]
mod called;
#[path = "e2e/cap.rs"]
mod cap;
#[path = "e2e/cli.rs"]
mod cli;
#[path = "e2e/console.rs"]
mod console;
#[path = "e2e/contract.rs"]
mod contract;
#[path = "e2e/corrections.rs"]
mod corrections;
#[path = "e2e/county.rs"]
mod county;
#[path = "e2e/coverage.rs"]
mod coverage;
#[path = "e2e/crash.rs"]
mod crash;
#[path = "e2e/crowd.rs"]
mod crowd;
#[path = "e2e/curl.rs"]
mod curl;
#[path = "e2e/desk.rs"]
mod desk;
#[path = "e2e/devices.rs"]
mod devices;
#[path = "e2e/drills.rs"]
mod drills;
#[path = "e2e/exams.rs"]
mod exams;
#[path = "e2e/expiry.rs"]
mod expiry;
#[path = "e2e/filing.rs"]
mod filing;
#[path = "e2e/gateway.rs"]
mod gateway;
#[path = "e2e/horns.rs"]
mod horns;
#[path = "e2e/imports.rs"]
mod imports;
#[path = "e2e/keepers.rs"]
mod keepers;
#[path = "e2e/lifecycle.rs"]
mod lifecycle;
#[path = "e2e/links.rs"]
mod links;
#[path = "e2e/mail.rs"]
mod mail;
#[path = "../channels/loudspeaker/tests/broker/mod.rs"]
mod mosquitto;
#[path = "e2e/peers.rs"]
mod peers;
#[path = "e2e/platform.rs"]
mod platform;
#[path = "../channels/email/tests/foreign/postfix.rs"]
mod postfix;
#[path = "e2e/preview.rs"]
mod preview;
#[path = "e2e/quakes.rs"]
mod quakes;
#[path = "e2e/quarantine.rs"]
mod quarantine;
#[path = "e2e/recordings.rs"]
mod recordings;
#[path = "e2e/references.rs"]
mod references;
#[path = "e2e/refusals.rs"]
mod refusals;
#[path = "e2e/replies.rs"]
mod replies;
#[path = "e2e/reported.rs"]
mod reported;
#[path = "e2e/routes.rs"]
mod routes;
#[path = "e2e/safe.rs"]
mod safe;
#[path = "e2e/sealed.rs"]
mod sealed;
#[path = "e2e/setup.rs"]
mod setup;
#[path = "e2e/sky.rs"]
mod sky;
#[path = "e2e/steps.rs"]
mod steps;
#[path = "e2e/warning.rs"]
mod warning;
#[path = "e2e/wechats.rs"]
mod wechats;
