//! The orders that wait for their devices, in memory: what lies there, who was heard when, who waits for the outcome.
//! Pure bookkeeping: this module must not sign, sleep or read a clock. What is lost with it at a restart is handed
//! again by the gateway.

mod failures;
mod pushing;
mod quakes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{DeviceState, Failure, Key, Timestamp};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use crate::order::Window;
use crate::sheet::{Sheet, Standing};
use failures::{closed, passed, silent, transient, unproved};
pub(crate) use quakes::About;
use quakes::Word;

/// Whether the device has proved that it has the order.
pub(crate) type Outcome = Result<(), Failure>;

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
    sheet: Arc<Sheet>,
    /// It stood in an answer to a poll; whether that answer arrived is not known yet.
    written: bool,
    /// It was given to a broker, which knows somebody who hears it.
    pushed: bool,
    waiter: Option<Waiter>,
}

impl Entry {
    /// Whether a device that names this window has this very order. What never went out is not had.
    fn is_had(&self, window: &Window) -> bool {
        self.is_out() && !window.admits(self.sheet.counter)
    }

    fn is_out(&self) -> bool {
        self.written || self.pushed
    }

    fn settle(&mut self, outcome: impl FnOnce() -> Outcome) {
        if let Some(waiter) = self.waiter.take() {
            waiter.settle(outcome());
        }
    }
}

#[derive(Default)]
struct Device {
    orders: Vec<Entry>,
    /// The newest word on each earthquake.
    quakes: Vec<Word>,
    bell: Arc<Notify>,
    /// By `tick`.
    heard: Option<Duration>,
    silent: bool,
    /// What its latest poll named.
    window: Window,
    said: DeviceState,
    /// What its last heartbeat had to tell, in a short word.
    word: String,
}

impl Device {
    /// Takes out the older order of the same delivery.
    fn replace(&mut self, key: Key) {
        let Some(place) = self.orders.iter().position(|order| order.key == key) else {
            return;
        };
        self.orders.remove(place).settle(|| {
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

    /// Forgets what has expired and is waited for by nobody.
    fn tidy(&mut self, now: Timestamp) {
        self.orders
            .retain(|order| order.sheet.expires > now || order.waiter.is_some());
        self.quakes.retain(|word| word.sheet.expires > now);
    }
}

/// One order that is laid down for one device.
pub(crate) struct Laid<'a> {
    pub device: &'a str,
    pub key: Key,
    pub sheet: Arc<Sheet>,
    pub waiter: Waiter,
}

pub(crate) struct Desk {
    devices: HashMap<Box<str>, Device>,
    limit: usize,
    /// Orders without a text, by counter: few, and each for many devices.
    standing: Vec<Standing>,
    /// The highest counter that was given, or may have been before this desk was there.
    highest: u64,
}

impl Desk {
    pub(crate) fn new(limit: usize, floor: u64) -> Self {
        Self {
            devices: HashMap::new(),
            limit,
            standing: Vec::new(),
            highest: floor,
        }
    }

    /// Lays orders without a text down; those that lie there stay. The bells of whom they name are to be rung.
    pub(crate) fn stand(&mut self, orders: Vec<Standing>) -> Vec<Arc<Notify>> {
        let mut bells = Vec::new();
        for order in orders {
            let counter = order.sheet.counter;
            let place = self
                .standing
                .partition_point(|other| other.sheet.counter < counter);
            let next = self.standing.get(place);
            if next.is_some_and(|next| next.sheet.counter == counter) {
                continue;
            }
            let known = order.devices.iter().filter_map(|id| self.devices.get(id));
            bells.extend(known.map(|device| device.bell.clone()));
            self.highest = self.highest.max(counter);
            self.standing.insert(place, order);
        }
        bells
    }

    /// The counters up to this one are of no use to a device that is new here.
    pub(crate) fn floor(&self, device: &str) -> u64 {
        let known = self.devices.get(device);
        let orders = known.into_iter().flat_map(|device| &device.orders);
        let words = known.into_iter().flat_map(|device| &device.quakes);
        let standing = self.standing.iter();
        let standing = standing.filter(|order| order.devices.contains(device));
        let waiting = orders
            .map(|order| order.sheet.counter)
            .chain(words.map(|word| word.sheet.counter))
            .chain(standing.map(|order| order.sheet.counter));
        waiting
            .min()
            .map_or(self.highest, |lowest| lowest.saturating_sub(1))
    }

    /// Another box speaks for this device from now on: what the last one had says nothing.
    pub(crate) fn forget(&mut self, device: &str) {
        if let Some(device) = self.devices.get_mut(device) {
            (device.window, device.said) = (Window::default(), DeviceState::default());
            device.word.clear();
            device.bell.notify_waiters();
        }
    }

    /// What it says of itself.
    pub(crate) fn says(&mut self, device: &str, say: impl FnOnce(&mut DeviceState)) {
        say(&mut self.device(device).said);
    }

    /// Wakes its poll.
    pub(crate) fn bell(&mut self, device: &str) -> Arc<Notify> {
        self.device(device).bell.clone()
    }

    /// What there is to be known of it, if anything.
    pub(crate) fn worded(&mut self, device: &str, word: &str) {
        let device = self.device(device);
        if device.word != word {
            word.clone_into(&mut device.word);
        }
    }

    pub(crate) fn said(&self, device: &str) -> Option<DeviceState> {
        let device = self.devices.get(device)?;
        device.heard.map(|_| device.said)
    }

    /// Lays an order down; an older one of the same delivery gives way. The device's bell is to be rung once the desk is
    /// free again.
    pub(crate) fn put(&mut self, laid: Laid<'_>, now: Timestamp) -> Option<Arc<Notify>> {
        let Laid {
            device,
            key,
            sheet,
            waiter,
        } = laid;
        let limit = self.limit;
        self.highest = self.highest.max(sheet.counter);
        let device = self.device(device);
        device.tidy(now);
        device.replace(key);
        if device.heard.is_some() && !device.window.admits(sheet.counter) {
            waiter.settle(Err(passed()));
            return None;
        }
        if !device.has_room(limit) {
            waiter.settle(Err(transient(
                "speaker:queue-full",
                "too many orders wait for the device",
            )));
            return None;
        }
        let place = device
            .orders
            .partition_point(|order| order.sheet.counter <= sheet.counter);
        let entry = Entry {
            key,
            sheet,
            written: false,
            pushed: false,
            waiter: Some(waiter),
        };
        device.orders.insert(place, entry);
        Some(device.bell.clone())
    }

    /// The device speaks. Whether it was silent before, or is new.
    pub(crate) fn heard(&mut self, device: &str, now: Timestamp, tick: Duration) -> bool {
        let device = self.device(device);
        let back = device.heard.is_none() || device.silent;
        (device.heard, device.silent) = (Some(tick), false);
        device.said.heard = Some(now);
        back
    }

    /// A poll names what the device has taken: what was written of that has arrived. Gives the device's bell, which rings
    /// when an order is laid down for it.
    pub(crate) fn polled(&mut self, device: &str, window: Window) -> Arc<Notify> {
        let device = self.device(device);
        for order in &mut device.orders {
            if !window.admits(order.sheet.counter) {
                let had = order.is_had(&window);
                order.settle(|| if had { Ok(()) } else { Err(passed()) });
            }
        }
        // What it is past and never saw would be refused as a replay.
        device
            .orders
            .retain(|order| window.admits(order.sheet.counter) || order.is_had(&window));
        device.window = window;
        device.bell.clone()
    }

    /// The orders that the device may take, oldest first; they count as written.
    pub(crate) fn due(&mut self, id: &str, now: Timestamp) -> Vec<Arc<Sheet>> {
        let Device { orders, window, .. } = self.device(id);
        let mut due: Vec<Arc<Sheet>> = Vec::new();
        for order in orders {
            if order.sheet.expires > now && window.admits(order.sheet.counter) {
                order.written = true;
                // Two deliveries to one device may share a sheet.
                if due
                    .last()
                    .is_none_or(|last| !Arc::ptr_eq(last, &order.sheet))
                {
                    due.push(order.sheet.clone());
                }
            }
        }
        let Some(device) = self.devices.get(id) else {
            return due;
        };
        let stands = |order: &&Standing| {
            let sheet = &order.sheet;
            sheet.expires > now && device.window.admits(sheet.counter) && order.devices.contains(id)
        };
        let standing = self.standing.iter().filter(stands);
        due.extend(standing.map(|order| order.sheet.clone()));
        let words = device.quakes.iter().map(|word| &word.sheet);
        let words =
            words.filter(|sheet| sheet.expires > now && device.window.admits(sheet.counter));
        due.extend(words.cloned());
        due.sort_by_key(|sheet| sheet.counter);
        due
    }

    /// A report on an order proves that it was fetched. Gives the deliveries that lie here under its id.
    pub(crate) fn reported(&mut self, device: &str, order: &str) -> Vec<Key> {
        let Some(device) = self.devices.get_mut(device) else {
            return Vec::new();
        };
        let mut keys = Vec::new();
        for entry in &mut device.orders {
            if &*entry.sheet.order == order {
                entry.settle(|| Ok(()));
                keys.push(entry.key);
            }
        }
        keys
    }

    /// The device is through with it.
    pub(crate) fn done(&mut self, device: &str, order: &str) {
        if let Some(device) = self.devices.get_mut(device) {
            device.orders.retain(|entry| &*entry.sheet.order != order);
        }
    }

    /// Nobody has proved in time to have fetched it, or the gateway closes. It lies on until it expires.
    pub(crate) fn give_up(&mut self, device: &str, key: Key, closing: bool) {
        let gone = self.devices.get(device).is_some_and(|device| device.silent);
        if let Some(order) = self.order(device, key) {
            let failure = match (order.is_out() && !gone, closing) {
                (true, _) => unproved(),
                (false, true) => closed(),
                (false, false) => silent(),
            };
            order.settle(|| Err(failure));
        }
    }

    /// Whether an order without a text lies here.
    pub(crate) fn stands(&self, counter: u64) -> bool {
        let of = |order: &Standing| order.sheet.counter;
        self.standing.binary_search_by_key(&counter, of).is_ok()
    }

    fn order(&mut self, device: &str, key: Key) -> Option<&mut Entry> {
        let device = self.devices.get_mut(device)?;
        device.orders.iter_mut().find(|order| order.key == key)
    }

    /// Forgets what has expired, and names the devices that have just fallen silent, each with its last word.
    pub(crate) fn sweep(
        &mut self,
        now: Timestamp,
        tick: Duration,
        silent_after: Duration,
    ) -> Vec<(String, String)> {
        self.standing.retain(|order| order.sheet.expires > now);
        let mut fallen = Vec::new();
        for (id, device) in &mut self.devices {
            device.tidy(now);
            let quiet = device
                .heard
                .is_some_and(|heard| tick.saturating_sub(heard) >= silent_after);
            if quiet && !device.silent {
                device.silent = true;
                fallen.push((id.to_string(), device.word.clone()));
            }
        }
        // A device that never spoke is only an address that was tried; a poll that waits holds its bell.
        let known = |device: &Device| {
            device.heard.is_some()
                || device.silent
                || !device.orders.is_empty()
                || !device.quakes.is_empty()
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
}
