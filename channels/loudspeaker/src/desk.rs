//! The orders that wait for their devices, in memory: what lies there, who was heard when, who waits for the outcome.
//! Pure bookkeeping: this module must not sign, sleep or read a clock. What is lost with it at a restart is handed
//! again by the gateway.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{Accepted, Failure, FailureClass, Key, Message, Timestamp, Variant};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

pub(crate) type Outcome = Result<Accepted, Failure>;

/// Who waits for the outcome of one order: a place in a batch. One queue serves the whole batch.
pub(crate) struct Waiter {
    pub index: usize,
    pub outcomes: UnboundedSender<(usize, Outcome)>,
}

impl Waiter {
    fn settle(self, outcome: Outcome) {
        // A batch that was given up has dropped its end; nobody is left to tell.
        let _ = self.outcomes.send((self.index, outcome));
    }
}

struct Entry {
    key: Key,
    serial: u64,
    variant: Arc<Variant>,
    queued: Timestamp,
    expires: Timestamp,
    /// It stood in an answer to a poll; whether that answer arrived is not known yet.
    written: bool,
    /// It may have been written before a restart.
    repeat: bool,
    waiter: Option<Waiter>,
}

impl Entry {
    /// Whether a device whose last counter is `after` has this very order. What was never written and is passed by is
    /// not had; serials are never used twice, so the very counter proves a repeat.
    fn is_had(&self, after: u64) -> bool {
        (self.written && self.serial <= after) || (self.repeat && self.serial == after)
    }

    fn new(message: &Message, now: Timestamp, waiter: Waiter) -> Self {
        Self {
            key: message.key,
            serial: message.serial,
            variant: message.variant.clone(),
            queued: now,
            expires: message.expires,
            written: false,
            repeat: message.repeat,
            waiter: Some(waiter),
        }
    }

    fn settle(&mut self, outcome: impl FnOnce(Key) -> Outcome) {
        if let Some(waiter) = self.waiter.take() {
            waiter.settle(outcome(self.key));
        }
    }
}

/// An order that is to be signed and written into the answer to a poll.
pub(crate) struct Due {
    pub key: Key,
    pub serial: u64,
    pub variant: Arc<Variant>,
    pub queued: Timestamp,
    pub expires: Timestamp,
}

#[derive(Default)]
struct Device {
    orders: Vec<Entry>,
    bell: Arc<Notify>,
    /// By `tick`.
    heard: Option<Duration>,
    silent: bool,
    /// The counter that its latest poll named.
    after: u64,
}

impl Device {
    /// Takes out the older order of the same key.
    fn replace(&mut self, entry: &mut Entry) {
        let Some(place) = self.orders.iter().position(|order| order.key == entry.key) else {
            return;
        };
        let mut older = self.orders.remove(place);
        if older.serial == entry.serial {
            // The same order in doubt: the same bytes are signed again.
            (entry.written, entry.queued) = (older.written, older.queued);
        }
        older.settle(|_| {
            Err(transient(
                "speaker:replaced",
                "the same order was handed again meanwhile",
            ))
        });
    }

    /// Where too many lie, one whose outcome is told already is spared.
    fn has_room(&mut self, limit: usize) -> bool {
        if self.orders.len() < limit {
            return true;
        }
        let settled = self.orders.iter().position(|order| order.waiter.is_none());
        settled.map(|place| self.orders.remove(place)).is_some()
    }
}

pub(crate) struct Desk {
    devices: HashMap<Box<str>, Device>,
    limit: usize,
}

impl Desk {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            devices: HashMap::new(),
            limit,
        }
    }

    /// Lays an order down; an older one of the same key gives way.
    pub(crate) fn put(&mut self, message: &Message, now: Timestamp, waiter: Waiter) {
        if message.expires <= now {
            return waiter.settle(Err(transient(
                "speaker:expired",
                "the order had expired when it was handed",
            )));
        }
        let limit = self.limit;
        let device = self.device(message.address.expose());
        device
            .orders
            .retain(|order| order.expires > now || order.waiter.is_some());
        let mut entry = Entry::new(message, now, waiter);
        device.replace(&mut entry);
        if device.heard.is_some() && entry.serial <= device.after {
            let had = entry.is_had(device.after);
            return entry.settle(|key| {
                if had {
                    Ok(accepted(key))
                } else {
                    Err(passed())
                }
            });
        }
        if !device.has_room(limit) {
            let full = || transient("speaker:queue-full", "too many orders wait for the device");
            return entry.settle(|_| Err(full()));
        }
        let place = device
            .orders
            .partition_point(|order| order.serial < entry.serial);
        device.orders.insert(place, entry);
        device.bell.notify_waiters();
    }

    /// A device's bell rings when an order is laid down for it.
    pub(crate) fn bell(&mut self, device: &str) -> Arc<Notify> {
        self.device(device).bell.clone()
    }

    /// The device speaks. Whether it was silent before, or is new.
    pub(crate) fn heard(&mut self, device: &str, tick: Duration) -> bool {
        let device = self.device(device);
        let back = device.heard.is_none() || device.silent;
        (device.heard, device.silent) = (Some(tick), false);
        back
    }

    /// A poll names the last counter that the device has: what was written up to there has arrived.
    pub(crate) fn polled(&mut self, device: &str, after: u64) {
        let device = self.device(device);
        device.after = after;
        for order in device
            .orders
            .iter_mut()
            .filter(|order| order.serial <= after)
        {
            let had = order.is_had(after);
            order.settle(|key| {
                if had {
                    Ok(accepted(key))
                } else {
                    Err(passed())
                }
            });
        }
        // What it is past and never saw would be refused as a replay.
        device
            .orders
            .retain(|order| order.serial > after || order.is_had(after));
    }

    /// The orders above `after`, oldest first; they count as written.
    pub(crate) fn due(&mut self, device: &str, after: u64, now: Timestamp) -> Vec<Due> {
        let wanted = |order: &&mut Entry| order.serial > after && order.expires > now;
        let due = |order: &mut Entry| {
            order.written = true;
            Due {
                key: order.key,
                serial: order.serial,
                variant: order.variant.clone(),
                queued: order.queued,
                expires: order.expires,
            }
        };
        self.device(device)
            .orders
            .iter_mut()
            .filter(wanted)
            .map(due)
            .collect()
    }

    /// A report on an order proves that it was fetched.
    pub(crate) fn reported(&mut self, device: &str, key: Key) {
        if let Some(order) = self.order(device, key) {
            order.settle(|key| Ok(accepted(key)));
        }
    }

    /// The device is through with it.
    pub(crate) fn done(&mut self, device: &str, key: Key) {
        if let Some(device) = self.devices.get_mut(device) {
            device.orders.retain(|order| order.key != key);
        }
    }

    /// Nobody has proved in time to have fetched it, or the gateway closes. It lies on until it expires.
    pub(crate) fn give_up(&mut self, device: &str, key: Key, closing: bool) {
        if let Some(order) = self.order(device, key) {
            let failure = match (order.written, closing) {
                (true, _) => unproved(),
                (false, true) => closed(),
                (false, false) => silent(),
            };
            order.settle(|_| Err(failure));
        }
    }

    /// Forgets what has expired, and names the devices that have just fallen silent.
    pub(crate) fn sweep(
        &mut self,
        now: Timestamp,
        tick: Duration,
        silent_after: Duration,
    ) -> Vec<String> {
        let mut fallen = Vec::new();
        for (id, device) in &mut self.devices {
            device
                .orders
                .retain(|order| order.expires > now || order.waiter.is_some());
            let quiet = device
                .heard
                .is_some_and(|heard| tick.saturating_sub(heard) >= silent_after);
            if quiet && !device.silent {
                device.silent = true;
                fallen.push(id.to_string());
            }
        }
        // A device that never spoke is only an address that was tried; a poll that waits holds its bell.
        let known = |device: &Device| {
            device.heard.is_some()
                || !device.orders.is_empty()
                || Arc::strong_count(&device.bell) > 1
        };
        self.devices.retain(|_, device| known(device));
        fallen
    }

    fn device(&mut self, id: &str) -> &mut Device {
        if !self.devices.contains_key(id) {
            self.devices.insert(id.into(), Device::default());
        }
        self.devices.get_mut(id).expect("it was put there above")
    }

    fn order(&mut self, device: &str, key: Key) -> Option<&mut Entry> {
        self.devices
            .get_mut(device)?
            .orders
            .iter_mut()
            .find(|order| order.key == key)
    }
}

fn accepted(key: Key) -> Accepted {
    Accepted {
        references: vec![key.to_string()],
    }
}

fn transient(code: &'static str, detail: &'static str) -> Failure {
    Failure::new(FailureClass::Transient, code, detail)
}

fn silent() -> Failure {
    transient(
        "speaker:silent",
        "the device did not fetch the order in time",
    )
}

fn closed() -> Failure {
    Failure::new(
        FailureClass::LinkDown,
        "speaker:closing",
        "the gateway closes and the device had not fetched the order; it is handed again",
    )
}

fn passed() -> Failure {
    transient(
        "speaker:counter-passed",
        "the device holds a higher counter; hand the order with a new serial",
    )
}

fn unproved() -> Failure {
    Failure::new(
        FailureClass::InDoubt,
        "speaker:unproved",
        "the order was written to the device, which has not said since that it has it",
    )
}

#[cfg(test)]
mod tests {
    use channel::Address;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn message(delivery: u32, serial: u64) -> Message {
        Message {
            key: Key {
                alert: 1,
                delivery,
                generation: 0,
            },
            serial,
            variant: Arc::new(Variant::new("zh-CN", "t", "x")),
            address: Address::new("a"),
            expires: NOW.plus(Duration::from_mins(1)),
            repeat: false,
        }
    }

    fn put(desk: &mut Desk, message: &Message) -> UnboundedReceiver<(usize, Outcome)> {
        let (outcomes, told) = unbounded_channel();
        desk.put(message, NOW, Waiter { index: 0, outcomes });
        told
    }

    fn code(told: &mut UnboundedReceiver<(usize, Outcome)>) -> String {
        match told.try_recv() {
            Ok((_, Ok(accepted))) => accepted.references.concat(),
            Ok((_, Err(failure))) => failure.code.into_owned(),
            Err(_) => "nothing yet".into(),
        }
    }

    fn serials(desk: &mut Desk, after: u64) -> Vec<u64> {
        desk.due("a", after, NOW)
            .iter()
            .map(|due| due.serial)
            .collect()
    }

    #[test]
    fn an_order_is_accepted_only_when_a_later_poll_names_it() {
        let mut desk = Desk::new(8);
        let mut told = put(&mut desk, &message(1, 5));
        assert_eq!(serials(&mut desk, 0), [5]);
        assert_eq!(code(&mut told), "nothing yet");
        desk.polled("a", 5);
        assert_eq!(code(&mut told), "1-1-0");
    }

    #[test]
    fn a_fetched_order_stays_for_a_second_fetch_until_it_is_done_or_expired() {
        let mut desk = Desk::new(8);
        put(&mut desk, &message(1, 5));
        assert_eq!(serials(&mut desk, 0), [5]);
        assert_eq!(serials(&mut desk, 0), [5]);
        desk.polled("a", 5);
        assert_eq!(serials(&mut desk, 0), [5]);
        assert!(
            desk.due("a", 0, NOW.plus(Duration::from_mins(1)))
                .is_empty()
        );
        desk.done("a", message(1, 5).key);
        assert!(serials(&mut desk, 0).is_empty());
    }

    #[test]
    fn an_order_of_the_same_key_replaces_the_older_one() {
        let mut desk = Desk::new(8);
        let mut first = put(&mut desk, &message(1, 5));
        put(&mut desk, &message(2, 6));
        put(&mut desk, &message(1, 7));
        assert_eq!(code(&mut first), "speaker:replaced");
        assert_eq!(serials(&mut desk, 0), [6, 7]);
    }

    #[test]
    fn an_overdue_order_is_silent_when_never_written_and_in_doubt_when_written() {
        let mut desk = Desk::new(8);
        let mut never = put(&mut desk, &message(1, 5));
        desk.give_up("a", message(1, 5).key, false);
        assert_eq!(code(&mut never), "speaker:silent");
        let mut written = put(&mut desk, &message(1, 5));
        serials(&mut desk, 0);
        desk.give_up("a", message(1, 5).key, false);
        assert_eq!(code(&mut written), "speaker:unproved");
        // Handed again under the same serial, the next poll proves it.
        let mut again = put(&mut desk, &message(1, 5));
        desk.polled("a", 5);
        assert_eq!(code(&mut again), "1-1-0");
    }

    #[test]
    fn a_counter_that_the_device_has_passed_is_never_counted_as_fetched() {
        let mut desk = Desk::new(8);
        let mut waiting = put(&mut desk, &message(1, 5));
        desk.polled("a", 9);
        desk.heard("a", Duration::ZERO);
        assert_eq!(code(&mut waiting), "speaker:counter-passed");
        assert_eq!(
            code(&mut put(&mut desk, &message(2, 9))),
            "speaker:counter-passed"
        );
        assert_eq!(code(&mut put(&mut desk, &message(2, 10))), "nothing yet");
    }

    #[test]
    fn a_repeat_after_a_restart_is_accepted_when_the_device_names_its_very_counter() {
        let mut desk = Desk::new(8);
        desk.heard("a", Duration::ZERO);
        desk.polled("a", 5);
        let repeat = |delivery, serial| Message {
            repeat: true,
            ..message(delivery, serial)
        };
        assert_eq!(code(&mut put(&mut desk, &repeat(1, 5))), "1-1-0");
        assert_eq!(
            code(&mut put(&mut desk, &repeat(2, 4))),
            "speaker:counter-passed"
        );
        let mut waiting = put(&mut desk, &repeat(3, 6));
        desk.polled("a", 6);
        assert_eq!(code(&mut waiting), "1-3-0");
    }

    #[test]
    fn a_full_queue_spares_what_is_settled_and_refuses_the_rest() {
        let mut desk = Desk::new(2);
        put(&mut desk, &message(1, 1));
        desk.reported("a", message(1, 1).key);
        let _second = put(&mut desk, &message(2, 2));
        let _third = put(&mut desk, &message(3, 3));
        assert_eq!(serials(&mut desk, 0), [2, 3]);
        assert_eq!(
            code(&mut put(&mut desk, &message(4, 4))),
            "speaker:queue-full"
        );
    }

    #[test]
    fn an_expired_order_is_never_laid_down() {
        let mut desk = Desk::new(2);
        assert_eq!(
            code(&mut put(
                &mut desk,
                &Message {
                    expires: NOW,
                    ..message(1, 1)
                }
            )),
            "speaker:expired"
        );
    }

    #[test]
    fn a_device_falls_silent_once_and_comes_back_once() {
        let (mut desk, quiet) = (Desk::new(2), Duration::from_secs(90));
        assert!(desk.heard("a", Duration::ZERO));
        assert!(!desk.heard("a", Duration::from_secs(1)));
        assert!(desk.sweep(NOW, Duration::from_secs(90), quiet).is_empty());
        assert_eq!(desk.sweep(NOW, Duration::from_secs(91), quiet), ["a"]);
        assert!(desk.sweep(NOW, Duration::from_secs(99), quiet).is_empty());
        assert!(desk.heard("a", Duration::from_secs(100)));
    }
}
