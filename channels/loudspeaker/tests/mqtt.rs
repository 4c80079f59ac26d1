//! Loudspeakers over a broker: Mosquitto in between, and at the other end a box written in another language on another
//! client, or the simulated controllers. Each test has a broker of its own.

mod broker;
mod gateway;
#[path = "mqtt/kit.rs"]
mod kit;

#[path = "mqtt/delivery.rs"]
mod delivery;
#[path = "mqtt/hostile.rs"]
mod hostile;
#[path = "mqtt/keys.rs"]
mod keys;
#[path = "mqtt/process.rs"]
mod process;
#[path = "mqtt/quake.rs"]
mod quake;
#[path = "mqtt/seats.rs"]
mod seats;
#[path = "mqtt/suite.rs"]
mod suite;
