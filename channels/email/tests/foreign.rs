//! The channel against mail software that we did not write: a Postfix of the test's own, and Python's mail parser.

#[path = "foreign/letters.rs"]
mod letters;
#[path = "foreign/notifications.rs"]
mod notifications;
#[path = "foreign/postfix.rs"]
mod postfix;
mod returns;
#[path = "foreign/tls.rs"]
mod tls;
